"""Did capture begin anew, and has anything compared the catalog with the database since?

A connector that finds no offsets of its own begins at the log's present end and looks fine. But it reads the
tables' definitions first, and these records on the schema-change topic say "snapshot". A resync that began
behind the newest of them has seen everything that the connector has not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException

from producers.resync.runs import newest_runs
from runtime.errors import Unreachable
from runtime.kafka import read_to_end, reader
from runtime.record import Record
from runtime.settings import Settings
from schemas.records import ResyncProgress, SchemaChange
from schemas.topics import TopicNames

_DECODER: Final = msgspec.json.Decoder(SchemaChange)


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where a connector began without offsets: its last such record, and when it wrote the first."""

    offset: int
    began_ms: int
    place: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Changes that nobody has seen. `since_ms`: the last sign of life before, where it is still known."""

    began_ms: int
    since_ms: int | None
    place: str

    def __str__(self) -> str:
        since = "some time before" if self.since_ms is None else utc(self.since_ms)
        return (
            f"capture began anew at {utc(self.began_ms)} ({self.place}): changes between {since} and then "
            "were not seen, and nothing has compared the catalog since: run 'commerce-sync re-seed'"
        )


def utc(time_ms: int) -> str:
    """A time as people read it."""
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def find_gap(settings: Settings) -> Gap | None:
    """What capture has missed and no resync has made good.

    Raises:
        Unreachable: the broker does not answer.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    consumer = reader(settings.kafka, names.group("gap"))
    try:
        return Watcher(consumer, names).look()
    finally:
        consumer.close()


class Watcher:
    """Looks for a gap now and then; what it has read of the schema changes it does not read again."""

    def __init__(self, consumer: Consumer, names: TopicNames) -> None:
        self._consumer = consumer
        self._names = names
        self._beginning: Beginning | None = None
        self._since_ms: int | None = None
        self._next_offset = 0

    def look(self) -> Gap | None:
        """The gap there is now.

        Raises:
            Unreachable: the broker does not answer.
        """
        topic = self._names.change_prefix
        if not {topic, self._names.control} <= self._topics():
            return None
        records = list(read_to_end(self._consumer, topic, [0], {0: self._next_offset or OFFSET_BEGINNING}))
        known, self._beginning = self._beginning, newest_beginning(records, self._beginning)
        if self._beginning != known and self._beginning is not None:
            self._since_ms = self._last_beat_ms(self._beginning)
        self._next_offset = records[-1].offset + 1 if records else self._next_offset
        if self._beginning is None:
            return None
        runs = newest_runs(read_to_end(self._consumer, self._names.control, [0]))
        if not is_unseen(self._beginning, runs):
            return None
        return Gap(self._beginning.began_ms, self._since_ms, self._beginning.place)

    def _topics(self) -> set[str]:
        try:
            return set(self._consumer.list_topics(timeout=10).topics)
        except KafkaException as error:
            message = f"kafka.bootstrap_servers: no broker tells its topics ({error.args[0].str()})"
            raise Unreachable(message) from error

    def _last_beat_ms(self, beginning: Beginning) -> int | None:
        beats = (record.timestamp_ms for record in read_to_end(self._consumer, self._names.heartbeat, [0]))
        return max((beat for beat in beats if beat < beginning.began_ms), default=None)


def newest_beginning(records: Iterable[Record], known: Beginning | None = None) -> Beginning | None:
    """The newest beginning that schema changes tell of; they are read on from `known`."""
    open_since: int | None = None
    for record in records:
        try:
            source = _DECODER.decode(record.value or b"").source
        except msgspec.MsgspecError:
            continue
        if str(source.snapshot).lower() not in {"true", "first", "last"}:
            open_since = None
            continue
        open_since = record.timestamp_ms if open_since is None else open_since
        known = Beginning(record.offset, open_since, f"{source.file}:{source.pos}")
        if source.snapshot == "last":
            open_since = None
    return known


def is_unseen(beginning: Beginning, runs: Mapping[bytes, ResyncProgress]) -> bool:
    """True when entities that were synced once have not been compared since capture began.

    Without any resync there was no sync yet, and so nothing that could be missed.
    """
    return any(
        run.compared_to <= beginning.offset
        and not (run.state == "running" and run.log_end > beginning.offset)
        for run in runs.values()
    )
