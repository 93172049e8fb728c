"""A consumer and a producer without a broker: what is polled, paused, written and committed, in order."""

from collections.abc import Callable, Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, TopicPartition


class FakeMessage:
    """A record as the client hands it out."""

    def __init__(
        self, topic: str, offset: int, partition: int = 0, failure: KafkaError | None = None
    ) -> None:
        self._topic, self._partition, self._offset, self._failure = topic, partition, offset, failure

    def __len__(self) -> int:
        """As the real one: of a tombstone it is 0, which counts as false."""
        return len(self.value())

    def error(self) -> KafkaError | None:
        return self._failure

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return b"key"

    def value(self) -> bytes:
        return str(self._offset).encode()

    def headers(self) -> list[tuple[str, bytes]]:
        return []

    def timestamp(self) -> tuple[int, int]:
        return (1, 1_000)


Step = Callable[["FakeConsumer"], Sequence[FakeMessage]]


class FakeConsumer:
    """Each poll plays the next step; a step may rebalance, stop the loop, or hand records out.

    `journal` is shared with the producer and the stage: what happened, in order.
    """

    def __init__(self, journal: list[str], *steps: Step) -> None:
        self.journal = journal
        self._steps = list(steps)
        self._waiting: list[FakeMessage] = []
        self._assigned: list[TopicPartition] = []
        self._callbacks: dict[str, Any] = {}
        self.committed_offset = 0
        self.committed_by_hand: list[list[tuple[str, int]]] = []
        self.paused: list[TopicPartition] = []
        self.closed = False

    def subscribe(self, topics: list[str], **callbacks: Any) -> None:
        self.journal.append(f"subscribe {','.join(topics)}")
        self._callbacks = callbacks

    def poll(self, timeout_s: float) -> FakeMessage | None:
        if not self._ready():
            if not self._steps:
                raise AssertionError("the loop polls on after the last step")
            self._waiting.extend(self._steps.pop(0)(self))
        return next(iter(self.consume(1, timeout_s)), None)

    def consume(self, count: int, timeout_s: float) -> list[FakeMessage]:
        taken = self._ready()[:count]
        self._waiting = [message for message in self._waiting if message not in taken]
        return taken

    def _ready(self) -> list[FakeMessage]:
        """What waits and is not paused; one that was paused still is when it went away and came back."""
        paused = {(place.topic, place.partition) for place in self.paused}
        return [
            message
            for message in self._waiting
            if message.error() is not None or (message.topic(), message.partition()) not in paused
        ]

    def rebalance(self, *places: tuple[str, int]) -> None:
        """Partitions go and come, as in a poll of the real client."""
        if self._assigned:
            self._callbacks["on_revoke"](self, list(self._assigned))
        self._callbacks["on_assign"](self, [TopicPartition(topic, partition) for topic, partition in places])

    def committed(self, places: list[TopicPartition], timeout_s: float) -> list[TopicPartition]:
        self.journal.append("committed offsets asked")
        return [TopicPartition(place.topic, place.partition, self.committed_offset) for place in places]

    def assign(self, places: list[TopicPartition]) -> None:
        self.journal.append(f"assign {[place.offset for place in places]}")
        self._assigned = list(places)

    def unassign(self) -> None:
        self.journal.append("unassign")
        self._assigned = []

    def assignment(self) -> list[TopicPartition]:
        return self._assigned

    def pause(self, places: list[TopicPartition]) -> None:
        self.paused = [*self.paused, *places]

    def resume(self, places: list[TopicPartition]) -> None:
        self.paused = [place for place in self.paused if place not in places]

    def position(self, places: list[TopicPartition]) -> list[TopicPartition]:
        return [TopicPartition(place.topic, place.partition, self.committed_offset) for place in places]

    def get_watermark_offsets(self, place: TopicPartition, *_: float, **__: bool) -> tuple[int, int]:
        return (0, self.committed_offset)

    def commit(self, offsets: list[TopicPartition], asynchronous: bool) -> None:
        self.committed_by_hand.append([(place.topic, place.offset) for place in offsets])

    def consumer_group_metadata(self) -> str:
        return "group"

    def close(self) -> None:
        self.closed = True


class FakeProducer:
    """Remembers each transaction: offsets by topic and partition, and the keys written."""

    def __init__(self, journal: list[str], fails_at: str | None = None) -> None:
        self.journal = journal
        self._fails_at = fails_at
        self.transactions: list[tuple[dict[tuple[str, int], int], list[bytes]]] = []
        self._written: list[bytes] = []
        self._offsets: dict[tuple[str, int], int] = {}
        self._reports: list[Callable[[KafkaError | None, Any], None] | None] = []
        self.full_times = 0

    def begin_transaction(self) -> None:
        self._step("begin")
        self._written, self._offsets = [], {}

    def produce(
        self,
        topic: str,
        *,
        value: bytes | None,
        key: bytes,
        partition: int,
        headers: Any,
        on_delivery: Callable[[KafkaError | None, Any], None] | None,
    ) -> None:
        if self.full_times:
            self.full_times -= 1
            raise BufferError("queue full")
        self._step("produce")
        self._written.append(key)
        self._reports.append(on_delivery)

    def flush(self, timeout_s: float) -> int:
        """Everything is acknowledged, or nothing when it fails at that."""
        self.journal.append("flush")
        failure = (
            KafkaError(KafkaError._MSG_TIMED_OUT, "not delivered") if self._fails_at == "flush" else None
        )
        reports, self._reports = self._reports, []
        for report in reports:
            if report is not None:
                report(failure, None)
        return len(reports) if self._fails_at == "silence" else 0

    def poll(self, timeout_s: float) -> None:
        self.journal.append("producer polled")

    def send_offsets_to_transaction(self, places: list[TopicPartition], group: str, timeout_s: float) -> None:
        self._step("offsets")
        self._offsets = {(place.topic, place.partition): place.offset for place in places}

    def commit_transaction(self, timeout_s: float) -> None:
        self._step("commit")
        self.transactions.append((self._offsets, self._written))

    def _step(self, name: str) -> None:
        self.journal.append(name)
        if name == self._fails_at:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT, f"{name} timed out"))
