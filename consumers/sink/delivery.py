"""The scheduler of one target: what to send now, what an answer means, what may be committed. Pure.

Time comes in through the clock, records through `scan` and `fetched`, answers through `answered`; requests,
fetches and commits are asked for. Whoever drives it owns the clients and the threads.
"""

import heapq
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, zip_longest
from typing import Final

import msgspec

from consumers.sink.batch import Contents, Operation, Submission, body, fits
from consumers.sink.budget import Budget
from consumers.sink.circuit import OURS_S, Circuit, Permission, Window
from consumers.sink.dialects import Dialect
from consumers.sink.feed import Clock, Feed, Place, Rules
from consumers.sink.reconcile import Reconciler
from consumers.sink.scopes import Scopes, feeds_of
from consumers.sink.settle import Answer, Verdict
from consumers.sink.state import FALLEN
from consumers.sink.tree import Tree
from consumers.sink.waiting import Entry, Fetch
from runtime import metrics
from runtime.record import Outgoing, Record
from schemas.controls import Address, Scope, address_key
from schemas.records import Lane, Outcome, Resend, ResendItem, Retry
from schemas.topics import TOMBSTONES_MS, TopicNames

log = logging.getLogger(__name__)

BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
# So often an item may be in a request that fails while others succeed; halved each time, it stands alone
# before it is called retryable.
ATTEMPTS_MAX: Final = 8
# While nothing succeeds no item is to blame, unless the same one was the probe this often and for so long:
# then it is retryable, and what comes behind it can be tried. Among many that wait none is.
_PROBES_MAX: Final = 4
_PROBED_S: Final = 300.0
# Requests that may be spent on finding out which item of a refused request is bad: 2 log2(items) for one
# bad item, a little more for a few.
_BISECTION_REQUESTS_MAX: Final = 32
# Statuses that wait for the broker; nothing more is sent beyond.
_UNWRITTEN_MAX: Final = 20_000
# Behind a record of this age tombstones may be gone that nobody has read.
OLD_MS: Final = TOMBSTONES_MS // 2
_BUSY_WAIT_S: Final = (1.0, 2.0, 5.0, 10.0, 30.0)


@dataclass(frozen=True, slots=True)
class SinkTarget:
    """One target as the scheduler needs it; feeds in the order in which bulk work goes."""

    name: str
    dialect: Dialect
    batch_items_max: Mapping[str, int]
    rules: Rules = field(default_factory=Rules)
    # More of a feed's items without a record are not deleted without an operator's word.
    delete_guard_percent: int = 10


