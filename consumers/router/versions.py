"""Rows of staged versions name the entity they are a version of (Adobe Commerce).

A changed row is read as Open Source would have it; where that would be an entity's id and here is a row's,
touches carry a mark until the rows are looked up, as other ids are, in a view that has seen the batch.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from consumers.router.resolve import Reader
from consumers.router.rules import Kind, Touch
from schemas.edition import VERSIONS, Edition, Versioned

# Entity ids by (kind of entity, row id).
Rows = Mapping[tuple[str, str], str]

_MARKED: Final[frozenset[Kind]] = frozenset(
    {"product", "value", "neighbours", "bundle_children", "category", "refers_to"}
)
_MARK: Final = re.compile(r"(?P<before>(?:[a-z]+:)?)(?P<of>product|category)-row-(?P<row>\d+)")


def as_open_source(edition: Edition, table: str, image: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """One image of a changed row; `table` with its prefix."""
    link = edition.links.get(table)
    if image is None or link is None or image.get(link.column) is None:
        return image
    others = {column: value for column, value in image.items() if column != link.column}
    return {**others, link.shown_as: f"{link.of}-row-{image[link.column]}"}


def is_row(touch: Touch) -> bool:
    """True while the touch names a row instead of an entity."""
    return _marked(touch) is not None


def look_up(reader: Reader, prefix: str, touches: Iterable[Touch]) -> Rows:
    """Every row that touches name; what is absent is gone, and its entity was named by the version's own row.

    Args:
        prefix: the installation's table prefix.
    """
    ids: dict[Versioned, set[str]] = {"product": set(), "category": set()}
    for touch in touches:
        if (mark := _marked(touch)) is not None:
            ids["category" if mark["of"] == "category" else "product"].add(mark["row"])
    return {
        (of, str(row_id)): str(entity_id)
        for of, rows in ids.items()
        if rows
        for row_id, entity_id in reader.query(
            f"SELECT row_id, entity_id FROM {prefix}{VERSIONS[of]} WHERE row_id IN %s", (sorted(rows),)
        )
    }


def of_entities(touches: Iterable[Touch], rows: Rows) -> list[Touch]:
    """The touches by entity; those of rows that are gone are left out."""
    found: dict[Touch, None] = {}
    for touch in touches:
        mark = _marked(touch)
        if mark is None:
            found[touch] = None
        elif (entity_id := rows.get((mark["of"], mark["row"]))) is not None:
            found[Touch(touch.kind, mark["before"] + entity_id)] = None
    return list(found)


def _marked(touch: Touch) -> re.Match[str] | None:
    return _MARK.fullmatch(touch.value) if touch.kind in _MARKED else None
