"""Columns that only the paid edition has, changed one by one: versions, row ids, sequences, permissions.

As in `test_product_columns`; the same shop, each product and category with a version that is over and one to
come. What links a row to a version holds row ids there, and each row id is another entity's id too.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import commerce_edition
import pytest
from asyncmy.connection import Connection
from cases import FOLDER, statements
from commerce_edition import AFTER, BEFORE, BEGIN, END, LINKED, OPEN_END, SEQUENCES
from mutation import REPORT, Catalog, Marked, build, changed_entities, keys_of, literal, merged, taken_back
from shop import Shop

from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from commerce_sync.sample.database import connected
from consumers.router.rules import touched
from consumers.router.versions import as_open_source, look_up, of_entities
from runtime.database import Database
from runtime.errors import Transient
from schemas.edition import Edition
from schemas.tables import PAID_TABLES

pytestmark = pytest.mark.stack

OWN_TABLES = PAID_TABLES
PERMISSIONS = """
INSERT INTO magento_catalogpermissions (permission_id, category_id, website_id, customer_group_id,
    grant_catalog_category_view, grant_catalog_product_price, grant_checkout_items) VALUES
    (1, 5, 1, 1, -1, -2, -2), (2, 3, NULL, NULL, -2, -1, -1), (3, 22, 2, 2, -1, -1, -2);
INSERT INTO catalog_category_entity_text (attribute_id, store_id, entity_id, value) VALUES (47, 0, 5, 'Bags');
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
    ('default', 0, 'catalog/magento_catalogpermissions/enabled', '1');
