"""A shop without some of Commerce's modules has none of their tables: its products are built all the same."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

from hypothesis import given
from test_products_order import PRODUCTS, Rows, ShuffledReader, made_by, sent, shops

from consumers.builder.entities import ENTITIES, ReadOptions
from consumers.builder.feeds import prices, products
from consumers.builder.read.products import read_products
from consumers.router.resolve import resolve
from consumers.router.rules import Touch
from runtime.database import Row
from schemas.edition import Edition
from schemas.tables import OPTIONAL_TABLES

SKUS: Final = [f"P{number}" for number in PRODUCTS]
TYPES: Final = ("bundle", "downloadable", "configurable")
SCOPES: Final = ("group:1", "website:1")
# What the router asks of any change of a product, of its values and of its websites.
TOUCHES: Final = (Touch("product", "1"), Touch("value", "varchar:1"), Touch("neighbours", "2"))


class Shop(ShuffledReader):
    """Answers the router's queries too."""

    def __init__(self, rows: Rows, edition: Edition) -> None:
        super().__init__(rows, Random(0))
        self._edition = edition
        for table in edition.missing:
            self._connection.execute(f"DROP TABLE {table}")

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._query(statement, parameters)

    def _query(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        return super()._query(self._edition.statement(statement, "0"), parameters)


def made(shop: Shop) -> list[Any]:
    """Items of products and of scopes."""
    batch = read_products(shop, "", SKUS, {}, "")
    items: list[Any] = []
    for sku in SKUS:
        priced = prices.build(batch.products[sku], batch.catalog, batch.now_s)
        items += [made_by(products)(batch.products[sku], batch.catalog), sent(prices.FEED, priced.items)]
    scopes = ENTITIES["scope"].read(shop, ReadOptions(""), SCOPES)
    resolve(shop, "", TOUCHES)
    shop.close()
    return [*items, *map(scopes.build, SCOPES)]


@given(rows=shops())
def test_a_missing_table_is_read_as_one_without_rows(rows: Rows) -> None:
    """No statement of builder and router fails, which would hold every change of the shop back for ever."""
    rows["catalog_product_entity"] = [
        (number, sku, kind, *others)
        for (number, sku, _, *others), kind in zip(rows["catalog_product_entity"], TYPES, strict=True)
    ]
    empty = rows | {table: [] for table in rows if table in OPTIONAL_TABLES}

    assert made(Shop(rows, Edition().without(OPTIONAL_TABLES))) == made(Shop(empty, Edition()))
