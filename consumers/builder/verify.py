"""After a transaction in doubt: does the index say what the feed topic holds? Where not, the feed wins. Pure.

A delayed commit or abort can tear a transaction apart: the index record is kept and the feed record is not,
or the other way round. The entity would then look unchanged for ever.
"""

from collections.abc import Iterable, Mapping

import msgspec

from consumers.builder.index import PartitionIndex
from schemas.records import EmittedItem

# The content hash by feed record key, as the newest committed record of each key has it.
FeedHashes = Mapping[str, str]


def correct(index: PartitionIndex, feed: str, hashes: FeedHashes) -> list[str]:
    """Make one partition's index say what is on its feed partition; the entities that differed.

    They have to be built again: whichever of the two was right, the next build compares with the feed.
    """
    held = _by_entity(hashes)
    differing = []
    for entity in sorted(held.keys() | set(index.keys())):
        entry = index.get(entity)
        known = {item.key: item.hash for item in entry.items if item.feed == feed}
        if known == held.get(entity, {}):
            continue
        others = tuple(item for item in entry.items if item.feed != feed)
        items = tuple(EmittedItem(feed, key, value, "live") for key, value in held.get(entity, {}).items())
        index.correct(entity, msgspec.structs.replace(entry, items=others + items))
        differing.append(entity)
    return differing


def _by_entity(hashes: FeedHashes) -> dict[str, dict[str, str]]:
    entities: dict[str, dict[str, str]] = {}
    for key, value in hashes.items():
        entities.setdefault(entity_of(key), {})[key] = value
    return entities


def entity_of(key: str) -> str:
    """The entity whose builder speaks for a feed record: the SKU in its key."""
    return str(msgspec.json.decode(key)["sku"])


def newest_hashes(records: Iterable[tuple[bytes, bytes | None, Mapping[str, bytes]]]) -> dict[str, str]:
    """Content hashes of what a feed partition holds, from its records (key, value, headers) in order."""
    hashes: dict[str, str] = {}
    for key, value, headers in records:
        if value is None:
            hashes.pop(key.decode(), None)
        else:
            hashes[key.decode()] = headers.get("hash", b"").decode()
    return hashes
