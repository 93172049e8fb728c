"""The dead letters of a feed: each failing item once, counted by class, written as they change."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from prometheus_client import REGISTRY

from consumers.sink.letters import DeadLetters
from runtime.record import Outgoing
from schemas.records import DeadLetter, DeadLetterKind


def letter(kind: DeadLetterKind, time_ms: int = 0) -> DeadLetter:
    return DeadLetter(kind, "upsert", "why", 1, time_ms, "cs.feed.products", 3, 7)


def encoded(kind: DeadLetterKind) -> bytes:
    return msgspec.json.encode(letter(kind))


def ignore(_: Outgoing) -> None:
    """Nothing is written."""


Make = Callable[..., DeadLetters]


@pytest.fixture
def made(request: pytest.FixtureRequest) -> Make:
    """Dead letters with gauges of their own."""

    def make(write: Any = ignore) -> DeadLetters:
        return DeadLetters(request.node.name, "products", "cs.dead-letter.t.products", write)

    return make


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> Callable[[], tuple[float | None, ...]]:
    """The gauges: retryable, attention."""

    def read() -> tuple[float | None, ...]:
        labels = [
            {"target": request.node.name, "feed": "products", "class": kind}
            for kind in ("retryable", "attention")
        ]
        return tuple(REGISTRY.get_sample_value("commerce_sync_dead_letters", each) for each in labels)

    return read


def test_gauges_follow_what_fails(made: Make, counted: Callable[[], tuple[float | None, ...]]) -> None:
    """An item that fails again, now in the other class, is still one item."""
    letters = made()
    seen = [counted()]
    letters.load([(b"a", encoded("retryable")), (b"b", encoded("attention")), (b"c", encoded("retryable"))])
    seen.append(counted())
    letters.park(b"a", letter("attention"))
    seen.append(counted())
    letters.clear(b"b", 3)
    letters.clear(b"never failed", 3)
    seen.append(counted())

    assert seen == [(0, 0), (2, 1), (1, 2), (1, 1)]


def test_gauges_of_a_feed_without_dead_letters_say_none(
    made: Make, counted: Callable[[], tuple[float | None, ...]]
) -> None:
    """Also where this process held the feed before, and a predecessor's letters are gone."""
    made().load([(b"a", encoded("retryable"))])

    made().load([(b"a", encoded("retryable")), (b"a", None)])

    assert counted() == (0, 0)


def test_the_topic_holds_each_failing_item_once(made: Make) -> None:
    """Key and partition are the item's; what fails no longer is a tombstone, once."""
    written: list[Outgoing] = []
    letters = made(written.append)

    letters.park(b"a", letter("retryable"))
    letters.park(b"a", letter("attention"))
    letters.clear(b"a", 3)
    letters.clear(b"a", 3)

    told = [record.value and msgspec.json.decode(record.value)["kind"] for record in written]
    assert told == ["retryable", "attention", None]
    assert {(record.topic, record.partition, record.key) for record in written} == {
        ("cs.dead-letter.t.products", 3, b"a")
    }


def test_failing_items_are_named_by_time_class_and_key(made: Make) -> None:
    """Those that failed at the moment of the request, or later, are not meant."""
    letters = made()
    letters.park(b"old", letter("retryable", 10))
    letters.park(b"refused", letter("attention", 11))
    letters.park(b"new", letter("retryable", 20))

    assert letters.failing(20, None, frozenset()) == [b"old", b"refused"]
    assert letters.failing(21, "retryable", frozenset()) == [b"old", b"new"]
    assert letters.failing(21, None, frozenset({b"new", b"gone"})) == [b"new"]
