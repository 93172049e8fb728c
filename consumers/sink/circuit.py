"""When a service does not take requests: how many at once, and whether at all. Pure."""

from collections import deque
from typing import Final, Literal

Permission = Literal["all", "probe", "none"]

# That many requests in a row without a success open the circuit.
_FAILURES_MAX: Final = 3
PROBE_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
OURS_S: Final = 15.0
WINDOW_MAX: Final = 8
_WINDOW_START: Final = 4.0
# The guard looks at the share of parked items once it has seen some.
_GUARD_ITEMS_MIN: Final = 200
_GUARD_ITEMS_MAX: Final = 1_000


class Circuit:
    """Of one feed at one target: open means that only a probe goes, and only now and then."""

    def __init__(self) -> None:
        self.reason = ""
        self.probe_at = 0.0
        self._failures = 0
        self.probes = 0
        self._probing = False

    @property
    def is_open(self) -> bool:
        return bool(self.reason)

    def permits(self, now: float) -> Permission:
        if not self.reason:
            return "all"
        return "none" if self._probing or now < self.probe_at else "probe"

    def probing(self) -> None:
        """The probe is on its way."""
        self._probing = True

    def succeeded(self) -> bool:
        """A request was understood; returns whether that closed the circuit."""
        was_open = self.is_open
        self.reason, self._failures, self.probes, self._probing = "", 0, 0, False
        return was_open

    def failed(self, now: float, reason: str) -> bool:
        """A request was not answered, or with a failure; returns whether the circuit is open now."""
        self._failures += 1
        if self.reason or self._failures >= _FAILURES_MAX:
            self._open(now, reason, PROBE_S[min(self.probes, len(PROBE_S) - 1)])
        return self.is_open

    def refused_us(self, now: float, reason: str, wait_s: float = OURS_S) -> None:
        """The answer was about our address or credentials: nothing else would fare better."""
        self._open(now, reason, wait_s)

    def passed(self) -> None:
        """The probe came back without telling anything (a 429, a newer state)."""
        self._probing = False

    def _open(self, now: float, reason: str, wait_s: float) -> None:
        self.probe_at = now + wait_s
        if self._probing or not self.reason:
            self.probes += 1
        self.reason, self._probing = reason, False


class Window:
    """How many requests may be in flight at a target: widens slowly, halves when the service complains."""

    def __init__(self) -> None:
        self._size = _WINDOW_START

    @property
    def size(self) -> int:
        return int(self._size)

    @property
    def bulk_size(self) -> int:
        """Bulk leaves one for the live edit that comes next."""
        return max(1, self.size - 1)

    def widen(self) -> None:
        self._size = min(float(WINDOW_MAX), self._size + 1 / self._size)

    def narrow(self) -> None:
        self._size = max(1.0, self._size / 2)


class Guard:
    """Notices when so many items of a feed fail that the fault cannot be theirs."""

    def __init__(self, share_percent: float) -> None:
        self._share = share_percent / 100
        self._judged: deque[bool] = deque(maxlen=_GUARD_ITEMS_MAX)
        self._parked = 0

    def judged(self, parked: bool) -> None:
        if len(self._judged) == _GUARD_ITEMS_MAX:
            self._parked -= self._judged[0]
        self._judged.append(parked)
        self._parked += parked

    @property
    def trips(self) -> bool:
        return len(self._judged) >= _GUARD_ITEMS_MIN and self._parked > self._share * len(self._judged)

    @property
    def reason(self) -> str:
        return (
            f"{self._parked} of the last {len(self._judged)} items failed: sending stops instead of parking "
            "the catalog; see 'commerce-sync dead-letters list', mend the cause or raise "
            "dead_letter_guard_percent"
        )

    def forget(self) -> None:
        self._judged.clear()
        self._parked = 0
