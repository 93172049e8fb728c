"""The latest state of each identity reaches the target once, and everything else is parked or waits."""

from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec
import pytest
from fake_target import FakeSender, accepted, feed_record, item_key, refused
from msgspec.structs import replace
from sink_drive import FEED, LETTER, NO_ALLOWANCE, STATUS, Drive

from consumers.sink import delivery as delivery_module
from consumers.sink.budget import Budget
from consumers.sink.circuit import OURS_S, WINDOW_MAX
from consumers.sink.delivery import Delivery, SinkTarget
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.feed import Clock, Place
from consumers.sink.settle import Answer
from consumers.sink.waiting import Fetch
from runtime import metrics
from runtime.record import Outgoing, Record
from runtime.settings import BudgetSettings
from schemas.codec import decode
from schemas.keys import canonical_json
from schemas.records import DeadLetter, Status
from schemas.topics import TopicNames


def settled(held: Drive, *records: Record) -> list[Outgoing]:
    """Records come in; what was written when the sink is at rest."""
    return held.run(*records)


def outcomes(outgoing: Sequence[Outgoing]) -> dict[str, tuple[str, int]]:
    """Outcome and settled offset by SKU."""
    return {
        msgspec.json.decode(record.key)["sku"]: (status.outcome, status.offset)
        for record in outgoing
        if record.topic == STATUS
        for status in [msgspec.json.decode(record.value or b"", type=Status)]
    }


def dead_letters(outgoing: Sequence[Outgoing]) -> dict[str, str | None]:
    """The error by SKU; None clears it."""
    return {
        msgspec.json.decode(record.key)["sku"]: (
            None if record.value is None else msgspec.json.decode(record.value, type=DeadLetter).error
        )
        for record in outgoing
        if record.topic == LETTER
    }


def status_record(sku: str, offset: int, **changes: Any) -> tuple[bytes, bytes]:
    """A status as loaded from the topic; its hash is that of the delivered item unless changed."""
    sender = FakeSender()
    written = settled(Drive(sender), feed_record(sku, offset, **changes))
    (record,) = [record for record in written if record.topic == STATUS]
    assert record.value is not None
    return record.key, record.value


def test_a_delivered_item_tells_how_late_the_sink_is() -> None:
    """Seconds from the commit of its change, as the other stages tell theirs."""
    held = Drive(FakeSender())

    settled(held, feed_record("A", 7, commit_ms=held.wall_ms - 4_000))

    assert metrics.LAG_SECONDS.labels("sink")._value.get() == pytest.approx(4, abs=1)


def test_a_delivered_item_gets_a_status_that_says_what_it_settles() -> None:
    """Topic, partition, offset, the hash of the payload, the request that carried it."""
    (record,) = settled(Drive(FakeSender()), feed_record("A", 7))

    status = msgspec.json.decode(record.value or b"", type=Status)
    assert (record.topic, record.partition, record.key) == (STATUS, 0, item_key("A"))
    assert replace_hash(status) == Status("delivered", "hash", "cs.feed.products", 0, 7, 5_000, "request-1")
    assert len(status.hash) == 32


def replace_hash(status: Status) -> Status:
    return msgspec.structs.replace(status, hash="hash")


def test_only_the_latest_state_of_an_identity_is_sent() -> None:
    """Three versions in one batch are one item; the others are superseded."""
    sender = FakeSender()

    outgoing = settled(
        Drive(sender),
        feed_record("A", 1, name="one"),
        feed_record("B", 2),
        feed_record("A", 3, name="three"),
    )

    assert sender.sent == [("upsert", ["A", "B"])]
    assert [item["name"] for item in sender.posts[0][1]] == ["three", "Name of B"]
    assert outcomes(outgoing) == {"A": ("delivered", 3), "B": ("delivered", 2)}


def test_a_delete_after_an_upsert_in_one_batch_sends_only_the_delete() -> None:
    """Promise 2: both are never in flight together."""
    sender = FakeSender()

    outgoing = settled(Drive(sender), feed_record("A", 1), feed_record("A", 2, deleted=True))

    assert sender.posts == [("/v1/catalog/products/delete", [{"sku": "A", "source": {"locale": "default"}}])]
    assert outcomes(outgoing) == {"A": ("deleted", 2)}


