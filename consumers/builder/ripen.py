"""How long bulk work is kept back: changes of one entity, and of its relatives, come one after the other."""

from typing import Final

from consumers.builder.fold import decode
from runtime.errors import Poison
from runtime.record import Record

# An import writes a bunch of products after the other, and a product's tables in turn; the router reads these
# in turn too, for longer than a second.
RIPENS_MS: Final = 3_000


def ripens_s(record: Record, now_ms: int) -> float:
    """Seconds until a dirty record of the bulk lane may be built.

    What comes of a large transaction waits for what follows it: one build then sees all of it. What somebody
    asked for (a resync, a repair, the clock) is asked for once, and many small edits are no import.
    """
    try:
        dirty = decode(record)
    except Poison:
        return 0.0
    if dirty.position is None or dirty.always or dirty.ripe:
        return 0.0
    # Another machine's clock may be ahead.
    return min(max(0, record.timestamp_ms + RIPENS_MS - now_ms), RIPENS_MS) / 1000
