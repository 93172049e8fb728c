"""What a resync would do: every entity built afresh and compared with its feed topic, nothing written."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import click
import msgspec
from confluent_kafka import Consumer, TopicPartition

from commerce_sync.proof.fresh import PAGE_ENTITIES, Page, Source
from commerce_sync.run.predict import Prediction
from commerce_sync.run.request import entities_of
from consumers.builder import letters
from consumers.builder.entities import entity_of
from runtime.database import Database
from runtime.fetch import near_offsets
from runtime.kafka import poll_batch, read_to_end, reader
from runtime.settings import Settings
from schemas.codec import decode, encode
from schemas.entities import ENTITY_OF, FEEDS_OF, partitions_of
from schemas.keys import UNHASHED_FIELDS, canonical_json, content_hash
from schemas.records import EmittedItem
from schemas.topics import TopicNames

Item = dict[str, Any]
ItemKey = tuple[str, str]  # feed, key of the feed record
Kind = Literal["new", "changed", "deleted", "unchanged"]

FETCH_POLLS_MAX: Final = 50
FETCH_POLL_S: Final = 0.2
FETCH_RECORDS: Final = 500
VALUE_LENGTH_MAX: Final = 200


class Held(NamedTuple):
    """An item of a feed topic, without its content."""

    hash: bytes
    partition: int
    offset: int
    entity: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would become of one item. `before` is missing where it is new, or compaction has taken it."""

    kind: Kind
    feed: str
    key: str
    before: Item | None = None
    after: Item | None = None

    def changes(self) -> dict[str, tuple[Any, Any]]:
        """Members that differ: before and after."""
        before, after = self.before or {}, self.after or {}
        if self.kind != "changed" or not before:
            return {}
        names = sorted((before.keys() | after.keys()) - UNHASHED_FIELDS)
        return {n: (before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)}


@dataclass(slots=True)
class Comparison:
    """Built items against those that a feed topic holds."""

    feeds: Collection[str]
    held: Mapping[ItemKey, Held]
    fetch: Callable[[str, Held], Item | None]
    _seen: set[ItemKey] = field(default_factory=set)
    _parked: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def built(
        self, entity: str, items: Mapping[ItemKey, Item], parked: Mapping[str, str]
    ) -> Iterator[Outcome]:
        """What becomes of the items of an entity; entities come by ascending id, the lowest owns an item."""
        if parked:
            self._parked[entity] = parked
        for key, item in items.items():
            if key[0] in self.feeds and key not in self._seen:
                self._seen.add(key)
                yield self._compared(key, item)

    def changed(self, items: Mapping[ItemKey, Item]) -> Iterator[tuple[str, Held]]:
        """Where the topics hold those of an entity's items that are built otherwise now."""
        for key, item in items.items():
            held = self.held.get(key) if key[0] in self.feeds and key not in self._seen else None
            if held is not None and held.hash != content_hash(item).encode():
                yield key[0], held

    def _compared(self, key: ItemKey, item: Item) -> Outcome:
        held = self.held.get(key)
        after = decode(key[0], encode(key[0], item))
        if held is None:
            return Outcome("new", *key, None, after)
        if held.hash == content_hash(item).encode():
            return Outcome("unchanged", *key, None, after)
        return Outcome("changed", *key, self.fetch(key[0], held), after)

    def rest(self, entities: Collection[str] | None = None) -> Iterator[Outcome]:
        """What nobody builds any more: deleted, unless it waits for a person.

        Args:
            entities: only items of these.
        """
        for key, held in self.held.items():
            if key in self._seen or (entities is not None and held.entity not in entities):
                continue
            kept = self._is_kept(key, self._parked.get(held.entity, {}))
            yield Outcome("unchanged" if kept else "deleted", *key)

    def _is_kept(self, key: ItemKey, parked: Mapping[str, str]) -> bool:
        return letters.WHOLE in parked or key in letters.held_items(
            parked, [EmittedItem(key[0], key[1], "", "bulk")]
        )


def outcomes(settings: Settings, feeds: Sequence[str], keys: Sequence[str] | None) -> Iterator[Outcome]:
    """Every item of some feeds, of all entities or of those that have these keys.

    Raises:
        Unreachable, Transient: the database or the broker does not answer.
    """
    consumer = reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("dry-run"))
    commerce = settings.commerce
    try:
        with Database(commerce.read_address, mends_text=True) as database:
            source = Source(database, commerce)
            for entity in entities_of(feeds):
                of_entity = [feed for feed in feeds if feed in FEEDS_OF[entity]]
                held = _held(settings, consumer, of_entity)
                befores = _Befores(settings, consumer)
                comparison = Comparison(of_entity, held, befores.take)
                for page in _pages(source, entity, keys):
                    befores.load(p for each in page.fresh for p in comparison.changed(each.items))
                    for each in page.fresh:
                        yield from comparison.built(each.key, each.items, each.parked)
                yield from comparison.rest(set(keys) if keys else None)
    finally:
        consumer.close()


