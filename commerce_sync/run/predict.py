"""How many requests a target would be sent, and how long they last under its allowance. Pure."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from consumers.sink.batch import BODY_BYTES_MAX, Operation
from consumers.sink.budget import Budget
from consumers.sink.dialects import Unmappable
from consumers.sink.dialects.choose import dialect_of
from runtime.settings import TargetSettings
from schemas.keys import canonical_json

Item = Mapping[str, Any]


@dataclass(slots=True)
class _Batches:
    """Full requests of one feed and operation, closed by count and bytes as the sink closes them."""

    items_max: int
    closed: list[int] = field(default_factory=list)
    items: int = 0
    size: int = 0

    def add(self, size: int) -> None:
        if self.items >= self.items_max or (self.items and self.size + size + 1 > BODY_BYTES_MAX):
            self.closed.append(self.items)
            self.items = self.size = 0
        self.items += 1
        self.size += size + 1

    def counts(self) -> list[int]:
        return [*self.closed, self.items] if self.items else list(self.closed)


class Prediction:
    """What becomes of a resync at one target; its items are told one by one."""

    def __init__(self, target: TargetSettings) -> None:
        self._target = target
        self._dialect = dialect_of(target)
        budget = Budget(target.budget, lambda: 0.0)
        self._batches: dict[tuple[str, Operation], _Batches] = {
            (feed, operation): _Batches(budget.portion(feed, target.batch_items_max(feed)))
            for feed in target.sent_feeds
            for operation in _OPERATIONS
        }
        self.refused = 0

    def upsert(self, feed: str, key: str, before: Item | None, after: Item) -> None:
        """An item that is written to its feed; `before` is what the target was given, if that is known."""
        if not self._wants(feed, key):
            return
        try:
            payload = self._payload(feed, after)
        except Unmappable:
            self.refused += 1
            return
        # What the dialect does not send costs nothing.
        if before is None or payload != self._payload_or_none(feed, before):
            self._batches[feed, "upsert"].add(len(payload))

    def delete(self, feed: str, key: str) -> None:
        """An item that is taken back."""
        if self._wants(feed, key):
            self._batches[feed, "delete"].add(len(key))

    @property
    def items(self) -> int:
        return sum(sum(batches.counts()) for batches in self._batches.values())

    @property
    def requests(self) -> int:
        return sum(len(batches.counts()) for batches in self._batches.values())

    def minutes(self) -> float:
        """From the first request to the last, with the whole allowance for this alone.

        As the sink chooses: the first feed in order that its allowance lets go, so feeds with an allowance of
        their own go side by side.
        """
        now = 0.0
        budget = Budget(self._target.budget, lambda: now)
        waiting = {feed: requests for feed in self._target.sent_feeds if (requests := self._requests(feed))}
        while waiting:
            waits = {feed: budget.wait_s(feed, sizes[0], bulk=True) for feed, sizes in waiting.items()}
            feed = min(waits, key=lambda name: waits[name])
            if waits[feed] > 0:
                now += waits[feed]
                continue
            budget.spend(feed, waiting[feed].popleft())
            if not waiting[feed]:
                del waiting[feed]
        return now / 60

    def _requests(self, feed: str) -> deque[int]:
        """Items of each request of a feed, in their order."""
        return deque(count for operation in _OPERATIONS for count in self._batches[feed, operation].counts())

    def _wants(self, feed: str, key: str) -> bool:
        if feed not in self._target.sent_feeds:
            return False
        return self._dialect.wants(feed, msgspec.json.decode(key))

    def _payload(self, feed: str, item: Item) -> bytes:
        return canonical_json(self._dialect.payload(feed, item))

    def _payload_or_none(self, feed: str, item: Item) -> bytes | None:
        try:
            return self._payload(feed, item)
        except Unmappable:
            return None


_OPERATIONS: tuple[Operation, ...] = ("upsert", "delete")
