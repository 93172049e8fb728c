"""A batch of dirty entities becomes feed, index and dead-letter records, and state follows the commit."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from builder_play import (
    BULK,
    DEAD_LETTER,
    FEED,
    INDEX,
    KEY_A,
    LIVE,
    at,
    built,
    dirty,
    names,
    stage,
)
from confluent_kafka import TopicPartition
from counted import counting, sampled
from fake_shop import FakeShop

from consumers.builder.index import PartitionIndex, encode_entry, encode_floor
from consumers.builder.stage import REFERRING_LIVE_MAX, Shard
from runtime.errors import Fault, Transient
from runtime.record import Outgoing, Record
from schemas.codec import decode
from schemas.keys import canonical_json, content_hash
from schemas.records import FLOOR_KEY, DeadLetter, Dirty, EmittedItem, IndexEntry, Position


def test_a_build_writes_feed_index_and_floor(shop: FakeShop) -> None:
    """All of one transaction, in the entity's partition."""
    shop.sell("A", "one")

    feed, index, floor = built(stage(shop), dirty("A", pos=500))

    item = decode("products", feed.value or b"")
    assert (feed.topic, feed.partition, feed.key) == (FEED, 0, KEY_A)
    assert dict(feed.headers) == {
        "hash": content_hash(item).encode(),
        "lane": b"live",
        "commit_ms": b"5000",
        "built_ms": b"7000",
        "position": msgspec.json.encode(at(1_000)),
        "reason": b"test",
    }
    assert (index.topic, index.partition, index.key) == (INDEX, 0, b"A")
    assert msgspec.json.decode(index.value or b"", type=IndexEntry) == IndexEntry(
        (EmittedItem("products", KEY_A.decode(), content_hash(item), "live"),), ("product:1",), at(1_000)
    )
    assert floor == Outgoing(INDEX, 0, FLOOR_KEY, encode_floor([at(500)]))


def test_an_unchanged_product_emits_nothing(shop: FakeShop) -> None:
    """Promise 5."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))

    assert names(built(held, dirty("A"))) == []


def test_a_vanished_product_is_taken_back(shop: FakeShop) -> None:
    """A tombstone on the feed, and none but that: the index forgets it."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))
    del shop.rows["A"]

    feed, index = built(held, dirty("A"))

    assert (feed.topic, feed.key, feed.value) == (FEED, KEY_A, None)
    assert (index.topic, index.key, index.value) == (INDEX, b"A", None)
    assert names(built(held, dirty("A"))) == []


def test_state_changes_only_after_the_commit(shop: FakeShop) -> None:
    """INTERLEAVING 6: "unchanged" may be said only of what is durable."""
    shop.sell("A", "one")
    held = stage(shop)

    assert names(held.process([dirty("A", pos=500)])) == [("A", "one")]
    assert names(held.process([dirty("A", pos=500)])) == [("A", "one")]
    held.committed()
    assert names(held.process([dirty("A", pos=500)])) == []


def test_a_batch_that_had_to_wait_leaves_nothing_behind(shop: FakeShop) -> None:
    """The next commit is about the next batch only."""
    shop.sell("A", "one")
    held = stage(shop)
    shop.away = True
    with pytest.raises(Transient):
        held.process([dirty("A")])
    shop.away = False

    assert names(built(held, dirty("A"))) == [("A", "one")]


def test_many_dirty_records_of_one_entity_build_it_once(shop: FakeShop) -> None:
    """One snapshot, one item, in the better lane."""
    shop.sell("A", "one")

    outgoing = built(stage(shop), dirty("A", "bulk"), dirty("A", pos=300), dirty("A", pos=200))

    assert names(outgoing) == [("A", "one")]
    assert dict(outgoing[0].headers)["lane"] == b"live"
    assert shop.covers == [([at(300)], 3.0)]


def test_live_entities_are_emitted_before_bulk_ones(shop: FakeShop) -> None:
    """Promise 4, within a batch."""
    shop.sell("A", "one", 1)
    shop.sell("B", "two", 2)

    outgoing = built(stage(shop), dirty("A", "bulk"), dirty("B"))

    assert names(outgoing) == [("B", "two"), ("A", "one")]


