"""What was last emitted, per partition: loaded from the index topic, changed only after a commit."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from consumers.builder.diff import ItemKey
from schemas.records import FLOOR_KEY, Again, Floor, IndexEntry, Position


class _Feed(msgspec.Struct, array_like=True):
    """An emitted item as far as it is counted."""

    feed: str


class _Outline(msgspec.Struct):
    """An entry as far as every one must be looked at: how many items it has, and what is due again."""

    items: tuple[_Feed, ...] = ()
    again: Again | None = None


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(IndexEntry)
_OUTLINE: Final = msgspec.json.Decoder(_Outline)
_FLOOR: Final = msgspec.json.Decoder(Floor)

# Looking for more than this one by one takes longer than listing what an entry refers to.
SEARCHED_MAX: Final = 16
_QUOTED: Final = re.compile(rb'"[a-z_]+:[^"\\]*"')


class PartitionIndex:
    """Entities of one partition by key. Entries are kept as bytes: a tenth of the memory of objects."""

    def __init__(self, *, contested: bool = False) -> None:
        """Start empty.

        Args:
            contested: several of the entities may build one item; who does is kept by item.
        """
        self._contested = contested
        # Entities that build an item, and the one that has emitted it, by item key. Only where contested:
        # of a million products it would be the greater part of the index.
        self._claimants: dict[ItemKey, set[str]] = defaultdict(set)
        self._holders: dict[ItemKey, str] = {}
        self._entries: dict[str, bytes] = {}
        self._covered: dict[str, Position] = {}
        self.floors: tuple[Position, ...] = ()
        # Entities to be built once more, by key.
        self.again: dict[str, Again] = {}
        # How many items of each feed are emitted.
        self.items: Counter[str] = Counter()
        # Entities of which the index topic says something else than is known here.
        self.corrected: set[str] = set()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def load(self, key: bytes, value: bytes | None) -> None:
        """Take over one record of the topic."""
        if key == FLOOR_KEY:
            self.floors = _FLOOR.decode(value).positions if value else ()
        else:
            self._set(key.decode(), value)

    def get(self, key: str) -> IndexEntry:
        value = self._entries.get(key)
        return IndexEntry() if value is None else _DECODER.decode(value)

    def put(self, key: str, value: bytes | None, snapshot: Position | None) -> None:
        """Follow a committed build: `value` None removes the entity."""
        self._set(key, value)
        self.corrected.discard(key)
        if value is None:
            self._covered.pop(key, None)
        else:
            self.covered(key, snapshot)

    def _set(self, key: str, value: bytes | None) -> None:
        before = self._entries.get(key)
        if self._contested:
            self._note_claims(key, before, value)
        if before is not None:
            self.items.subtract(item.feed for item in _OUTLINE.decode(before).items)
            self.again.pop(key, None)
        if value is None:
            self._entries.pop(key, None)
            return
        outline = _OUTLINE.decode(value)
        self._entries[key] = value
        self.items.update(item.feed for item in outline.items)
        if outline.again is not None:
            self.again[key] = outline.again

    def _note_claims(self, key: str, before: bytes | None, after: bytes | None) -> None:
        if before is not None:
            entry = _DECODER.decode(before)
            for item_key in keys_of(entry):
                self._claimants[item_key].discard(key)
                if self._holders.get(item_key) == key:
                    del self._holders[item_key]
        if after is not None:
            entry = _DECODER.decode(after)
            for item_key in keys_of(entry):
                self._claimants[item_key].add(key)
            self._holders.update(((item.feed, item.key), key) for item in entry.items)

    def claimants(self, item_key: ItemKey) -> frozenset[str]:
        """Entities whose last build made the item."""
        return frozenset(self._claimants.get(item_key, ()))

    def holder(self, item_key: ItemKey) -> str | None:
        """The entity that has emitted the item."""
        return self._holders.get(item_key)

    def correct(self, key: str, entry: IndexEntry) -> None:
        """Say what the feed topic was found to hold, without a build behind it."""
        self._set(key, encode_entry(entry))
        self._covered.pop(key, None)
        self.corrected.add(key)

    def covered(self, key: str, snapshot: Position | None) -> None:
        """Note that an entity's build has seen `snapshot`; nothing of it changed."""
        if snapshot is not None and key in self._entries:
            self._covered[key] = snapshot

    def snapshot_of(self, key: str) -> Position | None:
        """The newest snapshot an entity was built from, as far as this worker knows."""
        return self._covered.get(key)

    def referring(self, references: Iterable[str]) -> Iterator[str]:
        """Entities whose last build used one of these rows."""
        wanted = frozenset(_ENCODER.encode(reference) for reference in references)
        for key, value in self._entries.items():
            # The entry's text holds each reference as a quoted string, so a search finds no other.
            if len(wanted) <= SEARCHED_MAX:
                found = any(reference in value for reference in wanted)
            else:
                found = not wanted.isdisjoint(_QUOTED.findall(value))
            if found:
                yield key

    def keys(self) -> Iterator[str]:
        return iter(self._entries)


def keys_of(entry: IndexEntry) -> set[ItemKey]:
    """Items that the entity built, its own and those that another has."""
    return {(item.feed, item.key) for item in entry.items} | set(entry.claims)


def encode_entry(entry: IndexEntry) -> bytes | None:
    """The record's value; None (a tombstone) when nothing needs to be remembered."""
    remembered = entry.items or entry.claims or entry.parked or entry.again or entry.due_s
    if not remembered:
        return None
    return _ENCODER.encode(entry)


def encode_floor(positions: Iterable[Position]) -> bytes:
    return _ENCODER.encode(Floor(tuple(positions)))
