"""The one consume loop: batches in, one transaction out; assignment, waiting and draining in one place."""

import logging
import signal
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Final, Protocol

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from runtime import metrics
from runtime.deadline import Deadline, start_over
from runtime.deferred import Deferred
from runtime.errors import Fault, Transient, Waiting
from runtime.health import Health
from runtime.kafka import ADMIN_TIMEOUT_S, TRANSACTION_TIMEOUT_S, passing, poll_batch, take_up
from runtime.record import Outgoing, Record
from runtime.write import Write, Writing, in_transaction

log = logging.getLogger(__name__)

# How often positions that no transaction commits are committed while there is work.
COMMIT_EVERY_S: Final = 1.0
# The broker has aborted a transaction that is older; nothing else may take longer either.
WRITE_S_MAX: Final = TRANSACTION_TIMEOUT_S + 5
LAG_EVERY_S: Final = 5.0
BACKOFF_S: Final = (0.1, 0.2, 0.5, 1, 2, 5)


class Stage(Protocol):
    """What a role does between reading and writing. It owns no offsets and no transaction."""

    name: str

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """Load what is needed for exactly these partitions. `offset` is where reading will start; a stage
        that keeps its positions elsewhere sets it.

        Called before the first record, after the predecessor's open transaction has ended.
        """

    def process(self, records: Sequence[Record]) -> Sequence[Outgoing]:
        """Judge one batch and say what to write. Must not change state that a failed commit would belie.

        Raises:
            Transient: nothing was done; the same batch is handed in again later.
        """

    def committed(self) -> None:
        """What the last `process` gave is durable, or else the process ends: state may follow."""


