"""The latest state of each identity reaches the target once, and everything else is parked or waits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from confluent_kafka import TopicPartition
from fake_target import FakeSender, feed_record, item_key, refused

from consumers.sink.budget import Budget
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.settle import Answer
from consumers.sink.stage import SinkStage, SinkTarget
from consumers.sink.state import TargetState
from runtime.errors import Transient, Waiting
from runtime.record import Outgoing, Record
from runtime.settings import BudgetSettings
from schemas.codec import decode
from schemas.keys import canonical_json
from schemas.records import DeadLetter, Status
from schemas.topics import TopicNames

NO_ALLOWANCE = BudgetSettings(requests_per_minute=0, products_per_minute=0, products_per_day=0)
STATUS, DEAD_LETTER = "cs.status.optimizer.products", "cs.dead-letter.optimizer.products"


def stage(
    sender: FakeSender,
    state: TargetState | None = None,
    items_max: int = 100,
    allowance: BudgetSettings = NO_ALLOWANCE,
) -> SinkStage:
    """A stage that holds partition 0, at a fixed time."""
    held = TargetState() if state is None else state
    target = SinkTarget(
        "optimizer",
        OptimizerDialect(),
        {"products": items_max},
        {"products": Budget(allowance, "products", lambda: 0.0)},
    )
    loaded: list[tuple[str, Sequence[TopicPartition]]] = []

    def load_state(feed: str, places: Sequence[TopicPartition]) -> TargetState:
        loaded.append((feed, places))
        return held

    made = SinkStage(target, TopicNames("cs"), sender, load_state, lambda: 5_000)
    made.assign([TopicPartition("cs.feed.products", 0, 0)])
    assert [(feed, len(places)) for feed, places in loaded] == [("products", 1)]
    return made


def settled(held: SinkStage, *records: Record) -> list[Outgoing]:
    """One batch, committed."""
    outgoing = held.process(records)
    held.committed()
    return outgoing


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
        if record.topic == DEAD_LETTER
    }


def status_record(sku: str, offset: int, **changes: Any) -> tuple[bytes, bytes]:
    """A status as loaded from the topic; its hash is that of the delivered item unless changed."""
    sender = FakeSender()
    written = settled(stage(sender), feed_record(sku, offset, **changes))
    (record,) = [record for record in written if record.topic == STATUS]
    assert record.value is not None
    return record.key, record.value


def test_a_delivered_item_gets_a_status_that_says_what_it_settles() -> None:
    """Topic, partition, offset, the hash of the payload, the request that carried it."""
    (record,) = settled(stage(FakeSender()), feed_record("A", 7))

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
        stage(sender),
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

    outgoing = settled(stage(sender), feed_record("A", 1), feed_record("A", 2, deleted=True))

    assert sender.posts == [("/v1/catalog/products/delete", [{"sku": "A", "source": {"locale": "default"}}])]
    assert outcomes(outgoing) == {"A": ("deleted", 2)}


def test_an_upsert_after_a_delete_in_one_batch_sends_only_the_upsert() -> None:
    """The product came back before the delete was sent."""
    sender = FakeSender()

    settled(stage(sender), feed_record("A", 1, deleted=True), feed_record("A", 2))

    assert sender.sent == [("upsert", ["A"])]


def test_deletes_and_upserts_go_in_calls_of_their_own() -> None:
    """INTERLEAVING 35: each call settles its own items."""
    sender = FakeSender(None, refused((0, "name", "no")))

    outgoing = settled(stage(sender), feed_record("A", 1), feed_record("B", 2, deleted=True))

    assert sender.sent == [("delete", ["B"]), ("upsert", ["A"])]
    assert outcomes(outgoing) == {"B": ("deleted", 2), "A": ("attention", 1)}


def test_an_unchanged_item_is_not_sent_again() -> None:
    """Promise 5: the payload's hash is compared with the one accepted, also across a restart."""
    sender = FakeSender()
    held = stage(sender, TargetState([status_record("A", 1)]))

    outgoing = settled(held, feed_record("A", 9))

    assert (sender.posts, outgoing) == ([], [])


def test_a_member_the_target_does_not_take_costs_no_request() -> None:
    """The hash is that of the mapped payload; createdAt is not in it."""
    sender = FakeSender()
    held = stage(sender)
    settled(held, feed_record("A", 1, createdAt="2026-01-01 00:00:00"))

    settled(held, feed_record("A", 2, createdAt="2026-02-02 00:00:00"))

    assert sender.sent == [("upsert", ["A"])]


