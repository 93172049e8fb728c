"""The shop's database: short reads, and snapshots that have seen a given place of the binlog."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Self

from asyncmy.constants import CLIENT
from asyncmy.errors import MySQLError
from sqlalchemy import URL, exc
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from runtime import mended_text
from runtime.covering import began_anew, needs, never_arrives, was_never_written
from runtime.errors import BehindFloor, Fault, Transient, Unreachable, UnreadableText
from runtime.settings import DatabaseAddress
from schemas.edition import Edition, edition_of, unseen
from schemas.records import Position

log = logging.getLogger(__name__)

Row = tuple[Any, ...]
# A SELECT and its values: `%s` marks a value, a list value stands for its members.
Query = tuple[str, Sequence[Any]]

# The database's own time, unix seconds: what begins or ends by time alone does so by this clock.
NOW_S: Final = "SELECT UNIX_TIMESTAMP()"

CONNECT_TIMEOUT_S: Final = 10
# Reads are short; one that stands still this long has lost its server.
QUERY_S_MAX: Final = 120.0
_RETRY_S: Final = 0.005
_ACCESS_DENIED: Final = (1044, 1045, 1698)
_UNKNOWN_DATABASE: Final = 1049
_CANNOT_CONNECT: Final = 2003
_NO_SUCH_TABLE: Final = 1146
_NOT_GRANTED: Final = 1142
# At any lower level a server opens the snapshot without one, and each statement sees another moment.
_ONE_VIEW: Final = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_OPEN_SNAPSHOT: Final = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
_WHERE: Final = "SHOW STATUS LIKE 'binlog_snapshot_%%'"
_WRITTEN: Final = "SELECT @@gtid_binlog_pos"
_NOW: Final = "UNIX_TIMESTAMP()"
_ANY_ROW_ID: Final = (
    "SELECT 1 FROM information_schema.columns WHERE table_schema = DATABASE() AND column_name = 'row_id'"
    " LIMIT 1"
)
_TABLES: Final = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
_COLUMNS: Final = (
    "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
    " ORDER BY table_name, ordinal_position"
)


class Database:
    """One connection to the shop, used by one thread.

    The fast driver is asyncio-only, so its loop is kept here and everything above stays plain code.
    Statements are written for Open Source and read the same of Adobe Commerce (schemas/edition.py).
    """

    def __init__(
        self, address: DatabaseAddress, *, setting: str = "commerce.url", mends_text: bool = False
    ) -> None:
        """Connect when first asked.

        Args:
            mends_text: read text that is no UTF-8 from the beginning, which is slower; else from the first
                such text on, with which the read that met it fails.
        """
        self._address = address
        self._setting = setting
        # A runner's set-up and clean-up around each call would cost as much as a short query.
        self._loop = asyncio.new_event_loop()
        self._engine: AsyncEngine = create_async_engine(
            URL.create(
                "mysql+asyncmy",
                address.user,
                address.password.get_secret_value(),
                address.host,
                address.port,
                address.database,
            ),
            pool_size=1,
            max_overflow=0,
            connect_args={
                "connect_timeout": CONNECT_TIMEOUT_S,
                "charset": "utf8mb4",
                "client_flag": CLIENT.MULTI_STATEMENTS,
                # Timestamps are shown in the session's zone; items carry UTC.
                "init_command": "SET time_zone = '+00:00'",
            },
            isolation_level="AUTOCOMMIT",
        )
        self._connection: AsyncConnection | None = None
        self._driver: Any = None
        # The end of a snapshot that was not waited for.
        self._leaving: asyncio.Task[list[list[Row]]] | None = None
        self._server_id: int | None = None
        self._edition: Edition | None = None
        # SQL for the moment whose versions count: inside a snapshot one and the same.
        self._now = _NOW
        self.is_mariadb = True
        self._mends_text = mends_text
        # Histories (domain and server); each is told once.
        self._said_lost: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._drop()
        self._loop.run_until_complete(self._engine.dispose())
        self._loop.close()

    @property
    def server_id(self) -> int:
        """The server that is read; binlog positions of others cannot be compared with its own."""
        if self._server_id is None:
            ((server_id, version),) = self.query("SELECT @@server_id, VERSION()")
            self._server_id = int(server_id)
            self.is_mariadb = "mariadb" in str(version).lower()
        return self._server_id

    @property
    def edition(self) -> Edition:
        """What the schema showed when this connection was made.

        A schema that changes under it makes the builder's reads fail, and then there is another connection.

        Raises:
            Transient, Unreachable: as `query_all`.
        """
        if self._edition is None:
            self.query("SELECT 1")
        assert self._edition is not None
        return self._edition

    def forget_edition(self) -> None:
        """Look again before the next query."""
        self._edition = None

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one SELECT; what it raises is what `query_all` raises."""
        (rows,) = self.query_all([(statement, parameters)])
        return rows

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        """Run SELECTs in one round trip and give the rows of each.

        A round trip costs several times what a short query costs, here and at the server.

        Raises:
            Transient: the connection broke; the next call opens a new one.
            UnreadableText: the same; the next call reads all the same.
            Unreachable: wrong address or credentials, in a sentence that names the setting.
        """
        try:
            return self._loop.run_until_complete(self._query_all(queries))
        except UnicodeDecodeError as error:
            self._drop()
            self._mends_text = True
            message = f"{self._setting}: a text is no UTF-8 ({error.reason}); it is read anew"
            raise UnreadableText(message) from error
        except (exc.DBAPIError, OSError, TimeoutError) as error:
            self._drop()
            raise self._failure(error) from error
        except Exception as error:
            if type(error).__module__.startswith("asyncmy"):
                self._drop()
                raise self._failure(error) from error
            raise

    @contextmanager
    def snapshot(
        self,
        cover: Sequence[Position] = (),
        wait_s: float = 10,
        *,
        floors: Sequence[Position] = (),
        not_before_s: int = 0,
    ) -> Iterator["Snapshot"]:
        """A consistent read-only view that has seen every transaction beginning at `cover`.

        It is opened by its first query, or when it is asked where it stands, and that is when it raises. It
        is ended without waiting for the server's answer.

        Args:
            floors: changes that were built from before; the view is not older than those either.
            not_before_s: versions count as they do then at least, whatever this server's clock says.

        Raises:
            Transient: not covered within `wait_s`; the work is to be tried again later.
            BehindFloor: a floor has not arrived within `wait_s` at the server that is read now.
        """
        view = Snapshot(self, partial(self._enter, cover, wait_s, floors, not_before_s))
        try:
            yield view
        finally:
            self._now = _NOW
            if view.is_open:
                self._leave()

    def _enter(
        self,
        cover: Sequence[Position],
        wait_s: float,
        floors: Sequence[Position],
        not_before_s: int,
        queries: Sequence[Query],
    ) -> tuple[Position | None, frozenset[int], list[list[Row]]]:
        """Open a snapshot and ask its first queries: where it stands, what it is blind to, their rows.

        A server hands a transaction to binlog readers before other connections can see its rows, so a
        snapshot is opened, its own binlog position is asked, and it is opened again until it is past
        them all. Positions of another server (a replica is read), and all of MySQL's, which does not
        tell where a snapshot stands, are waited for by GTID first. What can be compared in neither way is
        told as blind.
        """
        if self._edition is not None and self._edition.missing:
            self._look_for(sorted(self._edition.missing))
        needed = needs(cover, floors, self.server_id, self.is_mariadb)
        lost = self._lost((*needed.gtids, *needed.floor_gtids))
        self._wait_for_gtids([gtid for gtid in needed.gtids if gtid not in lost], wait_s, Transient)
        self._wait_for_gtids([gtid for gtid in needed.floor_gtids if gtid not in lost], wait_s, BehindFloor)
        blind = needed.blind | {position.server_id for position in cover if position.gtid in lost}
        is_staged = self._edition is not None and self._edition.is_staged
        # Rows are nearly always there at once; versions cannot be read before their moment is known.
        at_once = [] if is_staged else queries
        deadline = time.monotonic() + wait_s
        while True:
            position, answers = self._open_snapshot(at_once)
            if position is None and needed.places:
                message = f"{self._setting}: the server writes no binlog; set log_bin and restart it"
                raise Fault(message)
            if position is None or all(position.covers(place) for place in needed.places):
                break
            if time.monotonic() >= deadline:
                missing = [place for place in needed.places if not position.covers(place)]
                if began_anew(position, missing) or self._never_wrote(missing):
                    log.warning(
                        "the server's binlog began anew", extra={"stands": position, "missing": missing}
                    )
                    blind |= {self.server_id}
                    break
                self.query("ROLLBACK")
                message = (
                    f"{self._setting}: rows of binlog position {missing} are not visible after {wait_s} s; "
                    "is the server read the one that is captured?"
                )
                raise Transient(message)
            at_once = []
            time.sleep(_RETRY_S)
        if is_staged:
            ((now_s,),) = self.query(NOW_S)
            self._now = str(max(int(now_s), not_before_s))
        if len(answers) < len(queries):
            answers = self.query_all(queries)
        return position, blind, answers

    def _look_for(self, missing: Sequence[str]) -> None:
        """A module that is installed under way has its rows read from then on, by another connection."""
        # By name: several at once would have the server look through the whole schema.
        if self.query(" UNION ALL ".join(f"{_TABLES} AND table_name = %s" for _ in missing), missing):
            self._drop()

    def _leave(self) -> None:
        """End what is open; the answer is taken by the next query, so that nobody waits for it."""
        if self._connection is None:
            return
        self._leaving = self._loop.create_task(self._ask([("ROLLBACK", ())]))
        # Once around sends it.
        self._loop.call_soon(self._loop.stop)
        self._loop.run_forever()

    def _lost(self, gtids: Sequence[str]) -> set[str]:
        """Transactions of a history that the server read does not share; MySQL's cannot be told."""
        if not gtids or not self.is_mariadb:
            return set()
        ((replicated, current),) = self.query("SELECT @@gtid_slave_pos, @@gtid_current_pos")
        lost = {gtid for gtid in gtids if never_arrives(gtid, str(replicated), str(current))}
        for gtid in sorted(lost):
            # The number is another one with each change.
            history = gtid.rpartition("-")[0]
            if history not in self._said_lost:
                log.error(
                    "a change belongs to a history that this server does not share",
                    extra={"gtid": gtid, "replicated": replicated, "current": current},
                )
            self._said_lost.add(history)
        return lost

    def _never_wrote(self, places: Sequence[Position]) -> bool:
        """True when the server that is read does not know of one of these changes of its own."""
        gtids = [place.gtid for place in places if place.gtid]
        if not gtids:
            return False
        ((written,),) = self.query(_WRITTEN)
        return any(was_never_written(gtid, str(written)) for gtid in gtids)

    def _wait_for_gtids(self, gtids: Sequence[str], wait_s: float, failure: type[Transient]) -> None:
        function = "MASTER_GTID_WAIT" if self.is_mariadb else "WAIT_FOR_EXECUTED_GTID_SET"
        for gtid in gtids:
            ((result,),) = self.query(f"SELECT {function}(%s, %s)", (gtid, wait_s))
            if result != 0:
                message = (
                    f"{self._setting}: GTID {gtid} has not arrived after {wait_s} s at the server read; "
                    "is it a replica, and running?"
                )
                raise failure(message)

    def _open_snapshot(self, queries: Sequence[Query]) -> tuple[Position | None, list[list[Row]]]:
        """Open one, in place of what is open, and ask: where it stands, and the queries' rows.

        The position is None where the server does not tell (MySQL, no binlog).
        """
        if not self.is_mariadb:
            _, *answers = self.query_all([(_OPEN_SNAPSHOT, ()), *queries])
            return None, answers
        # The log first: what is written between the two is not taken for seen.
        ((written,),), _, told, *answers = self.query_all(
            [(_WRITTEN, ()), (_OPEN_SNAPSHOT, ()), (_WHERE, ()), *queries]
        )
        names = {str(name).lower(): str(value) for name, value in told}
        file, place = names.get("binlog_snapshot_file"), names.get("binlog_snapshot_position", "0")
        gtid = str(written) or None
        return (Position(self.server_id, file, int(place), gtid) if file else None), answers

    async def _query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        leaving, self._leaving = self._leaving, None
        async with asyncio.timeout(QUERY_S_MAX):
            if leaving is not None:
                await leaving
            return await self._ask(queries)

    async def _ask(self, queries: Sequence[Query]) -> list[list[Row]]:
        # The driver's own cursor: four times the rows a second of the layer above it.
        driver = self._driver or await self._connect()
        async with driver.cursor() as cursor:
            edition = self._edition = self._edition or await _edition(cursor)
            await cursor.execute(
                ";".join(
                    cursor.mogrify(edition.statement(query, self._now), _values(values))
                    for query, values in queries
                )
            )
            answers = [list(await cursor.fetchall())]
            while len(answers) < len(queries) and await cursor.nextset():
                answers.append(list(await cursor.fetchall()))
        if len(answers) != len(queries):
            message = f"{len(queries)} queries were answered {len(answers)} times"
            raise Fault(message)
        return answers

    async def _connect(self) -> Any:
        self._connection = await self._engine.connect()
        self._driver = (await self._connection.get_raw_connection()).driver_connection
        async with self._driver.cursor() as cursor:
            await cursor.execute(_ONE_VIEW)
        if self._mends_text:
            # Slower, so only where it is needed.
            self._driver._encoding = mended_text.ENCODING
        return self._driver

    def _drop(self) -> None:
        connection, self._connection, self._driver, self._server_id = self._connection, None, None, None
        self._edition = None
        leaving, self._leaving = self._leaving, None
        if connection is None:
            return

        async def invalidate() -> None:
            if leaving is not None:
                leaving.cancel()
                await asyncio.wait([leaving])
            await connection.invalidate()
            await connection.close()

        self._loop.run_until_complete(invalidate())

    def _failure(self, error: BaseException) -> Transient | Unreachable:
        cause = getattr(error, "orig", None) or error
        code = cause.args[0] if cause.args and isinstance(cause.args[0], int) else None
        where = f"{self._setting}: {self._address.user}@{self._address.host}:{self._address.port}"
        if code in _ACCESS_DENIED:
            return Unreachable(f"{where} is refused ({cause.args[1]}); correct user or password")
        if code == _UNKNOWN_DATABASE:
            return Unreachable(f"{where} has no database '{self._address.database}'; correct its name")
        if code == _CANNOT_CONNECT:
            return Transient(f"{where} does not answer ({cause.args[1]}); start it or correct host and port")
        return Transient(f"{where} cannot be read ({cause})")


