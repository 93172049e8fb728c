"""Rows that could not be proved to be new enough are built once more; older ones are never built from."""

import msgspec
import pytest
from builder_play import BULK, FEED, INDEX, LIVE, Clock, at, built, dirty, entries, names, stage
from confluent_kafka import TopicPartition
from fake_shop import FakeShop

from consumers.builder.index import PartitionIndex, encode_floor
from consumers.builder.stage import FLOOR_WAIT_MS_MAX, BuilderStage
from runtime.errors import BehindFloor, Transient
from runtime.record import Outgoing, Record
from schemas.records import FLOOR_KEY, Again, Dirty, Position


def reference(name: str, position: Position | None, commit_ms: int | None = 5_000) -> Record:
    return Record(LIVE, 0, 0, b"", msgspec.json.encode(Dirty("test", position, commit_ms, name)), {})


def restarted(outgoing: list[Outgoing], clock: Clock, shop: FakeShop) -> BuilderStage:
    """Another process that knows only what the index topic holds."""
    index = PartitionIndex()
    for record in outgoing:
        if record.topic == INDEX:
            index.load(record.key, record.value)
    return stage(shop, {0: index}, clock=clock)


def test_what_was_built_blindly_is_built_once_more(shop: FakeShop) -> None:
    """The rows of an edit become visible after the build that was meant for it; no record comes again."""
    clock = Clock()
    shop.sell("A", "before")
    shop.blind = frozenset({1})
    held = stage(shop, clock=clock)
    built(held, dirty("A", pos=500))
    shop.sell("A", "after")

    clock.ms += 1_999
    early = held.overdue()
    clock.ms += 1
    outgoing = built(held)

    assert (early, names(outgoing)) == (False, [("A", "after")])
    assert dict(outgoing[0].headers)["commit_ms"] == b"5000"
    assert not held.overdue()


def test_an_echo_joins_the_next_batch(shop: FakeShop) -> None:
    """A busy partition never has a silent moment."""
    clock = Clock()
    shop.sell("A", "before", 1)
    shop.sell("B", "one", 2)
    shop.blind = frozenset({1})
    held = stage(shop, clock=clock)
    built(held, dirty("A", pos=500))
    shop.sell("A", "after", 1)
    clock.ms += 2_000

    assert sorted(names(built(held, dirty("B", pos=600)))) == [("A", "after"), ("B", "one")]


def test_an_echo_survives_a_crash(shop: FakeShop) -> None:
    """It is in the index, in the transaction of the first build, also for a product not seen yet."""
    clock = Clock()
    shop.blind = frozenset({1})
    outgoing = built(stage(shop, clock=clock), dirty("A", pos=500))
    shop.sell("A", "now visible")
    clock.ms += 2_000

    held = restarted(outgoing, clock, shop)

    assert held.overdue()
    assert names(built(held)) == [("A", "now visible")]


def test_an_echo_keeps_its_lane(shop: FakeShop) -> None:
    """An import's second build is bulk as its first one was."""
    clock = Clock()
    shop.blind = frozenset({1})
    held = stage(shop, clock=clock)
    built(held, dirty("A", "bulk", pos=500))
    shop.sell("A", "one")
    clock.ms += 2_000

    assert [dict(record.headers)["lane"] for record in built(held) if record.topic == FEED] == [b"bulk"]


def test_an_echo_of_a_live_edit_stays_live_behind_an_import(shop: FakeShop) -> None:
    """Promise 4: an import touches the product before its second build, and reads the edit first."""
    clock = Clock()
    shop.sell("A", "before")
    shop.blind, shop.position = frozenset({1}), None
    held = stage(shop, clock=clock)
    built(held, dirty("A", pos=500))
    shop.sell("A", "after")
    clock.ms += 500
    value = msgspec.json.encode(Dirty("import", at(600), 6_000))
    built(held, Record(BULK, 0, 0, b"A", value, {}))
    clock.ms += 2_000

    outgoing = built(held)

    assert names(outgoing) == [("A", "after")]
    assert dict(outgoing[0].headers)["lane"] == b"live"
    assert dict(outgoing[0].headers)["commit_ms"] == b"5000"


