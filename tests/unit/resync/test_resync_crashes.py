"""Killed at every call it makes to the outside and started again, a resync goes on exactly where it stood.

Beside it the shop is edited and a builder works; the resync has to find what capture never told of.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec
import pytest
from builder_play import BULK, read_from
from builder_world import Product, Rows, World, expected
from confluent_kafka import TopicPartition
from mortal import Mortal, differing_ends, run_on

from producers.resync import stage as stage_module
from producers.resync.stage import ResyncStage
from runtime.record import Outgoing, Record
from schemas.edition import Edition
from schemas.records import FLOOR_KEY, ResyncProgress, resync_key
from schemas.topics import TopicNames

CONTROL = "cs.control"
KEY = resync_key("product")

VIEWS = ("default",)
ROWS: Rows = {n: Product(f"sku-{n}", "old", VIEWS) for n in range(1, 10)}
# Two changed, one gone, one new: no record tells of these.
UNSEEN: Rows = {
    **{n: product for n, product in ROWS.items() if n != 6},
    2: Product("sku-2", "unseen", VIEWS),
    8: Product("sku-8", "unseen", ("default", "other")),
    12: Product("sku-12", "unseen", VIEWS),
}

Act = Callable[["ResyncWorld"], None]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entities a page, and the next page when three wait at most."""
    monkeypatch.setattr(stage_module, "PAGE_ENTITIES", 2)
    monkeypatch.setattr(stage_module, "WAITING_MAX", 3)


@dataclass
class ResyncWorld(Mortal, World):
    """What outlives the role: the topics, the shop and its builder, and what is yet to happen.

    An act with a number happens with that transaction of the role, whether or not the role learns of its
    own commit; one without when nothing is left to do.
    """

    acts: list[tuple[int | None, Act]] = field(default_factory=list)
    control: list[Record] = field(default_factory=list)
    settled: int = 0
    transactions_made: int = 0
    enumerated: list[bytes] = field(default_factory=list)

    def command(self, state: str, cleanup: bool = False) -> None:
        asked = ResyncProgress(("products",), state, len(self.control) + 1, cleanup=cleanup)  # type: ignore[arg-type]
        self.append(msgspec.json.encode(asked))

    def append(self, value: bytes | None) -> None:
        self.control.append(Record(CONTROL, 0, len(self.control), KEY, value, {}))

    def write(self, outgoing: Sequence[Outgoing], records: Sequence[Record]) -> None:
        """One transaction of the role."""
        self.settled += len(records)
        for record in outgoing:
            if record.topic == CONTROL:
                self.append(record.value)
            else:
                self.enumerated.append(record.key)
                self.waiting["bulk"].append(Record(BULK, 0, 0, record.key, record.value, {}))
        self.transactions_made += 1
        self.happen(self.transactions_made)

    def happen(self, now: int | None) -> bool:
        """The next act, if this is its moment."""
        if not self.acts or self.acts[0][0] != now:
            return False
        _, act = self.acts.pop(0)
        act(self)
        return True

    def build(self) -> bool:
        """The builder's next batch."""
        for lane in ("live", "bulk"):
            if self.waiting[lane]:
                self.deliver(lane, 2, True, 0)
                return True
        return False

    def read(self) -> list[Record]:
        self.call()
        return list(self.control)

    def behind(self, entity: str) -> int:
        self.call()
        return len(self.waiting["bulk"])

    def log_end(self) -> int:
        self.call()
        return 7

    def index_keys(self, entity: str) -> Iterator[bytes]:
        """As the reader of the topic does it: what is alive, in order."""
        self.call()
        alive = {record.key: record.value for record in self.index if record.key != FLOOR_KEY}
        yield from sorted(key for key, value in alive.items() if value is not None)


@dataclass
class Reads:
    """The database as the role has it."""

    world: ResyncWorld

    @property
    def edition(self) -> Edition:
        return self.world.shop.edition

    @contextmanager
    def snapshot(self, *_: object) -> Iterator["Reads"]:
        yield self

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.world.call()
        self.world.look(0)
        return self.world.shop.query(statement, parameters)


class Role:
    """One process: it dies before any read, and before or behind any transaction."""

    def __init__(self, world: ResyncWorld) -> None:
        self.world = world
        self.alive = True

    def run(self) -> None:
        """Until nothing is left to do and nothing more happens."""
        world = self.world
        held = ResyncStage(
            Reads(world),  # type: ignore[arg-type]
            TopicNames("cs"),
            1,
            "",
            world.index_keys,
            world.read,
            world.behind,
            world.log_end,
        )
        held.assign([TopicPartition(CONTROL, 0, world.settled)])
        while True:
            records = world.control[world.settled :]
            if records or held.overdue():
                outgoing = held.process(records)
                world.call()
                world.write(outgoing, records)
                world.call()
                held.committed()
            elif not world.build() and not world.happen(None):
                return


