"""Feed values as bytes: Avro in single-object encoding, one schema file a feed."""

import io
from functools import cache
from importlib.resources import files
from typing import Any, Final, cast

import fastavro
import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form

# Two marker bytes, then the schema's CRC-64-AVRO fingerprint, little-endian.
_MARKER: Final = b"\xc3\x01"
_HEADER_BYTES: Final = 10


class UnknownSchema(ValueError):
    """The value was not written with a schema of this release."""


def encode(feed: str, item: dict[str, Any]) -> bytes:
    """Write one item.

    Raises:
        ValueError, TypeError: a member is missing or has the wrong type; the message names it.
    """
    schema, header = _schema(feed)
    buffer = io.BytesIO()
    buffer.write(header)
    fastavro.schemaless_writer(buffer, schema, item, strict_allow_default=True)
    return buffer.getvalue()


def decode(feed: str, data: bytes) -> dict[str, Any]:
    """Read one item.

    Raises:
        UnknownSchema: the bytes carry another marker or fingerprint.
    """
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
        return decode(feed, data)
    body = io.BytesIO(data[_HEADER_BYTES:])
    return cast("dict[str, Any]", fastavro.schemaless_reader(body, schema, _part(feed, members)))


@cache
def _part(feed: str, members: frozenset[str]) -> Any:
    text = files("schemas").joinpath("avro", f"{feed}.avsc").read_text(encoding="utf-8")
    schema = msgspec.json.decode(text)
    schema["fields"] = [field for field in schema["fields"] if field["name"] in members]
    return fastavro.parse_schema(schema)


@cache
def _schema(feed: str) -> tuple[Any, bytes]:
    text = files("schemas").joinpath("avro", f"{feed}.avsc").read_text(encoding="utf-8")
    schema = fastavro.parse_schema(msgspec.json.decode(text))
    # fastavro prints the fingerprint in the order it has on the wire: least significant byte first.
    return schema, _MARKER + bytes.fromhex(fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO"))
