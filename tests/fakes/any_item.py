"""Any item that a feed's topic can hold, by its Avro schema: a full one, and odd values in every place."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec
from hypothesis import strategies as st

from schemas.codec import schema_text

Path = tuple[str | int, ...]

# Longer than every limit that a service names, or than the column that a text comes from.
LONG = tuple("x" * length for length in (6, 41, 65, 129, 256, 1_025))
TEXTS = (
    "base",
    "",
    " ",
    "\x00",
    "0",
    "-1",
    "null",
    "/",
    "::",
    "\u00c9 \u2028",
    "\U0001f392",
    "a\n\r\nb",
    *LONG,
)
DATES = ("2024-01-15 00:00:00", "1970-01-01 00:00:00", None)
NUMERALS = ("2", "0", str(2**31), str(2**32 - 1))
# The first of each is the usual one.
VALUES: Mapping[str, Sequence[Any]] = {
    "null": (None,),
    "boolean": (True, False),
    "int": (1, 0, -1, 2**31 - 1, -(2**31)),
    "long": (1, 0, -1, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, -(2**63)),
    "double": (1.5, 0.0, -0.0, 1e-9, 0.1 + 0.2, -1.0, 1e300),
    "string": TEXTS,
}
# What the schema calls a text, and the builder takes from a closed list or writes in one form.
CLOSED: Mapping[tuple[str, str], Sequence[Any]] = {
    ("Product", "type"): (
        *("simple", "virtual", "configurable", "grouped", "downloadable", "giftcard"),
        *("bundle", "bundle_fixed"),
    ),
    ("Product", "status"): ("Enabled", "Disabled"),
    ("Product", "visibility"): ("Catalog, Search", "Catalog", "Search", "Not Visible Individually"),
    ("Product", "weightType"): ("0", "1", None),
    ("Product", "createdAt"): DATES,
    ("Product", "updatedAt"): DATES,
    ("ProductImage", "sortOrder"): NUMERALS,
    ("ProductSample", "sortOrder"): NUMERALS,
    ("ProductVideo", "sortOrder"): NUMERALS,
    ("ProductOption", "type"): ("configurable", "bundle", "grouped", "downloadable", "custom_option"),
    ("ProductParent", "productType"): ("configurable", "bundle", "bundle_fixed", "grouped", "other"),
    ("Category", "urlPath"): ("men/tops-2", "", "m\u00e4nner", "Men.html", "a//b", *LONG),
    ("Category", "createdAt"): DATES,
    ("Category", "updatedAt"): DATES,
    ("AttributeMetadata", "dataType"): ("int", "decimal", "text", "varchar", "static", "datetime", "other"),
    ("AttributeMetadata", "frontendInput"): ("select", "boolean", "text", "price", "other", None),
    ("Price", "type"): (
        *("SIMPLE", "BUNDLE_DYNAMIC", "BUNDLE_FIXED", "CONFIGURABLE", "DOWNLOADABLE", "GIFTCARD"),
        "GROUPED",
    ),
    ("Price", "customerGroupCode"): ("0", "1" * 40),
    ("PriceParent", "type"): ("CONFIGURABLE", "BUNDLE_FIXED", "GROUPED", "SIMPLE"),
}
# Lists have an element of each kind.
KINDS: Mapping[str, str] = {"ProductOption": "type", "ProductParent": "productType", "PriceParent": "type"}


def full(feed: str) -> dict[str, Any]:
    """Every member has its usual value; a list has an element of each kind there is. Not to be changed."""
    item: dict[str, Any] = _places(feed)[0][1][0]
    return item


def changes(feed: str) -> Sequence[tuple[Path, Any]]:
    """Every place of the full item with every other value it may have."""
    return [(path, value) for path, values in _places(feed)[1:] for value in values[1:]]


def changed(feed: str, *places: tuple[Path, Any]) -> dict[str, Any]:
    """The full item with these changes; one whose place an earlier one took away is left out."""
    item = full(feed)
    for path, value in places:
        with suppress(KeyError, IndexError, TypeError, AttributeError):
            item = _put(item, path, value)
    return item


def items(feed: str) -> st.SearchStrategy[dict[str, Any]]:
    """The full item with a few changes."""
    some = st.lists(st.sampled_from(changes(feed)), min_size=2, max_size=5)
    return some.map(lambda places: changed(feed, *places))


def _put(holder: Any, path: Path, value: Any) -> Any:
    """The same but for one place; what lies beside the way is shared."""
    if not path:
        return value
    result = holder.copy()
    result[path[0]] = _put(holder[path[0]], path[1:], value)
    return result


@cache
def _places(feed: str) -> Sequence[tuple[Path, Sequence[Any]]]:
    """The whole item first."""
    return list(_of(msgspec.json.decode(schema_text(feed)), (), {}))


def _of(schema: Any, path: Path, names: dict[str, Any]) -> Iterator[tuple[Path, Sequence[Any]]]:
    """A place and those below it, each with its values, the usual one first."""
    if isinstance(schema, str) and schema in names:
        schema = names[schema]
    match schema:
        case str():
            yield path, VALUES[schema]
        case list():
            # A member that may be absent: usually it is there.
            (kind,) = (one for one in schema if one != "null")
            (_, values), *below = _of(kind, path, names)
            yield path, [*values, None]
            yield from below
        case {"logicalType": "decimal", "precision": precision, "scale": scale}:
            most = 10**precision - 1
            yield path, [Decimal(unscaled).scaleb(-scale) for unscaled in (15, 0, 1, -1, most, -most)]
        case {"type": "array", "items": kind}:
            kinds = _kinds(kind, names)
            first, *_ = _of(kind, (*path, 0), names)
            usual = first[1][0]
            elements = [usual | kind if kind else usual for kind in kinds]
            yield path, [elements, [], [*elements, *elements]]
            for place in range(len(elements)):
                yield from _of(kind, (*path, place), names)
        case {"type": "record", "name": name, "fields": fields}:
            names[name] = schema
            usual, below = {}, []
            for field in fields:
                here, *under = _of(field["type"], (*path, field["name"]), names)
                values = CLOSED.get((name, field["name"]), here[1])
                usual[field["name"]] = values[0]
                below += [(here[0], values), *under]
            yield path, [usual]
            yield from below
        case _:
            yield from _of(schema["type"], path, names)


def _kinds(element: Any, names: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """What elements of a list differ in: the member that says what they are, if there is one."""
    schema = names.get(element, element) if isinstance(element, str) else element
    name = schema["name"] if isinstance(schema, dict) and schema.get("type") == "record" else ""
    return [{KINDS[name]: value} for value in CLOSED[name, KINDS[name]]] if name in KINDS else [{}]