def ask(world: ResyncWorld) -> None:
    world.command("requested")


def ask_for_cleanup(world: ResyncWorld) -> None:
    world.command("requested", cleanup=True)


def stop(world: ResyncWorld) -> None:
    world.command("stop")


def go_on(world: ResyncWorld) -> None:
    world.command("continue")


def edit(world: ResyncWorld) -> None:
    """One on either side of the cursor, one new, one gone; capture tells of these."""
    rows = {n: product for n, product in world.rows.items() if n != 1}
    world.change(
        {
            **rows,
            3: Product("renamed", "edited", VIEWS),
            9: Product("sku-9", "edited", VIEWS),
            13: Product("sku-13", "edited", VIEWS),
        }
    )


SCRIPTS: dict[str, list[tuple[int | None, Act]]] = {
    "full": [(None, ask), (2, edit)],
    "stopped and continued": [(None, ask), (2, stop), (None, edit), (None, go_on)],
    "joined by another": [(None, ask), (2, ask), (3, edit)],
    "a cleanup, and one that waits for it": [(None, ask_for_cleanup), (2, ask), (3, edit)],
}


@dataclass(frozen=True)
class End:
    """What a life leaves: keys in the order enumerated, the control topic, the feed and what it should be."""

    enumerated: list[bytes]
    control: list[bytes | None]
    feed: dict[bytes, bytes]
    fresh: dict[bytes, bytes]
    calls: int


def lived(script: str, dies_at: int = -1, meanwhile: Act = lambda _: None) -> End:
    """`meanwhile` happens while the role is away."""

    def again(dead: Role) -> Role:
        meanwhile(dead.world)
        return Role(dead.world)

    with pytest.MonkeyPatch.context() as monkeypatch:
        world = ResyncWorld(read_from(monkeypatch), acts=list(SCRIPTS[script]))
        world.change(ROWS)
        world.come_to_rest()
        # Committed at a moment of its own, and nobody is told.
        world.clock.ms += 1
        world.history.append((world.clock.ms, UNSEEN))
        world.dies_at = dies_at
        run_on(Role(world), again, at_once=True)
        world.come_to_rest()
        fresh, _ = expected(world.shop, world.rows, world.feed)
        return End(world.enumerated, [r.value for r in world.control], world.feed, fresh, world.calls)


@cache
def undisturbed(script: str) -> End:
    return lived(script)


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_undisturbed_end_is_a_fresh_build(script: str) -> None:
    """What the others are compared with: several pages, and all that happens has happened."""
    end = undisturbed(script)
    told = [msgspec.json.decode(value or b"", type=ResyncProgress) for value in end.control]
    asked = max(progress.requested_ms for progress in told if progress.is_command)

    assert end.feed == end.fresh
    assert (told[-1].state, told[-1].requested_ms >= asked) == ("enumerated", True)
    assert b"sku-6" in end.enumerated
    assert end.calls > 40


@pytest.mark.parametrize("script", ["full", "stopped and continued"])
def test_every_entity_is_enumerated_once(script: str) -> None:
    """Those that are there all the while, and those that the index alone knows."""
    assert sorted(undisturbed(script).enumerated) == sorted(set(undisturbed(script).enumerated))


@pytest.mark.parametrize("script", SCRIPTS)
def test_killed_at_any_call_it_writes_the_same(script: str) -> None:
    """Page by page: nothing is begun over, left out, or told of twice."""
    end = undisturbed(script)

    def live(call: int) -> tuple[list[bytes], list[bytes | None], dict[bytes, bytes]]:
        after = lived(script, call)
        return after.enumerated, after.control, after.feed

    assert differing_ends((end.enumerated, end.control, end.feed), end.calls, live) == {}


def change_behind_its_back(world: ResyncWorld) -> None:
    """While it is dead an entity is renamed, one moves away, and one comes; the builder is told."""
    rows = {n: product for n, product in world.rows.items() if n != 4}
    world.change(
        {**rows, 5: Product("sku-1b", "late", VIEWS), 10: Product("sku-10", "late", VIEWS)},
    )
    while world.build():
        continue


@pytest.mark.parametrize("script", SCRIPTS)
def test_what_changes_while_it_is_dead_is_not_missed(script: str) -> None:
    """Whatever had been read before the kill."""

    def differs(call: int) -> bool:
        after = lived(script, call, change_behind_its_back)
        return after.feed != after.fresh or b"unseen" not in b"".join(after.feed.values())

    assert [call for call in range(1, undisturbed(script).calls + 1) if differs(call)] == []
