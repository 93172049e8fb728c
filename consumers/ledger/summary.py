"""A feed item becomes the few columns that people look for it by. Pure."""

from collections.abc import Mapping
from typing import Any, Final

# Widths of the columns, in characters.
NAME_MAX: Final = 255
WORD_MAX: Final = 64
# With target and feed, all of it in the index of every database.
KEY_MAX: Final = 640

# Column -> members of an item that may hold it, the first that has a value wins.
_SOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "sku": ("sku", "productSku"),
    "name": ("name", "label"),
    "type": ("type", "dataType"),
    "scope": ("storeViewCode", "websiteCode"),
    "visibility": ("visibility",),
    "price": ("regular",),
    "quantity": ("qty",),
}
_WIDTHS: Final = {"sku": NAME_MAX, "name": NAME_MAX}
COLUMNS: Final = tuple(_SOURCES)
MEMBERS: Final = frozenset(member for members in _SOURCES.values() for member in members)


def summary(item: Mapping[str, Any]) -> dict[str, str | None]:
    """Every column by name; amounts as text, digit for digit."""
    return {column: _first(item, column) for column in COLUMNS}


def plain(text: str, width: int) -> str:
    """Text as every database takes it: no NUL, not over its column's width."""
    return text.replace("\0", "")[:width]


def _first(item: Mapping[str, Any], column: str) -> str | None:
    for member in _SOURCES[column]:
        value = item.get(member)
        if value is not None:
            return plain(str(value), _WIDTHS.get(column, WORD_MAX))
    return None
