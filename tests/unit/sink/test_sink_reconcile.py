"""What a target holds follows what it should hold, whatever was lost sight of: a test a rule."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from fake_target import FakeSender, accepted, feed_record, item_key, refused
from msgspec.structs import replace
from sink_drive import ADDRESS, CONTROL, LETTER, NO_ALLOWANCE, STATUS, Drive

from consumers.sink import reconcile as reconcile_module
from consumers.sink import waiting
from consumers.sink.budget import Budget
from consumers.sink.commands import apply, load
from consumers.sink.delivery import OLD_MS, Delivery, Request, SinkTarget
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.feed import Clock, Place, Rules
from consumers.sink.reconcile import differs
from consumers.sink.settle import Answer
from consumers.sink.state import Held
from consumers.sink.waiting import LOG_END
from runtime.record import Record
from schemas.controls import Address, Reconcile, Scope, address_key, reconcile_key, scope_key
from schemas.keys import partition_for
from schemas.records import ALLOW_DELETES_KEY, AllowDeletes
from schemas.topics import TopicNames

LOST = Answer(0, error="no answer")
RULES = Rules(retry_s=300, request_timeout_s=30, settle_s=120)


def asked(held: Drive, kind: Any, *ids: str) -> None:
    """A reconcile is asked for on the control topic."""
    run = Reconcile("optimizer", "products", kind, held.wall_ms, ids=ids)
    held.say((reconcile_key(run), msgspec.json.encode(run)))


def told(held: Drive, enabled: bool) -> None:
    """The store view of all items is switched, and nothing is compared yet."""
    scope = Scope("optimizer", "base", enabled, held.wall_ms, "default")
    held.say((scope_key("optimizer", "base", "default"), msgspec.json.encode(scope)))


def switch(held: Drive, enabled: bool) -> None:
    """The store view of all items, as the command says it."""
    told(held, enabled)
    asked(held, "differences")


def pending(held: Drive) -> Sequence[Reconcile]:
    return held.delivery.reconcilers["products"].pending


def controls(held: Drive) -> list[bytes]:
    """Reconciles that the control topic tells of."""
    return [key for topic, key in held.topics if topic == CONTROL and key.startswith(b"reconcile:")]


def restarted(held: Drive, **changes: Any) -> Drive:
    return Drive(held.sender, rules=RULES, after=held, **changes)


# Replays.


def test_a_replay_sends_every_current_record_again_and_no_history(monkeypatch: pytest.MonkeyPatch) -> None:
    """The latest state of each; what was deleted stays so; its record on the control topic ends with it."""
    monkeypatch.setattr(reconcile_module, "WINDOW_OFFSETS", 1)
    monkeypatch.setattr(reconcile_module, "_RECORD_OFFSETS", 1)
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0, name="old"), feed_record("B", 1), feed_record("C", 2))
    held.run(feed_record("A", 3, name="new"), feed_record("C", 4, deleted=True))
    del sender.posts[:]

    asked(held, "replay")
    held.run()

    assert sorted(sender.sent) == [("upsert", ["A"]), ("upsert", ["B"])]
    assert {item["name"] for _, items in sender.posts for item in items} == {"new", "Name of B"}
    assert (list(pending(held)), controls(held)) == ([], [])


def test_a_replay_leaves_what_waits_for_attention_and_force_does_not() -> None:
    """An operator says so by --force, or by naming it."""
    sender = FakeSender(refused((0, "name", "no")))
    held = Drive(sender)
    held.run(feed_record("bad", 0))
    held.run(feed_record("good", 1))
    del sender.posts[:]

    for kind, ids in (("replay", ()), ("force", ()), ("replay", ("bad",))):
        sender.answers = [None if kind == "replay" and not ids else refused((0, "name", "no"))]
        asked(held, kind, *ids)
        held.run()
        held.now += 1

    assert sender.sent == [
        ("upsert", ["good"]),
        *[("upsert", ["bad", "good"]), ("upsert", ["good"])],
        ("upsert", ["bad"]),
    ]


def test_a_replay_by_ids_sends_these_items_only() -> None:
    """A member of the key names them; the store view's code names no item."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1))
    del sender.posts[:]

    asked(held, "replay", "B", "default")
    held.run()

    assert sender.sent == [("upsert", ["B"])]


def test_what_breaks_the_service_does_not_keep_the_next_reconcile_from_beginning() -> None:
    """A replay ends with an item that is answered 500 for ever; its scope goes off behind that."""
    sender = FakeSender()
    held = Drive(sender, rules=RULES)
    held.run(feed_record("bad", 0), feed_record("good", 1))
    sender.judge = lambda items: Answer(500) if any(item["sku"] == "bad" for item in items) else None
    asked(held, "replay")
    held.run()
    held.pass_time(60)
    switch(held, enabled=False)
    for _ in range(1_000):
        held.pass_time(1)

    assert not pending(held)
    assert held.statuses()["good"].outcome == "deleted"


