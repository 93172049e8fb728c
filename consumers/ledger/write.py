"""Batches become rows: set-based, positions with them, and an older record never overwrites a newer row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    inspect,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

from consumers.ledger.fold import Batch, Row
from consumers.ledger.summary import COLUMNS
from consumers.ledger.tables import VERSION, item, meta, metadata, minute, position, submission
from runtime.errors import Doubt

Place = tuple[str, int]  # topic or feed, partition

# Deleted items are shown that long, and their statuses kept so long at the target's topics too.
DELETED_MS_MAX: Final = 8 * 24 * 3_600_000
HISTORY_MS_MAX: Final = 30 * 24 * 3_600_000
HISTORY_ROWS_MAX: Final = 1_000_000
MINUTES_MAX: Final = 24 * 60
# One transaction takes no more rows away: what lasts for two minutes is given up, and would be each time.
DELETED_ROWS_MAX: Final = 50_000
# Written out: MySQL's driver joins the rows of an INSERT only when nothing else of it is a value.
_AWAITING: Final[ColumnElement[Any]] = literal_column("'awaiting'")
_SKIPPED: Final[ColumnElement[Any]] = literal_column("'skipped'")
_NONE: Final[ColumnElement[Any]] = literal_column("''")
_ZERO: Final[ColumnElement[Any]] = literal_column("0")
_FEED: Final = ("feed_time_ms", "commit_ms", "content_hash", "deleted")
_STATUS: Final = ("outcome", "status_time_ms", "sent_offset", "sent_hash", "error", "request_id")


def prepare(connection: Connection) -> None:
    """Make the tables; those of another version are dropped with all that is in them."""
    if version(connection) == VERSION:
        return
    metadata.drop_all(connection)
    metadata.create_all(connection)
    connection.execute(insert(meta), {"name": "version", "value": VERSION})


def version(connection: Connection) -> int | None:
    """That of the tables there are; None when there are none."""
    if not inspect(connection).has_table(meta.name):
        return None
    return connection.scalar(select(meta.c.value).where(meta.c.name == "version")) or 0


def apply(connection: Connection, batch: Batch, moved: Mapping[Place, tuple[int, int]]) -> None:
    """Write a batch and move its positions, each from the first offset to the second.

    Raises:
        Doubt: a position is not where it was left; another process writes this ledger, or a commit whose
            answer was lost took effect.
    """
    _move(connection, moved)
    dialect = connection.dialect.name
    _execute(connection, _upsert_items(dialect), batch.items)
    _execute(connection, _upsert_tombstones(dialect), batch.tombstones)
    _execute(connection, _upsert_statuses(dialect), batch.statuses)
    _execute(connection, _forget_statuses(), [_bound(row) for row in batch.forgotten])
    _execute(connection, _add_submissions(dialect), batch.submissions)
    _execute(connection, _add_minutes(dialect), batch.minutes)


def settle(connection: Connection, target: str, until: Mapping[Place, int]) -> None:
    """Nothing waits below the offsets that a sink has committed, also where it had no reason to say so.

    Args:
        until: next offset by feed and partition.
    """
    rows = [{"f": feed, "p": number, "until": offset} for (feed, number), offset in until.items()]
    statement = (
        update(item)
        .where(
            item.c.state == "awaiting",
            item.c.target == target,
            item.c.feed == bindparam("f"),
            item.c.partition == bindparam("p"),
            item.c.feed_offset < bindparam("until"),
        )
        .values(settled_offset=item.c.feed_offset, state=_told(item.c.outcome))
    )
    _execute(connection, statement, rows)


def note_alive(connection: Connection, now_ms: int) -> None:
    """Remember when a ledger last was at work."""
    changed = connection.execute(update(meta).where(meta.c.name == "alive_ms").values(value=now_ms))
    if not changed.rowcount:
        connection.execute(insert(meta), {"name": "alive_ms", "value": now_ms})


def purge(connection: Connection, now_ms: int) -> bool:
    """Take away what is too old to be of use: deleted items, history, counts. True when history is left."""
    connection.execute(
        delete(item).where(
            item.c.state.in_(["deleted", "skipped"]),
            item.c.deleted,
            item.c.status_time_ms < now_ms - DELETED_MS_MAX,
        )
    )
    oldest = connection.scalar(
        select(submission.c.time_ms).order_by(submission.c.time_ms.desc()).offset(HISTORY_ROWS_MAX).limit(1)
    )
    before_ms = max(oldest or 0, now_ms - HISTORY_MS_MAX)
    last = connection.scalar(
        select(submission.c.time_ms).order_by(submission.c.time_ms).offset(DELETED_ROWS_MAX - 1).limit(1)
    )
    until_ms = before_ms if last is None else min(before_ms, last + 1)
    connection.execute(delete(submission).where(submission.c.time_ms < until_ms))
    # The newest minute of each outcome stays: it tells when that was last.
    kept = (minute.c.target, minute.c.feed, minute.c.outcome)
    cutoff = now_ms // 60_000 - MINUTES_MAX
    for target, feed, outcome, newest in connection.execute(
        select(*kept, func.max(minute.c.minute)).group_by(*kept)
    ).all():
        connection.execute(
            delete(minute).where(
                minute.c.target == target,
                minute.c.feed == feed,
                minute.c.outcome == outcome,
                minute.c.minute < min(cutoff, newest),
            )
        )
    return until_ms < before_ms


# Positions.


def positions(connection: Connection) -> dict[Place, int]:
    """The next offset of every partition that the ledger has begun with."""
    rows = connection.execute(select(position.c.topic, position.c.partition, position.c.next_offset))
    return {(topic, number): offset for topic, number, offset in rows}


def alive_ms(connection: Connection) -> int:
    """When a ledger last was at work; 0: never."""
    return connection.scalar(select(meta.c.value).where(meta.c.name == "alive_ms")) or 0


def begin(connection: Connection, places: Mapping[Place, int]) -> None:
    """Set positions, whatever they were."""
    drop(connection, places)
    rows = [{"topic": t, "partition": n, "next_offset": offset} for (t, n), offset in places.items()]
    _execute(connection, insert(position), rows)


def drop(connection: Connection, places: Iterable[Place]) -> None:
    """Have no positions any more: whoever looks next reads from the beginning."""
    for topic, number in places:
        connection.execute(delete(position).where(position.c.topic == topic, position.c.partition == number))


def clear(
    connection: Connection, target: str, feed: str, partitions: Sequence[int] | None, after: str
) -> str | None:
    """Forget the items behind a key, so many at once, and the counts of some partitions; the history stays.

    Returns the key to go on behind; None when all is done.

    Args:
        partitions: None for all.
    """
    rows = [item.c.target == target, item.c.feed == feed, item.c.item_key > after]
    counted = [minute.c.target == target, minute.c.feed == feed]
    if partitions is not None:
        rows.append(item.c.partition.in_(partitions))
        counted.append(minute.c.partition.in_(partitions))
    last: str | None = connection.scalar(
        select(item.c.item_key).where(*rows).order_by(item.c.item_key).offset(DELETED_ROWS_MAX - 1).limit(1)
    )
    upto = [] if last is None else [item.c.item_key <= last]
    connection.execute(delete(item).where(*rows, *upto))
    connection.execute(delete(minute).where(*counted))
    return last


def others(
    connection: Connection, topics: Iterable[str], pairs: Collection[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Targets and feeds that have items and are not configured any more."""
    if not _gone(connection, topics):
        return []
    found = connection.execute(select(item.c.target, item.c.feed).distinct()).all()
    return [(target, feed) for target, feed in found if (target, feed) not in pairs]


