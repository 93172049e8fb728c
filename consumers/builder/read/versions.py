"""When versions begin and end (Adobe Commerce): what was built changes then without any row being written."""

from collections.abc import Iterable, Mapping

from consumers.builder.read.reader import Plan, Together, ask
from runtime.database import Row
from schemas.edition import STAGED_CHILDREN, VERSIONS

# Unix seconds by reference, as entities name what they were built from.
Boundaries = Mapping[str, int]


def read_boundaries(prefix: str, refs: Iterable[str]) -> Plan[Boundaries]:
    """The next moment at which another version of what is referred to counts; without one it is absent.

    A version to come may have children that do not know of it yet: for them it is a moment too.

    Args:
        refs: those of a batch; only products and categories have versions.
    """
    together = Together()
    found = {kind: together.add(_next(prefix, kind, _ids(kind, refs))) for kind in ("product", "category")}
    yield from together.done()
    boundaries: dict[str, int] = {}
    for kind, rows in found.items():
        for entity_id, changes_s in rows.result:
            name = f"{kind}:{entity_id}"
            boundaries[name] = min(int(changes_s), boundaries.get(name, int(changes_s)))
    return boundaries


def next_due_s(own: int | None, refs: Iterable[str], boundaries: Boundaries) -> int | None:
    """When an entity's items change next by time alone; `own` is what its own rows say."""
    moments = [boundaries[name] for name in refs if name in boundaries]
    return min(moments if own is None else [own, *moments], default=None)


def _ids(kind: str, refs: Iterable[str]) -> list[int]:
    ids = (name.removeprefix(f"{kind}:") for name in refs if name.startswith(f"{kind}:"))
    return sorted(int(number) for number in ids if number.isdecimal())


def _next(prefix: str, kind: str, ids: list[int]) -> Plan[list[Row]]:
    if not ids:
        return []
    if kind == "category":
        return (yield from ask(_NEXT.format(p=prefix, versions=VERSIONS["category"], key="entity_id"), ids))
    statements = (
        _NEXT.format(p=prefix, versions=VERSIONS["product"], key="entity_id"),
        _NEXT.format(p=prefix, versions=STAGED_CHILDREN, key="child_id"),
    )
    return (yield from ask(" UNION ALL ".join(statements), ids, ids))


_NEXT = (
    "SELECT {key}, MIN(changes_s) FROM {p}{versions}"
    " WHERE changes_s IS NOT NULL AND {key} IN %s GROUP BY {key}"
)
