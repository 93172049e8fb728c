"""Connections that may write to a Commerce database, and rows written in bulk."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from urllib.parse import quote, urlsplit, urlunsplit

import asyncmy
from asyncmy.connection import Connection
from asyncmy.cursors import Cursor
from asyncmy.errors import InterfaceError, OperationalError

from commerce_sync.sample.ddl import TABLES
from commerce_sync.sample.rows import COLUMNS, Row
from runtime.errors import Unreachable, UsageError
from runtime.settings import DatabaseAddress, parse_database_url


def address_of(admin_url: str, database: str) -> DatabaseAddress:
    """The admin address, with `database` where it names none itself.

    Raises:
        UsageError: it is no database address.
    """
    parts = urlsplit(admin_url)
    if not parts.path.strip("/"):
        admin_url = urlunsplit(parts._replace(path=f"/{quote(database)}"))
    try:
        return parse_database_url(admin_url)
    except ValueError as error:
        message = f"--url (or COMMERCE_SYNC_LOCAL_ADMIN_URL): {error}"
        raise UsageError(message) from None


@asynccontextmanager
async def connected(address: DatabaseAddress, *, server: bool = False) -> AsyncIterator[Connection]:
    """A connection that commits only when told to, in UTC.

    Args:
        address: account and database.
        server: choose no database; it need not be there.

    Raises:
        Unreachable: no answer, the account is refused, or there is no such database.
    """
    try:
        connection = await asyncmy.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password.get_secret_value(),
            database=None if server else address.database,
            charset="utf8mb4",
            # MariaDB then takes many rows in one binary message; others get text as without it.
            stmt_cache_size=len(TABLES),
            # 0 is the id of the admin store and website, not "take the next one".
            init_command="SET time_zone = '+00:00', sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')",
        )
    except (OperationalError, InterfaceError, OSError) as error:
        reason = error.args[-1] if error.args else error
        message = (
            f"the database {address.database} at {address.host}:{address.port} cannot be used as "
            f"{address.user} ({reason}): start it, or correct --url"
        )
        raise Unreachable(message) from error
    try:
        yield connection
    finally:
        await connection.ensure_closed()


async def create_database(address: DatabaseAddress) -> bool:
    """Make the database when it is not there; whether it was made.

    Raises:
        Unreachable: see `connected`.
    """
    async with connected(address, server=True) as connection, connection.cursor() as cursor:
        # Asked for first: "if not exists" would print a warning.
        await cursor.execute(
            "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (address.database,)
        )
        if await cursor.fetchall():
            return False
        await cursor.execute(
            f"CREATE DATABASE `{address.database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
        )
        return True


async def existing_tables(connection: Connection, prefix: str) -> set[str]:
    """Which of the Commerce tables the connection's database has, without their prefix."""
    async with connection.cursor() as cursor:
        await cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
        )
        names = {row[0] for row in await cursor.fetchall()}
    return {name for name in TABLES if prefix + name in names}


async def insert(
    cursor: Cursor, prefix: str, table: str, rows: Sequence[Row], columns: Iterable[str] | None = None
) -> None:
    """Write rows in statements of up to a megabyte; columns are those of `rows.COLUMNS` if not given."""
    if not rows:
        return
    names = tuple(columns or COLUMNS[table])
    places = ", ".join(["%s"] * len(names))
    quoted = ", ".join(f"`{name}`" for name in names)
    await cursor.executemany(f"INSERT INTO `{prefix}{table}` ({quoted}) VALUES ({places})", rows)