def test_a_record_older_than_the_status_is_not_sent() -> None:
    """INTERLEAVING 27: what a status settles with a higher offset is not overtaken."""
    sender = FakeSender()
    held = stage(sender, TargetState([status_record("A", 10, name="new")]))

    outgoing = settled(held, feed_record("A", 9, name="old"))

    assert (sender.posts, outgoing) == ([], [])


def test_a_changed_item_is_sent() -> None:
    """The counterpart of the two rules above."""
    sender = FakeSender()
    held = stage(sender, TargetState([status_record("A", 1, name="old")]))

    settled(held, feed_record("A", 2, name="new"))

    assert sender.sent == [("upsert", ["A"])]


def test_a_reverted_edit_is_sent_again_after_a_lost_answer() -> None:
    """INTERLEAVING 4: h0 accepted, h1 stored with a lost answer, reverted to h0: the target holds h1."""
    sender = FakeSender(None, Answer(0, error="no answer"))
    held = stage(sender)
    settled(held, feed_record("A", 1, name="h0"))
    with pytest.raises(Transient, match="no answer"):
        held.process([feed_record("A", 2, name="h1")])

    outgoing = settled(held, feed_record("A", 2, name="h1"), feed_record("A", 3, name="h0"))

    assert [items[0]["name"] for _, items in sender.posts] == ["h0", "h1", "h0"]
    assert outcomes(outgoing) == {"A": ("delivered", 3)}


def test_a_reverted_edit_is_sent_again_after_a_kill_with_the_edit_in_flight() -> None:
    """INTERLEAVING 4 after kill -9: unsettled records before the log's end may have been sent."""
    sender = FakeSender()
    state = TargetState([status_record("A", 1, name="h0")])
    state.doubt_below(0, 4)
    held = stage(sender, state)

    settled(held, feed_record("A", 2, name="h1"), feed_record("A", 3, name="h0"))
    settled(held, feed_record("A", 4, name="h0"))

    assert [items[0]["name"] for _, items in sender.posts] == ["h0"]


def test_a_record_that_came_after_the_restart_is_not_doubted() -> None:
    """Promise 5: only what a predecessor can have sent is sent again."""
    sender = FakeSender()
    state = TargetState([status_record("A", 1)])
    state.doubt_below(0, 4)

    settled(stage(sender, state), feed_record("A", 4))

    assert sender.posts == []


def test_an_answer_that_takes_nothing_does_not_end_a_doubt() -> None:
    """h1's answer was lost, then 429: the target may still hold h1, so h0 is sent."""
    sender = FakeSender(None, Answer(0, error="lost"), Answer(429))
    held = stage(sender)
    settled(held, feed_record("A", 1, name="h0"))
    for _ in range(2):
        with pytest.raises(Transient):
            held.process([feed_record("A", 2, name="h1")])

    settled(held, feed_record("A", 3, name="h0"))

    assert [items[0]["name"] for _, items in sender.posts] == ["h0", "h1", "h1", "h0"]


def test_a_400_parks_only_the_listed_items_and_the_rest_goes_again_at_once() -> None:
    """The others were only refused with them."""
    sender = FakeSender(refused((1, "name", "name: bad")))

    outgoing = settled(stage(sender), *(feed_record(sku, n) for n, sku in enumerate("ABC")))

    assert sender.sent == [("upsert", ["A", "B", "C"]), ("upsert", ["A", "C"])]
    assert outcomes(outgoing) == {"B": ("attention", 1), "A": ("delivered", 0), "C": ("delivered", 2)}
    assert dead_letters(outgoing) == {"B": "name: bad"}


def test_a_dead_letter_says_who_acts_and_points_at_the_record() -> None:
    """Never a payload: the pointer finds the record."""
    outgoing = settled(stage(FakeSender(refused((0, "name", "bad")))), feed_record("A", 7))

    (letter,) = [record for record in outgoing if record.topic == DEAD_LETTER]
    assert (letter.partition, letter.key) == (0, item_key("A"))
    assert msgspec.json.decode(letter.value or b"", type=DeadLetter) == DeadLetter(
        "attention", "upsert", "bad", 1, 5_000, "cs.feed.products", 0, 7, request_id="request-400"
    )


