"""Both editions of the shop's database give the same items: row ids, staged versions, a table prefix."""

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import asyncmy
import commerce_edition
import pytest

from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from commerce_sync.proof.feeds import Items, fresh_items
from commerce_sync.sample.database import address_of, connected
from commerce_sync.sample.seed import fill
from runtime.settings import CommerceSettings

pytestmark = pytest.mark.stack

PREFIX = "m2_"
PRODUCTS = 60
# What the sample catalog has nothing of.
MORE = (
    "INSERT INTO {p}catalog_product_option (product_id, type) VALUES (1, 'field'), (2, 'area')",
    (
        "INSERT INTO {p}catalog_product_option_title (option_id, store_id, title)"
        " SELECT option_id, 0, type FROM {p}catalog_product_option"
    ),
    (
        "INSERT INTO {p}catalog_product_bundle_selection_price (selection_id, parent_product_id, website_id,"
        " selection_price_type, selection_price_value)"
        " SELECT selection_id, parent_product_id, 1, 0, 7 FROM {p}catalog_product_bundle_selection"
    ),
)


class Shop:
    """A sample catalog under a table prefix, read as the builder reads it."""

    def __init__(self, admin_url: str) -> None:
        self.address = address_of(admin_url, f"magento_edition_{secrets.token_hex(4)}")
        asyncio.run(fill(self.address, PRODUCTS, 1, lambda done, of: None, PREFIX))
        url = f"{admin_url.rstrip('/')}/{self.address.database}"
        self.commerce = CommerceSettings(url=url, table_prefix=PREFIX)
        self.sql(*MORE)

    def items(self) -> Items:
        return fresh_items(self.commerce)

    def run(self, act: Any) -> None:
        async def connect() -> None:
            async with connected(self.address) as connection:
                await act(connection, PREFIX)

        asyncio.run(connect())

    def sql(self, *statements: str) -> None:
        async def execute(connection: asyncmy.Connection, prefix: str) -> None:
            async with connection.cursor() as cursor:
                for statement in statements:
                    await cursor.execute(statement.format(p=prefix))
            await connection.commit()

        self.run(execute)


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    yield shop
    shop.sql(f"DROP DATABASE `{shop.address.database}`")


@pytest.fixture(scope="module")
def open_source(shop: Shop) -> Items:
    """Every item before the tables become those of the other edition."""
    return shop.items()


@pytest.fixture(scope="module")
def commerce(shop: Shop, open_source: Items) -> Shop:
    """The same shop in the paid edition, each product and category with three versions."""
    shop.run(commerce_edition.convert)
    shop.run(commerce_edition.add_versions)
    return shop


def test_a_catalog_gives_the_same_items_in_both_editions(open_source: Items, commerce: Shop) -> None:
    """Nothing of a version that is over, or to come, is in any item of any feed."""
    items = commerce.items()

    assert {feed for _, feed in items} >= {"products", "prices", "categories", "variants"}
    assert items == open_source
