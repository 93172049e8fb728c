"""The router's step: a batch of row changes becomes dirty entities."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec
from confluent_kafka import TopicPartition

from consumers.router.decode import decode_change, decode_schema_change
from consumers.router.lanes import LaneChooser
from consumers.router.resolve import DIRECT, NEED_NO_QUERY, Resolved, resolve
from consumers.router.rules import Touch, referrers, touched, touched_by_ddl
from consumers.router.versions import as_open_source, is_row, look_up, of_entities
from runtime import metrics
from runtime.database import Database
from runtime.errors import Poison, Waiting
from runtime.record import Outgoing, Record, parked
from schemas.entities import FEEDS_OF, partitions_of
from schemas.keys import partition_for
from schemas.records import (
    Dirty,
    Position,
    ResyncProgress,
    SourceBlock,
    newer,
    newest,
    resync_key,
)
from schemas.topics import TopicNames

log = logging.getLogger(__name__)


# How soon an entity is built, soonest first: at once; at once but for a moment; when nothing else is to do;
# then, and after a moment.
Haste = Literal["live", "late", "soon", "bulk"]
_HASTES: Final[tuple[Haste, ...]] = ("live", "late", "soon", "bulk")


@dataclass(frozen=True, slots=True)
class Target:
    """An entity that a change touches, or a reference: whoever of that kind refers to a row.

    `is_relative`: the row is not the entity's own.
    """

    entity: str
    name: str
    is_reference: bool = False
    is_relative: bool = False


@dataclass(frozen=True, slots=True)
class RoutedChange:
    """What one change touches and where it came from."""

    touches: list[Touch]
    source: SourceBlock
    reason: str


class RouterStage:
    """Implements runtime.loop.Stage. All it remembers may be lost: lane counters, and which batch waited."""

    name = "router"

    def __init__(
        self,
        database: Database,
        names: TopicNames,
        partitions: int,
        table_prefix: str,
        position_wait_s: float,
        echo_s: float = 2,
    ) -> None:
        self._database = database
        self._names = names
        self._partitions = partitions
        self._prefix = table_prefix
        self._wait_s = position_wait_s
        self._echo_s = echo_s
        # The batch that waited for rows which could not be proved to be gone.
        self._waited_for: tuple[str, int, int] | None = None
        self._lanes = LaneChooser()

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """Nothing to load."""

    def committed(self) -> None:
        """Nothing to follow."""

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        outgoing: list[Outgoing] = []
        changes: list[RoutedChange] = []
        for record in records:
            if record.value is None:
                continue
            try:
                change = self._decode(record.topic, record.value)
            except Poison as poison:
                log.error("change parked", extra=_place(record) | {"reason": poison.reason})
                outgoing.append(parked(record, self._names.dead_letter("router"), 0, "route", poison))
                continue
            if change.touches:
                changes.append(change)
        if changes:
            first = (records[0].topic, records[0].partition, records[0].offset)
            outgoing.extend(self._dirty(changes, first))
        return outgoing

    def _decode(self, topic: str, value: bytes) -> RoutedChange:
        if topic == self._names.change_prefix:
            ddl = decode_schema_change(value)
            # The topic begins with the DDL of every table as it was: no change of today.
            snapshot = str(ddl.source.snapshot).lower() in {"true", "last", "first"}
            self._database.forget_edition()
            touches = [] if snapshot or ddl.ddl is None else touched_by_ddl(ddl.ddl, self._prefix)
            return RoutedChange(touches, ddl.source, "ddl")
        event = decode_change(value)
        full_name = event.source.table or ""
        table = full_name.removeprefix(self._prefix)
        before, after = (
            as_open_source(self._database.edition, full_name, image) for image in (event.before, event.after)
        )
        touches = touched(table, event.op, before, after)
        return RoutedChange(touches, event.source, f"{table}:{event.op}")

    def _dirty(self, changes: Sequence[RoutedChange], first: tuple[str, int, int]) -> list[Outgoing]:
        changes, resolved = self._resolve(changes, first)
        targets: list[tuple[RoutedChange, Target]] = []
        everything: dict[str, list[RoutedChange]] = {}
        for change in changes:
            for touch in change.touches:
                if resolved.is_everything(touch):
                    # Options are of products.
                    entity = touch.value if touch.kind == "everything" else "product"
                    everything.setdefault(entity, []).append(change)
                    continue
                targets.extend((change, target) for target in targets_of(touch, resolved))
        outgoing = self._merged(targets)
        outgoing.extend(
            self._command(entity, everything[entity]) for entity in FEEDS_OF if entity in everything
        )
        self._observe(changes)
        return outgoing

    def _merged(self, targets: Sequence[tuple[RoutedChange, Target]]) -> list[Outgoing]:
        """One record an entity of the batch, in the greatest haste that any of its changes asks for.

        Of two servers, as there are behind a failover, one each: a record has one position, and topics are
        read in turn, so that the last one read may be of the old server.
        """
        for change, target in targets:
            self._lanes.see(target.name, _transaction(change))
        merged: dict[tuple[str, str, bool, int], Dirty] = {}
        hastes: dict[tuple[str, str, bool, int], Haste] = {}
        for change, target in targets:
            key = (target.entity, target.name, target.is_reference, change.source.server_id)
            merged[key] = _merge(merged.get(key), change, target.name if target.is_reference else None)
            hastes[key] = min(hastes.get(key, "bulk"), self._haste(change, target), key=_HASTES.index)
        return [
            record
            for key, dirty in merged.items()
            for record in self._records(key[0], key[1], hastes[key], dirty)
        ]

    def _haste(self, change: RoutedChange, target: Target) -> Haste:
        """A relative of many rows at once is likely to be among the next ones: it waits a moment for them.

        So does all bulk work of large transactions; many small edits wait for nothing but live work.
        """
        transaction = _transaction(change)
        lane = self._lanes.choose(target.name, transaction, change.source.ts_ms)
        large = self._lanes.is_large(transaction)
        if lane == "live":
            return "late" if target.is_relative and large else "live"
        return "bulk" if large else "soon"

    def _resolve(
        self, changes: Sequence[RoutedChange], first: tuple[str, int, int]
    ) -> tuple[Sequence[RoutedChange], Resolved]:
        """Look up what the changes name.

        Returns:
            The changes, naming entities where they named rows of versions, and what was found of them.

        Raises:
            Waiting: once a batch, when a row was not found in a view that may be older than the batch.
        """
        named = [touch for change in changes for touch in change.touches]
        if all(touch.kind in NEED_NO_QUERY and not is_row(touch) for touch in named):
            return changes, Resolved()
        positions = [position for change in changes if (position := change.source.position())]
        with self._database.snapshot(newest(positions), self._wait_s) as snapshot:
            rows = look_up(snapshot, self._prefix, named)
            known = [replace(change, touches=of_entities(change.touches, rows)) for change in changes]
            resolved = resolve(snapshot, self._prefix, [t for change in known for t in change.touches])
        missing = any(not of_entities([touch], rows) for touch in named) or any(
            resolved.is_missing(touch) for change in known for touch in change.touches
        )
        if snapshot.blind and missing and self._waited_for != first:
            self._waited_for = first
            message = "rows that changes name are not visible yet, or gone"
            raise Waiting(message, retry_after_s=self._echo_s)
        return known, resolved

    def _records(self, entity: str, name: str, haste: Haste, dirty: Dirty) -> list[Outgoing]:
        # What waits does so on the bulk lane's topic.
        topic = self._names.dirty(entity, "live" if haste == "live" else "bulk")
        marked = msgspec.structs.replace(
            dirty, lane="live" if haste == "late" else None, ripe=haste == "soon"
        )
        value = msgspec.json.encode(marked)
        partitions = partitions_of(entity, self._partitions)
        if dirty.refers_to is not None:
            # Nobody but the builders' indexes knows who referred to this row: ask every partition.
            return [Outgoing(topic, partition, b"", value) for partition in range(partitions)]
        key = name.encode()
        return [Outgoing(topic, partition_for(key, partitions), key, value)]

    def _command(self, entity: str, changes: Sequence[RoutedChange]) -> Outgoing:
        """Equal commands that wait are merged by their key; the resync role expands them."""
        last = changes[-1]
        position: Position | None = None
        for change in sorted(changes, key=lambda change: change.source.ts_ms):
            position = newer(position, change.source.position())
        command = ResyncProgress(
            feeds=FEEDS_OF[entity],
            state="requested",
            requested_ms=last.source.ts_ms,
            reason=last.reason,
            position=position,
        )
        log.info("all of an entity are dirty", extra={"entity": entity, "reason": last.reason})
        return Outgoing(self._names.control, 0, resync_key(entity), msgspec.json.encode(command))

    def _observe(self, changes: Sequence[RoutedChange]) -> None:
        newest_ms = max(change.source.ts_ms for change in changes)
        metrics.LAG_SECONDS.labels(self.name).set(max(0.0, time.time() - newest_ms / 1000))


def targets_of(touch: Touch, resolved: Resolved) -> Iterator[Target]:
    """The entities that a touch names, and the references where none is found."""
    if touch.kind in DIRECT:
        yield Target(touch.kind, touch.value)
        return
    for name, is_reference in resolved.entities(touch):
        if is_reference:
            yield from (Target(entity, name, is_reference=True) for entity in referrers(name))
        else:
            yield Target("product", name, is_relative=resolved.is_relative(touch, name))


def _merge(known: Dirty | None, change: RoutedChange, reference: str | None) -> Dirty:
    """One record per entity and batch: the newest position, the oldest commit time, the first reason."""
    position = change.source.position()
    if known is None:
        return Dirty(change.reason, position, change.source.ts_ms or None, reference)
    return Dirty(
        known.reason,
        newer(known.position, position),
        min(filter(None, (known.commit_ms, change.source.ts_ms)), default=None),
        reference,
    )


def _transaction(change: RoutedChange) -> str:
    return change.source.gtid or f"{change.source.file}:{change.source.pos}"


def _place(record: Record) -> dict[str, str | int]:
    return {"topic": record.topic, "partition": record.partition, "offset": record.offset}
