"""Drives the scheduler: what happened goes in, what it decides goes to the threads that do it."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from queue import Empty
from typing import Any, Final

from confluent_kafka import TopicPartition

from consumers.sink.commands import apply
from consumers.sink.delivery import Commit, Delivery
from consumers.sink.exchange import Exchange
from consumers.sink.fetcher import Fetcher
from consumers.sink.inbox import (
    Answered,
    Assigned,
    Event,
    Failed,
    Fetched,
    Inbox,
    Lease,
    Reached,
    Revoked,
    Scanned,
    Written,
)
from consumers.sink.journal import CLEAN, OPEN, Journal
from consumers.sink.scanner import Scanner
from consumers.sink.settle import Answer
from runtime import metrics
from runtime.errors import Fault
from runtime.health import Health
from runtime.loop import Stopper

log = logging.getLogger(__name__)

# Statuses of this time go into one transaction; the first after a pause goes at once.
COMMIT_EVERY_S: Final = 0.2
TURN_S_MAX: Final = 0.25
LAG_EVERY_S: Final = 5.0
# The supervisor waits 20 s for a process to drain.
DRAIN_S: Final = 12.0
_EVENTS_MAX: Final = 100

Take = Callable[[list[TopicPartition]], Delivery]


class Engine:
    """One target's sink: active while the group says so, else standing by."""

    def __init__(
        self,
        target: str,
        take_over: Take,
        inbox: Inbox,
        scanner: Scanner,
        fetcher: Fetcher,
        journal: Journal,
        exchange: Exchange,
        lease: Lease,
        health: Health,
    ) -> None:
        """`take_over` loads everything known about the places that were assigned."""
        self._target = target
        self._take_over = take_over
        self._inbox = inbox
        self._scanner = scanner
        self._fetcher = fetcher
        self._journal = journal
        self._exchange = exchange
        self._lease = lease
        self._health = health
        self._delivery: Delivery | None = None
        self._group: Any = None
        self._positions: dict[tuple[str, int], int] = {}
        self._writing = False
        self._draining = False
        self._news = False
        self._write_at = 0.0
        self._lag_at = 0.0

    def run(self, stopper: Stopper) -> None:
        """Deliver until told to stop, then drain.

        Raises:
            Fault: a thread cannot go on, or this process was replaced.
            Doubt: a transaction may or may not have been committed.
        """
        self._health.ready()
        for part in (self._fetcher, self._journal, self._scanner):
            part.start()
        try:
            while not stopper.stopping:
                self._listen(self._wait_s())
                self._act()
            self._draining = True
            self._drain()
        finally:
            self._exchange.stop()
            self._scanner.stop()
            self._fetcher.stop()
            self._journal.stop()

    def _listen(self, timeout_s: float) -> None:
        """Take what happened: wait for one thing, then what else is there."""
        self._health.turned()
        try:
            self._hear(self._inbox.get(timeout=timeout_s) if timeout_s > 0 else self._inbox.get_nowait())
            for _ in range(_EVENTS_MAX):
                self._hear(self._inbox.get_nowait())
        except Empty:
            pass
        for number in self._exchange.overdue():
            self._answered(number, Answer(0, error=f"no answer from target {self._target} in time"))

    def _hear(self, event: Event) -> None:
        match event:
            case Failed(error):
                raise error
            case Assigned() if self._draining:
                # The scanner does not wait for an answer while it is being stopped.
                pass
            case Assigned():
                self._begin(event)
            case Revoked(done):
                self._drain()
                self._delivery = None
                # Whoever is active tells these from now on.
                metrics.LAG_RECORDS.clear()
                metrics.DEAD_LETTERS.clear()
                self._health.not_ready("another process is becoming the active one")
                done.set()
            case Answered(number, answer):
                self._exchange.answered(number)
                self._answered(number, answer)
            case _ if self._delivery is not None:
                self._news = True
                self._take_in(event, self._delivery)
            case _:
                pass

    def _take_in(self, event: Event, delivery: Delivery) -> None:
        match event:
            case Scanned(records):
                apply(delivery, self._target, records)
                delivery.scan(records)
                for topic, count in Counter(record.topic for record in records).items():
                    metrics.RECORDS.labels("sink", topic).inc(count)
            case Reached(places):
                for place in places:
                    delivery.reached(place.topic, place.partition, place.offset)
            case Fetched(fetch, records, next_offset, contents):
                delivery.fetched(fetch, records, next_offset, contents)
            case Written(commit):
                self._writing = False
                delivery.written(commit)
            case _:
                message = f"unexpected {type(event).__name__}"
                raise Fault(message)

    def _answered(self, number: int, answer: Answer) -> None:
        if self._delivery is not None:
            self._news = True
            self._delivery.answered(number, answer)

    def _begin(self, event: Assigned) -> None:
        """From here on this process is the active one.

        The mark goes first: if we die with requests under way, a successor has to know there may be some.
        """
        delivery = self._delivery = self._take_over(event.places)
        self._group = event.group
        self._writing = False
        self._positions = {(place.topic, place.partition): place.offset for place in event.places}
        # What was found at the start goes with the mark: a position that was lost is not found lost again.
        first = delivery.commit() or Commit([], {})
        self._journal.mark(self._positions, OPEN, self._group, first.records)
        delivery.written(first)
        self._health.ready()
        log.info("active", extra={"target": self._target, "partitions": len(event.places)})
        event.done.set()

    def _act(self) -> None:
        delivery = self._delivery
        if delivery is None:
            return
        if self._lease.holds(time.monotonic()):
            for request in delivery.requests():
                self._exchange.send(request)
        for fetch in delivery.fetches():
            self._fetcher.ask(fetch)
        now = time.monotonic()
        if (self._news or delivery.has_news) and not self._writing and now >= self._write_at:
            self._write(delivery, now)
        self._scanner.hold(delivery.full)
        self._tell(delivery, now)

    def _write(self, delivery: Delivery, now: float) -> None:
        self._news = False
        commit = delivery.commit()
        if commit is not None:
            self._writing = True
            self._write_at = now + COMMIT_EVERY_S
            self._positions |= commit.offsets
            self._journal.write(commit, self._group)

    def _tell(self, delivery: Delivery, now: float) -> None:
        if now < self._lag_at:
            return
        self._lag_at = now + LAG_EVERY_S
        for topic, records in delivery.lag().items():
            metrics.LAG_RECORDS.labels("sink", topic).set(records)
        complaints = delivery.complaints
        if complaints:
            self._health.not_ready("; ".join(complaints))
        else:
            self._health.ready()

    def _wait_s(self) -> float:
        now = time.monotonic()
        times = [now + TURN_S_MAX]
        if self._delivery is not None:
            wake_s = self._delivery.wake_s()
            if wake_s is not None and self._lease.holds(now):
                times.append(now + wake_s)
            if (self._news or self._delivery.has_news) and not self._writing:
                times.append(self._write_at)
        deadline = self._exchange.next_deadline()
        if deadline is not None:
            times.append(deadline)
        return max(0.0, min(times) - now)

    def _drain(self) -> None:
        """Wait for answers on their way, write what they say, and tell the successor that nothing is open."""
        delivery = self._delivery
        if delivery is None:
            return
        deadline = time.monotonic() + DRAIN_S
        self._write_rest(delivery)
        while (delivery.in_flight or self._writing) and time.monotonic() < deadline:
            self._listen(0.1)
            if self._delivery is not delivery:
                # Handed over meanwhile.
                return
            self._write_rest(delivery)
        if not (delivery.in_doubt or self._writing):
            self._journal.mark(self._positions, CLEAN, self._group)
        log.info("drained", extra={"target": self._target, "in_flight": delivery.in_flight})

    def _write_rest(self, delivery: Delivery) -> None:
        if self._news and not self._writing:
            self._write(delivery, time.monotonic())
