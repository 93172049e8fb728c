"""One record of a topic, by its place."""

from typing import Final

from confluent_kafka import Consumer, TopicPartition

from runtime.kafka import watermarks
from runtime.record import Record, from_message

_RECORD_S_MAX: Final = 10.0


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
