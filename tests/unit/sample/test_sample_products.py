"""The sample catalog is one catalog: deterministic, whole, and with every case in it."""

import unicodedata
from collections import Counter, defaultdict
from datetime import date
from typing import Any

import pytest

from commerce_sync.sample.attributes import PRODUCT_ATTRIBUTES
from commerce_sync.sample.ddl import TABLES
from commerce_sync.sample.products import CHUNK_PRODUCTS, chunks
from commerce_sync.sample.rows import COLUMNS, Row

Catalog = dict[str, list[Row]]

PRODUCTS = 1600
TODAY = date(2026, 3, 1)


def _catalog(products: int, seed: int) -> Catalog:
    tables: defaultdict[str, list[Row]] = defaultdict(list)
    for _, chunk in chunks(products, seed, TODAY):
        for table, rows in chunk.items():
            tables[table] += rows
    return dict(tables)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return _catalog(PRODUCTS, 1)


def _columns(catalog: Catalog, table: str, *columns: str) -> list[Row]:
    places = [COLUMNS[table].index(column) for column in columns]
    return [tuple(row[place] for place in places) for row in catalog[table]]


def _folded(value: Any) -> Any:
    """As the tables' collation compares: no case, no accents."""
    if not isinstance(value, str):
        return value
    letters = unicodedata.normalize("NFKD", value.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def test_equal_seeds_give_equal_rows(catalog: Catalog) -> None:
    """Nothing but the arguments decides: no clock, no hash order."""
    again = _catalog(PRODUCTS, 1)
    other = _catalog(PRODUCTS, 2)

    assert again == catalog
    assert other["catalog_product_entity_varchar"] != catalog["catalog_product_entity_varchar"]


def test_a_smaller_catalog_is_the_beginning_of_a_bigger_one(catalog: Catalog) -> None:
    """So a case found in one is there in the other."""
    small = _catalog(100, 1)

    assert small["catalog_product_entity"] == catalog["catalog_product_entity"][:100]


def test_catalog_rules_count_today_wherever_the_website_is(catalog: Catalog) -> None:
    """Yesterday's and tomorrow's prices are there too, as in a shop whose index runs every day."""
    days = Counter(day for (day,) in _columns(catalog, "catalogrule_product_price", "rule_date"))

    assert set(days) == {"2026-02-28", "2026-03-01", "2026-03-02"}
    assert len(set(days.values())) == 1


def test_chunks_say_how_far_they_go() -> None:
    """The first holds everything but products; none holds more than a transaction should."""
    chunk_list = list(chunks(2 * CHUNK_PRODUCTS + 1, 1, TODAY))

    assert [done for done, _ in chunk_list] == [0, CHUNK_PRODUCTS, 2 * CHUNK_PRODUCTS, 2 * CHUNK_PRODUCTS + 1]
    assert [len(rows.get("catalog_product_entity", ())) for _, rows in chunk_list] == [0, 1000, 1000, 1]


def test_every_row_has_the_columns_of_its_table(catalog: Catalog) -> None:
    """A row too short or a column misspelt would only be found by a database."""
    widths = {table: {len(row) for row in rows} for table, rows in catalog.items()}
    known = {
        name: {entry.split()[0] for entry in table.entries if entry.split()[0] not in {"cascade"}}
        for name, table in TABLES.items()
    }

    assert widths == {table: {len(COLUMNS[table])} for table in catalog}
    assert {table: set(columns) - known[table] for table, columns in COLUMNS.items()} == {
        table: set() for table in COLUMNS
    }


def test_no_two_rows_share_a_unique_key(catalog: Catalog) -> None:
    """Compared as the collation does, or the database would refuse what Python holds apart."""
    doubles = {}
    for name in catalog:
        for entry in TABLES[name].entries:
            kind, *key = entry.split()
            if kind in {"primary", "unique"} and set(key) <= set(COLUMNS[name]):
                counted = Counter(tuple(map(_folded, each)) for each in _columns(catalog, name, *key))
                doubles[name, *key] = [each for each, count in counted.items() if count > 1]

    assert {key: found for key, found in doubles.items() if found} == {}
    assert ("url_rewrite", "request_path", "store_id") in doubles


def test_every_reference_leads_to_a_row(catalog: Catalog) -> None:
    """The load switches the database's own check off."""
    lost = {}
    checked = 0
    for name, rows in catalog.items():
        for entry in TABLES[name].entries:
            words = entry.split()
            if words[0] != "cascade" or words[1] not in COLUMNS[name]:
                continue
            parent, key = words[3].split(".")
            there = {value for (value,) in _columns(catalog, parent, key)}
            values = {value for (value,) in _columns(catalog, name, words[1])}
            checked += len(rows)
            if values - there:
                lost[name, words[1]] = sorted(values - there)[:3]

    assert lost == {}
    assert checked > 100_000


def test_every_product_type_is_there(catalog: Catalog) -> None:
    """A family of 16 holds each: ten simple ones (four of them variants) and two others twice."""
    types = Counter(type_id for (type_id,) in _columns(catalog, "catalog_product_entity", "type_id"))

    assert types == {
        "simple": 1100,
        "virtual": 100,
        "downloadable": 100,
        "configurable": 100,
        "grouped": 100,
        "bundle": 100,
    }


def test_no_two_skus_are_the_same_to_the_collation(catalog: Catalog) -> None:
    """Commerce would refuse them, and one would hide the other."""
    skus = [sku for (sku,) in _columns(catalog, "catalog_product_entity", "sku")]

    assert len({_folded(sku) for sku in skus}) == PRODUCTS
    assert [any(mark in sku for sku in skus) for mark in (" ", "/", "ï", "日", '"', "<", "%", "\\")] == [
        True
    ] * 8


def test_store_views_hide_defaults_with_null_but_never_what_an_item_needs(catalog: Catalog) -> None:
    """NULL names and url keys would make every such item fail at the target."""
    codes = {attribute.id: code for code, attribute in PRODUCT_ATTRIBUTES.items()}
    hidden = {
        codes[attribute_id]
        for backend in ("int", "varchar", "text")
        for attribute_id, store_id, _, value in catalog[f"catalog_product_entity_{backend}"]
        if store_id and value is None
    }

    assert hidden == {"status", "description", "meta_title"}


def test_there_are_products_in_no_website_and_composites_without_an_enabled_child(catalog: Catalog) -> None:
    """The two ways an item ends without anyone deleting its product."""
    assigned = {product for (product,) in _columns(catalog, "catalog_product_website", "product_id")}
    status = PRODUCT_ATTRIBUTES["status"].id
    disabled = {
        entity
        for attribute_id, store_id, entity, value in catalog["catalog_product_entity_int"]
        if (attribute_id, store_id, value) == (status, 0, 2)
    }
    children = defaultdict(set)
    for parent, child in catalog["catalog_product_relation"]:
        children[parent].add(child)

    assert 0 < PRODUCTS - len(assigned) < PRODUCTS // 20
    assert [parent for parent, own in children.items() if own <= disabled][:3] == [12, 172, 332]
