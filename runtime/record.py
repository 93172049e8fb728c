"""Records as the stages see them, free of the client that carries them."""

from dataclasses import dataclass

import msgspec
from confluent_kafka import Message

from runtime.errors import Poison
from schemas.keys import canonical_json
from schemas.records import DeadLetter


@dataclass(frozen=True, slots=True)
class Record:
    """A record read from a topic. `value` None is a tombstone."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: dict[str, bytes]
    timestamp_ms: int = 0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A record to write. `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def from_message(message: Message) -> Record:
    """Take a client's message over; null keys become empty ones, the last header of a name wins."""
    key = message.key()
    value = message.value()
    headers = message.headers() or []
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Record(
        topic=message.topic() or "",
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        key=_bytes(key),
        value=None if value is None else _bytes(value),
        headers={name: _bytes(content) for name, content in pairs},
        timestamp_ms=message.timestamp()[1],
    )


def _bytes(content: str | bytes | None) -> bytes:
    if content is None:
        return b""
    return content.encode() if isinstance(content, str) else content


def parked(record: Record, topic: str, partition: int, operation: str, poison: Poison) -> Outgoing:
    """The dead letter of a record that will never be understood: where it is, and why."""
    letter = DeadLetter(
        kind="attention",
        operation=operation,
        error=str(poison),
        attempts=1,
        time_ms=record.timestamp_ms,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
    )
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    return Outgoing(topic, partition, canonical_json(place), msgspec.json.encode(letter))
