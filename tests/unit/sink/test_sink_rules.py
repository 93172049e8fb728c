"""What keeps the promises when the service does not, a test a rule: a log, a target and a clock of ours."""

from typing import Any

import msgspec
import pytest
from fake_target import FakeSender, accepted, feed_record, item_key, refused
from msgspec.structs import replace
from sink_drive import CONTROL, LETTER, STATUS, Drive

from consumers.sink import feed as feed_module
from consumers.sink import waiting
from consumers.sink.circuit import OURS_S
from consumers.sink.commands import apply
from consumers.sink.delivery import ATTEMPTS_MAX, Request
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.feed import Rules
from consumers.sink.settle import Answer, Verdict
from runtime.record import Record
from runtime.settings import BudgetSettings
from schemas.records import PAUSE_PREFIX, DeadLetter, Pause, Status

LOST = Answer(0, error="no answer")
RULES = Rules(retry_s=300, request_timeout_s=30, settle_s=120)


def skus(sender: FakeSender) -> list[list[str]]:
    return [names for _, names in sender.sent]


def names(sender: FakeSender) -> list[str]:
    return [item["name"] for _, items in sender.posts for item in items]


def in_flight(held: Drive) -> list[Request]:
    """Requests as they go out, none answered yet."""
    return list(held.delivery.requests())


# Two positions.


def test_a_live_edit_behind_bulk_work_leaves_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """INTERLEAVING 1: 40 bulk records wait at 60 items a minute; the edit behind them goes first."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 5)
    sender = FakeSender()
    held = Drive(
        sender,
        items_max=1,
        allowance=BudgetSettings(requests_per_minute=60, products_per_minute=0, products_per_day=0),
    )
    held.run(*(feed_record(f"bulk-{n}", n, lane="bulk") for n in range(100)))
    before = len(sender.posts)

    held.run(feed_record("edit", 100))

    assert skus(sender)[before:] == [["edit"]]
    assert held.position < 100


def test_a_delete_does_not_wait_behind_bulk_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tombstones are taken up by the scan, whatever lane they came in."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 2)
    held = Drive(FakeSender(), items_max=2)
    held.append(*(feed_record(f"bulk-{n}", n, lane="bulk") for n in range(10)))
    held.append(feed_record("gone", 10, deleted=True, lane="bulk"))
    held.scan()

    requests = in_flight(held)

    assert [(r.operation, len(r.items)) for r in requests] == [("upsert", 2)]
    assert held.delivery.feed("products").waiting.get(item_key("gone")) is not None


def test_bulk_work_that_the_scan_passed_is_read_later_and_all_of_it_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory holds 5; 100 are delivered, in order, and the position ends behind the last."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 5)
    sender = FakeSender()
    held = Drive(sender, items_max=3)

    held.run(*(feed_record(f"bulk-{n}", n, lane="bulk") for n in range(100)))

    assert [sku for batch in skus(sender) for sku in batch] == [f"bulk-{n}" for n in range(100)]
    assert held.position == 100


def test_the_position_stops_where_bulk_work_was_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two wait in memory and are delivered; the others were passed by the scan and are not committed."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 2)
    held = Drive(FakeSender(), items_max=2)
    held.append(*(feed_record(f"bulk-{n}", n, lane="bulk") for n in range(10)))
    held.scan()
    waits = len(held.delivery.feed("products").waiting)
    (request,) = in_flight(held)

    held.delivery.answered(request.number, held.answer(request))
    held.commit()

    assert (waits, held.position) == (2, 2)


def test_the_position_never_passes_what_is_not_settled() -> None:
    """A contiguous low watermark: 1 is delivered, 0 failed: nothing is committed."""
    sender = FakeSender(Answer(503), None)
    held = Drive(sender, items_max=1)

    held.run(feed_record("A", 0), feed_record("B", 1))
    before = held.position
    held.pass_time(1)

    assert (before, held.position) == (0, 2)


def test_one_that_does_not_go_keeps_nothing_of_what_went_behind_it_in_memory() -> None:
    """Memory is bounded by what waits, however long the position stands still."""
    held = Drive(sender := FakeSender(), rules=RULES)
    sender.answers = [LOST]
    held.run(feed_record("A", 0, name="v1"))
    held.append(feed_record("A", 1, name="v2"))
    for offset in range(2, 5_000):
        held.delivery.scan([feed_record("B", offset, name=f"v{offset}")])
        for request in held.delivery.requests():
            held.delivery.answered(request.number, held.answer(request))
        held.commit()
    partition = held.delivery.feed("products").waiting._partitions[0]

    assert held.position == 0
    assert len(partition.firsts) < 2_000


def test_an_identity_in_flight_is_not_sent_a_second_time() -> None:
    """Promise 2: v2 waits for the answer to v1, then goes."""
    held = Drive(FakeSender())
    held.append(feed_record("A", 0, name="v1"))
    held.scan()
    (first,) = in_flight(held)
    held.append(feed_record("A", 1, name="v2"))
    held.scan()

    assert in_flight(held) == []
    held.delivery.answered(first.number, held.answer(first))
    (second,) = in_flight(held)
    assert b'"v2"' in second.body


def test_a_delete_never_flies_beside_the_upsert_of_its_identity() -> None:
    """Promise 2, with calls of their own."""
    held = Drive(FakeSender())
    held.append(feed_record("A", 0))
    held.scan()
    (upsert,) = in_flight(held)
    held.append(feed_record("A", 1, deleted=True))
    held.scan()

    assert in_flight(held) == []
    held.delivery.answered(upsert.number, LOST)
    assert in_flight(held) == []


def test_a_delete_that_came_while_the_service_was_busy_goes_when_it_is_not() -> None:
    """The answer was for the upsert, which has nothing to say any more."""
    held = Drive(sender := FakeSender())
    held.append(feed_record("A", 0))
    held.scan()
    (upsert,) = in_flight(held)
    held.append(feed_record("A", 1, deleted=True))
    held.scan()

    held.delivery.answered(upsert.number, Answer(429, retry_after="1"))
    held.pass_time(2)

    assert sender.sent == [("delete", ["A"])]
    assert held.position == 2


def test_a_live_item_that_got_a_503_does_not_fall_behind_bulk_work() -> None:
    """INTERLEAVING 3: retry is a due time, not a lane."""
    sender = FakeSender(Answer(503))
    held = Drive(sender, items_max=1)
    held.append(feed_record("A", 0))
    held.scan()
    held.turn()
    held.append(*(feed_record(f"bulk-{n}", n, lane="bulk") for n in range(1, 50)))
    held.scan()
    held.now += 1

    held.turn()

    assert skus(sender)[:2] == [["A"], ["A"]]


def test_a_bulk_version_of_a_waiting_live_edit_does_not_make_it_bulk() -> None:
    """The best lane of all unsettled versions counts."""
    sender = FakeSender(Answer(429, retry_after="5"))
    held = Drive(sender, items_max=1)
    held.run(feed_record("first", 0))
    held.run(
        feed_record("bulk", 1, lane="bulk"),
        feed_record("A", 2, name="edit"),
        feed_record("A", 3, name="edit", lane="bulk"),
    )

    held.pass_time(5)

    assert skus(sender)[1:] == [["first"], ["A"], ["bulk"]]


def test_live_items_beyond_what_memory_holds_wait_as_pointers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their records are read again when it is their turn."""
    monkeypatch.setattr(waiting, "RECORD_BYTES_MAX", 1)
    sender = FakeSender()
    held = Drive(sender, items_max=10)

    held.run(*(feed_record(f"A{n}", n) for n in range(25)))

    assert sorted(sku for batch in skus(sender) for sku in batch) == sorted(f"A{n}" for n in range(25))
    assert held.position == 25