"""
# Other values to try.
OTHERS: Mapping[str, tuple[Any, ...]] = {
    "created_in": (END - 1, 1),
    "updated_in": (BEGIN + 1, OPEN_END),
    "category_id": (4, 7),
    "website_id": (2, None),
    "customer_group_id": (1, None),
    "grant_catalog_category_view": (-1, -2),
    "grant_catalog_product_price": (-1, -2),
    "grant_checkout_items": (-1, -2),
}
# Of entities' tables the bounds of versions; of those that belong to a version what names it.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "magento_catalogpermissions": tuple(name for name in OTHERS if not name.endswith("_in")),
    **dict.fromkeys(LINKED, ("created_in", "updated_in")),
    **{table: (columns[1],) for tables in LINKED.values() for table, columns in tables.items()},
}
# Nothing is made of their rows.
INERT: Mapping[str, set[str]] = {
    "catalog_product_entity_gallery": {"row_id"},
    # A bundle's options say whose they are.
    "catalog_product_bundle_selection": {"parent_product_id"},
    "catalog_product_bundle_selection_price": {"parent_product_id"},
    "catalog_category_entity_datetime": {"row_id"},
    "catalog_category_entity_decimal": {"row_id"},
}
ROWS_MAX = 3


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    """One of its own, in the paid edition."""
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    table = next(s for s in statements(FOLDER / "categoryPermissions" / "rows.sql") if s.startswith("CREATE"))
    shop.hold([*statements(FOLDER / "base.sql"), *statements(FOLDER / "every_table.sql"), table])
    shop.execute(*(text for part in PERMISSIONS.split(";\n") if (text := part.strip())))
    run(shop, commerce_edition.convert)
    run(shop, commerce_edition.add_versions)
    yield shop
    shop.close()


@pytest.fixture(scope="module")
def before(shop: Shop) -> Catalog:
    return build(shop.database)


def run(shop: Shop, act: Callable[[Connection], Awaitable[Any]]) -> None:
    async def connect() -> None:
        async with connected(shop.address) as connection:
            await act(connection)

    asyncio.run(connect())


@pytest.mark.parametrize("table", COLUMNS)
def test_a_change_of_any_column_marks_all_it_alters(shop: Shop, before: Catalog, table: str) -> None:
    """In some rows of current versions, to other values; what alters no item is listed by hand."""
    keys = keys_of(shop, table)
    altering, marking = set(), set()
    for row in rows_of(shop.database, table):
        for column in COLUMNS[table]:
            for other in others(column, row[column]):
                with taken_back(shop.database) as database:
                    change = f"UPDATE {table} SET {column} = {literal(other)} WHERE {where(keys, row)}"
                    if not write(database, change):
                        continue
                    after = build(database)
                    marked, touches = mark(database, table, "u", row, {**row, column: other})
                differing = changed_entities(before, after)
                missed = marked.missed(differing, merged(before, after))
                assert missed == [], f"{table}.{column}: {row} to {other}"
                altering |= {column} if differing else set()
                marking |= {column} if touches else set()

    REPORT.note(table, {*COLUMNS[table]}, altering, marking)
    assert {*COLUMNS[table]} - altering == INERT.get(table, set())


@pytest.mark.parametrize("table", [*SEQUENCES.values(), "magento_catalogpermissions"])
def test_a_row_that_goes_marks_all_it_alters(shop: Shop, before: Catalog, table: str) -> None:
    """Of an id all rows of the entity go by cascade, which no log tells of."""
    keys = keys_of(shop, table)
    found = set()
    for row in rows_of(shop.database, table, 8):
        with taken_back(shop.database) as database:
            assert write(database, f"DELETE FROM {table} WHERE {where(keys, row)}")
            without = build(database)
            marked, _ = mark(database, table, "d", row, None)
        differing = changed_entities(before, without)
        found |= differing
        assert marked.missed(differing, before) == [], f"deleting {row} of {table}"

    assert found
    REPORT.note(table, {*keys}, {*keys}, {*keys})


@pytest.mark.parametrize("table", SEQUENCES)
def test_a_version_that_comes_marks_all_it_alters(shop: Shop, before: Catalog, table: str) -> None:
    """One that counts at once, of something that had none: an entity whose current version is over."""
    for row in rows_of(shop.database, table):
        with taken_back(shop.database) as database:
            assert write(
                database, f"UPDATE {table} SET updated_in = {BEGIN + 1} WHERE row_id = {row['row_id']}"
            )
            without = build(database)
            change = {**row, "row_id": row["row_id"] + AFTER, "created_in": END, "updated_in": OPEN_END}
            begun = {**change, "created_in": BEGIN + 1}
            assert write(
                database, f"UPDATE {table} SET created_in = {BEGIN + 1} WHERE row_id = {change['row_id']}"
            )
            again = build(database)
            marked, _ = mark(database, table, "u", change, begun)
        differing = changed_entities(without, again)

        assert differing
        assert marked.missed(differing, without) == [], f"{begun} of {table}"


def mark(
    database: Database, table: str, op: str, row: dict[str, Any] | None, changed: dict[str, Any] | None
) -> tuple[Marked, bool]:
    """Who is marked, as the router finds it by row ids, and whether anything was looked into."""
    images = [as_open_source(database.edition, table, image) for image in (row, changed)]
    touches = touched(table, op, *images)
    return Marked(database, of_entities(touches, look_up(database, "", touches))), bool(touches)


def others(column: str, value: Any) -> list[Any]:
    """Values to put in the place of one; a row id is put in the place of the next."""
    if column in OTHERS:
        return [other for other in OTHERS[column] if other != value]
    return [value - 1, value + 1]


def rows_of(database: Database, table: str, rows_max: int = ROWS_MAX) -> list[dict[str, Any]]:
    """Rows of current versions, and rows that have none."""
    columns = [
        name
        for (name,) in database.query(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
            " AND table_name = %s ORDER BY ordinal_position",
            (table,),
        )
    ]
    current = f"row_id < {BEFORE}" if table in LINKED else "1 = 1"
    for tables in LINKED.values():
        if table in tables:
            current = f"{tables[table][1]} < {BEFORE}"
    with as_it_is(database):
        found = database.query(
            f"SELECT {', '.join(columns)} FROM {table} WHERE {current} ORDER BY 1 LIMIT {rows_max}"
        )
    return [dict(zip(columns, row, strict=True)) for row in found]


def where(keys: list[str], row: dict[str, Any]) -> str:
    return " AND ".join(f"{key} = {literal(row[key])}" for key in keys)


def write(database: Database, statement: str) -> bool:
    """False where the database refuses it."""
    try:
        with as_it_is(database):
            database.query(statement.replace("%", "%%"))
    except Transient:
        return False
    return True


@contextmanager
def as_it_is(database: Database) -> Iterator[None]:
    """Statements name the tables of the paid edition, not those of Open Source."""
    edition, database._edition = database.edition, Edition()
    try:
        yield
    finally:
        database._edition = edition
