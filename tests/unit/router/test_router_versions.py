"""A change of a staged version's row reaches the entity it is a version of."""

from typing import Any

import msgspec
import pytest
from change_events import change, ddl
from fake_shop import FakeShop

from consumers.router.rules import RULES
from consumers.router.stage import RouterStage
from runtime.errors import Waiting
from runtime.record import Outgoing
from schemas.edition import LINKS, edition_of
from schemas.records import Dirty
from schemas.topics import TopicNames

VERSIONED = ("row_id", "entity_id", "created_in", "updated_in", "sku")


@pytest.fixture
def shop() -> FakeShop:
    """Product 7, whose rows 70 and 71 are versions; row 7 is one of product 9. Category 5 has row 50."""
    shop = FakeShop({7: "seven", 9: "nine"})
    entities = ("catalog_product_entity", "catalog_category_entity")
    shop.edition = edition_of(
        [
            *((table, column) for table in entities for column in VERSIONED),
            *((table, link.column) for table, link in LINKS.items()),
        ]
    )
    shop.versions = {"product": {70: 7, 71: 7, 7: 9}, "category": {50: 5}}
    return shop


def routed(shop: FakeShop, table: str, op: str, before: Any, after: Any) -> list[tuple[str, str, str | None]]:
    """(topic, key, reference) of each dirty record, references once."""
    stage = RouterStage(shop, TopicNames("cs"), 1, "", 3.0)  # type: ignore[arg-type]
    return [told(record) for record in stage.process([change(table, op, before, after)])]


def told(record: Outgoing) -> tuple[str, str, str | None]:
    dirty = msgspec.json.decode(record.value or b"", type=Dirty)
    return record.topic, record.key.decode(), dirty.refers_to


@pytest.mark.parametrize(
    "table", sorted(table for table, link in LINKS.items() if link.of == "product" and table in RULES)
)
def test_a_row_of_any_version_touches_its_product(shop: FakeShop, table: str) -> None:
    """A version that is not current says when it will be; and no row id is taken for a product's id."""
    column = LINKS[table].column
    row = {"value_id": 1, column: 70, "value": 1, "qty": 1}

    for number in (70, 71):
        assert routed(shop, table, "c", None, {**row, column: number}) == [
            ("cs.dirty.product", "seven", None)
        ]
    assert routed(shop, table, "u", {**row, column: 7}, {**row, column: 7, "value": 2, "qty": 2}) == [
        ("cs.dirty.product", "nine", None)
    ]


def test_a_row_of_a_category_touches_it_and_who_refers_to_it(shop: FakeShop) -> None:
    """By the category's id."""
    row = {"value_id": 1, "row_id": 50, "attribute_id": 46, "store_id": 0, "value": 1}

    assert routed(shop, "catalog_category_entity_int", "u", row, {**row, "value": 0}) == [
        ("cs.dirty.category", "", "category:5"),
        ("cs.dirty.product", "", "category:5"),
        ("cs.dirty.category", "5", None),
    ]


def test_a_row_of_a_version_that_is_gone_touches_nothing(shop: FakeShop) -> None:
    """The version's own row, deleted with it, named the product."""
    row = {"value_id": 1, "row_id": 99, "value": 1}

    assert routed(shop, "catalog_product_entity_int", "d", row, None) == []


def test_a_row_that_may_only_be_not_visible_yet_is_waited_for(shop: FakeShop) -> None:
    """Once, as for every other id."""
    shop.blind = frozenset({2})
    row = {"value_id": 1, "row_id": 99, "value": 1}

    with pytest.raises(Waiting):
        routed(shop, "catalog_product_entity_int", "c", None, row)


def test_when_a_version_begins_or_ends_matters_also_to_its_neighbours(shop: FakeShop) -> None:
    """Scheduling an update changes nothing else; the version that takes over may have other children."""
    row = {"row_id": 70, "entity_id": 7, "sku": "seven", "created_in": 1, "updated_in": 2_147_483_647}
    shop.children[7] = [9]

    assert routed(shop, "catalog_product_entity", "u", row, {**row, "updated_in": 1_800_000_000}) == [
        ("cs.dirty.product", "seven", None),
        ("cs.dirty.product", "nine", None),
        ("cs.dirty.product", "", "product:7"),
    ]
    assert routed(shop, "catalog_product_entity", "c", None, row) == [("cs.dirty.product", "seven", None)]


def test_ids_that_go_take_their_entities_along(shop: FakeShop) -> None:
    """The entity's rows are deleted by cascade then, without a trace."""
    product = routed(shop, "sequence_product", "d", {"sequence_value": 7}, None)
    category = routed(shop, "sequence_catalog_category", "d", {"sequence_value": 5}, None)

    assert product == [("cs.dirty.product", "", "product:7")]
    assert category == [
        ("cs.dirty.category", "", "category:5"),
        ("cs.dirty.product", "", "category:5"),
        ("cs.dirty.category", "5", None),
    ]
    assert routed(shop, "sequence_product", "c", None, {"sequence_value": 8}) == []


def test_after_a_schema_change_the_edition_is_looked_for_again(shop: FakeShop) -> None:
    """The tables may be another edition's from then on."""
    stage = RouterStage(shop, TopicNames("cs"), 1, "", 3.0)  # type: ignore[arg-type]

    stage.process([ddl("ALTER TABLE catalog_product_entity ADD row_id INT")])

    assert shop.forgotten == 1