def test_what_goes_once_more_does_not_keep_edits_from_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead letters that an operator sends again, and what a book releases, are no part of the log."""
    monkeypatch.setattr(waiting, "LIVE_ITEMS_MAX", 5)
    sender = FakeSender(refused(*((n, "name", "no") for n in range(5))))
    held = Drive(sender)
    held.run(*(feed_record(f"A{n}", n) for n in range(5)))
    held.now += 1
    held.delivery.retry("products", held.wall_ms, None, [])
    retried = held.delivery.full
    held.append(*(feed_record(f"A{n}", 5 + n, name="edit") for n in range(5)))
    held.scan()
    edited = held.delivery.full
    held.run()

    assert (retried, edited, held.delivery.full) == (frozenset(), {"cs.feed.products"}, frozenset())


def test_not_all_pointers_are_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a service that was away for long finds waiting would not fit into memory."""
    monkeypatch.setattr(waiting, "RECORD_BYTES_MAX", 1)
    held = Drive(FakeSender())
    held.append(*(feed_record(f"A{n}", n) for n in range(2_500)), feed_record("B", 2_500, deleted=True))
    held.scan()
    wanted: list[int] = []
    while held.position < held.end:
        for request in held.delivery.requests():
            held.delivery.answered(request.number, held.answer(request))
        for fetch in held.delivery.fetches():
            wanted.append(len(fetch.offsets))
            held.delivery.fetched(fetch, *held.read(fetch))
        held.commit()

    assert sum(wanted) == 2_499
    assert max(wanted) <= 1_000
    assert len(held.statuses()) == 2_501


def test_a_pointer_to_a_record_that_was_compacted_away_gives_way_to_the_newer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The newer one is in the log, and comes by itself."""
    monkeypatch.setattr(waiting, "RECORD_BYTES_MAX", 0)
    sender = FakeSender()
    held = Drive(sender)
    held.append(feed_record("A", 0, name="old"))
    held.scan()
    del held.log[0]

    held.run(feed_record("A", 1, name="new"))

    assert names(sender) == ["new"]
    assert held.position == 2


# Unknown outcomes.


def test_a_different_content_waits_until_the_lost_request_is_over() -> None:
    """INTERLEAVING 5: v1 may still sit in a proxy; the same content would do no harm."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))

    held.run(feed_record("A", 1, name="v2"))
    held.pass_time(29.8)
    before = names(sender)
    held.pass_time(0.3)

    assert (before, names(sender)) == (["v1"], ["v1", "v2"])