def test_a_build_in_between_does_not_end_the_wait(shop: FakeShop) -> None:
    """A resync half a second later proves nothing about the rows that were waited for."""
    clock = Clock()
    shop.sell("A", "before")
    shop.blind = frozenset({1})
    held = stage(shop, clock=clock)
    built(held, dirty("A", pos=500))
    clock.ms += 500
    built(held, dirty("A", "bulk"))
    clock.ms += 1_500

    assert held.overdue()


def test_an_echo_that_another_clock_set_far_ahead_is_due(shop: FakeShop) -> None:
    """A machine whose clock was an hour ahead held the partition before."""
    clock = Clock()
    clock.ms = 3_600_000
    shop.blind = frozenset({1})
    outgoing = built(stage(shop, clock=clock), dirty("A", pos=500))
    clock.ms = 7_000

    assert restarted(outgoing, clock, shop).overdue()


def test_a_compared_position_needs_no_echo(shop: FakeShop) -> None:
    """Only what could not be compared is built twice."""
    shop.sell("A", "one")
    shop.blind = frozenset({2})

    entry = entries(built(stage(shop), dirty("A", pos=500)))["A"]

    assert entry is not None
    assert entry.again is None


def test_an_echo_is_written_with_its_due_time_and_commit(shop: FakeShop) -> None:
    """What the second build needs to know of the first."""
    shop.sell("A", "one")
    shop.blind = frozenset({1})

    entry = entries(built(stage(shop), dirty("A", pos=500)))["A"]

    assert entry is not None
    assert entry.again == Again(9_000, "live", 5_000)


def test_the_floor_is_handed_to_the_next_snapshot(shop: FakeShop) -> None:
    """INTERLEAVING 15: a partition never builds from older rows than before, bulk too."""
    index = PartitionIndex()
    index.load(FLOOR_KEY, encode_floor([at(400)]))
    shop.sell("A", "one")
    held = stage(shop, {0: index})

    built(held, dirty("A", pos=700))
    built(held, dirty("A", "bulk"))

    assert shop.floors == [[at(400)], [at(700)]]


