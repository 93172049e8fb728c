"""A Commerce database whose rows are those of one case."""

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from asyncmy.connection import Connection
from cases import FOLDER, Case, statements

from commerce_sync.sample.database import address_of, connected, create_database
from commerce_sync.sample.ddl import TABLES, create_schema
from consumers.builder.read.products import Batch, read_products
from runtime.database import Database


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

    def execute(self, *lines: str) -> None:
        """Run statements as one transaction."""

        async def run(connection: Connection) -> None:
            await _execute(connection, list(lines))
            await connection.commit()

        asyncio.run(self._with_connection(run))

    def hold_case(self, feed: str, name: str) -> None:
        """What every case starts from, and the case's own rows."""
        self.hold(statements(FOLDER / "base.sql"), statements(FOLDER / feed / f"{name}.sql"))

    def read(self, case: Case) -> Batch:
        """The products asked for, else all of the shop and one that was deleted."""
        with self.database.snapshot() as snapshot:
            skus = case.asked
            if skus is None:
                found = snapshot.query("SELECT sku FROM catalog_product_entity")
                skus = sorted({"deleted", *(sku for (sku,) in found)})
            config, media_base_url = (case.settings.get(n) for n in ("config", "media_base_url"))
            return read_products(snapshot, "", skus, config or {}, media_base_url or "")

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