def test_an_upsert_after_a_delete_in_one_batch_sends_only_the_upsert() -> None:
    """The product came back before the delete was sent."""
    sender = FakeSender()

    settled(Drive(sender), feed_record("A", 1, deleted=True), feed_record("A", 2))

    assert sender.sent == [("upsert", ["A"])]


def test_deletes_and_upserts_go_in_calls_of_their_own() -> None:
    """INTERLEAVING 35: each call settles its own items."""
    sender = FakeSender(refused((0, "name", "no")), None)

    outgoing = settled(Drive(sender), feed_record("A", 1), feed_record("B", 2, deleted=True))

    assert sender.sent == [("upsert", ["A"]), ("delete", ["B"])]
    assert outcomes(outgoing) == {"B": ("deleted", 2), "A": ("attention", 1)}


def test_an_unchanged_item_is_not_sent_again() -> None:
    """Promise 5: the payload's hash is compared with the one accepted, also across a restart."""
    sender = FakeSender()
    held = Drive(sender, statuses=[status_record("A", 1)])

    outgoing = settled(held, feed_record("A", 9))

    assert (sender.posts, outgoing) == ([], [])


def test_a_member_the_target_does_not_take_costs_no_request() -> None:
    """The hash is that of the mapped payload; createdAt is not in it."""
    sender = FakeSender()
    held = Drive(sender)
    settled(held, feed_record("A", 1, createdAt="2026-01-01 00:00:00"))

    settled(held, feed_record("A", 2, createdAt="2026-02-02 00:00:00"))

    assert sender.sent == [("upsert", ["A"])]


def test_a_record_older_than_the_status_is_not_sent() -> None:
    """INTERLEAVING 27: what a status settles with a higher offset is not overtaken."""
    sender = FakeSender()
    held = Drive(sender, statuses=[status_record("A", 10, name="new")])

    outgoing = settled(held, feed_record("A", 9, name="old"))

    assert (sender.posts, outgoing) == ([], [])


def test_a_changed_item_is_sent() -> None:
    """The counterpart of the two rules above."""
    sender = FakeSender()
    held = Drive(sender, statuses=[status_record("A", 1, name="old")])

    settled(held, feed_record("A", 2, name="new"))

    assert sender.sent == [("upsert", ["A"])]


def test_a_reverted_edit_is_sent_again_after_a_lost_answer() -> None:
    """INTERLEAVING 4: h0 accepted, h1 stored with a lost answer, reverted to h0: the target holds h1."""
    sender = FakeSender(None, Answer(0, error="no answer"))
    held = Drive(sender)
    settled(held, feed_record("A", 1, name="h0"))
    settled(held, feed_record("A", 2, name="h1"))

    assert settled(held, feed_record("A", 3, name="h0")) == []
    outgoing = held.pass_time(30)

    assert [items[0]["name"] for _, items in sender.posts] == ["h0", "h1", "h0"]
    assert outcomes(outgoing) == {"A": ("delivered", 3)}


def test_a_reverted_edit_is_sent_again_after_a_kill_with_the_edit_in_flight() -> None:
    """INTERLEAVING 4 after kill -9: unsettled records before the log's end may have been sent."""
    sender = FakeSender()
    first = Drive(sender, statuses=[status_record("A", 1, name="h0")])
    first.append(feed_record("A", 2, name="h1"), feed_record("A", 3, name="h0"))
    held = Drive(sender, after=first, clean=False)

    settled(held)
    held.pass_time(30)
    settled(held, feed_record("A", 4, name="h0"))

    assert [items[0]["name"] for _, items in sender.posts] == ["h0"]


def test_a_record_that_came_after_the_restart_is_not_doubted() -> None:
    """Promise 5: only what a predecessor can have sent is sent again."""
    sender = FakeSender()
    held = Drive(sender, statuses=[status_record("A", 1)], clean=False)

    settled(held, feed_record("A", 4))

    assert sender.posts == []


def test_an_answer_that_takes_nothing_does_not_end_a_doubt() -> None:
    """h1's answer was lost, then 429: the target may still hold h1, so h0 is sent."""
    sender = FakeSender(None, Answer(0, error="lost"), Answer(429, retry_after="1"))
    held = Drive(sender)
    settled(held, feed_record("A", 1, name="h0"))
    settled(held, feed_record("A", 2, name="h1"))
    held.pass_time(0.5)

    settled(held, feed_record("A", 3, name="h0"))
    held.pass_time(31)

    assert [items[0]["name"] for _, items in sender.posts] == ["h0", "h1", "h1", "h0"]


