"""Killed at any call while branches go and come, a sink of items that stand on others ends the same."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import pytest
from mortal import Mortal, differing_ends, run_on
from tree_drive import FEEDS, Service, TreeDrive

from consumers.sink.delivery import Request
from consumers.sink.feed import Rules
from consumers.sink.settle import Answer
from consumers.sink.waiting import Fetch
from runtime.record import Record

RULES = Rules(retry_s=60, request_timeout_s=10, settle_s=30, guard_percent=100)

Step = Callable[["MortalTree"], None]


class World(Mortal):
    """What outlives a process: the service, and how many calls are left until the process dies."""

    def __init__(self, dies_at: int = -1) -> None:
        super().__init__(dies_at=dies_at)
        self.service = Service()
        # The fourth request gets a 503, the sixth is stored and its answer lost.
        self.requests = 0

    def take(self, request: Request) -> Answer:
        self.requests += 1
        if self.requests == 4:
            return Answer(503)
        answer = self.service.take(request)
        return Answer(0, error="lost") if self.requests == 6 else answer


class MortalTree(TreeDrive):
    """Dies before or behind any request, any reading beside the scan and any transaction."""

    def __init__(self, world: World, after: TreeDrive | None = None) -> None:
        self.world = world
        self.alive = True
        super().__init__(world.service, rules=RULES, items_max=2, after=after, clean=after is None)

    def answer(self, request: Request) -> Answer:
        self.world.call()
        answer = self.world.take(request)
        self.world.call()
        return answer

    def read(self, fetch: Fetch) -> tuple[list[Record], int]:
        self.world.call()
        return super().read(fetch)

    def commit(self) -> bool:
        self.world.call()
        written = super().commit()
        self.world.call()
        return written


def put(feed: str, *names: str, content: str = "1") -> Step:
    def step(drive: MortalTree) -> None:
        for name in names:
            drive.put(feed, name, content)

    return step


def gone(feed: str, *names: str) -> Step:
    def step(drive: MortalTree) -> None:
        for name in names:
            drive.tombstone(feed, name)

    return step


def both(*steps: Step) -> Step:
    def step(drive: MortalTree) -> None:
        for one in steps:
            one(drive)

    return step


def nothing(_: MortalTree) -> None:
    """Time passes."""


MEN = ("men", "men/tops", "men/tops/new")
BASE = ("base", "base::g")
IN_BASE = ("A in base", "B in base", "A in base::g")
SCENARIOS: dict[str, Sequence[Step]] = {
    "a branch of categories goes and comes back in part": [
        put("categories", *MEN, "women"),
        gone("categories", *MEN),
        put("categories", "men", "men/tops"),
        both(gone("categories", "men/tops"), put("categories", "men/tops/new", content="2")),
        gone("categories", "men"),
        put("categories", "men", content="2"),
    ],
    "a website's books and prices go and come back": [
        both(put("prices", *IN_BASE, "A in other"), put("priceBooks", "other", *BASE)),
        put("prices", "B in base", content="2"),
        both(gone("prices", *IN_BASE), gone("priceBooks", *BASE)),
        both(put("priceBooks", *BASE), put("prices", "A in base", "A in base::g")),
        gone("priceBooks", "other"),
        put("prices", "B in base"),
        put("priceBooks", "other", content="2"),
    ],
}
HELD = {
    "a branch of categories goes and comes back in part": {
        "categories": {"men": "2", "men/tops/new": "2", "women": "1"},
        "priceBooks": {},
        "prices": {},
    },
    "a website's books and prices go and come back": {
        "categories": {},
        "priceBooks": {"base": "1", "base::g": "1", "other": "2"},
        "prices": {"A in base": "1", "A in base::g": "1", "B in base": "1", "A in other": "1"},
    },
}


def lived(world: World, scenario: str, *, at_once: bool = True) -> TreeDrive:
    """All steps, and time for every retry and second send.

    A killed sink is started again at once, or only when the next step has been made.
    """
    drive = MortalTree(world)
    for step in [*SCENARIOS[scenario], *([nothing] * 20)]:
        step(drive)
        if not drive.alive:
            drive = MortalTree(world, drive)
        drive = run_on(drive, partial(MortalTree, world), at_once=at_once)
        drive.now += 10
    return drive


def end(world: World, drive: TreeDrive) -> dict[str, Any]:
    """What people can see at the end. Of what is gone a status may tell, or nothing."""
    return {
        "held": {feed: world.service.held(feed) for feed in FEEDS},
        "positions": drive.positions,
        "outcomes": {
            feed: {name: outcome for name, outcome in drive.outcomes(feed).items() if outcome != "deleted"}
            for feed in FEEDS
        },
        "letters": {feed: set(drive.letters(feed)) for feed in FEEDS},
    }


@cache
def undisturbed(scenario: str) -> tuple[dict[str, Any], int]:
    """The end of a sink that is left alone, and the calls it made."""
    world = World()
    return end(world, lived(world, scenario)), world.calls


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_undisturbed_end_is_the_last_state_of_everything(scenario: str) -> None:
    """What the others are compared with."""
    ended, calls = undisturbed(scenario)

    assert ended["held"] == HELD[scenario]
    assert ended["letters"] == {feed: set() for feed in FEEDS}
    assert calls > 40


@pytest.mark.parametrize("at_once", [True, False], ids=["started at once", "started later"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_at_any_call_it_ends_the_same(scenario: str, at_once: bool) -> None:
    """Before and behind each request, each reading and each transaction."""
    ended, calls = undisturbed(scenario)

    def live(call: int) -> dict[str, Any]:
        world = World(dies_at=call)
        return end(world, lived(world, scenario, at_once=at_once))

    differing = differing_ends(ended, calls, live)

    assert differing == {}
