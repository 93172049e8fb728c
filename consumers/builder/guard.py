"""No mass delete by accident: an empty or restoring database must not empty a storefront. Pure."""

from collections import deque
from collections.abc import Callable, Container
from typing import Final

WINDOW_S: Final = 3600.0
DELETES_ALWAYS: Final = 100
# Nobody can be warned of deleting everything by a limit of everything: this turns the guard off.
OFF_PERCENT: Final = 100


class DeleteGuard:
    """Counts the deletes of the last hour against the items there were.

    Args:
        feed: whose items are counted.
        percent: of the items of this worker's partitions that may go within an hour, at least 100 items.
        clock: monotonic seconds.
    """

    def __init__(self, feed: str, percent: int, clock: Callable[[], float]) -> None:
        self._feed = feed
        self._percent = percent
        self._clock = clock
        # When, in which partition, how many.
        self._noted: deque[tuple[float, int, int]] = deque()
        self._recent = 0

    def refuses(self, deletes: int, items: int) -> str | None:
        """Why `deletes` more would be too many of the `items` there are now; None when they may go."""
        self._forget()
        total = self._recent + deletes
        # What went within the hour was there at its beginning.
        before = items + self._recent
        if self._percent >= OFF_PERCENT or not deletes:
            return None
        if total <= max(DELETES_ALWAYS, before * self._percent // 100):
            return None
        return (
            f"builder.delete_guard_percent = {self._percent}: {total} of {before} items would be deleted "
            f"from the feed {self._feed} within an hour; is the database read the right one, and whole? "
            f"'commerce-sync resync --feed {self._feed} --allow-deletes' lets them go"
        )

    def note(self, partition: int, deletes: int) -> None:
        """These deletes are committed."""
        self._noted.append((self._clock(), partition, deletes))
        self._recent += deletes

    def keep(self, partitions: Container[int]) -> None:
        """Others have the other partitions now, and the items that are left in them."""
        self._noted = deque(each for each in self._noted if each[1] in partitions)
        self._recent = sum(deletes for _, _, deletes in self._noted)

    def _forget(self) -> None:
        while self._noted and self._clock() - self._noted[0][0] > WINDOW_S:
            self._recent -= self._noted.popleft()[2]
