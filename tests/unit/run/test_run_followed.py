"""Whoever waits for a resync reads the control topic once, and then what is new."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pytest

from commerce_sync.run import request
from commerce_sync.run.request import Followed
from runtime.record import Record
from schemas.records import ResyncProgress, resync_key
from schemas.topics import TopicNames

PRODUCT, CATEGORY = resync_key("product"), resync_key("category")


class Control:
    """The control topic; `read` are the offsets handed out, look by look."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.read: list[list[int]] = []

    def say(self, key: bytes, state: Any, requested_ms: int, **more: Any) -> None:
        value = msgspec.json.encode(ResyncProgress(("products",), state, requested_ms, **more))
        self.records.append(Record("cs.control", 0, len(self.records), key, value, {}))

    def read_to_end(
        self, _: object, topic: str, partitions: Sequence[int], since: Mapping[int, int]
    ) -> Iterator[Record]:
        assert (topic, partitions) == ("cs.control", [0])
        news = self.records[since.get(0, 0) :]
        self.read.append([record.offset for record in news])
        yield from news


@pytest.fixture
def control(monkeypatch: pytest.MonkeyPatch) -> Control:
    control = Control()
    monkeypatch.setattr(request, "read_to_end", control.read_to_end)
    return control


def followed(requested_ms: int) -> Followed:
    return Followed(None, TopicNames("cs"), requested_ms)  # type: ignore[arg-type]


def test_each_look_reads_what_is_new(control: Control) -> None:
    """And adds it to what was known."""
    control.say(PRODUCT, "requested", 7)
    following = followed(7)
    before = following.look()
    control.say(PRODUCT, "running", 7, entities=5, total=10)
    under_way = following.look()
    control.say(PRODUCT, "enumerated", 7, entities=10, total=10)
    ended = following.look()

    assert before is None
    assert under_way is not None
    assert (under_way.state, under_way.entities) == ("running", 5)
    assert ended is not None
    assert (ended.state, ended.entities) == ("enumerated", 10)
    assert control.read == [[0], [1], [2]]


def test_all_commands_of_a_request_are_counted_together(control: Control) -> None:
    """It is through when the last of them is."""
    for key in (CATEGORY, PRODUCT):
        control.say(key, "requested", 7)
    control.say(CATEGORY, "enumerated", 7, entities=3, total=3)
    following = followed(7)
    one = following.look()
    control.say(PRODUCT, "enumerated", 7, entities=10, total=10)
    both = following.look()

    assert one is not None
    assert (one.state, one.entities) == ("running", 3)
    assert both is not None
    assert (both.state, both.entities) == ("enumerated", 13)


def test_an_older_run_is_not_the_request_and_a_later_one_counts_for_it(control: Control) -> None:
    """A run that took its place is named later."""
    control.say(PRODUCT, "enumerated", 6, entities=10, total=10)
    control.say(PRODUCT, "requested", 7)
    following = followed(7)
    none = following.look()
    control.say(PRODUCT, "running", 8, entities=1, total=10)
    later = following.look()

    assert none is None
    assert later is not None
    assert (later.state, later.entities) == ("running", 1)


def test_runs_of_other_kinds_are_not_the_request(control: Control) -> None:
    """A change of everything makes them at any time; one that somebody stops has stopped nothing of ours."""
    control.say(PRODUCT, "requested", 7)
    control.say(CATEGORY, "running", 9, entities=3, total=4)
    following = followed(7)
    before = following.look()
    control.say(CATEGORY, "stopped", 10, entities=3, total=4)
    control.say(PRODUCT, "enumerated", 7, entities=10, total=10)
    ended = following.look()

    assert before is None
    assert ended is not None
    assert (ended.state, ended.entities) == ("enumerated", 10)
