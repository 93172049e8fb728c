"""Many dirty records become one piece of work an entity, live first."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from runtime.errors import Poison
from runtime.record import Record
from schemas.records import Dirty, Lane, Position

_DECODER = msgspec.json.Decoder(Dirty)


@dataclass(slots=True)
class Work:
    """One entity to build.

    `positions` are those of all its records, `always` says that one of them asks for a build whatever was
    seen before (a resync), and `commit_ms` is the oldest. `not_before_s` is the latest moment that has come
    for it (unix seconds). `afresh` are the feeds that one of them wants sent whatever was emitted before;
    what of these is gone is forgotten when all of them say so. `wrong` are items whose feed record is not
    to be trusted.
    """

    key: str
    partition: int
    lane: Lane
    positions: list[Position]
    commit_ms: int | None
    reason: str
    always: bool = False
    entity: str = "product"
    not_before_s: int = 0
    afresh: frozenset[str] = frozenset()
    forget: bool = False
    wrong: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Reference:
    """Everything of one entity's partition that was built from a row."""

    entity: str
    partition: int
    lane: Lane
    dirty: Dirty


def decode(record: Record) -> Dirty:
    """Read a dirty record.

    Raises:
        Poison: no dirty record of this version (reason "dirty_undecodable").
    """
    try:
        return _DECODER.decode(record.value or b"")
    except msgspec.MsgspecError as error:
        message = f"no dirty record: {error}"
        raise Poison(message, reason="dirty_undecodable") from error


def fold(entries: Iterable[tuple[str, int, Lane, Dirty]], entity: str = "product") -> list[Work]:
    """One piece of work a key: the best lane, all positions, the oldest commit. Live comes first."""
    works: dict[str, Work] = {}
    for key, partition, lane, dirty in entries:
        work = works.get(key)
        if work is None:
            work = works[key] = Work(
                key, partition, lane, [], dirty.commit_ms, dirty.reason, entity=entity, forget=dirty.forget
            )
        if lane == "live" and work.lane == "bulk":
            work.lane, work.reason = "live", dirty.reason
        work.wrong |= frozenset(dirty.wrong)
        work.always = work.always or dirty.always or dirty.position is None
        work.afresh |= frozenset(dirty.afresh)
        # A delete that a change asks for goes to the targets, whatever a cleanup beside it wants.
        work.forget = work.forget and dirty.forget
        if dirty.position is not None:
            work.positions.append(dirty.position)
        work.not_before_s = max(work.not_before_s, dirty.due_s or 0)
        if dirty.commit_ms is not None:
            work.commit_ms = min(work.commit_ms or dirty.commit_ms, dirty.commit_ms)
    return sorted(works.values(), key=lambda work: work.lane != "live")
