"""After a transaction in doubt: does the index say what the feed topic holds? Where not, the feed wins. Pure.

A delayed commit or abort can tear a transaction apart: the index record is kept and the feed record is not,
or the other way round. The entity would then look unchanged for ever.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from consumers.builder.index import PartitionIndex
from schemas.records import EmittedItem


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An item as the newest committed record of its key has it."""

    hash: str
    entity: str


def correct(index: PartitionIndex, feed: str, items: Mapping[str, FeedItem]) -> list[str]:
    """Make one partition's index say what is on its feed partition; the entities that differed.

    They have to be built again: whichever of the two was right, the next build compares with the feed.

    Args:
        items: what the feed partition holds, by record key.
    """
    held = _by_entity(items)
    differing = []
    for entity in sorted(held.keys() | set(index.keys())):
        entry = index.get(entity)
        known = {item.key: item.hash for item in entry.items if item.feed == feed}
        if known == held.get(entity, {}):
            continue
        others = tuple(item for item in entry.items if item.feed != feed)
        found = tuple(EmittedItem(feed, key, value, "live") for key, value in held.get(entity, {}).items())
        index.correct(entity, msgspec.structs.replace(entry, items=others + found))
        differing.append(entity)
    return differing


def _by_entity(items: Mapping[str, FeedItem]) -> dict[str, dict[str, str]]:
    entities: dict[str, dict[str, str]] = {}
    for key, item in items.items():
        entities.setdefault(item.entity, {})[key] = item.hash
    return entities


def newest_items(
    records: Iterable[tuple[bytes, bytes | None, Mapping[str, bytes]]],
    entity_of: Callable[[bytes, bytes], str],
) -> dict[str, FeedItem]:
    """What a feed partition holds, from its records (key, value, headers) in order.

    Args:
        entity_of: the entity that speaks for a record, by its key and value.
    """
    items: dict[str, FeedItem] = {}
    for key, value, headers in records:
        if value is None:
            items.pop(key.decode(), None)
        else:
            items[key.decode()] = FeedItem(headers.get("hash", b"").decode(), entity_of(key, value))
    return items
