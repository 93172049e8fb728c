"""The identities of one feed that are not settled yet, in two lanes, and how far each partition is. Pure.

Two positions a partition: `scan_next` runs to the log's end and takes up live records and all tombstones;
`bulk_next` follows as bulk work is taken up. Below the commit position everything is settled or parked.
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumers.sink.batch import Content
from runtime.record import Record
from schemas.records import AFRESH_HEADER, FORGET_HEADER, Lane

# What may wait in memory. Live items beyond the bytes wait as pointers, beyond the count in the log; bulk
# items wait in the log beyond either.
LIVE_ITEMS_MAX: Final = 100_000
BULK_ITEMS_MAX: Final = 5_000
RECORD_BYTES_MAX: Final = 32 * 1024 * 1024
# Bulk work is taken up only so far past the commit position: what a predecessor may have sent is bounded.
BULK_OFFSETS_MAX: Final = 10_000
_FETCH_RECORDS_MAX: Final = 1_000
_FIRSTS_MIN: Final = 1_000
_NEVER_MS: Final = 1 << 62
LOG_END: Final = 1 << 62

Queue = tuple[Lane, bool]  # lane, is a delete


@dataclass(slots=True)
class Entry:
    """An identity and its newest feed record.

    Attributes:
        first_offset: its oldest unsettled record; None when all are settled and it goes once more.
        lane: the best of all its unsettled versions.
        commit_ms: the oldest source commit that was not sent.
        record: the newest version, while memory allows.
        content: that version as the service takes it, where it was mapped before it came.
        due: not before then (seconds of the caller's clock).
        attempts: how often it was in a request that failed while others of its feed succeeded.
        probes: how often it failed alone while nothing of its feed succeeded.
        failing_since: when a request with it failed first (seconds of the caller's clock).
        forced: goes although its content is known.
        forget: nothing goes, and what is known of it is dropped.
        again: goes to make sure, after an unknown outcome.
        overdue: the time has come to make sure; whatever goes next does.
        tombstone: its record says that it is gone; `deleted` is also what the target is not to hold.
        swept: where a reconcile found it; that one is not done before this is settled.
    """

    key: bytes
    partition: int
    offset: int
    first_offset: int | None
    lane: Lane
    commit_ms: int
    deleted: bool
    number: int
    record: Record | None = None
    content: Content | None = None
    due: float = 0.0
    attempts: int = 0
    probes: int = 0
    failing_since: float = math.inf
    forced: bool = False
    forget: bool = False
    again: bool = False
    overdue: bool = False
    tombstone: bool = False
    swept: int | None = None
    queue: Queue | None = None
    in_flight: bool = False
    fetching: bool = False


@dataclass(frozen=True, slots=True)
class Fetch:
    """Feed records wanted: those at `offsets`, or without them `records_max` of [begin, until).

    With `sweep` the log may end before: then `LOG_END` is the next offset.
    """

    feed: str
    topic: str
    partition: int
    begin: int
    until: int
    offsets: tuple[int, ...] = ()
    records_max: int = _FETCH_RECORDS_MAX
    sweep: bool = False


@dataclass(slots=True)
class _Partition:
    committed: int
    scan_next: int
    bulk_next: int
    # Oldest unsettled offsets, lazily cleaned: (offset, key).
    firsts: list[tuple[int, bytes]] = field(default_factory=list)
    fetching: bool = False

    @property
    def lags(self) -> bool:
        return self.bulk_next < self.scan_next


class Waiting:
    """Everything of one feed that has to be sent, by identity."""

    def __init__(self, feed: str, topic: str, numbers: Iterator[int]) -> None:
        """`numbers` count up over all feeds of a target: who has waited longest goes first."""
        self._numbers = numbers
        # False for the key of an item that the target is not to hold.
        self.tells: Callable[[bytes], bool] = lambda _: True
        self._feed = feed
        self._topic = topic
        self._partitions: dict[int, _Partition] = {}
        self._entries: dict[bytes, Entry] = {}
        self._queues: dict[Queue, deque[bytes]] = {
            (lane, deleted): deque() for lane in ("live", "bulk") for deleted in (False, True)
        }
        self._later: list[tuple[float, int, bytes]] = []
        self._wanted: dict[int, set[int]] = {}
        self._fetching: dict[tuple[int, int], bytes] = {}
        self._counts: dict[Lane, int] = {"live": 0, "bulk": 0}
        # Identities all of whose records are settled.
        self._revived = 0
        self._bytes: dict[Lane, int] = {"live": 0, "bulk": 0}

    def assign(self, partition: int, committed: int) -> None:
        self._partitions[partition] = _Partition(committed, committed, committed)

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: bytes) -> Entry | None:
        return self._entries.get(key)

    @property
    def is_full(self) -> bool:
        """The scan has to stop: even pointers are too many, not counting those that it did not bring."""
        return len(self._entries) - self._revived >= LIVE_ITEMS_MAX

    # What arrives.

    def starts(self, record: Record) -> bool:
        """The scan reads this record; False when it was read before."""
        place = self._partitions[record.partition]
        if record.offset < place.scan_next:
            return False
        if not place.lags:
            place.bulk_next = record.offset + 1
        place.scan_next = record.offset + 1
        return True

    def has_room(self, record: Record) -> bool:
        """True when a bulk record may be taken up; else the bulk position stops here."""
        place = self._partitions[record.partition]
        return not (
            self._counts["bulk"] >= BULK_ITEMS_MAX
            or self._bytes["bulk"] >= RECORD_BYTES_MAX
            or record.offset >= place.committed + BULK_OFFSETS_MAX
        )

    def stop_bulk_at(self, record: Record) -> None:
        place = self._partitions[record.partition]
        if place.bulk_next == record.offset + 1:
            place.bulk_next = record.offset

    def bulk_next(self, partition: int) -> int:
        """Where the bulk position stands: what is neither settled nor waiting has a higher offset."""
        return self._partitions[partition].bulk_next

    @property
    def takes_bulk(self) -> bool:
        """True when more bulk work is worth reading."""
        return self._counts["bulk"] <= BULK_ITEMS_MAX // 2 and self._bytes["bulk"] <= RECORD_BYTES_MAX // 2

    def bulk_lags(self, partition: int) -> bool:
        return self._partitions[partition].lags

    def add(self, record: Record, lane: Lane, commit_ms: int, content: Content | None = None) -> bool:
        """Take up a record as its identity's newest version; returns whether an older one gave way."""
        entry = self._entries.get(record.key)
        if entry is not None:
            return self._renew(entry, record, lane, commit_ms, content)
        entry = Entry(
            key=record.key,
            partition=record.partition,
            offset=record.offset,
            first_offset=record.offset,
            lane=lane,
            commit_ms=commit_ms,
            deleted=self._is_deleted(record),
            number=next(self._numbers),
            forced=AFRESH_HEADER in record.headers,
            forget=FORGET_HEADER in record.headers,
            tombstone=record.value is None,
        )
        self._entries[record.key] = entry
        self._counts[lane] += 1
        self._keep(entry, record, content)
        heapq.heappush(self._partitions[entry.partition].firsts, (record.offset, record.key))
        self.enqueue(entry)
        return False

    def revive(
        self, key: bytes, partition: int, offset: int, lane: Lane, commit_ms: int, *, deleted: bool
    ) -> Entry:
        """An identity whose records are all settled goes once more, unless something newer waits already."""
        entry = self._entries.get(key)
        if entry is None:
            entry = Entry(key, partition, offset, None, lane, commit_ms, deleted, next(self._numbers))
            entry.tombstone = deleted
            entry.deleted = deleted or not self.tells(key)
            self._entries[key] = entry
            self._counts[lane] += 1
            self._revived += 1
            self.enqueue(entry)
        return entry

    def sweep(self, record: Record, commit_ms: int) -> Entry:
        """A record that holds no position back goes (once more), unless a newer one waits already."""
        entry = self.revive(
            record.key, record.partition, record.offset, "bulk", commit_ms, deleted=record.value is None
        )
        if entry.offset <= record.offset:
            entry.offset, entry.tombstone = record.offset, record.value is None
            if entry.in_flight:
                self._keep(entry, None)
                return entry
            entry.deleted, entry.fetching = self._is_deleted(record), False
            self._keep(entry, record)
            self.enqueue(entry)
        return entry

    def judge_again(self) -> None:
        """What the target is to hold has changed."""
        for entry in self._entries.values():
            self._judge(entry)

    def _judge(self, entry: Entry) -> None:
        deleted = entry.tombstone or not self.tells(entry.key)
        # One in flight is looked at when it is settled.
        if deleted != entry.deleted and not entry.in_flight:
            entry.deleted = deleted
            self._keep(entry, None)
            self.enqueue(entry)

    def _is_deleted(self, record: Record) -> bool:
        return record.value is None or not self.tells(record.key)

    def _renew(
        self, entry: Entry, record: Record, lane: Lane, commit_ms: int, content: Content | None
    ) -> bool:
        # One that was named by a command before it was scanned waits without a place in its partition.
        was_named = record.offset == entry.offset and entry.first_offset is None and not entry.again
        gives_way = record.offset > entry.offset
        if not (gives_way or was_named):
            return False
        entry.offset, entry.deleted = record.offset, self._is_deleted(record)
        entry.tombstone = record.value is None
        entry.commit_ms = min(entry.commit_ms, commit_ms)
        entry.again = False
        # What was to be forgotten is not known of the newer version either.
        entry.forced = entry.forced or entry.forget or AFRESH_HEADER in record.headers
        entry.forget = FORGET_HEADER in record.headers
        if entry.first_offset is None:
            self._revived -= 1
            entry.first_offset = record.offset
            heapq.heappush(self._partitions[entry.partition].firsts, (record.offset, entry.key))
        self._keep(entry, None)
        if lane == "live" and entry.lane == "bulk":
            self._counts["bulk"] -= 1
            self._counts["live"] += 1
            entry.lane = "live"
        self._keep(entry, record, content)
        # New content need not wait for what its predecessor met.
        entry.due, entry.attempts, entry.probes, entry.failing_since = 0.0, 0, 0, math.inf
        entry.fetching = False
        self.enqueue(entry)
        return gives_way

    def _keep(self, entry: Entry, record: Record | None, content: Content | None = None) -> None:
        """Hold a record's value while memory allows; a delete needs none."""
        self._bytes[entry.lane] -= _bytes_of(entry)
        entry.record = entry.content = None
        if record is None or record.value is None or entry.deleted:
            return
        if entry.lane == "bulk" or self._bytes["live"] < RECORD_BYTES_MAX:
            entry.record, entry.content = record, content
            self._bytes[entry.lane] += _bytes_of(entry)

    # What goes.

    def enqueue(self, entry: Entry, *, front: bool = False) -> None:
        """Put an identity where it will be found when it is due; one in flight comes back when it is not."""
        if entry.in_flight or entry.fetching:
            return
        queue = (entry.lane, entry.deleted)
        if entry.queue == queue and not front:
            return
        entry.queue = queue
        if front:
            self._queues[queue].appendleft(entry.key)
        else:
            self._queues[queue].append(entry.key)

    def delay(self, entry: Entry, due: float) -> None:
        entry.due = due
        entry.queue = None
        heapq.heappush(self._later, (due, next(self._numbers), entry.key))

    def wake(self, now: float) -> None:
        """Identities whose time has come go back to their queues."""
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            entry = self._entries.get(key)
            if entry is not None and entry.queue is None and entry.due == due:
                self.enqueue(entry)

    @property
    def next_due(self) -> float | None:
        return self._later[0][0] if self._later else None

    def head(self, lane: Lane) -> Entry | None:
        """The identity of a lane that has waited longest."""
        heads = [entry for entry in (self._head((lane, False)), self._head((lane, True))) if entry]
        return min(heads, key=lambda entry: entry.number, default=None)

    def count(self, lane: Lane, deleted: bool) -> int:
        """How many are ready at most; some may be settled already."""
        return len(self._queues[lane, deleted])

    def pop(self, lane: Lane, deleted: bool) -> Entry | None:
        """The next identity that can be sent now; those whose record is not at hand are fetched first.

        Only so many at once: what is fetched is held in memory.
        """
        while (entry := self._head((lane, deleted))) is not None:
            at_hand = entry.record is not None or entry.deleted
            if not at_hand and len(self._fetching) >= _FETCH_RECORDS_MAX:
                return None
            self._queues[lane, deleted].popleft()
            entry.queue = None
            if at_hand:
                return entry
            self.want(entry)
        return None

    def want(self, entry: Entry) -> None:
        """Its record is fetched by pointer before it can go."""
        entry.fetching = True
        self._wanted.setdefault(entry.partition, set()).add(entry.offset)
        self._fetching[entry.partition, entry.offset] = entry.key

    def _head(self, queue: Queue) -> Entry | None:
        keys = self._queues[queue]
        while keys:
            entry = self._entries.get(keys[0])
            if entry is not None and entry.queue == queue and not entry.in_flight:
                return entry
            keys.popleft()
        return None

    # What is fetched.

    def fetches(self) -> Iterator[Fetch]:
        """Records to be read beside the scan: by pointer, and bulk work that was passed."""
        for partition, wanted in self._wanted.items():
            offsets = tuple(sorted(wanted))
            yield Fetch(self._feed, self._topic, partition, offsets[0], offsets[-1] + 1, offsets)
        self._wanted.clear()
        for partition, place in self._partitions.items():
            if place.fetching or not place.lags or self._bulk_is_full(place):
                continue
            place.fetching = True
            until = min(place.scan_next, place.committed + BULK_OFFSETS_MAX)
            yield Fetch(self._feed, self._topic, partition, place.bulk_next, until)

    def _bulk_is_full(self, place: _Partition) -> bool:
        # Half a window is waited for, so that fetches are worth their round trip.
        return not self.takes_bulk or place.bulk_next >= place.committed + BULK_OFFSETS_MAX

    def bulk_fetched(self, fetch: Fetch, next_offset: int) -> None:
        """All of [begin, next_offset) was handed to `add` or is settled."""
        place = self._partitions[fetch.partition]
        place.fetching = False
        place.bulk_next = max(place.bulk_next, min(next_offset, fetch.until))

    def pointed(self, fetch: Fetch, records: Iterable[Record]) -> list[Entry]:
        """Records by pointer arrived; returns the identities whose record no longer exists."""
        found = {record.offset: record for record in records}
        gone = []
        for offset in fetch.offsets:
            entry = self._entries.get(self._fetching.pop((fetch.partition, offset), b""))
            if entry is None or not entry.fetching or entry.offset != offset:
                continue
            entry.fetching = False
            record = found.get(entry.offset)
            if record is None or record.key != entry.key:
                gone.append(entry)
                continue
            entry.tombstone, entry.deleted = record.value is None, self._is_deleted(record)
            if entry.deleted:
                self.enqueue(entry, front=True)
                continue
            # Kept whatever the limit says: it is about to be sent.
            entry.record = record
            self._bytes[entry.lane] += _bytes_of(entry)
            self.enqueue(entry, front=True)
        return gone

    # What is settled.

    def settled(self, entry: Entry, offset: int) -> None:
        """Records of this identity up to `offset` are settled; a newer one goes on waiting."""
        entry.in_flight = False
        if entry.offset <= offset:
            self._keep(entry, None)
            self._counts[entry.lane] -= 1
            self._revived -= entry.first_offset is None
            del self._entries[entry.key]
            return
        entry.forced = entry.again = entry.overdue = False
        entry.deleted = entry.tombstone or not self.tells(entry.key)
        if entry.first_offset is not None:
            entry.first_offset = entry.offset
            heapq.heappush(self._partitions[entry.partition].firsts, (entry.offset, entry.key))
        self.enqueue(entry)

    def flies(self, entry: Entry) -> None:
        """Its request is being written; only versions that come from now on are unsent."""
        entry.in_flight, entry.queue, entry.commit_ms = True, None, _NEVER_MS

    def returns(self, entry: Entry, commit_ms: int) -> None:
        """The request took nothing; what it carried is unsent still."""
        entry.in_flight = False
        entry.commit_ms = min(entry.commit_ms, commit_ms)

    def reached(self, partition: int, position: int) -> None:
        """The scan's position, which also passes transaction markers."""
        place = self._partitions[partition]
        if not place.lags:
            place.bulk_next = max(place.bulk_next, position)
        place.scan_next = max(place.scan_next, position)

    def commit_position(self, partition: int) -> int:
        """Everything below is settled or parked, without a gap."""
        place = self._partitions[partition]
        if len(place.firsts) > 2 * len(self._entries) + _FIRSTS_MIN:
            # One that does not go must not hold what was settled behind it in memory.
            place.firsts = [
                (entry.first_offset, entry.key)
                for entry in self._entries.values()
                if entry.partition == partition and entry.first_offset is not None
            ]
            heapq.heapify(place.firsts)
        while place.firsts:
            offset, key = place.firsts[0]
            entry = self._entries.get(key)
            if entry is not None and entry.first_offset == offset:
                return min(offset, place.bulk_next)
            heapq.heappop(place.firsts)
        return place.bulk_next

    def committed(self, partition: int, position: int) -> None:
        self._partitions[partition].committed = position

    @property
    def partitions(self) -> Sequence[int]:
        return list(self._partitions)

    def scan_next(self, partition: int) -> int:
        return self._partitions[partition].scan_next


def _bytes_of(entry: Entry) -> int:
    """What it holds of its newest version."""
    value = b"" if entry.record is None else entry.record.value or b""
    return len(value) + (0 if entry.content is None else len(entry.content.body))
