"""A feed is compared with what the target holds, partition by partition; differences are queued. Pure.

Only identities are queued, with the place of their newest record: the sink sends what is newest then. What
waits already, or was settled by a newer record than the one that is read, is left to itself.
"""

import heapq
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from consumers.sink.feed import Clock, Feed, Place
from consumers.sink.state import NO_OFFSET, Held
from consumers.sink.waiting import LOG_END, Fetch
from runtime.record import Outgoing, Record
from schemas.controls import Reconcile, ReconcileKind, reconcile_key
from schemas.entities import ENTITY_OF
from schemas.keys import partition_for
from schemas.records import FORGET_HEADER

log = logging.getLogger(__name__)

# So far past what was recorded a reconcile reads on: what a successor has to doubt.
WINDOW_OFFSETS: Final = 5_000
_RECORD_OFFSETS: Final = 1_000
# Behind every record: identities that no record tells of.
_BEHIND: Final = LOG_END - 1
# Fewer are deleted without asking.
DELETES_MIN: Final = 100

# Members of keys that name no item.
_SCOPE_MEMBERS: Final = frozenset({"storeViewCode", "websiteCode", "customerGroupCode"})

Write = Callable[[Outgoing], None]


@dataclass(slots=True)
class _Sweep:
    """One partition: `read` is the next offset, `durable` what the last durable progress record says.

    `unseen` are identities that the target holds and no record was found of. Records below `resumed` were
    settled by a predecessor, those below `doubted` may have been sent by it.
    """

    partition: int
    unseen: set[bytes]
    resumed: int = 0
    doubted: int = 0
    read: int = 0
    recorded: int | None = None
    in_commit: int | None = None
    durable: int | None = None
    log_read: bool = False
    fetching: bool = False
    open: list[tuple[int, bytes]] = field(default_factory=list)


