"""A batch of row changes becomes dirty entities: each once, in its lane, in its partition."""

import time

import msgspec
import pytest
from change_events import change, ddl
from counted import sampled
from fake_shop import FakeShop
from msgspec.structs import replace

from consumers.router.lanes import LARGE_ENTITIES
from consumers.router.stage import RouterStage
from runtime.errors import Transient, Waiting
from runtime.record import Outgoing, Record
from schemas.entities import FEEDS_OF
from schemas.keys import partition_for
from schemas.records import DeadLetter, Dirty, Position, ResyncProgress
from schemas.topics import TopicNames

LIVE, BULK = "cs.dirty.product", "cs.dirty.product.bulk"
PARTITIONS = 4


def stage(shop: FakeShop, table_prefix: str = "") -> RouterStage:
    return RouterStage(shop, TopicNames("cs"), PARTITIONS, table_prefix, 3.0)  # type: ignore[arg-type]


def dirty(outgoing: list[Outgoing], topic: str = LIVE) -> dict[str, Dirty]:
    """Dirty records by SKU."""
    return {
        record.key.decode(): msgspec.json.decode(record.value or b"", type=Dirty)
        for record in outgoing
        if record.topic == topic and record.key
    }


def references(outgoing: list[Outgoing]) -> list[tuple[int, str | None]]:
    return [
        (record.partition, msgspec.json.decode(record.value or b"", type=Dirty).refers_to)
        for record in outgoing
        if record.topic == LIVE and not record.key
    ]


def price_change(product_id: int, **where: int) -> Record:
    row = {"value_id": 1, "entity_id": product_id, "value": 1}
    return change("catalog_product_entity_decimal", "u", row, {**row, "value": 2}, **where)


def stock_change(product_id: int, **where: int) -> Record:
    """Of what the product's parents depend on."""
    row = {"item_id": 1, "product_id": product_id, "qty": 1}
    return change("cataloginventory_stock_item", "u", row, {**row, "qty": 2}, **where)


def product_change(sku: str, **where: int) -> Record:
    row = {"entity_id": 1, "sku": sku, "attribute_set_id": 4}
    return change("catalog_product_entity", "u", row, {**row, "attribute_set_id": 9}, **where)


def test_an_id_resolves_to_the_sku_and_to_its_parents() -> None:
    """A composite's items depend on its children: whether one is enabled, and which option it is."""
    shop = FakeShop({7: "child", 3: "parent", 4: "set"})
    shop.parents[7] = [3, 4]
    row = {"value_id": 1, "entity_id": 7, "value": 1}

    outgoing = stage(shop).process([change("catalog_product_entity_int", "u", row, {**row, "value": 2})])

    assert sorted(dirty(outgoing)) == ["child", "parent", "set"]
    assert len(outgoing) == 3


def test_a_value_that_no_parent_shows_makes_no_parent_dirty() -> None:
    """A text or a price is the child's own; the name, kept among the varchars, is shown by bundles."""
    shop = FakeShop({7: "child", 3: "parent", 4: "bundle"})
    shop.parents[7], shop.bundles[7] = [3, 4], [4]
    row = {"value_id": 1, "entity_id": 7, "value": "old"}
    texts, names = (f"catalog_product_entity_{backend_type}" for backend_type in ("text", "varchar"))

    text = stage(shop).process([change(texts, "u", row, {**row, "value": "new"})])
    price = stage(shop).process([price_change(7)])
    name = stage(shop).process([change(names, "u", row, {**row, "value": "new"})])

    assert [sorted(dirty(outgoing)) for outgoing in (text, price, name)] == [
        ["child"],
        ["child"],
        ["bundle", "child"],
    ]


def test_a_dirty_record_lies_in_its_entity_s_partition_with_position_and_commit() -> None:
    """The builder of that partition speaks for the entity."""
    outgoing = stage(FakeShop({7: "24-MB01"})).process([price_change(7, pos=500, ts_ms=9_000)])

    (record,) = outgoing
    assert (record.topic, record.key, record.partition) == (
        LIVE,
        b"24-MB01",
        partition_for(b"24-MB01", PARTITIONS),
    )
    assert msgspec.json.decode(record.value or b"", type=Dirty) == Dirty(
        "catalog_product_entity_decimal:u", Position(1, "binlog.000001", 500), 9_000
    )


