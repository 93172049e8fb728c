"""The scan's place in its group: what it reads after it was held, or had gone."""

from typing import Any

from confluent_kafka import TopicPartition
from fake_kafka import FakeConsumer

from consumers.sink.inbox import Assigned, Lease, Revoked
from consumers.sink.scanner import Scanner


class Answering:
    """An inbox whose hand-overs are done at once."""

    def put(self, event: Any) -> None:
        if isinstance(event, Assigned | Revoked):
            event.done.set()


def test_a_sink_that_was_full_when_it_gave_way_reads_when_it_is_active_again() -> None:
    """The client keeps the feeds paused; nothing waits here any more, so nothing would ever resume them."""
    consumer: Any = FakeConsumer([])
    scanner = Scanner(consumer, "control", {"feed": 2}, Answering(), Lease(10))  # type: ignore[arg-type]
    active = [TopicPartition("control", 0)]
    scanner._on_assign(consumer, active)
    scanner._pause(frozenset({"feed"}))

    scanner._on_revoke(consumer, active)
    scanner._on_assign(consumer, active)

    assert [place.topic for place in consumer.assignment()] == ["feed", "feed", "control"]
    assert consumer.paused == []


def test_only_a_feed_of_which_too_much_waits_is_held() -> None:
    """Others are read on, and it too once there is room."""
    consumer: Any = FakeConsumer([])
    scanner = Scanner(consumer, "control", {"a": 1, "b": 1}, Answering(), Lease(10))  # type: ignore[arg-type]
    scanner._on_assign(consumer, [TopicPartition("control", 0)])
    paused = []
    for full in ({"a"}, {"a", "b"}, {"b"}, set[str]()):
        scanner._pause(frozenset(full))
        paused.append({place.topic for place in consumer.paused})

    assert paused == [{"a"}, {"a", "b"}, {"b"}, set()]
