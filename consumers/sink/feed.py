"""One feed at one target: records wait as identities, verdicts become statuses and dead letters. Pure."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace
from prometheus_client import Counter

from consumers.sink.batch import Content, Operation, Submission
from consumers.sink.circuit import Circuit, Guard
from consumers.sink.claims import Claims
from consumers.sink.dialects import Dialect, Unmappable
from consumers.sink.given import Given
from consumers.sink.letters import KINDS, DeadLetters
from consumers.sink.mapping import (
    DELETED_HASH,
    UNSENT,
    Unsendable,
    clearing,
    identity_of,
    members_of,
    submission,
)
from consumers.sink.stamp import Stamper
from consumers.sink.state import (
    FALLEN,
    FELL_HASH,
    MAY_HAVE_FALLEN_HASH,
    NO_OFFSET,
    Held,
    TargetState,
    encode_status,
)
from consumers.sink.tree import REMEMBERED_S, Node, Tree
from consumers.sink.waiting import BULK_OFFSETS_MAX, Entry, Waiting
from runtime import metrics
from runtime.record import Outgoing, Record
from schemas.records import DeadLetter, DeadLetterKind, Lane, Outcome, ResendItem, Status
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

# An item count that was too much for the service is tried again after this time.
LIMIT_S: Final = 600.0
# Another key speaks for the same identity at the service: looked at again after this time.
_TURN_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as it is handed in: `seconds` never jumps, `wall_ms` is what people read."""

    seconds: Callable[[], float]
    wall_ms: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Rules:
    """The times of a target's settings, in seconds, and the guard's share."""

    retry_s: float = 300
    request_timeout_s: float = 30
    settle_s: float = 120
    guard_percent: float = 50


@dataclass(frozen=True, slots=True)
class Place:
    """A partition taken over: where reading begins, where the log ended, whether its holder had drained.

    `lost`: why the position is not the one that was committed last, empty where it is.
    """

    partition: int
    committed: int
    end: int
    clean: bool
    lost: str = ""


