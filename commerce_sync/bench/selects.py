"""The SELECTs of a build: noted on their way to the database, and asked again by the bare driver."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import asyncmy
from asyncmy.connection import Connection
from asyncmy.constants import CLIENT

from runtime.database import Database, Query, Row
from runtime.settings import DatabaseAddress

# SELECTs with their parameters that are asked together.
RoundTrip = Sequence[Query]


class NotingDatabase(Database):
    """Answers as the database does, and notes the SELECTs while it is told to."""

    def __init__(self, address: DatabaseAddress) -> None:
        super().__init__(address)
        self._noted: list[RoundTrip] | None = None

    @contextmanager
    def noting(self) -> Iterator[list[RoundTrip]]:
        """Gives the list that every round trip of SELECTs inside the block is appended to."""
        noted: list[RoundTrip] = []
        self._noted = noted
        try:
            yield noted
        finally:
            self._noted = None

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        # A snapshot is opened in one round trip with the first of them.
        selects = tuple(query for query in queries if query[0].startswith("SELECT"))
        if self._noted is not None and selects:
            self._noted.append(selects)
        return super().query_all(queries)


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
                client_flag=CLIENT.MULTI_STATEMENTS,
            )
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._loop.run_until_complete(self._connection.ensure_closed())
        self._loop.close()

    def ask(self, trips: Sequence[RoundTrip]) -> None:
        self._loop.run_until_complete(self._ask(trips))

    async def _ask(self, trips: Sequence[RoundTrip]) -> None:
        assert self._connection is not None
        for trip in trips:
            async with self._connection.cursor() as cursor:
                await cursor.execute(";".join(cursor.mogrify(text, _values(values)) for text, values in trip))
                while await cursor.nextset():
                    continue


def _values(parameters: Sequence[Any]) -> tuple[Any, ...]:
    """The driver writes a tuple as a list of values, and knows no other sequence."""
    return tuple(tuple(value) if isinstance(value, list) else value for value in parameters)