@dataclass(slots=True)
class _Part:
    """Identities that go in one request of their own: the rest or a half of a refused one."""

    keys: list[bytes]
    deleted: bool
    lane: Lane
    # Requests left for the whole bisection, shared by its halves.
    left: list[int] | None = None
    token_renewed: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One request to write now; `number` names it in `answered`."""

    number: int
    feed: str
    operation: Operation
    path: str
    body: bytes
    items: tuple[Submission, ...]
    part: _Part
    renew_token: bool


@dataclass(frozen=True, slots=True)
class Commit:
    """What goes into one transaction: records, and positions by topic and partition."""

    records: list[Outgoing]
    offsets: dict[tuple[str, int], int]


class Delivery:
    """Everything that is on its way to one target."""

    def __init__(
        self,
        target: SinkTarget,
        names: TopicNames,
        budget: Budget,
        clock: Clock,
        numbers: Iterator[int] | None = None,
    ) -> None:
        """`numbers` go on from an earlier delivery's, whose answers may still come."""
        self.target = target
        self._clock = clock
        self.control = names.control
        self._budget = budget
        self._window = Window()
        self._numbers = numbers or count(1)
        self._tree = Tree(target.dialect, target.rules.settle_s)
        self._feeds = {
            name: Feed(
                target.name,
                name,
                names,
                target.dialect,
                self._tree,
                items_max,
                target.rules,
                clock,
                self._numbers,
                self._write,
                partial(self._send_again, name),
            )
            for name, items_max in target.batch_items_max.items()
        }
        self._by_topic = {feed.topic: feed for feed in self._feeds.values()}
        self.scopes = Scopes()
        # Control records below were looked at when partitions were taken over.
        self.controls_end = 0
        # What a predecessor was told to send again, and may have been sending when it died.
        self._obeyed: list[Retry | Resend] = []
        # The target as it is configured, and where its statuses are true.
        self.address: Address | None = None
        self.known_address: Address | None = None
        # Why nothing at all is sent.
        self.held_back = ""
        self.reconcilers = {
            name: Reconciler(target.name, feed, self.control, self._write, clock, target.delete_guard_percent)
            for name, feed in self._feeds.items()
        }
        for name, feed in self._feeds.items():
            feed.waiting.tells = partial(self.scopes.tell, name)
        self._parts: dict[str, deque[_Part]] = {name: deque() for name in self._feeds}
        self._flying: dict[int, Request] = {}
        self._held_until = 0.0
        self._busy = 0
        # Items that go again at a time, both second sends and retries: (seconds, number, feed, key, wall ms).
        self._again: list[tuple[float, int, str, bytes, int]] = []
        self._fetching: set[Fetch] = set()
        self._unwritten: dict[tuple[str, bytes], Outgoing] = {}
        self._committed: dict[tuple[str, int], int] = {}
        self._wake_at: float | None = None

    def assign(
        self,
        feed_name: str,
        places: Sequence[Place],
        statuses: Iterable[tuple[bytes, bytes | None]] = (),
        letters: Iterable[tuple[bytes, bytes | None]] = (),
    ) -> None:
        """Take over all partitions of a feed with what its status and dead-letter topics say."""
        feed = self._feeds[feed_name]
        reconciler = self.reconcilers[feed_name]
        feed.assign(places, statuses, letters, reconciler.distrust_before_ms)
        for command in self._obeyed:
            if command.feed == feed_name:
                for key in _named_by(command, feed):
                    feed.doubt(key)
        reconciler.look(places)
        self._budget.recover(feed_name, feed.state.spent(self._clock.wall_ms()))
        for place in places:
            self._committed[feed.topic, place.partition] = place.committed

    def may_have_obeyed(self, target: str, command: Retry | Resend) -> None:
        """A predecessor that did not drain heard this; what is still to be done of it may be under way."""
        if command.target == target:
            self._obeyed.append(command)

    # What comes in.

    def scan(self, records: Iterable[Record]) -> None:
        """Records under the scan position, in the order of each partition; other topics are left alone."""
        old_ms = self._clock.wall_ms() - OLD_MS
        for record in records:
            feed = self._by_topic.get(record.topic)
            if feed is not None:
                feed.scan(record)
                self.reconcilers[feed.name].seen(record, is_old=record.timestamp_ms < old_ms)

    def reached(self, topic: str, partition: int, position: int) -> None:
        """Everything below `position` was scanned; this also passes transaction markers."""
        self._by_topic[topic].waiting.reached(partition, position)

    def fetched(
        self,
        fetch: Fetch,
        records: Sequence[Record],
        next_offset: int,
        contents: Contents = (),
    ) -> None:
        """Records that were asked for; those below `next_offset` that are missing no longer exist.

        Args:
            contents: what of them is mapped already, in their order.
        """
        if fetch not in self._fetching:
            return
        self._fetching.remove(fetch)
        feed = self._feeds[fetch.feed]
        if fetch.sweep:
            self.reconcilers[fetch.feed].fetched(fetch, records, next_offset)
            return
        if fetch.offsets:
            for entry in feed.waiting.pointed(fetch, records):
                held = feed.state.held(entry.key)
                if entry.first_offset is None and held is not None and held.hash in FALLEN:
                    # It may have been written anew without a change, which no status tells of.
                    self.reconcilers[fetch.feed].need("what fell has no record where its status says")
                feed.supersede(entry)
            return
        for record, content in zip_longest(records, contents):
            feed.bulk(record, content)
        feed.waiting.bulk_fetched(fetch, next_offset)

    def settle_address(self, own: Address) -> None:
        """The target as it is configured; it is remembered when no other is known."""
        self.address = own
        if self.known_address is None:
            self.known_address = own
            self._write(Outgoing(self.control, 0, address_key(own.target), msgspec.json.encode(own)))
        self.look_at_address()

    def look_at_address(self) -> None:
        """Nothing is known of a target at another address: an operator has to say that it is meant."""
        own, known = self.address, self.known_address
        if own is None or known is None or own == known:
            if self.held_back:
                log.info("target's address confirmed", extra={"target": self.target.name})
            self.held_back = ""
            return
        self.held_back = (
            f"targets.{own.target} is {own.text} now, and all that is known was accepted by {known.text}: "
            f"nothing is sent until 'commerce-sync resync --feed all --target {own.target} --no-reindex "
            "--force' has everything sent there, or the former address is set again"
        )
        log.error("target has another address", extra={"target": own.target, "reason": self.held_back})

    def scope(self, scope: Scope) -> None:
        """A website or store view is switched; what waits follows at once, the rest by a reconcile."""
        if self.scopes.put(scope):
            for feed in self._feeds.values():
                if feed.name in feeds_of(scope):
                    feed.waiting.judge_again()

    def pause(self, feed_name: str, paused: bool) -> None:
        """Stop sending a feed, or go on; records are taken up all the same."""
        self._feeds[feed_name].paused = paused

    def retry(self, feed_name: str, requested_ms: int, kind: str | None, keys: Iterable[bytes]) -> None:
        """An operator wants failing items sent again: those that failed before the request was made."""
        feed = self._feeds[feed_name]
        for key in feed.letters.failing(requested_ms, kind, frozenset(keys)):
            feed.revive(key, forced=True)

    def resend(self, feed_name: str, requested_ms: int, items: Iterable[ResendItem]) -> None:
        """An audit found the target to hold something else than these items."""
        for item in items:
            self._feeds[feed_name].resend(item, requested_ms)

    # What goes out.

    @property
    def feeds(self) -> Sequence[str]:
        return list(self._feeds)

    def feed(self, name: str) -> Feed:
        return self._feeds[name]

    @property
    def full(self) -> frozenset[str]:
        """Topics whose scan has to wait, each for its own feed: even pointers are too many."""
        return frozenset(feed.topic for feed in self._feeds.values() if feed.waiting.is_full)

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    @property
    def in_doubt(self) -> bool:
        """True when a successor could not know what the target holds."""
        return bool(self._flying) or any(feed.in_doubt for feed in self._feeds.values())

    @property
    def complaints(self) -> list[str]:
        """Why something is not sent, a sentence a feed."""
        circuits = [
            f"{feed.name}: {feed.circuit.reason}" for feed in self._feeds.values() if feed.circuit.is_open
        ]
        others = [self.held_back, *(reconciler.complaint for reconciler in self.reconcilers.values())]
        return [*(sentence for sentence in others if sentence), *circuits]

    def fetches(self) -> list[Fetch]:
        """Feed records to read beside the scan, each asked for once."""
        wanted = [fetch for feed in self._feeds.values() for fetch in feed.waiting.fetches()]
        for name, reconciler in self.reconcilers.items():
            waiting = len(self._feeds[name].waiting)
            wanted += reconciler.fetches()
            reconciler.record()
            if len(self._feeds[name].waiting) > waiting:
                self._wake(self._clock.seconds())
        self._fetching.update(wanted)
        return wanted

    def requests(self) -> Iterator[Request]:
        """Requests to write now: all live ones, and one of bulk, so that a live item never waits for long.

        `wake_s` says afterwards when there is more to do.
        """
        now = self._clock.seconds()
        self._wake_at = None
        self._take_due(now)
        for feed in self._feeds.values():
            feed.waiting.wake(now)
            self._wake(feed.waiting.next_due)
        while (request := self._next("live", now)) is not None:
            yield request
        if (request := self._next("bulk", now)) is not None:
            self._wake(now)
            yield request

    def wake_s(self) -> float | None:
        """Seconds until `requests` may have more without anything having come in; None means never."""
        times = [at for at in (self._wake_at, self._again[0][0] if self._again else None) if at is not None]
        return max(0.0, min(times) - self._clock.seconds()) if times else None

    def commit(self) -> Commit | None:
        """What to write in one transaction now; None when there is nothing new."""
        for feed in self._feeds.values():
            feed.forget_deleted()
        offsets = {
            (feed.topic, partition): feed.waiting.commit_position(partition)
            for feed in self._feeds.values()
            for partition in feed.waiting.partitions
        }
        moved = {place: offset for place, offset in offsets.items() if self._committed[place] != offset}
        if not moved and not self._unwritten:
            return None
        records = list(self._unwritten.values())
        self._unwritten = {}
        for reconciler in self.reconcilers.values():
            reconciler.committing()
        self._committed |= moved
        # A process that was replaced is fenced by positions only, so there is always one.
        place, offset = next(iter(self._committed.items()))
        return Commit(records, moved or {place: offset})

    def written(self, commit: Commit) -> None:
        """The transaction is durable."""
        for (topic, partition), offset in commit.offsets.items():
            self._by_topic[topic].waiting.committed(partition, offset)
        for reconciler in self.reconcilers.values():
            reconciler.written()

    @property
    def has_news(self) -> bool:
        """There is something to write, though nothing came in."""
        return bool(self._unwritten)

    def lag(self) -> dict[str, int]:
        """Records taken in and not settled, by topic."""
        return {
            feed.topic: sum(
                feed.waiting.scan_next(partition) - feed.waiting.commit_position(partition)
                for partition in feed.waiting.partitions
            )
            for feed in self._feeds.values()
        }

    # Choosing.

    def _next(self, lane: Lane, now: float) -> Request | None:
        """The next request of a lane; items that need none are settled on the way."""
        for feed in self._in_turn(lane):
            while self._has_room(lane):
                permission = self._permission(feed, lane, now)
                part = (
                    None
                    if permission == "none"
                    else self._pick(feed, lane, 1 if permission == "probe" else 0)
                )
                if part is None:
                    break
                items = self._items(feed, part)
                self._look_at_guard(feed, now)
                if items:
                    return self._request(feed, part, items)
                if lane == "bulk":
                    # Judging items that need no request takes time too: live ones may have come meanwhile.
                    self._wake(now)
                    return None
        return None

    def _in_turn(self, lane: Lane) -> list[Feed]:
        """Live: by how long the first has waited. Bulk: in the order of the feeds."""
        heads = []
        for place, feed in enumerate(self._feeds.values()):
            if feed.paused or self.held_back:
                continue
            head = feed.waiting.head(lane)
            if any(part.lane == lane for part in self._parts[feed.name]):
                heads.append((0, place, feed))
            elif head is not None:
                heads.append((head.number if lane == "live" else 1, place, feed))
        return [feed for _, _, feed in sorted(heads, key=lambda head: head[:2])]

    def _has_room(self, lane: Lane) -> bool:
        window = self._window.size if lane == "live" else self._window.bulk_size
        if self._clock.seconds() < self._held_until:
            self._wake(self._held_until)
            return False
        return len(self._flying) < window and len(self._unwritten) < _UNWRITTEN_MAX

    def _permission(self, feed: Feed, lane: Lane, now: float) -> Permission:
        permission = feed.circuit.permits(now)
        if permission == "none" and feed.circuit.probe_at > now:
            self._wake(feed.circuit.probe_at)
        if permission == "probe":
            # By turns: a live item that breaks the service must not be the only one that is ever tried.
            other: Lane = "live" if lane == "bulk" else "bulk"
            turn: Lane = "bulk" if feed.circuit.probes % 2 == 0 else "live"
            return "probe" if lane == turn or feed.waiting.head(other) is None else "none"
        return permission

    def _pick(self, feed: Feed, lane: Lane, items_max: int) -> _Part | None:
        """Identities for one request that the allowance grants now."""
        parts = self._parts[feed.name]
        part = next((part for part in parts if part.lane == lane), None)
        if part is not None:
            if not self._granted(feed, len(part.keys), lane):
                return None
            parts.remove(part)
            return part
        head = feed.waiting.head(lane)
        if head is None:
            return None
        # What was in failing requests goes in ever smaller ones, until the bad item stands alone.
        most = max(1, items_max or feed.items_max >> head.attempts)
        most = min(most, feed.waiting.count(lane, head.deleted))
        if lane == "live":
            most = self._budget.affordable(feed.name, most) or 1
        else:
            most = min(most, self._budget.portion(feed.name, feed.items_max))
        if not self._granted(feed, most, lane):
            return None
        part = _Part([], head.deleted, lane)
        while len(part.keys) < most and (entry := feed.waiting.pop(lane, head.deleted)) is not None:
            if entry.attempts != head.attempts:
                feed.waiting.enqueue(entry, front=True)
                break
            part.keys.append(entry.key)
        # Nothing was taken from the queue: it goes on when what was asked for is there.
        return None if not part.keys and feed.waiting.head(lane) is head else part

    def _granted(self, feed: Feed, items: int, lane: Lane) -> bool:
        wait_s = self._budget.wait_s(feed.name, items, bulk=lane == "bulk")
        if wait_s > 0:
            self._wake(self._clock.seconds() + wait_s)
        return wait_s <= 0

    def _items(self, feed: Feed, part: _Part) -> list[Submission]:
        """A part's items as they are sent; what does not fit into the body goes next."""
        items: list[Submission] = []
        size = 0
        for place, key in enumerate(part.keys):
            entry = feed.waiting.get(key)
            if entry is None or entry.in_flight:
                continue
            if entry.deleted != part.deleted:
                # What came meanwhile needs another call.
                feed.waiting.enqueue(entry)
                continue
            if entry.record is None and not entry.deleted:
                feed.waiting.want(entry)
                continue
            item = feed.prepared(entry)
            if item is None:
                continue
            if not fits(size, item):
                rest = _Part(part.keys[place:], part.deleted, part.lane, part.left)
                self._parts[feed.name].appendleft(rest)
                break
            items.append(item)
            size += len(item.body) + 1
        return items

    def _request(self, feed: Feed, part: _Part, items: list[Submission]) -> Request:
        for item in items:
            entry = feed.waiting.get(item.key)
            assert entry is not None
            feed.waiting.flies(entry)
        self._budget.spend(feed.name, len(items))
        if feed.circuit.is_open:
            feed.circuit.probing()
        operation = items[0].operation
        request = Request(
            number=next(self._numbers),
            feed=feed.name,
            operation=operation,
            path=self.target.dialect.path(feed.name, operation),
            body=body(feed.stamped(items)),
            items=tuple(items),
            part=part,
            renew_token=part.token_renewed,
        )
        self._flying[request.number] = request
        self._tree.flies(feed.name, items)
        return request

    # Judging.

    def answered(self, number: int, answer: Answer) -> None:
        """The answer to a request, or that none came; one that was given up already changes nothing."""
        request = self._flying.pop(number, None)
        if request is None:
            return
        feed = self._feeds[request.feed]
        self._tree.lands(feed.name, request.items)
        verdict = self.target.dialect.judge(answer, len(request.items))
        status = str(answer.status) if answer.status > 0 else "error"
        metrics.HTTP_REQUESTS.labels(self.target.name, feed.name, request.operation, status).inc()
        now = self._clock.seconds()
        if verdict.outcome_unknown:
            for item in request.items:
                feed.state.doubt(item.key, item.hash, now + self.target.rules.request_timeout_s)
        match verdict.decision:
            case "delivered" | "refused" | "split":
                self._understood(feed, request, verdict, answer, now)
            case "wait" if verdict.outcome_unknown:
                self._failed(feed, request, verdict, now)
            case "wait":
                self._busy_until(feed, request, verdict, now)
            case "token" if not request.part.token_renewed:
                feed.circuit.passed()
                self._return(feed, request, request.items)
                again = self._part_of(request, request.items)
                again.token_renewed = True
                self._parts[feed.name].appendleft(again)
            case _:
                self._about_us(feed, request, verdict, now)

    def _understood(self, feed: Feed, request: Request, verdict: Verdict, answer: Answer, now: float) -> None:
        """The service judged the items."""
        closed = feed.circuit.succeeded()
        self._window.widen()
        self._busy = 0
        refused = verdict.refused or {}
        if verdict.decision == "split":
            self._halve(feed, request, verdict, answer.request_id)
        else:
            rest = []
            for index, item in enumerate(request.items):
                if index in refused:
                    feed.settle(item, "attention", answer.request_id, refused[index])
                elif verdict.decision == "delivered":
                    outcome: Outcome = "deleted" if item.operation == "delete" else "delivered"
                    feed.settle(item, outcome, answer.request_id)
                else:
                    # The others were only refused with them.
                    rest.append(item)
            self._go_again(feed, request, rest)
        if closed and verdict.decision == "delivered" and not refused:
            feed.guard.forget()
        self._look_at_guard(feed, now)
        if closed and not feed.circuit.is_open:
            log.info("target takes requests again", extra={"target": self.target.name, "feed": feed.name})

    def _halve(self, feed: Feed, request: Request, verdict: Verdict, request_id: str | None) -> None:
        items = request.items
        if len(items) == 1:
            feed.settle(items[0], "attention", request_id, verdict.reason)
            return
        left = request.part.left
        if verdict.too_much:
            feed.limit(len(items) // 2)
        else:
            left = request.part.left = left or [_BISECTION_REQUESTS_MAX]
            left[0] -= 1
            if left[0] <= 0:
                for item in items:
                    feed.settle(item, "retryable", request_id, verdict.reason)
                return
        middle = len(items) // 2
        self._go_again(feed, request, items[middle:])
        self._go_again(feed, request, items[:middle])

    def _go_again(self, feed: Feed, request: Request, items: Sequence[Submission]) -> None:
        """At once, in a request of their own, before what waits."""
        self._return(feed, request, items)
        if items:
            self._parts[feed.name].appendleft(self._part_of(request, items))

    def _failed(self, feed: Feed, request: Request, verdict: Verdict, now: float) -> None:
        """Nobody knows what became of it: again after a while, the same content or none."""
        self._window.narrow()
        was_open = feed.circuit.is_open
        is_open = feed.circuit.failed(now, verdict.reason)
        if is_open and not was_open:
            self._opened(feed)
        for item in request.items:
            entry = feed.waiting.get(item.key)
            if entry is None:
                continue
            feed.waiting.returns(entry, item.commit_ms)
            if entry.offset == item.offset:
                entry.failing_since = min(entry.failing_since, now)
                entry.attempts += not is_open
                entry.probes += was_open and len(request.items) == 1
                if _is_to_blame(entry, feed.circuit, now):
                    feed.settle(item, "retryable", None, verdict.reason)
                    continue
            wait_s = BACKOFF_S[min(entry.attempts, len(BACKOFF_S) - 1)]
            feed.waiting.delay(entry, now + max(wait_s, verdict.retry_after_s or 0.0))

    def _busy_until(self, feed: Feed, request: Request, verdict: Verdict, now: float) -> None:
        """The whole target has had enough for a while; no item is worse for it."""
        self._window.narrow()
        feed.circuit.passed()
        wait_s = verdict.retry_after_s
        if not wait_s:
            # Also told to come at once: it would be asked in a circle.
            wait_s = _BUSY_WAIT_S[min(self._busy, len(_BUSY_WAIT_S) - 1)]
        self._busy += 1
        self._held_until = max(self._held_until, now + wait_s)
        self._go_again(feed, request, request.items)

    def _about_us(self, feed: Feed, request: Request, verdict: Verdict, now: float) -> None:
        """Address or credentials are wrong: nothing is parked, a probe asks now and then."""
        was_open = feed.circuit.is_open
        feed.circuit.refused_us(now, verdict.reason, verdict.retry_after_s or OURS_S)
        self._return(feed, request, request.items)
        for item in reversed(request.items):
            entry = feed.waiting.get(item.key)
            if entry is not None:
                feed.waiting.enqueue(entry, front=True)
        if not was_open:
            self._opened(feed)

    def _opened(self, feed: Feed) -> None:
        log.error(
            "target takes no requests",
            extra={"target": self.target.name, "feed": feed.name, "reason": feed.circuit.reason},
        )
        # Only single items go as probes; the others wait in their queues.
        for part in reversed(self._parts[feed.name]):
            for key in reversed(part.keys):
                entry = feed.waiting.get(key)
                if entry is not None and not entry.in_flight:
                    feed.waiting.enqueue(entry, front=True)
        self._parts[feed.name].clear()

    def _look_at_guard(self, feed: Feed, now: float) -> None:
        if feed.guard.trips and not feed.circuit.is_open:
            feed.circuit.refused_us(now, feed.guard.reason)
            self._opened(feed)

    def _return(self, feed: Feed, request: Request, items: Sequence[Submission]) -> None:
        for item in items:
            entry = feed.waiting.get(item.key)
            if entry is not None:
                feed.waiting.returns(entry, item.commit_ms)

    def _part_of(self, request: Request, items: Sequence[Submission]) -> _Part:
        part = request.part
        return _Part([item.key for item in items], part.deleted, part.lane, part.left)

    # What goes again by itself.

    def _send_again(self, feed: str, key: bytes, at_ms: int) -> None:
        """Once more at a moment of the wall clock, kept as a time from now: that clock may be set."""
        rules = self.target.rules
        # A clock that was set back before this start must not make it wait for that time besides.
        wait_s = min((at_ms - self._clock.wall_ms()) / 1000, max(rules.retry_s, rules.settle_s))
        at = self._clock.seconds() + wait_s
        heapq.heappush(self._again, (at, next(self._numbers), feed, key, at_ms))

    def _take_due(self, now: float) -> None:
        """Retries and second sends whose time has come."""
        while self._again and self._again[0][0] <= now:
            _, _, name, key, at_ms = heapq.heappop(self._again)
            # What was settled meanwhile has another time, which stands here by itself, or none.
            if self._feeds[name].due_ms(key) == at_ms:
                self._feeds[name].revive(key)

    def _write(self, record: Outgoing) -> None:
        self._unwritten[record.topic, record.key] = record

    def _wake(self, at: float | None) -> None:
        if at is not None and (self._wake_at is None or at < self._wake_at):
            self._wake_at = at


def _is_to_blame(entry: Entry, circuit: Circuit, now: float) -> bool:
    """Whether an item failed so often that no other is to wait for it."""
    if circuit.is_open:
        return entry.probes >= _PROBES_MAX and now >= entry.failing_since + _PROBED_S
    # A few failures in a row open the circuit: others succeeded between these.
    return entry.attempts >= ATTEMPTS_MAX


def _named_by(command: Retry | Resend, feed: Feed) -> Iterable[bytes]:
    """The keys of a feed that a command still asks for."""
    if isinstance(command, Retry):
        keys = frozenset(key.encode() for key in command.keys)
        return feed.letters.failing(command.requested_ms, command.kind, keys)
    named = (item.key.encode() for item in command.items)
    return (key for key in named if not feed.was_judged_since(key, command.requested_ms))
