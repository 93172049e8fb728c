"""Schema violations in the words of the service: item index, member, message, value."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import jsonschema_rs
import msgspec


class Finding(msgspec.Struct, frozen=True, rename="camel"):
    """One thing wrong with one item; an item can have several."""

    item_index: int
    code: str
    message: str
    value: str = ""


def findings(validator: jsonschema_rs.Draft202012Validator, items: Sequence[Any]) -> list[Finding]:
    """All violations of a request body, in the order of its items; [] when it is valid."""
    # A valid body, the usual case, takes half the time this way.
    if validator.is_valid(items):
        return []
    return [finding for error in validator.iter_errors(items) for finding in _findings(error)]


def _findings(error: jsonschema_rs.ValidationError) -> Iterator[Finding]:
    if error.kind.name == "anyOf":
        # No alternative fits; the one that came closest says best what is missing.
        for inner in min(error.kind.value, key=len):
            yield from _findings(inner)
        return
    index, *steps = error.instance_path
    path = _path(steps)
    prefix = f"{path}: " if path else ""
    match error.kind.name:
        case "required":
            member = error.kind.value
            message = f"{prefix}required property '{member}' not found"
            yield Finding(int(index), _path([*steps, member]), message)
        case "additionalProperties":
            item: Any = error.instance
            for member in error.kind.value:
                message = (
                    f"{prefix}property '{member}' is not defined in the schema "
                    "and the schema does not allow additional properties"
                )
                yield Finding(int(index), _path([*steps, member]), message, as_text(item[member]))
        case _:
            yield Finding(int(index), path or "$", prefix + _sentence(error), as_text(error.instance))


def _sentence(error: jsonschema_rs.ValidationError) -> str:
    value = error.kind.value
    match error.kind.name:
        case "type":
            expected = sorted(value, key=lambda name: name == "null")
            shown = expected[0] if len(expected) == 1 else f"[{', '.join(expected)}]"
            return f"{_type_name(error.instance)} found, {shown} expected"
        case "enum":
            options = ", ".join(f'"{option}"' for option in value)
            return f"does not have a value in the enumeration [{options}]"
        case "minLength":
            return f"must be at least {value} characters long"
        case "maxLength":
            return f"must be at most {value} characters long"
        case "minimum" | "maximum":
            return f"must have a {error.kind.name} value of {value}"
        case "pattern":
            return f"does not match the regex pattern {value}"
        case _:
            return error.message


_TYPE_NAMES: Final = {
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def _type_name(value: Any) -> str:
    return _TYPE_NAMES.get(type(value), "null")


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _path(steps: Sequence[str | int]) -> str:
    """`["attributes", 0, "code"]` is attributes[0].code."""
    path = ""
    for step in steps:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.removeprefix(".")