def forget_others(connection: Connection, topics: Iterable[str], pairs: Iterable[tuple[str, str]]) -> None:
    """Forget what belongs to targets and feeds that are not configured any more.

    Were their positions kept, they would be taken up later as if nothing had been missed.
    """
    gone = _gone(connection, topics)
    for topic in gone:
        connection.execute(delete(position).where(position.c.topic == topic))
    known = list(pairs)
    if gone:
        for table in (item, minute, submission):
            ours = or_(*(and_(table.c.target == target, table.c.feed == feed) for target, feed in known))
            connection.execute(delete(table).where(~ours) if known else delete(table))


def _gone(connection: Connection, topics: Iterable[str]) -> set[str]:
    return {topic for topic, _ in positions(connection)} - set(topics)


def _move(connection: Connection, moved: Mapping[Place, tuple[int, int]]) -> None:
    for (topic, number), (before, after) in moved.items():
        done = connection.execute(
            update(position)
            .where(
                position.c.topic == topic, position.c.partition == number, position.c.next_offset == before
            )
            .values(next_offset=after)
        )
        if done.rowcount != 1:
            message = f"ledger.url: {topic} [{number}] is not at {before} any more: somebody else writes it"
            raise Doubt(message)


# Statements.


def _upsert_items(dialect: str) -> Any:
    return _upsert_newer(dialect, "feed_offset", (*_FEED, *COLUMNS, "payload"))