async def _edition(cursor: Any) -> Edition:
    await cursor.execute(_TABLES)
    tables = {str(table) for (table,) in await cursor.fetchall()}
    missing = [table for table in unseen(tables) if await _is_missing(cursor, table)]
    await cursor.execute(_ANY_ROW_ID)
    if not await cursor.fetchall():
        return Edition().without(missing)
    await cursor.execute(_COLUMNS)
    columns = [(str(table), str(column)) for table, column in await cursor.fetchall()]
    return edition_of(columns).without(missing)


async def _is_missing(cursor: Any, table: str) -> bool:
    """A table that may not be read is not seen either, and must not count as empty."""
    try:
        await cursor.execute(f"SELECT 0 FROM `{table}` LIMIT 0")
        await cursor.fetchall()
    except MySQLError as error:
        if error.args[0] not in {_NO_SUCH_TABLE, _NOT_GRANTED}:
            raise
        return bool(error.args[0] == _NO_SUCH_TABLE)
    return False


def _values(parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The driver writes a tuple as a list of values, and knows no other sequence."""
    return tuple(tuple(value) if isinstance(value, list) else value for value in parameters)


class Snapshot:
    """A consistent view; every query sees the same moment. The first one opens it, in the same round trip."""

    def __init__(
        self,
        database: Database,
        enter: Callable[[Sequence[Query]], tuple[Position | None, frozenset[int], list[list[Row]]]],
    ) -> None:
        self._database = database
        self._enter = enter
        self._stands: tuple[Position | None, frozenset[int]] | None = None

    @property
    def is_open(self) -> bool:
        return self._stands is not None

    @property
    def position(self) -> Position | None:
        """Where it stands in the server's binlog; None where the server does not tell."""
        position, _ = self._where()
        return position

    @property
    def blind(self) -> frozenset[int]:
        """Servers of covered positions that could be compared with nothing."""
        _, blind = self._where()
        return blind

    def _where(self) -> tuple[Position | None, frozenset[int]]:
        if self._stands is None:
            self.query_all(())
        assert self._stands is not None
        return self._stands

    @property
    def edition(self) -> Edition:
        return self._database.edition

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        (rows,) = self.query_all([(statement, parameters)])
        return rows

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        if self._stands is not None:
            return self._database.query_all(queries)
        position, blind, answers = self._enter(queries)
        self._stands = position, blind
        return answers