def test_the_same_content_goes_again_without_that_wait() -> None:
    """Only a backoff."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))

    held.pass_time(0.3)

    assert names(sender) == ["v1", "v1"]


def test_after_an_unknown_outcome_the_final_state_is_sent_once_more() -> None:
    """INTERLEAVING 5: v1 is applied behind v2 by whoever held it; settle_s later v2 goes again, once."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"), feed_record("B", 1))
    held.run(feed_record("A", 2, name="v2"))
    held.pass_time(31)
    before = names(sender)

    held.pass_time(119)
    assert names(sender) == before
    held.pass_time(2)
    held.pass_time(1000)

    assert [name for name in names(sender)[len(before) :] if name == "v2"] == ["v2"]
    assert held.statuses()["A"].again_ms is None


def test_a_refusal_in_between_does_not_let_an_older_request_have_the_last_word() -> None:
    """v1 is lost, v2 accepted, v3 refused, v4 accepted, and only then v1 applied: v4 goes once more."""
    sender = FakeSender(LOST, None, refused((0, "name", "bad")))
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.run(feed_record("A", 1, name="v2"))
    held.pass_time(31)
    held.run(feed_record("A", 2, name="v3"))
    held.run(feed_record("A", 3, name="v4"))
    before = names(sender)
    held.pass_time(121)

    assert (before, names(sender)[4:]) == (["v1", "v2", "v3", "v4"], ["v4"])
    assert held.statuses()["A"].again_ms is None


def test_what_is_unknown_of_a_refused_item_is_not_forgotten_over_a_restart() -> None:
    """v1 is lost, v2 refused, the process dies: v3 waits until v1 is over, and goes twice."""
    sender = FakeSender(LOST, refused((0, "name", "bad")))
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.run(feed_record("A", 1, name="v2"))
    held.pass_time(31)
    again = Drive(sender, rules=RULES, after=held, clean=False)
    again.run(feed_record("A", 2, name="v3"))
    at_once = names(sender)
    again.pass_time(31)
    again.pass_time(121)
    again.pass_time(1000)

    assert (at_once, names(sender)) == (["v1", "v2"], ["v1", "v2", "v3", "v3"])


def test_what_was_parked_long_ago_goes_once() -> None:
    """By then a request that was lost before cannot take effect any more."""
    sender = FakeSender(LOST, refused((0, "name", "bad")))
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.run(feed_record("A", 1, name="v2"))
    held.pass_time(31)
    held.now += 1000
    again = Drive(sender, rules=RULES, after=held, clean=False)
    again.run(feed_record("A", 2, name="v3"))
    again.pass_time(1000)

    assert names(sender) == ["v1", "v2", "v3"]


def test_what_was_under_way_when_the_second_send_was_due_does_not_take_its_place() -> None:
    """It was written before; the lost request may have taken effect behind it."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.run(feed_record("A", 1, name="v2"))
    held.pass_time(31)
    due_s = (held.statuses()["A"].again_ms or 0) / 1000
    held.now += due_s - held.wall_ms / 1000 - 1
    held.append(feed_record("A", 2, name="v3"))
    held.scan()
    (request,) = in_flight(held)
    held.now += 2
    assert in_flight(held) == []
    held.delivery.answered(request.number, held.answer(request))
    held.run()

    assert names(sender) == ["v1", "v2", "v3", "v3"]


def test_the_second_send_is_not_forgotten_over_a_restart() -> None:
    """It stands in the status."""
    sender = FakeSender(LOST)
    first = Drive(sender, rules=RULES)
    first.run(feed_record("A", 0))
    first.pass_time(1)
    assert first.position == 1

    held = Drive(sender, after=first, rules=RULES)
    held.pass_time(121)

    assert skus(sender) == [["A"], ["A"], ["A"]]


def test_a_second_send_that_a_killed_sink_had_begun_does_not_have_the_last_word() -> None:
    """It is v1, and may be applied behind v2: that waits until it is over, and goes once more."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.pass_time(1)
    held.now += 121
    again = Drive(sender, rules=RULES, after=held, clean=False)
    again.run(feed_record("A", 1, name="v2"))
    before = names(sender)
    again.pass_time(31)
    again.pass_time(121)
    again.pass_time(1000)

    assert (before, names(sender)) == (["v1", "v1"], ["v1", "v1", "v2", "v2"])


def test_the_second_send_is_that_of_the_newest_state() -> None:
    """v3 came meanwhile and was accepted: settle_s after the doubt v3 goes again."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.pass_time(1)
    held.run(feed_record("A", 1, name="v3"))

    held.pass_time(121)

    assert names(sender) == ["v1", "v1", "v3", "v3"]


def test_the_second_send_finds_the_record_where_an_unchanged_one_moved_it() -> None:
    """A resync wrote the same content behind it, and compaction removed the first."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0))
    held.pass_time(1)
    held.run(feed_record("A", 1, lane="bulk"))
    del held.log[0]

    held.pass_time(121)

    assert skus(sender) == [["A"], ["A"], ["A"]]


