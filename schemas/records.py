"""The JSON values of dirty, index, status, dead-letter and control topics."""

from typing import Any, Final, Literal

import msgspec

from schemas.entities import FEEDS_OF

Lane = Literal["live", "bulk"]
DeadLetterKind = Literal["retryable", "attention"]
Outcome = Literal["delivered", "deleted", "retryable", "attention"]


class Position(msgspec.Struct, frozen=True, array_like=True):
    """A place in one server's binlog. Only positions of one server can be compared.

    `file` and `pos` say where a transaction begins (Debezium) or where a snapshot stands (database). `gtid`
    is the transaction's own, or what the log held before the snapshot was opened, the newest of each domain.
    """

    server_id: int
    file: str
    pos: int
    gtid: str | None = None

    @property
    def file_number(self) -> int:
        """The number behind the last dot of the file's name; it counts up."""
        return int(self.file.rpartition(".")[2])

    def order(self) -> tuple[int, int]:
        """Sorts as the log grows."""
        return (self.file_number, self.pos)

    def covers(self, transaction: "Position") -> bool:
        """True when a snapshot at this position has seen the transaction that begins at `transaction`."""
        return self.server_id == transaction.server_id and self.order() > transaction.order()

    def reaches(self, other: "Position") -> bool:
        """True when this position is the same or a later one."""
        return self.server_id == other.server_id and self.order() >= other.order()


def newer(known: Position | None, other: Position | None) -> Position | None:
    """Of two servers only the later read can be kept: it is the one that streams now."""
    if known is None or other is None:
        return known or other
    if known.server_id != other.server_id:
        return other
    return max(known, other, key=Position.order)


def newest(positions: list[Position]) -> list[Position]:
    """The newest position of each server named."""
    best: dict[int, Position] = {}
    for position in positions:
        known = best.get(position.server_id)
        if known is None or position.order() > known.order():
            best[position.server_id] = position
    return list(best.values())


