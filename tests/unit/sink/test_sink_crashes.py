"""Killed at every call it makes to the outside and started again, a sink ends where one left alone ends."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from fake_target import FakeSender, accepted, feed_record, refused
from sink_drive import Drive

from consumers.sink.feed import Rules
from consumers.sink.settle import Answer
from runtime.record import Outgoing, Record

RULES = Rules(retry_s=60, request_timeout_s=10, settle_s=30, guard_percent=100)

# What lands on the feed topic, step by step; ten seconds pass between two.
STEPS: list[list[Record]] = [
    [feed_record(f"A{n}", n, lane="bulk") for n in range(7)],
    [feed_record("A1", 7, name="edit"), feed_record("A2", 8, deleted=True), feed_record("new", 9)],
    [feed_record("A1", 10, name="edit again"), feed_record("bad", 11, name="bad"), feed_record("A3", 12)],
    [feed_record("A2", 13, name="back"), feed_record("new", 14, deleted=True)],
    [feed_record("bad", 15, name="mended"), feed_record("worse", 16, name="bad")],
]


class Killed(BaseException):
    """SIGKILL."""


@dataclass
class World:
    """What outlives a process: the service, and how many calls are left until the process dies."""

    held: dict[str, str] = field(default_factory=dict)
    calls: int = 0
    dies_at: int = -1
    # The third request gets a 503, the fifth is stored and its answer lost.
    requests: int = 0

    def call(self) -> None:
        """The process would be killed here."""
        self.calls += 1
        if self.calls == self.dies_at:
            raise Killed

    def take(self, operation: str, items: list[dict[str, Any]]) -> Answer:
        self.requests += 1
        if self.requests == 3:
            return Answer(503)
        bad = [(n, "name", "bad") for n, item in enumerate(items) if item.get("name") == "bad"]
        if bad:
            return refused(*bad)
        for item in items:
            if operation == "delete":
                self.held.pop(item["sku"], None)
            else:
                self.held[item["sku"]] = item["name"]
        return Answer(0, error="lost") if self.requests == 5 else accepted(len(items))


class MortalDrive(Drive):
    """Dies before or behind any request and any transaction."""

    def __init__(self, world: World, after: Drive | None = None) -> None:
        self.world = world
        super().__init__(FakeSender(), items_max=3, rules=RULES, after=after, clean=after is None)

    def answer(self, request: Any) -> Answer:
        self.world.call()
        answer = self.world.take(request.operation, msgspec.json.decode(request.body))
        self.world.call()
        return answer

    def commit(self) -> list[Outgoing]:
        self.world.call()
        written = super().commit()
        self.world.call()
        return written


def lived(world: World) -> Drive:
    """All steps, and time for every retry and second send; a killed sink is started again at once."""
    drive: Drive = MortalDrive(world)
    for step in [*STEPS, *([[]] * 30)]:
        drive.append(*step)
        while True:
            try:
                drive.run()
                break
            except Killed:
                drive = MortalDrive(world, drive)
        drive.now += 10
    return drive


def end(world: World, drive: Drive) -> dict[str, Any]:
    """What people can see at the end."""
    return {
        "held": world.held,
        "position": drive.position,
        "outcomes": {sku: (status.outcome, status.hash) for sku, status in drive.statuses().items()},
        "letters": {sku: (letter.kind, letter.offset) for sku, letter in drive.letters().items()},
    }


UNDISTURBED = World()
END = end(UNDISTURBED, lived(UNDISTURBED))


def test_the_undisturbed_end_is_the_last_state_of_everything() -> None:
    """What the others are compared with."""
    names = {sku: f"Name of {sku}" for sku in ("A0", "A3", "A4", "A5", "A6")}

    assert END["held"] == {**names, "A1": "edit again", "A2": "back", "bad": "mended"}
    assert END["letters"] == {"worse": ("attention", 16)}
    assert END["position"] == 17
    assert UNDISTURBED.calls > 40


@pytest.mark.parametrize("call", range(1, 61))
def test_killed_at_any_call_it_ends_the_same(call: int) -> None:
    """Before and behind each request and each transaction."""
    world = World(dies_at=call)

    drive = lived(world)

    assert end(world, drive) == END
