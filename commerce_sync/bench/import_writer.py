"""An import as Commerce writes it: bunches of products, table by table, many rows a statement."""

from collections.abc import Awaitable, Callable, Sequence
from random import Random
from typing import Any, Final

from asyncmy.connection import Connection

from commerce_sync.bench.figures import Written
from commerce_sync.sample.edits import Shop, open_shop

# What Commerce's own import takes at once, one transaction here.
BUNCH_PRODUCTS: Final = 100
ROWS_MAX: Final = 15

# Attribute and store of each value; numbers are what is written first, options by their place.
_VALUES: Final[tuple[tuple[str, int], ...]] = (
    *(("name", 0), ("description", 0), ("price", 0), ("manufacturer", 0), ("meta_title", 0)),
    *(("short_description", 0), ("weight", 0), ("eco_collection", 0), ("name", 2)),
    *(("meta_keyword", 0), ("depth_cm", 0)),
)
_NUMBERS: Final = {"price": "9.50", "weight": "1.25", "depth_cm": "20.5", "eco_collection": "0"}

# Id and SKU.
Product = tuple[int, str]
# Writes its row of every product of a bunch; how many rows changed.
Step = Callable[[Shop, Sequence[Product]], Awaitable[int]]


async def write_import(connection: Connection, products: int, rows: int) -> Written:
    """Change `rows` rows of each of `products` products, from the second on: the first one marks the end.

    They are: the entity, a category or a website, the stock item, the source item, and values of four types.
    Each statement changes every row it names, or rows would be counted that no change tells of.
    """
    shop = await open_shop(connection, Random(0))
    known = await shop.query(
        "SELECT entity_id, sku FROM {p}catalog_product_entity ORDER BY entity_id LIMIT 1, %s", products
    )
    written = Written()
    for start in range(0, len(known), BUNCH_PRODUCTS):
        bunch = [(int(product_id), str(sku)) for product_id, sku in known[start : start + BUNCH_PRODUCTS]]
        for step in _steps(rows):
            written.rows += await step(shop, bunch)
        await connection.commit()
        written.products += len(bunch)
    return written


def _steps(rows: int) -> list[Step]:
    """One step a changed row of each product: the four tables of their own first, then values."""
    return [_touch, _stock_items, _source_items, _categories, *map(_value_step, _VALUES)][:rows]


async def _touch(shop: Shop, bunch: Sequence[Product]) -> int:
    return await _changed(
        shop,
        "UPDATE {p}catalog_product_entity SET updated_at = updated_at + INTERVAL 1 SECOND"
        " WHERE entity_id IN %s",
        _ids(bunch),
    )


async def _stock_items(shop: Shop, bunch: Sequence[Product]) -> int:
    return await _changed(
        shop,
        "UPDATE {p}cataloginventory_stock_item SET qty = qty + 1 WHERE stock_id = 1 AND product_id IN %s",
        _ids(bunch),
    )


async def _source_items(shop: Shop, bunch: Sequence[Product]) -> int:
    return await _changed(
        shop,
        "UPDATE {p}inventory_source_item SET quantity = quantity + 1 WHERE sku IN %s",
        tuple(sku for _, sku in bunch),
    )


async def _categories(shop: Shop, bunch: Sequence[Product]) -> int:
    """A new place in each category, a website for those that have none."""
    moved = await _changed(
        shop,
        "UPDATE {p}catalog_category_product SET position = position + 1 WHERE product_id IN %s",
        _ids(bunch),
    )
    return moved + await _changed(
        shop,
        "INSERT INTO {p}catalog_product_website (product_id, website_id) SELECT entity_id, 1"
        " FROM {p}catalog_product_entity e WHERE entity_id IN %s AND NOT EXISTS"
        " (SELECT 1 FROM {p}catalog_product_website w WHERE w.product_id = e.entity_id)",
        _ids(bunch),
    )


def _value_step(place: tuple[str, int]) -> Step:
    """A value of one attribute in one store. Written again, it is another one each time."""
    code, store_id = place

    async def step(shop: Shop, bunch: Sequence[Product]) -> int:
        table, attribute_id = shop.attributes["catalog_product", code]
        first, other = await _first_value(shop, code)
        rows = [
            (attribute_id, store_id, product_id, first or f"{code} of {sku}, imported")
            for product_id, sku in bunch
        ]
        await shop.cursor.executemany(
            f"INSERT INTO {table} (attribute_id, store_id, entity_id, value) VALUES (%s, %s, %s, %s)"
            f" ON DUPLICATE KEY UPDATE value = IF(value <=> VALUES(value), {other}, VALUES(value))",
            rows,
        )
        return len(rows)

    return step


async def _first_value(shop: Shop, code: str) -> tuple[str | None, str]:
    """(what is written, the expression that is written where it stands already); None: a text."""
    if code == "manufacturer":
        _, attribute_id = shop.attributes["catalog_product", code]
        ((option_id,),) = await shop.query(
            "SELECT MIN(option_id) FROM {p}eav_attribute_option WHERE attribute_id = %s", attribute_id
        )
        return str(option_id), "VALUES(value) + 1"
    if code in _NUMBERS:
        return _NUMBERS[code], "VALUES(value) + 1"
    return None, "CONCAT(VALUES(value), ' again')"


async def _changed(shop: Shop, statement: str, names: tuple[Any, ...]) -> int:
    await shop.change(statement, names)
    return int(str(shop.cursor.rowcount))


def _ids(bunch: Sequence[Product]) -> tuple[int, ...]:
    return tuple(product_id for product_id, _ in bunch)