def test_a_400_parks_only_the_listed_items_and_the_rest_goes_again_at_once() -> None:
    """The others were only refused with them."""
    sender = FakeSender(refused((1, "name", "name: bad")))

    outgoing = settled(Drive(sender), *(feed_record(sku, n) for n, sku in enumerate("ABC")))

    assert sender.sent == [("upsert", ["A", "B", "C"]), ("upsert", ["A", "C"])]
    assert outcomes(outgoing) == {"B": ("attention", 1), "A": ("delivered", 0), "C": ("delivered", 2)}
    assert dead_letters(outgoing) == {"B": "name: bad"}


def test_a_dead_letter_says_who_acts_and_points_at_the_record() -> None:
    """Never a payload: the pointer finds the record."""
    outgoing = settled(Drive(FakeSender(refused((0, "name", "bad")))), feed_record("A", 7))

    (letter,) = [record for record in outgoing if record.topic == LETTER]
    assert (letter.partition, letter.key) == (0, item_key("A"))
    assert msgspec.json.decode(letter.value or b"", type=DeadLetter) == DeadLetter(
        "attention", "upsert", "bad", 1, 5_000, "cs.feed.products", 0, 7, 1, "request-400"
    )


def test_a_refused_delete_says_so_in_its_dead_letter() -> None:
    """INTERLEAVING 26: a delete needs only its key, whatever became of its record."""
    outgoing = settled(Drive(FakeSender(refused((0, "sku", "bad")))), feed_record("A", 7, deleted=True))

    (letter,) = [record for record in outgoing if record.topic == LETTER]
    assert msgspec.json.decode(letter.value or b"", type=DeadLetter).operation == "delete"


def test_a_refused_item_goes_again_only_when_its_content_changes() -> None:
    """The same content would be refused again."""
    sender = FakeSender(refused((0, "name", "bad")))
    held = Drive(sender)
    settled(held, feed_record("A", 1, name="bad"))

    settled(held, feed_record("A", 2, name="bad"))
    assert len(sender.posts) == 1

    settled(held, feed_record("A", 3, name="good"))
    assert len(sender.posts) == 2


def test_delivery_clears_the_dead_letter() -> None:
    """The topic holds exactly the items that fail now."""
    held = Drive(FakeSender(refused((0, "name", "bad"))))
    settled(held, feed_record("A", 1, name="bad"))

    mended = settled(held, feed_record("A", 2, name="good"))
    later = settled(held, feed_record("A", 3, name="better"))

    assert dead_letters(mended) == {"A": None}
    assert dead_letters(later) == {}


@pytest.mark.parametrize("first", [Answer(413), refused((0, "items_limit_exceeded", "too many"))])
def test_a_request_that_is_too_large_is_halved(first: Answer) -> None:
    """Halves go on in order until they fit."""
    sender = FakeSender(first, Answer(413))

    outgoing = settled(Drive(sender), *(feed_record(sku, n) for n, sku in enumerate("ABCD")))

    assert [skus for _, skus in sender.sent] == [
        ["A", "B", "C", "D"],
        ["A", "B"],
        ["A"],
        ["B"],
        ["C", "D"],
    ]
    assert set(outcomes(outgoing).values()) == {("delivered", n) for n in range(4)}


def test_a_single_item_that_is_too_large_is_parked() -> None:
    """Halving ends at one; its neighbour is delivered."""
    sender = FakeSender(Answer(413), Answer(413))

    outgoing = settled(Drive(sender), feed_record("A", 0), feed_record("B", 1))

    assert outcomes(outgoing) == {"A": ("attention", 0), "B": ("delivered", 1)}
    assert dead_letters(outgoing) == {"A": "the request is too large"}


def test_a_400_without_a_list_finds_the_bad_item_by_halves() -> None:
    """Only the item that is refused alone is parked."""
    vague = Answer(400, b"bad request", "text/plain")
    sender = FakeSender(vague, vague, None, vague, None)

    outgoing = settled(Drive(sender), *(feed_record(sku, n) for n, sku in enumerate("ABCD")))

    assert outcomes(outgoing)["B"] == ("attention", 1)
    assert [sku for sku, (outcome, _) in outcomes(outgoing).items() if outcome == "delivered"] == [
        "A",
        "C",
        "D",
    ]