def test_a_replay_never_overtakes_a_newer_edit() -> None:
    """The edit is in flight, or waits, or is settled when the replay comes to the older record."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0, name="old"))
    held.append(feed_record("A", 1, name="new"))
    held.scan()
    (edit,) = list(held.delivery.requests())

    asked(held, "force")
    held.run()
    before = len(sender.posts)
    held.delivery.answered(edit.number, held.answer(edit))
    held.run()

    names = [item["name"] for _, items in sender.posts for item in items]
    assert before == 1
    assert names == ["old", "new"]


def test_a_live_edit_goes_before_a_replay() -> None:
    """A replay is bulk work."""
    sender = FakeSender()
    held = Drive(sender, items_max=2)
    held.run(*(feed_record(f"A{n}", n) for n in range(20)))
    asked(held, "replay")
    for _ in range(4):
        held.turn()
        held.commit()
    del sender.posts[:]
    held.append(feed_record("edit", 20))
    held.scan()

    held.turn()

    assert sender.sent[0] == ("upsert", ["edit"])


def test_a_killed_sink_goes_on_where_the_replay_stood(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was recorded as settled does not go again; what the process may have sent does."""
    monkeypatch.setattr(reconcile_module, "WINDOW_OFFSETS", 10)
    monkeypatch.setattr(reconcile_module, "_RECORD_OFFSETS", 5)
    sender = FakeSender()
    held = Drive(sender, items_max=1)
    held.run(*(feed_record(f"A{n:02}", n) for n in range(40)))
    del sender.posts[:]
    asked(held, "replay")
    while len(sender.posts) < 20:
        held.turn()
        held.commit()
    (run,) = pending(held)

    held = Drive(sender, items_max=1, after=held)
    held.run()

    names = [names[0] for _, names in sender.sent]
    assert run.next_offset >= 10
    assert sorted(set(names)) == [f"A{n:02}" for n in range(40)]
    assert len(names) <= 40 + 5
    assert controls(held) == []


@pytest.mark.parametrize("committed", [True, False])
def test_a_replay_that_was_stopped_stays_so_over_a_restart(committed: bool) -> None:
    """How far it was is written behind the operator's word, in the transaction under way or the next."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))
    asked(held, "replay")
    (run,) = pending(held)
    held.delivery.fetches()
    held.topics.pop((CONTROL, reconcile_key(run)))
    if committed:
        held.commit()
    apply(held.delivery, "optimizer", [Record(CONTROL, 0, 2_000, reconcile_key(run), None, {}, 0)])
    held.commit()
    sent = len(sender.posts)

    held = restarted(held)
    held.run()

    assert controls(held) == []
    assert len(sender.posts) == sent


def test_memory_is_bounded_by_a_replay_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """No further than the window past what is settled, however much the log holds."""
    monkeypatch.setattr(reconcile_module, "WINDOW_OFFSETS", 10)
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(f"A{n:02}", n) for n in range(40)))
    held.delivery.pause("products", True)
    asked(held, "replay")

    held.run()

    assert len(held.delivery.feed("products").waiting) == 10


def test_a_replay_reads_no_further_while_bulk_work_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fetch at a time, as the bulk position does."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 100)
    held = Drive(FakeSender())
    held.run(*(feed_record(f"A{n:04}", n) for n in range(1_500)))
    held.delivery.pause("products", True)
    asked(held, "replay")

    held.run()
    first = len(held.delivery.feed("products").waiting)
    held.delivery.pause("products", False)
    held.run()

    assert first == 1_000
    assert list(pending(held)) == []


class Partitioned:
    """A sink of three partitions of products, with a log each."""

    def __init__(self, *skus: str, delete_guard_percent: int = 10) -> None:
        self.places = {sku: partition_for(sku.encode(), 3) for sku in skus}
        self.logs: dict[int, list[Record]] = {0: [], 1: [], 2: []}
        for offset, (sku, place) in enumerate(self.places.items()):
            self.logs[place].append(replace(feed_record(sku, offset), partition=place))
        target = SinkTarget("optimizer", OptimizerDialect(), {"products": 10}, Rules(), delete_guard_percent)
        clock = Clock(lambda: 0.0, lambda: 5_000)
        self.delivery = Delivery(target, TopicNames("cs"), Budget(NO_ALLOWANCE, clock.seconds), clock)
        self.delivery.assign("products", [Place(n, 0, len(skus), clean=True) for n in self.logs])
        self.delivery.scan(record for log in self.logs.values() for record in log)
        self.sent: list[str] = []
        self.swept: list[int] = []
        self.rest()

    def ask(self, kind: Any, at: int, *ids: str) -> None:
        self.delivery.reconcilers["products"].ask(Reconcile("optimizer", "products", kind, at, ids=ids))

    def rest(self) -> None:
        """Until nothing happens."""
        for _ in range(1_000):
            requests, fetches = list(self.delivery.requests()), list(self.delivery.fetches())
            for request in requests:
                self.sent += [msgspec.json.decode(item.key)["sku"] for item in request.items]
                self.delivery.answered(request.number, accepted(len(request.items)))
            for fetch in fetches:
                self.swept.append(fetch.partition)
                self.delivery.fetched(fetch, self.logs[fetch.partition], LOG_END)
            commit = self.delivery.commit()
            if commit is not None:
                self.delivery.written(commit)
            elif not requests and not fetches:
                return
        raise AssertionError("the sink does not come to rest")


def test_every_partition_is_compared_and_only_those_of_named_items() -> None:
    """One after the other; a product's items are all in the partition that its SKU says."""
    skus = [f"A{n}" for n in range(8)]
    held = Partitioned(*skus)
    first, held.sent = held.sent, []

    held.ask("replay", 1)
    held.ask("replay", 2, "A1", "A2")
    held.rest()

    assert sorted(first) == skus
    assert held.swept == [0, 1, 2, *sorted({held.places["A1"], held.places["A2"]})]
    assert sorted(held.sent) == sorted([*skus, "A1", "A2"])
    assert held.delivery.reconcilers["products"].pending == []