def test_a_sku_from_an_image_needs_no_look_up() -> None:
    """A deleted or renamed product is known by the before-image only."""
    shop = FakeShop()

    outgoing = stage(shop).process([product_change("A")])

    assert list(dirty(outgoing)) == ["A"]
    assert (shop.covers, shop.statements) == ([], [])


def test_a_rename_makes_both_skus_dirty() -> None:
    """INTERLEAVING 17: byte for byte, so `abc` and `ABC` are two entities."""
    row = {"entity_id": 1, "sku": "abc"}

    outgoing = stage(FakeShop({1: "ABC"})).process(
        [change("catalog_product_entity", "u", row, {**row, "sku": "ABC"})]
    )

    assert sorted(dirty(outgoing)) == ["ABC", "abc"]


def test_an_id_without_a_row_is_a_reference_to_every_partition() -> None:
    """INTERLEAVING 11: only the builders' indexes know who was built from it."""
    outgoing = stage(FakeShop()).process([price_change(7)])

    assert references(outgoing) == [(n, "product:7") for n in range(PARTITIONS)]
    assert len(outgoing) == PARTITIONS


def test_a_deleted_product_is_dirty_and_a_reference() -> None:
    """Its parents lost their relation rows by cascade, without an event."""
    outgoing = stage(FakeShop()).process(
        [change("catalog_product_entity", "d", {"entity_id": 5, "sku": "S"}, None)]
    )

    assert list(dirty(outgoing)) == ["S"]
    assert references(outgoing) == [(n, "product:5") for n in range(PARTITIONS)]


def test_a_picture_resolves_to_the_products_that_show_it() -> None:
    """Two products may share a file."""
    shop = FakeShop({1: "A", 2: "B"})
    shop.products_of_media[9] = [1, 2]

    outgoing = stage(shop).process(
        [change("catalog_product_entity_media_gallery", "c", None, {"value_id": 9, "value": "/a.jpg"})]
    )

    assert sorted(dirty(outgoing)) == ["A", "B"]


def test_look_ups_happen_in_one_snapshot_that_covers_the_newest_position() -> None:
    """INTERLEAVING 13: a look-up in an older view would find nothing and drop the change."""
    shop = FakeShop({7: "A", 8: "B"})

    stage(shop).process([price_change(7, pos=900), price_change(8, pos=300)])

    assert shop.covers == [([Position(1, "binlog.000001", 900)], 3.0)]
    assert len(shop.statements) == 1


def test_a_database_that_is_away_makes_the_batch_wait() -> None:
    """The same batch comes again later; nothing was decided."""
    shop = FakeShop({7: "A"})
    shop.away = True
    held = stage(shop)
    with pytest.raises(Transient):
        held.process([price_change(7)])

    shop.away = False

    assert list(dirty(held.process([price_change(7)]))) == ["A"]


def test_changes_of_one_entity_are_merged() -> None:
    """One record: the first reason, the newest position, the oldest commit."""
    outgoing = stage(FakeShop({7: "A"})).process(
        [price_change(7, pos=900, ts_ms=5_000), product_change("A", pos=1_000, ts_ms=4_000)]
    )

    assert dirty(outgoing) == {
        "A": Dirty("catalog_product_entity_decimal:u", Position(1, "binlog.000001", 1_000), 4_000)
    }
    assert len(outgoing) == 1


def test_an_undecodable_change_is_parked_and_its_neighbours_go_on() -> None:
    """Promise 3: parked with the reason and the place."""
    broken = replace(product_change("X", offset=6), value=b"{")

    outgoing = stage(FakeShop()).process([product_change("A"), broken, product_change("B")])

    (letter,) = [record for record in outgoing if record.topic == "cs.dead-letter.router"]
    assert sorted(dirty(outgoing)) == ["A", "B"]
    assert letter.key == b'{"offset":6,"partition":0,"topic":"cs.change.magento.catalog_product_entity"}'
    parked = msgspec.json.decode(letter.value or b"", type=DeadLetter)
    assert (parked.kind, parked.operation, parked.offset, parked.time_ms) == ("attention", "route", 6, 77)
    assert parked.error.startswith("no change event: ")


def test_an_undecodable_schema_change_is_parked() -> None:
    """The schema-change topic is judged like the others."""
    outgoing = stage(FakeShop()).process([replace(ddl("TRUNCATE store"), value=b"[]")])

    (letter,) = outgoing
    assert letter.topic == "cs.dead-letter.router"
    assert b"no schema change: " in (letter.value or b"")


