"""SQL in, the whole list of items out: each case's expectation was written by hand from the rule it names."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jsonschema_rs
import pytest
from asyncmy.connection import Connection
from cases import FOLDER, PRODUCTS, Case, read_case, statements

from commerce_sync.local.stack import Stack
from commerce_sync.sample.commands import ADMIN_VARIABLE
from commerce_sync.sample.database import address_of, connected, create_database
from commerce_sync.sample.ddl import TABLES, create_schema
from consumers.builder.feeds import products
from consumers.builder.read.products import Batch, read_products
from consumers.sink.dialects import Unmappable
from consumers.sink.dialects.optimizer import OptimizerDialect
from runtime.database import Database
from schemas.codec import decode, encode
from schemas.services.optimizer import request_schema

NAMES = sorted({file.stem for file in PRODUCTS.iterdir()})
# What the parts of an item say where nothing is linked, offered, rewritten or in stock. A case that shows
# a part gives its members; these stand for the others.
PARTS: dict[str, Any] = {
    "taxClassId": "no",
    "currency": "USD",
    "inStock": False,
    "lowStock": False,
    "buyable": False,
}
# Left out unless the case gives them.
MADE_OF_SCOPES = ("url", "hasEnabledChildren")
# What is sent of every item besides what the cases give.
SENT_PARTS: dict[str, Any] = {"links": [], "configurations": [], "bundles": []}
COMMERCE_ATTRIBUTE = {
    "code": "aco_ac_attributes",
    "values": ['{"inStock":false,"lowStock":false,"weight":null,"weightType":null}'],
}
UPSERT = jsonschema_rs.validator_for(request_schema("products", "upsert"))


class Shop:
    """A Commerce database of these tests: what it holds is replaced, then read as the builder reads it."""

    def __init__(self, admin_url: str) -> None:
        self.address = address_of(admin_url, f"magento_golden_{secrets.token_hex(4)}")
        self.database = Database(self.address)
        self._in_new_database(create_schema)

    def close(self) -> None:
        async def drop(connection: Connection) -> None:
            await _execute(connection, [f"DROP DATABASE `{self.address.database}`"])

        self.database.close()
        asyncio.run(self._with_connection(drop))

    def hold(self, *scripts: list[str]) -> None:
        """The rows of these scripts and no others, as one transaction."""
        emptied = ["SET foreign_key_checks = 0", *(f"DELETE FROM `{table}`" for table in TABLES)]
        lines = [*emptied, "SET foreign_key_checks = 1", *(line for script in scripts for line in script)]

        async def refill(connection: Connection) -> None:
            await _execute(connection, lines)
            await connection.commit()

        asyncio.run(self._with_connection(refill))

    def read(
        self, skus: list[str] | None, config: dict[str, str] | None = None, media_base_url: str = ""
    ) -> Batch:
        """The products asked for, else all of the shop and one that was deleted."""
        with self.database.snapshot() as snapshot:
            if skus is None:
                found = snapshot.query("SELECT sku FROM catalog_product_entity")
                skus = sorted({"deleted", *(sku for (sku,) in found)})
            return read_products(snapshot, "", skus, config or {}, media_base_url)

    def _in_new_database(self, act: Callable[[Connection], Any]) -> None:
        asyncio.run(create_database(self.address))
        asyncio.run(self._with_connection(act))

    async def _with_connection(self, act: Callable[[Connection], Any]) -> None:
        async with connected(self.address) as connection:
            await act(connection)


async def _execute(connection: Connection, lines: list[str]) -> None:
    async with connection.cursor() as cursor:
        for line in lines:
            await cursor.execute(line)


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    yield shop
    shop.close()


@dataclass(frozen=True)
class Outcome:
    """What the builder makes of a shop."""

    items: list[dict[str, Any]]
    parked: dict[str, str]
    shadowed: list[list[Any]]


def outcome_of(batch: Batch) -> Outcome:
    """Build every product of a batch, items as their topic holds them."""
    items: list[dict[str, Any]] = []
    parked = {}
    for sku in sorted(batch.products):
        try:
            items += products.build(batch.products[sku], batch.catalog)
        except products.Unbuildable as error:
            parked[sku] = str(error)
    return Outcome(_through_topic(items), parked, [list(row) for row in batch.shadowed])


def core_of(outcome: Outcome, case: Case) -> Outcome:
    """The outcome without members made of scopes, where the case does not give them."""
    pairs = zip(outcome.items, case.items, strict=True)
    return replace(outcome, items=[_without_unstated(item, stated) for item, stated in pairs])


def expected_of(case: Case) -> Outcome:
    items = _through_topic([PARTS | item for item in case.items])
    pairs = zip(items, case.items, strict=True)
    return Outcome([_without_unstated(item, stated) for item, stated in pairs], case.parked, case.shadowed)


def expected_payloads(case: Case) -> list[dict[str, Any] | str]:
    """What the case gives, and what stands in every payload."""
    return [
        payload
        if isinstance(payload, str)
        else SENT_PARTS | payload | {"attributes": [COMMERCE_ATTRIBUTE, *payload["attributes"]]}
        for payload in case.payloads or ()
    ]


def _without_unstated(item: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in stated or name not in MADE_OF_SCOPES}


def _through_topic(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [decode(products.FEED, encode(products.FEED, item)) for item in items]


def payload_of(item: dict[str, Any]) -> dict[str, Any] | str:
    try:
        return OptimizerDialect().payload(products.FEED, item)
    except Unmappable as error:
        return str(error)


@pytest.mark.stack
@pytest.mark.parametrize("name", NAMES)
def test_these_rows_become_exactly_these_items(shop: Shop, name: str) -> None:
    """Nothing is left out, added or in another order; what is sent of it is what the service takes."""
    case = read_case(name)
    shop.hold(statements(FOLDER / "base.sql"), statements(PRODUCTS / f"{name}.sql"))

    outcome = outcome_of(shop.read(case.asked, **case.settings))
    payloads = [payload_of(item) for item in outcome.items]

    assert len(outcome.items) == len(case.items), case.rule
    assert core_of(outcome, case) == expected_of(case), case.rule
    if case.payloads is not None:
        assert payloads == expected_payloads(case), case.rule
    UPSERT.validate([payload for payload in payloads if not isinstance(payload, str)])