def test_the_guard_counts_deletes_of_all_partitions_together() -> None:
    """Of 240 items some 80 are in each: one partition's may go, those of two may not."""
    held = Partitioned(*(f"A{n}" for n in range(240)))
    del held.sent[:]
    for log in held.logs.values():
        del log[:]

    held.ask("differences", 1)
    held.rest()

    assert len(held.sent) <= 100
    assert set(held.swept) == {0, 1}
    assert held.delivery.complaints[0].startswith("products: ")


def test_a_guard_of_everything_is_none() -> None:
    """100 turns it off."""
    held = Partitioned(*(f"A{n}" for n in range(240)), delete_guard_percent=100)
    del held.sent[:]
    for log in held.logs.values():
        del log[:]

    held.ask("differences", 1)
    held.rest()

    assert (len(held.sent), held.delivery.complaints) == (240, [])


# Differences.


def test_nothing_goes_where_nothing_differs() -> None:
    """Promise 5."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1, deleted=True))
    del sender.posts[:]

    asked(held, "differences")
    held.run()

    assert (sender.posts, controls(held)) == ([], [])


def test_statuses_that_were_lost_are_made_up_for() -> None:
    """An item without a status is sent, as far as anybody knows it is missing."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1))
    del sender.posts[:]
    del held.topics[STATUS, item_key("A")]
    held = restarted(held)

    asked(held, "differences")
    held.run()

    assert sender.sent == [("upsert", ["A"])]


def test_what_no_record_tells_of_is_deleted() -> None:
    """Its tombstone was compacted away before the sink came to it."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1))
    del sender.posts[:]
    del held.log[0]

    asked(held, "differences")
    held.run()

    assert sender.sent == [("delete", ["A"])]
    assert held.statuses()["A"].outcome == "deleted"


def test_what_came_back_while_the_log_was_read_is_not_deleted() -> None:
    """The newer record is found by the scan, behind the place where the reconcile has read."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1))
    del held.log[0]
    asked(held, "differences")
    list(held.delivery.requests())
    list(held.delivery.fetches())
    held.commit()
    (fetch,) = held.delivery.fetches()
    held.delivery.fetched(fetch, *held.read(fetch))
    del sender.posts[:]

    held.run(feed_record("A", 2, name="back"))

    assert sender.sent == [("upsert", ["A"])]


def test_an_empty_feed_topic_does_not_empty_the_target() -> None:
    """Promise 7: more than the guard's share waits for an operator's word."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(f"A{n:03}", n) for n in range(150)))
    del sender.posts[:]
    held.log.clear()
    held.append(feed_record("last", 150))

    asked(held, "differences")
    held.run()
    complaints = held.delivery.complaints
    before = sender.sent[:]
    held.say((ALLOW_DELETES_KEY, msgspec.json.encode(AllowDeletes(held.wall_ms + 1_000))))
    held.run()

    assert before == [("upsert", ["last"])]
    assert len(complaints) == 1
    assert complaints[0].startswith("products: 150 items of the target have no record in cs.feed.products")
    assert sum(len(skus) for operation, skus in sender.sent if operation == "delete") == 150
    assert held.delivery.complaints == []


def test_a_run_that_the_guard_held_can_be_called_off() -> None:
    """Its complaint goes with it, and the next run is made."""
    held = Drive(FakeSender())
    held.run(*(feed_record(f"A{n:03}", n) for n in range(150)))
    log = dict(held.log)
    held.log.clear()
    asked(held, "differences")
    held.run()
    (run,) = pending(held)
    complaints = held.delivery.complaints
    held.log |= log

    held.say((reconcile_key(run), None))
    after = held.delivery.complaints
    held.now += 1
    asked(held, "replay")
    held.run()

    assert (len(complaints), after, list(pending(held))) == (1, [], [])


def test_a_request_that_is_read_again_behind_its_end_is_not_carried_out_twice() -> None:
    """Commands of earlier days are read beside the feeds, at the worst behind them."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 0))
    run = Reconcile("optimizer", "products", "force", held.wall_ms)
    held.say((reconcile_key(run), msgspec.json.encode(run)))
    held.run()
    sent = len(sender.sent)

    held.say((reconcile_key(run), msgspec.json.encode(run)))
    held.run()

    assert len(sender.sent) == sent == 2