def test_a_refused_delete_says_so_in_its_dead_letter() -> None:
    """INTERLEAVING 26: a delete needs only its key, whatever became of its record."""
    outgoing = settled(stage(FakeSender(refused((0, "sku", "bad")))), feed_record("A", 7, deleted=True))

    (letter,) = [record for record in outgoing if record.topic == DEAD_LETTER]
    assert msgspec.json.decode(letter.value or b"", type=DeadLetter).operation == "delete"


def test_a_refused_item_goes_again_only_when_its_content_changes() -> None:
    """The same content would be refused again."""
    sender = FakeSender(refused((0, "name", "bad")))
    held = stage(sender)
    settled(held, feed_record("A", 1, name="bad"))

    settled(held, feed_record("A", 2, name="bad"))
    assert len(sender.posts) == 1

    settled(held, feed_record("A", 3, name="good"))
    assert len(sender.posts) == 2


def test_delivery_clears_the_dead_letter() -> None:
    """The topic holds exactly the items that fail now."""
    held = stage(FakeSender(refused((0, "name", "bad"))))
    settled(held, feed_record("A", 1, name="bad"))

    mended = settled(held, feed_record("A", 2, name="good"))
    later = settled(held, feed_record("A", 3, name="better"))

    assert dead_letters(mended) == {"A": None}
    assert dead_letters(later) == {}


@pytest.mark.parametrize("first", [Answer(413), refused((0, "items_limit_exceeded", "too many"))])
def test_a_request_that_is_too_large_is_halved(first: Answer) -> None:
    """Halves go on in order until they fit."""
    sender = FakeSender(first, Answer(413))

    outgoing = settled(stage(sender), *(feed_record(sku, n) for n, sku in enumerate("ABCD")))

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

    outgoing = settled(stage(sender), feed_record("A", 0), feed_record("B", 1))

    assert outcomes(outgoing) == {"A": ("attention", 0), "B": ("delivered", 1)}
    assert dead_letters(outgoing) == {"A": "the request is too large"}


def test_a_400_without_a_list_finds_the_bad_item_by_halves() -> None:
    """Only the item that is refused alone is parked."""
    vague = Answer(400, b"bad request", "text/plain")
    sender = FakeSender(vague, vague, None, vague, None)

    outgoing = settled(stage(sender), *(feed_record(sku, n) for n, sku in enumerate("ABCD")))

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
        (Answer(503), None),
        (Answer(0, error="lost"), None),
        (Answer(500, retry_after="3"), 3.0),
    ],
)
def test_a_busy_or_broken_target_makes_the_batch_wait(answer: Answer, wait_s: float | None) -> None:
    """Nothing is parked: nothing is wrong with the items."""
    held = stage(FakeSender(answer))

    with pytest.raises(Transient) as caught:
        held.process([feed_record("A", 1)])

    assert caught.value.retry_after_s == wait_s


def test_what_was_settled_is_not_sent_again_when_the_rest_had_to_wait() -> None:
    """The batch goes on where it stopped, and all of it is written at the end."""
    sender = FakeSender(None, Answer(503))
    held = stage(sender, items_max=1)
    records = [feed_record("A", 1), feed_record("B", 2)]
    with pytest.raises(Transient):
        held.process(records)

    outgoing = settled(held, *records)

    assert [skus for _, skus in sender.sent] == [["A"], ["B"], ["B"]]
    assert outcomes(outgoing) == {"A": ("delivered", 1), "B": ("delivered", 2)}


def test_statuses_change_only_after_the_commit() -> None:
    """A commit that failed must not make us skip what no status tells."""
    sender = FakeSender()
    held = stage(sender)
    held.process([feed_record("A", 1)])
    held.assign([TopicPartition("cs.feed.products", 0, 1)])

    held.process([feed_record("A", 1)])

    assert len(sender.posts) == 2


def test_a_401_renews_the_token_once() -> None:
    """The same batch goes again with the new one."""
    sender = FakeSender(Answer(401))

    outgoing = settled(stage(sender), feed_record("A", 1))

    assert (sender.tokens_forgotten, len(sender.posts)) == (1, 2)
    assert outcomes(outgoing) == {"A": ("delivered", 1)}