def test_what_the_last_snapshot_covers_is_skipped(shop: FakeShop) -> None:
    """An import that touches 15 rows of a product builds it about once: no second snapshot is opened."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", pos=500))

    outgoing = built(held, dirty("A", pos=600), dirty("A", pos=999))

    assert outgoing == []
    assert len(shop.covers) == 1


@pytest.mark.parametrize(
    "uncovered",
    [at(1_000), at(2_000), at(10, server_id=2), Position(1, "binlog.000001", 10, "0-1-1001")],
    ids=["at its place", "behind it", "another server's", "of another log"],
)
def test_what_the_last_snapshot_has_not_seen_is_built(shop: FakeShop, uncovered: Position) -> None:
    """`pos` is where the transaction begins, so one at the snapshot's own place came after it.

    And a replica in its server's place hands that one's changes on at places of its own log.
    """
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", pos=500))
    shop.sell("A", "two")
    late = Record(LIVE, 0, 1, b"A", msgspec.json.encode(Dirty("test", uncovered)), {})

    assert names(built(held, dirty("A", pos=600), late)) == [("A", "two")]


def test_a_dirty_record_without_a_position_is_never_covered(shop: FakeShop) -> None:
    """A resync heals what the stream missed, also when a covered edit stands beside it in the batch."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", pos=500))
    shop.sell("A", "two")

    assert names(built(held, dirty("A", pos=600), dirty("A", "bulk"))) == [("A", "two")]


def test_an_unchanged_build_counts_as_seen(shop: FakeShop) -> None:
    """Its snapshot covers later records too."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", pos=500))
    shop.position = at(2_000)
    built(held, dirty("A", pos=1_500))

    built(held, dirty("A", pos=1_600))

    assert len(shop.covers) == 2


def test_a_live_edit_of_what_waits_in_bulk_is_emitted_again(shop: FakeShop) -> None:
    """INTERLEAVING 2: covered and unchanged, but the edit would wait for days behind the resync."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", "bulk"))

    outgoing = built(held, dirty("A", pos=600))

    assert names(outgoing) == [("A", "one")]
    assert dict(outgoing[0].headers)["lane"] == b"live"
    assert built(held, dirty("A", pos=700)) == []


def test_a_bulk_build_does_not_repeat_a_live_item(shop: FakeShop) -> None:
    """Promise 5 for a resync behind an edit."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))

    assert names(built(held, dirty("A", "bulk"))) == []


def index_of(entities: int, reference: str, position: Position | None = None) -> PartitionIndex:
    index = PartitionIndex()
    for n in range(entities):
        key = canonical_json({"sku": f"sku-{n}", "storeViewCode": "default"}).decode()
        item = EmittedItem("products", key, "h", "live")
        index.load(f"sku-{n}".encode(), encode_entry(IndexEntry((item,), (reference,), position)))
    return index


def test_a_reference_builds_whoever_was_built_from_that_row(shop: FakeShop) -> None:
    """A category's rename reaches its products, and nobody else."""
    shop.sell("A", "one", 1)
    shop.sell("B", "two", 2)
    held = stage(shop)
    built(held, dirty("A"), dirty("B"))
    shop.sell("A", "new", 1)
    shop.sell("B", "new", 2)

    assert names(built(held, dirty("", refers_to="product:2"))) == [("B", "new")]


def test_an_entity_that_refers_to_a_changed_row_from_this_batch_on_sees_the_change(shop: FakeShop) -> None:
    """INTERLEAVING 14: its index entry does not name the row yet, so nobody would tell it again."""
    shop.sell("A", "one", 1)

    built(stage(shop), dirty("A", pos=300), dirty("", pos=400, refers_to="category:4"))

    assert shop.covers == [([at(400)], 3.0)]


def test_a_product_whose_sku_is_empty_is_one_like_any_other(shop: FakeShop) -> None:
    """An import that went wrong left it; neither it nor the floor takes the other's place in the index."""
    shop.sell("", "no sku")
    held = stage(shop)

    outgoing = built(held, dirty("", pos=400))
    index = PartitionIndex()
    for record in outgoing:
        if record.topic == INDEX:
            index.load(record.key, record.value)

    assert (list(index.keys()), index.floors) == ([""], (at(400),))


