"""The builder's step: a batch of dirty entities becomes feed, index and dead-letter records."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import msgspec
from confluent_kafka import TopicPartition

from consumers.builder import claims, echo, letters
from consumers.builder.claims import Standing
from consumers.builder.diff import Difference, ItemKey, diff
from consumers.builder.echo import ECHOES_MAX
from consumers.builder.entities import ENTITIES, Built, Entity, ReadOptions, build_one
from consumers.builder.fold import Reference, Work, decode, fold
from consumers.builder.guard import DeleteGuard
from consumers.builder.index import PartitionIndex, encode_entry, encode_floor
from consumers.builder.read.reader import carry_out
from consumers.builder.read.versions import next_due_s, own_names, read_boundaries
from runtime import metrics
from runtime.covering import has_seen
from runtime.database import Database, Snapshot
from runtime.errors import BehindFloor, Fault, Poison, Transient
from runtime.record import Outgoing, Record, parked
from schemas.codec import encode
from schemas.entities import FEEDS_OF
from schemas.keys import content_hash
from schemas.records import (
    AFRESH_HEADER,
    FLOOR_KEY,
    FORGET_HEADER,
    DeadLetter,
    Dirty,
    EmittedItem,
    IndexEntry,
    Lane,
    Position,
    newest,
)
from schemas.topics import ITEM_BYTES_MAX, LANES, TopicNames

log = logging.getLogger(__name__)

# Fewer entities than this are built at once when a row they refer to changes; more go to the bulk lane.
REFERRING_LIVE_MAX = 500
# How long a batch that would delete too much waits before it is looked at again.
HELD_S = 5.0
# A replica that is behind catches up; a history that was lost never does.
FLOOR_WAIT_MS_MAX = 600_000

# An entity's partition: live and bulk work of it, and its index, belong to one worker.
Shard = tuple[str, int]


Headers = tuple[tuple[str, bytes], ...]
# Key, partition, lane and what is asked.
_Entry = tuple[str, int, Lane, Dirty]


@dataclass(frozen=True, slots=True)
class BuilderOptions:
    """What of the settings a build depends on."""

    read: ReadOptions
    position_wait_s: float
    delete_guard_percent: int = 10
    echo_ms: int = 2_000


@dataclass(slots=True)
class _Pending:
    """Index changes of the batch in hand; applied when it is committed."""

    puts: list[tuple[Shard, str, bytes | None]] = field(default_factory=list)
    covered: list[tuple[Shard, str]] = field(default_factory=list)
    snapshot: Position | None = None
    # By feed and partition.
    deletes: Counter[tuple[str, int]] = field(default_factory=Counter)
    # By feed, lane and outcome.
    items: Counter[tuple[str, Lane, str]] = field(default_factory=Counter)
    floors: dict[Shard, tuple[Position, ...]] = field(default_factory=dict)
    commit_ms: int | None = None

    def count(self, difference: Difference, lane: Lane) -> None:
        for outcome, keys in (
            ("changed", difference.emit),
            ("deleted", difference.tombstone),
            ("unchanged", difference.unchanged),
        ):
            for feed, _ in keys:
                self.items[feed, lane, outcome] += 1


class BuilderStage:
    """Implements runtime.loop.Stage for every entity."""

    name = "builder"

    def __init__(
        self,
        database: Database,
        names: TopicNames,
        options: BuilderOptions,
        load_index: Callable[[Sequence[Shard]], Mapping[Shard, PartitionIndex]],
        now_ms: Callable[[], int],
        deletes_allowed_until_ms: Callable[[], int] = lambda: 0,
        entities: Mapping[str, Entity] = ENTITIES,
    ) -> None:
        self._database = database
        self._names = names
        self._options = options
        self._load_index = load_index
        self._now_ms = now_ms
        self._entities = entities
        self._guards = {
            feed: DeleteGuard(feed, options.delete_guard_percent, lambda: now_ms() / 1000)
            for feeds in FEEDS_OF.values()
            for feed in feeds
        }
        self._deletes_allowed_until_ms = deletes_allowed_until_ms
        self._topics: dict[str, tuple[str, Lane]] = {
            names.dirty(entity, lane): (entity, lane) for entity in FEEDS_OF for lane in LANES
        }
        self._index: dict[Shard, PartitionIndex] = {}
        self._pending = _Pending()
        self._behind_since_ms: int | None = None

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """Load the index of exactly these partitions.

        Raises:
            Fault: a partition was handed out with only one of its lanes; both must have one worker.
        """
        lanes: dict[Shard, set[str]] = {}
        for place in places:
            entity, lane = self._topics[place.topic]
            lanes.setdefault((entity, place.partition), set()).add(lane)
        if any(len(held) != len(LANES) for held in lanes.values()):
            message = "live and bulk of a partition went to different workers; the assignor must be 'range'"
            raise Fault(message)
        self._index = dict(self._load_index(sorted(lanes)))
        self._pending = _Pending()
        for entity, feeds in FEEDS_OF.items():
            for feed in feeds:
                self._guards[feed].keep({partition for of, partition in lanes if of == entity})

    def overdue(self) -> bool:
        """True when an entity has to be built once more, whether or not a record comes."""
        return any(True for _ in self._echoes())

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        self._pending = _Pending()
        outgoing: list[Outgoing] = []
        entries: dict[str, list[_Entry]] = {entity: [] for entity in FEEDS_OF}
        references: list[Reference] = []
        for record in records:
            entity, lane = self._topics[record.topic]
            try:
                dirty = decode(record)
            except Poison as poison:
                log.error("dirty record parked", extra={"topic": record.topic, "offset": record.offset})
                topic = self._names.dead_letter("builder")
                outgoing.append(parked(record, topic, record.partition, "fold", poison))
                continue
            lane = dirty.lane or lane
            if dirty.refers_to is not None:
                references.append(Reference(entity, record.partition, lane, dirty))
            else:
                entries[entity].append((record.key.decode(), record.partition, lane, dirty))
        few, many = self._referring(references)
        for entity, entry in (*few, *islice(self._echoes(), ECHOES_MAX)):
            entries[entity].append(entry)
        works = [work for entity, of_entity in entries.items() for work in fold(of_entity, entity)]
        self._pending.commit_ms = max((w.commit_ms for w in works if w.commit_ms is not None), default=None)
        outgoing.extend(many)
        outgoing.extend(self._build([work for work in works if not self._is_covered(work)], references))
        self._require_few_deletes()
        return outgoing

    def _require_few_deletes(self) -> None:
        """Hold the batch, and say so, when it would take too much from the targets.

        Raises:
            Transient: until an operator lets the deletes go, or the rows are back.
        """
        of_feed: Counter[str] = Counter()
        for (feed, _), deletes in self._pending.deletes.items():
            of_feed[feed] += deletes
        for feed, deletes in of_feed.items():
            items = sum(index.items[feed] for index in self._index.values())
            refusal = self._guards[feed].refuses(deletes, items)
            if refusal is not None and self._deletes_allowed_until_ms() <= self._now_ms():
                raise Transient(refusal, retry_after_s=HELD_S)

    def committed(self) -> None:
        pending, self._pending = self._pending, _Pending()
        for (feed, partition), deletes in pending.deletes.items():
            self._guards[feed].note(partition, deletes)
        for labels, items in pending.items.items():
            metrics.ITEMS_EMITTED.labels(*labels).inc(items)
        for shard, key, value in pending.puts:
            self._index[shard].put(key, value, pending.snapshot)
        for shard, key in pending.covered:
            self._index[shard].covered(key, pending.snapshot)
        for shard, floors in pending.floors.items():
            self._index[shard].floors = floors
        if pending.commit_ms is not None:
            age_ms = self._now_ms() - pending.commit_ms
            metrics.LAG_SECONDS.labels(self.name).set(max(0.0, age_ms / 1000))

    def _echoes(self) -> Iterator[tuple[str, _Entry]]:
        """What was built blindly and is due once more, with its entity."""
        for (entity, partition), index in self._index.items():
            for key, again in echo.echoes(index.again, self._now_ms(), self._options.echo_ms):
                yield entity, (key, partition, again.lane, echo.dirty(again))

    def _referring(self, references: Sequence[Reference]) -> tuple[list[tuple[str, _Entry]], list[Outgoing]]:
        """Entities built from a changed row: a few join this batch, many become bulk work of their own."""
        grouped: dict[tuple[Shard, Lane], list[Dirty]] = {}
        for reference in references:
            shard = (reference.entity, reference.partition)
            grouped.setdefault((shard, reference.lane), []).append(reference.dirty)
        few: list[tuple[str, _Entry]] = []
        many: list[Outgoing] = []
        for (shard, lane), dirties in grouped.items():
            entity, partition = shard
            topic = self._names.dirty(entity, "bulk")
            names = [dirty.refers_to for dirty in dirties if dirty.refers_to is not None]
            keys = list(self._index[shard].referring(names))
            for merged in _merged(dirties):
                if len(keys) <= REFERRING_LIVE_MAX:
                    few.extend((entity, (key, partition, lane, merged)) for key in keys)
                else:
                    value = msgspec.json.encode(merged)
                    many.extend(Outgoing(topic, partition, key.encode(), value) for key in keys)
        return few, many

    def _is_covered(self, work: Work) -> bool:
        """True when the entity's last build has already seen these changes.

        Never for a resync or an echo, which heal what the stream missed. And not for a live edit of an item
        last emitted as bulk: that one has to be emitted again as live.
        """
        index = self._index[_shard(work)]
        seen = index.snapshot_of(work.key)
        if seen is None or work.always or not all(has_seen(seen, p) for p in work.positions):
            return False
        waiting_in_bulk = any(item.lane == "bulk" for item in index.get(work.key).items)
        if work.lane == "live" and waiting_in_bulk:
            return False
        metrics.ENTITIES_BUILT.labels(work.entity, "covered").inc()
        return True

    def _build(self, works: Sequence[Work], references: Sequence[Reference]) -> list[Outgoing]:
        """Build in one snapshot that has seen the changes of all `works` and those of `references`.

        The latter also when nobody refers to their rows: who does so from now on must not be built without.
        """
        named = [(each, position) for each in references if (position := each.dirty.position) is not None]
        if not works and not named:
            return []
        shards = {_shard(work) for work in works} | {(each.entity, each.partition) for each, _ in named}
        cover = newest([position for _, position in named] + [p for work in works for p in work.positions])
        floors = newest([floor for shard in shards for floor in self._index[shard].floors])
        wait_s = self._options.position_wait_s
        not_before_s = max((work.not_before_s for work in works), default=0)
        try:
            with self._database.snapshot(cover, wait_s, floors=floors, not_before_s=not_before_s) as snapshot:
                made = [
                    pair
                    for entity in FEEDS_OF
                    if (of_entity := [work for work in works if work.entity == entity])
                    for pair in self._made(self._entities[entity], of_entity, snapshot)
                ]
                self._pending.snapshot = snapshot.position
        except BehindFloor:
            self._lose_patience(shards)
            raise
        except Transient:
            self._behind_since_ms = None
            raise
        self._behind_since_ms = None
        return [
            *(
                record
                for work, built, standing in made
                for record in self._one(work, built, standing, snapshot)
            ),
            *self._raise_floors(shards, cover),
        ]

    def _made(
        self, entity: Entity, works: Sequence[Work], snapshot: Snapshot
    ) -> list[tuple[Work, Built, Standing]]:
        """Rows become items, and each item gets its owner, for the works of one entity and who joins them."""
        made: dict[str, tuple[Work, Built]] = {}
        keys: dict[str, frozenset[ItemKey]] = {}
        missing = list(works)
        index = self._index[_shard(works[0])]
        while missing:
            batch = entity.read(snapshot, self._options.read, [work.key for work in missing])
            for work in missing:
                built = build_one(batch, work.key, work.not_before_s)
                made[work.key] = work, built
                keys[work.key] = self._keys(work, built)
            missing = (
                [_joining(key, works) for key in claims.affected(index, keys)] if entity.contested else []
            )
        if snapshot.edition.is_staged:
            made = self._with_versions(made, snapshot)
        return [(work, built, self._standing(work, keys, entity.contested)) for work, built in made.values()]

    def _with_versions(
        self, made: Mapping[str, tuple[Work, Built]], snapshot: Snapshot
    ) -> dict[str, tuple[Work, Built]]:
        """What was built, due also when another version of what it was built from begins to count.

        What cannot be built today is still made of the rows that it was made of before; of what has no row
        today a version may be yet to come.
        """
        names = {
            key: (
                *(built.refs or self._index[_shard(work)].get(key).refs),
                *own_names(work.entity, key),
            )
            for key, (work, built) in made.items()
        }
        wanted = {name for of_entity in names.values() for name in of_entity}
        boundaries = carry_out(snapshot, read_boundaries(self._options.read.table_prefix, wanted))
        return {
            key: (work, replace(built, due_s=next_due_s(built.due_s, names[key], boundaries)))
            for key, (work, built) in made.items()
        }

    def _keys(self, work: Work, built: Built) -> frozenset[ItemKey]:
        """Items that an entity makes; one that cannot be built keeps what it has."""
        if letters.WHOLE not in built.parked:
            return frozenset(built.items)
        entry = self._index[_shard(work)].get(work.key)
        return frozenset((item.feed, item.key) for item in entry.items)

    def _standing(self, work: Work, keys: Mapping[str, frozenset[ItemKey]], contested: bool) -> Standing:
        index = self._index[_shard(work)]
        if contested:
            return claims.standing(index, keys, work.key)
        return Standing(index.get(work.key), keys[work.key], {})

    def _raise_floors(self, shards: Iterable[Shard], cover: Sequence[Position]) -> list[Outgoing]:
        """No later build of these partitions may read rows older than the changes built from now.

        Also when no item changed: older rows could bring back what was reverted since. Only a GTID can be
        looked for at another server.
        """
        known = [position for position in cover if position.gtid]
        outgoing = []
        for entity, partition in sorted(shards):
            index = self._index[entity, partition]
            floors = tuple(newest([*index.floors, *known]))
            if floors != index.floors:
                self._pending.floors[entity, partition] = floors
                value = encode_floor(floors)
                outgoing.append(Outgoing(self._names.index(entity), partition, FLOOR_KEY, value))
        return outgoing

    def _lose_patience(self, shards: Iterable[Shard]) -> None:
        """Give a floor up that has not been reached for long: it may belong to a history that is no more."""
        now_ms = self._now_ms()
        self._behind_since_ms = self._behind_since_ms or now_ms
        if now_ms - self._behind_since_ms >= FLOOR_WAIT_MS_MAX:
            self._behind_since_ms = None
            for entity, partition in shards:
                log.error("floor given up", extra={"entity": entity, "partition": partition})
                self._index[entity, partition].floors = ()

    def _one(self, work: Work, built: Built, standing: Standing, snapshot: Snapshot) -> list[Outgoing]:
        position = snapshot.position
        entry = self._index[_shard(work)].get(work.key)
        before = standing.before.items
        items = {key: item for key, item in built.items.items() if key in standing.owned}
        failure = built.parked.get(letters.WHOLE)
        hashes: dict[ItemKey, str] = {}
        difference = Difference((), (), (), before)
        encoded: dict[ItemKey, bytes] = {}
        if failure is None:
            try:
                hashes = {key: content_hash(item) for key, item in items.items()}
                difference = diff(before, hashes, work.lane, work.afresh)
                difference = difference.distrusting(self._wrong(work, built, standing))
                encoded = {key: encode(key[0], items[key]) for key in difference.emit}
            except (TypeError, ValueError, OverflowError) as error:
                # A value the schema does not know is this entity's trouble, not its neighbours'.
                failure = f"the item does not fit its schema: {error}"[: letters.REASON_MAX]
        parked = {**built.parked, **_claimed(work.entity, standing.others)}
        again = echo.again_for(work, entry.again, snapshot.blind, self._now_ms(), self._options.echo_ms)
        others = tuple(sorted(standing.others))
        if failure is not None:
            # The items stay as they are at the targets; a person sees the reason.
            metrics.ENTITIES_BUILT.labels(work.entity, "parked").inc()
            parked[letters.WHOLE] = failure
            kept = IndexEntry(before, entry.refs, entry.snapshot, parked, again, others, built.due_s)
            return self._remember(work, entry, kept)
        too_big = {key: len(value) for key, value in encoded.items() if len(value) > ITEM_BYTES_MAX}
        kept_back = {*too_big, *letters.held_items(built.parked, before)}
        difference = difference.without(kept_back, before)
        parked |= {letters.item_part(*key): _too_big(size) for key, size in too_big.items()}
        metrics.ENTITIES_BUILT.labels(work.entity, "built").inc()
        self._pending.count(difference, work.lane)
        # What is forgotten stays at the targets.
        self._pending.deletes.update(
            (feed, work.partition)
            for feed, _ in difference.tombstone
            if not (work.forget and feed in work.afresh)
        )
        after = IndexEntry(difference.items, built.refs, position, parked, again, others, built.due_s)
        headers = self._headers(work, position)
        return [
            *(self._feed_record(work, key, encoded[key], hashes[key], headers) for key in difference.emit),
            *(self._tombstone(work, key, headers) for key in difference.tombstone),
            *self._remember(work, entry, after),
        ]

    def _wrong(self, work: Work, built: Built, standing: Standing) -> frozenset[ItemKey]:
        """Items an audit found wrong, without those another entity speaks for or that cannot be built."""
        index = self._index[_shard(work)]
        items = [EmittedItem(feed, key, "", work.lane) for feed, key in work.wrong]
        others = {key for key in work.wrong if index.claimants(key) - {work.key}}
        return work.wrong - others - standing.others.keys() - letters.held_items(built.parked, items)

    def _remember(self, work: Work, before: IndexEntry, after: IndexEntry) -> list[Outgoing]:
        """The index record of a build and the letters that came or went; nothing when all is as it was."""
        index = self._index[_shard(work)]
        corrected = work.key in index.corrected
        changed = msgspec.structs.replace(before, snapshot=after.snapshot) != after
        value = encode_entry(after)
        # What has no item and no letter is not remembered: nothing to write, however often it is built.
        if not corrected and (not changed or (value is None and work.key not in index)):
            self._pending.covered.append((_shard(work), work.key))
            return []
        self._pending.puts.append((_shard(work), work.key, value))
        return [
            *(self._dead_letter(work, *change) for change in letters.changes(before.parked, after.parked)),
            Outgoing(self._names.index(work.entity), work.partition, work.key.encode(), value),
        ]

    def _feed_record(
        self, work: Work, key: ItemKey, value: bytes, item_hash: str, headers: Headers
    ) -> Outgoing:
        feed, name = key
        headers = (("hash", item_hash.encode()), *headers)
        if feed in work.afresh:
            headers = (*headers, (AFRESH_HEADER, b"1"))
        return Outgoing(self._names.feed(feed), work.partition, name.encode(), value, headers)

    def _tombstone(self, work: Work, key: ItemKey, headers: Headers) -> Outgoing:
        feed, name = key
        if work.forget and feed in work.afresh:
            headers = (*headers, (FORGET_HEADER, b"1"))
        return Outgoing(self._names.feed(feed), work.partition, name.encode(), None, headers)

    def _headers(self, work: Work, position: Position | None) -> Headers:
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
        key = letters.letter_key(work.entity, work.key, part)
        if reason is None:
            return Outgoing(topic, work.partition, key, None)
        log.warning("parked", extra={"entity": work.entity, "partition": work.partition, "reason": reason})
        letter = DeadLetter(
            kind="attention",
            operation="build",
            error=reason,
            attempts=1,
            time_ms=self._now_ms(),
            topic=self._names.dirty(work.entity, work.lane),
            partition=work.partition,
            offset=-1,
        )
        return Outgoing(topic, work.partition, key, msgspec.json.encode(letter))


def _shard(work: Work) -> Shard:
    return work.entity, work.partition


def _joining(key: str, works: Sequence[Work]) -> Work:
    """Work for an entity that has to be built because items of these change hands."""
    lane: Lane = "live" if any(work.lane == "live" for work in works) else "bulk"
    commit_ms = min((work.commit_ms for work in works if work.commit_ms is not None), default=None)
    return Work(key, works[0].partition, lane, [], commit_ms, works[0].reason, entity=works[0].entity)


def _claimed(entity: str, owners: Mapping[ItemKey, str]) -> dict[str, str]:
    """Letters of the items that another entity owns."""
    return {
        letters.item_part(*key): (
            f"{entity} {owner} makes this item too and has the lower id: it is the one synced; give one of "
            "them another name"
        )
        for key, owner in owners.items()
    }


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


def wall_clock_ms() -> int:
    return time.time_ns() // 1_000_000
