"""What a service holds, in SQLite: live items, and those a cascade buried and may give back."""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from runtime.errors import UsageError
from schemas.services.shapes import Identity

_SCHEMA: Final = """
create table if not exists items (
    feed text not null, first text not null, second text not null, third text not null,
    item blob not null,
    primary key (feed, first, second, third)
);
create index if not exists prices_by_book on items (second) where feed = 'prices';
create table if not exists buried (
    feed text not null, first text not null, second text not null, third text not null,
    item blob not null, root text not null, buried_at real not null,
    primary key (feed, first, second, third)
);
create index if not exists buried_by_root on buried (root);
"""
_NAMED: Final = "feed = ? and first = ? and second = ? and third = ?"
_PAGE_ITEMS: Final = 500


class Storage:
    """Items by feed and identity. An identity has one to three parts; an item is JSON on one line."""

    def __init__(self, database: str = ":memory:") -> None:
        """Open or create.

        Raises:
            UsageError: `database` names no file that SQLite can write.
        """
        try:
            # One thread at a time uses it: its maker's at first, then the server's.
            self._connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
            self._connection.execute("pragma journal_mode = wal")
            # Survives the end of this process; only the machine's own crash could lose something.
            self._connection.execute("pragma synchronous = off")
            self._connection.executescript(_SCHEMA)
        except sqlite3.Error as error:
            message = f"--database {database} cannot be used ({error}): name a file in a writable folder"
            raise UsageError(message) from error

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing for what happens inside."""
        self._connection.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")

    def put(self, feed: str, items: Iterable[tuple[Identity, bytes]]) -> None:
        """Store, replacing; what is alive again is no longer buried."""
        rows = [(*_columns(feed, identity), item) for identity, item in items]
        self._connection.executemany(
            "insert into items values (?, ?, ?, ?, ?) "
            "on conflict (feed, first, second, third) do update set item = excluded.item",
            rows,
        )
        if self._connection.execute("select 1 from buried limit 1").fetchone():
            self._connection.executemany(f"delete from buried where {_NAMED}", [row[:4] for row in rows])

    def get(self, feed: str, identity: Identity) -> bytes | None:
        return self._item("items", feed, identity)

    def get_buried(self, feed: str, identity: Identity) -> bytes | None:
        return self._item("buried", feed, identity)

    def remove(self, feed: str, identities: Iterable[Identity]) -> None:
        rows = [_columns(feed, identity) for identity in identities]
        self._connection.executemany(f"delete from items where {_NAMED}", rows)

    def bury(self, root: str, now_s: float, condition: str, *values: str) -> None:
        """Move the live items that meet an SQL condition out of sight, to come back with `root`."""
        self._connection.execute(
            f"insert or replace into buried select *, ?, ? from items where {condition}",
            (root, now_s, *values),
        )
        self._connection.execute(f"delete from items where {condition}", values)

    def dig_up(self, root: str, not_before_s: float) -> None:
        """Give back what was buried with `root` since then; older ones are gone.

        None of it can be alive: `put` unburies what it stores.
        """
        self._connection.execute(
            "insert into items select feed, first, second, third, item from buried "
            "where root = ? and buried_at >= ?",
            (root, not_before_s),
        )
        self.forget(root)

    def forget(self, root: str) -> None:
        self._connection.execute("delete from buried where root = ?", (root,))

    def clear(self) -> None:
        with self.transaction():
            self._connection.execute("delete from items")
            self._connection.execute("delete from buried")

    def pages(self, feed: str) -> Iterator[list[bytes]]:
        """The items of a feed, sorted by identity, a page at a time.

        Each page is read when it is asked for: a writer between two pages is not kept out.
        """
        after: Identity | None = None
        while rows := self._page(feed, after):
            yield [row[3] for row in rows]
            after = rows[-1][:3]

    def _page(self, feed: str, after: Identity | None) -> list[tuple[str, str, str, bytes]]:
        beyond = "and (first, second, third) > (?, ?, ?)" if after else ""
        return self._connection.execute(
            f"select first, second, third, item from items where feed = ? {beyond} "
            f"order by first, second, third limit {_PAGE_ITEMS}",
            (feed, *(after or ())),
        ).fetchall()

    def _item(self, table: str, feed: str, identity: Identity) -> bytes | None:
        row = self._connection.execute(
            f"select item from {table} where {_NAMED}", _columns(feed, identity)
        ).fetchone()
        return row[0] if row else None


def _columns(feed: str, identity: Identity) -> tuple[str, ...]:
    return (feed, *identity, *[""] * (3 - len(identity)))