def test_the_floor_rises_with_a_build_that_changed_nothing(shop: FakeShop) -> None:
    """INTERLEAVING 15: an older replica may show an edit that was reverted since, and it would stay."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", pos=500))

    outgoing = built(held, dirty("A", pos=2_000))

    assert outgoing == [Outgoing(INDEX, 0, FLOOR_KEY, encode_floor([at(2_000)]))]


def test_the_floor_does_not_rise_before_the_commit(shop: FakeShop) -> None:
    """State follows the commit, the floor too."""
    shop.sell("A", "one")
    held = stage(shop)

    held.process([dirty("A", pos=500)])
    held.process([dirty("A", pos=500)])

    assert shop.floors == [[], []]


def test_the_floor_keeps_the_newest_of_each_server(shop: FakeShop) -> None:
    """After a failover changes of two servers are known; the new primary has seen both."""
    shop.sell("A", "one")
    held = stage(shop)
    records = [
        Record(LIVE, 0, n, b"A", msgspec.json.encode(Dirty("x", position)), {})
        for n, position in enumerate([at(900), at(300), at(20, server_id=2)])
    ]

    built(held, *records)
    built(held, dirty("A", "bulk"))

    assert shop.floors == [[], [at(900), at(20, server_id=2)]]


def test_a_change_without_a_gtid_raises_no_floor(shop: FakeShop) -> None:
    """Only a GTID could be looked for at another server."""
    shop.sell("A", "one")
    value = msgspec.json.encode(Dirty("x", Position(1, "binlog.000001", 500)))

    outgoing = built(stage(shop), Record(LIVE, 0, 0, b"A", value, {}))

    assert FLOOR_KEY not in [record.key for record in outgoing]


def test_a_floor_that_is_not_reached_holds_the_batch(shop: FakeShop) -> None:
    """INTERLEAVING 15: a replica that is behind catches up; meanwhile nothing is built from it."""
    index = PartitionIndex()
    index.load(FLOOR_KEY, encode_floor([at(400)]))
    shop.behind = True
    held = stage(shop, {0: index})

    with pytest.raises(BehindFloor):
        held.process([dirty("A", "bulk")])


def test_a_floor_of_a_lost_history_does_not_hold_for_ever(shop: FakeShop) -> None:
    """INTERLEAVING 16: a failover lost it; after ten minutes of refusals it is given up, with an error."""
    clock = Clock()
    index = PartitionIndex()
    index.load(FLOOR_KEY, encode_floor([at(400)]))
    shop.sell("A", "one")
    shop.behind = True
    held = stage(shop, {0: index}, clock=clock)
    for ms in (0, FLOOR_WAIT_MS_MAX - 1, 1):
        clock.ms += ms
        with pytest.raises(BehindFloor):
            held.process([dirty("A", "bulk")])

    assert names(built(held, dirty("A", "bulk"))) == [("A", "one")]


def test_a_replica_that_caught_up_starts_the_patience_anew(shop: FakeShop) -> None:
    """Ten minutes count only in one piece."""
    clock = Clock()
    index = PartitionIndex()
    index.load(FLOOR_KEY, encode_floor([at(400)]))
    held = stage(shop, {0: index}, clock=clock)
    for behind in (True, False, True, True):
        shop.behind = behind
        clock.ms += FLOOR_WAIT_MS_MAX // 2
        if behind:
            with pytest.raises(BehindFloor):
                held.process([dirty("A", "bulk")])
        else:
            built(held, dirty("A", "bulk"))

    with pytest.raises(BehindFloor):
        held.process([dirty("A", "bulk")])


def test_a_server_that_was_away_meanwhile_starts_the_patience_anew(shop: FakeShop) -> None:
    """Ten minutes without an answer say nothing of what it replicates: it has just begun to catch up."""
    clock = Clock()
    index = PartitionIndex()
    index.load(FLOOR_KEY, encode_floor([at(400)]))
    held = stage(shop, {0: index}, clock=clock)
    shop.behind = True
    for away in (False, True, False):
        shop.away = away
        with pytest.raises(Transient):
            held.process([dirty("A", "bulk")])
        clock.ms += FLOOR_WAIT_MS_MAX // 2

    with pytest.raises(BehindFloor):
        held.process([dirty("A", "bulk")])


def test_without_a_known_position_nothing_is_covered(shop: FakeShop) -> None:
    """MySQL does not tell where a snapshot stands: each record builds."""
    shop.position = None
    shop.sell("A", "one")
    held = stage(shop)

    built(held, dirty("A", pos=500))
    built(held, dirty("A", pos=500))

    assert len(shop.covers) == 2


def test_references_of_two_servers_are_all_waited_for(shop: FakeShop) -> None:
    """After a failover a batch may hold changes of both; the snapshot must have seen each."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))

    built(held, reference("product:1", at(900)), reference("product:1", at(20, server_id=2)))

    assert shop.covers[-1] == ([at(900), at(20, server_id=2)], 3.0)


def test_a_reference_without_a_position_is_never_covered(shop: FakeShop) -> None:
    """It stands beside one that the last build has seen."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", pos=500))
    shop.sell("A", "two")

    outgoing = built(held, reference("product:1", at(400)), reference("product:1", None))

    assert names(outgoing) == [("A", "two")]


def test_a_lost_assignment_forgets_its_echoes(shop: FakeShop) -> None:
    """Who holds the partition now builds them."""
    clock = Clock()
    shop.blind = frozenset({1})
    held = stage(shop, load=lambda partitions: {n: PartitionIndex() for n in partitions}, clock=clock)
    built(held, dirty("A", pos=500))
    held.assign([TopicPartition(LIVE, 1), TopicPartition(BULK, 1)])
    clock.ms += 2_000

    assert not held.overdue()
