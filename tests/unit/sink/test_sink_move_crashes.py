"""Killed at any call while items move between keys, a sink leaves each identity where it went last."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import pytest
from mortal import differing_ends
from sink_drive import Drive
from test_sink_crashes import Step, World, lived, put
from test_sink_saas_delivery import ById, item, tombstone

from consumers.sink.settle import Answer


class WorldById(World):
    """A service that knows products by their id, as the SaaS service does categories."""

    def __init__(self, dies_at: int = -1) -> None:
        super().__init__(dies_at=dies_at, dialect=ById("demo"))

    def judge(self, operation: str, items: list[dict[str, Any]]) -> Answer:
        for one in items:
            if one["deleted"]:
                self.held.pop(one["productId"], None)
            else:
                self.held[one["productId"]] = one["sku"]
        return Answer(200, msgspec.json.encode({"feedItemReceivedCount": len(items)}))


def there(sku: str, offset: int, product: int) -> Any:
    return item(sku, offset, productId=product)


STEPS: Sequence[Step] = [
    put(there("A", 0, 1), there("B", 1, 2), there("C", 2, 3)),
    # Renamed: the old key's tombstone first, and the other way round.
    put(tombstone("A", 3), there("D", 4, 1)),
    put(there("E", 5, 1), tombstone("D", 6)),
    # Two exchange their keys, and a third has one that was left.
    put(there("B", 7, 3), there("C", 8, 2), there("A", 9, 4)),
    # What a key names goes without a tombstone, and comes back elsewhere.
    put(there("A", 10, 5)),
    put(there("F", 11, 4)),
    put(tombstone("E", 12), there("A", 13, 4), tombstone("F", 14)),
    put(there("B", 15, 2), there("C", 16, 3)),
]
HELD = {2: "B", 3: "C", 4: "A"}


def end(world: World, drive: Drive) -> dict[str, Any]:
    return {
        "held": world.held,
        "position": drive.position,
        "there": {sku for sku, status in drive.statuses().items() if status.outcome != "deleted"},
        "letters": set(drive.letters()),
    }


@cache
def undisturbed() -> tuple[dict[str, Any], int]:
    world = WorldById()
    return end(world, lived(world, STEPS)), world.calls


def test_the_undisturbed_end_is_where_everything_went() -> None:
    """What the others are compared with."""
    ended, calls = undisturbed()

    assert ended == {"held": HELD, "position": 17, "there": {"A", "B", "C"}, "letters": set()}
    assert calls > 40


@pytest.mark.parametrize("at_once", [True, False], ids=["started at once", "started later"])
def test_killed_at_any_call_it_ends_the_same(at_once: bool) -> None:
    """Before and behind each request, each reading and each transaction."""
    ended, calls = undisturbed()

    def live(call: int) -> dict[str, Any]:
        world = WorldById(dies_at=call)
        return end(world, lived(world, STEPS, at_once=at_once))

    differing = differing_ends(ended, calls, live)

    assert differing == {}
