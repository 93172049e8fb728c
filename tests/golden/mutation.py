"""What tests that change a database column by column share: full builds, what differs, who is marked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shop import Shop

from commerce_sync.proof.fresh import pages
from consumers.builder.diff import ItemKey
from consumers.builder.entities import ENTITIES, ReadOptions
from consumers.router.resolve import Reader, resolve
from consumers.router.rules import Touch
from consumers.router.stage import targets_of
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


class Marked:
    """What the router makes dirty for one row change, looked up as the database is after it."""

    def __init__(self, database: Reader, touches: Sequence[Touch]) -> None:
        resolved = resolve(database, "", touches)
        self._everything = {
            touch.value if touch.kind == "everything" else "product"
            for touch in touches
            if resolved.is_everything(touch)
        }
        targets = [
            target
            for touch in touches
            if not resolved.is_everything(touch)
            for target in targets_of(touch, resolved)
        ]
        self._entities = {(target.entity, target.name) for target in targets if not target.is_reference}
        self._references = {(target.entity, target.name) for target in targets if target.is_reference}

    def missed(self, differing: set[tuple[str, str]], catalog: Catalog) -> list[tuple[str, str]]:
        """Entities that differ and are reached neither by key nor as a whole nor by what they refer to."""
        return [
            (entity, key)
            for entity, key in sorted(differing)
            if entity not in self._everything
            and (entity, key) not in self._entities
            and not any((entity, name) in self._references for name in catalog.refs.get((entity, key), ()))
        ]


@contextmanager
def taken_back(database: Database) -> Iterator[Database]:
    """A transaction that sees its own changes and leaves none."""
    database.query("START TRANSACTION")
    try:
        yield database
    finally:
        database.query("ROLLBACK")


@dataclass
class Report:
    """What became of each column that was changed: table by table, as the tests come to it."""

    columns: dict[str, dict[str, str]] = field(default_factory=dict)

    def note(self, table: str, columns: set[str], altering: set[str], marking: set[str]) -> None:
        """Remember a table's columns: those that alter an item, those that are looked into, the others."""
        verdicts = self.columns.setdefault(table, {})
        for column in sorted(columns):
            in_vain = "looked into in vain" if column in marking else "-"
            verdicts[column] = "alters items" if column in altering else in_vain

    def text(self) -> str:
        lines = ["| table | column | its change |", "|---|---|---|"]
        return "\n".join(
            [
                *lines,
                *(
                    f"| {table} | {column} | {verdict} |"
                    for table, columns in sorted(self.columns.items())
                    for column, verdict in columns.items()
                ),
                "",
            ]
        )


REPORT = Report()
