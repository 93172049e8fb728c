"""When versions begin and end (Adobe Commerce): what was built changes then without any row being written."""

from collections.abc import Iterable, Mapping
from typing import Final

from consumers.builder.read.reader import Plan, Together, ask
from runtime.database import Row
from schemas.edition import STAGED_CHILDREN, VERSIONS

# Unix seconds by reference, as entities name what they were built from, or by what else names a version.
Boundaries = Mapping[str, int]

# Each kind of name: the table of versions, and the column that such a name's other half is compared with.
_FOUND_BY: Final = (
    ("product:", VERSIONS["product"], "entity_id"),
    ("product:", STAGED_CHILDREN, "child_id"),
    ("category:", VERSIONS["category"], "entity_id"),
    ("sku:", VERSIONS["product"], "sku"),
    ("below:", VERSIONS["category"], "parent_id"),
)


def own_names(entity: str, key: str) -> tuple[str, ...]:
    """What an entity's own versions are found by, also where it has no row today and is built from nothing.

    A category is made of those right below it too; one that is yet to come is in nobody's references.
    """
    if entity == "product":
        return (f"sku:{key}",)
    return (f"category:{key}", f"below:{key}") if entity == "category" else ()


def read_boundaries(prefix: str, names: Iterable[str]) -> Plan[Boundaries]:
    """The next moment at which another version of what is named counts; without one it is absent.

    A version to come may have children that do not know of it yet: for them it is a moment too.

    Args:
        names: references and own names of a batch's entities; those of other kinds have no versions.
    """
    wanted = sorted(set(names))
    together = Together()
    found = [
        (kind, together.add(_next(f"{prefix}{table}", column, _halves(kind, wanted))))
        for kind, table, column in _FOUND_BY
    ]
    yield from together.done()
    boundaries: dict[str, int] = {}
    for kind, rows in found:
        for half, changes_s in rows.result:
            name = f"{kind}{half}"
            boundaries[name] = min(int(changes_s), boundaries.get(name, int(changes_s)))
    return boundaries


def next_due_s(own: int | None, names: Iterable[str], boundaries: Boundaries) -> int | None:
    """When an entity's items change next by time alone; `own` is what its own rows say."""
    moments = [boundaries[name] for name in names if name in boundaries]
    return min(moments if own is None else [own, *moments], default=None)


def _halves(kind: str, names: Iterable[str]) -> list[str]:
    """What stands behind the kind. All but SKUs are numbers; a text would be compared with each row's."""
    halves = [name.removeprefix(kind) for name in names if name.startswith(kind)]
    return halves if kind == "sku:" else [half for half in halves if half.isdecimal()]


def _next(table: str, column: str, halves: list[str]) -> Plan[list[Row]]:
    """(other half, moment) of each version; rows, because SKUs that are told apart compare as equal."""
    if not halves:
        return []
    values = halves if column == "sku" else [int(half) for half in halves]
    statement = f"SELECT {column}, changes_s FROM {table} WHERE changes_s IS NOT NULL AND {column} IN %s"
    return (yield from ask(statement, values))
