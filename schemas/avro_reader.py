"""An Avro schema becomes Python functions that read its values, written out member by member.

The library looks the schema up for each value and calls Python for each byte; that was a third of what the
sink spends on an item. Functions that were made for a schema need two thirds of its time, and where only some
members are asked for a quarter.

Source: the Avro specification 1.12, binary encoding; decimals as fastavro makes them.
"""

import struct
from collections.abc import Callable, Collection, Mapping
from decimal import Context, Decimal
from io import BytesIO
from typing import Any, Final

# Reads the value that begins at a place of some bytes and ends with them.
Reader = Callable[[bytes, int], dict[str, Any]]
_Read = Callable[[int], bytes]
_Jump = Callable[[int, int], int]

_DOUBLE: Final = struct.Struct("<d")
# Stands behind the value: a text that is cut short would take it along.
_END: Final = b"\0"
# A number is written in at most this many bytes of seven bits each.
_VARINT_BYTES_MAX: Final = 10
# Numbers in zigzag code by their first byte, which is all of them below 128. Of a longer one it says _LONGER
# and the byte: seven bits of it are the number's lowest.
_LONGER: Final = 1_000
_NUMBERS: Final = {
    bytes([byte]): byte >> 1 ^ -(byte & 1) if byte < 128 else _LONGER + byte for byte in range(256)
}
_NUMBER: Final = f"n if (n := _numbers[R(1)]) < {_LONGER} else _long(R, n)"
_SIZE: Final = f"n if 0 <= (n := _numbers[R(1)]) < {_LONGER} else _size(R, n)"


def compiled(schema: Mapping[str, Any], members: Collection[str] | None = None) -> Reader:
    """A function that reads records of a schema.

    Args:
        schema: as it stands in its file. No type of it contains itself.
        members: read only these of the record's own members, and jump over the others.

    Returns:
        A function of the bytes and the place where the value begins. It raises EOFError where the bytes end
        elsewhere than the value, and ValueError where they cannot be of this schema.

    Raises:
        TypeError: the schema has a type that no feed uses.
    """
    source = _Source()
    name = source.record(schema, members)
    # Made of our own schemas only; a member's name is written as a literal.
    exec(compile("\n".join(source.lines), f"<avro {schema['name']}>", "exec"), source.scope)
    read = source.scope[name]

    def whole(data: bytes, begin: int = 0) -> dict[str, Any]:
        stream = BytesIO(data[begin:] + _END)
        try:
            item: dict[str, Any] = read(stream.read, stream.seek)
        except (LookupError, OverflowError, struct.error) as error:
            raise EOFError(_ENDS) from error
        if stream.read(2) != _END:
            raise EOFError(_ENDS)
        return item

    return whole


_ENDS: Final = "the bytes do not end where the value does"


