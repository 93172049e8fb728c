"""Committed renames at a steady rate, one product after another, each with its moments."""

import asyncio
import threading
import time
from collections.abc import Collection, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from random import Random
from typing import Final

from commerce_sync.bench.figures import Change
from commerce_sync.sample.database import connected
from commerce_sync.sample.edits import open_shop
from runtime.settings import DatabaseAddress

_NAME: Final = "Freshness "


@dataclass(frozen=True, slots=True)
class Product:
    id: int
    sku: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """Change n is due n / rate seconds after the start, however long others took."""

    changes_per_second: float
    changes: int


def name_of(serial: int) -> str:
    """What the change of that number writes."""
    return f"{_NAME}{serial}"


def serial_of(name: object) -> int | None:
    """The number of the change that wrote this; None for any other value."""
    prefix, named, digits = str(name).partition(_NAME)
    return int(digits) if named and not prefix and digits.isdecimal() else None


def renamable(address: DatabaseAddress, skus: Collection[str]) -> list[Product]:
    """Products of which a rename for all stores shows in every item: no store view has a name of its own."""
    return asyncio.run(_renamable(address, skus))


class Writer:
    """Renames in a thread until the schedule is done or it is told to stop."""

    def __init__(self, address: DatabaseAddress, products: Sequence[Product], schedule: Schedule) -> None:
        self._address = address
        self._products = products
        self._schedule = schedule
        self._stop = threading.Event()
        self._future: Future[list[Change]] = Future()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)

    @property
    def done(self) -> bool:
        return self._future.done()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def changes(self) -> list[Change]:
        """All that was written, when it is done.

        Raises:
            whatever ended the writer before its time.
        """
        return self._future.result()

    def _run(self) -> None:
        try:
            self._future.set_result(asyncio.run(self._write()))
        except BaseException as error:
            self._future.set_exception(error)

    async def _write(self) -> list[Change]:
        changes: list[Change] = []
        async with connected(self._address) as connection:
            shop = await open_shop(connection, Random(0))
            table, attribute_id = shop.attributes["catalog_product", "name"]
            statement = (
                f"UPDATE {table} SET value = %s WHERE entity_id = %s AND attribute_id = %s AND store_id = 0"
            )
            start_s = time.time()
            for serial in range(self._schedule.changes):
                due_s = start_s + serial / self._schedule.changes_per_second
                await asyncio.sleep(max(0.0, due_s - time.time()))
                if self._stop.is_set():
                    break
                product = self._products[serial % len(self._products)]
                began_s = time.time()
                await shop.change(statement, name_of(serial), product.id, attribute_id)
                await connection.commit()
                changes.append(Change(serial, product.sku, due_s, began_s, time.time()))
        return changes


async def _renamable(address: DatabaseAddress, skus: Collection[str]) -> list[Product]:
    async with connected(address) as connection:
        shop = await open_shop(connection, Random(0))
        table, attribute_id = shop.attributes["catalog_product", "name"]
        rows = await shop.query(
            "SELECT e.entity_id, e.sku FROM {p}catalog_product_entity e"
            f" JOIN {table} n ON n.entity_id = e.entity_id AND n.attribute_id = %s"
            " GROUP BY e.entity_id, e.sku HAVING MAX(n.store_id) = 0 ORDER BY e.entity_id",
            attribute_id,
        )
    # Of several rows with one SKU the lowest id is built.
    first: dict[str, Product] = {}
    for product_id, sku in rows:
        first.setdefault(sku, Product(int(product_id), sku))
    return [product for sku, product in first.items() if sku in skus]
