"""What the records of an item mean: where it stands now, in one sentence. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from commerce_sync.explain.trace import Way
from schemas.records import DeadLetter, Status

State = Literal["delivered", "deleted", "unchanged", "waiting", "parked", "absent"]


@dataclass(frozen=True, slots=True)
class Stages:
    """How far each stage is with what concerns the product.

    Attributes:
        captured: why the connector is late; empty when it is not.
        unrouted: change records that the router has still to route, of any product.
        unbuilt: dirty records of this product that wait for the builder; `before`: others before them.
        built_later: its newest dirty record is younger than the item's feed record, and was settled.
        parked: reasons of the builder, by part.
        paused: targets that an operator stopped.
        ahead: by target, feed records of the partition that are not settled yet.
        settled: by target, the offset below which every record of the partition is.
        complaints: what roles say of themselves.
    """

    captured: str = ""
    unrouted: int = 0
    unbuilt: int = 0
    before: int = 0
    built_later: bool = False
    parked: dict[str, str] = field(default_factory=dict)
    paused: frozenset[str] = frozenset()
    ahead: dict[str, int] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)
    complaints: Sequence[str] = ()


def judge(way: Way, target: str, stages: Stages) -> tuple[State, str]:
    """Where the item stands at a target, and what holds what is still to come."""
    upstream = _upstream(stages)
    if upstream:
        return "waiting", upstream
    if stages.parked:
        reasons = "; ".join(stages.parked.values())
        return "parked", f"the builder keeps it, or a part of it, as it was: {reasons}"
    if way.record is None:
        return "absent", "no feed record has this key: the product has no such item"
    status, letter = way.statuses.get(target), way.letters.get(target)
    if status is None or status.offset < way.record.offset:
        if stages.settled.get(target, 0) > way.record.offset:
            return _passed(status)
        return "waiting", _unsent(way.record.value is None, status, target, stages)
    if letter is not None:
        return "parked", _parked(letter)
    if status.outcome == "deleted":
        return "deleted", "the target has taken the delete"
    if status.outcome != "delivered":
        return "parked", f"{status.outcome}: {status.error or 'no reason given'}"
    if status.offset > way.record.offset:
        return "delivered", "the target has a newer state than the record found"
    if stages.built_later:
        return "unchanged", "the newest change was built and changed nothing of this item"
    return "delivered", "the target has taken the newest state"


def _upstream(stages: Stages) -> str:
    """What may still bring something newer."""
    if stages.captured:
        return f"capture holds what was committed since: {stages.captured}"
    if stages.unbuilt:
        return (
            f"the builder has {stages.unbuilt} changes of this product still to build, "
            f"{stages.before} records of others before them{_said(stages)}"
        )
    if stages.unrouted:
        return f"the router has {stages.unrouted} change records left, perhaps of this product{_said(stages)}"
    return ""


def _passed(status: Status | None) -> tuple[State, str]:
    """What was settled without a request leaves no status of its own."""
    if status is None:
        return "absent", "the target is not told of it: it was gone before, or its scope is off"
    return "unchanged", f"the newest record says what the target has judged before: {status.outcome}"


def _unsent(deleted: bool, status: Status | None, target: str, stages: Stages) -> str:
    what = "delete" if deleted else "newest state"
    if target in stages.paused:
        return f"the {what} waits: {target} is paused ('commerce-sync resume')"
    known = "nothing was sent before" if status is None else f"before it: {status.outcome}"
    ahead = stages.ahead.get(target, 0)
    return (
        f"the {what} waits in the sink of {target} ({ahead} records of its partition are open; {known}); it "
        f"goes as the allowance and the service permit{_said(stages)}"
    )


def _parked(letter: DeadLetter) -> str:
    if letter.kind == "attention":
        return f"refused {letter.attempts} times, it waits for attention: {letter.error}"
    return f"failing for {letter.attempts} tries, it goes again by itself: {letter.error}"


def _said(stages: Stages) -> str:
    return "".join(f"; a role says: {complaint}" for complaint in stages.complaints)