class Reconciler:
    """The reconciles of one feed, one after the other."""

    def __init__(
        self,
        target: str,
        feed: Feed,
        control: str,
        write: Write,
        clock: Clock,
        delete_guard_percent: int = 10,
    ) -> None:
        """`delete_guard_percent`: more of the items without a record are not deleted; 100 turns it off."""
        self._target = target
        self._feed = feed
        self._control = control
        self._write = write
        self._clock = clock
        self._runs: dict[int, Reconcile] = {}
        self._finished: set[int] = set()
        self._run: Reconcile | None = None
        self._sweep: _Sweep | None = None
        # Of those that were begun by a process that may not have told all it sent.
        self._inherited: set[int] = set()
        self._held_at_start = 0
        self._delete_guard_percent = delete_guard_percent
        self.deletes_until_ms = 0
        self.complaint = ""
        self._is_old = False

    # What is asked for.

    def load(self, run: Reconcile, *, clean: bool) -> None:
        """A run that an earlier process was asked for, or has begun."""
        self._runs[run.requested_ms] = run
        if run.partition >= 0 and not clean:
            self._inherited.add(run.requested_ms)
            self._feed.unsure.add(run.partition)

    def ask(self, run: Reconcile) -> None:
        """An operator's request, as it is heard; what is known already is not asked for twice."""
        if (
            run.partition < 0
            and run.requested_ms not in self._runs
            and run.requested_ms not in self._finished
        ):
            self._runs[run.requested_ms] = run
            self._believe_less(run)

    def cancel(self, requested_ms: int) -> None:
        """Its record was deleted by somebody; what is queued still goes."""
        run = self._runs.get(requested_ms)
        if run is not None:
            log.info("reconcile cancelled", extra={"target": self._target, "feed": self._feed.name})
            self._forget(requested_ms)
            # How far it was may have been written behind that, or is about to be.
            self._write(Outgoing(self._control, 0, reconcile_key(run), None))

    def need(self, reason: str, *, distrust: bool = False) -> None:
        """Something was lost sight of: everything is compared, once."""
        waits = any(
            run.partition < 0 and not run.ids and run.distrust >= distrust for run in self._runs.values()
        )
        if waits or next(self._feed.state.all(), None) is None:
            return
        now_ms = max([self._clock.wall_ms(), *(requested_ms + 1 for requested_ms in self._runs)])
        run = Reconcile(self._target, self._feed.name, "differences", now_ms, reason, distrust=distrust)
        self._runs[now_ms] = run
        self._tell(run)
        log.warning(
            "reconcile needed", extra={"target": self._target, "feed": self._feed.name, "reason": reason}
        )

    def look(self, places: Iterable[Place]) -> None:
        """Statuses and positions were loaded: do they speak of this log, and is no part of it missing?"""
        for run in self._runs.values():
            self._believe_less(run)
        for place in places:
            if self._feed.state.last_offset(place.partition) >= place.end:
                self._feed.state.distrust(place.partition)
                self.need("the log ends before what was settled: it is another one", distrust=True)
            elif place.lost:
                self.need(place.lost)

    def _believe_less(self, run: Reconcile) -> None:
        """Where everything is sent by force the target may be another one, and hold nothing yet."""
        if run.kind == "force" and not run.ids:
            self._feed.lose_before(run.requested_ms)

    @property
    def distrust_before_ms(self) -> int:
        return max((run.requested_ms for run in self._runs.values() if run.distrust), default=0)

    @property
    def pending(self) -> Sequence[Reconcile]:
        return list(self._runs.values())

    # What is read.

    def fetches(self) -> Iterator[Fetch]:
        """The next records to compare, as far as there is room for what they may bring."""
        sweep = self._begun()
        if sweep is None or sweep.fetching or not self._feed.waiting.takes_bulk:
            return
        if sweep.log_read:
            self._take_unseen(sweep)
        elif sweep.durable is not None and sweep.read < sweep.durable + WINDOW_OFFSETS:
            sweep.fetching = True
            name, topic = self._feed.name, self._feed.topic
            until = sweep.durable + WINDOW_OFFSETS
            yield Fetch(name, topic, sweep.partition, sweep.read, until, sweep=True)

    def fetched(self, fetch: Fetch, records: Sequence[Record], next_offset: int) -> None:
        """Records of [begin, next_offset) as far as they exist; LOG_END when the log was read to its end."""
        sweep = self._sweep
        if (
            sweep is None
            or not sweep.fetching
            or (fetch.partition, fetch.begin) != (sweep.partition, sweep.read)
        ):
            return
        sweep.fetching = False
        for record in {record.key: record for record in records}.values():
            self._compare(sweep, record)
        sweep.read, sweep.log_read = next_offset, next_offset == LOG_END
        if sweep.log_read:
            self._forget_deleted(sweep)

    def seen(self, record: Record, *, is_old: bool) -> None:
        """The scan found a record: its identity is told of."""
        if is_old and not self._is_old:
            self._is_old = True
            self.need("records were read so late that deletes before them may be gone from the log")
        if self._sweep is not None:
            self._sweep.unseen.discard(record.key)

    # How far it is.

    def record(self) -> None:
        """Say how far we are, when that is worth a record; what it says is settled is told already."""
        run, sweep = self._run, self._sweep
        if run is None or sweep is None:
            return
        settled = self._settled(sweep)
        if settled == LOG_END and not sweep.unseen:
            self._next_partition(run, sweep.partition)
        elif sweep.recorded is None or settled >= sweep.recorded + _RECORD_OFFSETS:
            sweep.recorded = max(min(settled, _BEHIND), sweep.resumed)
            self._advance(run, sweep.partition, sweep.recorded)

    def committing(self) -> None:
        """What `record` said last is being written."""
        if self._sweep is not None:
            self._sweep.in_commit = self._sweep.recorded

    def written(self) -> None:
        """It is durable."""
        if self._sweep is not None:
            self._sweep.durable = self._sweep.in_commit

    # One partition after the other.

    def _begun(self) -> _Sweep | None:
        """The partition that is compared now."""
        if self._sweep is None and self._runs:
            run = self._run = self._runs[min(self._runs)]
            if run.partition < 0:
                log.info("reconcile begins", extra=self._fields(run))
            self._held_at_start = self._feed.state.count_present()
            self._begin(run)
        return self._sweep

    def _begin(self, run: Reconcile) -> None:
        partition = next((number for number in self._partitions(run) if number >= run.partition), None)
        if partition is None:
            self._finish(run)
            return
        resumed = run.next_offset if partition == run.partition else 0
        inherited = run.requested_ms in self._inherited and partition == run.partition
        # Of another log's records even the deleted ones are looked at: their offsets would hide newer ones.
        unseen = self._feed.state.keys_in(partition, deleted=run.distrust)
        if run.ids:
            unseen = {key for key in unseen if _is_of(key, run.ids)}
        doubted = resumed + WINDOW_OFFSETS if inherited else 0
        self._sweep = _Sweep(partition, unseen, resumed, doubted)
        if partition == run.partition:
            # That the one before is done, or how far a predecessor came, says where this one begins.
            self._sweep.recorded = resumed
            self._tell(run)

    def _partitions(self, run: Reconcile) -> list[int]:
        partitions = sorted(self._feed.waiting.partitions)
        if run.ids and ENTITY_OF[self._feed.name] == "product":
            wanted = {partition_for(name.encode(), len(partitions)) for name in run.ids}
            return [partition for partition in partitions if partition in wanted]
        return partitions

    def _next_partition(self, run: Reconcile, partition: int) -> None:
        self._feed.unsure.discard(partition)
        self._begin(self._advance(run, partition + 1, 0))

    def _finish(self, run: Reconcile) -> None:
        log.info("reconcile done", extra=self._fields(run))
        self._forget(run.requested_ms)
        self._write(Outgoing(self._control, 0, reconcile_key(run), None))

    def _forget(self, requested_ms: int) -> None:
        run = self._runs.pop(requested_ms)
        self._inherited.discard(requested_ms)
        self._finished.add(requested_ms)
        if run.kind == "force":
            self._feed.lost_nothing()
            for other in self._runs.values():
                self._believe_less(other)
        if self._run is not None and self._run.requested_ms == run.requested_ms:
            self._run = self._sweep = None
            self.complaint = ""

    def _advance(self, run: Reconcile, partition: int, next_offset: int) -> Reconcile:
        run = msgspec.structs.replace(run, partition=partition, next_offset=next_offset)
        self._keep(run)
        self._tell(run)
        return run

    def _keep(self, run: Reconcile) -> None:
        self._run = self._runs[run.requested_ms] = run

    def _tell(self, run: Reconcile) -> None:
        self._write(Outgoing(self._control, 0, reconcile_key(run), msgspec.json.encode(run)))

    def _settled(self, sweep: _Sweep) -> int:
        """Everything below is settled; LOG_END when all that was read is."""
        while sweep.open:
            at, key = sweep.open[0]
            entry = self._feed.waiting.get(key)
            if entry is not None and entry.swept == at:
                return min(at, sweep.read)
            heapq.heappop(sweep.open)
        return sweep.read

    def _fields(self, run: Reconcile) -> dict[str, object]:
        return {
            "target": run.target,
            "feed": run.feed,
            "kind": run.kind,
            "reason": run.reason,
            "items": run.items,
        }

    # Comparing.

    def _compare(self, sweep: _Sweep, record: Record) -> None:
        run, feed = self._run, self._feed
        assert run is not None
        sweep.unseen.discard(record.key)
        if record.offset < sweep.resumed:
            return
        if not feed.wants(record.key) or not _is_of(record.key, run.ids):
            return
        held, entry = feed.state.held(record.key), feed.waiting.get(record.key)
        if FORGET_HEADER in record.headers and held is None and entry is None:
            return
        newest = max(held.offset if held else NO_OFFSET, entry.offset if entry else NO_OFFSET)
        settled = feed.state.is_settled(record.key, record.offset)
        if newest > record.offset or (
            not settled and record.offset >= feed.waiting.bulk_next(sweep.partition)
        ):
            # Of history, or it comes by itself.
            return
        doubted = record.offset < sweep.doubted
        letter = feed.letters.get(record.key)
        deletes = record.value is None or not feed.waiting.tells(record.key)
        operation = letter.operation if letter is not None else None
        if not (doubted or differs(run.kind, held, operation, record, deletes=deletes, named=bool(run.ids))):
            return
        if doubted:
            feed.doubt(record.key)
        entry = feed.waiting.sweep(record, self._clock.wall_ms())
        entry.forced = entry.forced or run.kind != "differences" or doubted
        self._open(sweep, record.key, record.offset)

    def _open(self, sweep: _Sweep, key: bytes, at: int) -> None:
        entry, run = self._feed.waiting.get(key), self._run
        assert entry is not None
        assert run is not None
        entry.swept = at
        heapq.heappush(sweep.open, (at, key))
        self._keep(msgspec.structs.replace(run, items=run.items + 1))

    def _forget_deleted(self, sweep: _Sweep) -> None:
        """What the target does not hold, and no record tells of, is no delete that a guard could count."""
        for key in list(sweep.unseen):
            held = self._feed.state.held(key)
            if held is not None and held.outcome == "deleted" and self._feed.waiting.get(key) is None:
                sweep.unseen.discard(key)
                self._feed.forget(key, held.partition)

    def _take_unseen(self, sweep: _Sweep) -> None:
        """The log has been read: what the target holds and no record tells of is deleted."""
        run = self._run
        assert run is not None
        if not self._may_delete(run, len(sweep.unseen)):
            return
        while sweep.unseen and self._feed.waiting.takes_bulk:
            key = sweep.unseen.pop()
            held = self._feed.state.held(key)
            if held is None or self._feed.waiting.get(key) is not None:
                continue
            if held.outcome == "deleted":
                self._feed.forget(key, held.partition)
                continue
            entry = self._feed.waiting.revive(
                key, held.partition, held.offset, "bulk", self._clock.wall_ms(), deleted=True
            )
            entry.forced = True
            self._open(sweep, key, _BEHIND)
            self._keep(msgspec.structs.replace(self._run or run, gone=run.gone + 1))
            run = self._run or run

    def _may_delete(self, run: Reconcile, more: int) -> bool:
        """An empty or restored feed topic must not empty a storefront."""
        most = max(DELETES_MIN, self._held_at_start * self._delete_guard_percent / 100)
        guarded = self._delete_guard_percent < 100 and self._clock.wall_ms() >= self.deletes_until_ms
        if not guarded or not more or run.gone + more <= most:
            self.complaint = ""
            return True
        if not self.complaint:
            name = self._feed.name
            self.complaint = (
                f"{name}: {more} items of the target have no record in {self._feed.topic}, more than "
                f"{self._delete_guard_percent} %: 'commerce-sync resync --feed {name}' brings lost records "
                "back, and with --allow-deletes the items are deleted"
            )
            log.error("reconcile stopped", extra={**self._fields(run), "reason": self.complaint})
        return False


def differs(
    kind: ReconcileKind,
    held: Held | None,
    parked: str | None,
    record: Record,
    *,
    deletes: bool,
    named: bool,
) -> bool:
    """Whether an item has to go (again), told by its status.

    Args:
        held: its status; None where nobody told the target of it, as far as is known.
        parked: the operation of its dead letter.
        record: its newest record.
        deletes: the target is not to hold it.
        named: an operator asked for this very item.
    """
    if held is None:
        # Where statuses were lost, a tombstone may be all that tells of what the target holds.
        return record.value is None or not deletes
    if kind == "differences" or held.outcome == "deleted":
        if parked is not None:
            return parked != ("delete" if deletes else "upsert")
        return (held.outcome == "deleted") != deletes or (held.offset != record.offset and not deletes)
    return held.outcome != "attention" or kind == "force" or named


def _is_of(key: bytes, ids: tuple[str, ...]) -> bool:
    if not ids:
        return True
    try:
        members = msgspec.json.decode(key)
    except msgspec.DecodeError:
        return False
    if not isinstance(members, dict):
        return False
    return any(value in ids for name, value in members.items() if name not in _SCOPE_MEMBERS)
