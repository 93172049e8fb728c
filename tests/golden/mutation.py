"""What tests that change a database column by column share: full builds, and what differs between two."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shop import Shop

from commerce_sync.proof.fresh import pages
from consumers.builder.diff import ItemKey
from consumers.builder.entities import ENTITIES, ReadOptions
from runtime.database import Database, Snapshot
from schemas.entities import FEEDS_OF
from schemas.keys import content_hash


@dataclass
class Catalog:
    """A full build: content hash and entity of each item, and what each entity refers to."""

    items: dict[ItemKey, tuple[str, str, str]] = field(default_factory=dict)
    refs: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)


def build(reader: Snapshot | Database) -> Catalog:
    """Every item; the lowest id owns what several make."""
    catalog = Catalog()
    for entity in FEEDS_OF:
        for keys in pages(reader, entity, ""):
            batch = ENTITIES[entity].read(reader, ReadOptions(""), keys)
            for key in keys:
                built = batch.build(key)
                catalog.refs[entity, key] = frozenset(built.refs)
                for item_key, item in built.items.items():
                    catalog.items.setdefault(item_key, (content_hash(item), entity, key))
    return catalog


def changed_entities(before: Catalog, after: Catalog) -> set[tuple[str, str]]:
    """Who speaks for the items that differ: before, now, or both."""
    found = set()
    for item_key in before.items.keys() | after.items.keys():
        pair = (before.items.get(item_key), after.items.get(item_key))
        if pair[0] != pair[1]:
            found |= {(entity, key) for side in pair if side is not None for _, entity, key in [side]}
    return found


def merged(before: Catalog, after: Catalog) -> Catalog:
    """What the index knows: the last build of each entity, before the change."""
    return Catalog(before.items, {**after.refs, **before.refs})


def keys_of(shop: Shop, table: str) -> list[str]:
    statement = (
        "SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = DATABASE()"
        " AND table_name = %s AND constraint_name = 'PRIMARY'"
    )
    return [name for (name,) in shop.database.query(statement, (table,))]


def columns_of(shop: Shop, table: str) -> list[str]:
    statement = (
        "SELECT column_name FROM information_schema.columns WHERE table_schema = DATABASE()"
        " AND table_name = %s ORDER BY ordinal_position"
    )
    return [name for (name,) in shop.database.query(statement, (table,))]


def literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return (
        str(value)
        if isinstance(value, int | float | Decimal)
        else "'" + str(value).replace("\\", "\\\\") + "'"
    )
