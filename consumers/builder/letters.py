"""What of an entity waits for a person: one dead letter a part, taken back when its reason is gone. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from schemas.keys import canonical_json
from schemas.records import EmittedItem

# The part that is the entity itself: none of its items can be built.
WHOLE: Final = ""
# Characters of a reason; what an exception says may hold a whole value.
REASON_MAX: Final = 500
_ON_WEBSITE: Final = "website:"


def row_part(entity_id: int) -> str:
    """A row that is not built, because another has its key."""
    return f"row:{entity_id}"


def item_part(feed: str, key: str) -> str:
    """One item that cannot be emitted; the entity's others can."""
    return f"item:{feed}:{key}"


def website_part(feed: str, website_code: str) -> str:
    """A feed's items on one website that cannot be built; the others can."""
    return f"{_ON_WEBSITE}{feed}:{website_code}"


def held_items(parked: Mapping[str, str], emitted: Iterable[EmittedItem]) -> frozenset[tuple[str, str]]:
    """Items that stay as they were emitted, because they cannot be built now: (feed, key)."""
    held = {part.removeprefix(_ON_WEBSITE) for part in parked if part.startswith(_ON_WEBSITE)}
    feeds = {part.partition(":")[0] for part in held}
    return frozenset(
        (item.feed, item.key)
        for item in emitted
        if item.feed in feeds and f"{item.feed}:{msgspec.json.decode(item.key)['websiteCode']}" in held
    )


def shadow_letters(key: str, owner: int, shadowed: Iterable[int]) -> dict[str, str]:
    """Rows whose key a lower id has: the lowest is built, the others are told of.

    Args:
        owner: id of the row that is built.
        shadowed: ids of the others.
    """
    return {
        row_part(entity_id): (
            f"row {entity_id} has SKU '{key}', which row {owner} has too: row {owner} is the one synced; "
            "give one of them another SKU or delete it"
        )
        for entity_id in shadowed
    }


def letter_key(entity: str, key: str, part: str) -> bytes:
    """Key of the dead-letter record."""
    name = {"entity": entity, "key": key}
    return canonical_json(name if part == WHOLE else {**name, "part": part})


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """(part, reason) for each letter to write, (part, None) for each to take back."""
    yield from ((part, reason) for part, reason in after.items() if before.get(part) != reason)
    yield from ((part, None) for part in before if part not in after)
