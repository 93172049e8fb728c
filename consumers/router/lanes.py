"""Live or bulk: an import is bulk, an edit is live."""

from collections import OrderedDict
from typing import Final, TypeVar

from schemas.records import Lane

LIVE_ENTITIES_MAX: Final = 500
WINDOW_MS: Final = 10_000
_COUNTS_KEPT: Final = 1_000
_Name = TypeVar("_Name", str, int)


class LaneChooser:
    """Counts distinct entities of each source transaction and of each 10 seconds of commit time.

    The first 500 of either are live, the rest is bulk, so a person's edit never waits behind an import.
    """

    def __init__(self) -> None:
        self._transactions: OrderedDict[str, set[str]] = OrderedDict()
        # Several, since tables are read in turn and commit times jump back while catching up.
        self._windows: OrderedDict[int, set[str]] = OrderedDict()

    def choose(self, entity: str, transaction: str, commit_ms: int) -> Lane:
        """The lane of one dirty entity.

        Args:
            transaction: names the source transaction (GTID, or file and position).
            commit_ms: its commit time; windows are whole multiples of 10 s of it.
        """
        of_transaction = _counted(self._transactions, transaction)
        of_window = _counted(self._windows, commit_ms // WINDOW_MS)
        return "live" if _room(of_transaction, entity) & _room(of_window, entity) else "bulk"


def _counted(counts: OrderedDict[_Name, set[str]], name: _Name) -> set[str]:
    """The entities counted under a name; names not used for long are forgotten."""
    entities = counts.setdefault(name, set())
    counts.move_to_end(name)
    if len(counts) > _COUNTS_KEPT:
        counts.popitem(last=False)
    return entities


def _room(seen: set[str], entity: str) -> bool:
    if entity in seen:
        return True
    if len(seen) >= LIVE_ENTITIES_MAX:
        return False
    seen.add(entity)
    return True
