"""The scheduler before a service that wants stamps, names for deletes, and knows items by another identity.

The service is the emulator's own, without a socket: what it would ignore or refuse, it ignores or refuses.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from fake_target import feed_record, item_key
from signing_keys import private_key, private_key_pem
from sink_drive import Drive

from commerce_sync.emulator.exchange import Request
from commerce_sync.emulator.saas import Saas
from commerce_sync.emulator.signatures import Signatures
from commerce_sync.emulator.storage import Storage
from consumers.sink.claims import Claims
from consumers.sink.dialects.saas import SaasDialect
from consumers.sink.settle import Answer
from consumers.sink.sign import Signer
from runtime.record import Record
from runtime.settings import AuthSettings
from schemas.services.shapes import Identity

NOW_S = 1_800_000_000.0
AUTH = AuthSettings.model_validate(
    {"api_key": "demo", "private_key": private_key_pem(), "environment_id": "demo"}
)


class Service:
    """The emulated service as a sender; `lost` answers are stored and not given."""

    def __init__(self) -> None:
        self.storage = Storage()
        clock = lambda: NOW_S  # noqa: E731
        self.saas = Saas(self.storage, Signatures("demo", private_key().public_key(), clock), clock)
        self.signer = Signer(AUTH, clock)
        self.posts: list[list[dict[str, Any]]] = []
        self.lost = 0
        self.refused: list[Answer] = []

    def post(self, path: str, body: bytes) -> Answer:
        self.posts.append(msgspec.json.decode(body))
        if self.refused:
            return self.refused.pop()
        headers = {name.lower(): value for name, value in self.signer.headers().items()}
        headers["content-type"] = "application/json"
        answer = self.saas.handle(Request("POST", f"/feeds{path}", headers, body))
        if self.lost:
            self.lost -= 1
            return Answer(0, error="lost")
        return Answer(answer.status, answer.body)

    def forget_token(self) -> None:
        self.signer.forget()

    @property
    def held(self) -> dict[str, str]:
        items = [msgspec.json.decode(item) for page in self.storage.pages("saas/products") for item in page]
        return {item["sku"]: item["name"] for item in items}

    @property
    def sent(self) -> list[tuple[str, bool]]:
        return [(item["sku"], item["deleted"]) for items in self.posts for item in items]


class ById(SaasDialect):
    """Products known by their id, as categories are: a SKU is only where one is found."""

    def identity_moves(self, feed: str) -> bool:
        return True

    def identity(self, feed: str, payload: Mapping[str, Any]) -> Identity:
        return (str(payload["productId"]),)

    def delete_members(self, feed: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        return {"productId": payload["productId"], **super().delete_members(feed, payload)}


class WithoutRoots(SaasDialect):
    """A service that is not told of some items."""

    def wants(self, feed: str, key: Mapping[str, Any]) -> bool:
        return key["sku"] != "ROOT"


def item(sku: str, offset: int, **changes: Any) -> Record:
    return feed_record(sku, offset, **{"url": "https://shop.test/a.html", "buyable": True, **changes})


def tombstone(sku: str, offset: int) -> Record:
    return feed_record(sku, offset, deleted=True)


def outcomes(drive: Drive) -> dict[str, str]:
    return {sku: status.outcome for sku, status in drive.statuses().items()}


@pytest.fixture
def service() -> Service:
    return Service()


def drive(service: Service, dialect: SaasDialect | None = None, **options: Any) -> Drive:
    return Drive(service, dialect=dialect or SaasDialect("demo"), **options)


def test_two_edits_within_a_second_both_take_effect(service: Service) -> None:
    """The second is stamped a second later; the service ignores what is no newer."""
    sink = drive(service)

    sink.run(item("A", 1, name="one"))
    sink.run(item("A", 2, name="two"))
    sink.run(item("A", 3, name="three"))

    assert service.held == {"A": "three"}
    assert len({items[0]["modifiedAt"] for items in service.posts}) == 3


def test_a_clock_that_was_set_back_makes_no_edit_older(service: Service) -> None:
    """Over a restart: the statuses tell how far the clock has been."""
    first = drive(service)
    first.run(item("A", 1, name="one"))
    second = drive(service, after=first)
    second.now -= 500

    second = drive(service, after=second)
    second.run(item("A", 2, name="two"))

    assert service.held == {"A": "two"}


def test_the_stamp_is_no_content(service: Service) -> None:
    """The same item at another time is not sent again."""
    sink = drive(service)
    sink.run(item("A", 1))

    sink.now += 100
    sink.run(item("A", 2))

    assert len(service.posts) == 1


@pytest.mark.parametrize("restarted", [False, True])
def test_a_delete_says_what_the_target_was_given(service: Service, restarted: bool) -> None:
    """The key does not tell website and store; the status does, also to a successor."""
    sink = drive(service)
    sink.run(item("A", 1), item("B", 2))
    if restarted:
        sink = drive(service, after=sink)

    sink.run(tombstone("A", 3))

    assert list(service.held) == ["B"]
    assert outcomes(sink) == {"A": "deleted", "B": "delivered"}


def test_an_item_that_came_and_went_untold_needs_no_delete(service: Service) -> None:
    sink = drive(service)

    sink.run(item("A", 1), tombstone("A", 2))

    assert service.posts == []
    assert outcomes(sink) == {"A": "deleted"}


def test_a_delete_behind_a_lost_answer_is_said_and_said_again(service: Service) -> None:
    """The item may be there although no status tells of it, and the lost request may take effect late."""
    sink = drive(service)
    service.lost = 1
    sink.run(item("A", 1))

    sink.run(tombstone("A", 2))
    sink.pass_time(30)
    held = service.held
    sink.pass_time(120)

    assert held == {}
    assert service.sent == [("A", False), ("A", True), ("A", True)]
    assert outcomes(sink) == {"A": "deleted"}
    assert sink.letters() == {}


def test_a_delete_nobody_can_say_waits_for_a_person(service: Service) -> None:
    """A predecessor may have sent the item and did not live to write what a delete needs."""
    sink = drive(service)
    sink.append(tombstone("A", 1))

    successor = drive(service, after=sink, clean=False)
    successor.run()
    successor.pass_time(30)

    assert service.posts == []
    assert "no status tells" in successor.letters()["A"].error


@pytest.mark.parametrize("restarted", [False, True])
def test_what_was_never_given_leaves_no_dead_letter_when_it_is_gone(
    service: Service, restarted: bool
) -> None:
    """It was refused by us; or it came and went untold, twice."""
    sink = drive(service)
    sink.run(item("A", 1, name=None), item("B", 2), tombstone("B", 3))
    parked = outcomes(sink)
    if restarted:
        sink = drive(service, after=sink)

    sink.run(tombstone("A", 4), item("B", 5), tombstone("B", 6))

    assert parked == {"A": "attention", "B": "deleted"}
    assert outcomes(sink) == {"A": "deleted", "B": "deleted"}
    assert (sink.letters(), service.posts) == ({}, [])


def test_what_was_refused_after_it_was_given_is_deleted(service: Service) -> None:
    """The service still has what it took before."""
    sink = drive(service)
    sink.run(item("A", 1))
    sink.run(item("A", 2, name=None))

    sink.run(tombstone("A", 3))

    assert service.held == {}
    assert (outcomes(sink), sink.letters()) == ({"A": "deleted"}, {})


@pytest.mark.parametrize("restarted", [False, True])
def test_a_retry_does_not_settle_a_delete_nobody_can_say(service: Service, restarted: bool) -> None:
    """The item may be at the service: a person has to look."""
    sink = drive(service)
    sink.append(tombstone("A", 1))
    sink = drive(service, after=sink, clean=False)
    sink.run()
    sink.pass_time(300)
    if restarted:
        sink = drive(service, after=sink)

    sink.delivery.retry("products", sink.wall_ms + 1, None, [])
    sink.run()

    assert outcomes(sink) == {"A": "attention"}
    assert "no status tells" in sink.letters()["A"].error


def test_items_of_one_request_end_differently(service: Service) -> None:
    sink = drive(service)

    sink.run(item("A", 1), item("B", 2, visibility="Nowhere"), item("C", 3))

    assert list(service.held) == ["A", "C"]
    assert outcomes(sink) == {"A": "delivered", "B": "attention", "C": "delivered"}
    assert len(service.posts) == 1
    assert "visibility: does not have a value" in sink.letters()["B"].error


def test_what_the_service_is_not_told_of_is_passed_over(service: Service) -> None:
    sink = drive(service, WithoutRoots("demo"))

    sink.run(item("ROOT", 1), item("A", 2), tombstone("ROOT", 3))

    assert list(service.held) == ["A"]
    assert outcomes(sink) == {"A": "delivered"}
    assert sink.position == 4


@pytest.mark.parametrize("upsert_first", [False, True])
@pytest.mark.parametrize("restarted", [False, True])
def test_the_key_an_item_left_deletes_nothing_of_where_it_went(
    service: Service, upsert_first: bool, restarted: bool
) -> None:
    """One product, id 1, moves from SKU OLD to NEW: its identity at such a service stays."""
    sink = drive(service, ById("demo"))
    sink.run(item("OLD", 1, productId=1))
    if restarted:
        sink = drive(service, ById("demo"), after=sink)

    if upsert_first:
        sink.run(item("NEW", 2, productId=1))
        sink.run(tombstone("OLD", 3))
    else:
        sink.run(tombstone("OLD", 2), item("NEW", 3, productId=1))
    sink.pass_time(1)

    last = service.sent[-1]
    assert last == ("NEW", False)
    assert outcomes(sink) == {"OLD": "deleted", "NEW": "delivered"}
    if upsert_first:
        assert ("OLD", True) not in service.sent


def test_a_successor_knows_where_an_item_went(service: Service) -> None:
    """By the statuses alone: the records of both keys are settled, the tombstone comes later."""
    sink = drive(service, ById("demo"))
    sink.run(item("OLD", 1, productId=1))
    sink.run(item("NEW", 2, productId=1))

    successor = drive(service, ById("demo"), after=sink)
    successor.run(tombstone("OLD", 3))

    assert service.sent == [("OLD", False), ("NEW", False)]
    assert outcomes(successor) == {"OLD": "deleted", "NEW": "delivered"}


def test_an_item_deleted_where_it_went_is_deleted(service: Service) -> None:
    sink = drive(service, ById("demo"))
    sink.run(item("OLD", 1, productId=1))
    sink.run(item("NEW", 2, productId=1))
    sink.run(tombstone("OLD", 3))

    sink.run(tombstone("NEW", 4))

    assert service.sent[-1] == ("NEW", True)
    assert outcomes(sink) == {"OLD": "deleted", "NEW": "deleted"}


def test_a_lost_delete_of_the_old_key_cannot_end_behind_the_new_item(service: Service) -> None:
    """It may take effect late: the new item waits for it, and goes once more."""
    sink = drive(service, ById("demo"))
    sink.run(item("OLD", 1, productId=1))
    service.lost = 1
    sink.append(tombstone("OLD", 2))
    sink.scan()
    sink.turn()

    sink.run(item("NEW", 3, productId=1))
    at_once = service.sent[2:]
    sink.pass_time(1)
    waiting = service.sent[2:]
    sink.pass_time(30)
    sent = service.sent[2:]
    sink.pass_time(121)

    assert at_once == waiting == []
    assert sent == [("NEW", False)]
    assert service.sent[2:] == [("NEW", False), ("NEW", False)]
    assert outcomes(sink) == {"OLD": "deleted", "NEW": "delivered"}


def test_two_keys_never_speak_for_one_identity_together(service: Service) -> None:
    """While a request of one is under way the other waits."""
    sink = drive(service, ById("demo"))
    sink.run(item("OLD", 1, productId=1))
    sink.append(tombstone("OLD", 2), item("NEW", 3, productId=1))
    sink.scan()

    requests = list(sink.delivery.requests())
    flying = [(entry.key, entry.operation) for request in requests for entry in request.items]
    for request in requests:
        sink.delivery.answered(request.number, sink.answer(request))
    sink.pass_time(1)

    assert len(flying) == 1
    assert flying[0][0] in {item_key("OLD"), item_key("NEW")}
    assert service.sent[-1] == ("NEW", False)


def test_what_a_key_named_before_is_deleted_when_it_names_another(service: Service) -> None:
    """Product 1 is gone and product 2 has its SKU: no tombstone tells, but the service knows two items."""
    sink = drive(service, ById("demo"))
    sink.run(item("A", 1, productId=1))

    sink.run(item("A", 2, productId=2), item("B", 3, productId=3))

    assert [(i["productId"], i["deleted"]) for i in flat(service)] == [
        (1, False),
        (1, True),
        (3, False),
        (2, False),
    ]
    assert outcomes(sink) == {"A": "delivered", "B": "delivered"}
    assert sink.position == 4


@pytest.mark.parametrize("mover_first", [False, True])
def test_a_key_that_is_taken_over_deletes_nothing_that_only_moved(
    service: Service, mover_first: bool
) -> None:
    """Product 1 went from A to B, product 2 has A now."""
    sink = drive(service, ById("demo"))
    sink.run(item("A", 1, productId=1))

    moved = [item("B", 2, productId=1), item("A", 3, productId=2)]
    sink.run(*(moved if mover_first else [item("A", 2, productId=2), item("B", 3, productId=1)]))
    sink.pass_time(1)

    last = {i["productId"]: (i["sku"], i["deleted"]) for i in flat(service)}
    assert last == {1: ("B", False), 2: ("A", False)}
    if mover_first:
        assert not any(i["deleted"] for i in flat(service))


@pytest.mark.parametrize("deleted", [False, True])
def test_a_successor_deletes_nothing_that_only_moved_either(service: Service, deleted: bool) -> None:
    """Product 1 went from A to B; what has A now could not be sent, so its status tells of product 1."""
    sink = drive(service, ById("demo"))
    sink.run(item("A", 1, productId=1))
    sink.run(item("B", 2, productId=1), item("A", 3, productId=2, url=None))
    parked = outcomes(sink)

    sink = drive(service, ById("demo"), after=sink)
    sink.run(tombstone("A", 4) if deleted else item("A", 4, productId=2))

    assert parked == {"A": "attention", "B": "delivered"}
    assert [(i["productId"], i["sku"], i["deleted"]) for i in flat(service)] == [
        (1, "A", False),
        (1, "B", False),
        *([] if deleted else [(2, "A", False)]),
    ]


def test_a_delete_that_failed_claims_nothing_at_a_successor(service: Service) -> None:
    """Product 1 went from A to B; A's tombstone was refused, and B's item, from before it, had not gone."""
    sink = drive(service, ById("demo"))
    sink.run(item("A", 1, productId=1))
    service.refused.append(Answer(400, b'{"feedItemReceivedCount":0,"invalidFeedItems":[]}'))
    sink.append(item("B", 2, productId=1, lane="bulk"), tombstone("A", 3))
    sink.scan()
    request = next(iter(sink.delivery.requests()))
    sink.delivery.answered(request.number, sink.answer(request))
    sink.commit()
    parked = outcomes(sink)

    sink = drive(service, ById("demo"), after=sink)
    sink.run()

    assert parked == {"A": "attention"}
    assert outcomes(sink) == {"A": "attention", "B": "delivered"}


def test_a_key_that_goes_back_to_what_was_deleted_brings_it_again(service: Service) -> None:
    """Between the delete of what the key named and the item that it names, the first comes back."""
    sink = drive(service, ById("demo"))
    sink.run(item("A", 1, productId=1))
    sink.append(item("A", 2, productId=2))
    sink.scan()
    request = next(iter(sink.delivery.requests()))
    sink.append(item("A", 3, productId=1))
    sink.scan()
    sink.delivery.answered(request.number, sink.answer(request))

    sink.run()

    assert [(i["productId"], i["deleted"]) for i in flat(service)] == [(1, False), (1, True), (1, False)]
    assert service.held == {"A": "Name of A"}


def test_a_stop_between_that_delete_and_the_item_is_not_clean(service: Service) -> None:
    """The status still tells of what is gone; a successor must not take the way back for known."""
    sink = drive(service, ById("demo"))
    sink.run(item("A", 1, productId=1))
    sink.append(item("A", 2, productId=2))
    sink.scan()
    (request,) = sink.delivery.requests()
    sink.delivery.answered(request.number, sink.answer(request))
    sink.commit()
    sink.append(item("A", 3, productId=1))

    successor = drive(service, ById("demo"), after=sink, clean=not sink.delivery.in_doubt)
    successor.pass_time(31)

    assert service.held == {"A": "Name of A"}


def test_an_item_waits_with_the_delete_that_has_to_go_first(service: Service) -> None:
    """A refused delete parks the item; the retry does both."""
    sink = drive(service, ById("demo"))
    sink.run(item("A", 1, productId=1))
    service.refused.append(Answer(400, b'{"feedItemReceivedCount":0,"invalidFeedItems":[]}'))

    sink.run(item("A", 2, productId=2))
    parked = outcomes(sink)
    sink.delivery.retry("products", sink.wall_ms + 1, None, [])
    sink.run()

    assert parked == {"A": "attention"}
    assert [(i["productId"], i["deleted"]) for i in flat(service)[1:]] == [(1, True), (1, True), (2, False)]
    assert outcomes(sink) == {"A": "delivered"}
    assert sink.letters() == {}


@pytest.mark.parametrize("lane", ["live", "bulk"])
def test_a_predecessors_untold_item_can_be_deleted(
    service: Service, lane: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It died between its request and its status: the record it sent tells what the delete has to say."""
    first = drive(service)
    first.append(item("A", 1, lane=lane))
    service.post("/catalog/v2/products/demo", first_body(first))
    first.append(tombstone("A", 2))
    # The successor's scan may pass bulk work without taking it up.
    monkeypatch.setattr("consumers.sink.waiting.BULK_ITEMS_MAX", 0)

    successor = drive(service, after=first, clean=False)
    successor.run()
    successor.pass_time(30)

    assert service.held == {}
    assert service.sent[-1] == ("A", True)
    assert outcomes(successor) == {"A": "deleted"}
    assert successor.letters() == {}


def test_all_that_a_predecessor_may_have_sent_under_a_key_is_deleted(service: Service) -> None:
    """Nobody knows whether its last request held product 1 or product 2."""
    first = drive(service, ById("demo"))
    first.append(item("A", 1, productId=1))
    service.post("/catalog/v2/products/demo", first_body(first))
    first.append(item("A", 2, productId=2), tombstone("A", 3))

    successor = drive(service, ById("demo"), after=first, clean=False)
    successor.run()
    successor.pass_time(30)
    successor.pass_time(31)

    assert {i["productId"] for i in flat(service) if i["deleted"]} == {1, 2}
    assert outcomes(successor) == {"A": "deleted"}


def test_a_key_speaks_for_one_identity_at_a_time() -> None:
    """What it spoke for before is free."""
    claims = Claims()

    first = claims.enter(("1",), b"A")
    second = claims.enter(("2",), b"A")
    other = claims.enter(("1",), b"B")

    assert (first, second, other) == (True, True, True)


def flat(service: Service) -> list[dict[str, Any]]:
    return [item for items in service.posts for item in items]


def first_body(sink: Drive) -> bytes:
    """What a sink sends first; it never hears of the answer."""
    sink.scan()
    return next(iter(sink.delivery.requests())).body