class Dirty(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entity to build again. Key of the record: the entity; empty when `refers_to` is set.

    `commit_ms` is the commit time of the oldest change behind it (unix milliseconds, whole seconds at the
    source). `refers_to` ("category:12") stands for every entity whose last build used that row. `always`:
    build it even when the last build has seen `position`. `due_s`: this moment has come by the database's
    clock (unix seconds), whatever clock a builder reads. `afresh`: feeds whose items are emitted, and sent,
    though nothing of them changed; with `forget`, what of these feeds is no longer built is not deleted at
    the targets but forgotten. `wrong`: (feed, key) of items that their feed topic was found not to hold as
    built; they are written, or taken back, whatever was emitted before. `lane`: what it is built for, where
    the topic is another lane's. `ripe`: bulk work that waits for nothing.
    """

    reason: str
    position: Position | None = None
    commit_ms: int | None = None
    refers_to: str | None = None
    always: bool = False
    due_s: int | None = None
    afresh: tuple[str, ...] = ()
    forget: bool = False
    wrong: tuple[tuple[str, str], ...] = ()
    lane: Lane | None = None
    ripe: bool = False
    version: int = 1


# Headers of a feed record. Its item goes to the targets although it did not change; and of a tombstone:
# the item is no longer spoken for, whatever a target holds of it.
AFRESH_HEADER: Final = "afresh"
FORGET_HEADER: Final = "forget"


class EmittedItem(msgspec.Struct, frozen=True, array_like=True):
    """An item as last written to its feed topic; `key` is the feed record's key."""

    feed: str
    key: str
    hash: str
    lane: Lane


class Again(msgspec.Struct, frozen=True, array_like=True):
    """A build whose rows were not proved to be new enough: when it is due once more, and for which edit."""

    due_ms: int
    lane: Lane
    commit_ms: int | None = None


class IndexEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a builder must know of an entity: the items it last emitted and the rows they were made of.

    `parked`: reasons, by what of the entity waits for a person (itself: an empty text; a row; an item).
    `claims`: (feed, key) of items it builds too, but which another entity owns. `due_s`: when an item changes
    by time alone (unix seconds).
    """

    items: tuple[EmittedItem, ...] = ()
    refs: tuple[str, ...] = ()
    snapshot: Position | None = None
    parked: dict[str, str] = {}
    again: Again | None = None
    claims: tuple[tuple[str, str], ...] = ()
    due_s: int | None = None
    version: int = 1


class Floor(msgspec.Struct, frozen=True, omit_defaults=True):
    """The newest change of each server that a partition was built from; no later build may be older."""

    positions: tuple[Position, ...] = ()
    version: int = 1


# A partition's floor stands beside its entities under a key that none can have: it is no UTF-8.
FLOOR_KEY: Final = b"\xff"


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an item at a target. Settles the feed record at `partition`/`offset`, nothing newer.

    `again_ms`: an earlier request may still take effect until then; an accepted item goes once more then,
    of a refused one what is accepted next.
    `delete_members`: JSON text of what a delete of the item must say and its key does not tell.
    `there`: the item fails, and the target holds an earlier content of it.
    """

    outcome: Outcome
    hash: str
    topic: str
    partition: int
    offset: int
    time_ms: int
    request_id: str | None = None
    error: str | None = None
    again_ms: int | None = None
    delete_members: str | None = None
    there: bool = False
    version: int = 1


class DeadLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """A failing item: the class says who acts, the pointer says where its record is (never a payload).

    A retryable one goes again at `due_ms`, in the lane it was in; without that, when what it stands on has
    come.
    """

    kind: DeadLetterKind
    operation: str
    error: str
    attempts: int
    time_ms: int
    topic: str
    partition: int
    offset: int
    partitions: int = 0
    request_id: str | None = None
    due_ms: int | None = None
    lane: Lane = "live"
    version: int = 1


class ResyncProgress(msgspec.Struct, frozen=True, omit_defaults=True):
    """Control record `resync:<entity>`: what is asked for, and then how far it came.

    A run begins behind `began` and ends there, once around: `around` says that it has passed the last id.
    `requested_ms` names it: a run that takes another's place is named later.

    Attributes:
        cursor: the last id enumerated.
        entities: enumerated so far; `total`: rows there were when it began.
        position: the change that asked for it; no entity may be built from older rows.
        cleanup: every item of `feeds` is sent, and what is no longer there is forgotten.
        queued: a request that cannot join this run; it is the next one.
        log_end: end of the schema-change topic when the run began; `compared_to`: of the last run that ended.
    """

    feeds: tuple[str, ...]
    state: Literal["requested", "stop", "continue", "running", "stopped", "enumerated"]
    requested_ms: int
    reason: str = ""
    cursor: int = 0
    began: int = 0
    around: bool = False
    entities: int = 0
    position: Position | None = None
    cleanup: bool = False
    total: int = 0
    queued: "ResyncProgress | None" = None
    log_end: int = 0
    compared_to: int = 0
    version: int = 1

    @property
    def is_command(self) -> bool:
        return self.state in {"requested", "stop", "continue"}


def resync_key(entity: str) -> bytes:
    """Key of an entity's control record: equal requests that wait are merged by it."""
    return f"resync:{entity}".encode()


RESYNC_KEYS: Final = frozenset(resync_key(entity) for entity in FEEDS_OF)

# Control record: deletes beyond the guard may go until then (unix milliseconds).
ALLOW_DELETES_KEY: Final = b"allow-deletes"


class AllowDeletes(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operator's word that a mass delete is meant."""

    until_ms: int
    version: int = 1


# Control records for sinks: `pause:<target>:<feed>`, `retry:<target>:<feed>:<time>`, `resend:` likewise.
PAUSE_PREFIX: Final = b"pause:"
RETRY_PREFIX: Final = b"retry:"
RESEND_PREFIX: Final = b"resend:"


class Pause(msgspec.Struct, frozen=True, omit_defaults=True):
    """An operator stops sending a feed to a target, or lets it go on."""

    target: str
    feed: str
    paused: bool
    requested_ms: int
    version: int = 1


class Retry(msgspec.Struct, frozen=True, omit_defaults=True):
    """Items that failed before `requested_ms` go again: of one class or all, those named or all."""

    target: str
    feed: str
    requested_ms: int
    kind: DeadLetterKind | None = None
    keys: tuple[str, ...] = ()
    version: int = 1


class ResendItem(msgspec.Struct, frozen=True, array_like=True):
    """An item that the target does not hold as it should.

    `offset` is that of its feed record, negative where there is none: it is deleted. `delete_members`: JSON
    text of what a delete must say besides the key, where no status tells.
    """

    key: str
    partition: int
    offset: int
    delete_members: str = ""


class Resend(msgspec.Struct, frozen=True, omit_defaults=True):
    """Items go again as they should be, unless something was sent of them since `requested_ms`."""

    target: str
    feed: str
    requested_ms: int
    items: tuple[ResendItem, ...]
    version: int = 1


# Control record: which topics these are, as of the last start.
TOPICS_KEY: Final = b"topics"


class RecordedTopic(msgspec.Struct, frozen=True, array_like=True):
    """A topic as the broker knows it: one that is made again under its name has another id."""

    topic_id: str
    partitions: int


class RecordedTopics(msgspec.Struct, frozen=True):
    """By name."""

    topics: dict[str, RecordedTopic] = {}
    version: int = 1


class SourceBlock(msgspec.Struct, frozen=True):
    """Where a row change comes from, as Debezium tells it."""

    table: str | None = None
    db: str | None = None
    server_id: int = 0
    file: str = ""
    pos: int = 0
    gtid: str | None = None
    ts_ms: int = 0
    snapshot: str | bool | None = None

    def position(self) -> Position | None:
        return Position(self.server_id, self.file, self.pos, self.gtid) if self.file else None


class ChangeEvent(msgspec.Struct, frozen=True):
    """One row change: before- and after-image by column name. `op`: c, u, d, t (truncate) or r (read)."""

    op: str
    source: SourceBlock
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


class SchemaChange(msgspec.Struct, frozen=True):
    """One DDL statement on the connector's schema-change topic."""

    source: SourceBlock
    ddl: str | None = None
    databaseName: str | None = None
