"""Make the connector what the settings say, and see it stream."""

import time
from collections.abc import Callable
from typing import Final

from producers.connectors.connect import Connect, ConnectorState
from producers.connectors.declare import HEARTBEAT_AGE_S_MAX, declare
from producers.connectors.diff import Difference, differences
from producers.connectors.observe import cause, heartbeats, last_heartbeat_s
from runtime.errors import NotFine
from runtime.kafka import admin_client, require_broker
from runtime.settings import Settings
from runtime.topics import ensure_topics
from schemas.topics import TopicNames, connector_topics

STREAM_S_MAX: Final = 90.0
REPORT_S: Final = 5.0
LOOK_S: Final = 0.2
# A restarted task may show the failure it is being healed from for a moment.
FAILED_S_MIN: Final = 5.0

Report = Callable[[str], None]


def compare(settings: Settings, connector_class: str) -> list[Difference]:
    """What `apply` would change in the connector; everything is "added" when there is none.

    Raises:
        Unreachable: Connect does not answer.
    """
    wanted = declare(settings, TopicNames(settings.kafka.topic_prefix), connector_class)
    actual = Connect(settings.capture.connect_url).config(settings.capture.connector)
    return differences(wanted, actual or {})


def apply(
    settings: Settings, connector_class: str, report: Report, stream_s_max: float = STREAM_S_MAX
) -> list[Difference]:
    """Create or change the connector and return when it streams: topics first, then the configuration.

    What is right already is left alone, so a second call changes and restarts nothing. A stopped connector
    is resumed and a failed task restarted.

    Args:
        connector_class: by what the database server says it is (`declare.MARIADB_CLASS` or `MYSQL_CLASS`).
        report: gets a line for each step.
        stream_s_max: the longest wait for a heartbeat.

    Returns:
        What was changed.

    Raises:
        NotFine: the worker refuses the configuration, the task fails, or no heartbeat comes in time.
        Unreachable: Connect or the broker does not answer.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    name = settings.capture.connector
    wanted = declare(settings, names, connector_class)
    connect = Connect(settings.capture.connect_url)
    _require_plugin(connect, connector_class)
    actual = connect.config(name)
    found = differences(wanted, actual or {})
    if found:
        _require_valid(connect, wanted)
    _make_topics(settings, names, report)
    state = connect.state(name)
    if not found and _beats(settings, names, state):
        report(f"connector '{name}': unchanged and streaming")
        return []
    if found:
        connect.put_config(wanted)
        verb = "changed" if actual else "created"
        report(f"connector '{name}': {verb}, {len(found)} properties")
    if state is not None:
        _set_going(connect, name, state, report)
    _await_heartbeat(connect, settings, names, report, stream_s_max)
    report(f"connector '{name}': streaming")
    return found


def _require_plugin(connect: Connect, connector_class: str) -> None:
    if connector_class not in connect.plugin_classes():
        message = (
            f"capture.connect_url = {connect.url}: the worker has no plugin "
            f"{connector_class}; put Debezium's connector on its plugin.path and restart it"
        )
        raise NotFine(message)


def _require_valid(connect: Connect, wanted: dict[str, str]) -> None:
    refusals = connect.validate(wanted)
    if refusals:
        reasons = "; ".join(str(refusal) for refusal in refusals)
        message = f"Kafka Connect refuses connector '{wanted['name']}': {reasons}"
        raise NotFine(message)


def _make_topics(settings: Settings, names: TopicNames, report: Report) -> None:
    require_broker(settings.kafka)
    topics = connector_topics(names, settings.commerce.address.database, settings.commerce.table_prefix)
    changes = ensure_topics(admin_client(settings.kafka), topics, settings.kafka.replication_factor)
    report(f"topics: {len(topics)} needed, {len(changes.created)} created, {len(changes.altered)} mended")


def _beats(settings: Settings, names: TopicNames, state: ConnectorState | None) -> bool:
    if state is None or state.connector != "RUNNING" or state.failed:
        return False
    heartbeat_s = last_heartbeat_s(settings.kafka, names)
    return heartbeat_s is not None and time.time() - heartbeat_s <= HEARTBEAT_AGE_S_MAX


def _set_going(connect: Connect, name: str, state: ConnectorState, report: Report) -> None:
    if state.connector in {"STOPPED", "PAUSED"}:
        connect.resume(name)
        report(f"connector '{name}': resumed from {state.connector}")
    elif state.failed:
        connect.restart_failed(name)
        report(f"connector '{name}': restarted after {cause(state.trace)}")


def _await_heartbeat(
    connect: Connect, settings: Settings, names: TopicNames, report: Report, stream_s_max: float
) -> None:
    """A new heartbeat is the first sign that rows can flow; offsets tell, so no clocks are compared."""
    name = settings.capture.connector
    started = reported = time.monotonic()
    failed_since = None
    with heartbeats(settings.kafka, names) as next_offset:
        before = next_offset()
        while next_offset() <= before:
            now = time.monotonic()
            state = connect.state(name)
            if state is None or not state.failed:
                failed_since = None
            elif failed_since is None:
                failed_since = now
            elif now - failed_since > FAILED_S_MIN:
                message = f"connector '{name}' failed: {cause(state.trace)}"
                raise NotFine(message)
            if now - started > stream_s_max:
                said = "nothing" if state is None else state.connector
                message = (
                    f"connector '{name}' sent no heartbeat within {stream_s_max:.0f} s although Connect says "
                    f"{said}: look at the log of capture.connect_url = {connect.url}"
                )
                raise NotFine(message)
            if now - reported > REPORT_S:
                report(f"connector '{name}': waiting for its first heartbeat, {now - started:.0f} s")
                reported = now
            time.sleep(LOOK_S)
