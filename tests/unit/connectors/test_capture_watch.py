"""A failed task is started again by itself, ever more rarely; what it cannot mend is said once."""

import logging
import threading
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from producers.connectors import watch as watch_module
from producers.connectors.connect import Connect, ConnectorState
from producers.connectors.gap import Gap, Watcher
from producers.connectors.watch import RESTART_S, STEADY_S, Watch
from runtime.errors import Unreachable
from runtime.loop import Stopper
from runtime.settings import Settings
from schemas.topics import TopicNames

RUNNING = ConnectorState("RUNNING", ("RUNNING",), "")
FAILED = ConnectorState("RUNNING", ("FAILED",), "Caused by: org.x.TimeoutException: no broker")
LOST = ConnectorState("RUNNING", ("FAILED",), "Caused by: java.io.EOFException: Error code: 1236")
NO_HISTORY = ConnectorState("RUNNING", ("FAILED",), "Caused by: io.X: The db history topic is missing.")
FAILED_OVER = ConnectorState(
    "RUNNING",
    ("FAILED",),
    "Caused by: io.X: change event for table y whose schema isn't known to this connector",
)


class FakeConnect(Connect):
    """Says what a test wrote down."""

    def __init__(self) -> None:
        self.now: ConnectorState | None = RUNNING
        self.restarts = 0

    def state(self, name: str) -> ConnectorState | None:
        return self.now

    def restart_failed(self, name: str) -> None:
        self.restarts += 1


class Look:
    """A watch with a clock of its own."""

    def __init__(self) -> None:
        self.connect = FakeConnect()
        self.seconds = 0.0
        self.gap: Gap | None = None
        self.watch = Watch(self.connect, "shop", lambda: self.gap, lambda: self.seconds)

    def __call__(self, state: ConnectorState | None = RUNNING, after_s: float = 10.0) -> int:
        """How often the task was started by then."""
        self.connect.now = state
        self.seconds += after_s
        self.watch.look()
        return self.connect.restarts


def test_a_failed_task_is_started_at_once_and_then_ever_more_rarely() -> None:
    """A broker that was away for an hour comes back to a connector that goes on."""
    look = Look()

    restarts = [look(FAILED) for _ in range(7)]

    assert restarts == [1, 2, 2, 2, 3, 3, 3]
    assert look(FAILED, RESTART_S[-1]) == 4


def test_a_task_that_runs_for_a_while_has_got_over_it() -> None:
    """The next failure is mended at once again."""
    look = Look()
    before = [look(FAILED) for _ in range(11)][-1]

    look(RUNNING, STEADY_S + 1)

    assert before == 4
    assert look(FAILED, 0.1) == 5


@pytest.mark.parametrize("state", [LOST, NO_HISTORY, FAILED_OVER])
def test_a_lost_position_is_said_once_and_never_started_again(
    state: ConnectorState, caplog: pytest.LogCaptureFixture
) -> None:
    """Starting it would fail for ever; only a person can give up what was not seen."""
    look = Look()
    with caplog.at_level(logging.WARNING):
        restarts = [look(state) for _ in range(3)]

    assert restarts == [0, 0, 0]
    assert [record.message for record in caplog.records] == ["capture lost its position"]
    assert "re-seed" in caplog.records[0].__dict__["reason"]


def test_a_gap_is_said_once_and_again_when_it_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """Beside a connector that runs."""
    look = Look()
    with caplog.at_level(logging.WARNING):
        for gap in (Gap(1, None, "x"), Gap(1, None, "x"), None, Gap(1, None, "x")):
            look.gap = gap
            look()

    assert [record.message for record in caplog.records] == ["capture has missed changes"] * 2


def test_without_a_connector_there_is_nothing_to_do() -> None:
    """It was not made yet."""
    assert Look()(None) == 0


class AwayBroker:
    """A client whose broker answers nothing; it counts how often it was asked."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or KafkaException(KafkaError(KafkaError._TRANSPORT, "no broker"))
        self.asked = 0
        self.asked_again = threading.Event()

    def list_topics(self, timeout: float) -> Any:
        self.asked += 1
        if self.asked > 1:
            self.asked_again.set()
        raise self.error

    def close(self) -> None:
        pass


def test_a_broker_that_is_away_is_said_in_a_sentence() -> None:
    """Who looks for a gap can wait for it, or end with the exit code of what cannot be reached."""
    with pytest.raises(Unreachable, match="no broker"):
        Watcher(AwayBroker(), TopicNames("cs")).look()  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [None, KeyError("connector")])
def test_nothing_ends_the_watch(
    error: Exception | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A broker that comes back finds failed tasks, and who starts them again; what it was is said once."""
    broker, stopper = AwayBroker(error), Stopper()
    monkeypatch.setattr(watch_module, "LOOK_S", 0.001)
    monkeypatch.setattr(watch_module, "reader", lambda *_: broker)
    monkeypatch.setattr(watch_module, "Connect", lambda _: FakeConnect())

    thread = watch_module.start(Settings(), stopper)

    assert broker.asked_again.wait(10)
    stopper.stop()
    thread.join(10)
    assert [record.message for record in caplog.records] == ["capture cannot be watched"]
