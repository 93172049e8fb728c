"""Killed at every call it makes to the outside and started again, a sink ends where one left alone ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import msgspec
import pytest
from fake_target import FakeSender, accepted, feed_record, item_key, refused
from mortal import Killed, Mortal, differing_ends, run_on
from sink_drive import CONTROL, STATUS, Drive

from consumers.sink.batch import Contents
from consumers.sink.dialects import Dialect
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.feed import Rules
from consumers.sink.settle import Answer
from consumers.sink.waiting import Fetch
from runtime.record import Outgoing, Record
from schemas.controls import RECONCILE_PREFIX, Reconcile, Scope, reconcile_key, scope_key
from schemas.records import RESEND_PREFIX, Resend, ResendItem

RULES = Rules(retry_s=60, request_timeout_s=10, settle_s=30, guard_percent=100)
LOST = "its position in the feed was lost or is new"


@dataclass
class World(Mortal):
    """What outlives a process: the service, and how many calls are left until the process dies."""

    held: dict[Any, Any] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=OptimizerDialect)
    # The third request gets a 503, the fifth is stored and its answer lost.
    requests: int = 0
    # Why the next process finds no position, until it has said where it stands.
    lost: str = ""

    def take(self, operation: str, items: list[dict[str, Any]]) -> Answer:
        self.requests += 1
        if self.requests == 3:
            return Answer(503)
        answer = self.judge(operation, items)
        return Answer(0, error="lost") if self.requests == 5 else answer

    def judge(self, operation: str, items: list[dict[str, Any]]) -> Answer:
        """As a service that is well."""
        bad = [(n, "name", "bad") for n, item in enumerate(items) if item.get("name") == "bad"]
        if bad:
            return refused(*bad)
        for item in items:
            if operation == "delete":
                self.held.pop(item["sku"], None)
            else:
                self.held[item["sku"]] = item["name"]
        return accepted(len(items))


class MortalDrive(Drive):
    """Dies before or behind any request, any reading beside the scan and any transaction."""

    def __init__(self, world: World, after: Drive | None = None) -> None:
        self.world = world
        super().__init__(
            FakeSender(),
            items_max=3,
            rules=RULES,
            after=after,
            clean=after is None,
            dialect=world.dialect,
            lost=world.lost,
        )
        self.alive = True
        # At a start the control topic is read again; what `load` does not look at is heard a second time.
        again = [(key, value) for key, value in self._held(CONTROL) if key.startswith(RESEND_PREFIX)]
        self.heard: list[tuple[bytes, bytes | None]] = again

    def write(self, key: bytes, command: Any) -> None:
        """An operator's command is on the topic; the sink hears of it when it runs."""
        value = msgspec.json.encode(command)
        self.topics[CONTROL, key] = value
        self.heard.append((key, value))

    def run(self, *records: Record) -> list[Outgoing]:
        heard, self.heard = self.heard, []
        self.say(*heard)
        return super().run(*records)

    def answer(self, request: Any) -> Answer:
        self.world.call()
        answer = self.world.take(request.operation, msgspec.json.decode(request.body))
        self.world.call()
        return answer

    def read(self, fetch: Fetch) -> tuple[list[Record], int, Contents]:
        self.world.call()
        return super().read(fetch)

    def commit(self) -> list[Outgoing]:
        self.world.call()
        written = super().commit()
        # What was found at the start is written with the first position.
        self.world.lost = ""
        self.world.call()
        return written


# What happens in the world, step by step; ten seconds pass between two.
Step = Callable[[MortalDrive], None]


def put(*records: Record) -> Step:
    """Records land on the feed topic."""
    return lambda drive: drive.append(*records)


def switched(enabled: bool) -> Step:
    """The store view of all items is switched, as the command says it."""

    def step(drive: MortalDrive) -> None:
        scope = Scope("optimizer", "base", enabled, drive.wall_ms, "default")
        drive.write(scope_key("optimizer", "base", "default"), scope)
        compared("differences")(drive)

    return step


def compared(kind: Any, *ids: str) -> Step:
    """A reconcile is asked for."""

    def step(drive: MortalDrive) -> None:
        run = Reconcile("optimizer", "products", kind, drive.wall_ms, ids=ids)
        drive.write(reconcile_key(run), run)

    return step


def resent(sku: str, offset: int) -> Step:
    """An audit found the target to hold something else."""

    def step(drive: MortalDrive) -> None:
        item = ResendItem(item_key(sku).decode(), 0, offset)
        key = RESEND_PREFIX + f"optimizer:products:{drive.wall_ms}".encode()
        drive.write(key, Resend("optimizer", "products", drive.wall_ms, (item,)))

    return step


def compacted(*skus: str) -> Step:
    """Nothing is left of these in the log, not even a tombstone."""

    def step(drive: MortalDrive) -> None:
        keys = {item_key(sku) for sku in skus}
        for offset in [offset for offset, record in drive.log.items() if record.key in keys]:
            del drive.log[offset]

    return step


def position_lost(drive: MortalDrive) -> None:
    """The broker forgot the group; whoever comes next finds no position."""
    drive.world.lost = LOST
    drive.position = 0
    raise Killed


# Tombstones are kept for days: what waits has long been settled when one goes.
DAYS: Sequence[Step] = [put()] * 5


def lost_statuses(*skus: str) -> Step:
    def step(drive: MortalDrive) -> None:
        for sku in skus:
            drive.topics.pop((STATUS, item_key(sku)), None)
        raise Killed

    return step