def test_the_guard_goes_by_the_share_of_what_the_target_holds() -> None:
    """Of 2,000 items 150 are no tenth."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(f"A{n:04}", n) for n in range(2_000)))
    for offset in range(150):
        del held.log[offset]

    asked(held, "differences")
    held.run()

    assert held.delivery.complaints == []
    assert sum(len(skus) for operation, skus in sender.sent if operation == "delete") == 150


def test_a_replay_by_ids_deletes_nothing_else() -> None:
    """Of the others no record is looked for, so that none was found says nothing."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1), feed_record("C", 2))
    del sender.posts[:]
    del held.log[0], held.log[1]

    asked(held, "force", "A", "C")
    held.run()

    assert sorted(sender.sent) == [("delete", ["A"]), ("upsert", ["C"])]


def test_a_run_that_was_through_with_every_partition_ends() -> None:
    """Its process died between the last partition and the end."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 0))
    del sender.posts[:]
    run = Reconcile("optimizer", "products", "force", held.wall_ms, partition=1)
    held.topics[CONTROL, reconcile_key(run)] = msgspec.json.encode(run)

    held = restarted(held)
    held.run()

    assert (sender.sent, list(pending(held)), controls(held)) == ([], [], [])


def test_the_guard_is_silent_about_deletes_that_are_under_way() -> None:
    """An operator allowed them; the service is slow, and the hour in which they were allowed passes."""
    held = Drive(FakeSender())
    held.run(*(feed_record(f"A{n:03}", n) for n in range(150)))
    held.log.clear()
    asked(held, "differences")
    held.run()
    held.say((ALLOW_DELETES_KEY, msgspec.json.encode(AllowDeletes(held.wall_ms + 1_000))))
    held.delivery.fetches()
    held.now += 10
    held.delivery.fetches()

    assert held.delivery.complaints == []


# What was lost sight of.


def test_a_position_that_was_lost_is_answered_by_a_reconcile() -> None:
    """Deletes that were missed meanwhile are found; what the target has is not sent again."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1))
    del sender.posts[:]
    del held.log[0]
    held.position = 0

    held = restarted(held, lost="its position in the feed was lost or is new")
    held.run()

    assert sender.sent == [("delete", ["A"])]


def test_a_target_that_begins_has_nothing_to_reconcile() -> None:
    """Without a status the log is read from its beginning, and that is all."""
    held = restarted(Drive(FakeSender()), lost="its position in the feed was lost or is new")

    assert pending(held) == []


def test_another_log_is_noticed_and_its_offsets_do_not_hide_newer_records() -> None:
    """The feed topic was made anew: lower offsets are newer; what is unchanged costs no request."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(sku, n) for n, sku in enumerate(["x", "y", "A", "B", "C"])))
    held.run(feed_record("gone", 5), feed_record("gone", 6, deleted=True))
    del sender.posts[:]
    held.log.clear()
    held.position = 0
    held.append(feed_record("A", 0), feed_record("B", 1, name="new"))

    held = restarted(held, lost="its position in the feed was lost or is new")
    held.run()
    held = restarted(held)
    held.run(feed_record("A", 2, name="edit"), feed_record("gone", 3, name="back"))

    assert [(operation, sorted(skus)) for operation, skus in sender.sent] == [
        ("upsert", ["B"]),
        ("delete", ["C", "x", "y"]),
        ("upsert", ["A", "gone"]),
    ]


def test_of_another_log_a_delete_far_behind_is_known_until_it_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is deleted there and at the target costs no request, however much of the log comes before."""
    monkeypatch.setattr(reconcile_module, "WINDOW_OFFSETS", 2)
    monkeypatch.setattr(reconcile_module, "_RECORD_OFFSETS", 1)
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(f"A{n}", n) for n in range(9)), feed_record("gone", 9))
    held.run(feed_record("gone", 10, deleted=True))
    del sender.posts[:]
    held.log.clear()
    held.position = 9
    held.append(*(feed_record(f"A{n}", n) for n in range(8)), feed_record("gone", 8, deleted=True))

    held = restarted(held, lost="its position in the feed was lost or is new")
    held.run()

    assert sender.sent == [("delete", ["A8"])]
    assert list(pending(held)) == []


def test_what_was_deleted_is_not_counted_by_the_guard_when_the_log_is_another_one() -> None:
    """The target does not hold it: nothing would be deleted, and nobody has to allow that."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(f"A{n:03}", n) for n in range(150)), feed_record("left", 150))
    held.run(*(feed_record(f"A{n:03}", 200 + n, deleted=True) for n in range(150)))
    del sender.posts[:]
    held.log.clear()
    held.position = 0
    held.append(feed_record("B", 0))

    held = restarted(held, lost="its position in the feed was lost or is new")
    held.run()

    assert held.delivery.complaints == []
    assert sender.sent == [("upsert", ["B"]), ("delete", ["left"])]
    assert list(held.statuses()) == ["left", "B"]
    assert list(pending(held)) == []


def test_another_log_is_not_trusted_after_a_kill_in_the_middle() -> None:
    """The new log has grown past the old offsets when the next process looks."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(sku, n) for n, sku in enumerate(["x", "y", "A", "B"])))
    held.now += 1
    held.log.clear()
    held.position = 0
    held.append(feed_record("C", 0))
    held = restarted(held, lost="its position in the feed was lost or is new")
    held.commit()
    del sender.posts[:]
    held.append(feed_record("A", 1, name="new"), feed_record("D", 2), feed_record("B", 3, name="new"))

    held = restarted(held)
    held.run()

    upserts = [sku for operation, skus in sender.sent for sku in skus if operation == "upsert"]
    assert sorted(upserts) == ["A", "B", "C", "D"]


