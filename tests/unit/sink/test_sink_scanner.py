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
    scanner._pause(True)

    scanner._on_revoke(consumer, active)
    scanner._on_assign(consumer, active)

    assert [place.topic for place in consumer.assignment()] == ["feed", "feed", "control"]
    assert consumer.paused == []