def _upsert_tombstones(dialect: str) -> Any:
    """What the item was called stays, so that people see what is being deleted."""
    return _upsert_newer(dialect, "feed_offset", _FEED)


def _upsert_newer(dialect: str, guard: str, columns: Sequence[str]) -> Any:
    def values(new: Any) -> dict[str, ColumnElement[Any]]:
        newer = new[guard] > item.c[guard]
        feed_offset = case((newer, new.feed_offset), else_=item.c.feed_offset)
        return {
            "state": case((feed_offset > item.c.settled_offset, _AWAITING), else_=_told(item.c.outcome)),
            **{name: case((newer, new[name]), else_=item.c[name]) for name in columns},
            guard: feed_offset,
        }

    return _upsert(dialect, item, values)


def _upsert_statuses(dialect: str) -> Any:
    def values(new: Any) -> dict[str, ColumnElement[Any]]:
        newer = new.status_offset > item.c.status_offset
        advances = and_(newer, new.sent_offset > item.c.settled_offset)
        settled = case((advances, new.sent_offset), else_=item.c.settled_offset)
        outcome = case((newer, new.outcome), else_=item.c.outcome)
        accepted = and_(newer, new.accepted_ms > _ZERO)
        return {
            "state": case((item.c.feed_offset > settled, _AWAITING), else_=_told(outcome)),
            "settled_offset": settled,
            "accepted_ms": case((accepted, new.accepted_ms), else_=item.c.accepted_ms),
            **{name: case((newer, new[name]), else_=item.c[name]) for name in _STATUS},
            "status_offset": case((newer, new.status_offset), else_=item.c.status_offset),
        }

    return _upsert(dialect, item, values)


def _forget_statuses() -> Any:
    return (
        update(item)
        .where(
            item.c.target == bindparam("b_target"),
            item.c.feed == bindparam("b_feed"),
            item.c.item_key == bindparam("b_item_key"),
            item.c.status_offset < bindparam("b_status_offset"),
        )
        .values(
            state=case((item.c.feed_offset >= 0, "awaiting"), else_="skipped"),
            status_offset=bindparam("b_status_offset"),
            outcome="",
            sent_offset=-1,
            settled_offset=-1,
            sent_hash="",
            error=None,
            request_id=None,
        )
    )


def _add_submissions(dialect: str) -> Any:
    """A status that is read again is the same; of another log the one that took its place counts."""
    keys = {column.name for column in submission.primary_key}
    names = [column.name for column in submission.columns if column.name not in keys]
    return _upsert(dialect, submission, lambda new: {name: new[name] for name in names})


def _add_minutes(dialect: str) -> Any:
    return _upsert(
        dialect,
        minute,
        lambda new: {
            "items": minute.c["items"] + new["items"],
            "last_ms": case((new.last_ms > minute.c.last_ms, new.last_ms), else_=minute.c.last_ms),
        },
    )


def _upsert(dialect: str, table: Table, values: Any) -> Any:
    """INSERT that updates the row of the same key.

    MySQL assigns from left to right and reads what it has assigned: what others look at comes last.
    """
    if dialect in {"mysql", "mariadb"}:
        mine = mysql.insert(table)
        return mine.on_duplicate_key_update(list(values(mine.inserted).items()))
    other = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(table)
    keys = [column.name for column in table.primary_key]
    return other.on_conflict_do_update(index_elements=keys, set_=values(other.excluded))


def _told(outcome: ColumnElement[str]) -> ColumnElement[str]:
    return case((outcome == _NONE, _SKIPPED), else_=outcome)


def _bound(row: Row) -> Row:
    return {f"b_{name}": value for name, value in row.items()}


def _execute(connection: Connection, statement: Any, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(statement, rows)
