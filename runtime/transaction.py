"""Records and positions that become durable together, or not at all."""

from collections.abc import Iterable
from typing import Any, Final

from confluent_kafka import KafkaException, Producer, TopicPartition

from runtime.errors import Doubt
from runtime.record import Outgoing

TRANSACTION_S_MAX: Final = 20.0


def transact(
    producer: Producer, outgoing: Iterable[Outgoing], positions: list[TopicPartition], group: Any
) -> None:
    """Write records and commit a group's positions in one transaction.

    Args:
        group: the consumer's group metadata; the broker refuses one whose member was replaced.

    Raises:
        Doubt: it may or may not have been committed. The producer must not be used again.
    """
    try:
        producer.begin_transaction()
        for item in outgoing:
            _produce(producer, item)
        producer.send_offsets_to_transaction(positions, group, TRANSACTION_S_MAX)
        producer.commit_transaction(TRANSACTION_S_MAX)
    except KafkaException as error:
        message = f"transaction in doubt, starting over: {error.args[0].str()}"
        raise Doubt(message) from error


def _produce(producer: Producer, item: Outgoing) -> None:
    while True:
        try:
            producer.produce(
                item.topic,
                value=item.value,
                key=item.key,
                partition=item.partition,
                headers=[(name, content) for name, content in item.headers],
            )
            return
        except BufferError:
            # The client's queue is full: let it send before handing over more.
            producer.poll(0.1)
