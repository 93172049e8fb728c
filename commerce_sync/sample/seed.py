"""Fill an empty Commerce database with the sample catalog."""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection
from datetime import date
from typing import Final

from asyncmy.connection import Connection

from commerce_sync.sample.database import connected, create_database, existing_tables, insert
from commerce_sync.sample.ddl import TABLES, create_schema
from commerce_sync.sample.products import chunks
from commerce_sync.sample.rows import Row
from runtime.errors import UsageError
from runtime.settings import DatabaseAddress
from schemas.tables import EAV_TYPES

_VALUE_TABLES: Final = frozenset(f"catalog_product_entity_{backend}" for backend in EAV_TYPES)

Report = Callable[[int, int], None]  # products written so far, products in all


async def fill(
    address: DatabaseAddress,
    products: int,
    seed: int,
    report: Report,
    prefix: str = "",
    *,
    reset: bool = False,
    on_created: Callable[[], None] = lambda: None,
) -> dict[str, int]:
    """Make the database and its tables if need be, and write the sample catalog into them.

    Args:
        address: an account that may do so.
        products: how many.
        seed: equal seeds give equal rows on one day.
        report: told the products written and their total.
        prefix: of the table names.
        reset: empty the tables when they are not.
        on_created: called in a thread when the database has been made, before any row is written.

    Returns:
        Rows written by table.

    Raises:
        UsageError: see `prepare`.
        Unreachable: see `connected`.
    """
    if await create_database(address):
        await asyncio.to_thread(on_created)
    async with connected(address) as first, connected(address) as second:
        await prepare(first, prefix, reset=reset)
        return await seed_catalog(first, products, seed, report, prefix, second)


async def prepare(connection: Connection, prefix: str = "", *, reset: bool = False) -> None:
    """Leave the connection's database with empty Commerce tables.

    Args:
        connection: an account that may create tables.
        prefix: of the table names.
        reset: empty the tables when they are not.

    Raises:
        UsageError: the database holds a catalog, or rows in only some of the tables.
    """
    tables = await existing_tables(connection, prefix)
    missing = sorted(set(TABLES) - tables)
    # Also where one that was broken off has made some of them; rows come behind the last.
    if missing and not await _any_row(connection, prefix, tables):
        await create_schema(connection, prefix, tables)
        return
    if missing:
        message = f"the database has Commerce tables, but not {', '.join(missing[:3])}: name another database"
        raise UsageError(message)
    async with connection.cursor() as cursor:
        await cursor.execute(
            f"SELECT EXISTS (SELECT 1 FROM `{prefix}catalog_product_entity`) "
            f"OR EXISTS (SELECT 1 FROM `{prefix}store`)"
        )
        ((occupied,),) = await cursor.fetchall()
        if not occupied:
            return
        if not reset:
            message = (
                "the database holds a catalog already: name another one, or give --reset to empty this one"
            )
            raise UsageError(message)
        await cursor.execute("SET SESSION foreign_key_checks = 0")
        for table in TABLES:
            await cursor.execute(f"TRUNCATE TABLE `{prefix}{table}`")
        await cursor.execute("SET SESSION foreign_key_checks = 1")


async def _any_row(connection: Connection, prefix: str, tables: Collection[str]) -> bool:
    if not tables:
        return False
    async with connection.cursor() as cursor:
        await cursor.execute(
            "SELECT " + " OR ".join(f"EXISTS (SELECT 1 FROM `{prefix}{table}`)" for table in sorted(tables))
        )
        ((found,),) = await cursor.fetchall()
    return bool(found)


async def seed_catalog(
    connection: Connection,
    products: int,
    seed: int,
    report: Report,
    prefix: str = "",
    second: Connection | None = None,
) -> dict[str, int]:
    """Write the sample catalog into empty tables, one transaction per thousand products.

    Args:
        connection: with the Commerce database chosen; `prepare` has been there.
        products: how many; every type is there from 14 on.
        seed: equal seeds and counts give equal rows on one day.
        report: told the products written and their total after each transaction.
        prefix: of the table names.
        second: another connection to the same database, which then writes the attribute values: a connection
            keeps one core of the server busy.

    Returns:
        Rows written by table.
    """
    counts: Counter[str] = Counter()
    made = chunks(products, seed, await _today(connection))
    writers = (connection, second or connection)
    for writer in set(writers):
        # The rows are whole by construction; looking up each parent costs a third of the time.
        await _execute(writer, "SET SESSION foreign_key_checks = 0")
    following = asyncio.create_task(asyncio.to_thread(next, made, None))
    while (chunk := await following) is not None:
        # The next chunk is made while the database writes this one.
        following = asyncio.create_task(asyncio.to_thread(next, made, None))
        done, tables = chunk
        values = {table: rows for table, rows in tables.items() if table in _VALUE_TABLES}
        others = {table: rows for table, rows in tables.items() if table not in _VALUE_TABLES}
        if second:
            await asyncio.gather(_write(connection, prefix, others), _write(second, prefix, values))
        else:
            await _write(connection, prefix, tables)
        counts.update({table: len(rows) for table, rows in tables.items()})
        report(done, products)
    for writer in set(writers):
        await _execute(writer, "SET SESSION foreign_key_checks = 1")
    return dict(counts)


async def _write(connection: Connection, prefix: str, tables: dict[str, list[Row]]) -> None:
    async with connection.cursor() as cursor:
        for table, rows in tables.items():
            await insert(cursor, prefix, table, rows)
    await connection.commit()


async def _today(connection: Connection) -> date:
    """The database's date in UTC."""
    async with connection.cursor() as cursor:
        await cursor.execute("SELECT CAST(UTC_DATE() AS CHAR)")
        ((today,),) = await cursor.fetchall()
    return date.fromisoformat(today)


async def _execute(connection: Connection, statement: str) -> None:
    async with connection.cursor() as cursor:
        await cursor.execute(statement)
