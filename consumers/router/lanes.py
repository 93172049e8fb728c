"""Live or bulk: an import is bulk, an edit is live."""

from collections import OrderedDict
from typing import Final, TypeVar

from schemas.records import Lane

LIVE_ENTITIES_MAX: Final = 500
WINDOW_MS: Final = 10_000
# A transaction of more entities than this is large: probably one of an import's.
LARGE_ENTITIES: Final = 50
_COUNTS_KEPT: Final = 1_000
_Name = TypeVar("_Name", str, tuple[int, bool])


class LaneChooser:
    """Counts distinct entities of each source transaction and of each 10 seconds of commit time.

    The first 500 of either are live, the rest is bulk, so a person's edit never waits behind an import. Large
    transactions have 10 seconds of their own, and an import that goes on has no live entities after its
    first: else it would fill the live lane for as long as it lasts.
    """

    def __init__(self) -> None:
        self._transactions: OrderedDict[str, set[str]] = OrderedDict()
        # Several, since tables are read in turn and commit times jump back while catching up. By number of
        # the window, and whether its transactions are large.
        self._windows: OrderedDict[tuple[int, bool], set[str]] = OrderedDict()

    def see(self, entity: str, transaction: str) -> None:
        """Count an entity before any is judged: how large a transaction is decides about its first, too."""
        _room(_counted(self._transactions, transaction), entity)

    def is_large(self, transaction: str) -> bool:
        return len(self._transactions.get(transaction, ())) > LARGE_ENTITIES

    def choose(self, entity: str, transaction: str, commit_ms: int) -> Lane:
        """The lane of one dirty entity.

        Args:
            transaction: names the source transaction (GTID, or file and position).
            commit_ms: its commit time; windows are whole multiples of 10 s of it.
        """
        has_room = _room(_counted(self._transactions, transaction), entity)
        number, large = commit_ms // WINDOW_MS, self.is_large(transaction)
        goes_on = large and len(self._windows.get((number - 1, large), ())) >= LIVE_ENTITIES_MAX
        of_window = _counted(self._windows, (number, large))
        return "live" if has_room & _room(of_window, entity) and not goes_on else "bulk"


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