@pytest.mark.parametrize(
    ("answer", "wait_s"),
    [
        (Answer(429, retry_after="7"), 7.0),
        (Answer(429), 1.0),
        (Answer(503), 0.2),
        (Answer(0, error="lost"), 0.2),
        (Answer(500, retry_after="3"), 3.0),
    ],
)
def test_a_busy_or_broken_target_is_waited_for(answer: Answer, wait_s: float) -> None:
    """Nothing is parked or committed: nothing is wrong with the items, and nothing is settled."""
    sender = FakeSender(answer)
    held = Drive(sender)

    written = settled(held, feed_record("A", 1))

    assert (written, held.position, held.delivery.wake_s()) == ([], 1, pytest.approx(wait_s))
    assert outcomes(held.pass_time(wait_s)) == {"A": ("delivered", 1)}
    assert held.position == 2


def test_what_was_settled_is_not_sent_again_when_the_rest_had_to_wait() -> None:
    """Each request settles its own items; the position waits for all before it."""
    sender = FakeSender(Answer(503))
    held = Drive(sender, items_max=1)

    outgoing = settled(held, feed_record("A", 1), feed_record("B", 2))
    position = held.position
    outgoing += held.pass_time(1)

    assert [skus for _, skus in sender.sent] == [["A"], ["B"], ["A"]]
    assert outcomes(outgoing) == {"A": ("delivered", 1), "B": ("delivered", 2)}
    assert (position, held.position) == (1, 3)


def test_what_no_status_tells_is_sent_again_after_a_restart() -> None:
    """The answer came, the transaction did not: what is not written did not happen."""
    sender = FakeSender()
    first = Drive(sender)
    first.append(feed_record("A", 1))
    first.scan()
    first.turn()

    held = Drive(sender, after=first, clean=False)
    settled(held)
    held.pass_time(30)

    assert len(sender.posts) == 2
    assert held.position == 2


def test_a_401_renews_the_token_once() -> None:
    """The same batch goes again with the new one."""
    sender = FakeSender(Answer(401))

    outgoing = settled(Drive(sender), feed_record("A", 1))

    assert (sender.tokens_forgotten, len(sender.posts)) == (1, 2)
    assert outcomes(outgoing) == {"A": ("delivered", 1)}


@pytest.mark.parametrize(
    "answers",
    [[Answer(401), Answer(401)], [Answer(403)], [Answer(404)], [Answer(302)], [Answer(200, b"<html>")]],
)
def test_what_is_about_us_parks_nothing_and_waits(answers: list[Answer]) -> None:
    """INTERLEAVING 36: after the address is mended the same item is delivered."""
    sender = FakeSender(*answers)
    held = Drive(sender)

    assert settled(held, feed_record("A", 1), feed_record("B", 2)) == []
    sent = len(sender.posts)
    assert held.pass_time(OURS_S - 0.1) == []
    assert len(sender.posts) == sent

    assert outcomes(held.pass_time(0.2)) == {"A": ("delivered", 1), "B": ("delivered", 2)}


def test_a_spent_allowance_waits_without_a_request() -> None:
    """One request a minute: the second goes when the minute is over."""
    sender = FakeSender()
    held = Drive(sender, items_max=1, allowance=replace_requests(1))

    settled(held, feed_record("A", 1), feed_record("B", 2))
    held.pass_time(59)
    waited = [skus for _, skus in sender.sent]
    held.pass_time(2)

    assert waited == [["A"]]
    assert [skus for _, skus in sender.sent] == [["A"], ["B"]]


def replace_requests(requests: int) -> BudgetSettings:
    return NO_ALLOWANCE.model_copy(update={"requests_per_minute": requests})


def test_an_item_over_the_limit_is_parked_by_itself() -> None:
    """200 KiB is what the service takes; its neighbour goes."""
    sender = FakeSender()

    outgoing = settled(Drive(sender), feed_record("A", 1, description="x" * 200 * 1024), feed_record("B", 2))

    item = decode("products", feed_record("A", 1, description="x" * 200 * 1024).value or b"")
    size = len(canonical_json(OptimizerDialect().payload("products", item)))
    assert sender.sent == [("upsert", ["B"])]
    assert outcomes(outgoing) == {"A": ("attention", 1), "B": ("delivered", 2)}
    assert dead_letters(outgoing) == {"A": f"item of {size} bytes, the service takes 204800"}


