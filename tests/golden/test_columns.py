"""Every column of the tables that categories, attributes and scopes are made of, changed one by one.

Two full builds are compared: whatever items changed must belong to entities that the routing table marks for
that row change, by key, by reference or as a whole. A dependency that nobody thought of is found by itself.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from asyncmy.errors import Error
from cases import FOLDER, statements
from mutation import REPORT, Catalog, build, changed_entities, columns_of, keys_of, literal, merged
from shop import Shop

from consumers.router.resolve import DIRECT
from consumers.router.rules import Touch, referrers, touched
from schemas.tables import CATEGORY_TABLES

pytestmark = pytest.mark.stack

TABLES = (
    "store_website",
    "store_group",
    "store",
    "customer_group",
    "customer_group_excluded_website",
    "core_config_data",
    "eav_attribute",
    "catalog_eav_attribute",
    "eav_attribute_label",
    *(table for table in CATEGORY_TABLES if table != "catalog_category_product"),
)
# Rows besides those that every case starts from: at least one of each table, and what their columns decide.
ROWS = """
INSERT INTO customer_group (customer_group_id, customer_group_code, tax_class_id) VALUES
    (0, 'NOT LOGGED IN', 3), (1, 'General', 3);
INSERT INTO customer_group_excluded_website (customer_group_id, website_id) VALUES (1, 2);
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'currency/options/base', 'USD'), ('websites', 2, 'currency/options/base', 'EUR'),
    ('default', 0, 'catalog/price/scope', '1'), ('default', 0, 'catalog/frontend/default_sort_by', 'price'),
    ('default', 0, 'design/head/title', 'Shop'),
    ('default', 0, 'general/locale/timezone', 'Nowhere'), ('stores', 2, 'general/locale/timezone', 'UTC');
UPDATE eav_attribute SET frontend_label = 'Color', frontend_input = 'select' WHERE attribute_id = 93;
INSERT INTO catalog_eav_attribute (attribute_id) VALUES (93), (97);
INSERT INTO eav_attribute_label (attribute_id, store_id, value) VALUES (93, 2, 'Farbe');
INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (45, 0, 22, 'Bags'), (45, 2, 22, 'Taschen'), (48, 0, 22, 'bags.jpg');
INSERT INTO catalog_category_entity_text (attribute_id, store_id, entity_id, value) VALUES
    (47, 0, 22, 'All bags');
INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type) VALUES
    (61, 3, 'custom_from', 'datetime'), (72, 3, 'price_range', 'decimal');
INSERT INTO catalog_category_entity_datetime (attribute_id, store_id, entity_id, value) VALUES
    (61, 0, 22, '2024-01-01');
INSERT INTO catalog_category_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (72, 0, 22, 1.5);
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES (1, 'A', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 2);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (97, 0, 1, 1), (99, 0, 1, 4), (93, 0, 1, 41);
INSERT INTO catalog_category_product (category_id, product_id, position) VALUES (22, 1, 3);
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES (78, 0, 1, 5);
INSERT INTO catalog_product_entity_datetime (attribute_id, store_id, entity_id, value) VALUES
    (79, 0, 1, '2024-01-10');
