"""The builder's step: a batch of dirty entities becomes feed, index and dead-letter records."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from confluent_kafka import TopicPartition

from consumers.builder.diff import Difference, ItemKey, diff
from consumers.builder.feeds import products
from consumers.builder.fold import Reference, Work, decode, fold
from consumers.builder.guard import DeleteGuard
from consumers.builder.index import FLOOR_KEY, PartitionIndex, encode_entry, encode_floor
from consumers.builder.read.products import Batch, read_products
from consumers.builder.rows import ProductRows
from runtime import metrics
from runtime.database import Database, Snapshot
from runtime.errors import Fault, Poison, Transient
from runtime.record import Outgoing, Record, parked
from schemas.codec import encode
from schemas.keys import canonical_json, content_hash
from schemas.records import DeadLetter, Dirty, IndexEntry, Lane, Position, newest
from schemas.topics import LANES, TopicNames

log = logging.getLogger(__name__)

# Fewer entities than this are built at once when a row they refer to changes; more go to the bulk lane.
REFERRING_LIVE_MAX = 500
# How long a batch that would delete too much waits before it is looked at again.
HELD_S = 5.0
ENTITY = "product"


@dataclass(frozen=True, slots=True)
class BuilderOptions:
    """What of the settings a build depends on."""

    table_prefix: str
    config: Mapping[str, str]
    media_base_url: str
    position_wait_s: float
    delete_guard_percent: int = 10


@dataclass(slots=True)
class _Pending:
    """Index changes of the batch in hand; applied when it is committed."""

    puts: list[tuple[int, str, bytes | None]] = field(default_factory=list)
    covered: list[tuple[int, str]] = field(default_factory=list)
    snapshot: Position | None = None
    deletes: int = 0
    partitions: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Built:
    """One entity's items, or the reason why there are none."""

    items: dict[ItemKey, dict[str, Any]]
    refs: tuple[str, ...] = ()
    failure: str | None = None