def test_an_item_that_cannot_be_said_is_parked_by_itself() -> None:
    """The reason names the member; nothing of it is sent."""
    sender = FakeSender()

    outgoing = settled(Drive(sender), feed_record("A", 1, name=None), feed_record("B", 2))

    assert sender.sent == [("upsert", ["B"])]
    assert dead_letters(outgoing) == {"A": "name is missing, the service needs it: set it in the shop"}


def test_a_parked_item_that_comes_unchanged_is_parked_where_it_is_now() -> None:
    """The pointer follows: compaction removes the record that it pointed at. That is no new attempt."""
    held = Drive(FakeSender())
    settled(held, feed_record("A", 1, name=None))

    settled(held, feed_record("A", 2, name=None))

    letter = held.letters()["A"]
    assert (letter.offset, letter.attempts, letter.error) == (
        2,
        1,
        "name is missing, the service needs it: set it in the shop",
    )


def test_a_feed_record_of_another_schema_is_parked_and_its_neighbours_go_on() -> None:
    """Promise 3: a record nobody can read ends where a person sees it, not in a crash."""
    sender = FakeSender()
    foreign = replace(feed_record("A", 1), value=b"\xc3\x01" + b"\x00" * 12)

    outgoing = settled(Drive(sender), foreign, feed_record("B", 2))

    assert sender.sent == [("upsert", ["B"])]
    assert outcomes(outgoing) == {"A": ("attention", 1), "B": ("delivered", 2)}
    assert dead_letters(outgoing)["A"] is not None


def test_an_identity_goes_in_the_best_lane_any_of_its_versions_had() -> None:
    """A live edit that a resync's record follows at once still goes before the bulk work."""
    sender = FakeSender()

    settled(
        Drive(sender, items_max=1),
        feed_record("A", 1, lane="bulk"),
        feed_record("B", 2, lane="live", name="edit"),
        feed_record("B", 3, lane="bulk", name="edit again"),
    )

    assert [skus for _, skus in sender.sent] == [["B"], ["A"]]


def test_requests_hold_no_more_items_than_configured() -> None:
    """3 items at 2 a request."""
    sender = FakeSender()

    settled(Drive(sender, items_max=2), *(feed_record(sku, n) for n, sku in enumerate("ABC")))

    assert [skus for _, skus in sender.sent] == [["A", "B"], ["C"]]


def test_records_of_other_topics_are_left_alone() -> None:
    """A stage judges only the feeds of its target."""
    sender = FakeSender()

    assert settled(Drive(sender), replace(feed_record("A", 1), topic="cs.feed.prices")) == []
    assert sender.posts == []


def test_live_items_go_before_bulk_ones_and_keep_their_order() -> None:
    """Promise 4; within a lane the feed's order stays."""
    sender = FakeSender()

    settled(
        Drive(sender, items_max=2),
        feed_record("A", 1, lane="bulk"),
        feed_record("B", 2),
        feed_record("C", 3, lane="bulk"),
        feed_record("D", 4),
    )

    assert [skus for _, skus in sender.sent] == [["B", "D"], ["A", "C"]]


