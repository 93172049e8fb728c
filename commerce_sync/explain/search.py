"""Records are looked for from a log's end backwards, in ever longer stretches, with bounded effort."""

from collections.abc import Callable, Collection, Iterator
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from runtime.kafka import ADMIN_TIMEOUT_S, read_to_end, watermarks
from runtime.record import Record

# So many offsets are looked at for one question.
OFFSETS_MAX: Final = 200_000
_FIRST_STRETCH: Final = 1_000
_GROWTH: Final = 4


class Search:
    """Asks one broker; `unfinished` names the partitions whose beginning was not reached."""

    def __init__(self, consumer: Consumer, offsets_max: int = OFFSETS_MAX) -> None:
        self._consumer = consumer
        self._offsets_max = offsets_max
        self.unfinished: dict[str, int] = {}

    def newest(
        self, topic: str, partition: int, keys: Collection[bytes], until: int | None = None
    ) -> dict[bytes, Record]:
        """The newest record of each of some keys, before the offset `until`."""
        found: dict[bytes, Record] = {}
        if not keys:
            return found
        for stretch in self._stretches(topic, partition, until):
            in_stretch = {record.key: record for record in stretch if record.key in keys}
            found = {**in_stretch, **found}
            if len(found) == len(keys):
                break
        return found

    def last(
        self, topic: str, partition: int, fits: Callable[[Record], bool], until: int | None = None
    ) -> Record | None:
        """The newest record that fits, before the offset `until`."""
        for stretch in self._stretches(topic, partition, until):
            found = None
            for record in stretch:
                found = record if fits(record) else found
            if found is not None:
                return found
        return None

    def all(self, topic: str, partition: int, fits: Callable[[Record], bool]) -> dict[bytes, Record]:
        """The newest record of every key that fits."""
        found: dict[bytes, Record] = {}
        for stretch in self._stretches(topic, partition, None):
            found = {**{record.key: record for record in stretch if fits(record)}, **found}
        return found

    def first(self, topic: str, partition: int, begin: int, fits: Callable[[Record], bool]) -> Record | None:
        """The oldest record that fits, at or behind an offset."""
        until = begin + self._offsets_max
        return next((r for r in self._between(topic, partition, begin, until) if fits(r)), None)

    def behind(self, topic: str, partition: int, begin: int) -> Iterator[Record]:
        """Records from an offset on; where there are too many, the rest goes unsaid."""
        yield from self._between(topic, partition, begin, begin + self._offsets_max)

    def offset_at(self, topic: str, partition: int, time_ms: int) -> int:
        """The first offset written at or after a time; the log's end when there is none."""
        (place,) = self._consumer.offsets_for_times(
            [TopicPartition(topic, partition, time_ms)], ADMIN_TIMEOUT_S
        )
        low, end = watermarks(self._consumer, topic, partition)
        return max(low, place.offset) if place.offset >= 0 else end

    def _stretches(self, topic: str, partition: int, until: int | None) -> Iterator[Iterator[Record]]:
        low, end = watermarks(self._consumer, topic, partition)
        end = end if until is None else min(end, until)
        length, left = _FIRST_STRETCH, self._offsets_max
        while end > low and left > 0:
            begin = max(low, end - min(length, left))
            yield self._between(topic, partition, begin, end)
            left -= end - begin
            end, length = begin, length * _GROWTH
        if end > low:
            self.unfinished[topic] = end

    def _between(self, topic: str, partition: int, begin: int, until: int) -> Iterator[Record]:
        for record in read_to_end(self._consumer, topic, [partition], {partition: begin}):
            if record.offset >= until:
                return
            yield record
