"""What descriptions of a service are made of: JSON Schema pieces, and how items are named."""

from collections.abc import Mapping
from typing import Any, Final

Schema = dict[str, Any]
Identity = tuple[str, ...]


def identity_of(members: tuple[str, ...], item: Mapping[str, Any]) -> Identity:
    """Read what names an item at the service, e.g. ("24-MB01", "default").

    Args:
        members: a route's identity; "source.locale" is the member locale of the member source.
        item: valid by the route's schema. A layer may have no locale: its part is then "".
    """
    parts = []
    for member in members:
        value: Any = item
        for name in member.split("."):
            value = value.get(name, "")
        parts.append(value)
    return tuple(parts)


def object_of(required: str, /, **members: Schema) -> Schema:
    """An object; members that are not listed are tolerated."""
    return {"type": "object", "properties": members, "required": required.split()}


def closed(schema: Schema) -> Schema:
    return {**schema, "additionalProperties": False}


def list_of(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def text(shortest: int = 0, longest: int | None = None) -> Schema:
    schema: Schema = {"type": "string"}
    if shortest:
        schema["minLength"] = shortest
    if longest is not None:
        schema["maxLength"] = longest
    return schema


TEXT: Final = text()
TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
NUMBER: Final[Schema] = {"type": "number"}
# Both services' whole numbers have 32 bits.
WHOLE_MAX: Final = 2**31 - 1
WHOLE: Final[Schema] = {"type": "integer", "minimum": -WHOLE_MAX - 1, "maximum": WHOLE_MAX}
FLAG: Final[Schema] = {"type": "boolean"}


def amounts(name: str, schema: Schema) -> Schema:
    """Discounts and tiers: named by one member, worth a price or a percentage."""
    kinds = [
        object_of(f"{name} {worth}", **{name: schema, worth: NUMBER}) for worth in ("price", "percentage")
    ]
    return list_of({"anyOf": kinds})
