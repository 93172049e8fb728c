"""Health is judged by the heartbeat, never by Connect's word alone."""

import pytest

from producers.connectors.connect import ConnectorState, Refusal
from producers.connectors.diff import Difference
from producers.connectors.observe import cause, judge

RUNNING = ConnectorState("RUNNING", ("RUNNING",), "")
DRIFT = [Difference("changed", "poll.interval.ms", "20", "500")]
NO_EXACTLY_ONCE = [Refusal("exactly.once.support", "not enabled on this worker")]
TRACE = """org.apache.kafka.connect.errors.ConnectException: An exception occurred
\tat io.debezium.X(X.java:1)
Caused by: io.debezium.DebeziumException: outer
\tat io.debezium.Y(Y.java:2)
Caused by: java.io.EOFException: Error code: 1236
\t... 5 more
"""


@pytest.mark.parametrize(
    ("state", "age_s", "found", "refusals", "health", "start"),
    [
        (None, None, [], [], "missing", "there is no connector 'shop': run"),
        (
            ConnectorState("RUNNING", ("FAILED",), TRACE),
            1,
            [],
            [],
            "failed",
            "java.io.EOFException: Error code: 1236",
        ),
        (ConnectorState("STOPPED", (), ""), 1, [], [], "stalled", "it is STOPPED: run"),
        (RUNNING, None, [], [], "stalled", "Connect says RUNNING, but no heartbeat has ever come"),
        (RUNNING, 24.1, DRIFT, [], "stalled", "Connect says RUNNING, but the last heartbeat is 24 s old"),
        (
            RUNNING,
            24.0,
            [],
            NO_EXACTLY_ONCE,
            "drifted",
            "the worker would no longer take the configuration: exactly",
        ),
        (RUNNING, 24.0, DRIFT, [], "drifted", "poll.interval.ms differ from the settings: run"),
        (RUNNING, 24.0, [], [], "streaming", "last heartbeat 24 s ago"),
    ],
)
def test_the_worst_that_is_true_is_named(
    state: ConnectorState | None,
    age_s: float | None,
    found: list[Difference],
    refusals: list[Refusal],
    health: str,
    start: str,
) -> None:
    """Three missed beats make a RUNNING connector a stalled one; drift matters only while rows flow."""
    verdict, detail = judge("shop", state, age_s, found, refusals)

    assert verdict == health
    assert detail.startswith(start)


def test_a_long_cause_keeps_both_ends() -> None:
    """400 characters and the mark between them."""
    line = "head " + "x" * 500 + " tail"

    assert cause(line) == line[:120] + " ... " + line[-275:]
    assert len(cause(line)) == 400


def test_a_trace_without_a_cause_is_its_first_line() -> None:
    """And an empty one is said to be empty."""
    assert cause("one: two\n\tat x") == "one: two"
    assert cause("") == "it failed without a reason"