def test_a_reference_that_nobody_has_yet_is_waited_for(shop: FakeShop) -> None:
    """INTERLEAVING 13: an import's product comes to refer to the row one batch later, from a server that
    has seen its own change and not this one; nobody would tell it again."""
    held = stage(shop)

    outgoing = built(held, dirty("", pos=400, refers_to="category:4"))
    shop.sell("A", "one")
    built(held, dirty("A", "bulk", pos=300))

    assert outgoing == [Outgoing(INDEX, 0, FLOOR_KEY, encode_floor([at(400)]))]
    assert shop.covers == [([at(400)], 3.0), ([at(300)], 3.0)]
    assert shop.floors == [[], [at(400)]]


def test_a_reference_waits_for_a_server_that_is_away_though_nobody_has_it(shop: FakeShop) -> None:
    """Its change is not behind us before it was seen."""
    shop.away = True

    with pytest.raises(Transient):
        stage(shop).process([dirty("", pos=400, refers_to="category:4")])


def test_up_to_500_referring_entities_are_built_at_once(shop: FakeShop) -> None:
    """They join the batch as live work."""
    for n in range(REFERRING_LIVE_MAX):
        shop.sell(f"sku-{n}", "new", n + 1)
    held = stage(shop, {0: index_of(REFERRING_LIVE_MAX, "category:4")})

    outgoing = built(held, dirty("", refers_to="category:4"))

    assert REFERRING_LIVE_MAX == 500
    assert sum(record.topic == FEED and record.value is not None for record in outgoing) == 500
    assert not any(record.topic == BULK for record in outgoing)


def test_a_bulk_reference_builds_in_bulk(shop: FakeShop) -> None:
    """What an import changed stays behind live edits."""
    shop.sell("sku-0", "new")
    held = stage(shop, {0: index_of(1, "category:4")})

    outgoing = built(held, dirty("", "bulk", refers_to="category:4"))

    assert [dict(record.headers)["lane"] for record in outgoing if record.topic == FEED] == [b"bulk"]


def test_live_work_that_waited_on_the_bulk_topic_is_built_as_live(shop: FakeShop) -> None:
    """It is one kind of live work, not of bulk: nothing at a target goes before it."""
    shop.sell("A", "one")
    value = msgspec.json.encode(Dirty("test", at(10), lane="live"))

    outgoing = built(stage(shop), Record(BULK, 0, 0, b"A", value, {}))

    assert [record.headers[1] for record in outgoing if record.topic == FEED] == [("lane", b"live")]


def test_a_relative_whose_own_rows_were_built_meanwhile_is_covered(shop: FakeShop) -> None:
    """An import that changes a parent one transaction after its children: the parent is built once."""
    shop.sell("A", "one")
    held = stage(shop)
    own = built(held, dirty("A", pos=20))
    shop.sell("A", "two")

    waited = msgspec.json.encode(Dirty("child", at(10), lane="live"))

    assert len([record for record in own if record.topic == FEED]) == 1
    assert built(held, Record(BULK, 0, 0, b"A", waited, {})) == []