def test_a_dead_letter_of_another_log_sends_nobody_elses_record() -> None:
    """Its pointer finds a record of another identity."""
    sender = FakeSender(refused((0, "name", "no")))
    held = Drive(sender)
    held.run(feed_record("A", 0))
    del sender.posts[:]
    held.log[0] = feed_record("B", 0)

    held.delivery.retry("products", held.wall_ms + 1, None, ())
    held.run()

    assert sender.posts == []


def test_a_position_so_old_that_tombstones_may_be_gone_is_answered_by_a_reconcile() -> None:
    """INTERLEAVING 32: half of the time that tombstones are kept, which is a week."""
    assert OLD_MS * 2 == 7 * 24 * 3_600_000
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))
    held.now += OLD_MS / 1000 + 10
    held.append(feed_record("B", 1, commit_ms=5_000), feed_record("C", 2, commit_ms=held.wall_ms))
    del held.log[0]
    held = restarted(held)

    held.run()

    assert ("delete", ["A"]) in sender.sent


def test_a_position_that_is_old_for_long_is_reconciled_once() -> None:
    """What comes behind the first old record is as old, and says nothing new."""
    held = Drive(FakeSender())
    held.run(feed_record("A", 0))
    held.now += OLD_MS / 1000 + 10
    held.run(feed_record("B", 1, commit_ms=5_000))
    before = list(pending(held))

    held.append(feed_record("C", 2, commit_ms=5_000))
    held.scan()

    assert (before, list(pending(held))) == ([], [])


def test_a_fresh_position_is_not_reconciled() -> None:
    """The counterpart."""
    held = Drive(FakeSender())
    held.run(feed_record("A", 0))
    held.now += OLD_MS / 1000 + 10
    held.append(feed_record("B", 1, commit_ms=held.wall_ms))

    held = restarted(held)
    held.run()

    assert pending(held) == []
    assert held.statuses()["A"].outcome == "delivered"


# Addresses.


def test_nothing_is_sent_to_another_address_until_an_operator_says_so() -> None:
    """INTERLEAVING 38: the statuses are not true there."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))
    del sender.posts[:]
    other = Address("optimizer", "https://other.example.com")
    held = restarted(held, address=other)

    held.run(feed_record("B", 1))
    complaints, before = held.delivery.complaints, list(sender.posts)
    held.say((address_key("optimizer"), msgspec.json.encode(other)))
    asked(held, "force")
    held.run()

    assert before == []
    assert complaints[0].startswith(
        "targets.optimizer is https://other.example.com now, and all that is known was accepted by "
        f"{ADDRESS.url}: nothing is sent until"
    )
    assert {sku for _, skus in sender.sent for sku in skus} == {"A", "B"}
    assert held.delivery.complaints == []


def test_the_first_address_is_remembered() -> None:
    """Of a target that nobody has sent to before; what it is sent needs no operator's word."""
    held = Drive(sender := FakeSender())
    del held.topics[CONTROL, address_key("optimizer")]
    first = Address("optimizer", "https://first.example.com")
    held = restarted(held, address=first)

    held.run(feed_record("A", 0))

    assert msgspec.json.decode(held.topics[CONTROL, address_key("optimizer")], type=Address) == first
    assert sender.sent == [("upsert", ["A"])]


# Scopes.