BULK = [feed_record(f"A{n}", n, lane="bulk") for n in range(7)]
SCENARIOS: dict[str, Sequence[Step]] = {
    "edits": [
        put(*BULK),
        put(feed_record("A1", 7, name="edit"), feed_record("A2", 8, deleted=True), feed_record("new", 9)),
        put(
            feed_record("A1", 10, name="edit again"),
            feed_record("bad", 11, name="bad"),
            feed_record("A3", 12),
        ),
        put(feed_record("A2", 13, name="back"), feed_record("new", 14, deleted=True)),
        put(feed_record("bad", 15, name="mended"), feed_record("worse", 16, name="bad")),
        # What comes back to what the status tells must not be taken for known.
        put(feed_record("A4", 17, name="other"), feed_record("A5", 18, deleted=True)),
        put(feed_record("A4", 19), feed_record("A5", 20)),
    ],
    "scopes": [
        put(*BULK),
        switched(False),
        put(feed_record("A1", 7, name="edit"), feed_record("A2", 8, deleted=True), feed_record("new", 9)),
        switched(True),
        put(feed_record("A3", 10, name="edit"), feed_record("bad", 11, name="bad")),
        switched(False),
        switched(True),
        put(feed_record("A4", 12, name="other")),
        put(feed_record("A4", 13)),
    ],
    "replays": [
        put(*BULK, feed_record("bad", 7, name="bad")),
        compared("replay"),
        put(feed_record("A1", 8, name="edit"), feed_record("A2", 9, deleted=True)),
        compared("force"),
        compared("replay", "A4"),
        resent("A5", 5),
        put(feed_record("A4", 10, deleted=True)),
        resent("A4", -1),
        put(feed_record("A6", 11, name="other"), feed_record("A5", 12, deleted=True)),
        put(feed_record("A6", 13), feed_record("A5", 14)),
    ],
    "a lost position": [
        put(*BULK),
        put(feed_record("A1", 7, deleted=True), feed_record("A2", 8, name="edit")),
        *DAYS,
        compacted("A3"),
        position_lost,
        put(feed_record("A4", 9, name="edit")),
    ],
    "lost statuses": [
        put(*BULK),
        put(feed_record("A4", 7, name="other"), feed_record("A1", 8, deleted=True)),
        *DAYS,
        compacted("A5"),
        lost_statuses("A6"),
        put(feed_record("A4", 9)),
        compared("differences"),
    ],
}


def lived(world: World, steps: Sequence[Step], *, at_once: bool = True) -> Drive:
    """All steps, and time for every retry and second send.

    A killed sink is started again at once, or only when the next step has been made.
    """
    drive = MortalDrive(world)
    for step in [*steps, *([put()] * 16)]:
        alive = drive.alive
        try:
            step(drive)
        except Killed:
            alive = False
        if not alive:
            drive = MortalDrive(world, drive)
        drive = run_on(drive, partial(MortalDrive, world), at_once=at_once)
        drive.now += 10
    return drive


def end(world: World, drive: Drive) -> dict[str, Any]:
    """What people can see at the end. Of what is gone a status may tell, or nothing."""
    statuses = drive.statuses().items()
    return {
        "held": world.held,
        "position": drive.position,
        "outcomes": {sku: (s.outcome, s.hash) for sku, s in statuses if s.outcome != "deleted"},
        "letters": {sku: (letter.kind, letter.offset) for sku, letter in drive.letters().items()},
        "reconciles": [key for topic, key in drive.topics if key.startswith(RECONCILE_PREFIX)],
    }


@cache
def undisturbed(scenario: str) -> tuple[dict[str, Any], int]:
    """The end of a sink that is left alone, and the calls it made."""
    world = World()
    return end(world, lived(world, SCENARIOS[scenario])), world.calls


NAMES = {f"A{n}": f"Name of A{n}" for n in range(7)}
HELD = {
    "edits": {**NAMES, "A1": "edit again", "A2": "back", "bad": "mended"},
    "scopes": {**NAMES, "A1": "edit", "A3": "edit", "new": "Name of new"},
    "replays": {**NAMES, "A1": "edit"},
    "a lost position": {**NAMES, "A2": "edit", "A4": "edit"},
    "lost statuses": NAMES,
}
GONE = {
    "scopes": {"A2"},
    "replays": {"A2", "A4"},
    "a lost position": {"A1", "A3"},
    "lost statuses": {"A1", "A5"},
}
FAILING = {"edits": {"worse"}, "scopes": {"bad"}, "replays": {"bad"}}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_undisturbed_end_is_the_last_state_of_everything(scenario: str) -> None:
    """What the others are compared with."""
    ended, calls = undisturbed(scenario)

    gone = GONE.get(scenario, set())
    assert ended["held"] == {sku: name for sku, name in HELD[scenario].items() if sku not in gone}
    assert (set(ended["letters"]), ended["reconciles"]) == (FAILING.get(scenario, set()), [])
    assert calls > 40


@pytest.mark.parametrize("at_once", [True, False], ids=["started at once", "started later"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_at_any_call_it_ends_the_same(scenario: str, at_once: bool) -> None:
    """Before and behind each request, each reading and each transaction."""
    ended, calls = undisturbed(scenario)

    def live(call: int) -> dict[str, Any]:
        world = World(dies_at=call)
        return end(world, lived(world, SCENARIOS[scenario], at_once=at_once))

    differing = differing_ends(ended, calls, live)

    assert differing == {}