def test_after_an_unclean_takeover_what_may_be_under_way_is_waited_for() -> None:
    """A predecessor may have sent A a moment before it died; B came after it."""
    sender = FakeSender()
    first = Drive(sender)
    first.append(feed_record("A", 0))

    held = Drive(sender, after=first, rules=RULES, clean=False)
    held.run(feed_record("B", 1))
    before = skus(sender)
    held.pass_time(29.8)
    waited = skus(sender)
    held.pass_time(0.3)

    assert (before, waited, skus(sender)) == ([["B"]], [["B"]], [["B"], ["A"]])


def test_after_a_clean_takeover_nothing_waits() -> None:
    """The predecessor drained and said so."""
    sender = FakeSender()
    first = Drive(sender)
    first.append(feed_record("A", 0))

    Drive(sender, after=first, rules=RULES, clean=True).run()

    assert skus(sender) == [["A"]]


def test_bulk_work_far_behind_the_position_is_not_doubted_after_a_takeover(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A predecessor took up only so much past its position: the rest cannot have been sent."""
    monkeypatch.setattr(feed_module, "BULK_OFFSETS_MAX", 2)
    sender = FakeSender()
    first = Drive(sender)
    first.append(*(feed_record(f"A{n}", n, lane="bulk") for n in range(5)))

    held = Drive(sender, after=first, rules=RULES, clean=False)
    held.run()
    before = skus(sender)
    held.pass_time(31)

    assert (before, skus(sender)[1:]) == ([["A2", "A3", "A4"]], [["A0", "A1"]])


def test_a_drained_sink_has_no_doubts_and_one_with_a_lost_answer_has() -> None:
    """What decides whether the successor is told "clean"."""
    held = Drive(FakeSender(None, LOST))
    held.run(feed_record("A", 0))
    clean = held.delivery.in_doubt
    held.run(feed_record("B", 1))

    assert (clean, held.delivery.in_doubt) == (False, True)


def test_every_transaction_carries_a_position() -> None:
    """Only with one does the broker refuse what a replaced process writes; a second send moves none."""
    sender = FakeSender(LOST)
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0))
    held.pass_time(1)
    held.now += 121
    while held.turn():
        pass

    commit = held.delivery.commit()

    assert commit is not None
    assert (len(commit.records), commit.offsets) == (1, {("cs.feed.products", 0): 1})


def test_a_sink_that_drains_before_it_has_read_what_it_took_over_passes_the_doubt_on() -> None:
    """Killed, started, stopped at once: what the first had under way is still unknown to the third."""
    first = Drive(FakeSender())
    first.append(feed_record("A", 0))
    held = Drive(FakeSender(), after=first, rules=RULES, clean=False)
    before = held.delivery.in_doubt

    held.run()
    held.pass_time(31)

    assert (before, held.delivery.in_doubt) == (True, False)


# Settling.


def test_a_batch_that_fails_while_others_succeed_becomes_retryable() -> None:
    """The service is up: after some tries it must be these items; the position goes on."""
    sender = FakeSender()
    held = Drive(sender, items_max=1)
    bad = {"A"}
    sender.judge = lambda items: Answer(500) if items[0]["sku"] in bad else None
    held.run(feed_record("A", 0))
    for n in range(1, 60):
        held.now += 1
        held.run(feed_record(f"B{n}", n))

    letter = held.letters()["A"]
    assert (letter.kind, letter.operation, letter.error) == (
        "retryable",
        "upsert",
        "the service answered 500",
    )
    assert held.statuses()["A"].outcome == "retryable"
    assert sum(names == ["A"] for names in skus(sender)) >= ATTEMPTS_MAX
    assert held.position == 60


def test_a_bad_item_in_a_full_batch_does_not_take_its_neighbours_along() -> None:
    """What fails goes in ever smaller requests: one retryable dead letter, 63 delivered."""
    sender = FakeSender()
    sender.judge = lambda items: Answer(500) if any(item["sku"] == "A17" for item in items) else None
    held = Drive(sender, items_max=64)
    held.run(*(feed_record(f"A{n}", n) for n in range(64)))
    for n in range(64, 160):
        held.now += 1
        held.run(feed_record(f"B{n}", n))

    assert list(held.letters()) == ["A17"]
    assert held.position == 160


def test_when_nothing_succeeds_the_circuit_opens_and_nothing_is_parked() -> None:
    """An hour of 503: a probe now and then, then everything arrives."""
    sender = FakeSender()
    sender.judge = lambda _: Answer(503)
    held = Drive(sender, items_max=10)
    held.run(*(feed_record(f"A{n}", n) for n in range(50)))
    for _ in range(3_600):
        held.pass_time(1)
    spent = len(sender.posts)
    parked = held.letters()
    sender.judge = lambda _: None
    held.pass_time(31)
    held.pass_time(31)

    assert parked == {}
    assert spent < 150
    # When nothing succeeds no item is to blame: the requests are full again.
    assert len(sender.posts) - spent <= 10
    assert len(held.statuses()) == 50
    assert held.position == 50


@pytest.mark.parametrize("views", [1, 3])
def test_what_breaks_the_service_and_has_no_neighbour_is_parked_after_some_minutes(views: int) -> None:
    """Nothing succeeds beside it: it would wait for the feed's next success, and a reconcile with it."""
    sender = FakeSender()
    sender.judge = lambda _: Answer(500)
    held = Drive(sender, rules=RULES)
    held.run(*(feed_record(f"bad-{n}", n) for n in range(views)))
    began = held.now
    while held.position < views and held.now < began + 2_000:
        held.pass_time(1)
    took, sent = held.now - began, len(sender.posts)
    held.pass_time(RULES.retry_s)
    tried_again = len(sender.posts) > sent
    sender.judge = lambda _: None
    for _ in range(60):
        held.pass_time(31)

    assert 300 <= took < 300 + views * 120
    assert tried_again
    assert held.letters() == {}
    assert {status.outcome for status in held.statuses().values()} == {"delivered"}


@pytest.mark.parametrize("lane", ["live", "bulk"])
def test_a_probe_is_one_item_and_the_next_probe_another_one(lane: str) -> None:
    """An item that breaks the service must not keep the circuit open for ever, for other lanes neither."""
    sender = FakeSender()
    sender.judge = lambda items: Answer(500) if any(item["sku"] == "bad" for item in items) else None
    held = Drive(sender, items_max=10)
    held.run(feed_record("bad", 0))
    for _ in range(10):
        held.pass_time(5)
    held.run(feed_record("good", 1, lane=lane))
    for _ in range(20):
        held.pass_time(5)

    assert held.statuses()["good"].outcome == "delivered"


@pytest.mark.parametrize(
    "probe",
    [Answer(503), LOST, Answer(429, retry_after="1"), Answer(401), Answer(413), refused((0, "name", "no"))],
)
def test_whatever_a_probe_is_answered_there_is_a_next_one(probe: Answer) -> None:
    """The address was wrong, and then something else is."""
    sender = FakeSender(Answer(404), probe)
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1))
    for _ in range(10):
        held.pass_time(16)

    assert held.position == 2
    assert held.statuses()["B"].outcome == "delivered"


