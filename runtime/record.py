"""Records as the stages see them, free of the client that carries them."""

from typing import Any

import msgspec
from confluent_kafka import Message

from runtime.errors import Poison
from schemas.keys import canonical_json
from schemas.records import DeadLetter


class Record(msgspec.Struct, frozen=True, gc=False):
    """A record read from a topic. `value` None is a tombstone."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: dict[str, bytes]
    timestamp_ms: int = 0


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A record to write. `value` None is a tombstone."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def from_message(message: Message) -> Record:
    """Take a client's message over; null keys become empty ones, the last header of a name wins."""
    value = message.value()
    headers: dict[str, Any] = dict(message.headers() or ())
    for name, content in headers.items():
        if content.__class__ is not bytes:
            headers[name] = _bytes(content)
    return Record(
        message.topic() or "",
        message.partition() or 0,
        message.offset() or 0,
        _bytes(message.key()),
        None if value is None else _bytes(value),
        headers,
        message.timestamp()[1],
    )


def _bytes(content: str | bytes | None) -> bytes:
    if isinstance(content, bytes):
        return content
    return b"" if content is None else content.encode()


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