@pytest.mark.parametrize(
    "answers",
    [[Answer(401), Answer(401)], [Answer(403)], [Answer(404)], [Answer(302)], [Answer(200, b"<html>")]],
)
def test_what_is_about_us_parks_nothing_and_waits(answers: list[Answer]) -> None:
    """INTERLEAVING 36: after the address is mended the same batch is delivered."""
    sender = FakeSender(*answers)
    held = stage(sender)
    with pytest.raises(Transient) as caught:
        held.process([feed_record("A", 1)])

    assert caught.value.retry_after_s == 15.0
    assert outcomes(settled(held, feed_record("A", 1))) == {"A": ("delivered", 1)}


def test_a_spent_allowance_waits_without_a_request() -> None:
    """`Waiting` is no warning: it is only not our turn yet."""
    sender = FakeSender()
    held = stage(sender, items_max=1, allowance=replace_requests(1))

    with pytest.raises(Waiting) as caught:
        held.process([feed_record("A", 1), feed_record("B", 2)])

    assert [skus for _, skus in sender.sent] == [["A"]]
    assert caught.value.retry_after_s == 2.0


def replace_requests(requests: int) -> BudgetSettings:
    return NO_ALLOWANCE.model_copy(update={"requests_per_minute": requests})


def test_an_item_over_the_limit_is_parked_by_itself() -> None:
    """200 KiB is what the service takes; its neighbour goes."""
    sender = FakeSender()

    outgoing = settled(stage(sender), feed_record("A", 1, description="x" * 200 * 1024), feed_record("B", 2))

    item = decode("products", feed_record("A", 1, description="x" * 200 * 1024).value or b"")
    size = len(canonical_json(OptimizerDialect().payload("products", item)))
    assert sender.sent == [("upsert", ["B"])]
    assert outcomes(outgoing) == {"A": ("attention", 1), "B": ("delivered", 2)}
    assert dead_letters(outgoing) == {"A": f"item of {size} bytes, the service takes 204800"}


def test_an_item_that_cannot_be_said_is_parked_by_itself() -> None:
    """The reason names the member; nothing of it is sent."""
    sender = FakeSender()

    outgoing = settled(stage(sender), feed_record("A", 1, name=None), feed_record("B", 2))

    assert sender.sent == [("upsert", ["B"])]
    assert dead_letters(outgoing) == {"A": "name is missing, the service needs it: set it in the shop"}


def test_an_item_that_cannot_be_said_is_parked_once() -> None:
    """The same content writes no second dead letter."""
    held = stage(FakeSender())
    settled(held, feed_record("A", 1, name=None))

    assert settled(held, feed_record("A", 2, name=None)) == []


def test_a_feed_record_of_another_schema_is_parked_and_its_neighbours_go_on() -> None:
    """Promise 3: a record nobody can read ends where a person sees it, not in a crash."""
    sender = FakeSender()
    foreign = replace(feed_record("A", 1), value=b"\xc3\x01" + b"\x00" * 12)

    outgoing = settled(stage(sender), foreign, feed_record("B", 2))

    assert sender.sent == [("upsert", ["B"])]
    assert outcomes(outgoing) == {"A": ("attention", 1), "B": ("delivered", 2)}
    assert dead_letters(outgoing)["A"] is not None


def test_an_identity_goes_in_the_best_lane_any_of_its_versions_had() -> None:
    """A live edit that a resync's record follows at once still goes before the bulk work."""
    sender = FakeSender()

    settled(
        stage(sender, items_max=1),
        feed_record("A", 1, lane="bulk"),
        feed_record("B", 2, lane="live", name="edit"),
        feed_record("B", 3, lane="bulk", name="edit again"),
    )

    assert [skus for _, skus in sender.sent] == [["B"], ["A"]]


def test_requests_hold_no_more_items_than_configured() -> None:
    """3 items at 2 a request."""
    sender = FakeSender()

    settled(stage(sender, items_max=2), *(feed_record(sku, n) for n, sku in enumerate("ABC")))

    assert [skus for _, skus in sender.sent] == [["A", "B"], ["C"]]


def test_records_of_other_topics_are_left_alone() -> None:
    """A stage judges only the feeds of its target."""
    sender = FakeSender()

    assert settled(stage(sender), replace(feed_record("A", 1), topic="cs.feed.prices")) == []
    assert sender.posts == []
