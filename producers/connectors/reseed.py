"""Capture begins anew at the log's present end: after lost positions, offsets or table definitions."""

import time
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import OFFSET_END, KafkaException, TopicPartition

from producers.connectors.connect import Connect
from producers.connectors.declare import declare
from producers.connectors.execute import Report, apply
from producers.connectors.gap import find_gap, utc
from producers.connectors.observe import last_heartbeat_s
from runtime import topic_ids
from runtime.errors import Unreachable
from runtime.kafka import ADMIN_TIMEOUT_S, admin_client
from runtime.settings import Settings
from runtime.topics import ensure_topics
from schemas.topics import TopicNames, connector_topics

# A connector that was made a moment ago has no state yet.
STATE_S_MAX: Final = 30.0
_LOOK_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Lost:
    """What capture loses sight of: where it stood, and when it last gave a sign of life (None: unknown)."""

    position: str | None
    since_ms: int | None

    def __str__(self) -> str:
        where = f"its position was {self.position}" if self.position else "it has no position"
        since = "an unknown time" if self.since_ms is None else utc(self.since_ms)
        return f"changes since {since} are not seen ({where}); the resync that follows finds what they did"


def reseed(settings: Settings, connector_class: str, report: Report) -> Lost:
    """Stop the connector, delete its offsets and the schema history, and let it stream from now on.

    What it did not see is then found by a resync, and by nothing else.

    Args:
        connector_class: by what the database server says it is.
        report: gets a line for each step.

    Raises:
        NotFine: Connect refuses, or no heartbeat comes.
        Unreachable: Connect or the broker does not answer.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    name = settings.capture.connector
    connect = Connect(settings.capture.connect_url)
    topics = connector_topics(names, settings.commerce.address.database, settings.commerce.table_prefix)
    admin = admin_client(settings.kafka)
    ensure_topics(admin, topics, settings.kafka.replication_factor)
    if connect.config(name) is None:
        # Offsets may be left of one with its name, and only an existing connector can be told to forget them.
        connect.put_config(declare(settings, names, connector_class))
        _await_state(connect, name)
    lost = _lost(settings, names, connect.offsets(name))
    report(str(lost))
    connect.stop(name)
    connect.delete_offsets(name)
    _clear_history(settings, names)
    topic_ids.forget(settings.kafka, [topic.name for topic in topics])
    report(f"connector '{name}': stopped, its offsets and the schema history deleted")
    apply(settings, connector_class, report)
    return lost


def _lost(settings: Settings, names: TopicNames, offsets: list[dict[str, Any]]) -> Lost:
    gap = find_gap(settings)
    if gap is not None:
        return Lost(position_text(offsets), gap.since_ms)
    heartbeat_s = last_heartbeat_s(settings.kafka, names)
    return Lost(position_text(offsets), None if heartbeat_s is None else int(heartbeat_s * 1000))


def position_text(offsets: list[dict[str, Any]]) -> str | None:
    """A connector's place in the log, as Debezium writes it: file, position and GTIDs."""
    for entry in offsets:
        offset = entry.get("offset") or {}
        if "file" in offset:
            gtids = f", GTID {offset['gtids']}" if offset.get("gtids") else ""
            return f"{offset['file']}:{offset.get('pos', 0)}{gtids}"
    return None


def _await_state(connect: Connect, name: str) -> None:
    deadline = time.monotonic() + STATE_S_MAX
    while connect.state(name) is None and time.monotonic() < deadline:
        time.sleep(_LOOK_S)


def _clear_history(settings: Settings, names: TopicNames) -> None:
    """Definitions of tables at positions that mean nothing any more; the connector reads them anew."""
    place = TopicPartition(names.schema_history, 0, OFFSET_END)
    # Held: a client that is gone never answers.
    admin = admin_client(settings.kafka)
    try:
        deleted = admin.delete_records([place], request_timeout=ADMIN_TIMEOUT_S)
        deleted[place].result(ADMIN_TIMEOUT_S)
    except (KafkaException, TimeoutError) as error:
        reason = error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
        message = f"{names.schema_history}: the broker does not delete its records ({reason})"
        raise Unreachable(message) from error
