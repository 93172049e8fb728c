"""Feed values as bytes: Avro in single-object encoding, or framed by a registry; one schema file a feed."""

import io
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol, cast

import fastavro
import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form

# Two marker bytes, then the schema's CRC-64-AVRO fingerprint, little-endian.
_MARKER: Final = b"\xc3\x01"
_HEADER_BYTES: Final = 10
# A zero byte, then the schema's id at the registry, big-endian.
_REGISTERED: Final = b"\x00"
_REGISTERED_BYTES: Final = 5


class UnknownSchema(ValueError):
    """The value was not written with a schema that is known here."""


class Framing(Protocol):
    """Where schemas have ids; what it raises is not caught here."""

    def header(self, feed: str, schema: str) -> bytes:
        """The bytes that values of a feed begin with."""

    def writer_schema(self, schema_id: int) -> str | None:
        """A schema by its id; None when there is none."""


class _Chosen:
    """How this process frames what it writes; chosen once, when it starts."""

    framing: Framing | None = None


def use(framing: Framing | None) -> None:
    """Write with this framing from now on; None: single-object encoding. Both can be read."""
    _Chosen.framing = framing
    _header.cache_clear()
    _registered.cache_clear()


def framing() -> Framing | None:
    """What `use` chose."""
    return _Chosen.framing


def encode(feed: str, item: dict[str, Any]) -> bytes:
    """Write one item.

    Raises:
        ValueError, TypeError: a member is missing or has the wrong type; the message names it.
    """
    schema, _ = _schema(feed)
    buffer = io.BytesIO()
    buffer.write(_header(feed))
    fastavro.schemaless_writer(buffer, schema, item, strict_allow_default=True)
    return buffer.getvalue()


def decode(feed: str, data: bytes) -> dict[str, Any]:
    """Read one item.

    Raises:
        UnknownSchema: the bytes carry another marker, fingerprint or id.
    """
    if data[:1] == _REGISTERED:
        return _decode_registered(feed, data)
    schema, header = _schema(feed)
    if data[:_HEADER_BYTES] != header:
        message = f"{feed} value begins with {data[:_HEADER_BYTES].hex()}, expected {header.hex()}"
        raise UnknownSchema(message)
    return cast("dict[str, Any]", fastavro.schemaless_reader(io.BytesIO(data[_HEADER_BYTES:]), schema, None))


def decode_some(feed: str, data: bytes, members: frozenset[str]) -> dict[str, Any]:
    """Read some members of an item, those that the feed has; the others are skipped unread.

    Raises:
        UnknownSchema: the bytes carry another marker or fingerprint.
    """
    schema, header = _schema(feed)
    if data[:_HEADER_BYTES] != header:
        return {name: value for name, value in decode(feed, data).items() if name in members}
    body = io.BytesIO(data[_HEADER_BYTES:])
    return cast("dict[str, Any]", fastavro.schemaless_reader(body, schema, _part(feed, members)))


@cache
def _part(feed: str, members: frozenset[str]) -> Any:
    schema = msgspec.json.decode(schema_text(feed))
    schema["fields"] = [field for field in schema["fields"] if field["name"] in members]
    return fastavro.parse_schema(schema)


def _decode_registered(feed: str, data: bytes) -> dict[str, Any]:
    """As the reader of this release sees an item that any release wrote."""
    if _Chosen.framing is None or len(data) < _REGISTERED_BYTES:
        message = f"{feed} value begins with {data[:5].hex()}: set kafka.schema_registry_url to read it"
        raise UnknownSchema(message)
    writer, reader = _registered(feed, int.from_bytes(data[1:_REGISTERED_BYTES], "big"))
    body = io.BytesIO(data[_REGISTERED_BYTES:])
    return cast("dict[str, Any]", fastavro.schemaless_reader(body, writer, reader))


def schema_text(feed: str) -> str:
    """The Avro schema of a feed, as JSON."""
    return files("schemas").joinpath("avro", f"{feed}.avsc").read_text(encoding="utf-8")


@cache
def _header(feed: str) -> bytes:
    if _Chosen.framing is not None:
        return _Chosen.framing.header(feed, schema_text(feed))
    return _schema(feed)[1]


@cache
def _registered(feed: str, schema_id: int) -> tuple[Any, Any]:
    """The schema that a value was written with, and ours where it is another one."""
    text = _Chosen.framing.writer_schema(schema_id) if _Chosen.framing is not None else None
    if text is None:
        message = f"the schema registry has no schema {schema_id}"
        raise UnknownSchema(message)
    writer = fastavro.parse_schema(msgspec.json.decode(text))
    reader, _ = _schema(feed)
    same = to_parsing_canonical_form(writer) == to_parsing_canonical_form(reader)
    return writer, None if same else reader


@cache
def _schema(feed: str) -> tuple[Any, bytes]:
    schema = fastavro.parse_schema(msgspec.json.decode(schema_text(feed)))
    # fastavro prints the fingerprint in the order it has on the wire: least significant byte first.
    return schema, _MARKER + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
