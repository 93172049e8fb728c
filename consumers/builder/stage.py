"""The builder's step: a batch of dirty entities becomes feed, index and dead-letter records."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import msgspec
from confluent_kafka import TopicPartition

from consumers.builder import echo, letters
from consumers.builder.diff import Difference, ItemKey, diff
from consumers.builder.echo import ECHOES_MAX
from consumers.builder.feeds import products
from consumers.builder.fold import Reference, Work, decode, fold
from consumers.builder.guard import DeleteGuard
from consumers.builder.index import FLOOR_KEY, PartitionIndex, encode_entry, encode_floor
from consumers.builder.read.products import Batch, read_products
from consumers.builder.rows import ProductRows
from runtime import metrics
from runtime.database import Database, Snapshot
from runtime.errors import BehindFloor, Fault, Poison, Transient
from runtime.record import Outgoing, Record, parked
from schemas.codec import encode
from schemas.keys import canonical_json, content_hash
from schemas.records import Again, DeadLetter, Dirty, IndexEntry, Lane, Position, newest
from schemas.topics import ITEM_BYTES_MAX, LANES, TopicNames

log = logging.getLogger(__name__)

# Fewer entities than this are built at once when a row they refer to changes; more go to the bulk lane.
REFERRING_LIVE_MAX = 500
# How long a batch that would delete too much waits before it is looked at again.
HELD_S = 5.0
# A replica that is behind catches up; a history that was lost never does.
FLOOR_WAIT_MS_MAX = 600_000
ENTITY = "product"


@dataclass(frozen=True, slots=True)
class BuilderOptions:
    """What of the settings a build depends on."""

    table_prefix: str
    config: Mapping[str, str]
    media_base_url: str
    position_wait_s: float
    delete_guard_percent: int = 10
    echo_ms: int = 2_000


@dataclass(slots=True)
class _Pending:
    """Index changes of the batch in hand; applied when it is committed."""

    puts: list[tuple[int, str, bytes | None]] = field(default_factory=list)
    covered: list[tuple[int, str]] = field(default_factory=list)
    snapshot: Position | None = None
    deletes: int = 0
    floors: dict[int, tuple[Position, ...]] = field(default_factory=dict)
    commit_ms: int | None = None


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
        self._behind_since_ms: int | None = None

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

    def overdue(self) -> bool:
        """True when an entity has to be built once more, whether or not a record comes."""
        return any(True for _ in self._echoes())

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
                references.append(Reference(record.partition, self._lanes[record.topic], dirty))
            else:
                entries.append((record.key.decode(), record.partition, self._lanes[record.topic], dirty))
        few, many = self._referring(references)
        works = fold([*entries, *few, *islice(self._echoes(), ECHOES_MAX)])
        self._pending.commit_ms = max((w.commit_ms for w in works if w.commit_ms is not None), default=None)
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
        for partition, floors in pending.floors.items():
            self._index[partition].floors = floors
        if pending.commit_ms is not None:
            age_ms = self._now_ms() - pending.commit_ms
            metrics.LAG_SECONDS.labels(self.name).set(max(0.0, age_ms / 1000))

    def _echoes(self) -> Iterator[tuple[str, int, Lane, Dirty]]:
        """What was built blindly and is due once more."""
        for partition, index in self._index.items():
            for key, again in echo.echoes(index.again, self._now_ms(), self._options.echo_ms):
                yield key, partition, again.lane, echo.dirty(again)

    def _referring(
        self, references: Sequence[Reference]
    ) -> tuple[list[tuple[str, int, Lane, Dirty]], list[Outgoing]]:
        """Entities built from a changed row: a few join this batch, many become bulk work of their own."""
        grouped: dict[tuple[int, Lane], list[Dirty]] = {}
        for reference in references:
            grouped.setdefault((reference.partition, reference.lane), []).append(reference.dirty)
        few: list[tuple[str, int, Lane, Dirty]] = []
        many: list[Outgoing] = []
        topic = self._names.dirty(ENTITY, "bulk")
        for (partition, lane), dirties in grouped.items():
            names = [dirty.refers_to for dirty in dirties if dirty.refers_to is not None]
            keys = list(self._index[partition].referring(names))
            for merged in _merged(dirties):
                if len(keys) <= REFERRING_LIVE_MAX:
                    few.extend((key, partition, lane, merged) for key in keys)
                else:
                    value = msgspec.json.encode(merged)
                    many.extend(Outgoing(topic, partition, key.encode(), value) for key in keys)
        return few, many

    def _is_covered(self, work: Work) -> bool:
        """True when the entity's last build has already seen these changes.

        Never for a resync or an echo, which heal what the stream missed. And not for a live edit of an item
        last emitted as bulk: that one has to be emitted again as live.
        """
        index = self._index[work.partition]
        seen = index.snapshot_of(work.key)
        if seen is None or work.always or not all(seen.covers(p) for p in work.positions):
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
        cover = newest([position for work in works for position in work.positions])
        floors = newest([floor for n in partitions for floor in self._index[n].floors])
        try:
            with self._database.snapshot(cover, self._options.position_wait_s, floors=floors) as snapshot:
                batch = self._read(snapshot, [work.key for work in works])
        except BehindFloor:
            self._lose_patience(partitions)
            raise
        self._behind_since_ms = None
        self._pending.snapshot = snapshot.position
        return [
            *(record for work in works for record in self._one(work, batch, snapshot)),
            *self._raise_floors(partitions, cover),
        ]

    def _raise_floors(self, partitions: Iterable[int], cover: Sequence[Position]) -> list[Outgoing]:
        """No later build of these partitions may read rows older than the changes built from now.

        Also when no item changed: older rows could bring back what was reverted since. Only a GTID can be
        looked for at another server.
        """
        known = [position for position in cover if position.gtid]
        outgoing = []
        for partition in sorted(partitions):
            floors = tuple(newest([*self._index[partition].floors, *known]))
            if floors != self._index[partition].floors:
                self._pending.floors[partition] = floors
                value = encode_floor(floors)
                outgoing.append(Outgoing(self._names.index(ENTITY), partition, FLOOR_KEY, value))
        return outgoing

    def _lose_patience(self, partitions: Iterable[int]) -> None:
        """Give a floor up that has not been reached for long: it may belong to a history that is no more."""
        now_ms = self._now_ms()
        self._behind_since_ms = self._behind_since_ms or now_ms
        if now_ms - self._behind_since_ms >= FLOOR_WAIT_MS_MAX:
            self._behind_since_ms = None
            for partition in partitions:
                log.error("floor given up", extra={"partition": partition})
                self._index[partition].floors = ()

    def _read(self, snapshot: Snapshot, skus: Sequence[str]) -> Batch:
        options = self._options
        return read_products(snapshot, options.table_prefix, skus, options.config, options.media_base_url)

    def _one(self, work: Work, batch: Batch, snapshot: Snapshot) -> list[Outgoing]:
        position = snapshot.position
        entry = self._index[work.partition].get(work.key)
        rows = batch.products.get(work.key)
        built = _Built({}) if rows is None else _items(rows, batch)
        hashes = {key: content_hash(item) for key, item in built.items.items()}
        difference = diff(entry.items, hashes, work.lane)
        failure = built.failure
        encoded: dict[ItemKey, bytes] = {}
        if failure is None:
            try:
                encoded = {key: encode(key[0], built.items[key]) for key in difference.emit}
            except (TypeError, ValueError, OverflowError) as error:
                # A value the schema does not know is this entity's trouble, not its neighbours'.
                failure = f"the item does not fit its schema: {error}"[:500]
        parked = _shadowed(rows, batch)
        again = echo.again_for(work, entry.again, snapshot.blind, self._now_ms(), self._options.echo_ms)
        if failure is not None:
            return self._park(work, entry, {letters.WHOLE: failure, **parked}, again)
        too_big = {key: len(value) for key, value in encoded.items() if len(value) > ITEM_BYTES_MAX}
        difference = difference.without(too_big, entry.items)
        parked |= {letters.item_part(*key): _too_big(size) for key, size in too_big.items()}
        metrics.ENTITIES_BUILT.labels(ENTITY, "built").inc()
        _count(difference, work.lane)
        self._pending.deletes += len(difference.tombstone)
        return [
            *(self._feed_record(work, key, encoded[key], hashes[key], position) for key in difference.emit),
            *(self._tombstone(work, key, position) for key in difference.tombstone),
            *self._remember(work, entry, IndexEntry(difference.items, built.refs, position, parked, again)),
        ]

    def _park(
        self, work: Work, entry: IndexEntry, parked: dict[str, str], again: Again | None
    ) -> list[Outgoing]:
        """The items stay as they are at the targets; a person sees the reason."""
        metrics.ENTITIES_BUILT.labels(ENTITY, "parked").inc()
        return self._remember(work, entry, msgspec.structs.replace(entry, parked=parked, again=again))

    def _remember(self, work: Work, before: IndexEntry, after: IndexEntry) -> list[Outgoing]:
        """The index record of a build and the letters that came or went; nothing when all is as it was."""
        changed = msgspec.structs.replace(before, snapshot=after.snapshot) != after
        value = encode_entry(after)
        # What has no item and no letter is not remembered: nothing to write, however often it is built.
        if not changed or (value is None and work.key not in self._index[work.partition]):
            self._pending.covered.append((work.partition, work.key))
            return []
        self._pending.puts.append((work.partition, work.key, value))
        return [
            *(self._dead_letter(work, *change) for change in letters.changes(before.parked, after.parked)),
            Outgoing(self._names.index(ENTITY), work.partition, work.key.encode(), value),
        ]

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

    def _dead_letter(self, work: Work, part: str, reason: str | None) -> Outgoing:
        topic = self._names.dead_letter("builder")
        key = letters.letter_key(ENTITY, work.key, part)
        if reason is None:
            return Outgoing(topic, work.partition, key, None)
        log.warning("parked", extra={"entity": ENTITY, "partition": work.partition, "reason": reason})
        letter = DeadLetter(
            kind="attention",
            operation="build",
            error=reason,
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


def _shadowed(rows: ProductRows | None, batch: Batch) -> dict[str, str]:
    """Letters of the rows that have this product's SKU and a higher id."""
    if rows is None:
        return {}
    sku = rows.product.sku
    others = [entity_id for entity_id, other in batch.shadowed if other == sku]
    return letters.shadow_letters(sku, rows.product.entity_id, others)


def _too_big(size: int) -> str:
    return (
        f"the item is {size} bytes long and a feed record holds {ITEM_BYTES_MAX}: shorten its texts; until "
        "then the target keeps what it has"
    )


def _merged(dirties: Sequence[Dirty]) -> list[Dirty]:
    """What all references of a partition and lane ask for: the newest positions, the oldest commit."""
    commit_ms = min((dirty.commit_ms for dirty in dirties if dirty.commit_ms is not None), default=None)
    positions: list[Position | None] = [
        *newest([dirty.position for dirty in dirties if dirty.position is not None])
    ]
    # One without a position is never covered by what was built before.
    if any(dirty.position is None for dirty in dirties):
        positions.append(None)
    return [Dirty(dirties[0].reason, position, commit_ms) for position in positions]


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