def test_a_resync_waits_for_its_change_and_is_never_covered(shop: FakeShop) -> None:
    """A changed store view dirties everything: its row must be visible, whatever was built before."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A", pos=500))
    shop.sell("A", "two")
    record = Record(BULK, 0, 0, b"A", msgspec.json.encode(Dirty("resync", at(400), always=True)), {})

    assert names(built(held, record)) == [("A", "two")]
    assert shop.covers[-1] == ([at(400)], 3.0)


def test_more_than_500_referring_entities_become_bulk_work(shop: FakeShop) -> None:
    """INTERLEAVING 30: nothing is built now, each gets a record with the position and commit of the cause."""
    *outgoing, floor = built(
        stage(shop, {0: index_of(501, "category:4")}), dirty("", pos=300, refers_to="category:4")
    )

    assert [(record.topic, record.partition) for record in outgoing] == [(BULK, 0)] * 501
    assert sorted(record.key.decode() for record in outgoing) == sorted(f"sku-{n}" for n in range(501))
    assert msgspec.json.decode(outgoing[0].value or b"", type=Dirty) == Dirty("test", at(300), 5_000)
    # Whoever comes to refer to the row before that bulk work is done must have seen the change.
    assert (floor.key, shop.covers) == (FLOOR_KEY, [([at(300)], 3.0)])


def test_a_broken_entity_keeps_its_items_and_its_neighbours_are_built(shop: FakeShop) -> None:
    """Its items stay as they are at the targets; a person sees the reason."""
    shop.sell("A", "one", 1)
    held = stage(shop)
    built(held, dirty("A"))
    shop.break_rows("A", 1)
    shop.sell("B", "two", 2)
    entities = counting("commerce_sync_entities_built_total", "outcome", entity="product")

    outgoing = built(held, dirty("A"), dirty("B"))

    assert entities() == {"built": 1, "parked": 1}
    (letter,) = [record for record in outgoing if record.topic == DEAD_LETTER]
    (entry,) = [record for record in outgoing if record.topic == INDEX and record.key == b"A"]
    parked = msgspec.json.decode(entry.value or b"", type=IndexEntry)
    assert names(outgoing) == [("B", "two")]
    assert letter.key == b'{"entity":"product","key":"A"}'
    told = msgspec.json.decode(letter.value or b"", type=DeadLetter)
    assert (told.kind, told.operation, told.error) == ("attention", "build", parked.parked[""])
    assert [item.key for item in parked.items] == [KEY_A.decode()]
    assert parked.parked == {"": "one or more required EAV attributes (status) are not set for product: 1"}


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (
            {"visibility": None},
            "unforeseen TypeError: argument of type 'NoneType' is not iterable (products.py",
        ),
        ({"name": {0: "\ud800"}}, "the item does not fit its schema: "),
    ],
)
def test_rows_that_no_rule_foresees_are_their_entity_s_trouble_alone(
    shop: FakeShop, broken: dict[str, Any], reason: str
) -> None:
    """A role that ended for them would read them again, and end again, for ever."""
    shop.sell("A", "one", 1)
    shop.rows["A"] = replace(shop.rows["A"], values={**shop.rows["A"].values, **broken})
    shop.sell("B", "two", 2)

    outgoing = built(stage(shop), dirty("A"), dirty("B"))

    (letter,) = [record for record in outgoing if record.topic == DEAD_LETTER]
    assert msgspec.json.decode(letter.value or b"", type=DeadLetter).error.startswith(reason)
    assert names(outgoing) == [("B", "two")]


def test_an_entity_is_parked_once(shop: FakeShop) -> None:
    """The same failure writes no second dead letter."""
    shop.break_rows("A")
    held = stage(shop)
    built(held, dirty("A"))

    assert [record for record in built(held, dirty("A")) if record.topic == DEAD_LETTER] == []


def test_a_mended_entity_clears_its_dead_letter_even_when_unchanged(shop: FakeShop) -> None:
    """The item was never taken back, so nothing is emitted; the entry is no longer parked."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))
    shop.break_rows("A")
    built(held, dirty("A"))
    shop.sell("A", "one")

    outgoing = built(held, dirty("A"))

    assert names(outgoing) == []
    assert [(r.key, r.value) for r in outgoing if r.topic == DEAD_LETTER] == [
        (b'{"entity":"product","key":"A"}', None)
    ]
    assert [record for record in built(held, dirty("A")) if record.topic == DEAD_LETTER] == []


def test_a_deleted_entity_that_was_parked_clears_its_dead_letter(shop: FakeShop) -> None:
    """What is gone fails no more."""
    shop.break_rows("A")
    held = stage(shop)
    built(held, dirty("A"))
    del shop.rows["A"]

    outgoing = built(held, dirty("A"))

    assert [(r.topic, r.value) for r in outgoing if r.key != FLOOR_KEY] == [
        (DEAD_LETTER, None),
        (INDEX, None),
    ]


def test_an_undecodable_dirty_record_is_parked_and_its_neighbours_are_built(shop: FakeShop) -> None:
    """Promise 3."""
    shop.sell("A", "one")
    broken = Record(LIVE, 0, 6, b"X", b"[", {}, 77)

    outgoing = built(stage(shop), broken, dirty("A"))

    (letter,) = [record for record in outgoing if record.topic == DEAD_LETTER]
    assert names(outgoing) == [("A", "one")]
    assert letter.key == b'{"offset":6,"partition":0,"topic":"cs.dirty.product"}'
    assert msgspec.json.decode(letter.value or b"", type=DeadLetter).error.startswith("no dirty record: ")


def test_a_partition_with_one_lane_only_is_a_fault(shop: FakeShop) -> None:
    """INTERLEAVING 10: another assignor than range splits live and bulk of one partition."""
    held = stage(shop)

    with pytest.raises(Fault, match="the assignor must be 'range'"):
        held.assign([TopicPartition(LIVE, 0), TopicPartition(BULK, 0), TopicPartition(BULK, 1)])