def test_a_tombstone_touches_nothing() -> None:
    """Debezium writes one behind each delete, where it is told to."""
    assert stage(FakeShop()).process([replace(product_change("A"), value=None)]) == []


def test_a_change_that_matters_to_nobody_asks_nothing() -> None:
    """No output and no query."""
    shop = FakeShop()

    assert stage(shop).process([change("sales_order", "c", None, {"entity_id": 1})]) == []
    assert shop.covers == []


def test_many_changes_of_everything_are_one_command() -> None:
    """INTERLEAVING 30: one save of 20 rows is one enumeration, outside the loop of live edits."""
    row = {"store_id": 1, "code": "de"}
    changes = [
        change("store", "u", row, {**row, "code": f"v{n}"}, ts_ms=1_000 * n, offset=n) for n in range(1, 21)
    ]

    outgoing = stage(FakeShop()).process([*changes, product_change("A")])

    commands = [record for record in outgoing if record.topic == "cs.control"]
    assert len(outgoing) == 4
    assert {(command.key, command.partition) for command in commands} == {
        (b"resync:attribute", 0),
        (b"resync:category", 0),
        (b"resync:product", 0),
    }
    assert msgspec.json.decode(commands[-1].value or b"", type=ResyncProgress) == ResyncProgress(
        feeds=FEEDS_OF["product"],
        state="requested",
        requested_ms=20_000,
        reason="store:u",
        position=Position(1, "binlog.000001", 100),
    )


def test_entities_that_are_few_have_one_partition() -> None:
    """A category is dirty itself, and whoever refers to it is asked in every partition of each kind."""
    row = {"value_id": 1, "entity_id": 12, "value": "a"}

    outgoing = stage(FakeShop()).process([change("catalog_category_entity_varchar", "c", None, row)])

    assert [(record.topic, record.partition, record.key) for record in outgoing] == [
        ("cs.dirty.category", 0, b""),
        *(("cs.dirty.product", partition, b"") for partition in range(PARTITIONS)),
        ("cs.dirty.category", 0, b"12"),
    ]


def test_a_new_group_touches_itself_and_whoever_speaks_of_all_groups() -> None:
    """Its price books are the websites'; products may have permissions for each group."""
    row = {"customer_group_id": 4, "customer_group_code": "VIP"}

    outgoing = stage(FakeShop()).process([change("customer_group", "c", None, row)])

    assert [(record.topic, record.partition, record.key) for record in outgoing] == [
        ("cs.dirty.scope", 0, b"group:4"),
        ("cs.dirty.scope", 0, b""),
        *(("cs.dirty.product", partition, b"") for partition in range(PARTITIONS)),
    ]
    assert msgspec.json.decode(outgoing[1].value or b"", type=Dirty).refers_to == "group:*"


def test_a_swap_of_tables_is_a_command() -> None:
    """INTERLEAVING 12: RENAME gives no row event."""
    (command,) = stage(FakeShop()).process([ddl("RENAME TABLE a TO catalog_product_website", ts_ms=3_000)])

    assert command.topic == "cs.control"
    assert msgspec.json.decode(command.value or b"", type=ResyncProgress).reason == "ddl"


@pytest.mark.parametrize("snapshot", ["true", True, "last", "first"])
def test_ddl_of_the_connector_s_own_snapshot_is_no_change(snapshot: object) -> None:
    """The topic begins with the DDL of every table as it was."""
    assert stage(FakeShop()).process([ddl("DROP TABLE catalog_product_website", snapshot)]) == []


def test_the_501st_entity_of_a_transaction_goes_to_the_bulk_lane() -> None:
    """An import is bulk; the first 500 are served at once."""
    changes = [product_change(f"sku-{n}", offset=n) for n in range(501)]

    outgoing = stage(FakeShop()).process(changes)

    assert len(dirty(outgoing)) == 500
    assert list(dirty(outgoing, BULK)) == ["sku-500"]


def test_bulk_work_of_many_small_edits_waits_for_nothing_and_that_of_an_import_does() -> None:
    """At more than 50 edits a second some are bulk; an import's next bunch may concern the same entity."""
    edits = stage(FakeShop()).process([product_change(f"sku-{n}", offset=n, pos=n + 1) for n in range(501)])
    imported = stage(FakeShop()).process([product_change(f"sku-{n}", offset=n) for n in range(501)])

    assert (dirty(edits, BULK)["sku-500"].ripe, dirty(imported, BULK)["sku-500"].ripe) == (True, False)