def test_a_scope_that_is_switched_off_and_on_takes_its_items_away_and_brings_them_back() -> None:
    """As they are then; deleted ones stay away, and nothing else goes."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0), feed_record("B", 1), feed_record("C", 2, deleted=True))
    del sender.posts[:]

    switch(held, False)
    held.run()
    held.run(feed_record("A", 3, name="edit"), feed_record("new", 4))
    held.now += 1
    switch(held, True)
    held.run()

    assert [(operation, sorted(skus)) for operation, skus in sender.sent] == [
        ("delete", ["A", "B"]),
        ("upsert", ["A", "B", "new"]),
    ]
    assert "edit" in {item.get("name") for _, items in sender.posts for item in items}


def test_a_scope_that_is_off_stays_off_over_a_restart() -> None:
    """Before the first record is looked at."""
    sender = FakeSender()
    held = Drive(sender)
    switch(held, False)
    held.run(feed_record("A", 0))

    held = restarted(held)
    held.run(feed_record("B", 1))

    assert (sender.posts, held.statuses()) == ([], {})
    assert held.position == 2


def test_a_store_view_that_was_switched_under_two_websites_is_as_it_was_switched_last() -> None:
    """It moved from one to the other; a successor reads both commands."""
    sender = FakeSender()
    held = Drive(sender)
    said = [("base", False), ("us", True), ("base", False)]
    records = []
    for offset, (website, enabled) in enumerate(said):
        scope = Scope("optimizer", website, enabled, offset, "default")
        key = scope_key("optimizer", website, "default")
        records.append(Record(CONTROL, 0, offset, key, msgspec.json.encode(scope), {}, 0))
    load(held.delivery, ADDRESS, records, clean=True)

    held.run(feed_record("A", 0))

    assert sender.sent == []


def test_of_what_was_kept_away_the_newest_state_comes_back() -> None:
    """No status tells of its records; an older one is read and waits when the newer one is read."""
    sender = FakeSender(Answer(429, retry_after="10"))
    held = Drive(sender)
    switch(held, False)
    others = [feed_record(f"B{n}", n) for n in range(1, 600)]
    held.run(feed_record("A", 0, name="old"), *others, feed_record("A", 600, name="new"))
    held.now += 1

    switch(held, True)
    held.run()
    held.pass_time(11)

    assert [item["name"] for _, items in sender.posts for item in items if item["sku"] == "A"][-1] == "new"
    assert held.statuses()["A"].offset == 600


def test_what_waits_when_its_scope_goes_off_is_not_sent() -> None:
    """It was never told of: there is nothing to delete either."""
    sender = FakeSender(Answer(429, retry_after="10"))
    held = Drive(sender)
    held.run(feed_record("A", 0))
    del sender.posts[:]

    switch(held, False)
    held.pass_time(60)

    assert sender.posts == []
    assert held.position == 1


@pytest.mark.parametrize("enabled", [False, True])
def test_a_request_under_way_when_its_scope_is_switched_does_not_stand(enabled: bool) -> None:
    """What it left behind is taken back, whichever of the two it was."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))
    switch(held, False)
    if enabled:
        for _ in range(10):
            flying = list(held.delivery.requests())
            if flying:
                break
            for fetch in held.delivery.fetches():
                held.delivery.fetched(fetch, *held.read(fetch))
            held.commit()
    else:
        switch(held, True)
        held.run(feed_record("A", 1, name="edit"))
        held.append(feed_record("A", 2, name="last"))
        held.scan()
        flying = list(held.delivery.requests())
    (request,) = flying
    held.now += 1
    switch(held, enabled)

    held.run()
    held.delivery.answered(request.number, held.answer(request))
    held.run()

    assert held.statuses()["A"].outcome == ("delivered" if enabled else "deleted")
    assert sender.sent[-1] == ("upsert" if enabled else "delete", ["A"])


@pytest.mark.parametrize("enabled", [False, True])
def test_a_refused_request_that_was_under_way_does_not_keep_an_item_in_its_old_scope(enabled: bool) -> None:
    """The reconcile found it under way and left it alone; the refusal is about what is no longer meant."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))
    if enabled:
        switch(held, False)
        for _ in range(3):
            for fetch in held.delivery.fetches():
                held.delivery.fetched(fetch, *held.read(fetch))
            held.commit()
    else:
        held.append(feed_record("A", 1, name="bad"))
        held.scan()
    (request,) = list(held.delivery.requests())
    held.now += 1
    switch(held, enabled)

    held.run()
    held.delivery.answered(request.number, refused((0, "name", "no")))
    held.run()

    assert held.statuses()["A"].outcome == ("delivered" if enabled else "deleted")
    assert sender.sent[-1] == ("upsert" if enabled else "delete", ["A"])
    assert held.letters() == {}


@pytest.mark.parametrize("on_again", [False, True])
def test_what_waits_follows_its_scope_before_anything_is_compared(on_again: bool) -> None:
    """The reconcile may come much later: it waits for the one before."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("edit", 0), feed_record("gone", 1))
    del sender.posts[:]
    held.delivery.pause("products", True)
    held.run(
        feed_record("edit", 2, name="new"), feed_record("gone", 3, deleted=True), feed_record("fresh", 4)
    )

    told(held, enabled=False)
    if on_again:
        told(held, enabled=True)
    held.delivery.pause("products", False)
    held.run()

    sent = {(operation, sku) for operation, skus in sender.sent for sku in skus}
    assert (
        sent
        == {
            True: {("delete", "gone"), ("upsert", "edit"), ("upsert", "fresh")},
            False: {("delete", "gone"), ("delete", "edit")},
        }[on_again]
    )


def test_a_request_under_way_is_not_changed_by_its_scope() -> None:
    """What it carries is settled as what it was; then the item follows."""
    held = Drive(sender := FakeSender())
    held.append(feed_record("A", 0))
    held.scan()
    (request,) = held.delivery.requests()

    told(held, enabled=False)
    beside = list(held.delivery.requests())
    held.delivery.answered(request.number, accepted(1))
    held.run()

    assert beside == []
    assert sender.sent == [("delete", ["A"])]


