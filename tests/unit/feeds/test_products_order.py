"""What a product's items are does not depend on the order of rows, nor on what else a batch holds."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from random import Random
from typing import Any, Final

from hypothesis import given
from hypothesis import strategies as st

from commerce_sync.sample.ddl import TABLES
from consumers.builder.feeds import inventory_stock_status, prices, products, variants
from consumers.builder.read.products import read_products
from consumers.builder.rows import Catalog, ProductRows
from runtime.database import Query, Row
from schemas.codec import encode
from schemas.keys import content_hash

PRODUCTS: Final = (1, 2, 3)
STORES: Final = (0, 1, 2)
CATEGORIES: Final = {2: "1/2", 3: "1/2/3", 4: "1/2/3/4", 5: "1/2/3/5"}
OPTIONS: Final = (41, 42, 43)
GROUPS: Final = (0, 1, 2)
STOCKS: Final = (1, 2)
NOW_S: Final = 1_705_305_600  # 2024-01-15 08:00 UTC, midnight in Los Angeles.
# Code -> id, backend type, whether it is the merchant's.
PRODUCT_ATTRIBUTES: Final = {
    "name": (73, "varchar", 0),
    "image": (87, "varchar", 0),
    "status": (97, "int", 0),
    "visibility": (99, "int", 0),
    "material": (150, "text", 1),
    "care": (152, "varchar", 1),
    "color": (93, "int", 1),
    "price": (77, "decimal", 0),
    "special_price": (78, "decimal", 0),
    "special_to_date": (80, "datetime", 0),
}
CATEGORY_ATTRIBUTES: Final = {"is_active": (46, "int"), "is_anchor": (54, "int"), "url_key": (119, "varchar")}
# What each product and category has if not drawn otherwise, so that most of them are shown somewhere.
USUAL: Final = {
    "status": 1,
    "visibility": 4,
    "special_price": "9.500000",
    "is_active": 1,
    "is_anchor": 1,
    "url_key": "gear",
}
VALUES: Final = {
    "name": st.sampled_from((None, "Bag", "Tasche")),
    "image": st.sampled_from((None, "/a.jpg", "/b.jpg", "no_selection")),
    "status": st.sampled_from((None, 1, 1, 1, 2)),
    "visibility": st.sampled_from((None, 1, 4, 4, 4)),
    "material": st.lists(st.sampled_from(("41", "42", "43", "x")), max_size=3).map(",".join),
    "care": st.sampled_from((None, "", "dry")),
    "color": st.sampled_from((None, 41, 42)),
    "price": st.sampled_from((None, "34.000000", "5.100000")),
    "special_price": st.sampled_from((None, "0.000000", "30.000000")),
    "special_to_date": st.sampled_from((None, "2024-01-14 00:00:00", "2024-01-15 00:00:00")),
    "is_active": st.sampled_from((None, 0, 1, 1)),
    "is_anchor": st.sampled_from((None, 0, 1)),
    "url_key": st.sampled_from((None, "gear", "bags")),
}
COLUMNS: Final = {
    "store_website": "website_id, code, default_group_id",
    "store_group": "group_id, code, root_category_id, default_store_id",
    "store": "store_id, code, website_id, group_id",
    "core_config_data": "scope, scope_id, path, value",
    "eav_entity_type": "entity_type_id, entity_type_code",
    "eav_attribute": (
        "attribute_id, entity_type_id, attribute_code, backend_type, is_user_defined, source_model"
    ),
    "eav_attribute_option": "option_id, attribute_id",
    "eav_attribute_option_value": "value_id, option_id, store_id, value",
    "catalog_product_entity": (
        "entity_id, sku, type_id, created_at, updated_at, required_options, attribute_set_id"
    ),
    "catalog_product_website": "product_id, website_id",
    "catalog_product_relation": "parent_id, child_id",
    "customer_group": "customer_group_id",
    "catalog_product_entity_tier_price": (
        "value_id, entity_id, website_id, all_groups, customer_group_id, qty, value, percentage_value"
    ),
    "catalogrule_product_price": "product_id, website_id, customer_group_id, rule_date, rule_price",
    "catalog_product_super_link": "product_id, parent_id",
    "catalog_product_super_attribute": "product_id, attribute_id, position",
    "cataloginventory_stock_item": (
        "product_id, stock_id, qty, is_in_stock, min_qty, use_config_min_qty, backorders,"
        " use_config_backorders, manage_stock, use_config_manage_stock, min_sale_qty,"
        " use_config_min_sale_qty, max_sale_qty, use_config_max_sale_qty, enable_qty_increments,"
        " use_config_enable_qty_inc, qty_increments, use_config_qty_increments"
    ),
    "inventory_stock": "stock_id",
    "inventory_source": "source_code, enabled",
    "inventory_source_stock_link": "stock_id, source_code",
    "inventory_source_item": "source_code, sku, quantity, status",
    "inventory_reservation": "stock_id, sku, quantity",
    "catalog_category_product": "category_id, product_id, position",
    "catalog_category_entity": "entity_id, path, level",
    "catalog_product_entity_media_gallery": "value_id, value, media_type",
    "catalog_product_entity_media_gallery_value_to_entity": "value_id, entity_id",
    "catalog_product_entity_media_gallery_value": (
        "record_id, value_id, entity_id, store_id, label, position, disabled"
    ),
    **{
        f"catalog_{entity}_entity_{backend_type}": "attribute_id, store_id, entity_id, value"
        for entity in ("product", "category")
        for backend_type in ("int", "decimal", "text", "varchar", "datetime")
    },
}
Rows = dict[str, list[tuple[Any, ...]]]

FIXED_ROWS: Final[Rows] = {
    "store_website": [(1, "base", 1)],
    "store_group": [(1, "main", 2, 1)],
    "store": [(1, "default", 1, 1), (2, "german", 1, 1)],
    "core_config_data": [("default", 0, "web/unsecure/base_url", "http://shop.example.com/")],
    "eav_entity_type": [(3, "catalog_category"), (4, "catalog_product")],
    "eav_attribute": [
        *((number, 4, code, kind, user, None) for code, (number, kind, user) in PRODUCT_ATTRIBUTES.items()),
        *((number, 3, code, kind, 0, None) for code, (number, kind) in CATEGORY_ATTRIBUTES.items()),
    ],
    "eav_attribute_option": [(option, 150) for option in OPTIONS],
    "customer_group": [(group,) for group in GROUPS],
    "cataloginventory_stock_item": [(n, 1, n, 1, 0, 1, 0, 1, 1, 1, 1, 1, 0, 1, 0, 1, 0, 1) for n in PRODUCTS],
    "inventory_stock": [(stock,) for stock in STOCKS],
    "inventory_source": [("default", 1), ("east", 1), ("west", 1)],
    "inventory_source_stock_link": [(1, "default"), (2, "east"), (2, "west")],
    "catalog_product_entity": [(n, f"P{n}", "simple", None, None, 0, 4) for n in PRODUCTS],
    "catalog_product_website": [(n, 1) for n in PRODUCTS],
    "catalog_category_entity": [(n, path, path.count("/")) for n, path in CATEGORIES.items()],
}


@st.composite
def shops(draw: st.DrawFn) -> Rows:
    """Rows of a small shop; what no unique key forbids may be there twice."""

    def some(*columns: st.SearchStrategy[Any], size: int = 12) -> list[tuple[Any, ...]]:
        return draw(st.lists(st.tuples(*columns), max_size=size, unique=True))

    rows: Rows = {name: list(FIXED_ROWS.get(name, ())) for name in COLUMNS}
    attributes = [(code, "product", number, kind) for code, (number, kind, _) in PRODUCT_ATTRIBUTES.items()]
    attributes += [(code, "category", number, kind) for code, (number, kind) in CATEGORY_ATTRIBUTES.items()]
    for code, entity, number, kind in attributes:
        ids = PRODUCTS if entity == "product" else tuple(CATEGORIES)
        usual = {(0, one): USUAL[code] for one in ids if code in USUAL}
        places = st.tuples(st.sampled_from(STORES), st.sampled_from(ids))
        values = usual | draw(st.dictionaries(places, VALUES[code], max_size=4))
        rows[f"catalog_{entity}_entity_{kind}"] += [
            (number, *place, value) for place, value in values.items()
        ]
    product, store, position = st.sampled_from(PRODUCTS), st.sampled_from(STORES), st.integers(0, 2)
    labels = some(st.sampled_from(OPTIONS), store, st.sampled_from((None, "Wool", "Wolle")))
    rows["eav_attribute_option_value"] = [(number, *label) for number, label in enumerate(labels)]
    members = draw(
        st.dictionaries(st.tuples(st.sampled_from(tuple(CATEGORIES)), product), position, max_size=10)
    )
    rows["catalog_category_product"] = [(*place, at) for place, at in members.items()]
    rows["catalog_product_relation"] = some(product, product, size=2)
    group, money = st.sampled_from(GROUPS), st.sampled_from(("9.990000", "12.500000", "0.000000"))
    of_tier = (
        product,
        st.sampled_from((0, 1)),
        st.sampled_from((0, 1)),
        group,
        st.sampled_from(("1.0000", "5.0000")),
    )
    found = some(*of_tier, money, st.sampled_from((None, "10.00")))
    rows["catalog_product_entity_tier_price"] = [(number, *tier) for number, tier in enumerate(found)]
    days = st.sampled_from(("2024-01-14", "2024-01-15", "2024-01-16"))
    ruled = draw(st.dictionaries(st.tuples(product, st.just(1), group, days), money, max_size=8))
    rows["catalogrule_product_price"] = [(*place, price) for place, price in ruled.items()]
    rows["catalog_product_super_link"] = some(product, product, size=3)
    rows["catalog_product_super_attribute"] = some(product, st.sampled_from((93,)), position, size=3)
    if draw(st.booleans()):
        sku, amount = product.map(lambda number: f"P{number}"), st.integers(-2, 9)
        source = st.sampled_from(("default", "east", "west"))
        held = draw(st.dictionaries(st.tuples(source, sku), st.tuples(amount, position), max_size=6))
        rows["inventory_source_item"] = [(*place, *stock) for place, stock in held.items()]
        rows["inventory_reservation"] = some(st.sampled_from(STOCKS), sku, amount)
    else:
        rows["inventory_stock"] = []
    picture = st.integers(1, 3)
    rows["catalog_product_entity_media_gallery"] = [
        (n, draw(st.sampled_from(("/a.jpg", "/b.jpg"))), "image") for n in range(1, 4)
    ]
    rows["catalog_product_entity_media_gallery_value_to_entity"] = some(picture, product)
    about = some(picture, product, store, st.sampled_from((None, "Front")), position, st.integers(0, 1))
    rows["catalog_product_entity_media_gallery_value"] = [(number, *row) for number, row in enumerate(about)]
    return rows


def empty_database() -> sqlite3.Connection:
    """Every table of the shop without keys, defaults and types."""
    connection = sqlite3.connect(":memory:")
    for table in TABLES.values():
        names = [entry.split()[0] for entry in table.entries]
        columns = [name for name in names if name not in {"primary", "unique", "index", "cascade"}]
        connection.execute(f"CREATE TABLE {table.name} ({', '.join(columns)})")
    return connection


EMPTY: Final = empty_database()


class ShuffledReader:
    """Answers the builder's queries from rows in memory; where a query asks for no order there is none."""

    def __init__(self, rows: Rows, chance: Random) -> None:
        self._chance = chance
        self._multi_source = bool(rows["inventory_stock"])
        self._connection = sqlite3.connect(":memory:")
        EMPTY.backup(self._connection)
        for name, columns in COLUMNS.items():
            places = ", ".join("?" * (columns.count(",") + 1))
            self._connection.executemany(
                f"INSERT INTO {name} ({columns}) VALUES ({places})", self._shuffled(rows[name])
            )

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        return [self._query(*query) for query in queries]

    def _query(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        if "information_schema" in statement:
            return [("inventory_stock_sales_channel",)] if self._multi_source else []
        statement = statement.replace("UNIX_TIMESTAMP()", str(NOW_S))
        statement = statement.replace("STRAIGHT_JOIN", "JOIN").replace("SUM(IF(", "SUM(IIF(")
        values: list[Any] = []
        for parameter in parameters:
            listed = (
                list(parameter)
                if isinstance(parameter, Sequence) and not isinstance(parameter, str)
                else None
            )
            places = "?" if listed is None else f"({', '.join('?' * len(listed))})"
            statement = statement.replace("%s", places, 1)
            values += [parameter] if listed is None else listed
        found = self._connection.execute(statement, values).fetchall()
        if "cataloginventory_stock_item" in statement:
            # The real driver gives decimals.
            found = [(product, Decimal(qty), *others) for product, qty, *others in found]
        return found if "ORDER BY" in statement else self._shuffled(found)

    def _shuffled(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        return self._chance.sample(rows, len(rows))

    def close(self) -> None:
        self._connection.close()


# The bytes and hash of each feed's items, what they depend on and when they change, by SKU.
Built = dict[str, list[Any]]


def built(rows: Rows, batches: list[list[str]], chance: Random) -> Built:
    """Everything that is built of the products, or why it is parked."""
    reader = ShuffledReader(rows, chance)
    result: Built = {}
    for skus in batches:
        batch = read_products(reader, "", skus, {}, "")
        for sku, product in batch.products.items():
            result[sku] = [made for feed in FEEDS for made in feed(product, batch.catalog)]
    reader.close()
    return result


def made_by(feed: Any) -> Callable[[ProductRows, Catalog], list[Any]]:
    """A feed's items and what they depend on, or why they are parked."""

    def make(product: ProductRows, catalog: Catalog) -> list[Any]:
        try:
            items = feed.build(product, catalog)
        except products.Unbuildable as error:
            return [str(error)]
        return [*sent(feed.FEED, items), feed.refs(product, catalog)]

    return make


def priced(product: ProductRows, catalog: Catalog) -> list[Any]:
    made = prices.build(product, catalog, NOW_S)
    return [*sent(prices.FEED, made.items), prices.refs(product), made.due_s]


def sent(feed: str, items: Iterable[dict[str, Any]]) -> list[tuple[bytes, str]]:
    return [(encode(feed, item), content_hash(item)) for item in items]


FEEDS: Final = (*map(made_by, (products, inventory_stock_status, variants)), priced)


@st.composite
def groupings(draw: st.DrawFn) -> list[list[str]]:
    """All SKUs in some order, cut into batches anywhere."""
    skus = draw(st.permutations([f"P{number}" for number in PRODUCTS]))
    cuts = sorted(draw(st.sets(st.integers(1, len(skus) - 1))))
    return [skus[start:end] for start, end in zip([0, *cuts], [*cuts, len(skus)], strict=True)]


@given(rows=shops(), batches=groupings(), seed=st.integers(0, 2**32), other_seed=st.integers(0, 2**32))
def test_equal_rows_give_equal_bytes_in_any_order_and_any_batch(
    rows: Rows, batches: list[list[str]], seed: int, other_seed: int
) -> None:
    """A resync that groups products anew, or a table rebuilt in another order, sends nothing."""
    whole = [[f"P{number}" for number in PRODUCTS]]

    first, second = built(rows, whole, Random(seed)), built(rows, batches, Random(other_seed))

    assert second == first
    assert set(first) == set(whole[0])
