"""The merchant of the demo: edits at a steady rate, a round of every kind of edit, and a marker."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from random import Random
from typing import Final

from commerce_sync.sample import edits
from commerce_sync.sample.database import address_of, connected
from commerce_sync.sample.edits import Edit
from commerce_sync.sample.plain_sql import Expected, expected_core
from commerce_sync.sample.traffic import Progress, drive, wait_for

# What the proof must have seen at least once each, in this order.
ROUND: Final[Sequence[Edit]] = (
    edits.rename_in_store_view,
    edits.change_description,
    edits.toggle_status,
    edits.assign_category,
    edits.remove_category,
    edits.change_category_url_key,
    edits.toggle_category,
    edits.move_category,
    edits.add_image,
    edits.replace_image,
    edits.change_image_role,
    edits.change_visibility,
    edits.change_attribute,
    edits.rename_option,
    edits.change_sku,
    edits.swap_skus,
    edits.hand_skus_on,
    edits.delete_product,
    edits.replace_product,
    edits.unassign_website,
    edits.assign_website,
    edits.create_product,
    edits.several_on_one_product,
    edits.several_products,
    edits.import_products,
)


class Merchant:
    """Edits a shop's database through an account that may write."""

    def __init__(self, admin_url: str, database: str, seed: int) -> None:
        self._address = address_of(admin_url, database)
        self._random = Random(seed)

    def every_kind(self, rounds: int) -> list[str]:
        """Make every kind of edit, `rounds` times; descriptions of what was done."""
        return asyncio.run(self._every_kind(rounds))

    def expected(self) -> Expected:
        """What plain SQL says the items are."""
        return asyncio.run(self._expected())

    def mark(self) -> str:
        """Give the first product a new name, and return it: what was committed before precedes it."""
        return asyncio.run(self._mark())

    async def _every_kind(self, rounds: int) -> list[str]:
        done: list[str] = []
        async with connected(self._address) as connection:
            shop = await edits.open_shop(connection, self._random)
            for _ in range(rounds):
                done += [text for edit in ROUND if (text := await edits.apply(shop, edit))]
        return done

    async def _expected(self) -> Expected:
        async with connected(self._address) as connection:
            return await expected_core(connection)

    async def _mark(self) -> str:
        name = f"Marker {time.time_ns()}"
        async with connected(self._address) as connection:
            shop = await edits.open_shop(connection, self._random)
            ((product_id,),) = await shop.query("SELECT MIN(entity_id) FROM catalog_product_entity")
            table, attribute_id = shop.attributes["catalog_product", "name"]
            await shop.change(
                f"INSERT INTO {table} (attribute_id, store_id, entity_id, value) VALUES (%s, 0, %s, %s)"
                " ON DUPLICATE KEY UPDATE value = VALUES(value)",
                attribute_id,
                product_id,
                name,
            )
            await connection.commit()
        return name


class Traffic:
    """Edits in a thread until stopped."""

    def __init__(self, admin_url: str, database: str, edits_per_second: float, seed: int) -> None:
        self._address = address_of(admin_url, database)
        self._rate = edits_per_second
        self._random = Random(seed)
        self._thread = threading.Thread(target=self._run, name="traffic", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._failure: BaseException | None = None
        self._started = threading.Event()
        self.progress = Progress()

    def start(self) -> None:
        self._thread.start()
        self._started.wait(10)

    def stop(self) -> Progress:
        """Finish the edit under way and stop.

        Raises:
            whatever ended the traffic before it was asked to stop.
        """
        if self._loop is not None and self._stop is not None:
            # After a failure the loop is closed and there is nothing to stop.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(30)
        if self._failure is not None:
            raise self._failure
        return self.progress

    def _run(self) -> None:
        try:
            asyncio.run(self._drive())
        except BaseException as error:
            self._failure = error
            self._started.set()

    async def _drive(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with connected(self._address) as connection:
            shop = await edits.open_shop(connection, self._random)
            self._started.set()
            await drive(
                shop,
                self._rate,
                self._note,
                self._stop,
                clock=time.monotonic,
                wait=wait_for,
            )

    def _note(self, progress: Progress) -> None:
        self.progress = progress
