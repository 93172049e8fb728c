"""The service's allowance: requests and items a minute and a day, kept together."""

from collections.abc import Callable
from typing import Final

from runtime.settings import BudgetSettings

_MINUTE_S: Final = 60.0
_DAY_S: Final = 86_400.0
# How much of a minute's allowance may be spent at once; the rest comes evenly.
_BURST: Final = 0.1


class Budget:
    """Token buckets that are all asked before any is spent. The clock is monotonic seconds."""

    def __init__(self, settings: BudgetSettings, feed: str, clock: Callable[[], float]) -> None:
        self._clock = clock
        items_per_minute = (
            settings.prices_per_minute if feed in {"prices", "priceBooks"} else settings.products_per_minute
        )
        items_per_day = 0 if feed in {"prices", "priceBooks"} else settings.products_per_day
        now = clock()
        self._requests = [_Bucket(settings.requests_per_minute, _MINUTE_S, now)]
        self._items = [_Bucket(items_per_minute, _MINUTE_S, now), _Bucket(items_per_day, _DAY_S, now)]

    def take(self, items: int) -> float:
        """Spend one request of `items` items: 0.0 when granted, else the seconds to wait first."""
        now = self._clock()
        asked = [(bucket, 1) for bucket in self._requests] + [(bucket, items) for bucket in self._items]
        wait_s = max(bucket.wait_s(amount, now) for bucket, amount in asked)
        if wait_s <= 0:
            for bucket, amount in asked:
                bucket.spend(amount)
        return max(wait_s, 0.0)


class _Bucket:
    """Fills evenly; `amount` 0 means without limit."""

    def __init__(self, amount: int, period_s: float, now: float) -> None:
        self._rate = amount / period_s
        self._size = max(amount * _BURST, min(amount, 100.0))
        self._level = self._size
        self._at = now

    def wait_s(self, wanted: int, now: float) -> float:
        if not self._rate:
            return 0.0
        self._level = min(self._size, self._level + (now - self._at) * self._rate)
        self._at = now
        # A request larger than the bucket goes when it is full and leaves a debt.
        return (min(wanted, self._size) - self._level) / self._rate

    def spend(self, amount: int) -> None:
        if self._rate:
            self._level -= amount
