"""The SELECTs of a build: noted on their way to the database, and asked again by the bare driver."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import asyncmy
from asyncmy.connection import Connection

from runtime.database import Database, Row
from runtime.settings import DatabaseAddress

# A statement and its parameters.
Select = tuple[str, Sequence[Any]]


class NotingDatabase(Database):
    """Answers as the database does, and notes the SELECTs while it is told to."""

    def __init__(self, address: DatabaseAddress) -> None:
        super().__init__(address)
        self._noted: list[Select] | None = None

    @contextmanager
    def noting(self) -> Iterator[list[Select]]:
        """Gives the list that every SELECT inside the block is appended to."""
        noted: list[Select] = []
        self._noted = noted
        try:
            yield noted
        finally:
            self._noted = None

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        if self._noted is not None and statement.startswith("SELECT"):
            self._noted.append((statement, parameters))
        return super().query(statement, parameters)


class BareDriver:
    """The driver alone: a SELECT's rows are received, decoded and thrown away. Use it in a `with` block."""

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address
        self._loop = asyncio.new_event_loop()
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        self._connection = self._loop.run_until_complete(
            asyncmy.connect(
                host=self._address.host,
                port=self._address.port,
                user=self._address.user,
                password=self._address.password.get_secret_value(),
                database=self._address.database,
                charset="utf8mb4",
                autocommit=True,
            )
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._loop.run_until_complete(self._connection.ensure_closed())
        self._loop.close()

    def ask(self, selects: Sequence[Select]) -> None:
        self._loop.run_until_complete(self._ask(selects))

    async def _ask(self, selects: Sequence[Select]) -> None:
        assert self._connection is not None
        for statement, parameters in selects:
            async with self._connection.cursor() as cursor:
                # The driver writes a tuple as a list of values, and knows no other sequence.
                values = tuple(tuple(value) if isinstance(value, list) else value for value in parameters)
                await cursor.execute(statement, values)
