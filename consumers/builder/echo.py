"""What was built without proof that its rows are new enough is built once more, a little later. Pure.

The index remembers it, in the transaction of the first build: whoever holds the partition then builds it.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from consumers.builder.fold import Work
from schemas.records import Again, Dirty

# So many are built in one turn; after a crash thousands may be due at once.
ECHOES_MAX: Final = 500


def again_for(
    work: Work, pending: Again | None, blind: frozenset[int], now_ms: int, echo_ms: int
) -> Again | None:
    """When to build an entity that is being built now once more; None when this build stands.

    Args:
        pending: what the index says of it so far.
        blind: servers whose positions the snapshot could not be compared with.
    """
    if any(position.server_id in blind for position in work.positions):
        # Also for an edit that waits already, in the better lane and with the older commit.
        lane = work.lane if pending is None or pending.lane == "bulk" else "live"
        commits = [work.commit_ms, None if pending is None else pending.commit_ms]
        return Again(now_ms + echo_ms, lane, min((ms for ms in commits if ms is not None), default=None))
    # A build in between proves nothing about the rows that were waited for.
    return None if pending is None or is_due(pending, now_ms, echo_ms) else pending


def is_due(again: Again, now_ms: int, echo_ms: int) -> bool:
    """True also when it lies further ahead than it can: another machine's clock set it."""
    return not 0 < again.due_ms - now_ms <= echo_ms


def echoes(pending: Mapping[str, Again], now_ms: int, echo_ms: int) -> Iterator[tuple[str, Again]]:
    """Entities of a partition whose second build is due."""
    return ((key, again) for key, again in pending.items() if is_due(again, now_ms, echo_ms))


def dirty(again: Again) -> Dirty:
    """The echo as a dirty record: without a position, so that no earlier build covers it."""
    return Dirty(reason="echo", commit_ms=again.commit_ms)
