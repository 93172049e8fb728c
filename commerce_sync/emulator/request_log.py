"""The newest requests, each a line of JSON, kept to a bounded number of items."""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.services.shapes import Identity

ITEMS_MAX: Final = 1_000_000


class Entry(msgspec.Struct, frozen=True):
    """One request.

    Attributes:
        id: counts up from 1.
        time: unix seconds at which its items were in the store, or the refusal was decided.
        status: what was answered; None when the connection was dropped.
        stored: the items were taken, whatever was answered.
        identities: of the items taken, in their order.
        contents: a hash of each of these as it was sent; a time of sending is no content.
        host: by which name and port the service was asked; empty when the request says none.
    """

    id: int
    time: float
    method: str
    path: str
    item_count: int
    status: int | None
    request_id: str
    stored: bool
    identities: tuple[Identity, ...]
    contents: tuple[str, ...] = ()
    host: str = ""


class RequestLog:
    """A ring: the oldest requests make room when more than `items_max` items are in it.

    A request counts for one item at least, so that empty ones are bounded too.
    """

    def __init__(self, items_max: int = ITEMS_MAX) -> None:
        self._items_max = items_max
        self._items = 0
        # As encoded lines: a million identities as objects would take several times the memory.
        self._lines: deque[tuple[int, int, bytes]] = deque()
        self.next_id = 1

    def add(self, entry: Entry) -> None:
        weight = max(1, len(entry.identities))
        self._lines.append((entry.id, weight, msgspec.json.encode(entry)))
        self._items += weight
        self.next_id = entry.id + 1
        while self._items > self._items_max:
            self._items -= self._lines.popleft()[1]

    def since(self, last_id: int) -> Iterator[bytes]:
        """The requests with a greater id, oldest first, as they are at the time of the call."""
        return iter([line for number, _, line in self._lines if number > last_id])