def test_the_allowance_is_obeyed_by_the_whole_target_after_a_429() -> None:
    """Nothing goes before `retry-after`, neither the batch nor another."""
    sender = FakeSender(Answer(429, retry_after="60"))
    held = Drive(sender)
    held.run(feed_record("A", 0))

    held.run(feed_record("B", 1))
    held.pass_time(59)
    before = skus(sender)
    held.pass_time(1.1)

    assert (before, skus(sender)) == ([["A"]], [["A"], ["A"], ["B"]])


@pytest.mark.parametrize("lane", ["live", "bulk"])
@pytest.mark.parametrize(("bad_ends", "least"), [("none", 0.97), ("7", 0.9)])
def test_no_minute_holds_more_than_the_allowance_and_hardly_less(
    lane: str, bad_ends: str, least: float
) -> None:
    """Also where each request is refused for one item, and the others go again at once."""
    sent: list[tuple[float, int]] = []

    def judge(items: list[dict[str, Any]]) -> Answer | None:
        sent.append((held.now, len(items)))
        bad = [index for index, item in enumerate(items) if item["sku"].endswith(bad_ends)]
        return refused((bad[0], "name", "no")) if bad else None

    sender = FakeSender()
    sender.judge = judge
    allowance = BudgetSettings(requests_per_minute=0, products_per_minute=300, products_per_day=0)
    held = Drive(sender, items_max=40, allowance=allowance, rules=Rules(guard_percent=100))
    began = held.now
    held.run(*(feed_record(f"A{n}", n, lane=lane) for n in range(2_000)))
    for _ in range(900):
        held.pass_time(0.2)

    minutes = [sum(n for at, n in sent if begin <= at < begin + 60) for begin, _ in sent]
    assert max(minutes) <= 300
    assert sum(n for at, n in sent if at >= began + 60) >= least * 2 * 300
    assert bool(held.letters()) is (bad_ends == "7")


def test_a_few_bulk_items_do_not_wait_for_the_allowance_of_a_full_request() -> None:
    """They are all that there is."""
    sender = FakeSender()
    allowance = BudgetSettings(requests_per_minute=0, products_per_minute=100, products_per_day=0)
    held = Drive(sender, items_max=60, allowance=allowance)
    held.run(*(feed_record(f"A{n}", n) for n in range(60)))

    held.run(*(feed_record(f"B{n}", 60 + n, lane="bulk") for n in range(3)))

    assert skus(sender)[1:] == [["B0", "B1", "B2"]]


