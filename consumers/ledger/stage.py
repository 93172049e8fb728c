"""Feed and status records into SQL, positions with them: a kill loses and doubles nothing."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from confluent_kafka import TopicPartition
from sqlalchemy import Connection

from consumers.ledger import write
from consumers.ledger.database import LedgerDatabase
from consumers.ledger.fold import Map, Source, fold
from consumers.ledger.write import Place
from runtime import metrics
from runtime.errors import Unreachable
from runtime.record import Outgoing, Record

log = logging.getLogger(__name__)

UPKEEP_EVERY_MS: Final = 5_000
PURGE_EVERY_MS: Final = 3_600_000
# Half of what tombstones are kept: who was away longer may have missed one.
AWAY_MS_MAX: Final = 84 * 3_600_000

# First and next offset of a partition's log.
Limits = Callable[[str, int], tuple[int, int]]
# The next offset that a target's sink has to settle, by feed and partition.
Settled = Callable[[str], dict[Place, int]]


class LedgerStage:
    """Implements runtime.loop.Stage; its positions are the ledger's own, whatever the group's say."""

    name = "ledger"

    def __init__(
        self,
        database: LedgerDatabase,
        sources: Mapping[str, Source],
        limits: Limits,
        settled: Settled,
        now_ms: Callable[[], int],
        payload: Map | None = None,
    ) -> None:
        """`sources` says by topic what it tells; `payload` is what items keep of themselves."""
        self._database = database
        self._sources = sources
        self._limits = limits
        self._settled = settled
        self._now_ms = now_ms
        self._payload = payload
        self._positions: dict[Place, int] = {}
        # What the sinks had committed at the last look: by now their statuses are read.
        self._seen: dict[str, dict[Place, int]] = {}
        self._upkeep_ms = 0
        self._purge_ms = 0

    @property
    def overdue(self) -> bool:
        return self._now_ms() >= self._upkeep_ms

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """Take up where the ledger stands; partitions that it cannot go on with are read from the beginning.

        That is so when the ledger is new or emptied, was away for longer than tombstones are kept, has a
        target that is new, or the topics are not the ones that it read.
        """
        limits = {(p.topic, p.partition): self._limits(p.topic, p.partition) for p in places}
        self._seen = {}
        lost, others = self._database.run(lambda connection: self._look(connection, limits))
        for target, feed in others:
            self._clear(target, feed, None)
        for target, feed in self._pairs:
            partitions = [number for lost_feed, number in lost if lost_feed == feed]
            if partitions:
                self._clear(target, feed, partitions)
        self._positions = self._database.run(lambda connection: self._take_up(connection, limits, lost))
        for place in places:
            place.offset = self._positions[place.topic, place.partition]

    def process(self, records: Sequence[Record]) -> Sequence[Outgoing]:
        """Write a batch and what moved, in one transaction of the ledger's."""
        # A batch whose upkeep failed is handed in again: what was written counts once.
        records = [r for r in records if r.offset >= self._positions[r.topic, r.partition]]
        batch = fold(records, self._sources, self._payload)
        moved = {
            place: (self._positions[place], after)
            for place, after in {(r.topic, r.partition): r.offset + 1 for r in records}.items()
        }
        self._database.run(lambda connection: write.apply(connection, batch, moved))
        self._positions |= {place: after for place, (_, after) in moved.items()}
        if self.overdue:
            self._keep_up()
        if records:
            oldest_ms = min(record.timestamp_ms for record in records)
            metrics.LAG_SECONDS.labels(self.name).set(max(0, self._now_ms() - oldest_ms) / 1000)
        return ()

    def committed(self) -> None:
        """Nothing is kept beside the database."""

    @property
    def _pairs(self) -> set[tuple[str, str]]:
        return {(target, source.feed) for source in self._sources.values() for target in source.targets}

    def _look(
        self, connection: Connection, limits: Mapping[Place, tuple[int, int]]
    ) -> tuple[set[Place], list[tuple[str, str]]]:
        """Partitions that are read from the beginning, and (target, feed) of what is there and not ours.

        The positions of the former go first: a process that dies while rows are cleared is followed by one
        that clears the rest.
        """
        write.prepare(connection)
        known = write.positions(connection)
        away = self._now_ms() - write.alive_ms(connection) > AWAY_MS_MAX
        lost = {
            (self._sources[place[0]].feed, place[1])
            for place, (first, following) in limits.items()
            if away or not first <= known.get(place, -1) <= following
        }
        write.drop(connection, self._of(limits, lost))
        return lost, write.others(connection, self._sources, self._pairs)

    def _clear(self, target: str, feed: str, partitions: Sequence[int] | None) -> None:
        behind: str | None = ""
        while behind is not None:
            behind = self._database.run(
                partial(write.clear, target=target, feed=feed, partitions=partitions, after=behind)
            )

    def _of(self, limits: Mapping[Place, tuple[int, int]], lost: set[Place]) -> list[Place]:
        return [place for place in limits if (self._sources[place[0]].feed, place[1]) in lost]

    def _take_up(
        self, connection: Connection, limits: Mapping[Place, tuple[int, int]], lost: set[Place]
    ) -> dict[Place, int]:
        write.forget_others(connection, self._sources, self._pairs)
        known = write.positions(connection)
        anew = {place: limits[place][0] for place in self._of(limits, lost)}
        write.begin(connection, anew)
        write.note_alive(connection, self._now_ms())
        if anew:
            log.info("read from the beginning", extra={"partitions": len(anew)})
        return {place: anew.get(place, known.get(place, -1)) for place in limits}

    def _keep_up(self) -> None:
        """What no record tells: what sinks passed in silence, and what has become too old."""
        now_ms = self._now_ms()
        self._upkeep_ms = now_ms + UPKEEP_EVERY_MS
        seen = self._seen
        self._seen = dict(self._ask_sinks())
        purges = now_ms >= self._purge_ms

        def work(connection: Connection) -> bool:
            for target, until in seen.items():
                write.settle(connection, target, until)
            more = purges and write.purge(connection, now_ms)
            write.note_alive(connection, now_ms)
            return more

        if not self._database.run(work) and purges:
            self._purge_ms = now_ms + PURGE_EVERY_MS

    def _ask_sinks(self) -> Iterator[tuple[str, dict[Place, int]]]:
        ours = {(self._sources[topic].feed, number) for topic, number in self._positions}
        targets = {target for source in self._sources.values() for target in source.targets}
        for target in sorted(targets):
            try:
                committed = self._settled(target)
            except Unreachable as error:
                log.warning("positions of the sink not told", extra={"target": target, "reason": str(error)})
                continue
            yield target, {place: offset for place, offset in committed.items() if place in ours}
