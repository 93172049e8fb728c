"""How things are named on topics: canonical JSON, partitions, content hashes."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import xxhash

# Amounts are numbers in JSON too, digit for digit.
_ENCODER: Final = msgspec.json.Encoder(order="sorted", decimal_format="number")
_MASK: Final = 0xFFFFFFFF
_M: Final = 0x5BD1E995

# An absent member, as JSON shows it.
_ABSENT: Final = b":null"

# Change with every run although nothing a shopper sees changed.
UNHASHED_FIELDS: Final = frozenset({"modifiedAt", "updatedAt", "createdAt"})


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON without spaces, object members sorted by name: equal values give equal bytes."""
    return _ENCODER.encode(value)


def murmur2(data: bytes) -> int:
    """The 32-bit hash of Kafka's default partitioner, as an unsigned number.

    Source: org.apache.kafka.common.utils.Utils.murmur2 (seed 0x9747b28c).
    """
    length = len(data)
    state = (0x9747B28C ^ length) & _MASK
    whole = length & ~3
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _M & _MASK
        word = (word ^ (word >> 24)) * _M & _MASK
        state = (state * _M & _MASK) ^ word
    if length != whole:
        state = (state ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    state = (state ^ (state >> 13)) * _M & _MASK
    return state ^ (state >> 15)


def partition_for(entity_key: bytes, partitions: int) -> int:
    """The partition that speaks for an entity, the same on dirty, index and feed topics."""
    return (murmur2(entity_key) & 0x7FFFFFFF) % partitions


def content_hash(item: Mapping[str, Any]) -> str:
    """32 hex digits of what a shopper could see of an item.

    Timestamps and absent (None) members are left out, so that a release which adds a field does not send
    the whole catalog again. Lists without an order of their own must have been sorted before.
    """
    seen = {name: value for name, value in item.items() if value is not None and name not in UNHASHED_FIELDS}
    text = canonical_json(seen)
    if _ABSENT in text:
        # Somewhere below, or only in a text that says so.
        text = canonical_json(without_absent(seen))
    return xxhash.xxh3_128_hexdigest(text)


def without_absent(value: Any) -> Any:
    """The same without members that are None, at any depth."""
    if isinstance(value, dict):
        return {name: without_absent(member) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_absent(member) for member in value]
    return value