class _Source:
    """A function for each record and each array's item: `R` reads so many bytes, `J` jumps over them."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.scope: dict[str, Any] = {
            "_numbers": _NUMBERS,
            "_long": _long,
            "_size": _size,
            "_items": _items,
            "_wrong": _wrong,
            "_double": _DOUBLE.unpack,
        }
        self._named: dict[str, Any] = {}

    def record(self, schema: Mapping[str, Any], members: Collection[str] | None = None) -> str:
        """The name of a function that reads a record."""
        self._named[schema["name"]] = schema
        body, pairs = [], []
        for number, field in enumerate(schema["fields"]):
            if members is None or field["name"] in members:
                body.append(f" v{number} = {self._read(field['type'])}")
                pairs.append(f"{field['name']!r}: v{number}")
            else:
                body.append(f" {self._over(field['type'])}")
        return self._function([*body, f" return {{{', '.join(pairs)}}}"])

    def _read(self, schema: Any) -> str:
        """The expression that reads a value."""
        schema, kind = self._known(schema)
        match kind:
            case "union":
                return self._union(schema, self._read)
            case "null":
                return "None"
            case "boolean":
                return "R(1) != b'\\0'"
            case "int" | "long":
                return f"({_NUMBER})"
            case "double":
                return "_double(R(8))[0]"
            case "string":
                return f"R({_SIZE}).decode()"
            case "bytes":
                text = f"R({_SIZE})"
                is_decimal = isinstance(schema, dict) and schema.get("logicalType") == "decimal"
                return f"{self._decimal(schema)}({text})" if is_decimal else text
            case "array":
                item = self._function([f" return {self._read(schema['items'])}"])
                return f"([] if (n := _numbers[R(1)]) == 0 else _items(R, J, n, {item}))"
            case "record":
                return f"{self.record(schema)}(R, J)"
            case _:
                message = f"no reader for the Avro type {kind}"
                raise TypeError(message)

    def _over(self, schema: Any) -> str:
        """The expression that jumps over a value."""
        schema, kind = self._known(schema)
        match kind:
            case "union":
                return self._union(schema, self._over)
            case "string" | "bytes":
                return f"J({_SIZE}, 1)"
            case "array":
                item = self._function([f" {self._over(schema['items'])}"])
                return f"(None if (n := _numbers[R(1)]) == 0 else _items(R, J, n, {item}))"
            case "record":
                return f"{self.record(schema, ())}(R, J)"
            case _:
                return self._read(schema)

    def _known(self, schema: Any) -> tuple[Any, str]:
        """A schema and its kind; one that stands in another's place, or is only named, is looked up."""
        if isinstance(schema, list):
            return schema, "union"
        kind = schema if isinstance(schema, str) else schema["type"]
        if isinstance(kind, (dict, list)):
            return self._known(kind)
        named = self._named.get(kind)
        return (named, named["type"]) if named else (schema, kind)

    def _union(self, schemas: list[Any], expression: Callable[[Any], str]) -> str:
        """The branch's number goes before it; it is one byte, as there are few."""
        branches = [
            f"{expression(schema)} if {'b' if number else '(b := R(1))'} == {bytes([2 * number])!r} else"
            for number, schema in enumerate(schemas)
        ]
        return f"({' '.join(branches)} _wrong())"

    def _decimal(self, schema: Mapping[str, Any]) -> str:
        scale, context = schema.get("scale", 0), Context(prec=schema["precision"])

        def read(unscaled: bytes) -> Decimal:
            number = int.from_bytes(unscaled, "big", signed=True)
            return context.create_decimal(number).scaleb(-scale, context)

        return self._named_as(read)

    def _function(self, body: list[str]) -> str:
        name = f"f{len(self.lines)}"
        self.lines.append("\n".join([f"def {name}(R, J):", *body]))
        return name

    def _named_as(self, value: Any) -> str:
        name = f"c{len(self.scope)}"
        self.scope[name] = value
        return name


def _long(read: _Read, first: int) -> int:
    """A number of several bytes; the first is told as in `_NUMBERS`."""
    number, shift = first - _LONGER & 127, 7
    while shift < 7 * _VARINT_BYTES_MAX:
        byte = read(1)[0]
        number |= (byte & 127) << shift
        if byte < 128:
            return number >> 1 ^ -(number & 1)
        shift += 7
    return int(_wrong())


def _size(read: _Read, first: int) -> int:
    number = _long(read, first) if first >= _LONGER else first
    return number if number >= 0 else int(_wrong())


def _items(read: _Read, jump: _Jump, count: int, item: Callable[[_Read, _Jump], Any]) -> list[Any]:
    """An array's blocks, each behind the number of its items, until an empty one."""
    items: list[Any] = []
    while count:
        if not 0 < count < _LONGER:
            count = _many(read, count)
        items += [item(read, jump) for _ in range(count)]
        count = _NUMBERS[read(1)]
    return items


def _many(read: _Read, first: int) -> int:
    """A block's number of items, as it begins; behind a negative one stand the block's bytes."""
    count = _long(read, first) if first >= _LONGER else first
    if count < 0:
        size = _NUMBERS[read(1)]
        if size >= _LONGER:
            _long(read, size)
    return abs(count)


def _wrong() -> Any:
    message = "the bytes are not of this schema"
    raise ValueError(message)
