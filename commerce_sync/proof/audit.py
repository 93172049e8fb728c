"""Is everything as a fresh build gives it? Feed topics and targets are compared by hash, page by page.

What differs is looked at again: built once more, after the pipeline has passed the moment of that build. Only
what differs then is a finding.
"""

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

import msgspec
import xxhash

from commerce_sync.proof.compare import differing
from commerce_sync.proof.fresh import PAGE_ENTITIES, Fresh, Page
from commerce_sync.proof.places import FEED_TOPIC, FeedTopic, Item, Kind, Place, Target
from commerce_sync.proof.through import Late, Shard
from consumers.builder.diff import ItemKey
from consumers.builder.entities import ENTITIES, entity_of
from runtime.record import Record
from schemas.entities import ENTITY_OF, FEEDS_OF, partitions_of
from schemas.keys import partition_for
from schemas.records import Position, newer

# So many suspects are kept by name; what goes beyond is counted and needs a resync, not a repair.
SUSPECTS_MAX: Final = 10_000
LAG_S_MAX: Final = 60.0
ROUNDS: Final = 3
_SAMPLE_OF: Final = 1 << 32

# A stage's name, how much of it is done, and of how much (0: unknown).
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Suspect:
    """An item that differs somewhere. `entity_key` is None where only a build of all of its kind tells."""

    feed: str
    key: str
    entity_key: str | None

    @property
    def item_key(self) -> ItemKey:
        return self.feed, self.key

    @property
    def entity(self) -> str:
        return ENTITY_OF[self.feed]


@dataclass(frozen=True, slots=True)
class Finding:
    """An item that is not as it should be at `stage`, the first where that is so; `item` is what is built."""

    suspect: Suspect
    kind: Kind
    stage: str
    item: Item | None

    @property
    def feed(self) -> str:
        return self.suspect.feed

    @property
    def key(self) -> str:
        return self.suspect.key


@dataclass(slots=True)
class Result:
    """What an audit found.

    `late` holds sentences by how many items could not be judged for them, `unjudged` those items, `parked`
    counts known failures by the place that told of them, `beyond` items that differed and were not looked at
    again.
    """

    entities: int = 0
    items: int = 0
    findings: list[Finding] = field(default_factory=list)
    late: Counter[str] = field(default_factory=Counter)
    unjudged: list[Suspect] = field(default_factory=list)
    parked: Counter[str] = field(default_factory=Counter)
    beyond: int = 0
    seconds: float = 0.0

    @property
    def equal(self) -> bool:
        return not self.findings and not self.late and not self.beyond


class FreshSource(Protocol):
    """What builds afresh: `fresh.Source`."""

    def pages(self, entity: str, wants: Callable[[str], bool] = ...) -> Iterator[Page]: ...

    def build(self, entity: str, keys: Sequence[str]) -> Page: ...

    def count(self, entity: str) -> int: ...

    def behind(self, entity: str, number: int, entities: int) -> list[tuple[int, str]]: ...


class Passing(Protocol):
    """What knows how far the pipeline is: `through.Path`."""

    def refresh(self) -> None: ...

    def await_passed(
        self,
        moment: Position | None,
        at_s: float,
        shards: Collection[Shard],
        feeds: Collection[str],
        wait_s: float,
    ) -> Late: ...