def _held(settings: Settings, consumer: Consumer, feeds: Sequence[str]) -> dict[ItemKey, Held]:
    names = TopicNames(settings.kafka.topic_prefix)
    held: dict[ItemKey, Held] = {}
    for feed in feeds:
        partitions = range(partitions_of(ENTITY_OF[feed], settings.kafka.partitions))
        for record in read_to_end(consumer, names.feed(feed), partitions):
            key = (feed, record.key.decode())
            if record.value is None:
                held.pop(key, None)
            else:
                entity = entity_of(feed, record.key, record.value)
                held[key] = Held(record.headers.get("hash", b""), record.partition, record.offset, entity)
    return held


class _Befores:
    """Items as their topics have them, read a page at a time: one by one each would wait for the broker."""

    def __init__(self, settings: Settings, consumer: Consumer) -> None:
        self._names = TopicNames(settings.kafka.topic_prefix)
        self._consumer = consumer
        self._items: dict[tuple[str, int, int], Item] = {}

    def load(self, places: Iterable[tuple[str, Held]]) -> None:
        """Read the records of (feed, place); those of the page before are forgotten."""
        self._items.clear()
        wanted: dict[tuple[str, int], list[int]] = defaultdict(list)
        for feed, held in places:
            wanted[feed, held.partition].append(held.offset)
        for (feed, partition), offsets in wanted.items():
            for near in near_offsets(sorted(offsets)):
                self._read(feed, partition, near)

    def take(self, feed: str, held: Held) -> Item | None:
        """The item there; None when a newer record has taken its place meanwhile."""
        return self._items.pop((feed, held.partition, held.offset), None)

    def _read(self, feed: str, partition: int, offsets: Sequence[int]) -> None:
        wanted = frozenset(offsets)
        place = TopicPartition(self._names.feed(feed), partition, offsets[0])
        self._consumer.assign([place])
        try:
            for _ in range(FETCH_POLLS_MAX + len(offsets)):
                for record in poll_batch(self._consumer, FETCH_RECORDS, FETCH_POLL_S):
                    if record.offset in wanted and record.value is not None:
                        self._items[feed, partition, record.offset] = decode(feed, record.value)
                if self._consumer.position([place])[0].offset > offsets[-1]:
                    return
        finally:
            self._consumer.unassign()


def _pages(source: Source, entity: str, keys: Sequence[str] | None) -> Iterator[Page]:
    """Entities as they are built now: of a kind all, or those that have these keys."""
    if not keys:
        yield from source.pages(entity)
        return
    for start in range(0, len(keys), PAGE_ENTITIES):
        yield source.build(entity, keys[start : start + PAGE_ENTITIES])


def report(
    settings: Settings,
    found: Iterator[Outcome],
    *,
    afresh: bool,
    forget: bool,
    as_json: bool,
) -> None:
    """Print a line for each item that is not unchanged, then what each target would be sent.

    Args:
        afresh: unchanged items go too.
        forget: vanished items are forgotten and not deleted.
    """
    counts: Counter[str] = Counter()
    predictions = {name: Prediction(target) for name, target in settings.targets.items()}
    shown: list[dict[str, Any]] = []
    for outcome in found:
        counts[outcome.kind] += 1
        for prediction in predictions.values():
            foretell(prediction, outcome, afresh=afresh, forget=forget)
        if outcome.kind == "unchanged":
            continue
        if as_json:
            shown.append(_object(outcome))
        else:
            _print_lines(outcome)
    targets = {
        name: {
            "items": prediction.items,
            "requests": prediction.requests,
            "minutes": round(prediction.minutes(), 2),
            "refused": prediction.refused,
        }
        for name, prediction in predictions.items()
    }
    if as_json:
        result = {"items": shown, "counts": {kind: counts[kind] for kind in _KINDS}, "targets": targets}
        click.echo(canonical_json(result).decode())
        return
    click.echo(", ".join(f"{counts[kind]} {kind}" for kind in _KINDS))
    for name, told in targets.items():
        refused = f"; {told['refused']} would be refused" if told["refused"] else ""
        click.echo(
            f"target {name}: {told['items']} items in {told['requests']} requests, {told['minutes']} minutes "
            f"under its allowance{refused}"
        )


_KINDS: Final[tuple[Kind, ...]] = ("new", "changed", "deleted", "unchanged")


def foretell(prediction: Prediction, outcome: Outcome, *, afresh: bool, forget: bool) -> None:
    """Tell a prediction what becomes of an item; the flags are those of `report`."""
    if outcome.after is None:
        if outcome.kind == "deleted" and not forget:
            prediction.delete(outcome.feed, outcome.key)
    elif afresh or outcome.kind != "unchanged":
        before = None if afresh else outcome.before
        prediction.upsert(outcome.feed, outcome.key, before, outcome.after)


def _object(outcome: Outcome) -> dict[str, Any]:
    return {
        "kind": outcome.kind,
        "feed": outcome.feed,
        "key": msgspec.json.decode(outcome.key),
        "changes": {name: list(values) for name, values in outcome.changes().items()},
    }


def _print_lines(outcome: Outcome) -> None:
    click.echo(f"{outcome.kind:<9} {outcome.feed} {outcome.key}")
    for name, (before, after) in outcome.changes().items():
        click.echo(f"            {name}: {_text(before)} -> {_text(after)}")


def _text(value: Any) -> str:
    text = canonical_json(value).decode()
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}..."