class Feed:
    """What waits, what is known and what fails."""

    def __init__(
        self,
        target: str,
        name: str,
        names: TopicNames,
        dialect: Dialect,
        tree: Tree,
        items_max: int,
        rules: Rules,
        clock: Clock,
        numbers: Iterator[int],
        write: Callable[[Outgoing], None],
        send_again: Callable[[bytes, int], None],
    ) -> None:
        """`write` takes what goes to topics; `send_again` a key and when it goes once more (wall ms)."""
        self.name = name
        self.topic = names.feed(name)
        self._target = target
        self._status_topic = names.status(target, name)
        self._dialect = dialect
        self._tree = tree
        self._items_max = items_max
        self._limit: tuple[int, float] = (items_max, float("-inf"))
        self._rules = rules
        self._clock = clock
        self._write = write
        self._send_again = send_again
        self.waiting = Waiting(name, self.topic, numbers)
        self.state = TargetState()
        self.letters = DeadLetters(target, name, names.dead_letter(target, name), write)
        self.circuit = Circuit()
        self.guard = Guard(rules.guard_percent)
        self.paused = False
        self._stamper = Stamper(dialect.stamp(name), lambda: clock.wall_ms() / 1000)
        self._claims = Claims()
        self._given = Given()
        # Deleted items by the time of their status, oldest first.
        self._deleted: deque[tuple[int, bytes]] = deque()
        tree.add(self)
        # Looked up once: for each item it would be a tenth of its time.
        self._counters: dict[str, Counter] = {}
        self._freshness = {lane: metrics.FRESHNESS.labels(target, name, lane) for lane in ("live", "bulk")}
        self._lag = metrics.LAG_SECONDS.labels("sink")
        self._doubtful: dict[int, tuple[int, int]] = {}
        self._doubted_until = 0.0
        # Partitions where a predecessor's reconcile may have sent what no status tells.
        self.unsure: set[int] = set()

    def assign(
        self,
        places: Iterable[Place],
        statuses: Iterable[tuple[bytes, bytes | None]],
        letters: Iterable[tuple[bytes, bytes | None]],
        distrust_before_ms: int = 0,
    ) -> None:
        """Take partitions over, with everything that was written about them.

        Unsettled records between the commit position and the log's end may have been sent by a predecessor
        that did not drain, and the outcome of what it called retryable was not known.
        """
        self._doubted_until = self._clock.seconds() + self._rules.request_timeout_s
        drained = True
        for place in places:
            self.waiting.assign(place.partition, place.committed)
            if not place.clean:
                drained = False
                bulk_end = min(place.end, place.committed + BULK_OFFSETS_MAX)
                self._doubtful[place.partition] = (place.end, bulk_end)
        self.state = TargetState(statuses, distrust_before_ms)
        self._stamper.not_before(self.state.newest_ms / 1000)
        self._claims, self._given = Claims(), Given()
        if self._dialect.identity_moves(self.name):
            for key, held in self.state.all():
                if held.outcome != "deleted":
                    identity = identity_of(self._dialect, self.name, key, held.delete_members)
                    # A delete, or what could not be said, claims no more than the record before it did.
                    claims = held.hash and not held.hash.startswith(UNSENT)
                    self._claims.claim(identity, key, held.offset if claims else NO_OFFSET)
        self.letters.load(letters)
        self._clear_outdated_letters()
        self._tree.began(self.name, self.state.all(), self._clock.wall_ms())
        deleted = []
        for key, held in self.state.all():
            if held.outcome == "deleted":
                deleted.append((held.time_ms, key))
            if held.outcome in KINDS and (held.again_ms or 0) > self._clock.wall_ms():
                # Before it was parked, a request was made that may still take effect.
                self.state.doubt(key, None, self._doubted_until)
            elif held.again_ms is not None or held.hash in FALLEN:
                due_ms = self.due_ms(key) or 0
                if not drained and due_ms <= self._clock.wall_ms():
                    # It may be on its way for the second time.
                    self.state.doubt(key, None, self._doubted_until)
                self._send_again(key, due_ms)
        self._deleted = deque(sorted(deleted))
        for key, letter in self.letters:
            if letter.kind == "retryable":
                self.state.doubt(key, None, self._doubted_until)
                self._tree.waits(self.name, key)
                self._send_again(key, letter.due_ms or 0)

    @property
    def in_doubt(self) -> bool:
        """True when it is not known what the target holds of something that is not settled, read or not."""
        return (
            self.state.has_doubts
            or self._given.has_cleared
            or any(
                self.waiting.commit_position(partition) < end
                for partition, (end, _) in self._doubtful.items()
            )
        )

    def _clear_outdated_letters(self) -> None:
        """What a status settles is not sent again, whatever a dead letter says that was left behind."""
        for key, letter in self.letters:
            held = self.state.held(key)
            if held is not None and held.outcome not in KINDS and held.offset >= letter.offset:
                self.letters.clear(key, letter.partition)

    # Records.

    def scan(self, record: Record) -> None:
        """A record under the scan position: live items and tombstones wait from now on."""
        if not self.waiting.starts(record) or not self.wants(record.key) or self._is_kept_away(record):
            return
        lane, commit_ms = lane_of(record), commit_ms_of(record)
        if self.waiting.get(record.key) is None:
            if self.state.is_settled(record.key, record.offset):
                return
            if lane == "bulk" and record.value is not None and self._bulk_is_full(record):
                if self._is_doubtful(record, lane):
                    self._learn(record)
                self.waiting.stop_bulk_at(record)
                return
        self._take_up(record, lane, commit_ms)

    def bulk(self, record: Record, content: Content | None = None) -> None:
        """A record under the bulk position, which the scan passed before."""
        if self._is_kept_away(record) or not self.wants(record.key):
            return
        if not self.state.is_settled(record.key, record.offset):
            self._take_up(record, lane_of(record), commit_ms_of(record), content)

    def wants(self, key: bytes) -> bool:
        """False for an item that the service is never told of; a key nobody can read is parked later."""
        try:
            return self._dialect.wants(self.name, msgspec.json.decode(key))
        except (ValueError, LookupError, TypeError, RecursionError):
            return True

    def _is_kept_away(self, record: Record) -> bool:
        """True for an item that is not to be at the target, and is not as far as anybody knows."""
        if self.waiting.tells(record.key) or self.waiting.get(record.key) is not None:
            return False
        held = self.state.held(record.key)
        # What fell with its parent may come back with it: its status has to follow its record.
        told = held is not None and (held.outcome != "deleted" or held.hash in FALLEN)
        return not told and not self.state.is_unknown(record.key) and not self._is_doubtful(record, "live")

    def _is_doubtful(self, record: Record, lane: Lane) -> bool:
        """A predecessor may have sent this record, or one of its identity, and told nobody."""
        end, bulk_end = self._doubtful.get(record.partition, (0, 0))
        bulk = lane == "bulk" and record.value is not None
        return record.offset < (bulk_end if bulk else end) or record.partition in self.unsure

    def _bulk_is_full(self, record: Record) -> bool:
        return self.waiting.bulk_lags(record.partition) or not self.waiting.has_room(record)

    def _take_up(self, record: Record, lane: Lane, commit_ms: int, content: Content | None = None) -> None:
        if self._is_doubtful(record, lane):
            self.doubt(record.key)
            self._learn(record)
        if self.waiting.add(record, lane, commit_ms, content):
            self.count("superseded")

    def doubt(self, key: bytes) -> None:
        """What the target holds under this key, a predecessor may have changed."""
        self.state.doubt(key, None, self._doubted_until)

    def _learn(self, record: Record) -> None:
        """A delete of what a predecessor may have sent must be able to name it."""
        if record.value is not None and self._dialect.delete_needs_members(self.name):
            self._given.add(record.key, members_of(self._dialect, self.name, record.value))

    def forget(self, key: bytes, partition: int) -> None:
        """Nothing is known of this key any more, nor needs to be."""
        self.state.forget(key)
        self._write(Outgoing(self._status_topic, partition, key, None))

    # What goes.

    @property
    def items_max(self) -> int:
        limit, until = self._limit
        return limit if self._clock.seconds() < until else self._items_max

    def limit(self, items: int) -> None:
        """The service took no more than this; a while later the full count is tried again."""
        self._limit = (max(1, items), self._clock.seconds() + LIMIT_S)

    def prepared(self, entry: Entry) -> Submission | None:
        """The item as it is sent; None when it is settled without a request, or has to wait."""
        if entry.forget:
            self._forget(entry)
            return None
        try:
            item = submission(self._dialect, self.name, entry, self._delete_members(entry))
        except Unsendable as error:
            if isinstance(error.__cause__, Unmappable) and self._cannot_be_there(entry):
                self.settle(replace(error.submission, hash=DELETED_HASH), "deleted", None)
            elif not self._is_known(entry, error.submission):
                self.settle(error.submission, "attention", None, str(error))
            return None
        if item.identity:
            if not self._may_speak(entry, item):
                return None
            left = self._left_behind(entry, item)
            if left is not None:
                return left if self._enter(entry, left) and self._may_go(entry, left) else None
            if not self._enter(entry, item):
                return None
        if self._is_known(entry, item):
            return None
        if entry.deleted and not entry.tombstone and not entry.forced and self._was_never_sent(entry):
            # It waited when its scope was switched off.
            self.settle(item, "deleted", None)
            return None
        if not self._may_go(entry, item):
            return None
        wait = self._tree.wait(self.name, entry, item, self._clock.seconds())
        if wait is None:
            return item
        if wait.until is None:
            self._park_below(item, wait.on)
        else:
            self.waiting.delay(entry, wait.until)
        return None

    def _may_go(self, entry: Entry, item: Submission) -> bool:
        """No request whose outcome is unknown may still take effect behind this one."""
        until = self.state.held_back_until(entry.key, item.hash)
        if until > self._clock.seconds():
            self.waiting.delay(entry, until)
            return False
        return True

    def _forget(self, entry: Entry) -> None:
        """The item is no longer ours: the service is told nothing, and nothing is known of it."""
        self.state.forget(entry.key)
        self._given.settled(entry.key)
        self._write(Outgoing(self._status_topic, entry.partition, entry.key, None))
        self.letters.clear(entry.key, entry.partition)
        self._claims.leave(entry.key)
        self.waiting.settled(entry, entry.offset)
        self.count("superseded")
        self._tree.settled(self.name, entry.key, None, self._clock.wall_ms())

    def _delete_members(self, entry: Entry) -> str:
        """Those of what the target was given last under this key."""
        if not entry.deleted:
            return ""
        held = self.state.held(entry.key)
        return self._given.newest(entry.key) or (held.delete_members if held is not None else "")

    def _was_never_sent(self, entry: Entry) -> bool:
        """True for the tombstone of an item that came and went before the target was told of it."""
        told = self.state.held(entry.key) is not None or entry.key in self._given
        return entry.deleted and not told and not self.state.is_unknown(entry.key)

    def _cannot_be_there(self, entry: Entry) -> bool:
        """True for a delete that cannot be said, of an item that the service cannot have been given."""
        if not entry.deleted:
            return False
        if not self._dialect.delete_needs_members(self.name):
            # A name that fits into no delete fitted into nothing before.
            return True
        held, letter = self.state.held(entry.key), self.letters.get(entry.key)
        if held is None or entry.key in self._given or self.state.is_unknown(entry.key):
            return self._was_never_sent(entry)
        if held.there or held.again_ms or held.delete_members:
            return False
        refused = held.outcome == "attention" and letter is not None and letter.operation == "upsert"
        return refused or held.outcome == "deleted"

    def _may_speak(self, entry: Entry, item: Submission) -> bool:
        """Of an identity that moved between keys only the newest speaks."""
        if not entry.deleted:
            self._claims.claim(item.identity, entry.key, entry.offset)
        owner = self._claims.owner(item.identity, entry.key)
        if owner != entry.key:
            if self.state.is_unknown(entry.key):
                # What was sent under this key may still take effect: the owner waits, and goes twice.
                until = self._clock.seconds() + self._rules.request_timeout_s
                self.state.doubt(owner, None, until)
            if entry.deleted:
                self.settle(item, "deleted", None)
            else:
                self.supersede(entry)
            return False
        return True

    def _enter(self, entry: Entry, item: Submission) -> bool:
        """One key at a time speaks for an identity; the others take turns."""
        if not self._claims.enter(item.identity, entry.key):
            self.waiting.delay(entry, self._clock.seconds() + _TURN_S)
            return False
        return True

    def _left_behind(self, entry: Entry, item: Submission) -> Submission | None:
        """The delete of what the target may hold under this key by another name, which no key brings now."""
        held = self.state.held(entry.key)
        given = [*self._given.all(entry.key)]
        if held is not None and held.outcome != "deleted":
            given.append(held.delete_members)
        for members in given:
            identity = identity_of(self._dialect, self.name, entry.key, members)
            if identity in {(), item.identity} or self._given.is_cleared(entry.key, members):
                continue
            if self._claims.owner(identity, entry.key) == entry.key:
                return clearing(self._dialect, self.name, entry, members, identity)
        return None

    def stamped(self, items: list[Submission]) -> list[Submission]:
        """Items as they travel: with the time of sending, where the service asks for it."""
        for item in items:
            if item.operation == "upsert":
                self._given.add(item.key, item.delete_members)
        return self._stamper.stamped(items)

    def _is_known(self, entry: Entry, item: Submission) -> bool:
        changed = entry.forced or self._given.was_cleared(entry.key)
        if changed or not self.state.knows(entry.key, item.hash):
            return False
        self.count("unchanged")
        held = self.state.held(entry.key)
        letter = self.letters.get(entry.key)
        # What points at the older record has to follow, or it would find nothing after compaction; and bulk
        # work that is still to come must not find an older state unsettled.
        moves = held is not None and (
            held.again_ms or held.offset < 0 or held.hash in FALLEN or self.waiting.bulk_lags(entry.partition)
        )
        if held is not None and (letter is not None or moves):
            error = letter.error if letter else None
            self._record(item, held.outcome, letter.request_id if letter else None, error, held.again_ms, 0)
        self._claims.leave(item.key)
        self.waiting.settled(entry, item.offset)
        self._tree.settled(self.name, item.key, held, self._clock.wall_ms())
        return True

    def revive(self, key: bytes, *, forced: bool = False) -> None:
        """A failing item, or one that goes a second time: what its newest record says is sent."""
        letter, held = self.letters.get(key), self.state.held(key)
        if letter is not None:
            deleted = letter.operation == "delete"
            entry = self.waiting.revive(
                key, letter.partition, letter.offset, letter.lane, letter.time_ms, deleted=deleted
            )
            entry.forced = entry.forced or forced
        elif held is not None and held.hash in FALLEN:
            # Its record says whether it should be there; it is read before the item goes. A second send that
            # was due would be a delete now.
            entry = self.waiting.revive(key, held.partition, held.offset, "bulk", held.time_ms, deleted=False)
            entry.overdue = held.again_ms is not None and held.again_ms <= self._clock.wall_ms()
        elif held is not None and held.again_ms is not None:
            entry = self.waiting.revive(
                key, held.partition, held.offset, "bulk", held.again_ms, deleted=held.outcome == "deleted"
            )
            # What is under way was written before that time had come.
            entry.overdue = entry.overdue or not entry.in_flight
            if entry.first_offset is None:
                entry.forced = entry.again = True

    def resend(self, item: ResendItem, requested_ms: int) -> None:
        """The target was found to hold something else: what it should hold, as far as we know now, goes.

        What was judged since the request is left alone: commands are read again at each start.
        """
        key = item.key.encode()
        if self.was_judged_since(key, requested_ms):
            return
        letter, held = self.letters.get(key), self.state.held(key)
        if letter is not None:
            self.revive(key, forced=True)
            return
        self._tree.lose(self.name, (key,))
        if item.delete_members and (held is None or not held.delete_members):
            self._given.add(key, item.delete_members)
        partition, offset, deleted = item.partition, item.offset, item.offset < 0
        if held is not None and held.offset >= offset:
            partition, offset = held.partition, held.offset
            # Of what fell only its record says whether it should be there.
            deleted = deleted if held.hash in FALLEN else held.outcome == "deleted"
        self.waiting.revive(key, partition, offset, "bulk", requested_ms, deleted=deleted).forced = True

    def was_judged_since(self, key: bytes, time_ms: int) -> bool:
        """Whether something became of an item since a moment, as far as statuses go back.

        That of a deleted item ends; a command that is older than this is not obeyed a second time.
        """
        told = self.letters.get(key) or self.state.held(key)
        if told is None:
            return time_ms < self._clock.wall_ms() - round(REMEMBERED_S * 1000)
        return told.time_ms >= time_ms

    def due_ms(self, key: bytes) -> int | None:
        """When this item goes again by itself; None when it does not."""
        letter, held = self.letters.get(key), self.state.held(key)
        if letter is not None:
            waits = letter.kind == "retryable" and letter.due_ms is None
            return 0 if waits and self._tree.missing(self.name, key) is None else letter.due_ms
        if held is not None and held.hash in FALLEN:
            return held.time_ms + round(self._rules.settle_s * 1000)
        return held.again_ms if held is not None else None

    # What became of it.

    def settle(
        self, item: Submission, outcome: Outcome, request_id: str | None, error: str | None = None
    ) -> None:
        """An item ends, for now: a status, and the dead letter that it writes or clears."""
        entry = self.waiting.get(item.key)
        if item.clears:
            if outcome == "deleted":
                self._cleared(item, entry)
                return
            # Its own item cannot go before; the two fail together.
            item = replace(item, operation="upsert", hash=f"{UNSENT}clears", clears=False)
        again = entry is not None and entry.again
        parked = outcome in KINDS
        before = self.state.held(item.key)
        lost = self._tree.is_lost(self.name, item.key)
        overdue = entry is not None and entry.overdue
        again_ms = self._open_until_ms(item.key, overdue) if parked else self._again_ms(item.key, overdue)
        self._record(item, outcome, request_id, error, again_ms)
        self._claims.leave(item.key)
        if entry is not None:
            self.waiting.settled(entry, item.offset)
            self._follow_scope(entry, item.operation)
        self.guard.judged(parked)
        if parked and self.circuit.is_open and self.guard.trips:
            # We refuse it ourselves, and no answer says when to try the next one.
            self.circuit.probing()
            self.circuit.refused_us(self._clock.seconds(), self.guard.reason)
        self.count("resent" if again and not parked else outcome)
        if parked:
            log.warning(
                "item fails",
                extra={
                    "target": self._target,
                    "feed": self.name,
                    "class": outcome,
                    "partition": item.partition,
                    "offset": item.offset,
                    "reason": error,
                },
            )
        elif not again:
            seconds = max(0.0, (self._clock.wall_ms() - item.commit_ms) / 1000)
            self._freshness[item.lane].observe(seconds)
            self._lag.set(seconds)
        self._tree.settled(self.name, item.key, before, self._clock.wall_ms(), lost=lost)
        self._tree.found(self.name, item.key)

    def _cleared(self, item: Submission, entry: Entry | None) -> None:
        """What the key named before is gone from the target: now what it names goes."""
        self._given.clear(item.key, item.delete_members)
        self._claims.leave(item.key)
        if entry is not None:
            self.waiting.returns(entry, item.commit_ms)
            self.waiting.enqueue(entry, front=True)

    def _follow_scope(self, entry: Entry, operation: Operation) -> None:
        """Its scope may have been switched while the request was under way, whatever became of that."""
        wanted = not entry.tombstone and self.waiting.tells(entry.key)
        if wanted == (operation == "delete") and self.waiting.get(entry.key) is None:
            again = self.waiting.revive(
                entry.key,
                entry.partition,
                entry.offset,
                "bulk",
                self._clock.wall_ms(),
                deleted=entry.tombstone,
            )
            again.swept = entry.swept

    def supersede(self, entry: Entry) -> None:
        """Its record is gone from the log: a newer one is there, and comes by itself."""
        self.letters.clear(entry.key, entry.partition)
        self._claims.leave(entry.key)
        self.waiting.settled(entry, entry.offset)
        self.count("superseded")
        self._tree.settled(self.name, entry.key, self.state.held(entry.key), self._clock.wall_ms())

    # What stands above or below in the target's trees.

    def released(self, key: bytes) -> None:
        """What this item waited for has ended."""
        entry, letter = self.waiting.get(key), self.letters.get(key)
        if entry is not None:
            self.waiting.enqueue(entry)
        elif letter is not None and letter.kind == "retryable" and letter.due_ms is None:
            if self._tree.missing(self.name, key) is None:
                self.revive(key)
            else:
                self._tree.waits(self.name, key)

    def fell(self, key: bytes, held: Held, *, certainly: bool) -> None:
        """The delete of what stood above took this item along, whose own record may say that it is there."""
        letter = self.letters.get(key)
        if letter is not None:
            self._rewrite(key, held._replace(there=False), letter.request_id, letter.error)
            return
        now_ms = self._clock.wall_ms()
        # A request about it that nobody heard of may still bring it back.
        certainly = certainly and held.again_ms is None and not self.state.is_unknown(key)
        content_hash = FELL_HASH if certainly else MAY_HAVE_FALLEN_HASH
        self._rewrite(key, held._replace(outcome="deleted", hash=content_hash, time_ms=now_ms))
        self._deleted.append((now_ms, key))
        self._send_again(key, now_ms + round(self._rules.settle_s * 1000))
        self.count("deleted")

    def lose_before(self, time_ms: int) -> None:
        """What was settled before this moment may not be at the target, whatever its status says."""
        if self._dialect.below(self.name):
            self._tree.lose(self.name, (key for key, held in self.state.all() if held.time_ms < time_ms))

    def lost_nothing(self) -> None:
        self._tree.found(self.name)

    def came_back(self, key: bytes, held: Held) -> None:
        """The service brought it back with what stands above: its delete goes again, or what it is now."""
        if held.hash in FALLEN:
            self.revive(key)
        else:
            now_ms = self._clock.wall_ms()
            self._rewrite(key, held._replace(again_ms=now_ms))
            self._send_again(key, now_ms)

    def _park_below(self, item: Submission, top: Node) -> None:
        """What it stands on is not there and does not come: no fault of the item's, and no retry by time."""
        again_ms = self._open_until_ms(item.key, overdue=False)
        self._record(item, "retryable", None, f"waits for {self._tree.name(top)}", again_ms, 0, waits=True)
        self._claims.leave(item.key)
        entry = self.waiting.get(item.key)
        if entry is not None:
            self.waiting.settled(entry, item.offset)
        self.count("retryable")

    def _rewrite(
        self, key: bytes, held: Held, request_id: str | None = None, error: str | None = None
    ) -> None:
        """The same status, but for what became of it without a record of its own."""
        status = Status(
            topic=self.topic,
            request_id=request_id,
            error=error,
            **{**held._asdict(), "delete_members": held.delete_members or None},
        )
        self.state.put(key, status)
        self._write(Outgoing(self._status_topic, held.partition, key, encode_status(status)))

    def forget_deleted(self) -> None:
        """Statuses of deleted items go when the service cannot bring them back any more."""
        oldest_ms = self._clock.wall_ms() - round(REMEMBERED_S * 1000)
        while self._deleted and self._deleted[0][0] < oldest_ms:
            time_ms, key = self._deleted.popleft()
            held = self.state.held(key)
            if held is None or held.outcome != "deleted" or held.time_ms != time_ms:
                continue
            # A record that is still to be read must find that a newer one was settled.
            settled = held.offset < self.waiting.commit_position(held.partition)
            if settled and self.due_ms(key) is None and self.waiting.get(key) is None:
                self.state.forget(key)
                self._write(Outgoing(self._status_topic, held.partition, key, None))
            else:
                self._deleted.append((time_ms, key))
                return

    def _again_ms(self, key: bytes, overdue: bool) -> int | None:
        """When an accepted item goes once more: a request of unknown outcome may still take effect.

        Args:
            overdue: the time of the second send had come; this one was it.
        """
        open_until_ms = self._open_until_ms(key, overdue)
        self.state.trust(key)
        times = (self._tree.again_ms(self.name, key, self._clock.wall_ms()) or 0, open_until_ms or 0)
        return max(times) or None

    def _open_until_ms(self, key: bytes, overdue: bool) -> int | None:
        """Until when an earlier request may take effect behind what is settled now; None: there is none.

        A parked item keeps that: whatever is accepted next must not be the last that is sent.
        """
        now_ms = self._clock.wall_ms()
        held = self.state.held(key)
        known_ms = (held.again_ms or 0) if held is not None and not overdue else 0
        if held is not None and held.outcome in KINDS and known_ms <= now_ms:
            # Nothing was accepted that would have to go once more.
            known_ms = 0
        if self.state.is_unknown(key):
            known_ms = max(known_ms, now_ms + round(self._rules.settle_s * 1000))
        return known_ms or None

    def _record(
        self,
        item: Submission,
        outcome: Outcome,
        request_id: str | None,
        error: str | None,
        again_ms: int | None,
        attempts: int = 1,
        *,
        waits: bool = False,
    ) -> None:
        members = item.delete_members
        held = self.state.held(item.key)
        if outcome in KINDS:
            # What the target holds is what it was given before.
            members = members or self._given.newest(item.key) or (held.delete_members if held else "")
        else:
            self._given.settled(item.key)
        status = Status(
            outcome=outcome,
            hash=item.hash,
            topic=self.topic,
            partition=item.partition,
            offset=item.offset,
            time_ms=self._clock.wall_ms(),
            request_id=request_id,
            error=error,
            again_ms=again_ms,
            delete_members=members or None,
            there=outcome in KINDS and self._tree.is_there(Node(self.name, item.key)),
        )
        self.state.put(item.key, status)
        if outcome == "deleted":
            self._deleted.append((status.time_ms, item.key))
        self._write(Outgoing(self._status_topic, item.partition, item.key, encode_status(status)))
        if again_ms is not None:
            self._send_again(item.key, again_ms)
        if outcome in KINDS:
            kind: DeadLetterKind = "retryable" if outcome == "retryable" else "attention"
            by_time = kind == "retryable" and not waits
            due_ms = status.time_ms + round(self._rules.retry_s * 1000) if by_time else None
            self._park(item, kind, status, attempts, due_ms)
        else:
            self.letters.clear(item.key, item.partition)

    def _park(
        self, item: Submission, kind: DeadLetterKind, status: Status, attempts: int, due_ms: int | None
    ) -> None:
        before = self.letters.get(item.key)
        letter = DeadLetter(
            kind=kind,
            operation=item.operation,
            error=status.error or "",
            attempts=attempts + (before.attempts if before is not None else 0),
            time_ms=status.time_ms,
            topic=status.topic,
            partition=status.partition,
            offset=status.offset,
            partitions=len(self.waiting.partitions),
            request_id=status.request_id,
            due_ms=due_ms,
            lane=item.lane,
        )
        self.letters.park(item.key, letter)
        if letter.due_ms is not None:
            self._send_again(item.key, letter.due_ms)

    def count(self, outcome: str) -> None:
        counter = self._counters.get(outcome)
        if counter is None:
            counter = self._counters[outcome] = metrics.ITEMS.labels(self._target, self.name, outcome)
        counter.inc()


def lane_of(record: Record) -> Lane:
    return "bulk" if record.headers.get("lane") == b"bulk" else "live"


def commit_ms_of(record: Record) -> int:
    """Commit time of the oldest change behind a record; its own time when the builder did not know it."""
    try:
        return int(record.headers.get("commit_ms", b"")) or record.timestamp_ms
    except ValueError:
        return record.timestamp_ms
