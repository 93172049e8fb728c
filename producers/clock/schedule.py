"""Which entities change next by time alone: the nearest moments, each called once. Pure.

Only so many are kept. What lies further ahead is left out, and the first moment of it remembered: when that
has come and everything nearer is built, whoever holds the schedule reads all moments again.
"""

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Final

# Of a million products with dates all of them would take 200 MB.
KEPT_MAX: Final = 100_000

# Kind of entity, partition, key.
Name = tuple[str, int, bytes]


class Schedule:
    """Moments are unix seconds of the database's clock."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._due: dict[Name, int] = {}
        # Also moments that an entity no longer waits for.
        self._heap: list[tuple[int, Name]] = []
        # Called, and not built since.
        self._called: dict[Name, int] = {}
        # Moments from here on may be missing.
        self._horizon_s: int | None = None

    def note(self, name: Name, due_s: int | None) -> None:
        """Take over what the last build of an entity said."""
        if due_s is not None and self._called.get(name) == due_s:
            return
        self._called.pop(name, None)
        if due_s is None or (self._horizon_s is not None and due_s >= self._horizon_s):
            self._due.pop(name, None)
        elif self._due.get(name) != due_s:
            self._due[name] = due_s
            heappush(self._heap, (due_s, name))
            if len(self._heap) > 2 * self._kept_max:
                self._trim()

    def _trim(self) -> None:
        """Keep the nearest; a sorted list is a heap."""
        waiting = sorted((due_s, name) for name, due_s in self._due.items())
        self._heap, beyond = waiting[: self._kept_max], waiting[self._kept_max :]
        self._due = {name: due_s for due_s, name in self._heap}
        if beyond:
            self._horizon_s = beyond[0][0]

    def next_s(self) -> int | None:
        """When there is something to do next; None: only when an entity is built."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        if self._heap:
            return self._heap[0][0]
        return None if self._called else self._horizon_s

    def due(self, now_s: int, names_max: int) -> dict[Name, int]:
        """Moments that have come, of so many entities at most: the heap from its root down."""
        found: dict[Name, int] = {}
        places = [0]
        while places and len(found) < names_max:
            place = places.pop()
            if place >= len(self._heap) or self._heap[place][0] > now_s:
                continue
            due_s, name = self._heap[place]
            if self._due.get(name) == due_s:
                found[name] = due_s
            places += (2 * place + 1, 2 * place + 2)
        return found

    def called(self, names: Iterable[Name]) -> None:
        """These have been called; not again for the same moment."""
        for name in names:
            self._called[name] = self._due.pop(name)

    def wants_more(self, now_s: int) -> bool:
        """True when what was left out has come, and everything nearer was called and built."""
        come = self._horizon_s is not None and now_s >= self._horizon_s
        return come and not self._due and not self._called
