"""An allowance per minute, counted in windows that begin with their first use."""

import math
from collections.abc import Callable
from typing import Final

WINDOW_S: Final = 60.0


class MinuteAllowance:
    """At most `limit` units in a window; 0 means no limit."""

    def __init__(self, limit: int, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._began_at = -math.inf
        self._used = 0

    def take(self, units: int = 1) -> int | None:
        """Count `units`, or count nothing and say after how many whole seconds to come again.

        What alone exceeds the limit passes in a fresh window: it could never pass otherwise.
        """
        now_s = self._clock()
        if now_s >= self._began_at + WINDOW_S:
            self._began_at, self._used = now_s, 0
        if self._limit and self._used and self._used + units > self._limit:
            return max(1, math.ceil(self._began_at + WINDOW_S - now_s))
        self._used += units
        return None