def test_what_changes_while_a_request_waits_to_go_again_goes_as_it_is_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Deleted, edited, or edited and no longer in memory: the identities go, not what they carried."""
    sender = FakeSender(Answer(429, retry_after="60"))
    held = Drive(sender)
    held.run(*(feed_record(sku, n, name="old") for n, sku in enumerate(["same", "gone", "new", "big"])))
    del sender.posts[:]

    held.run(feed_record("gone", 4, deleted=True), feed_record("new", 5, name="new"))
    monkeypatch.setattr(waiting, "RECORD_BYTES_MAX", 0)
    held.run(feed_record("big", 6, name="new"))
    held.pass_time(61)

    sent = [(operation, sku) for operation, names in sender.sent for sku in names]
    assert sorted(sent) == [("delete", "gone"), ("upsert", "big"), ("upsert", "new"), ("upsert", "same")]
    assert sorted(item.get("name", "") for _, items in sender.posts for item in items) == [
        "",
        "new",
        "new",
        "old",
    ]
    assert held.position == 7


@pytest.mark.parametrize("answered", [False, True])
def test_an_edit_that_goes_ahead_of_the_rest_of_its_batch_does_not_go_with_it(answered: bool) -> None:
    """Bulk work that was refused for one item waits for the allowance; a live edit of another does not."""
    held = Drive(
        FakeSender(),
        items_max=75,
        allowance=BudgetSettings(requests_per_minute=0, products_per_minute=100, products_per_day=0),
    )
    held.append(*(feed_record(f"A{n}", n, lane="bulk") for n in range(75)))
    held.scan()
    (batch,) = in_flight(held)
    held.delivery.answered(batch.number, refused((0, "name", "no")))
    held.append(feed_record("A1", 75, name="edit"))
    held.scan()
    (edit,) = in_flight(held)
    if answered:
        held.delivery.answered(edit.number, accepted(1))

    held.now += 61
    (rest,) = in_flight(held)

    assert [item.key for item in edit.items] == [item_key("A1")]
    assert [item.key for item in rest.items] == [item.key for item in batch.items[2:]]


def test_a_service_that_says_to_come_at_once_is_not_asked_in_a_circle() -> None:
    """`retry-after: 0` is our own wait, longer each time."""
    sender = FakeSender(*[Answer(429, retry_after="0")] * 3)
    held = Drive(sender)
    held.run(feed_record("A", 0))
    posts = [len(sender.posts)]
    for seconds in (0.9, 0.2, 1.8, 0.3, 4.6, 0.5):
        held.pass_time(seconds)
        posts.append(len(sender.posts))

    assert posts == [1, 1, 2, 2, 3, 3, 4]


def test_the_guard_is_not_calmed_by_items_that_are_taken_between() -> None:
    """Two of three fail: that is no fault of theirs, whatever goes well beside them."""
    sender = FakeSender()
    sender.judge = lambda items: refused((0, "name", "no")) if int(items[0]["sku"][1:]) % 3 else None
    held = Drive(sender, items_max=1, rules=RULES)

    held.run(*(feed_record(f"A{n}", n) for n in range(600)))

    assert len(held.letters()) < 200
    assert "items failed" in held.delivery.complaints[0]


def test_behind_the_guard_each_probe_that_is_refused_parks_one_item_and_no_more() -> None:
    """The service understood it, which closes the circuit; what the guard has seen stands all the same."""
    sender = FakeSender()
    sender.judge = lambda _: refused((0, "name", "no"))
    held = Drive(sender, items_max=1, rules=Rules(retry_s=1e6))
    held.run(*(feed_record(f"A{n}", n) for n in range(600)))
    parked, posts = len(held.letters()), len(sender.posts)

    for _ in range(600):
        held.pass_time(1)

    probes = len(sender.posts) - posts
    assert 10 <= probes <= 45
    assert len(held.letters()) == parked + probes < 300


@pytest.mark.parametrize("failure", [Answer(404), Answer(503)])
def test_when_the_circuit_opens_a_batch_that_waits_does_not_go_as_the_probe(failure: Answer) -> None:
    """One item does: the next probe is to be another one."""
    held = Drive(sender := FakeSender(), items_max=3)
    held.append(*(feed_record(f"A{n}", n) for n in range(12)))
    held.scan()
    first, *others = in_flight(held)
    held.delivery.answered(first.number, Answer(429, retry_after="1"))
    for request in others:
        held.delivery.answered(request.number, failure)

    held.pass_time(OURS_S + 1)

    assert [len(names) for names in skus(sender)][:1] == [1]
    assert held.position == 12


def test_newer_content_is_not_blamed_for_what_its_predecessor_met() -> None:
    """It came while that was under way."""
    held = Drive(FakeSender())
    held.append(feed_record("A", 0))
    held.scan()
    (request,) = in_flight(held)
    held.append(feed_record("A", 1, name="new"))
    held.scan()

    held.delivery.answered(request.number, Answer(503))
    entry = held.delivery.feed("products").waiting.get(item_key("A"))

    assert entry is not None
    assert (entry.offset, entry.attempts) == (1, 0)


@pytest.mark.parametrize("answer", [Answer(503), Answer(429, retry_after="1")])
def test_the_window_halves_when_the_service_complains(answer: Answer) -> None:
    """Fewer requests at once from then on."""
    held = Drive(FakeSender(), items_max=1)
    held.append(*(feed_record(f"A{n}", n) for n in range(20)))
    held.scan()
    sent = in_flight(held)
    for request, said in zip(sent, [answer, *[accepted(1)] * 3], strict=True):
        held.delivery.answered(request.number, said)
    held.now += 2

    assert (len(sent), len(in_flight(held))) == (4, 3)


def test_a_failure_that_says_when_to_come_again_is_obeyed() -> None:
    """503 with `retry-after`."""
    held = Drive(sender := FakeSender(Answer(503, retry_after="20")))
    held.run(feed_record("A", 0))

    held.pass_time(19)
    before = len(sender.posts)
    held.pass_time(1.1)

    assert (before, len(sender.posts)) == (1, 2)


def test_a_refused_batch_without_a_list_costs_a_bounded_number_of_requests() -> None:
    """100 items, each refused without a word: what is not found out in time waits as retryable."""
    sender = FakeSender()
    sender.judge = lambda _: Answer(400, b"no")
    held = Drive(sender, rules=Rules(guard_percent=100))

    held.run(*(feed_record(f"A{n}", n) for n in range(100)))

    kinds = [letter.kind for letter in held.letters().values()]
    assert len(sender.posts) <= 64
    assert len(kinds) == 100
    assert set(kinds) == {"attention", "retryable"}

    sender.judge = lambda _: None
    held.pass_time(301)
    assert {letter.kind for letter in held.letters().values()} == {"attention"}


def test_a_service_that_takes_fewer_items_is_asked_with_fewer() -> None:
    """`items_limit_exceeded` once: the next batches are no larger than what was accepted."""
    sender = FakeSender()
    sender.judge = lambda items: refused((50, "items_limit_exceeded", "50")) if len(items) > 50 else None
    held = Drive(sender)
    held.run(*(feed_record(f"A{n}", n) for n in range(400)))

    sizes = [len(items) for _, items in sender.posts]
    assert sizes == [100, 50, 50, *[50] * 6]


def test_a_200_that_takes_only_a_part_settles_each_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some services answer so; the optimizer's dialect never says it."""
    held = Drive(FakeSender())
    held.append(feed_record("A", 0), feed_record("B", 1))
    held.scan()
    (request,) = in_flight(held)
    monkeypatch.setattr(
        OptimizerDialect, "judge", lambda *_: Verdict("delivered", refused={1: "this one not"})
    )

    held.delivery.answered(request.number, Answer(200))
    held.commit()

    assert {sku: status.outcome for sku, status in held.statuses().items()} == {
        "A": "delivered",
        "B": "attention",
    }


