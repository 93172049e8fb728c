"""Records of a topic, by their places."""

from collections.abc import Iterator, Sequence
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from runtime.kafka import watermarks
from runtime.record import Record, from_message

_RECORD_S_MAX: Final = 10.0
# Places closer together than this are read in one go.
NEAR_OFFSETS: Final = 500


def record_at(consumer: Consumer, topic: str, partition: int, offset: int) -> Record | None:
    """The record at this very offset; None when compaction took it away, or it never was there.

    Raises:
        Unreachable: the broker does not answer.
    """
    first, end = watermarks(consumer, topic, partition)
    if not first <= offset < end:
        return None
    consumer.assign([TopicPartition(topic, partition, offset)])
    try:
        message = consumer.poll(_RECORD_S_MAX)
        if message is None or message.error() is not None or message.offset() != offset:
            return None
        return from_message(message)
    finally:
        consumer.unassign()


def near_offsets(offsets: Sequence[int]) -> Iterator[list[int]]:
    """Ascending offsets, in runs in which it is cheaper to read what lies between than to begin anew."""
    run: list[int] = []
    for offset in offsets:
        if run and offset - run[-1] > NEAR_OFFSETS:
            yield run
            run = []
        run.append(offset)
    if run:
        yield run
