"""What stands above and below an item at the service: what waits, falls and comes back with it. Pure.

A category's delete takes those below it along, a price book's its child books and prices; creating it again
within a week brings them back as they were. A price whose book is not there is taken and lost.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import msgspec

from consumers.sink.batch import Submission
from consumers.sink.dialects import Dialect
from consumers.sink.state import Held, TargetState
from consumers.sink.waiting import Entry, Waiting

# Longer than the service remembers what fell with a delete.
REMEMBERED_S: Final = 8 * 24 * 3600.0
# Who waits for another item hears of its end at once; this is how often it looks by itself.
_LOOK_S: Final = 5.0
# A delete looks so often whether requests below it are over.
_TURN_S: Final = 0.1
# What an item stands on may come a little later than the item; what was not in sight so long does not come.
GRACE_S: Final = 10.0


_NAMES: Final = {"priceBooks": "price book"}


class Node(NamedTuple):
    """An item of a feed by the key of its record."""

    feed: str
    key: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """The item cannot go now: it looks again at `until`; without that nobody knows when it can, and `on`
    names what it stands on."""

    on: Node
    until: float | None = None


class Branch(Protocol):
    """A feed as the tree sees it."""

    name: str
    waiting: Waiting
    state: TargetState

    def fell(self, key: bytes, held: Held, *, certainly: bool) -> None:
        """The delete of what stood above took this item along; or did so if that was there."""

    def came_back(self, key: bytes, held: Held) -> None:
        """What stood above is there again, and this item with it, as it was."""

    def released(self, key: bytes) -> None:
        """What this item waited for has ended."""


class Tree:
    """All feeds of one target, as far as the dialect says that their items stand on each other."""

    def __init__(self, dialect: Dialect, settle_s: float) -> None:
        self._dialect = dialect
        self._settle_ms = round(settle_s * 1000)
        self._branches: dict[str, Branch] = {}
        self._waiters: dict[Node, dict[Node, None]] = {}
        self._missing_since: dict[Node, float] = {}
        self._created_ms: dict[Node, int] = {}
        self._flying_below: Counter[Node] = Counter()
        self._flying_deletes: set[Node] = set()
        # What others stand on and the target may not have, though a status says so.
        self._lost: set[Node] = set()

    def add(self, branch: Branch) -> None:
        self._branches[branch.name] = branch

    def above(self, feed: str, key: bytes) -> tuple[Node, ...]:
        """What an item stands on or falls with, nearest first; only what this target is sent by us."""
        if not self._dialect.stands_below(feed):
            return ()
        try:
            nodes = self._dialect.above(feed, msgspec.json.decode(key))
        except (msgspec.DecodeError, LookupError, TypeError, AttributeError):
            return ()
        return tuple(Node(*node) for node in nodes if node[0] in self._branches)

    def name(self, node: Node) -> str:
        """For people."""
        values = msgspec.json.decode(node.key, type=dict[str, str]).values()
        return f"{_NAMES.get(node.feed, node.feed)} {', '.join(values)}"

    # What goes.

    def wait(self, feed: str, entry: Entry, item: Submission, now: float) -> Wait | None:
        """Why an item cannot go now; None when it can."""
        node = Node(feed, entry.key)
        for top in self.above(feed, entry.key):
            if self._is_unsettled(top):
                self._waiters.setdefault(top, {})[node] = None
                return Wait(top, now + _LOOK_S)
        if item.operation == "delete":
            return Wait(node, now + _TURN_S) if self._flying_below[node] else None
        top_missing = self.missing(feed, entry.key)
        if top_missing is None:
            return None
        self._waiters.setdefault(top_missing, {})[node] = None
        if self._comes(top_missing):
            return Wait(top_missing, now + _LOOK_S)
        until = self._missing_since.setdefault(top_missing, now) + GRACE_S
        return Wait(top_missing, until if until > now else None)

    def waits(self, feed: str, key: bytes) -> None:
        """An item that waits for what it stands on, as its dead letter tells."""
        for top in self.above(feed, key):
            self._waiters.setdefault(top, {})[Node(feed, key)] = None

    def missing(self, feed: str, key: bytes) -> Node | None:
        """The uppermost of what an item stands on and the target does not hold."""
        if not self._dialect.stands_on(feed):
            return None
        return next((top for top in reversed(self.above(feed, key)) if not self.is_there(top)), None)

    def lose(self, feed: str, keys: Iterable[bytes]) -> None:
        """The target may not hold these any more: what stands on them waits until they are accepted."""
        if self._dialect.below(feed):
            self._lost.update(Node(feed, key) for key in keys)

    def is_lost(self, feed: str, key: bytes) -> bool:
        return Node(feed, key) in self._lost

    def found(self, feed: str, *keys: bytes) -> None:
        """The status tells again what the target holds; without keys, all of a feed's do.

        Who waited heard of the status while it was not believed yet.
        """
        nodes = {Node(feed, key) for key in keys} or {node for node in self._lost if node.feed == feed}
        found = self._lost & nodes
        self._lost -= found
        for node in found:
            self._release(node)

    def _is_unsettled(self, node: Node) -> bool:
        """A delete or a return of it is waiting, under way, or may still take effect."""
        if node in self._flying_deletes:
            return True
        branch = self._branches[node.feed]
        entry = branch.waiting.get(node.key)
        if entry is None:
            return False
        held = branch.state.held(node.key)
        returns = held is not None and held.outcome == "deleted"
        return entry.deleted or entry.again or returns or branch.state.is_unknown(node.key)

    def is_there(self, node: Node) -> bool:
        if node in self._lost:
            return False
        held = self._branches[node.feed].state.held(node.key)
        return held is not None and (held.outcome == "delivered" or held.there)

    def _comes(self, node: Node) -> bool:
        entry = self._branches[node.feed].waiting.get(node.key)
        return entry is not None and not entry.deleted

    def flies(self, feed: str, items: Iterable[Submission]) -> None:
        for item in items:
            for top in self.above(feed, item.key):
                self._flying_below[top] += 1
            if item.operation == "delete":
                self._flying_deletes.add(Node(feed, item.key))

    def lands(self, feed: str, items: Iterable[Submission]) -> None:
        for item in items:
            for top in self.above(feed, item.key):
                self._flying_below[top] -= 1
                if not self._flying_below[top]:
                    del self._flying_below[top]
            if item.operation == "delete":
                self._flying_deletes.discard(Node(feed, item.key))

    # What became of it.

    def settled(self, feed: str, key: bytes, before: Held | None, now_ms: int, *, lost: bool = False) -> None:
        """An item has ended, for now; `before` is what was known of it until then, with `lost` not believed.

        One that failed before it is there again may have been deleted before that.
        """
        below = self._dialect.below(feed)
        if not below and not self._waiters:
            return
        node = Node(feed, key)
        held = self._branches[feed].state.held(key)
        if below and held is not None:
            was_there = before is not None and not lost and (before.outcome == "delivered" or before.there)
            if held.outcome == "deleted" and (lost or before is None or before.outcome != "deleted"):
                self._fall(node, certainly=was_there)
            elif held.outcome == "delivered" and not was_there:
                self._created_ms[node] = now_ms
                self._missing_since.pop(node, None)
                if before is not None and before.outcome != "delivered":
                    self._come_back(node)
        self._release(node)

    def _release(self, node: Node) -> None:
        for waiter in self._waiters.pop(node, ()):
            self._branches[waiter.feed].released(waiter.key)

    def began(self, feed: str, statuses: Iterable[tuple[bytes, Held]], now_ms: int) -> None:
        """What was accepted a moment ago, by another process, may have been created by that."""
        if self._dialect.below(feed):
            for key, held in statuses:
                if held.outcome == "delivered" and held.time_ms > now_ms - self._settle_ms:
                    self._created_ms[Node(feed, key)] = held.time_ms

    def again_ms(self, feed: str, key: bytes, now_ms: int) -> int | None:
        """When an item that was accepted now goes once more for the sake of what it stands on or falls with.

        The service may not have had that yet, or a request about it may still take effect.
        """
        above = self.above(feed, key)
        if not above:
            return None
        times = []
        for top in above:
            held = self._branches[top.feed].state.held(top.key)
            if held is not None and held.again_ms is not None:
                times.append(held.again_ms)
            if self._dialect.stands_on(feed):
                times.append(self._created_ms.get(top, 0) + self._settle_ms)
        return max((time for time in times if time > now_ms), default=None)

    def _fall(self, node: Node, *, certainly: bool) -> None:
        for branch, key, held in self._below(node, deleted=False):
            if held.outcome == "delivered" or held.there:
                branch.fell(key, held, certainly=certainly)

    def _come_back(self, node: Node) -> None:
        for branch, key, held in self._below(node, deleted=True):
            branch.came_back(key, held)

    def _below(self, node: Node, *, deleted: bool) -> list[tuple[Branch, bytes, Held]]:
        """Items with a status. All of a feed are looked at: it is rare that one of those above goes."""
        branches = [self._branches[feed] for feed in self._dialect.below(node.feed) if feed in self._branches]
        return [
            (branch, key, held)
            for branch in branches
            for key, held in branch.state.all(deleted=deleted)
            if node in self.above(branch.name, key)
        ]