@pytest.mark.parametrize("second_send", [True, False])
def test_what_goes_again_by_itself_follows_its_scope(second_send: bool) -> None:
    """An item that is owed a second send, or is parked, when its store view goes off."""
    first = LOST if second_send else refused((0, "name", "no"))
    held = Drive(sender := FakeSender(None, first), rules=RULES)
    held.run(feed_record("A", 0))
    held.run(feed_record("A", 1, name="new"))
    held.pass_time(1)
    del sender.posts[:]

    told(held, enabled=False)
    held.delivery.retry("products", held.wall_ms + 1, None, ())
    held.pass_time(RULES.settle_s + 1)

    assert sender.sent == [("delete", ["A"])]


def test_an_item_that_waits_for_attention_leaves_with_its_scope() -> None:
    """The target may hold an older state of it; its dead letter is gone."""
    sender = FakeSender(None, refused((0, "name", "no")))
    held = Drive(sender)
    held.run(feed_record("A", 0))
    held.run(feed_record("A", 1, name="bad"))
    letters = len(held.letters())

    switch(held, False)
    held.run()

    assert (letters, held.letters()) == (1, {})
    assert sender.sent[-1] == ("delete", ["A"])


def test_a_delete_that_fails_does_not_stand_when_its_scope_is_on_again() -> None:
    """Its dead letter says delete, and the item is to be there."""
    sender = FakeSender(None, refused((0, "sku", "no")))
    held = Drive(sender)
    held.run(feed_record("A", 0))
    switch(held, False)
    held.run()
    parked = held.letters()["A"].operation
    held.now += 1

    switch(held, True)
    held.run()

    assert parked == "delete"
    assert held.letters() == {}
    assert sender.sent[-1] == ("upsert", ["A"])
    assert (LETTER, item_key("A")) not in held.topics


def test_an_item_of_another_scope_is_left_alone() -> None:
    """Also where a website of that name is switched off: it governs prices."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))
    del sender.posts[:]

    for website, view in (("base", None), ("base", "german")):
        scope = Scope("optimizer", website, False, held.wall_ms, view)
        held.say((scope_key("optimizer", website, view), msgspec.json.encode(scope)))
    asked(held, "differences")
    held.run()

    assert sender.posts == []


def test_a_forgotten_item_is_not_deleted_by_a_reconcile() -> None:
    """Its tombstone says that the service is not to be told."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))
    gone = feed_record("A", 1, deleted=True)
    held.run(Record(gone.topic, 0, 1, gone.key, None, {**gone.headers, "forget": b"1"}, gone.timestamp_ms))
    del sender.posts[:]

    asked(held, "force")
    held.run()

    assert sender.posts == []


def first_request(held: Drive) -> Request:
    """Work goes on until a request flies."""
    while True:
        for request in held.delivery.requests():
            return request
        for fetch in held.delivery.fetches():
            held.delivery.fetched(fetch, *held.read(fetch))
        held.commit()


def test_what_a_killed_sink_may_have_sent_in_a_reconcile_is_in_doubt() -> None:
    """It deleted an item and told nobody; the scope is on again before the next process looks."""
    sender = FakeSender()
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0))
    switch(held, False)
    held.answer(first_request(held))
    del sender.posts[:]
    scope = Scope("optimizer", "base", True, held.wall_ms, "default")
    held.topics[CONTROL, scope_key("optimizer", "base", "default")] = msgspec.json.encode(scope)

    held = restarted(held, clean=False)
    held.run()
    at_once = sender.sent[:]
    held.pass_time(31)

    assert at_once == []
    assert sender.sent == [("upsert", ["A"])]


def test_what_came_back_behind_a_killed_reconcile_is_sent_though_it_is_known() -> None:
    """The delete of what no record told of may have been taken; then it comes back as it was."""
    sender = FakeSender()
    held = Drive(sender, rules=RULES)
    held.run(feed_record("A", 0), feed_record("B", 1))
    del held.log[0]
    asked(held, "differences")
    held.answer(first_request(held))
    del sender.posts[:]

    held = restarted(held, clean=False)
    held.append(feed_record("A", 2 + reconcile_module.WINDOW_OFFSETS))
    held.run()
    held.pass_time(31)

    assert ("upsert", ["A"]) in sender.sent


def test_records_to_compare_are_asked_for_once() -> None:
    """Until they come, and then those behind them."""
    held = Drive(FakeSender())
    held.run(feed_record("A", 0))
    asked(held, "replay")
    held.delivery.fetches()
    held.commit()

    (fetch,) = held.delivery.fetches()
    again = held.delivery.fetches()
    held.delivery.fetched(fetch, *held.read(fetch))
    held.run()

    assert again == []
    assert list(pending(held)) == []


