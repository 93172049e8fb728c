"""What reads feed values: the same as the library does, of any item, and nothing of broken bytes."""

import io
import math
from contextlib import suppress
from decimal import Decimal
from importlib.resources import files
from typing import Any

import any_item
import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.avro_reader import compiled
from schemas.codec import decode, encode, schema_text

FEEDS = sorted(file.name.removesuffix(".avsc") for file in files("schemas").joinpath("avro").iterdir())
HEADER_BYTES = 10


def written(schema: Any, item: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(schema), item)
    return buffer.getvalue()


@pytest.mark.parametrize("feed", FEEDS)
@settings(max_examples=25)
@given(data=st.data())
def test_any_item_is_read_as_the_library_reads_it(feed: str, data: st.DataObject) -> None:
    """Member for member, in their order, and some of them as well as all."""
    item = data.draw(any_item.items(feed))
    schema = msgspec.json.decode(schema_text(feed))
    value = encode(feed, item)
    some = data.draw(st.sets(st.sampled_from([field["name"] for field in schema["fields"]])))

    body = io.BytesIO(value[HEADER_BYTES:])
    theirs: Any = fastavro.schemaless_reader(body, fastavro.parse_schema(schema), None)

    assert repr(decode(feed, value)) == repr(theirs)
    assert list(compiled(schema, some)(value, HEADER_BYTES).items()) == [
        (name, member) for name, member in theirs.items() if name in some
    ]


@pytest.mark.parametrize("feed", FEEDS)
def test_a_value_that_is_cut_short_or_goes_on_is_no_item(feed: str) -> None:
    """At whichever byte; a text would otherwise end early in silence."""
    value = encode(feed, any_item.full(feed))

    for end in range(HEADER_BYTES, len(value)):
        with pytest.raises((EOFError, ValueError)):
            decode(feed, value[:end])
    with pytest.raises(EOFError):
        decode(feed, value + b"\0")


@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_byte_that_was_changed_is_an_item_or_an_error(place: int, byte: int) -> None:
    """Lengths and counts may become anything; nothing else is raised, and it ends."""
    value = bytearray(encode("products", any_item.full("products")))
    value[HEADER_BYTES + place % (len(value) - HEADER_BYTES)] = byte
    with suppress(EOFError, ValueError):
        decode("products", bytes(value))


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("long", [0, -1, 63, 64, -64, -65, 2**31, -(2**63), 2**63 - 1]),
        ("string", ["", "x" * 63, "x" * 64, "\u20ac" * 9_000]),
        ("bytes", [b"", b"\xff" * 200]),
        ("double", [0.1, math.inf, -0.0]),
        ("boolean", [True, False]),
        (["null", "long", "string"], [None, 5, "five"]),
        ({"type": "array", "items": {"type": "array", "items": "long"}}, [[], [[]], [[1], [2, 3] * 100]]),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": 6},
            [Decimal("1.500000"), Decimal("-99999999999999.000001"), Decimal("0E-6")],
        ),
    ],
)
def test_each_type_is_read_at_its_limits(kind: Any, values: list[Any]) -> None:
    """Read and jumped over; the one behind it tells that it ended where it should."""
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "value", "type": kind}, {"name": "behind", "type": "string"}],
    }
    for value in values:
        data = written(schema, {"value": value, "behind": "end"})

        assert repr(compiled(schema)(data, 0)) == repr({"value": value, "behind": "end"})
        assert compiled(schema, ["behind"])(data, 0) == {"behind": "end"}


def test_blocks_that_tell_their_bytes_are_read() -> None:
    """Other writers put a negative count and the block's length before an array's items."""
    schema = {
        "type": "record",
        "name": "R",
        "fields": [{"name": "value", "type": {"type": "array", "items": "long"}}],
    }

    assert compiled(schema)(b"\x03\x04\x02\x04\x02\x06\x00", 0) == {"value": [1, 2, 3]}


@pytest.mark.parametrize(
    "data", [b"\x01", b"\xff" * 12, b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x04\xff\xff"]
)
def test_a_length_that_is_none_is_an_error(data: bytes) -> None:
    """Negative, beyond any number, beyond the bytes, or no UTF-8."""
    schema = {"type": "record", "name": "R", "fields": [{"name": "value", "type": "string"}]}

    with pytest.raises((EOFError, ValueError)):
        compiled(schema)(data, 0)


def test_a_type_that_no_feed_uses_is_refused() -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": "value", "type": "float"}]}

    with pytest.raises(TypeError, match="no reader for the Avro type float"):
        compiled(schema)
