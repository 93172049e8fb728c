"""Built minus emitted: what to write, what to take back, what to leave alone. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from schemas.records import EmittedItem, Lane

ItemKey = tuple[str, str]  # feed, key of the feed record


@dataclass(frozen=True, slots=True)
class Difference:
    """`items` is the whole list of emitted items after these records are written."""

    emit: tuple[ItemKey, ...]
    tombstone: tuple[ItemKey, ...]
    unchanged: tuple[ItemKey, ...]
    items: tuple[EmittedItem, ...]

    def without(self, kept_back: Collection[ItemKey], emitted: tuple[EmittedItem, ...]) -> "Difference":
        """The same, but some items are neither written nor taken back: what was emitted of them stands."""
        if not kept_back:
            return self
        standing = tuple(item for item in emitted if (item.feed, item.key) in kept_back)
        others = tuple(item for item in self.items if (item.feed, item.key) not in kept_back)
        emit = tuple(key for key in self.emit if key not in kept_back)
        tombstone = tuple(key for key in self.tombstone if key not in kept_back)
        return replace(self, emit=emit, tombstone=tombstone, items=others + standing)

    def distrusting(self, wrong: Collection[ItemKey]) -> "Difference":
        """The same, but the feed does not hold these items as emitted: each is written or taken back."""
        again = tuple(key for key in self.unchanged if key in wrong)
        if not wrong:
            return self
        known = {*self.emit, *self.unchanged, *self.tombstone}
        return replace(
            self,
            emit=self.emit + again,
            unchanged=tuple(key for key in self.unchanged if key not in wrong),
            tombstone=self.tombstone + tuple(sorted(key for key in wrong if key not in known)),
        )


def diff(
    emitted: tuple[EmittedItem, ...],
    built: Mapping[ItemKey, str],
    lane: Lane,
    afresh: Collection[str] = (),
) -> Difference:
    """Compare an entity's items with those last emitted.

    Args:
        built: content hash by item key.
        lane: of this build. A live build whose unchanged item was last emitted as bulk emits it again,
            or the edit would wait in bulk.
        afresh: feeds whose items are emitted although they did not change.
    """
    known = {(item.feed, item.key): item for item in emitted}
    emit, unchanged, items = [], [], []
    for key, content_hash in built.items():
        item = known.get(key)
        same = item is not None and item.hash == content_hash and key[0] not in afresh
        if item is not None and same and not (lane == "live" and item.lane == "bulk"):
            unchanged.append(key)
            items.append(item)
        else:
            emit.append(key)
            items.append(EmittedItem(key[0], key[1], content_hash, lane))
    tombstone = [key for key in known if key not in built]
    return Difference(tuple(emit), tuple(tombstone), tuple(unchanged), tuple(items))
