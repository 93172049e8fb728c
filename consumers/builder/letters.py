"""What of an entity waits for a person: one dead letter a part, taken back when its reason is gone. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.keys import canonical_json

# The part that is the entity itself: none of its items can be built.
WHOLE: Final = ""


def row_part(entity_id: int) -> str:
    """A row that is not built, because another has its key."""
    return f"row:{entity_id}"


def item_part(feed: str, key: str) -> str:
    """One item that cannot be emitted; the entity's others can."""
    return f"item:{feed}:{key}"


def feed_part(feed: str) -> str:
    """One feed of the entity that cannot be built; its others can."""
    return f"feed:{feed}"


def held_feeds(parked: Mapping[str, str]) -> frozenset[str]:
    """Feeds whose items stay as they were emitted, because they cannot be built now."""
    return frozenset(part.removeprefix("feed:") for part in parked if part.startswith("feed:"))


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