class Audit:
    """One audit of some feeds and targets."""

    def __init__(
        self,
        source: FreshSource,
        path: Passing,
        places: Mapping[str, Sequence[Place]],
        partitions: int,
        report: Report = lambda *_: None,
        share: float = 1.0,
        lag_s_max: float = LAG_S_MAX,
    ) -> None:
        """Make one.

        Args:
            places: of each feed, its topic first.
            partitions: of the installation.
            share: of the products that are built, chosen by their SKU; the other kinds are few.
            lag_s_max: how long a look waits for what is on its way.
        """
        self.places = places
        self._source = source
        self._path = path
        self._partitions = partitions
        self._report = report
        self._share = share
        self._lag_s_max = lag_s_max
        self._suspects: dict[ItemKey, Suspect] = {}
        self._beyond = 0

    def run(self) -> Result:
        """Compare everything; what it raises is what database, broker and targets raise."""
        started = time.monotonic()
        for place in self._every_place():
            self._report(f"reading {place.name} {place.feed}", 0, 0)
            place.refresh()
        result = Result()
        for entity in self._kinds():
            self._compare(entity, result)
        for place in self._every_place():
            self._suspect_left_over(place)
        self.confirm(list(self._suspects.values()), result)
        for place in self._every_place():
            if isinstance(place, Target):
                result.parked[place.name] += len(place.parked)
        result.beyond = self._beyond
        result.seconds = time.monotonic() - started
        return result

    # The first look.

    def _compare(self, entity: str, result: Result) -> None:
        total = self._source.count(entity)
        # Entities come by ascending id, and the lowest owns an item.
        owned: set[ItemKey] | None = set() if ENTITIES[entity].contested else None
        done = 0
        for page in self._source.pages(entity, self._is_sampled if entity == "product" else lambda _: True):
            for fresh in page.fresh:
                for item_key, item in fresh.items.items():
                    if item_key[0] in self.places and _is_first(item_key, owned):
                        result.items += 1
                        suspect = self._look(fresh, item_key, item)
                        if suspect is not None:
                            self._suspect(suspect)
            done += len(page.fresh)
            self._report(
                f"building {entity}", done, round(total * (self._share if entity == "product" else 1))
            )
        result.entities += done

    def _look(self, fresh: Fresh, item_key: ItemKey, item: Item) -> Suspect | None:
        feed, key = item_key
        # Each place is asked, so that none counts the item as left over.
        kinds = [place.judge(key, item) for place in self.places[feed]]
        if not any(kinds):
            return None
        return Suspect(feed, key, fresh.key if fresh.entity == "product" else None)

    def _suspect_left_over(self, place: Place) -> None:
        for suspect in _left_over(place):
            if suspect.entity_key is None or self._is_sampled(suspect.entity_key):
                self._suspect(suspect)

    def _suspect(self, suspect: Suspect) -> None:
        if len(self._suspects) < SUSPECTS_MAX:
            self._suspects.setdefault((suspect.feed, suspect.key), suspect)
        else:
            self._beyond += (suspect.feed, suspect.key) not in self._suspects

    def _is_sampled(self, product: str) -> bool:
        return (
            self._share >= 1
            or xxhash.xxh3_64_intdigest(product.encode()) % _SAMPLE_OF < self._share * _SAMPLE_OF
        )

    # The first look in pieces, for an audit that goes on and on.

    def begin(self, entity: str) -> int:
        """Begin a round of one kind: what its places hold now is to be asked for.

        Returns about how many entities there are.
        """
        self._path.refresh()
        for place in self._places_of(entity):
            self._report(f"reading {place.name} {place.feed}", 0, 0)
            place.refresh()
            place.forget_asked()
        return self._source.count(entity)

    def look_on(
        self, entity: str, number: int, entities: int, owned: set[ItemKey]
    ) -> tuple[Sequence[tuple[int, str]], list[Suspect]]:
        """Compare the next entities behind a number.

        Args:
            owned: items that a lower entity of this round owns; those of these are added.

        Returns:
            (number, key) of each, none at the end; and what differs.
        """
        named = self._source.behind(entity, number, entities)
        if not named:
            return named, []
        contested = owned if ENTITIES[entity].contested else None
        page = self._source.build(entity, list(dict.fromkeys(key for _, key in named)))
        return named, [
            suspect
            for fresh in page.fresh
            for item_key, item in fresh.items.items()
            if item_key[0] in self.places and _is_first(item_key, contested)
            if (suspect := self._look(fresh, item_key, item)) is not None
        ]

    def left_over(self, entity: str) -> Iterator[Suspect]:
        """What was there when the round began, and nothing that was built is it."""
        for place in self._places_of(entity):
            yield from _left_over(place)

    # The second look.

    def confirm(self, suspects: Sequence[Suspect], result: Result) -> None:
        """Add to the result what still differs once nothing is on its way."""
        for last in [False] * (ROUNDS - 1) + [True]:
            fresh, moment = self._rebuilt(suspects)
            at_s = time.time()
            changed = self._refreshed({suspect.feed for suspect in suspects})
            suspects = [suspect for suspect in suspects if self._differs(suspect, fresh, result)]
            if not suspects:
                return
            self._report("looking again", 0, len(suspects))
            feeds = {suspect.feed for suspect in suspects}
            shards = {(suspect.entity, self.partition(suspect)) for suspect in suspects}
            late = self._path.await_passed(moment, at_s, shards, feeds, self._lag_s_max)
            changed |= self._refreshed(feeds)
            suspects = [
                s for s in suspects if self._is_open(s, fresh.get(s.item_key), late, changed, result, last)
            ]

    def differing(self, suspects: Sequence[Suspect]) -> list[Suspect]:
        """Those that differ at this moment, whatever is on its way."""
        fresh, _ = self._rebuilt(suspects)
        self._refreshed({suspect.feed for suspect in suspects})
        return [suspect for suspect in suspects if self._differs(suspect, fresh, Result())]

    def _differs(self, suspect: Suspect, fresh: Mapping[ItemKey, Fresh], result: Result) -> bool:
        speaker = fresh.get(suspect.item_key)
        if speaker is not None and speaker.kept_back(suspect.item_key):
            result.parked["builder"] += 1
            return False
        item = None if speaker is None else speaker.items.get(suspect.item_key)
        return any(place.judge(suspect.key, item) for place in self.places[suspect.feed])

    def _is_open(
        self,
        suspect: Suspect,
        fresh: Fresh | None,
        late: Late,
        changed: Collection[tuple[str, bytes]],
        result: Result,
        last: bool,
    ) -> bool:
        """Judge a suspect; True when it has changed meanwhile and is to be built once more."""
        item = None if fresh is None else fresh.items.get(suspect.item_key)
        verdicts = [(place, place.judge(suspect.key, item)) for place in self.places[suspect.feed]]
        place, kind = next(((place, kind) for place, kind in verdicts if kind), (None, None))
        if place is None or kind is None:
            return False
        shard = (suspect.entity, self.partition(suspect))
        reason = late.everything or late.built.get(shard, "")
        if not reason and place.name != FEED_TOPIC:
            reason = late.sent.get(place.name, {}).get((suspect.feed, shard[1]), "")
        if not reason and (suspect.feed, suspect.key.encode()) in changed:
            if not last:
                return True
            reason = "it keeps changing"
        if reason:
            result.late[reason] += 1
            result.unjudged.append(suspect)
        else:
            known = suspect if fresh is None else replace(suspect, entity_key=fresh.key)
            result.findings.append(Finding(known, kind, place.name, item))
        return False

    def _rebuilt(self, suspects: Sequence[Suspect]) -> tuple[dict[ItemKey, Fresh], Position | None]:
        """The entity that speaks for each suspect, built now, and a moment that is not before any build."""
        wanted = {(suspect.feed, suspect.key): suspect for suspect in suspects}
        built: dict[tuple[str, str], Fresh] = {}
        speakers: dict[ItemKey, Fresh] = {}
        moment: Position | None = None
        for page in self._pages_of(suspects):
            moment = newer(moment, page.position)
            for fresh in page.fresh:
                built[fresh.entity, fresh.key] = fresh
                for item_key in wanted.keys() & fresh.items.keys():
                    speakers.setdefault(item_key, fresh)
        for item_key, entity_key in self._former_speakers(s for k, s in wanted.items() if k not in speakers):
            fresh_now = built.get((ENTITY_OF[item_key[0]], entity_key))
            # An entity that is gone has no items, and nothing of it is kept back.
            speakers[item_key] = fresh_now or Fresh(ENTITY_OF[item_key[0]], entity_key, {}, {})
        return speakers, moment

    def _pages_of(self, suspects: Iterable[Suspect]) -> Iterator[Page]:
        products = sorted({s.entity_key for s in suspects if s.entity_key is not None})
        for start in range(0, len(products), PAGE_ENTITIES):
            yield self._source.build("product", products[start : start + PAGE_ENTITIES])
        # Who speaks for an item that several may build is known when all are.
        for entity in {s.entity for s in suspects if s.entity != "product"}:
            yield from self._source.pages(entity)

    def _former_speakers(self, suspects: Iterable[Suspect]) -> Iterator[tuple[ItemKey, str]]:
        """The entity that emitted what nobody builds now, as far as its feed record tells."""
        unknown: dict[str, list[str]] = {}
        for suspect in suspects:
            if suspect.entity_key is not None:
                yield (suspect.feed, suspect.key), suspect.entity_key
            else:
                unknown.setdefault(suspect.feed, []).append(suspect.key)
        for feed, keys in unknown.items():
            for key, record in self.newest(feed, keys).items():
                if record.value is not None:
                    yield (feed, key), entity_of(feed, record.key, record.value)

    def newest(self, feed: str, keys: Collection[str]) -> dict[str, Record]:
        """The newest feed records of some keys."""
        topic = self.places[feed][0]
        assert isinstance(topic, FeedTopic)
        return topic.newest(keys)

    def _refreshed(self, feeds: Collection[str]) -> set[tuple[str, bytes]]:
        return {(feed, key) for feed in feeds for place in self.places[feed] for key in place.refresh()}

    def fields(self, finding: Finding) -> dict[str, dict[str, Any]]:
        """What differs in a stale item, by member, wanted and held; nothing where only hashes are known."""
        (place,) = (place for place in self.places[finding.feed] if place.name == finding.stage)
        wanted, held = place.shown(finding.key, finding.item)
        if wanted is None or held is None:
            return {}
        return {
            name: {"wanted": wanted.get(name), "held": held.get(name)} for name in differing(wanted, held)
        }

    # What there is.

    def partition(self, suspect: Suspect) -> int:
        """Of the entity that speaks for it; those of unknown entities have one partition."""
        count = partitions_of(suspect.entity, self._partitions)
        return partition_for((suspect.entity_key or "").encode(), count)

    def _places_of(self, entity: str) -> Iterator[Place]:
        return (place for feed in FEEDS_OF[entity] for place in self.places.get(feed, ()))

    def _kinds(self) -> list[str]:
        return [entity for entity, feeds in FEEDS_OF.items() if any(feed in self.places for feed in feeds)]

    def _every_place(self) -> Iterator[Place]:
        return (place for places in self.places.values() for place in places)


def _is_first(item_key: ItemKey, owned: set[ItemKey] | None) -> bool:
    """True unless a lower entity was seen to own the item."""
    if owned is None:
        return True
    if item_key in owned:
        return False
    owned.add(item_key)
    return True


def _left_over(place: Place) -> Iterator[Suspect]:
    for key in place.never_asked():
        yield Suspect(place.feed, key, _product_of(key) if ENTITY_OF[place.feed] == "product" else None)


def _product_of(key: str) -> str | None:
    """The SKU of the product that a feed record's key names."""
    members = msgspec.json.decode(key)
    sku = members.get("sku") or members.get("productSku")
    return None if sku is None else str(sku)
