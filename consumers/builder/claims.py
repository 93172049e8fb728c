"""Who owns an item that several entities build: the one with the lowest id. Pure.

Two categories with one url path, a path taken over within one transaction: only the owner emits the item or
takes it back. When it lets go, the next one is built in the same batch, and nothing is taken back.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import msgspec

from consumers.builder.diff import ItemKey
from consumers.builder.index import PartitionIndex, keys_of
from schemas.records import EmittedItem, IndexEntry


@dataclass(frozen=True, slots=True)
class Standing:
    """How one entity stands to its items.

    Args:
        before: the index entry as if each item had always been its owner's: with items taken over from
            others, without those that others own now.
        owned: the items it built that are its own.
        others: the owner of each item that it built and another owns.
    """

    before: IndexEntry
    owned: frozenset[ItemKey]
    others: Mapping[ItemKey, str]


def affected(index: PartitionIndex, built: Mapping[str, Collection[ItemKey]]) -> Iterator[str]:
    """Entities that are not built yet and whose items become, or cease to be, their own.

    Args:
        built: the keys of what was built in this batch, by entity.
    """
    for item_key in _touched(index, built):
        owner = _owner(item_key, index, built)
        holder = index.holder(item_key)
        yield from (
            entity
            for entity in {owner, holder}
            if entity is not None and entity not in built and owner != holder
        )


def standing(index: PartitionIndex, built: Mapping[str, Collection[ItemKey]], entity: str) -> Standing:
    """How an entity of the batch stands to its items, once every affected one is built."""
    entry = index.get(entity)
    owners = {key: _owner(key, index, built) for key in {*built[entity], *keys_of(entry)}}
    items = [item for item in entry.items if owners[item.feed, item.key] in (entity, None)]
    items += [
        item
        for key in built[entity]
        if owners[key] == entity and (item := _emitted_by_another(index, key, entity)) is not None
    ]
    return Standing(
        msgspec.structs.replace(entry, items=tuple(items)),
        frozenset(key for key in built[entity] if owners[key] == entity),
        {key: owner for key in built[entity] if (owner := owners[key]) not in (entity, None)},
    )


def _touched(index: PartitionIndex, built: Mapping[str, Collection[ItemKey]]) -> set[ItemKey]:
    return {key for entity, keys in built.items() for key in (*keys, *keys_of(index.get(entity)))}


def _owner(item_key: ItemKey, index: PartitionIndex, built: Mapping[str, Collection[ItemKey]]) -> str | None:
    """The lowest of all that build it, in this batch or in their last one; None when nobody does."""
    claimants = {entity for entity in index.claimants(item_key) if entity not in built}
    claimants |= {entity for entity, keys in built.items() if item_key in keys}
    return min(claimants, key=_rank, default=None)


def _emitted_by_another(index: PartitionIndex, item_key: ItemKey, entity: str) -> EmittedItem | None:
    holder = index.holder(item_key)
    if holder is None or holder == entity:
        return None
    items = index.get(holder).items
    return next((item for item in items if (item.feed, item.key) == item_key), None)


def _rank(entity: str) -> tuple[str, int]:
    """Ids are compared as numbers, whatever stands before them."""
    kind, _, number = entity.rpartition(":")
    return kind, int(number)
