"""How what a stage wrote, and the offsets it was made from, become durable."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition

from runtime.errors import Doubt
from runtime.kafka import ADMIN_TIMEOUT_S
from runtime.record import Outgoing

# What makes records and offsets durable. It may run in another thread, which asks the consumer for nothing:
# a consumer whose partitions are being taken answers nobody until they are given.
Commit = Callable[[], None]
Write = Callable[[Consumer, Producer, Sequence[Outgoing], list[TopicPartition]], Commit]

# A record that is not acknowledged by then is in doubt.
FLUSH_S_MAX: Final = 30.0


class Writing:
    """The write under way, at most one: in the caller's thread, or beside it in a thread of its own."""

    def __init__(self, *, pipelined: bool) -> None:
        self._pipelined = pipelined
        self._thread = ThreadPoolExecutor(1, "write")
        self._under_way: Future[None] | None = None

    def start(self, write: Commit) -> None:
        """Begin once the one before is durable; what that one or this one raises is raised here."""
        self.wait()
        if self._pipelined:
            self._under_way = self._thread.submit(write)
        else:
            write()

    def wait(self) -> None:
        """Until what was begun is durable; raises what its write raised."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def close(self) -> None:
        self._thread.shutdown()


def in_transaction(
    consumer: Consumer,
    producer: Producer,
    outgoing: Sequence[Outgoing],
    next_offsets: list[TopicPartition],
) -> Commit:
    """All or nothing; what it raises is what `transact` raises."""
    return partial(transact, producer, outgoing, next_offsets, consumer.consumer_group_metadata())


def transact(
    producer: Producer, outgoing: Iterable[Outgoing], next_offsets: list[TopicPartition], group: Any
) -> None:
    """Write records and commit a group's positions in one transaction.

    Positions are never missing: a worker whose partitions went is fenced only by them.

    Args:
        group: the consumer's group metadata; the broker refuses one whose member was replaced.

    Raises:
        Doubt: it may or may not have been committed. The producer must not be used again.
    """
    try:
        producer.begin_transaction()
        for item in outgoing:
            produce(producer, item)
        producer.send_offsets_to_transaction(next_offsets, group, ADMIN_TIMEOUT_S)
        producer.commit_transaction(ADMIN_TIMEOUT_S)
    except KafkaException as error:
        message = f"transaction in doubt, starting over: {error.args[0].str()}"
        raise Doubt(message) from error


def repeatable(
    consumer: Consumer,
    producer: Producer,
    outgoing: Sequence[Outgoing],
    next_offsets: list[TopicPartition],
) -> Commit:
    """Only the records; the loop commits offsets now and then, and a crash before writes some once more.

    For stages whose records may come twice, and late, without harm. A transaction would cost each batch
    several round trips, and its readers the wait for its end.
    """
    return partial(_acknowledged, producer, outgoing)


def _acknowledged(producer: Producer, outgoing: Sequence[Outgoing]) -> None:
    """Records and their acknowledgement.

    Raises:
        Doubt: a record was not acknowledged.
    """
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, message: Message) -> None:
        if error is not None:
            failures.append(error)

    try:
        for item in outgoing:
            produce(producer, item, delivered)
        waiting = producer.flush(FLUSH_S_MAX)
    except KafkaException as error:
        message = f"records are in doubt, starting over: {error.args[0].str()}"
        raise Doubt(message) from error
    if failures or waiting:
        reason = failures[0].str() if failures else f"no acknowledgement in {FLUSH_S_MAX:g} s"
        message = f"{max(waiting, len(failures))} records are in doubt, starting over: {reason}"
        raise Doubt(message)


def produce(
    producer: Producer, item: Outgoing, delivered: Callable[[KafkaError | None, Message], None] | None = None
) -> None:
    while True:
        try:
            producer.produce(
                item.topic,
                value=item.value,
                key=item.key,
                partition=item.partition,
                headers=[(name, content) for name, content in item.headers],
                on_delivery=delivered,
            )
            return
        except BufferError:
            # The client's queue is full: let it send before handing over more.
            producer.poll(0.1)
