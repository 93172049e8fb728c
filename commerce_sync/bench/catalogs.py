"""A sample catalog of a given size, in a database of its own, made once a stack."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from commerce_sync.sample.database import address_of, connected, create_database, existing_tables
from commerce_sync.sample.seed import fill
from runtime import settings as settings_module
from runtime.settings import DatabaseAddress, Settings

Report = Callable[[str], None]

_SEED: Final = 1
# What a load leaves the server to do (pages to write, old row versions to drop) would be measured, too.
_LEFT: Final = ("Innodb_buffer_pool_pages_dirty", "Innodb_history_list_length")
_LEFT_MAX: Final = 1000
_REST_S_MAX: Final = 300.0
_LOOK_S: Final = 0.2


def catalog(stack: Stack, products: int, report: Report) -> Settings:
    """Settings that reach the catalog, which is written now unless this stack has it already."""
    variables = stack.environment()
    server = variables["COMMERCE_SYNC__COMMERCE__URL"].rpartition("/")[0]
    database = f"magento_bench_{products}"
    variables["COMMERCE_SYNC__COMMERCE__URL"] = f"{server}/{database}"
    address = address_of(variables[ADMIN_VARIABLE], database)
    if asyncio.run(_count(address)) != products:
        started = time.monotonic()
        counts = asyncio.run(fill(address, products, _SEED, lambda *_: None, reset=True))
        report(f"{products} products, {sum(counts.values())} rows, {time.monotonic() - started:.1f} s")
        asyncio.run(_at_rest(address))
    return settings_module.load(environ=variables)


async def _count(address: DatabaseAddress) -> int | None:
    """Products in the database; None when it has no tables."""
    await create_database(address)
    async with connected(address) as connection:
        if not await existing_tables(connection, ""):
            return None
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT COUNT(*) FROM catalog_product_entity")
            ((count,),) = await cursor.fetchall()
            return int(count)


async def _at_rest(address: DatabaseAddress) -> None:
    """Have the server write what a load left in memory, and wait for that, or for five minutes."""
    deadline = time.monotonic() + _REST_S_MAX
    async with connected(address) as connection, connection.cursor() as cursor:
        await cursor.execute("SELECT @@innodb_max_dirty_pages_pct")
        ((usual,),) = await cursor.fetchall()
        await cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = 0")
        try:
            left = [_LEFT_MAX]
            while max(left) >= _LEFT_MAX and time.monotonic() < deadline:
                await asyncio.sleep(_LOOK_S)
                await cursor.execute("SHOW GLOBAL STATUS WHERE Variable_name IN %s", (_LEFT,))
                left = [int(pages) for _, pages in await cursor.fetchall()]
        finally:
            await cursor.execute("SET GLOBAL innodb_max_dirty_pages_pct = %s", (usual,))
