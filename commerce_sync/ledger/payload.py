"""An item's payload as last sent: from the feed topic, in the target's own words."""

from typing import Any

import msgspec
import xxhash
from confluent_kafka import Consumer

from consumers.sink.dialects import Dialect
from consumers.sink.dialects.choose import dialect_of
from runtime.fetch import record_at
from runtime.settings import Settings
from schemas.codec import decode
from schemas.keys import canonical_json
from schemas.topics import TopicNames

Row = dict[str, Any]


def payload_of(settings: Settings, consumer: Consumer, row: Row) -> dict[str, Any]:
    """What is known of a ledger row's payload.

    `payload` is None for a deleted item, and where `reason` says why there is none. `as_sent` tells whether
    it is the very content that the target was last told, by its hash; else it is the current one.
    """
    topic = TopicNames(settings.kafka.topic_prefix).feed(row["feed"])
    dialect = dialect_of(settings.targets[row["target"]])
    # The record that was sent, as long as compaction leaves it; then the one that took its place.
    places = sorted({row["sent_offset"], row["feed_offset"]} - {-1}, key=lambda n: n != row["sent_offset"])
    for offset in places:
        record = record_at(consumer, topic, row["partition"], offset)
        if record is None:
            continue
        where = f"{topic} [{row['partition']}] {offset}"
        if record.value is None:
            as_sent = row["sent_offset"] == offset
            return {"record": where, "payload": None, "as_sent": as_sent, "reason": "deleted"}
        return {"record": where, **_mapped(dialect, row, record.value)}
    if row["payload"]:
        as_sent = _is_sent(row, row["payload"].encode())
        kept = msgspec.json.decode(row["payload"])
        return {"record": None, "payload": kept, "as_sent": as_sent, "reason": None}
    reason = "its record is no longer on the feed topic"
    return {"record": None, "payload": None, "as_sent": False, "reason": reason}


def _mapped(dialect: Dialect, row: Row, value: bytes) -> dict[str, Any]:
    try:
        payload = dialect.payload(row["feed"], decode(row["feed"], value))
    except (ValueError, LookupError, TypeError, EOFError) as error:
        reason = f"cannot be said to this target: {error}"
        return {"payload": None, "as_sent": False, "reason": reason}
    return {"payload": payload, "as_sent": _is_sent(row, canonical_json(payload)), "reason": None}


def _is_sent(row: Row, text: bytes) -> bool:
    return bool(xxhash.xxh3_128_hexdigest(text) == row["sent_hash"])
