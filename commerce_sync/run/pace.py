"""How fast what is left gets less, and for how long it will last. Pure."""

from collections import deque
from typing import Final

WINDOW_S: Final = 30.0


class Pace:
    """Of one stage after the other: work that is left, looked at now and then."""

    def __init__(self) -> None:
        self._stage = ""
        self._looks: deque[tuple[float, int]] = deque()

    def note(self, stage: str, left: int, now: float) -> None:
        """What is left at this moment (monotonic seconds)."""
        if stage != self._stage:
            self._stage = stage
            self._looks.clear()
        self._looks.append((now, left))
        while now - self._looks[0][0] > WINDOW_S:
            self._looks.popleft()

    @property
    def per_second(self) -> float:
        """Records a second within the last half minute; 0 while nothing is known or nothing moves."""
        if len(self._looks) < 2:
            return 0.0
        (began, before), (now, left) = self._looks[0], self._looks[-1]
        return max(0.0, (before - left) / (now - began)) if now > began else 0.0

    def line(self) -> str:
        """The stage, what is left of it, and when it will be through."""
        left, rate = self._looks[-1][1], self.per_second
        if not rate:
            return f"{self._stage}: {left} records left"
        return f"{self._stage}: {left} records left, {rate:.0f} a second, {duration(left / rate)} to go"


def duration(seconds: float) -> str:
    """Seconds, minutes and seconds, or hours and minutes."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
