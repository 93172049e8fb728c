"""The scan position: one consumer that is the sink's place in its group and reads every feed to its end."""

import logging
import threading
import time
from collections.abc import Container, Sequence
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from consumers.sink.inbox import Assigned, Failed, Inbox, Lease, Reached, Revoked, Scanned
from runtime.errors import Fault
from runtime.kafka import ADMIN_TIMEOUT_S, poll_batch, take_up, watermarks

log = logging.getLogger(__name__)

RECORDS_MAX: Final = 1_000
POLL_S: Final = 0.25
PROVE_EVERY_S: Final = 2.0
REACHED_EVERY_S: Final = 1.0
# Longer than a drain takes; then the group goes on without us.
HAND_OVER_S_MAX: Final = 120.0


class Scanner:
    """Runs in a thread of its own and tells the inbox.

    The group's members share the one partition of the control topic: whoever has it is active and reads all
    feeds, the others stand by. The feeds are subscribed to as well, or the broker would let their committed
    positions expire.
    """

    def __init__(
        self, consumer: Consumer, control: str, feeds: dict[str, int], inbox: Inbox, lease: Lease
    ) -> None:
        """`feeds`: partition counts by topic."""
        self._consumer = consumer
        self._control = control
        self._feeds = feeds
        self._inbox = inbox
        self._lease = lease
        self._places: list[TopicPartition] = []
        self._epoch = 0
        self._stopping = threading.Event()
        self._full: frozenset[str] = frozenset()
        self._paused: frozenset[str] = frozenset()
        self._reached: dict[tuple[str, int], int] = {}
        self._reached_at = self._proven_at = 0.0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="scan", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leave reading; hand-overs are not waited for any more."""
        self._stopping.set()
        self._thread.join(2 * ADMIN_TIMEOUT_S)

    def hold(self, full: frozenset[str]) -> None:
        """Stop reading the feeds of which too much waits, staying a member."""
        self._full = full

    def _run(self) -> None:
        try:
            self._consumer.subscribe(
                [self._control, *self._feeds],
                on_assign=self._on_assign,
                on_revoke=self._on_revoke,
                on_lost=self._on_lost,
            )
            while not self._stopping.is_set():
                self._turn()
        except BaseException as error:
            self._inbox.put(Failed(error))
        finally:
            self._stopping.set()
            self._consumer.close()

    def _turn(self) -> None:
        epoch = self._epoch
        records = poll_batch(self._consumer, RECORDS_MAX, POLL_S)
        if self._failure is not None:
            raise self._failure
        if epoch != self._epoch:
            # Some of these may have been read before the rebalance.
            take_up(self._consumer, self._places)
            return
        if not self._places:
            return
        if records:
            self._inbox.put(Scanned(records))
        now = time.monotonic()
        if not records or now - self._reached_at > REACHED_EVERY_S:
            self._tell_reached(now)
        if now - self._proven_at > PROVE_EVERY_S:
            self._prove(now)
        if self._full != self._paused:
            self._pause(self._full)

    def _tell_reached(self, now: float) -> None:
        self._reached_at = now
        feeds = self._places_of(self._feeds)
        places = [place for place in self._consumer.position(feeds) if place.offset >= 0]
        moved = [p for p in places if self._reached.get((p.topic, p.partition)) != p.offset]
        if moved:
            self._reached |= {(place.topic, place.partition): place.offset for place in moved}
            self._inbox.put(Reached(moved))

    def _prove(self, now: float) -> None:
        """Ask the group whether we are still its active member; only an answer counts.

        A poll that returns proves nothing: the client also returns when no broker can be reached, and a
        process that was frozen polls happily before it is told that it was replaced.
        """
        self._proven_at = now
        try:
            self._consumer.commit(offsets=[TopicPartition(self._control, 0, 0)], asynchronous=False)
        except KafkaException as error:
            log.warning("group does not confirm this member", extra={"reason": error.args[0].str()})
            return
        self._lease.proven_at = now

    def _pause(self, full: frozenset[str]) -> None:
        self._consumer.resume(self._places_of(self._paused - full))
        self._consumer.pause(self._places_of(full - self._paused))
        self._paused = full

    def _places_of(self, topics: Container[str]) -> list[TopicPartition]:
        return [
            TopicPartition(place.topic, place.partition) for place in self._places if place.topic in topics
        ]

    # Rebalances; these run inside the client, which would swallow what they raise.

    def _on_assign(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._epoch += 1
        try:
            if not any(place.topic == self._control for place in partitions):
                log.info("standing by")
                self._places = []
                consumer.assign([])
                return
            now = time.monotonic()
            places = [
                TopicPartition(topic, partition)
                for topic, count in self._feeds.items()
                for partition in range(count)
            ]
            # Asking waits for the predecessor's open transaction; only then may its statuses be read.
            places = consumer.committed(places, ADMIN_TIMEOUT_S)
            places = [_in_the_log(consumer, place) for place in places]
            self._hand(Assigned(places, consumer.consumer_group_metadata(), done := threading.Event()), done)
            self._lease.proven_at = self._proven_at = now
            self._places = [
                *(TopicPartition(place.topic, place.partition, place.offset) for place in places),
                TopicPartition(self._control, 0, OFFSET_BEGINNING),
            ]
            self._paused = frozenset()
            self._reached = {}
            take_up(consumer, self._places)
        except BaseException as error:
            self._failure = error
            consumer.assign([])

    def _on_revoke(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._epoch += 1
        if self._places and not self._stopping.is_set():
            self._hand(Revoked(done := threading.Event()), done)
        self._lease.proven_at = float("-inf")
        self._places = []
        consumer.unassign()

    def _on_lost(self, consumer: Consumer, partitions: Sequence[TopicPartition]) -> None:
        self._lease.proven_at = float("-inf")
        if self._places:
            self._failure = Fault("the group went on without this process; starting over")
        self._places = []
        consumer.unassign()

    def _hand(self, event: Assigned | Revoked, done: threading.Event) -> None:
        self._inbox.put(event)
        deadline = time.monotonic() + HAND_OVER_S_MAX
        while not done.wait(0.1):
            if self._stopping.is_set() or time.monotonic() > deadline:
                return


def _in_the_log(consumer: Consumer, place: TopicPartition) -> TopicPartition:
    """A place as it was committed, or the log's beginning where there is none or the log is another one.

    A place that was lost has no mark: then what the target holds is compared with the feed.
    """
    low, high = watermarks(consumer, place.topic, place.partition)
    if low <= place.offset <= high:
        return place
    log.warning(
        "position lost",
        extra={
            "topic": place.topic,
            "partition": place.partition,
            "position": place.offset,
            "log_begins": low,
            "log_ends": high,
        },
    )
    return TopicPartition(place.topic, place.partition, low)