def test_too_many_failing_items_stop_the_feed_instead_of_filling_the_topic() -> None:
    """600 items, all refused: sending stops soon after 200, says why, and a probe finds when it is mended."""
    sender = FakeSender()
    sender.judge = lambda items: refused(*((n, "name", "no") for n in range(len(items))))
    held = Drive(sender)
    held.run(*(feed_record(f"A{n}", n) for n in range(600)))
    parked, complaints = len(held.letters()), held.delivery.complaints
    sender.judge = lambda _: None
    for _ in range(5):
        held.pass_time(16)

    assert 200 <= parked <= 500
    assert "dead_letter_guard_percent" in complaints[0]
    assert held.delivery.complaints == []
    assert len(held.letters()) == parked
    assert held.position == 600


def test_items_that_we_refuse_ourselves_do_not_fill_the_topic_either() -> None:
    """600 items that nobody can read: a probe tries one more, and finds when they are mended."""
    held = Drive(sender := FakeSender())
    held.run(*(replace(feed_record(f"A{n}", n), value=b"unreadable") for n in range(600)))
    parked, complaints = len(held.letters()), held.delivery.complaints
    held.pass_time(16)
    probed = len(held.letters())
    held.append(*(feed_record(f"A{n}", 600 + n) for n in range(600)))
    held.pass_time(16)

    assert (parked, probed) == (200, 201)
    assert "dead_letter_guard_percent" in complaints[0]
    assert held.delivery.complaints == []
    assert (held.letters(), held.position) == ({}, 1_200)
    assert len(sender.posts[0][1]) == 1


# Dead letters.


def retried(sender: FakeSender) -> Drive:
    """A sink with A as a retryable dead letter of offset 0, and 100 neighbours."""
    held = Drive(sender, items_max=1)
    sender.judge = lambda items: Answer(500) if items[0]["sku"] == "A" else None
    held.run(feed_record("A", 0))
    for n in range(1, 60):
        held.now += 1
        held.run(feed_record(f"B{n}", n))
    assert list(held.letters()) == ["A"]
    sender.judge = lambda _: None
    return held


def test_a_retryable_item_goes_again_after_retry_s_and_clears_its_dead_letter() -> None:
    """Not before."""
    sender = FakeSender()
    held = retried(sender)
    tried = skus(sender).count(["A"])
    held.pass_time(200)
    before = skus(sender).count(["A"])
    held.pass_time(101)

    assert (before, skus(sender).count(["A"])) == (tried, tried + 1)
    assert held.letters() == {}
    assert held.statuses()["A"].outcome == "delivered"


def test_the_retry_cycle_goes_on_after_a_restart() -> None:
    """The dead-letter topic drives it."""
    sender = FakeSender()
    held = Drive(sender, after=retried(sender))

    held.pass_time(301)

    assert held.letters() == {}
    assert held.statuses()["A"].outcome == "delivered"


