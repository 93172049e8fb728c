"""Tables of modules that are not installed are looked for once a connection, then while they are missing."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from asyncmy.errors import OperationalError, ProgrammingError
from fake_server import FakeServer

from runtime.database import Query, Row, _edition
from schemas.edition import Edition
from schemas.tables import OPTIONAL_TABLES

ALWAYS = ("catalog_product_entity", "core_config_data", "store_website")
VIDEOS = "catalog_product_entity_media_gallery_value_video"


class FakeCursor:
    """Sees these tables; each other one fails as the error says."""

    def __init__(self, tables: Sequence[str], failure: Callable[[str], Exception]) -> None:
        self._tables, self._failure = tables, failure
        self._rows: list[tuple[Any, ...]] = []

    async def execute(self, statement: str) -> None:
        if statement.startswith("SELECT 0 FROM"):
            raise self._failure(statement.split()[3].strip("`"))
        self._rows = [(name,) for name in self._tables] if "information_schema.tables" in statement else []

    async def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


class Shop(FakeServer):
    """A server on which a module's table is missing, until it is installed."""

    def __init__(self) -> None:
        super().__init__(places=[("binlog.000005", 501)])
        self._edition = Edition().without([VIDEOS])
        self.installed = False

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        (statement, _), *_ = queries
        if "information_schema.tables" in statement:
            return [[(VIDEOS,)] if self.installed else []]
        return super().query_all(queries)


def found(failure: Callable[[str], Exception]) -> Edition:
    tables = [name for name in (*ALWAYS, *OPTIONAL_TABLES) if name != VIDEOS]
    return asyncio.run(_edition(FakeCursor(tables, failure)))


def test_a_table_that_is_not_there_is_missing() -> None:
    """Nothing else is."""
    edition = found(lambda table: ProgrammingError(1146, f"Table 'shop.{table}' doesn't exist"))

    assert edition.missing == {VIDEOS}


def test_a_table_that_may_not_be_read_is_not_empty() -> None:
    """The account does not see it either; a build without its rows would be wrong, and nobody told."""
    assert found(lambda table: ProgrammingError(1142, f"SELECT command denied to '{table}'")) == Edition()


def test_a_server_that_is_lost_meanwhile_says_nothing_of_tables() -> None:
    """The connection has failed as ever."""
    with pytest.raises(OperationalError):
        found(lambda _: OperationalError(2013, "Lost connection"))


def test_a_module_that_is_installed_later_counts_from_the_next_snapshot_on() -> None:
    """What was missing is looked for again: its rows are read by a connection that knows of them."""
    shop = Shop()
    with shop.snapshot() as snapshot:
        snapshot.query("SELECT 1")
        assert shop._edition is not None

    shop.installed = True
    with shop.snapshot() as snapshot:
        snapshot.query("SELECT 1")
    assert shop._edition is None
