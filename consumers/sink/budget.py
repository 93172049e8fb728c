"""The service's allowance: requests and items a minute and a day, kept together for all feeds. Pure."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from runtime.settings import BudgetSettings

_MINUTE_S: Final = 60.0
_DAY_S: Final = 86_400.0
# How much of a minute's allowance may be spent at once; the rest comes evenly.
_BURST: Final = 0.1
# A request is counted when it is written and by the service when it arrives.
_JITTER_S: Final = 0.3
_SHORTEST_S: Final = 1e-6
# Live items may be so much of a day's allowance ahead of its even pace; bulk work makes up for it.
_LENT_TO_LIVE: Final = 0.4
# What bulk work leaves for live items: of the burst, and of the allowance.
_KEPT_OF_BURST: Final = 0.25
_KEPT_OF_AMOUNT: Final = 0.01
_PRICED: Final = frozenset({"prices", "priceBooks"})


class Budget:
    """Token buckets that are all asked before any is spent. The clock is monotonic seconds."""

    def __init__(self, settings: BudgetSettings, clock: Callable[[], float]) -> None:
        self._clock = clock
        now = clock()
        self._requests = _Bucket(settings.requests_per_minute, _MINUTE_S, now)
        self._prices = [_Bucket(settings.prices_per_minute, _MINUTE_S, now)]
        self._products = [
            _Bucket(settings.products_per_minute, _MINUTE_S, now),
            _Bucket(settings.products_per_day, _DAY_S, now, lent=settings.products_per_day * _LENT_TO_LIVE),
        ]

    def wait_s(self, feed: str, items: int, *, bulk: bool = False) -> float:
        """Seconds until one request of `items` items may go; 0.0 means now. Bulk leaves a rest for live."""
        now = self._clock()
        waits = [bucket.wait_s(items, now, bulk) for bucket in self._of(feed)]
        wait_s = max(self._requests.wait_s(1, now, bulk), *waits, 0.0)
        # Sums of fractions: a wait too short to be told from none would be asked for for ever.
        return wait_s if wait_s > _SHORTEST_S else 0.0

    def affordable(self, feed: str, items: int) -> int:
        """How many of `items` live items may go in one request now; 0 when none may."""
        if self.wait_s(feed, items) <= 0:
            return items
        now = self._clock()
        if self._requests.wait_s(1, now, False) > _SHORTEST_S:
            return 0
        return max(0, min([items, *(bucket.room(now) for bucket in self._of(feed))]))

    def portion(self, feed: str, items: int) -> int:
        """The size of full bulk requests: at most `items`, and so that they use an allowance up."""
        return min([items, *(bucket.portion(items) for bucket in self._of(feed))])

    def spend(self, feed: str, items: int) -> None:
        now = self._clock()
        self._requests.spend(1, now)
        for bucket in self._of(feed):
            bucket.spend(items, now)

    def recover(self, feed: str, spent: Iterable[tuple[float, int]]) -> None:
        """What an earlier process spent, oldest first: (seconds ago, items). What is known already stays."""
        now = self._clock()
        known = [(now - max(0.0, age_s), items) for age_s, items in spent]
        for bucket in self._of(feed):
            bucket.recover(known, now)

    def _of(self, feed: str) -> list["_Bucket"]:
        # The licence counts products; metadata and categories cost requests only.
        return self._prices if feed in _PRICED else self._products if feed == "products" else []


class _Bucket:
    """Fills evenly, and no window of its period ever holds more than `amount`; 0 means without limit.

    `lent`: what live items may take before it is there.
    """

    def __init__(self, amount: int, period_s: float, now: float, lent: float = 0.0) -> None:
        self._amount = amount
        self._lent = lent
        self._kept = max(1.0, amount * _KEPT_OF_AMOUNT)
        self._rate = amount / period_s
        self._size = max(amount * _BURST, min(amount, 100.0))
        self._level = self._size
        self._at = now
        self._window_s = period_s + _JITTER_S
        # Spent in slots of the period, oldest first: [begin, amount]. A slot leaves the window as a whole.
        self._slot_s = period_s / 600
        self._spent: deque[list[float]] = deque()
        self._used = 0.0

    def wait_s(self, wanted: int, now: float, bulk: bool) -> float:
        if not self._rate:
            return 0.0
        self._fill(now)
        kept = self._size * _KEPT_OF_BURST if bulk else 0.0
        # A request larger than the bucket goes when it is full and leaves a debt.
        there = self._level if bulk else self._level + self._lent
        pace_s = (min(wanted + kept, self._size) - there) / self._rate
        return max(pace_s, self._window_wait_s(wanted, now, bulk))

    def room(self, now: float) -> int:
        if not self._rate:
            return 1 << 30
        self._fill(now)
        return int(min(self._level + self._lent, self._amount - self._used))

    def portion(self, items: int) -> int:
        if not self._rate:
            return items
        share = self._amount - self._kept
        return max(1, int(share / max(1, math.ceil(share / items))))

    def spend(self, amount: int, now: float) -> None:
        if not self._rate:
            return
        self._fill(now)
        self._level -= amount
        self._used += amount
        if self._spent and now - self._spent[-1][0] < self._slot_s:
            self._spent[-1][1] += amount
        else:
            self._spent.append([now, amount])

    def recover(self, spent: Sequence[tuple[float, int]], now: float) -> None:
        """Spend at (time, amount) what others spent in the window, unless we know of more."""
        within = [(at, amount) for at, amount in spent if at > now - self._window_s]
        self._fill(now)
        if not self._rate or sum(amount for _, amount in within) <= self._used:
            return
        self._spent.clear()
        self._used, self._level, self._at = 0.0, self._size, now - self._window_s
        for at, amount in within:
            self.spend(amount, at)
            # Several processes had a burst each; only the window is owed.
            self._level = max(0.0, self._level)
        self._fill(now)

    def _window_wait_s(self, wanted: int, now: float, bulk: bool) -> float:
        most = self._amount - self._kept if bulk else self._amount
        over = self._used + wanted - most
        for at, amount in self._spent:
            if over <= 0:
                break
            over -= amount
            wait_s = at + self._slot_s + self._window_s - now
            if over <= 0:
                return wait_s
        # What alone exceeds the allowance passes in an empty window: it could never pass otherwise.
        if over > 0 and self._spent:
            return self._spent[-1][0] + self._slot_s + self._window_s - now
        return 0.0

    def _fill(self, now: float) -> None:
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now
        while self._spent and self._spent[0][0] + self._slot_s + self._window_s <= now:
            self._used -= self._spent.popleft()[1]
