"""Topics whose records wait: for those of other topics, and until they are ripe."""

import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from runtime.record import Record

POLL_S: Final = 0.25
# How long other topics are listened to before the deferred ones go on.
LOOK_S: Final = 0.005
# Records of deferred topics that are not ripe are kept back no longer than this, and no more than so many.
KEPT_S_MAX: Final = 30.0
KEPT_MAX: Final = 5_000


@dataclass(slots=True)
class _Kept:
    """Records of one partition that are kept back, in order; moments are monotonic seconds."""

    records: deque[Record]
    ripe_at: float
    latest_at: float


class Deferred:
    """Lets records of the deferred topics pass only when they are ripe and no other topic has any.

    The client hands records out in the order they were fetched, so a thousand waiting bulk records would
    stand before a live one. After each batch with deferred records those topics are paused, which throws
    away what was fetched of them, and go on only when nothing else came.

    What is not ripe is kept here, uncommitted, as long as more of its partition comes that is not: at most
    30 s, and at most 5,000 records of all partitions. A ripe one lets all before it go.
    """

    def __init__(
        self,
        consumer: Consumer,
        deferred: Collection[str],
        ripens_s: Callable[[Record], float],
        records_max: int,
    ) -> None:
        self._consumer = consumer
        self._deferred = frozenset(deferred)
        self._ripens_s = ripens_s
        self._records_max = records_max
        # The deferred topics are paused to see whether any other has a record.
        self.looking = False
        self._kept: dict[tuple[str, int], _Kept] = {}
        self._count = 0

    @property
    def wait_s(self) -> float:
        if self.looking:
            return LOOK_S
        return min([POLL_S, *(max(0.0, kept.ripe_at - time.monotonic()) for kept in self._kept.values())])

    def admit(self, records: Sequence[Record]) -> list[Record]:
        """What is handed in now: what was polled but for the unripe; without any, what has become ripe."""
        now = time.monotonic()
        batch = [record for record in records if not self._keeps(record, now)]
        if self._count >= KEPT_MAX:
            for kept in self._kept.values():
                kept.ripe_at = min(kept.ripe_at, now)
            self._look()
        return batch or self._ripe(now)

    def _keeps(self, record: Record, now: float) -> bool:
        if record.topic not in self._deferred:
            return False
        place, wait_s = (record.topic, record.partition), self._ripens_s(record)
        kept = self._kept.get(place)
        if kept is None:
            if wait_s <= 0:
                return False
            kept = self._kept[place] = _Kept(deque(), now, now + KEPT_S_MAX)
        elif kept.ripe_at <= now or wait_s <= 0:
            kept.latest_at = now
        kept.records.append(record)
        kept.ripe_at = min(max(kept.ripe_at, now + wait_s), kept.latest_at)
        self._count += 1
        return True

    def _ripe(self, now: float) -> list[Record]:
        batch: list[Record] = []
        for place, kept in sorted(self._kept.items(), key=lambda item: item[1].ripe_at):
            if kept.ripe_at > now:
                break
            while kept.records and len(batch) < self._records_max:
                batch.append(kept.records.popleft())
            if not kept.records:
                del self._kept[place]
        self._count -= len(batch)
        return batch

    def positions(self) -> list[TopicPartition]:
        """Where reading stands in every partition held: what is kept back is not passed."""
        return [
            TopicPartition(place.topic, place.partition, kept.records[0].offset)
            if (kept := self._kept.get((place.topic, place.partition)))
            else place
            for place in self._consumer.position(self._consumer.assignment())
        ]

    def settled(self, records: Sequence[Record]) -> None:
        if any(record.topic in self._deferred for record in records):
            self._look()

    def _look(self) -> None:
        # Also when it did already: a batch that had to wait has resumed everything.
        self.looking = True
        self._consumer.pause(self._places())

    def release(self) -> None:
        self.looking = False
        self._consumer.resume(self._places())

    def _places(self) -> list[TopicPartition]:
        return [place for place in self._consumer.assignment() if place.topic in self._deferred]

    def forget(self) -> None:
        """The assignment changed: nothing is paused, and what was kept back is read again by its holder."""
        self.looking = False
        self._kept, self._count = {}, 0