def test_items_that_do_not_fit_into_one_body_go_in_the_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The body closes by bytes before it closes by count."""
    monkeypatch.setattr("consumers.sink.batch.BODY_BYTES_MAX", 3_000)
    sender = FakeSender()

    settled(Drive(sender), *(feed_record(sku, n, description="x" * 1000) for n, sku in enumerate("ABCDE")))

    assert [skus for _, skus in sender.sent] == [["A", "B"], ["C", "D"], ["E"]]


def test_an_answer_to_a_delivery_that_was_given_away_is_not_taken_for_another_one() -> None:
    """A sink that stood by in between is active again: requests of then may still be answered."""
    numbers = count(1)
    names, clock = TopicNames("cs"), Clock(lambda: 0.0, lambda: 0)
    sent = []
    for _ in range(2):
        target = SinkTarget("optimizer", OptimizerDialect(), {"products": 10})
        delivery = Delivery(target, names, Budget(NO_ALLOWANCE, lambda: 0.0), clock, numbers)
        delivery.assign("products", [Place(0, 0, 0, clean=True)])
        delivery.scan([feed_record("A", 0)])
        sent += list(delivery.requests())
    before, now = sent

    delivery.answered(before.number, accepted(1))
    under_way = delivery.in_flight
    delivery.answered(now.number, accepted(1))

    assert (under_way, delivery.in_flight) == (1, 0)


def test_what_is_behind_the_last_record_is_passed_too() -> None:
    """Markers of transactions take offsets: without them a sink would look late for ever."""
    held = Drive(FakeSender())
    held.run(feed_record("A", 0))

    held.delivery.reached(FEED, 0, 3)
    commit = held.delivery.commit()

    assert commit is not None
    assert commit.offsets == {(FEED, 0): 3}
    assert held.delivery.lag() == {FEED: 0}


def test_records_that_were_not_asked_for_are_left_alone() -> None:
    """They were asked for before this process gave its place away, or have come already."""
    held = Drive(sender := FakeSender())
    fetch = Fetch("products", FEED, 0, 0, 1)

    held.delivery.fetched(fetch, [feed_record("A", 0)], 1)
    held.run()

    assert sender.sent == []


def test_a_request_under_way_leaves_its_outcome_in_doubt() -> None:
    """A sink that ends now must not say that it has told all it sent."""
    held = Drive(FakeSender())
    held.append(feed_record("A", 0))
    held.scan()

    (request,) = held.delivery.requests()
    under_way = held.delivery.in_doubt
    held.delivery.answered(request.number, accepted(1))

    assert (under_way, held.delivery.in_doubt) == (True, False)


def test_only_so_many_requests_are_under_way_and_bulk_leaves_room_for_a_live_one() -> None:
    """The window: four at the start, half of it when the service complains."""
    held = Drive(FakeSender(), items_max=1)
    held.append(*(feed_record(f"B{n}", n, lane="bulk") for n in range(10)))
    held.scan()
    bulk = [request for _ in range(10) for request in held.delivery.requests()]
    held.append(*(feed_record(f"L{n}", 10 + n) for n in range(10)))
    held.scan()

    live = list(held.delivery.requests())
    more = list(held.delivery.requests())
    held.delivery.answered(bulk[0].number, Answer(503))
    for request in (*bulk[1:], *live):
        held.delivery.answered(request.number, accepted(1))
    narrower = list(held.delivery.requests())

    assert (len(bulk), len(live), len(more)) == (3, 1, 0)
    assert 1 <= len(narrower) < 4


def test_nothing_is_sent_while_too_many_statuses_wait_for_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are all in memory, and what they tell of is in doubt until they are written."""
    monkeypatch.setattr(delivery_module, "_UNWRITTEN_MAX", 2)
    held = Drive(FakeSender(), items_max=2)
    held.append(*(feed_record(f"A{n}", n) for n in range(6)))
    held.scan()
    first = next(iter(held.delivery.requests()))
    held.delivery.answered(first.number, accepted(2))

    before = list(held.delivery.requests())
    held.commit()
    after = list(held.delivery.requests())

    assert (len(before), len(after)) == (0, 2)


def test_it_says_when_the_next_probe_is_due() -> None:
    """Nothing else comes in that would have anybody look."""
    held = Drive(FakeSender(*[Answer(404)] * 2))
    held.run(feed_record("A", 0))

    assert held.delivery.wake_s() == pytest.approx(OURS_S)


def test_it_says_when_the_allowance_is_back() -> None:
    """100 a minute, and one more waits."""
    allowance = BudgetSettings(requests_per_minute=0, products_per_minute=100, products_per_day=0)
    held = Drive(FakeSender(), allowance=allowance)
    held.run(*(feed_record(f"A{n}", n) for n in range(101)))

    wake_s = held.delivery.wake_s()

    assert wake_s is not None
    assert 0.5 < wake_s < 61


def test_the_window_widens_with_what_the_service_takes() -> None:
    """Eight at once at the most."""
    held = Drive(FakeSender(), items_max=1)
    held.run(*(feed_record(f"A{n}", n) for n in range(100)))
    held.append(*(feed_record(f"B{n}", 100 + n) for n in range(20)))
    held.scan()

    assert len(list(held.delivery.requests())) == WINDOW_MAX


def test_a_busy_service_that_took_something_is_asked_as_soon_as_the_first_time() -> None:
    """Waits of our own grow only while it goes on saying so."""
    held = Drive(sender := FakeSender(Answer(429), Answer(429), None, Answer(429)))
    held.run(feed_record("A", 0))
    held.pass_time(1)
    held.pass_time(2)
    held.run(feed_record("B", 1))
    before = len(sender.posts)

    held.pass_time(1.1)

    assert (before, len(sender.posts)) == (4, 5)
