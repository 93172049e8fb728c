"""What a transactional producer does before a role uses it."""

from typing import Any

import pytest
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