def test_an_assignment_loads_exactly_its_partitions(shop: FakeShop) -> None:
    """What was known before is forgotten: another worker may have written since."""
    loads: list[list[Shard]] = []

    def load(shards: Sequence[Shard]) -> dict[Shard, PartitionIndex]:
        loads.append(list(shards))
        return {shard: PartitionIndex() for shard in shards}

    shop.sell("A", "one")
    held = stage(shop, load=load)
    built(held, dirty("A"))
    held.assign([TopicPartition(topic, n) for topic in (LIVE, BULK) for n in (2, 0)])

    assert names(built(held, dirty("A"))) == [("A", "one")]
    assert loads == [[("product", 0)], [("product", 0), ("product", 2)]]


def test_a_build_that_would_empty_the_target_is_held(shop: FakeShop) -> None:
    """Promise 7, INTERLEAVING 18: the rows of 200 items are gone; nothing is written until someone looks."""
    held = stage(shop, {0: index_of(200, "category:4")})

    with pytest.raises(Transient, match=r"delete_guard_percent = 10: 200 of 200 items would be deleted"):
        held.process([dirty("", refers_to="category:4")])

    for n in range(200):
        shop.sell(f"sku-{n}", "back", n + 1)
    assert len(names(built(held, dirty("", refers_to="category:4")))) == 200


def test_deletes_are_weighed_against_the_items_of_the_partitions_they_were_in(shop: FakeShop) -> None:
    """A builder that gives a partition away in the hour after a clean-up keeps building what is left."""
    indexes = {("product", n): index_of(1_000, "category:4") for n in (0, 1)}
    held = stage(shop, load=lambda shards: {shard: indexes[shard] for shard in shards})
    held.assign([TopicPartition(topic, n) for topic in (LIVE, BULK) for n in (0, 1)])
    built(held, *(dirty(f"sku-{n}") for n in range(150)))
    held.assign([TopicPartition(topic, 1) for topic in (LIVE, BULK)])

    one_more = Record(LIVE, 1, 0, b"sku-0", msgspec.json.encode(Dirty("test")), {})

    assert names(built(held, one_more)) == [("sku-0", None)]


def test_a_rebalance_does_not_forget_the_deletes_of_what_stays(shop: FakeShop) -> None:
    """Promise 7: an emptied database is not let go by piece."""
    indexes = {("product", n): index_of(1_000, "category:4") for n in (0, 1)}
    held = stage(shop, load=lambda shards: {shard: indexes[shard] for shard in shards})
    built(held, *(dirty(f"sku-{n}") for n in range(100)))
    held.assign([TopicPartition(topic, n) for topic in (LIVE, BULK) for n in (0, 1)])

    with pytest.raises(Transient, match="201 of 2000 items would be deleted"):
        held.process([dirty(f"sku-{n}") for n in range(100, 201)])


def test_entities_and_items_are_counted_by_what_became_of_them(shop: FakeShop) -> None:
    """Built, or covered by an earlier build; items changed, unchanged or deleted, in their lane."""
    entities = counting("commerce_sync_entities_built_total", "outcome", entity="product")
    live = counting("commerce_sync_items_emitted_total", "outcome", feed="products", lane="live")
    bulk = counting("commerce_sync_items_emitted_total", "outcome", feed="products", lane="bulk")
    held = stage(shop)
    shop.sell("A", "one")
    shop.sell("B", "one")

    built(held, dirty("A", pos=500), dirty("B", lane="bulk"))
    built(held, dirty("A", pos=600))
    built(held, dirty("A"))
    shop.sell("A", "two")
    shop.rows.pop("B")
    shop.position = at(2_000)
    built(held, dirty("A", pos=1_500), dirty("B", lane="bulk", pos=1_500))
    uncommitted = live()
    shop.sell("A", "three")
    held.process([dirty("A")])

    assert entities() == {"built": 6, "covered": 1}
    assert live() == uncommitted == {"changed": 2, "unchanged": 1}
    assert bulk() == {"changed": 1, "deleted": 1}


def test_a_batch_tells_how_late_it_is(shop: FakeShop) -> None:
    """Seconds from the commit of its oldest change to that of the batch: 5 to 7."""
    shop.sell("A", "one")

    built(stage(shop), dirty("A", pos=500))

    assert sampled("commerce_sync_lag_seconds", "stage", stage="builder") == {"builder": 2}
