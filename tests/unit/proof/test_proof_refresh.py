"""A place names the keys of what is new, and none when it is read for the first time: it would be all."""

from collections.abc import Callable, Iterator

import msgspec
import pytest
from fake_target import feed_record

from commerce_sync.proof.places import FeedTopic, Place, Target
from consumers.sink.dialects.optimizer import OptimizerDialect
from runtime.record import Record
from runtime.settings import TargetSettings
from schemas.records import Status


class GrowingLog:
    """A topic that hands out what was appended since."""

    def __init__(self, *records: Record) -> None:
        self.unread = list(records)

    def news(self) -> Iterator[Record]:
        while self.unread:
            yield self.unread.pop(0)


def feed_place(log: GrowingLog) -> Place:
    return FeedTopic(log, "products")  # type: ignore[arg-type]


def target_place(log: GrowingLog) -> Place:
    settings = TargetSettings(url="http://target")
    return Target("optimizer", settings, OptimizerDialect(), log, "products")  # type: ignore[arg-type]


def status(sku: str, offset: int) -> Record:
    value = msgspec.json.encode(Status("delivered", "hash", "feed", 0, offset, 1_000))
    return Record("status", 0, offset, feed_record(sku, offset).key, value, {})


@pytest.mark.parametrize(("make", "record"), [(feed_place, feed_record), (target_place, status)])
def test_only_what_came_since_is_named(
    make: Callable[[GrowingLog], Place], record: Callable[[str, int], Record]
) -> None:
    """Whatever the size of the catalog."""
    log = GrowingLog(record("A", 0), record("B", 1))
    place = make(log)

    first = place.refresh()
    log.unread.append(record("C", 2))
    then = place.refresh()

    assert (set(first), set(then)) == (set(), {feed_record("C", 2).key})