def large(shop: FakeShop, **where: int) -> list[Record]:
    """Changes of so many products of one transaction that it is a large one; the first is product 7."""
    ids = range(7, 7 + LARGE_ENTITIES + 1)
    shop.skus |= {n: f"sku-{n}" for n in ids}
    return [stock_change(n, **where) for n in ids]


def test_a_relative_of_an_import_s_rows_waits_a_moment_in_its_lane() -> None:
    """Its own rows are likely to come with the next bunch; the rows' own products go at once."""
    shop = FakeShop({3: "parent"})
    shop.parents[7] = [3]

    outgoing = stage(shop).process(large(shop))

    assert sorted(dirty(outgoing)) == sorted(f"sku-{n}" for n in range(7, 58))
    assert dirty(outgoing, BULK) == {
        "parent": Dirty(
            "cataloginventory_stock_item:u", Position(1, "binlog.000001", 100), 1_000, lane="live"
        )
    }


def test_a_relative_of_a_few_rows_goes_at_once() -> None:
    """A person's edit."""
    shop = FakeShop({3: "parent"})
    shop.parents[7] = [3]

    outgoing = stage(shop).process(large(shop)[:-2])

    assert "parent" in dirty(outgoing)
    assert dirty(outgoing, BULK) == {}


def test_an_entity_goes_once_a_batch_in_the_greatest_haste() -> None:
    """Its own row came with those of its relatives: one record, at once, for the newest of them."""
    shop = FakeShop({3: "parent"})
    shop.parents[7] = [3]

    outgoing = stage(shop).process([stock_change(3, pos=50), *large(shop, pos=900)])

    assert dirty(outgoing)["parent"].position == Position(1, "binlog.000001", 900)
    assert dirty(outgoing, BULK) == {}


def test_a_relative_beyond_the_live_ones_is_bulk() -> None:
    """It waits for nothing better."""
    shop = FakeShop({3: "parent"})
    shop.parents[600] = [3]
    shop.skus |= {n: f"sku-{n}" for n in range(10, 601)}

    outgoing = stage(shop).process([stock_change(n, offset=n) for n in range(10, 601)])

    assert dirty(outgoing, BULK)["parent"].lane is None


def test_the_501st_vanished_row_of_a_transaction_goes_to_the_bulk_lane() -> None:
    """INTERLEAVING 30: a mass delete asks every partition for each row, and must not stand before edits."""
    changes = [price_change(n, offset=n) for n in range(1, 502)]

    outgoing = stage(FakeShop()).process(changes)

    assert len(references(outgoing)) == 500 * PARTITIONS
    assert [(r.partition, r.key) for r in outgoing if r.topic == BULK] == [
        (n, b"") for n in range(PARTITIONS)
    ]


def test_a_row_that_may_not_be_visible_yet_is_looked_for_again() -> None:
    """INTERLEAVING 13: where no position can be compared, "not found" counts only `echo_s` later."""
    shop = FakeShop()
    shop.blind = frozenset({1})
    held = stage(shop)
    with pytest.raises(Waiting) as waiting:
        held.process([price_change(7)])

    shop.skus[7] = "A"

    assert waiting.value.retry_after_s == 2
    assert list(dirty(held.process([price_change(7)]))) == ["A"]


def test_a_row_that_is_gone_is_waited_for_once() -> None:
    """The second look decides; the next batch waits for itself."""
    shop = FakeShop()
    shop.blind = frozenset({1})
    held = stage(shop)
    with pytest.raises(Waiting):
        held.process([price_change(7)])

    assert references(held.process([price_change(7)])) == [(n, "product:7") for n in range(PARTITIONS)]
    with pytest.raises(Waiting):
        held.process([price_change(8, offset=9)])


def test_rows_that_are_found_are_never_waited_for() -> None:
    """A blind look-up that finds its rows is as good as another; also where "none" is the usual answer."""
    shop = FakeShop({7: "A"})
    shop.blind = frozenset({1})
    row = {"value_id": 1, "entity_id": 7, "value": 1}

    outgoing = stage(shop).process([change("catalog_product_entity_int", "u", row, {**row, "value": 2})])

    assert list(dirty(outgoing)) == ["A"]


