"""A sink that still compares a feed with what was accepted has not passed, wherever its position is."""

from collections.abc import Collection
from typing import Any

import msgspec
from audit_world import FakeLog

from commerce_sync.proof.control import Control
from commerce_sync.proof.through import Path
from runtime.record import Record
from runtime.settings import Settings, TargetSettings
from schemas.controls import Reconcile, reconcile_key

SETTINGS = Settings(
    targets={name: TargetSettings(url=f"http://{name}", feeds=("products", "prices")) for name in "ab"}
)
RUN = Reconcile("a", "products", "differences", 7)


class Passed(Path):
    """Everything else has passed."""

    def _capture(self, *_: Any) -> str:
        return ""

    def _role(self, *_: Any) -> str:
        return ""

    def _through(self, *_: Any) -> dict[tuple[str, int], str]:
        return {}


def late(log: FakeLog, feeds: Collection[str]) -> dict[str, dict[tuple[str, int], str]]:
    path = Passed(SETTINGS, None, Control(log))  # type: ignore[arg-type]
    return path.await_passed(None, 0.0, [("product", 2)], feeds, 0.0).sent


def test_only_the_feed_and_target_that_are_compared_are_late() -> None:
    """As long as the record of the comparison stands."""
    log = FakeLog([Record("control", 0, 0, reconcile_key(RUN), msgspec.json.encode(RUN), {})])
    under_way = late(log, ["products", "prices"])
    log.records.append(Record("control", 0, 1, reconcile_key(RUN), None, {}))
    over = late(log, ["products", "prices"])

    sentence = "sink a still compares products with what was accepted: see its log"
    assert under_way == {"a": {("products", 2): sentence}, "b": {}}
    assert over == {"a": {}, "b": {}}
