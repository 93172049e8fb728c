"""Is the connector doing its work: what Connect says, what was wanted, and whether its heart beats."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from producers.connectors.connect import Connect, ConnectorState, Refusal
from producers.connectors.declare import HEARTBEAT_AGE_S_MAX, MARIADB_CLASS, MYSQL_CLASS, declare
from producers.connectors.diff import Difference, differences
from producers.connectors.gap import find_gap
from runtime.errors import Unreachable
from runtime.kafka import reader, require_broker, watermarks
from runtime.settings import KafkaSettings, Settings
from schemas.topics import TopicNames

Health = Literal["streaming", "stalled", "failed", "missing", "drifted", "blind"]

READ_S_MAX: Final = 20.0
CAUSE_LENGTH_MAX: Final = 400
# How the connector and the server say that the log no longer holds the position, or that what is known of
# the tables at that position is gone. The text is all there is. The last one is said by a task that starts
# behind a failover: definitions that stand at a GTID of another server are later ones to it.
_LOST_POSITION: Final = (
    "no longer available on the server",
    "error code: 1236",
    "Error code: 1236",
    "history topic",
    "schema isn't known to this connector",
)
# Control records of transactions take offsets too, so the newest record is some places before the end.
_LOOK_BACK: Final = 64


@dataclass(frozen=True, slots=True)
class ConnectorStatus:
    """The verdict and what it was made from."""

    name: str
    health: Health
    detail: str
    state: ConnectorState | None
    heartbeat_age_s: float | None
    differences: list[Difference]
    refusals: list[Refusal]


def status(settings: Settings, clock: Callable[[], float] = time.time) -> ConnectorStatus:
    """Look at the connector.

    Raises:
        Unreachable: Connect or the broker does not answer.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    connect = Connect(settings.capture.connect_url)
    name = settings.capture.connector
    actual = connect.config(name)
    if actual is None:
        health, detail = judge(name, None, None, [], [])
        return ConnectorStatus(name, health, detail, None, None, [], [])
    # Which of the two it must be is for the database to say (`diff`, `apply`); status works without it.
    actual_class = actual.get("connector.class", "")
    connector_class = actual_class if actual_class in {MARIADB_CLASS, MYSQL_CLASS} else MARIADB_CLASS
    wanted = declare(settings, names, connector_class)
    found = differences(wanted, actual)
    state = connect.state(name)
    heartbeat_s = last_heartbeat_s(settings.kafka, names)
    age_s = None if heartbeat_s is None else max(0.0, clock() - heartbeat_s)
    health, detail = judge(name, state, age_s, found, [])
    refusals: list[Refusal] = []
    if health in {"streaming", "drifted"}:
        # Whether the worker still writes in transactions is checked only when a configuration is put; asking
        # it to validate one is the only way to see that setting.
        refusals = connect.validate(wanted)
        health, detail = judge(name, state, age_s, found, refusals)
        unseen = find_gap(settings)
        if unseen is not None:
            health, detail = "blind", str(unseen)
    return ConnectorStatus(name, health, detail, state, age_s, found, refusals)


def judge(
    name: str,
    state: ConnectorState | None,
    heartbeat_age_s: float | None,
    found: Sequence[Difference],
    refusals: Sequence[Refusal],
) -> tuple[Health, str]:
    """Name the worst that is true, and the way out."""
    if state is None:
        return "missing", f"there is no connector '{name}': run 'commerce-sync connectors apply'"
    if state.failed:
        return "failed", f"{cause(state.trace)}; {_mend(state.trace)}"
    if state.connector in {"STOPPED", "PAUSED"}:
        return "stalled", f"it is {state.connector}: run 'commerce-sync connectors apply' to go on"
    if heartbeat_age_s is None:
        return "stalled", f"Connect says {state.connector}, but no heartbeat has ever come: look at its log"
    if heartbeat_age_s > HEARTBEAT_AGE_S_MAX:
        return "stalled", (
            f"Connect says {state.connector}, but the last heartbeat is {heartbeat_age_s:.0f} s old "
            f"(at most {HEARTBEAT_AGE_S_MAX:.0f}): look at the database and at Connect's log"
        )
    if refusals:
        return "drifted", f"the worker would no longer take the configuration: {refusals[0]}"
    if found:
        changed = ", ".join(difference.name for difference in found[:5])
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        return "drifted", f"{changed}{more} differ from the settings: run 'commerce-sync connectors apply'"
    return "streaming", f"last heartbeat {heartbeat_age_s:.0f} s ago"