@pytest.mark.parametrize(
    ("op", "options", "whole"),
    [
        ("c", {3: [9]}, True),
        ("c", {3: [9, 12]}, True),
        ("c", {3: [4, 9]}, False),
        ("d", {}, True),
        ("d", {3: [12]}, False),
        ("u", {3: [9]}, False),
    ],
)
def test_the_first_option_of_an_attribute_and_the_last_are_changes_of_everything(
    op: str, options: dict[int, list[int]], whole: bool
) -> None:
    """Values that were text become option ids, and back: products that hold them refer to no option."""
    shop = FakeShop()
    shop.options_of_attribute = options
    row = {"option_id": 9, "attribute_id": 3, "sort_order": 0}
    images = {"c": (None, row), "d": (row, None), "u": (row, {**row, "sort_order": 1})}[op]

    outgoing = stage(shop).process([change("eav_attribute_option", op, *images)])

    assert references(outgoing) == [(n, "option:9") for n in range(PARTITIONS)]
    assert [record.key for record in outgoing if record.topic == "cs.control"] == [b"resync:product"] * whole


def test_a_retried_batch_counts_its_entities_once() -> None:
    """The lane of an entity does not change because the batch had to wait."""
    held = stage(FakeShop())
    changes = [product_change(f"sku-{n}", offset=n) for n in range(500)]

    assert dirty(held.process(changes), BULK) == {}
    assert dirty(held.process(changes), BULK) == {}


def test_the_table_prefix_is_left_out_of_the_rules() -> None:
    """`m2_catalog_product_entity` is `catalog_product_entity`."""
    row = {"entity_id": 1, "sku": "A"}

    outgoing = stage(FakeShop(), "m2_").process([change("m2_catalog_product_entity", "c", None, row)])

    assert dirty(outgoing)["A"].reason == "catalog_product_entity:c"


def test_positions_of_two_servers_keep_the_one_that_streams_now() -> None:
    """INTERLEAVING 16: after a failover file names restart; they cannot be compared."""
    first = product_change("A", pos=900)
    other = msgspec.json.decode(product_change("A", pos=4).value or b"")
    other["source"]["server_id"] = 2

    outgoing = stage(FakeShop()).process([first, replace(first, value=msgspec.json.encode(other))])

    assert dirty(outgoing)["A"].position == Position(2, "binlog.000001", 4)


def of_server(number: int, record: Record) -> Record:
    event = msgspec.json.decode(record.value or b"")
    event["source"]["server_id"] = number
    return replace(record, value=msgspec.json.encode(event))


def test_no_position_stands_for_one_of_another_server() -> None:
    """INTERLEAVING 16: topics are read in turn, so the old server's change may be the last of a batch.

    The builder may have seen that one long ago, and would take the new server's for seen.
    """
    first = of_server(2, product_change("A", pos=4, ts_ms=9_000))
    then = of_server(1, price_change(1, pos=900, ts_ms=1_000))

    outgoing = stage(FakeShop({1: "A"})).process([first, then])

    records = [msgspec.json.decode(record.value or b"", type=Dirty) for record in outgoing]
    assert [(record.topic, record.key) for record in outgoing] == [(LIVE, b"A")] * 2
    assert [dirty.position for dirty in records] == [
        Position(2, "binlog.000001", 4),
        Position(1, "binlog.000001", 900),
    ]


def test_a_command_is_no_older_than_the_newest_change_behind_it() -> None:
    """INTERLEAVING 16: whichever of two servers' changes is read last."""
    path = {"scope": "default", "scope_id": 0, "path": "general/locale/weight_unit"}
    first, then = (
        change("core_config_data", "u", {**path, "value": "a"}, {**path, "value": "b"}, **where)
        for where in ({"pos": 4, "ts_ms": 9_000}, {"pos": 900, "ts_ms": 1_000})
    )

    (record,) = stage(FakeShop()).process([of_server(2, first), of_server(1, then)])

    command = msgspec.json.decode(record.value or b"", type=ResyncProgress)
    assert command.position == Position(2, "binlog.000001", 4)


def test_a_batch_tells_how_late_it_is() -> None:
    """Seconds since the commit of its newest change."""
    now_ms = time.time_ns() // 1_000_000

    stage(FakeShop({1: "A"})).process(
        [price_change(1, ts_ms=now_ms - 60_000), price_change(1, ts_ms=now_ms - 4_000)]
    )

    assert sampled("commerce_sync_lag_seconds", "stage", stage="router")["router"] == pytest.approx(4, abs=2)