def test_what_comes_behind_an_inherited_reconcile_is_in_no_doubt() -> None:
    """All that its process may have sent was sent again, and waited for."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 0))
    asked(held, "replay")
    held.delivery.fetches()
    held.commit()
    held = restarted(held, clean=False)
    held.run()
    held.pass_time(RULES.request_timeout_s + 1)
    held.pass_time(RULES.settle_s + 1)
    ended = list(pending(held))
    del sender.posts[:]

    held.run(feed_record("B", 1))
    held.pass_time(RULES.settle_s + 1)

    assert (ended, sender.sent) == ([], [("upsert", ["B"])])


# What differs, by status alone.


def test_a_status_that_is_missing_is_made_up_for_by_what_the_target_is_to_hold() -> None:
    """A tombstone goes, too: it may be all that tells of what the target holds."""
    tombstone = feed_record("A", 5, deleted=True)

    assert differs("differences", None, None, feed_record("A", 5), deletes=False, named=False)
    assert differs("differences", None, None, tombstone, deletes=True, named=False)
    assert not differs("differences", None, None, feed_record("A", 5), deletes=True, named=False)


@pytest.mark.parametrize(
    ("outcome", "offset", "parked", "deletes", "goes"),
    [
        ("delivered", 5, None, False, False),
        ("delivered", 4, None, False, True),
        ("delivered", 5, None, True, True),
        ("deleted", 5, None, True, False),
        ("deleted", 4, None, True, False),
        ("deleted", 5, None, False, True),
        ("attention", 4, "upsert", False, False),
        ("attention", 4, "upsert", True, True),
        ("retryable", 4, "delete", True, False),
        ("retryable", 4, "delete", False, True),
    ],
)
def test_a_difference_is_one_of_presence_or_of_the_record(
    outcome: Any, offset: int, parked: str | None, deletes: bool, goes: bool
) -> None:
    """What fails already is told by its dead letter: it goes again by itself, or when somebody says so."""
    held = Held(outcome, "hash", 0, offset, None, "", 0, False)

    assert differs("differences", held, parked, feed_record("A", 5), deletes=deletes, named=False) is goes


@pytest.mark.parametrize(
    ("kind", "outcome", "parked", "deletes", "named", "goes"),
    [
        ("replay", "delivered", None, False, False, True),
        ("replay", "delivered", None, True, False, True),
        ("replay", "deleted", None, True, False, False),
        ("force", "deleted", None, True, True, False),
        ("replay", "deleted", None, False, False, True),
        ("replay", "retryable", "delete", True, False, True),
        ("force", "retryable", "delete", True, False, True),
        ("replay", "attention", "upsert", False, False, False),
        ("replay", "attention", "upsert", False, True, True),
        ("force", "attention", "upsert", False, False, True),
    ],
)
def test_a_replay_takes_all_but_what_is_gone_or_waits_for_attention(
    kind: Any, outcome: Any, parked: str | None, deletes: bool, named: bool, goes: bool
) -> None:
    """`--force`, or an item's name, takes the latter too."""
    held = Held(outcome, "hash", 0, 5, None, "", 0, False)

    assert differs(kind, held, parked, feed_record("A", 5), deletes=deletes, named=named) is goes


def test_only_items_that_are_named_are_compared() -> None:
    """By any member of their key that names an item; a scope's code is none, and a broken key is nobody's."""
    sender = FakeSender()
    held = Drive(sender)
    broken = replace(feed_record("x", 2), key=b"[1]")
    held.run(feed_record("A", 0), feed_record("B", 1), broken)
    del sender.posts[:]

    asked(held, "force", "A", "default")
    held.run()

    assert sender.sent == [("upsert", ["A"])]
    assert list(pending(held)) == []


def test_what_is_compared_already_is_not_asked_for_twice() -> None:
    """A sink needs one for many reasons at once."""
    held = Drive(FakeSender())
    held.run(feed_record("A", 0))
    reconciler = held.delivery.reconcilers["products"]
    reconciler.need("one")
    reconciler.need("another")
    reasons = [run.reason for run in pending(held)]

    reconciler.need("another log", distrust=True)
    reconciler.need("and more")

    assert reasons == ["one"]
    assert [run.reason for run in pending(held)] == ["one", "another log"]


def test_one_that_has_begun_or_names_items_does_not_answer_a_need(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has passed what it should find, or never looks at it."""
    monkeypatch.setattr(reconcile_module, "WINDOW_OFFSETS", 1)
    monkeypatch.setattr(reconcile_module, "_RECORD_OFFSETS", 1)
    held = Drive(FakeSender())
    held.run(feed_record("A", 0), feed_record("B", 1))
    asked(held, "replay", "A")
    reconciler = held.delivery.reconcilers["products"]
    reconciler.need("the first names one item")
    while pending(held)[0].partition < 0 or not pending(held)[0].reason:
        held.turn()
        held.commit()

    reconciler.need("the second has begun")

    assert [run.reason for run in pending(held)] == ["the first names one item", "the second has begun"]


def test_a_replay_that_is_stopped_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is queued still goes, the rest does not."""
    monkeypatch.setattr(reconcile_module, "WINDOW_OFFSETS", 2)
    sender = FakeSender()
    held = Drive(sender)
    held.run(*(feed_record(f"A{n}", n) for n in range(10)))
    del sender.posts[:]
    asked(held, "replay")
    (run,) = pending(held)
    while not sender.posts:
        held.turn()
        held.commit()

    held.say((reconcile_key(run), None))
    held.run()

    assert sum(len(skus) for _, skus in sender.sent) < 10
    assert (list(pending(held)), controls(held)) == ([], [])