def cause(trace: str) -> str:
    """One line of a Java stack trace: the innermost cause, else the first line."""
    lines = [line.strip() for line in trace.splitlines()] or ["it failed without a reason"]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    line = causes[-1] if causes else lines[0]
    # Debezium prints a whole offset in the middle; what happened stands at either end.
    return line if len(line) <= CAUSE_LENGTH_MAX else f"{line[:120]} ... {line[125 - CAUSE_LENGTH_MAX :]}"


def has_lost_position(trace: str) -> bool:
    """True when starting the task again cannot help: what it would go on from is gone."""
    return any(symptom in trace for symptom in _LOST_POSITION)


def _mend(trace: str) -> str:
    if has_lost_position(trace):
        return "changes since then are lost to the log: run 'commerce-sync re-seed'"
    return "mend that, then run 'commerce-sync connectors apply'"


def last_heartbeat_s(kafka: KafkaSettings, names: TopicNames) -> float | None:
    """When the newest readable heartbeat was written, in seconds of Unix time; None when none was.

    Raises:
        Unreachable: the broker does not answer.
    """
    with _heartbeat_reader(kafka, names) as consumer:
        record = None if consumer is None else _newest(consumer, names.heartbeat)
    return None if record is None else record.timestamp()[1] / 1000


@contextmanager
def heartbeats(kafka: KafkaSettings, names: TopicNames) -> Iterator[Callable[[], int]]:
    """Yield what tells the heartbeat topic's next offset (0 when there is none): it moves with each beat.

    Raises:
        Unreachable: the broker does not answer.
    """
    with _heartbeat_reader(kafka, names) as consumer:
        yield lambda: 0 if consumer is None else watermarks(consumer, names.heartbeat, 0)[1]


@contextmanager
def _heartbeat_reader(kafka: KafkaSettings, names: TopicNames) -> Iterator[Consumer | None]:
    require_broker(kafka)
    consumer = reader(kafka, names.group("observe"))
    try:
        metadata = consumer.list_topics(names.heartbeat, timeout=READ_S_MAX).topics[names.heartbeat]
        yield None if metadata.error is not None else consumer
    except KafkaException as error:
        message = f"kafka.bootstrap_servers = {kafka.bootstrap_servers}: {error.args[0].str()}"
        raise Unreachable(message) from error
    finally:
        consumer.close()


def _newest(consumer: Consumer, topic: str) -> Message | None:
    low, end = watermarks(consumer, topic, 0)
    look_back = _LOOK_BACK
    while low < end:
        start = max(low, end - look_back)
        newest = _last_between(consumer, topic, start, end)
        if newest is not None or start == low:
            return newest
        look_back *= 16
    return None


def _last_between(consumer: Consumer, topic: str, start: int, end: int) -> Message | None:
    consumer.assign([TopicPartition(topic, 0, start)])
    deadline = time.monotonic() + READ_S_MAX
    newest = None
    while time.monotonic() < deadline:
        record = consumer.poll(0.2)
        if record is not None and record.error() is None:
            newest = record
        # The position also passes control records, which are never handed out.
        if consumer.position([TopicPartition(topic, 0)])[0].offset >= end:
            return newest
    message = f"{topic}: the broker did not hand out offsets {start} to {end} within {READ_S_MAX:.0f} s"
    raise Unreachable(message)