"""
# Columns whose change alters some item of this shop, beside those that name a row. Written by hand from the
# feeds' field lists.
ALTERING: Mapping[str, set[str]] = {
    # A website's time zone may be that of its default store view.
    "store_website": {"code", "name", "default_group_id"},
    "store_group": {"website_id", "root_category_id", "code", "default_store_id"},
    "store": {"code", "website_id", "group_id"},
    "customer_group": {"customer_group_code"},
    "customer_group_excluded_website": {"customer_group_id", "website_id"},
    "core_config_data": {"scope", "scope_id", "path", "value"},
    "eav_attribute": {
        *("entity_type_id", "attribute_code", "backend_type", "frontend_input", "frontend_label"),
        *("frontend_class", "source_model", "is_required", "is_user_defined", "is_unique"),
    },
    "catalog_eav_attribute": {
        *("attribute_id", "is_global", "is_visible", "is_searchable", "is_filterable", "is_comparable"),
        *("is_visible_on_front", "is_used_for_price_rules", "is_filterable_in_search"),
        *("used_in_product_listing", "used_for_sort_by", "search_weight"),
    },
    "eav_attribute_label": {"attribute_id", "store_id", "value"},
    "catalog_category_entity": {"parent_id", "path", "position", "level"},
    "catalog_category_entity_int": {"attribute_id", "store_id", "entity_id", "value"},
    "catalog_category_entity_varchar": {"attribute_id", "store_id", "entity_id", "value"},
    "catalog_category_entity_text": {"attribute_id", "store_id", "entity_id", "value"},
    "catalog_category_entity_datetime": set(),
    "catalog_category_entity_decimal": set(),
}
# Columns whose change is looked into though it alters no item of this shop.
MARKING_ONLY: Mapping[str, set[str]] = {
    # Swatches of configurable products, of which there are none.
    "catalog_eav_attribute": {"additional_data"},
}
# So many rows of each table are changed.
ROWS_MAX = 6
# Which rows of a table that has many.
CHOSEN: Mapping[str, str] = {"eav_attribute": "attribute_id IN (73, 93, 97, 45, 119)"}
# Other values to try, where adding one or a letter would mean nothing.
OTHERS: Mapping[str, tuple[Any, ...]] = {
    "is_global": (0, 2),
    "is_visible": (0,),
    "website_id": (1, 2),
    "group_id": (1, 2),
    "root_category_id": (2, 20),
    "store_id": (0, 1, 2, 3),
    "customer_group_id": (0, 1),
    "entity_id": (1, 20, 21, 22),
    "attribute_id": (45, 46, 47, 48, 54, 69, 93, 97, 119),
    "entity_type_id": (3, 4),
    "scope": ("default", "websites", "stores"),
    "scope_id": (0, 1, 2),
    "path": (
        "1/2/3/22",
        "currency/options/base",
        "web/unsecure/base_url",
        "catalog/frontend/default_sort_by",
    ),
    "backend_type": ("int", "varchar", "text", "decimal", "static"),
    "frontend_input": ("text", "boolean", "multiselect"),
    "frontend_class": ("validate-number",),
    "source_model": (r"Magento\Eav\Model\Entity\Attribute\Source\Boolean",),
    "attribute_code": ("another",),
    "parent_id": (2, 3, 20, 21),
}


def built(shop: Shop) -> Catalog:
    with shop.database.snapshot() as snapshot:
        return build(snapshot)


def is_marked(entity: str, key: str, touches: list[Touch], catalog: Catalog) -> bool:
    """Does one of the touches reach the entity, as its last build knows what it refers to?"""
    refs = catalog.refs.get((entity, key), frozenset())
    return any(
        (touch.kind == "everything" and touch.value == entity)
        or (touch.kind in DIRECT and (touch.kind, touch.value) == (entity, key))
        or (touch.kind == "refers_to" and entity in referrers(touch.value) and touch.value in refs)
        for touch in touches
    )


def others(column: str, value: Any) -> list[Any]:
    """Values to put in the place of one."""
    if column in OTHERS:
        return [other for other in OTHERS[column] if other != value]
    if value is None:
        return ["1"]
    if isinstance(value, datetime):
        return [value + timedelta(days=1)]
    if isinstance(value, str) and not value.isdigit():
        return [value + "x"]
    return [int(value) + 1 if str(value).isdigit() else value + type(value)(1)]


def rows_of(shop: Shop, table: str) -> list[dict[str, Any]]:
    columns = columns_of(shop, table)
    with shop.database.snapshot() as snapshot:
        chosen = CHOSEN.get(table, "1 = 1")
        rows = snapshot.query(f"SELECT {', '.join(columns)} FROM {table} WHERE {chosen} ORDER BY 1, 2")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def reset(shop: Shop) -> None:
    extra = [text for part in ROWS.split(";\n") if (text := part.strip())]
    shop.hold(statements(FOLDER / "base.sql"), extra)


@pytest.mark.parametrize("table", TABLES)
def test_a_change_of_any_column_marks_all_it_alters(shop: Shop, table: str) -> None:
    """Of every row, to every other value the table takes; what alters items is what the feeds declare."""
    reset(shop)
    before = built(shop)
    keys = keys_of(shop, table)
    altering, marking = set(), set()
    for row in rows_of(shop, table)[:ROWS_MAX]:
        for column in row.keys() - {"updated_at", "created_at"}:
            for other in others(column, row[column]):
                changed = {**row, column: other}
                if not update(shop, table, keys, row, changed):
                    continue
                after = built(shop)
                touches = touched(table, "u", row, changed)
                differing = changed_entities(before, after)
                assert update(shop, table, keys, changed, row)

                missed = [
                    one for one in sorted(differing) if not is_marked(*one, touches, merged(before, after))
                ]
                assert missed == [], f"{table}.{column} of {row} to {other!r} marks only {touches}"
                altering |= {column} if differing else set()
                marking |= {column} if touches else set()

    REPORT.note(table, {*columns_of(shop, table)} - {"updated_at", "created_at"}, altering, marking)
    assert altering == ALTERING[table]
    assert marking - altering == MARKING_ONLY.get(table, set())


@pytest.mark.parametrize("table", TABLES)
def test_a_row_that_goes_and_comes_marks_all_it_alters(shop: Shop, table: str) -> None:
    """Rows that a foreign key takes along are in no log: the index has to know who used them."""
    for number in range(len(rows_of(shop, table)[:ROWS_MAX])):
        reset(shop)
        before = built(shop)
        row = rows_of(shop, table)[number]
        keys = keys_of(shop, table)
        where = " AND ".join(f"{key} = {literal(row[key])}" for key in keys)
        if not attempt(shop, f"DELETE FROM {table} WHERE {where}"):
            continue
        without = built(shop)
        missed = [
            one
            for one in sorted(changed_entities(before, without))
            if not is_marked(*one, touched(table, "d", row, None), before)
        ]
        assert missed == [], f"deleting {row} of {table}"
        columns, values = ", ".join(row), ", ".join(literal(value) for value in row.values())
        assert attempt(shop, f"INSERT INTO {table} ({columns}) VALUES ({values})")
        again = built(shop)
        missed = [
            one
            for one in sorted(changed_entities(without, again))
            if not is_marked(*one, touched(table, "c", None, row), without)
        ]
        assert missed == [], f"adding {row} to {table}"


def update(shop: Shop, table: str, keys: list[str], row: dict[str, Any], changed: dict[str, Any]) -> bool:
    """Make one row another; False where the database refuses it."""
    members = ", ".join(
        f"{column} = {literal(value)}" for column, value in changed.items() if value != row[column]
    )
    where = " AND ".join(f"{key} = {literal(row[key])}" for key in keys)
    return attempt(shop, f"UPDATE {table} SET {members} WHERE {where}")


def attempt(shop: Shop, statement: str) -> bool:
    try:
        # A zero is a value of these keys, not the next free one.
        shop.execute("SET sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')", statement)
    except Error:
        return False
    return True