class Stopper:
    """Set by SIGTERM or SIGINT; a loop asks it between batches, waits end early."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def install(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        log.info("stop asked for", extra={"signal": signal.Signals(number).name})
        self._event.set()

    def stop(self) -> None:
        self._event.set()

    @property
    def stopping(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        return self._event.wait(seconds)


def run(
    stage: Stage,
    consumer: Consumer,
    producer: Producer,
    topics: Sequence[str],
    *,
    batch_records_max: int,
    health: Health,
    stopper: Stopper,
    deferred: Collection[str] = (),
    ripens_s: Callable[[Record], float] = lambda _: 0.0,
    gather_s: float = 0.0,
    overdue: Callable[[], bool] = lambda: False,
    write: Write = in_transaction,
    pipelined: bool = False,
) -> None:
    """Consume until told to stop: process, write and commit each batch, by default in one transaction.

    Args:
        deferred: topics whose records wait while any other topic has some.
        ripens_s: how long a record of these is kept back, so that others of its key come meanwhile. One
            that comes behind it keeps it back longer, up to 30 s, or with 0 lets it go.
        gather_s: how long a batch is gathered; more is kinder to the machine where nobody waits.
        overdue: asked when no record came; True hands an empty batch in.
        write: how records and offsets become durable.
        pipelined: a batch is processed while the one before it is still being written. The stage's state runs
            ahead by one batch then, which is safe because a write that fails ends the process, and with it
            that state.

    Any doubt about a transaction (timed out, fenced, retried) ends the process: the next one begins with a
    new producer and freshly loaded state, which is the only safe answer.

    Raises:
        Doubt: a transaction may or may not have been committed.
        Fault: the loop cannot go on without a restart.
    """
    writing = Writing(pipelined=pipelined)
    assignment = _Assignment(stage, health, writing)
    consumer.subscribe(
        list(topics),
        on_assign=assignment.on_assign,
        on_revoke=assignment.on_revoke,
        on_lost=assignment.on_lost,
    )
    waiting = Deferred(consumer, deferred, ripens_s, batch_records_max)
    lag = _Lag(stage, consumer, waiting.positions)
    passed = _Positions(consumer, waiting.positions, writing)
    # The client's own time limits do not hold when a broker dies in the middle (seen: ten minutes).
    deadline = Deadline(WRITE_S_MAX, start_over)
    settler = _Settler(
        stage,
        consumer,
        producer,
        assignment,
        health,
        stopper,
        waiting.positions,
        write,
        writing,
        deadline,
    )
    # Positions stand behind nothing but what is settled.
    settled = False
    try:
        while not stopper.stopping:
            health.turned()
            generation = assignment.generation
            records = poll_batch(consumer, batch_records_max, waiting.wait_s, gather_s)
            assignment.raise_failure()
            if assignment.generation != generation:
                # Some of these may have been read before the rebalance, for partitions lost in it.
                waiting.forget()
                assignment.rewind(consumer)
                settled = False
            elif batch := waiting.admit(records):
                # Only behind a batch that is settled: positions stand past one that was put off, too.
                settled = settler.settle(batch)
                if settled:
                    waiting.settled(batch)
                    passed.commit_now_and_then()
                else:
                    waiting.forget()
            elif waiting.looking:
                waiting.release()
            elif assignment.held and overdue():
                settled = settler.settle(())
                if not settled:
                    waiting.forget()
            else:
                passed.commit()
            lag.observe()
        writing.wait()
        if settled:
            passed.commit()
    except Exception:
        # A batch in doubt counts more than whatever else ended the loop.
        writing.wait()
        raise
    finally:
        writing.close()
        deadline.close()
        consumer.close()


class _Positions:
    """Commits positions that no transaction has committed: of stages that need none, and past markers.

    The transaction markers at the end of a log are never handed out; without this a group that has nothing
    left to do shows a lag of one record for ever. A marker may arrive long after its records, so positions
    are compared each time and not remembered as done.
    """

    def __init__(
        self, consumer: Consumer, positions: Callable[[], list[TopicPartition]], writing: Writing
    ) -> None:
        self._consumer = consumer
        self._positions = positions
        self._writing = writing
        self._committed: dict[tuple[str, int], int] = {}
        self._committed_at = time.monotonic()

    def commit_now_and_then(self) -> None:
        """While there is work: a busy loop never finds the silence in which it would be done otherwise."""
        if time.monotonic() - self._committed_at > COMMIT_EVERY_S:
            self.commit()

    def commit(self) -> None:
        """Commit where we stand, if that is not where we stood; behind a batch that is being written."""
        self._writing.wait()
        self._committed_at = time.monotonic()
        places = [place for place in self._positions() if place.offset >= 0]
        moved = [p for p in places if self._committed.get((p.topic, p.partition)) != p.offset]
        if not moved:
            return
        try:
            self._consumer.commit(offsets=moved, asynchronous=False)
        except KafkaException as error:
            # A rebalance is under way; whoever owns the partition next will do it.
            log.info("positions not committed", extra={"reason": error.args[0].str()})
            return
        self._committed |= {(place.topic, place.partition): place.offset for place in moved}


class _Lag:
    """Tells every few seconds how many records each topic still holds for this process."""

    def __init__(
        self, stage: Stage, consumer: Consumer, positions: Callable[[], list[TopicPartition]]
    ) -> None:
        self._stage = stage
        self._consumer = consumer
        self._positions = positions
        self._due = 0.0
        self._told: set[str] = set()

    def observe(self) -> None:
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + LAG_EVERY_S
        lags: dict[str, int] = {}
        for place in self._positions():
            if place.offset >= 0:
                _, end = self._consumer.get_watermark_offsets(place, cached=True)
                lags[place.topic] = lags.get(place.topic, 0) + max(0, end - place.offset)
        for topic, records in lags.items():
            metrics.LAG_RECORDS.labels(self._stage.name, topic).set(records)
        for topic in self._told - lags.keys():
            # Others hold it now, and tell.
            metrics.LAG_RECORDS.remove(self._stage.name, topic)
        self._told = {*lags}


@dataclass(frozen=True, slots=True)
class _Settler:
    """Processes a batch until it succeeds, and has it written."""

    stage: Stage
    consumer: Consumer
    producer: Producer
    assignment: "_Assignment"
    health: Health
    stopper: Stopper
    positions: Callable[[], list[TopicPartition]]
    write: Write
    writing: Writing
    deadline: Deadline

    def settle(self, records: Sequence[Record]) -> bool:
        """False: the partitions were taken away meanwhile, or the role stops."""
        attempts = 0
        while True:
            started = time.monotonic()
            try:
                outgoing = self.stage.process(records)
                break
            except Transient as error:
                wait_s = error.retry_after_s or BACKOFF_S[min(attempts, len(BACKOFF_S) - 1)]
                attempts += 1
                if not isinstance(error, Waiting):
                    waiting = {"reason": str(error), "attempt": attempts, "wait_s": wait_s}
                    log.warning("batch put off", extra=waiting)
                    self.health.not_ready(str(error))
                if not _wait(self.consumer, wait_s, self.assignment, self.health, self.stopper):
                    return False
        self._write(records, outgoing, started)
        self.stage.committed()
        if attempts:
            self.health.ready()
        for record in records:
            metrics.RECORDS.labels(self.stage.name, record.topic).inc()
        return True

    def _write(self, records: Sequence[Record], outgoing: Sequence[Outgoing], started: float) -> None:
        offsets = _next_offsets(records) or self.assignment.next_offsets(self.positions())
        commit = self.write(self.consumer, self.producer, outgoing, offsets)

        def commit_in_time() -> None:
            with self.deadline:
                commit()
            metrics.BATCH_SECONDS.labels(self.stage.name).observe(time.monotonic() - started)

        self.writing.start(commit_in_time)


def _wait(
    consumer: Consumer, wait_s: float, assignment: "_Assignment", health: Health, stopper: Stopper
) -> bool:
    """Stay a member of the group while waiting. False: the batch is no longer ours to settle."""
    generation = assignment.generation
    paused = consumer.assignment()
    consumer.pause(paused)
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline and not stopper.stopping:
        health.turned()
        # A paused partition hands out nothing; this only serves the group, and hears of being fenced.
        message = consumer.poll(min(0.1, wait_s))
        if message is not None:
            passing(message)
        assignment.raise_failure()
        if assignment.generation != generation:
            # What this poll handed out may belong to the new assignment already.
            assignment.rewind(consumer)
            return False
    if stopper.stopping:
        return False
    consumer.resume(paused)
    return True


def _next_offsets(records: Sequence[Record]) -> list[TopicPartition]:
    offsets = {(record.topic, record.partition): record.offset + 1 for record in records}
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]


class _Assignment:
    """Loads a stage's state when partitions arrive, in the order that loses nothing."""

    def __init__(self, stage: Stage, health: Health, writing: Writing) -> None:
        self._stage = stage
        self._health = health
        self._writing = writing
        self._failure: BaseException | None = None
        self._places: list[TopicPartition] = []
        self.generation = 0

    def raise_failure(self) -> None:
        """Callbacks run inside the client, which would swallow what they raise."""
        if self._failure is not None:
            raise self._failure

    def rewind(self, consumer: Consumer) -> None:
        """Read again from where this assignment began; nothing was settled since."""
        if self._places:
            take_up(consumer, self._places)

    @property
    def held(self) -> bool:
        return bool(self._places)

    def next_offsets(self, positions: Sequence[TopicPartition]) -> list[TopicPartition]:
        """Where reading stands in every partition held; where it began, before the first record."""
        began = {(place.topic, place.partition): place.offset for place in self._places}
        return [
            place
            if place.offset >= 0
            else TopicPartition(place.topic, place.partition, began[place.topic, place.partition])
            for place in positions
        ]

    def on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        try:
            # First the offsets: asking waits for the predecessor's open transaction. Only then the state,
            # up to its end, and only then records: state loaded earlier would miss that transaction.
            places = consumer.committed(partitions, ADMIN_TIMEOUT_S)
            without = [place for place in places if place.offset < 0]
            if without:
                message = (
                    f"{without[0].topic} [{without[0].partition}] has no committed position; "
                    "start the roles with 'commerce-sync run', which sets it for a new group"
                )
                raise Fault(message)
            self._stage.assign(places)
            take_up(consumer, places)
            self._places = places
            self._health.ready()
            log.info("partitions assigned", extra={"partitions": _shown(places)})
        except BaseException as error:
            # One that came in the same poll, behind partitions that went, says more.
            self._failure = self._failure or error
            consumer.assign([])

    def on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.generation += 1
        try:
            # Whoever gets them goes on behind it.
            self._writing.wait()
        except BaseException as error:
            self._failure = error
        self._places = []
        self._health.not_ready("partitions are being reassigned")
        log.info("partitions revoked", extra={"partitions": _shown(partitions)})
        consumer.unassign()

    def on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        log.warning("partitions lost", extra={"partitions": _shown(partitions)})
        self.on_revoke(consumer, partitions)


def _shown(places: Sequence[TopicPartition]) -> list[str]:
    return sorted(f"{place.topic}[{place.partition}]" for place in places)
