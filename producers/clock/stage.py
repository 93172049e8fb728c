"""The index says when entities change by themselves; when the database's clock is there, they are made dirty.

Nothing is remembered but the index: an entity that was called is built with a later moment, or none. After a
restart what is still due is called once more, which changes nothing.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec
from confluent_kafka import TopicPartition

from producers.clock.schedule import KEPT_MAX, Name, Schedule
from runtime.database import NOW_S, Database
from runtime.record import Outgoing, Record
from schemas.entities import FEEDS_OF
from schemas.records import Dirty, Lane
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

# More than this at once is bulk work: a sale that begins at midnight must not stand before live edits.
LIVE_ENTITIES_MAX: Final = 500
CALLED_AT_ONCE_MAX: Final = 5_000
# The database tells whole seconds, so a moment may have come up to a second before ours says so.
EARLY_S: Final = 1.0
# Its clock may be set; until the next moment nobody would ask.
ASK_S: Final = 60.0


class _Entry(msgspec.Struct):
    """An index entry as far as time matters."""

    due_s: int | None = None


_DECODER: Final = msgspec.json.Decoder(_Entry)


class ClockStage:
    """Implements runtime.loop.Stage."""

    name = "clock"

    def __init__(
        self,
        database: Database,
        names: TopicNames,
        read_index: Callable[[str, int], Iterable[Record]],
        monotonic_s: Callable[[], float],
        kept_max: int = KEPT_MAX,
    ) -> None:
        """Make one.

        Args:
            read_index: every record of a partition of an index topic.
            monotonic_s: our own clock; it only says when to ask the database for its.
        """
        self._database = database
        self._names = names
        self._read_index = read_index
        self._monotonic_s = monotonic_s
        self._kept_max = kept_max
        self._entities = {names.index(entity): entity for entity in FEEDS_OF}
        self._places: list[tuple[str, int]] = []
        self._schedule = Schedule(kept_max)
        # The last record that was loaded of each partition.
        self._read: dict[tuple[str, int], int] = {}
        self._calling: dict[Name, int] = {}
        # The database's time and ours when it was asked.
        self._asked: tuple[int, float] | None = None

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self._places = [(place.topic, place.partition) for place in places]
        self._read = {}
        self._calling = {}
        self._load()

    def _load(self) -> None:
        self._schedule = Schedule(self._kept_max)
        for topic, partition in self._places:
            # One after the other: moments that a log still holds, but no entity waits for, would otherwise
            # push others out.
            newest: dict[bytes, int] = {}
            for record in self._read_index(topic, partition):
                self._read[topic, partition] = record.offset
                due_s = _due_s(record)
                if due_s is None:
                    newest.pop(record.key, None)
                else:
                    newest[record.key] = due_s
            for key, due_s in newest.items():
                self._schedule.note((self._entities[topic], partition, key), due_s)

    def _note(self, record: Record) -> None:
        # Consumption begins where the group stands; what was loaded is newer.
        if record.offset > self._read.get((record.topic, record.partition), -1):
            self._schedule.note((self._entities[record.topic], record.partition, record.key), _due_s(record))

    def overdue(self) -> bool:
        """True when the database has to be asked for its time, whether or not an entity was built."""
        next_s = self._schedule.next_s()
        if next_s is None:
            return False
        if self._asked is None:
            return True
        told_s, at_s = self._asked
        passed_s = self._monotonic_s() - at_s
        return passed_s >= ASK_S or told_s + passed_s + EARLY_S >= next_s

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        for record in records:
            self._note(record)
        if not self.overdue():
            return []
        now_s = self._now_s()
        if self._schedule.wants_more(now_s):
            self._load()
        self._calling = self._schedule.due(now_s, CALLED_AT_ONCE_MAX)
        if not self._calling:
            return []
        lane: Lane = "live" if len(self._calling) <= LIVE_ENTITIES_MAX else "bulk"
        log.info("entities are due", extra={"entities": len(self._calling), "lane": lane})
        return [self._dirty(name, due_s, lane) for name, due_s in self._calling.items()]

    def committed(self) -> None:
        self._schedule.called(self._calling)
        self._calling = {}

    def _now_s(self) -> int:
        ((now_s,),) = self._database.query(NOW_S)
        self._asked = int(now_s), self._monotonic_s()
        return int(now_s)

    def _dirty(self, name: Name, due_s: int, lane: Lane) -> Outgoing:
        entity, partition, key = name
        # What has begun by itself is as fresh as the moment it began.
        value = msgspec.json.encode(Dirty("due", commit_ms=due_s * 1000, due_s=due_s))
        return Outgoing(self._names.dirty(entity, lane), partition, key, value)


def _due_s(record: Record) -> int | None:
    """The entry's moment; the partition's floor, which has no key, has none."""
    return _DECODER.decode(record.value).due_s if record.value else None
