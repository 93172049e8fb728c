"""The ledger's database by URL, one transaction a call: SQLite, PostgreSQL, MySQL or MariaDB."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runtime.errors import Transient, Unreachable, UsageError
from runtime.settings import Settings

T = TypeVar("T")
Work = Callable[[Connection], T]

CONNECT_TIMEOUT_S: Final = 10
# What stands still this long has lost its server.
WORK_S_MAX: Final = 120
# Another process may be writing a batch.
_LOCK_WAIT_S: Final = 30
_DRIVERS: Final = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mariadb+asyncmy",
}
_ENDED: Final = (exc.DBAPIError, OSError, TimeoutError)


class LedgerDatabase:
    """Runs work in transactions, from one thread. The work gets a plain connection, whatever the driver."""

    def __init__(self, url: URL) -> None:
        """Nothing is opened yet.

        Raises:
            UsageError: the driver for PostgreSQL is not installed.
        """
        self._shown = url.render_as_string(hide_password=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._async_engine: AsyncEngine | None = None
        self._engine: Engine | None = None
        if url.drivername.endswith("asyncmy"):
            # This driver is asyncio-only, so its loop is kept here.
            self._loop = asyncio.new_event_loop()
            options = {"connect_timeout": CONNECT_TIMEOUT_S, "charset": "utf8mb4"}
            self._async_engine = create_async_engine(url, pool_size=1, max_overflow=0, connect_args=options)
        else:
            self._engine = _engine(url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        if self._loop is not None and self._async_engine is not None:
            self._loop.run_until_complete(self._async_engine.dispose())
            self._loop.close()

    def run(self, work: Work[T]) -> T:
        """Do work in one transaction; it is rolled back when anything is raised.

        Raises:
            Transient: the database does not answer, refuses us, or is locked.
        """
        try:
            if self._engine is not None:
                with self._engine.begin() as connection:
                    return work(connection)
            assert self._loop is not None
            return self._loop.run_until_complete(self._run(work))
        except _ENDED as error:
            raise self._failure(error) from error
        except Exception as error:
            # What the driver raises while it connects is wrapped by nobody.
            if type(error).__module__.startswith(("asyncmy", "psycopg")):
                raise self._failure(error) from error
            raise

    async def _run(self, work: Work[T]) -> T:
        assert self._async_engine is not None
        async with asyncio.timeout(WORK_S_MAX), self._async_engine.begin() as connection:
            return await connection.run_sync(work)

    def _failure(self, error: BaseException) -> Transient:
        cause = getattr(error, "orig", None) or error
        reason = " ".join(str(cause).split()) or type(cause).__name__
        return Transient(f"ledger.url = {self._shown}: the database does not do what is asked ({reason})")


def open_ledger(settings: Settings) -> LedgerDatabase:
    """The ledger for the role that fills it; a SQLite file's folder is made.

    Raises:
        UsageError: a driver is missing, the ledger would be in the shop's own database, or the folder of its
            file cannot be made.
    """
    url = ledger_url(settings)
    if url.drivername == "sqlite" and url.database:
        try:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            message = f"ledger.url = {url}: its folder cannot be made ({error.strerror}): name another file"
            raise UsageError(message) from error
    return LedgerDatabase(url)


def open_existing(settings: Settings) -> LedgerDatabase:
    """The ledger for commands that look into it.

    Raises:
        Unreachable: there is no such file.
    """
    url = ledger_url(settings)
    if url.drivername == "sqlite" and not Path(url.database or "").is_file():
        message = (
            f"ledger.url = {url}: there is no such file; start the role 'ledger', or name the file that it "
            "writes"
        )
        raise Unreachable(message)
    return LedgerDatabase(url)


def ledger_url(settings: Settings) -> URL:
    """`ledger.url` with its driver and password.

    Raises:
        UsageError: it names the shop's own database.
    """
    url = make_url(settings.ledger.url)
    url = url.set(drivername=_DRIVERS[url.drivername])
    if settings.ledger.password is not None:
        url = url.set(password=settings.ledger.password.get_secret_value())
    shop = settings.commerce.address
    if url.drivername.endswith("asyncmy") and (url.host, url.port or 3306, url.database) == (
        shop.host,
        shop.port,
        shop.database,
    ):
        message = "ledger.url names the shop's own database, where nothing is ever written: make another one"
        raise UsageError(message)
    return url


def _engine(url: URL) -> Engine:
    if url.drivername == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _LOCK_WAIT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine
    options = {
        "connect_timeout": CONNECT_TIMEOUT_S,
        "options": f"-c statement_timeout={WORK_S_MAX * 1000}",
        "tcp_user_timeout": WORK_S_MAX * 1000,
    }
    try:
        return create_engine(url, pool_size=1, max_overflow=0, connect_args=options)
    except ImportError as error:
        message = (
            "ledger.url: the driver for PostgreSQL is not installed: pip install 'commerce-sync[postgresql]'"
        )
        raise UsageError(message) from error


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Readers do not wait for the writer. What a power cut takes back, positions included, is read again.
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA cache_size=-65536")
    # 64 MB: less often is cheaper, rows of all places come together.
    connection.execute("PRAGMA wal_autocheckpoint=16384")