class BuilderStage:
    """Implements runtime.loop.Stage for the product entity."""

    name = "builder"

    def __init__(
        self,
        database: Database,
        names: TopicNames,
        options: BuilderOptions,
        load_index: Callable[[Sequence[int]], Mapping[int, PartitionIndex]],
        now_ms: Callable[[], int],
        deletes_allowed_until_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        self._database = database
        self._names = names
        self._options = options
        self._load_index = load_index
        self._now_ms = now_ms
        self._guard = DeleteGuard(options.delete_guard_percent, lambda: now_ms() / 1000)
        self._deletes_allowed_until_ms = deletes_allowed_until_ms
        self._lanes: dict[str, Lane] = {
            names.dirty(ENTITY, "live"): "live",
            names.dirty(ENTITY, "bulk"): "bulk",
        }
        self._index: dict[int, PartitionIndex] = {}
        self._pending = _Pending()

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """Load the index of exactly these partitions.

        Raises:
            Fault: a partition was handed out with only one of its lanes; both must have one worker.
        """
        lanes: dict[int, set[str]] = {}
        for place in places:
            lanes.setdefault(place.partition, set()).add(place.topic)
        if any(len(topics) != len(LANES) for topics in lanes.values()):
            message = "live and bulk of a partition went to different workers; the assignor must be 'range'"
            raise Fault(message)
        self._index = dict(self._load_index(sorted(lanes)))
        self._pending = _Pending()

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        self._pending = _Pending()
        outgoing: list[Outgoing] = []
        entries: list[tuple[str, int, Lane, Dirty]] = []
        references: list[Reference] = []
        for record in records:
            try:
                dirty = decode(record)
            except Poison as poison:
                log.error("dirty record parked", extra={"topic": record.topic, "offset": record.offset})
                topic = self._names.dead_letter("builder")
                outgoing.append(parked(record, topic, record.partition, "fold", poison))
                continue
            if dirty.refers_to is not None:
                references.append(Reference(record.partition, dirty))
            else:
                entries.append((record.key.decode(), record.partition, self._lanes[record.topic], dirty))
        few, many = self._referring(references)
        works = fold([*entries, *few])
        outgoing.extend(many)
        outgoing.extend(self._build([work for work in works if not self._is_covered(work)]))
        self._require_few_deletes()
        return outgoing

    def _require_few_deletes(self) -> None:
        """Hold the batch, and say so, when it would take too much from the targets.

        Raises:
            Transient: until an operator lets the deletes go, or the rows are back.
        """
        items = sum(index.items for index in self._index.values())
        refusal = self._guard.refuses(self._pending.deletes, items)
        if refusal is not None and self._deletes_allowed_until_ms() <= self._now_ms():
            raise Transient(refusal, retry_after_s=HELD_S)

    def committed(self) -> None:
        pending, self._pending = self._pending, _Pending()
        self._guard.note(pending.deletes)
        for partition, key, value in pending.puts:
            self._index[partition].put(key, value, pending.snapshot)
        for partition, key in pending.covered:
            self._index[partition].covered(key, pending.snapshot)
        for partition in pending.partitions:
            self._index[partition].floor = pending.snapshot

    def _referring(
        self, references: Sequence[Reference]
    ) -> tuple[list[tuple[str, int, Lane, Dirty]], list[Outgoing]]:
        """Entities built from a changed row: a few join this batch, many become bulk work of their own."""
        by_partition: dict[int, list[Dirty]] = {}
        for reference in references:
            by_partition.setdefault(reference.partition, []).append(reference.dirty)
        few: list[tuple[str, int, Lane, Dirty]] = []
        many: list[Outgoing] = []
        for partition, dirties in by_partition.items():
            merged = _merged(dirties)
            names = [dirty.refers_to for dirty in dirties if dirty.refers_to is not None]
            keys = list(self._index[partition].referring(names))
            if len(keys) <= REFERRING_LIVE_MAX:
                few.extend((key, partition, "live", merged) for key in keys)
            else:
                value = msgspec.json.encode(merged)
                topic = self._names.dirty(ENTITY, "bulk")
                many.extend(Outgoing(topic, partition, key.encode(), value) for key in keys)
        return few, many

    def _is_covered(self, work: Work) -> bool:
        """True when the entity's last build has already seen these changes.

        Never for a record without a position: a resync heals what the stream missed. And not for a live
        edit of an item last emitted as bulk: that one has to be emitted again as live.
        """
        index = self._index[work.partition]
        seen = index.snapshot_of(work.key)
        if seen is None or work.unplaced or not all(seen.covers(p) for p in work.positions):
            return False
        waiting_in_bulk = any(item.lane == "bulk" for item in index.get(work.key).items)
        if work.lane == "live" and waiting_in_bulk:
            return False
        metrics.ENTITIES_BUILT.labels(ENTITY, "covered").inc()
        return True

    def _build(self, works: Sequence[Work]) -> list[Outgoing]:
        if not works:
            return []
        partitions = {work.partition for work in works}
        floors = [floor for n in partitions if (floor := self._index[n].floor) is not None]
        cover = newest([position for work in works for position in work.positions])
        with self._database.snapshot(cover, self._options.position_wait_s, floors=floors) as snapshot:
            batch = self._read(snapshot, [work.key for work in works])
        self._pending.snapshot = snapshot.position
        outgoing = [record for work in works for record in self._one(work, batch, snapshot.position)]
        # Also when nothing changed: rows of an older snapshot could bring back what was reverted since.
        if snapshot.position is not None:
            self._pending.partitions = partitions
            value = encode_floor(snapshot.position)
            outgoing.extend(
                Outgoing(self._names.index(ENTITY), n, FLOOR_KEY, value) for n in sorted(partitions)
            )
        return outgoing

    def _read(self, snapshot: Snapshot, skus: Sequence[str]) -> Batch:
        options = self._options
        return read_products(snapshot, options.table_prefix, skus, options.config, options.media_base_url)

    def _one(self, work: Work, batch: Batch, position: Position | None) -> list[Outgoing]:
        entry = self._index[work.partition].get(work.key)
        rows = batch.products.get(work.key)
        built = _Built({}) if rows is None else _items(rows, batch)
        if built.failure is not None:
            return self._park(work, entry, built.failure)
        hashes = {key: content_hash(item) for key, item in built.items.items()}
        difference = diff(entry.items, hashes, work.lane)
        try:
            encoded = {key: encode(key[0], built.items[key]) for key in difference.emit}
        except (TypeError, ValueError, OverflowError) as error:
            # A value the schema does not know is this entity's trouble, not its neighbours'.
            return self._park(work, entry, f"the item does not fit its schema: {error}"[:500])
        metrics.ENTITIES_BUILT.labels(ENTITY, "built").inc()
        _count(difference, work.lane)
        self._pending.deletes += len(difference.tombstone)
        outgoing = [
            *(self._feed_record(work, key, value, hashes[key], position) for key, value in encoded.items()),
            *(self._tombstone(work, key, position) for key in difference.tombstone),
        ]
        if entry.parked is not None:
            outgoing.append(self._dead_letter(work, None))
        if outgoing or built.refs != entry.refs:
            outgoing.append(self._index_record(work, IndexEntry(difference.items, built.refs, position)))
        else:
            self._pending.covered.append((work.partition, work.key))
        return outgoing

    def _park(self, work: Work, entry: IndexEntry, failure: str) -> list[Outgoing]:
        """The items stay as they are at the targets; a person sees the reason."""
        metrics.ENTITIES_BUILT.labels(ENTITY, "parked").inc()
        log.warning("entity parked", extra={"entity": ENTITY, "reason": failure})
        if entry.parked == failure:
            return []
        parked = IndexEntry(entry.items, entry.refs, entry.snapshot, failure)
        return [self._dead_letter(work, failure), self._index_record(work, parked)]

    def _feed_record(
        self, work: Work, key: ItemKey, value: bytes, item_hash: str, position: Position | None
    ) -> Outgoing:
        feed, name = key
        headers = (("hash", item_hash.encode()), *self._headers(work, position))
        return Outgoing(self._names.feed(feed), work.partition, name.encode(), value, headers)

    def _tombstone(self, work: Work, key: ItemKey, position: Position | None) -> Outgoing:
        feed, name = key
        return Outgoing(
            self._names.feed(feed), work.partition, name.encode(), None, self._headers(work, position)
        )

    def _headers(self, work: Work, position: Position | None) -> tuple[tuple[str, bytes], ...]:
        built_ms = self._now_ms()
        return (
            ("lane", work.lane.encode()),
            ("commit_ms", str(work.commit_ms or built_ms).encode()),
            ("built_ms", str(built_ms).encode()),
            ("position", msgspec.json.encode(position)),
            ("reason", work.reason.encode()),
        )

    def _index_record(self, work: Work, entry: IndexEntry) -> Outgoing:
        value = encode_entry(entry)
        self._pending.puts.append((work.partition, work.key, value))
        return Outgoing(self._names.index(ENTITY), work.partition, work.key.encode(), value)

    def _dead_letter(self, work: Work, failure: str | None) -> Outgoing:
        topic = self._names.dead_letter("builder")
        key = canonical_json({"entity": ENTITY, "key": work.key})
        if failure is None:
            return Outgoing(topic, work.partition, key, None)
        letter = DeadLetter(
            kind="attention",
            operation="build",
            error=failure,
            attempts=1,
            time_ms=self._now_ms(),
            topic=self._names.dirty(ENTITY, work.lane),
            partition=work.partition,
            offset=-1,
        )
        return Outgoing(topic, work.partition, key, msgspec.json.encode(letter))


def _items(rows: ProductRows, batch: Batch) -> _Built:
    try:
        items = products.build(rows, batch.catalog)
    except products.Unbuildable as error:
        return _Built({}, failure=str(error))
    keyed = {
        (products.FEED, canonical_json(products.identity(i["sku"], i["storeViewCode"])).decode()): i
        for i in items
    }
    return _Built(keyed, products.refs(rows, batch.catalog))


def _merged(dirties: Sequence[Dirty]) -> Dirty:
    """One record for all references of a partition, with the newest position and the oldest commit."""
    positions = newest([dirty.position for dirty in dirties if dirty.position is not None])
    commits = [dirty.commit_ms for dirty in dirties if dirty.commit_ms is not None]
    return Dirty(dirties[0].reason, positions[0] if positions else None, min(commits, default=None))


def _count(difference: Difference, lane: Lane) -> None:
    for outcome, keys in (
        ("changed", difference.emit),
        ("deleted", difference.tombstone),
        ("unchanged", difference.unchanged),
    ):
        for feed, _ in keys:
            metrics.ITEMS_EMITTED.labels(feed, lane, outcome).inc()


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000
