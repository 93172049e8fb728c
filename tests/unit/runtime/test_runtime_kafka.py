"""What a transactional producer does before a role uses it, and how a group's positions are asked."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, cast

import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from fake_kafka import FakeProducer

from runtime import kafka
from runtime.errors import Unreachable
from runtime.settings import KafkaSettings


class StartingProducer(FakeProducer):
    """Also begins and aborts."""

    def init_transactions(self, timeout_s: float) -> None:
        self._step("init")

    def abort_transaction(self, timeout_s: float) -> None:
        self._step("abort")


class Asker:
    """A consumer that joins nothing."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._group = options["group.id"]
        # With an id of its own it would not be known to the group it never joined.
        assert "group.instance.id" not in options

    def consumer_group_metadata(self) -> str:
        return f"metadata of {self._group}"

    def close(self) -> None:
        pass


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> StartingProducer:
    made = StartingProducer([])
    monkeypatch.setattr(kafka, "Producer", lambda options: made)
    monkeypatch.setattr(kafka, "Consumer", Asker)
    return made


def test_offsets_that_a_dead_broker_left_pending_are_dropped_before_anything_is_read(
    client: StartingProducer,
) -> None:
    """Nobody else can: the broker takes their transaction for complete, and hides the positions for ever."""
    kafka.transactional_producer(KafkaSettings(), "cs.builder.one", "cs.builder", "cs.dirty.product")

    assert client.journal == ["init", "begin", "offsets", "abort"]
    assert client._offsets == {("cs.dirty.product", 0): 0}
    assert client.transactions == []


@pytest.mark.parametrize("step", ["init", "begin", "offsets", "abort"])
def test_a_broker_that_refuses_is_named(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """The role ends with the setting to look at; the supervisor tries again."""
    monkeypatch.setattr(kafka, "Producer", lambda options: StartingProducer([], step))
    monkeypatch.setattr(kafka, "Consumer", Asker)

    with pytest.raises(Unreachable, match=rf"of cs\.builder\.one cannot begin.*{step} timed out"):
        kafka.transactional_producer(KafkaSettings(), "cs.builder.one", "cs.builder", "cs.dirty.product")


class Coordinator:
    """Tells a group's positions, once it has given these errors."""

    def __init__(self, errors: Sequence[int]) -> None:
        self._errors = list(errors)
        self.asked = 0

    def list_consumer_group_offsets(
        self, groups: list[ConsumerGroupTopicPartitions]
    ) -> dict[str, "Future[ConsumerGroupTopicPartitions]"]:
        self.asked += 1
        answer: Future[ConsumerGroupTopicPartitions] = Future()
        if self._errors:
            answer.set_exception(KafkaException(KafkaError(self._errors.pop(0))))
        else:
            answer.set_result(groups[0])
        return {groups[0].group_id: answer}


def _positions(coordinator: Coordinator) -> list[TopicPartition]:
    return kafka.committed_offsets(cast("AdminClient", coordinator), "g", [TopicPartition("t", 0, 7)])


def test_a_group_s_coordinator_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new broker loads the positions of a group when it is first asked (seen in its first seconds)."""
    monkeypatch.setattr(kafka, "_COORDINATOR_RETRY_S", 0.001)
    coordinator = Coordinator([KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_LOAD_IN_PROGRESS])

    assert [place.offset for place in _positions(coordinator)] == [7]
    assert coordinator.asked == 3


class EarlyConsumer:
    """Asked in a group that its broker does not speak for yet."""

    def __init__(self) -> None:
        self.asked = 0

    def committed(self, places: list[TopicPartition], timeout_s: float) -> list[TopicPartition]:
        self.asked += 1
        if self.asked < 3:
            raise KafkaException(KafkaError(KafkaError.NOT_COORDINATOR))
        return places


def test_the_first_question_in_a_group_is_asked_again_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the one that has a new broker make its topic of positions."""
    monkeypatch.setattr(kafka, "_COORDINATOR_RETRY_S", 0.001)
    consumer, admin = EarlyConsumer(), Coordinator([])

    made = kafka.commit_beginnings(
        cast("AdminClient", admin), cast("Consumer", consumer), "g", [TopicPartition("t", 0, 7)]
    )

    assert (made, consumer.asked) == (0, 3)


def test_a_coordinator_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what it refuses is told at once."""
    monkeypatch.setattr(kafka, "_COORDINATOR_RETRY_S", 0.001)
    monkeypatch.setattr(kafka, "ADMIN_TIMEOUT_S", 0.01)
    with pytest.raises(Unreachable, match="offsets of group g"):
        _positions(Coordinator([KafkaError.NOT_COORDINATOR] * 10_000))

    refusing = Coordinator([KafkaError.GROUP_AUTHORIZATION_FAILED])
    with pytest.raises(Unreachable, match="offsets of group g"):
        _positions(refusing)
    assert refusing.asked == 1


class Empty:
    """A consumer at a broker that has no such topic."""

    def get_watermark_offsets(self, place: object, timeout_s: float) -> None:
        raise KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION))


def test_a_topic_that_is_not_there_is_told_with_what_makes_it() -> None:
    """Nobody ran a role yet; the broker's own word for it helps nobody."""
    with pytest.raises(Unreachable) as told:
        kafka.watermarks(Empty(), "cs.control", 0)  # type: ignore[arg-type]

    assert str(told.value) == (
        "topic cs.control has no partition 0: the first 'commerce-sync run' makes what is missing"
    )
