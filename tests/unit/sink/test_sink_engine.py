"""What drives the scheduler: what it tells of itself while it is the active one, and when it is no longer."""

import threading
from types import SimpleNamespace
from typing import Any

from counted import counting, sampled
from fake_target import FakeSender, feed_record, refused
from sink_drive import FEED, Drive

from consumers.sink.engine import Engine
from consumers.sink.inbox import Revoked, Scanned
from runtime.health import Health

STAGE = {"stage": "sink"}


def engine_of(held: Drive) -> Engine:
    """The engine over a scheduler that is active, without threads."""
    none: Any = SimpleNamespace(mark=lambda *_: None, write=lambda *_: None)
    engine = Engine("optimizer", none, none, none, none, none, none, none, Health())
    engine._delivery = held.delivery
    return engine


def test_records_that_were_read_are_counted_by_topic() -> None:
    """Each once, as they come from the scan."""
    records = counting("commerce_sync_records_total", "topic", **STAGE)

    engine_of(Drive(FakeSender()))._hear(Scanned([feed_record("A", 0), feed_record("B", 1)]))

    assert records() == {FEED: 2}


def test_what_a_sink_held_is_told_by_its_successor_alone() -> None:
    """A standby that went on telling would be counted beside it, and never see the end of a dead letter."""
    held = Drive(FakeSender(refused((0, "name", "no"))))
    engine = engine_of(held)
    held.run(feed_record("A", 0))
    held.append(feed_record("B", 1), feed_record("C", 2))
    held.scan()
    engine._tell(held.delivery, 1_000.0)
    active = (
        sampled("commerce_sync_lag_records", "topic", **STAGE),
        sampled("commerce_sync_dead_letters", "class", target="optimizer", feed="products"),
    )

    done = threading.Event()
    engine._hear(Revoked(done))

    assert active == ({FEED: 2}, {"retryable": 0, "attention": 1})
    assert done.is_set()
    assert sampled("commerce_sync_lag_records", "topic", **STAGE) == {}
    assert sampled("commerce_sync_dead_letters", "class", target="optimizer") == {}
