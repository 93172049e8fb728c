"""What commands and pages ask the ledger: counts, pages, single items. A list's order has an index."""

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from consumers.ledger import write
from consumers.ledger.fold import ACCEPTED
from consumers.ledger.tables import VERSION, item, minute, submission
from runtime.errors import Unreachable

Row = dict[str, Any]

FAILING: Final = ("retryable", "attention")
# What has come to its end is listed only when it is asked for.
ENDED: Final = ("deleted", "skipped")
HISTORY_MAX: Final = 20
_MINUTE_MS: Final = 60_000
_ESCAPE: Final = "\\"


class Counts(NamedTuple):
    """Items of a feed at a target, by what has become of them."""

    records: int = 0
    submitted: int = 0
    retryable: int = 0
    attention: int = 0
    awaiting: int = 0


class Activity(NamedTuple):
    """Items accepted since two times, and when the newest acceptance and failure were (0: never)."""

    accepted: int = 0
    accepted_recently: int = 0
    accepted_ms: int = 0
    failed_ms: int = 0


def require_version(connection: Connection) -> None:
    """Raise Unreachable unless the tables are there, and this release's."""
    found = write.version(connection)
    if found == VERSION:
        return
    what = "is empty" if found is None else f"has tables of version {found}, this release knows {VERSION}"
    message = f"ledger.url: the database {what}; start the role 'ledger' of this release, which fills it"
    raise Unreachable(message)


def counts(connection: Connection, target: str, feed: str) -> Counts:
    """Deleted items and those the target is not told of do not count."""
    rows = connection.execute(
        select(item.c.state, item.c.deleted, func.count())
        .where(item.c.target == target, item.c.feed == feed)
        .group_by(item.c.state, item.c.deleted)
    )
    found = {(state, bool(deleted)): int(number) for state, deleted, number in rows}

    def of(state: str) -> int:
        return found.get((state, False), 0) + found.get((state, True), 0)

    shown = [state for state in Counts._fields if state != "records"]
    return Counts(sum(found.get((state, False), 0) for state in shown), *(of(state) for state in shown))


def activity(connection: Connection, target: str, feed: str, since_ms: int, recent_ms: int) -> Activity:
    """What was settled since two times, to the minute."""
    rows = connection.execute(
        select(minute.c.outcome, minute.c.minute, func.sum(minute.c["items"]), func.max(minute.c.last_ms))
        .where(minute.c.target == target, minute.c.feed == feed)
        .group_by(minute.c.outcome, minute.c.minute)
    ).all()
    accepted = [row for row in rows if row[0] in ACCEPTED]

    def since(time_ms: int) -> int:
        return int(sum(items for _, at, items, _ in accepted if at >= time_ms // _MINUTE_MS))

    return Activity(
        since(since_ms),
        since(recent_ms),
        max((last for *_, last in accepted), default=0),
        max((row[3] for row in rows if row[0] in FAILING), default=0),
    )


def oldest_waiting_ms(connection: Connection, target: str, feed: str, partitions: int) -> int | None:
    """Commit time of the edit that waits longest: the first of each partition is looked at."""
    times = [
        connection.scalar(
            select(item.c.commit_ms)
            .where(
                item.c.state == "awaiting",
                item.c.target == target,
                item.c.feed == feed,
                item.c.partition == number,
            )
            .order_by(item.c.feed_offset)
            .limit(1)
        )
        for number in range(partitions)
    ]
    return min((time_ms for time_ms in times if time_ms is not None), default=None)


def page(
    connection: Connection,
    target: str,
    feed: str,
    *,
    limit: int,
    after: str = "",
    state: str | None = None,
    search: str | None = None,
) -> list[Row]:
    """Items in the order of their keys, those behind `after`.

    Args:
        state: only these; without it all but the ended ones.
        search: part of a name or SKU, or how a member of the key begins; any case (SQLite: of a-z).
    """
    of_feed: list[ColumnElement[bool]] = [item.c.target == target, item.c.feed == feed]
    found = [_matches(search)] if search else []
    if state is None:
        return _rows(
            connection, [*of_feed, item.c.item_key > after, item.c.state.not_in(ENDED), *found], limit
        )
    # Keys first, from their index alone: SQLite would walk through the items of every state.
    keys = (
        select(item.c.item_key)
        .where(*of_feed, item.c.item_key > after, item.c.state == state)
        .order_by(item.c.item_key)
        .limit(None if search else limit)
        .subquery()
    )
    return _rows(connection, [*of_feed, item.c.item_key == keys.c.item_key, *found], limit)


def named(connection: Connection, pairs: Sequence[tuple[str, str]], name: str, limit: int) -> list[Row]:
    """Items whose key, SKU or any member of the key is `name`; the cheap ways are tried first."""
    member = json.dumps(name, ensure_ascii=False)
    places = or_(*(and_(item.c.target == target, item.c.feed == feed) for target, feed in pairs))
    for way in (item.c.item_key == name, item.c.sku == name, _like(item.c.item_key, ":" + member)):
        if found := _rows(connection, [places, way], limit):
            return found
    return []


def history(connection: Connection, row: Row) -> list[Row]:
    """What was said of an item, newest first."""
    of = submission.c
    rows = connection.execute(
        select(of.time_ms, of.outcome, of.partition, of.sent_offset, of.request_id, of.error)
        .where(of.target == row["target"], of.feed == row["feed"], of.item_key == row["item_key"])
        # Of topics that were made anew offsets begin again.
        .order_by(of.time_ms.desc(), of.status_offset.desc())
        .limit(HISTORY_MAX)
    )
    return [dict(found) for found in rows.mappings()]


def _rows(connection: Connection, chosen: Sequence[ColumnElement[bool]], limit: int) -> list[Row]:
    order = (item.c.target, item.c.feed, item.c.item_key)
    rows = connection.execute(select(item).where(*chosen).order_by(*order).limit(limit))
    return [dict(row) for row in rows.mappings()]


def _matches(text: str) -> ColumnElement[bool]:
    beginning = json.dumps(text, ensure_ascii=False)[:-1]
    return or_(
        _like(func.lower(item.c.sku), text.lower()),
        _like(func.lower(item.c.name), text.lower()),
        _like(func.lower(item.c.item_key), ":" + beginning.lower()),
    )


def _like(column: ColumnElement[Any], text: str) -> ColumnElement[bool]:
    for special in (_ESCAPE, "%", "_"):
        text = text.replace(special, _ESCAPE + special)
    return column.like(f"%{text}%", escape=_ESCAPE)
