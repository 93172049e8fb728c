"""Killed at every call it makes to the outside and started again, a builder ends as a fresh build."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from builder_play import read_from
from builder_world import Product, Rows, World, expected
from fake_shop import FakeShop, FakeSnapshot
from mortal import Killed, Mortal

from schemas.records import Dirty


@dataclass
class MortalWorld(Mortal, World):
    """Dies before or behind any snapshot and any transaction; what is durable then is on the topics."""

    def __post_init__(self) -> None:
        super().__post_init__()
        opened = self.shop.snapshot

        @contextmanager
        def snapshot(*arguments: Any, **options: Any) -> Iterator[FakeSnapshot]:
            self.call()
            with opened(*arguments, **options) as found:
                yield found
            self.call()

        self.shop.snapshot = snapshot  # type: ignore[method-assign]

    def deliver(self, lane: str, count: int, committed: bool, lag_ms: int) -> None:
        """A batch; a process that is killed begins again with what was durable."""
        try:
            self.look(lag_ms)
            outgoing = self.held.process(self.waiting[lane][:count])
            self.call()
            del self.waiting[lane][:count]
            for record in outgoing:
                self.take(record)
            self.call()
            self.held.committed()
        except Killed:
            self.held = self.started()


A, OTHER = Product("A", "one", ("default", "other")), Product("B", "two", ("default",))
# The rows after each transaction: two with one SKU, a rename, a swap, a view less, one that cannot be built.
HISTORY: Sequence[Rows] = [
    {1: A, 2: OTHER},
    {1: A, 2: OTHER, 3: Product("A", "three", ("default",))},
    {1: Product("C", "one", ("default", "other")), 2: OTHER, 3: Product("A", "three", ("default",))},
    {1: Product("B", "one", ("default",)), 2: Product("C", "two", ("default",)), 3: A},
    {2: Product("C", None, ("default",)), 3: A},
    {2: Product("C", "mended", ()), 3: Product("A", "three", ("other",))},
]


def lived(world: MortalWorld, *, lag_ms: int) -> None:
    """Each transaction is built before the next is made; bulk work comes in between."""
    for number, rows in enumerate(HISTORY):
        world.change(rows)
        if number == 3:
            world.put("bulk", "C", Dirty("resync", always=True))
            world.deliver("bulk", 1, True, lag_ms)
        while world.waiting["live"]:
            world.deliver("live", 2, True, lag_ms)
        world.clock.ms += 700
    world.come_to_rest()


def end_of(dies_at: int, lag_ms: int) -> tuple[dict[bytes, bytes], set[bytes], int, FakeShop]:
    """Feed and letters at the end, and how many calls there were."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        world = MortalWorld(read_from(monkeypatch), dies_at=dies_at)
        lived(world, lag_ms=lag_ms)
        return world.feed, world.letters, world.calls, world.shop


@cache
def undisturbed(lag_ms: int) -> tuple[dict[bytes, bytes], set[bytes], int, FakeShop]:
    return end_of(-1, lag_ms)


@pytest.mark.parametrize("lag_ms", [0, 1_000])
def test_the_undisturbed_end_is_a_fresh_build(lag_ms: int) -> None:
    """What the others are compared with; rows that are behind are built a second time."""
    feed, letters, calls, shop = undisturbed(lag_ms)

    assert (feed, letters) == expected(shop, HISTORY[-1], feed)
    assert calls > 30


@pytest.mark.parametrize("lag_ms", [0, 1_000])
def test_killed_at_any_call_it_ends_the_same(lag_ms: int) -> None:
    """Before and behind each snapshot and each transaction."""
    feed, letters, calls, _ = undisturbed(lag_ms)
    differing = []
    for call in range(1, calls + 1):
        after = end_of(call, lag_ms)
        if after[:2] != (feed, letters):
            differing.append(call)

    assert differing == []