def test_a_newer_edit_overtakes_the_retry_of_the_older_one() -> None:
    """Promise 2: only the current record is ever sent."""
    sender = FakeSender()
    held = retried(sender)
    before = len(sender.posts)

    held.run(feed_record("A", 60, name="new"))
    held.pass_time(31)
    held.pass_time(301)

    assert set(names(sender)[before:]) == {"new"}
    assert held.letters() == {}


def test_a_retry_whose_record_is_gone_gives_way() -> None:
    """Compaction removes a record only for a newer one of its key."""
    sender = FakeSender()
    held = Drive(sender, after=retried(sender))
    del held.log[0]
    before = len(sender.posts)

    held.pass_time(301)

    assert (len(sender.posts), held.letters()) == (before, {})


def test_a_delete_that_failed_is_sent_again_although_its_tombstone_is_gone() -> None:
    """INTERLEAVING 26: the entry says delete, and a delete needs only its key."""
    sender = FakeSender()
    first = Drive(sender)
    first.append(feed_record("A", 0, deleted=True))
    first.position = 1
    first.topics[LETTER, item_key("A")] = msgspec.json.encode(
        DeadLetter("retryable", "delete", "no", 1, 5_000, "cs.feed.products", 0, 0, due_ms=6_000)
    )
    del first.log[0]
    held = Drive(sender, after=first, rules=RULES)

    held.pass_time(31)

    assert sender.sent == [("delete", ["A"])]
    assert held.letters() == {}


def test_a_dead_letter_older_than_the_status_is_never_sent() -> None:
    """INTERLEAVING 27: v2 was delivered, v1's dead letter stayed, v1's record is still there."""
    sender = FakeSender()
    first = Drive(sender)
    first.run(feed_record("A", 0, name="v1"))
    first.append(feed_record("A", 5, name="v2"))
    status = Status("delivered", "hash", "cs.feed.products", 0, 5, 5_000)
    first.topics[STATUS, item_key("A")] = msgspec.json.encode(status)
    first.topics[LETTER, item_key("A")] = msgspec.json.encode(
        DeadLetter("retryable", "upsert", "no", 1, 5_000, "cs.feed.products", 0, 0, due_ms=6_000)
    )
    before = len(sender.posts)
    held = Drive(sender, after=first, rules=RULES)

    held.pass_time(31)

    assert len(sender.posts) == before
    assert held.letters() == {}


def test_an_operator_sends_items_of_both_classes_again_and_only_those_that_failed_before() -> None:
    """The command may be read twice: what failed after it is left alone."""
    sender = FakeSender(refused((0, "name", "no")), refused((0, "name", "no")))
    held = Drive(sender)
    held.run(feed_record("A", 0))

    held.delivery.retry("products", held.wall_ms + 1, "attention", [])
    held.now += 1
    held.run()
    held.delivery.retry("products", held.wall_ms - 500, "attention", [])
    held.run()
    assert skus(sender) == [["A"], ["A"]]
    held.delivery.retry("products", held.wall_ms + 1, None, [item_key("A")])
    held.run()

    assert skus(sender) == [["A"], ["A"], ["A"]]
    assert held.letters() == {}


def test_a_paused_feed_sends_nothing_and_goes_on_where_it_stopped() -> None:
    """For maintenance; records are taken up all the same."""
    sender = FakeSender()
    held = Drive(sender)
    held.delivery.pause("products", True)
    held.run(feed_record("A", 0))
    before = len(sender.posts)
    held.delivery.pause("products", False)
    held.run()

    assert (before, skus(sender), held.position) == (0, [["A"]], 1)


def test_a_pause_holds_over_a_restart() -> None:
    """Feeds may be read before the command is; a `resume` before it is there until the topic is compacted."""
    held = Drive(sender := FakeSender())
    key = PAUSE_PREFIX + b"optimizer:products"
    paused, resumed = (msgspec.json.encode(Pause("optimizer", "products", said, 1)) for said in (True, False))
    held.say((key, resumed), (key, paused))
    held.append(feed_record("A", 0))

    held = Drive(sender, after=held)
    held.delivery.scan(held.log.values())
    before = in_flight(held)
    apply(held.delivery, "optimizer", [Record(CONTROL, 0, 0, key, resumed, {})])
    between = in_flight(held)
    held.run()
    held.say((key, resumed))
    held.run()

    assert (before, between) == ([], [])
    assert skus(sender) == [["A"]]


def test_a_restart_does_not_forget_what_was_spent_in_the_day() -> None:
    """100 items a day; 80 were sent an hour ago by a process that is gone: 20 go, not 100."""
    allowance = BudgetSettings(
        requests_per_minute=0, products_per_minute=0, prices_per_minute=0, products_per_day=100
    )
    held = Drive(FakeSender(), allowance=allowance)
    held.run(*(feed_record(f"A{n}", n) for n in range(80)))
    sender = FakeSender()
    held.now += 3_600
    held = Drive(sender, allowance=allowance, after=held)

    held.run(*(feed_record(f"B{n}", n) for n in range(80, 160)))

    assert sum(len(batch) for batch in skus(sender)) == 20
