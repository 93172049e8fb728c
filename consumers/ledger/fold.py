"""Many records become the last thing known of each item, and what there is to count. Pure."""

import logging
import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import xxhash

from consumers.ledger.summary import COLUMNS, KEY_MAX, MEMBERS, NAME_MAX, WORD_MAX, plain, summary
from runtime.record import Record
from schemas.codec import decode, decode_some
from schemas.records import Status

log = logging.getLogger(__name__)

# States of an item at a target, with the words that operators of the exporter know.
LABELS: Final = {
    "submitted": "Submitted",
    "retryable": "Failed, will retry",
    "attention": "Failed, requires attention",
    "awaiting": "Awaiting submission",
    "deleted": "Deleted",
    "skipped": "Not for this target",
}
ACCEPTED: Final = ("submitted", "deleted")
_STATE_OF: Final = {"delivered": "submitted"}
_STATUS: Final = msgspec.json.Decoder(Status)
_ERROR_MAX: Final = 10_000
_MINUTE_MS: Final = 60_000
_TIME_MS_MAX: Final = 2**53
_NOTHING: Final[dict[str, str | None]] = dict.fromkeys(COLUMNS)
_UNREADABLE: Final = (ValueError, LookupError, TypeError, EOFError, OverflowError, struct.error)

Row = dict[str, Any]
# The payload of a feed's item as a target takes it, JSON text; None: it takes none.
Map = Callable[[str, str, dict[str, Any]], str | None]


@dataclass(frozen=True, slots=True)
class Source:
    """What a topic tells: items of a feed, for each target that takes it, or statuses of one target."""

    feed: str
    targets: tuple[str, ...]
    statuses: bool = False


@dataclass(slots=True)
class Batch:
    """Rows to write, of each kind at most one for an item but of `submissions`."""

    items: list[Row] = field(default_factory=list)
    tombstones: list[Row] = field(default_factory=list)
    statuses: list[Row] = field(default_factory=list)
    forgotten: list[Row] = field(default_factory=list)
    submissions: list[Row] = field(default_factory=list)
    minutes: list[Row] = field(default_factory=list)


def fold(records: Iterable[Record], sources: Mapping[str, Source], payload: Map | None = None) -> Batch:
    """What to write for these records, which stand in the order of their partitions.

    A record that nobody can read is logged and changes nothing; of an unreadable item only the summary is
    missing.

    Args:
        payload: where given, items keep what it makes of them.
    """
    batch = Batch()
    items: dict[tuple[str, bytes], Record] = {}
    told: dict[tuple[str, bytes], Record] = {}
    rows: dict[tuple[str, int, int], Row] = {}
    for record in records:
        if not sources[record.topic].statuses:
            items[record.topic, record.key] = record
            continue
        row = _submission(record, sources[record.topic])
        if record.value is None or row is not None:
            told[record.topic, record.key] = record
        if row is not None:
            rows[record.topic, record.partition, record.offset] = row
    for record in items.values():
        _put_item(batch, record, sources[record.topic], payload)
    for record in told.values():
        known = rows.get((record.topic, record.partition, record.offset))
        _put_status(batch, record, sources[record.topic], known)
    batch.submissions = list(rows.values())
    batch.minutes = _minutes(batch.submissions)
    return batch


def stored_key(key: bytes) -> str:
    """A record's key as the ledger knows it: what is too long for an index ends in its hash instead."""
    text = plain(key.decode(errors="replace"), len(key))
    if len(text) <= KEY_MAX:
        return text
    return text[: KEY_MAX - 33] + "~" + xxhash.xxh3_128_hexdigest(key)


def _put_item(batch: Batch, record: Record, source: Source, payload: Map | None) -> None:
    told = {
        "feed": source.feed,
        "item_key": stored_key(record.key),
        "partition": record.partition,
        "state": "awaiting",
        "feed_offset": record.offset,
        "feed_time_ms": record.timestamp_ms,
        "commit_ms": _milliseconds(record.headers.get("commit_ms"), record.timestamp_ms),
        "content_hash": plain(record.headers.get("hash", b"").decode(errors="replace"), WORD_MAX),
    }
    if record.value is None:
        batch.tombstones += [{"target": target, **told, "deleted": True} for target in source.targets]
        return
    item, columns = _read(record, source.feed, whole=payload is not None)
    for target in source.targets:
        kept = None if payload is None or item is None else payload(target, source.feed, item)
        batch.items.append({"target": target, **told, **columns, "deleted": False, "payload": kept})


def _read(record: Record, feed: str, *, whole: bool) -> tuple[Row | None, dict[str, str | None]]:
    assert record.value is not None
    try:
        item = decode(feed, record.value) if whole else decode_some(feed, record.value, MEMBERS)
        return item, summary(item)
    except _UNREADABLE as error:
        _unreadable(record, error)
        return None, _NOTHING


def _submission(record: Record, source: Source) -> Row | None:
    """A status as a row of the history; None for none, and for one that nobody can read."""
    if record.value is None:
        return None
    try:
        status = _STATUS.decode(record.value)
    except msgspec.DecodeError as error:
        _unreadable(record, error)
        return None
    return {
        "target": source.targets[0],
        "feed": source.feed,
        "item_key": stored_key(record.key),
        "partition": record.partition,
        "status_offset": record.offset,
        "time_ms": _milliseconds(status.time_ms),
        "outcome": _STATE_OF.get(status.outcome, status.outcome),
        "sent_offset": status.offset,
        "sent_hash": plain(status.hash, WORD_MAX),
        "request_id": None if status.request_id is None else plain(status.request_id, NAME_MAX),
        "error": None if status.error is None else plain(status.error, _ERROR_MAX),
    }


def _put_status(batch: Batch, record: Record, source: Source, row: Row | None) -> None:
    if row is None:
        place = {"target": source.targets[0], "feed": source.feed, "item_key": stored_key(record.key)}
        batch.forgotten.append({**place, "status_offset": record.offset})
        return
    status = {name: value for name, value in row.items() if name != "time_ms"}
    status["state"] = row["outcome"]
    status["settled_offset"] = row["sent_offset"]
    status["status_time_ms"] = row["time_ms"]
    status["accepted_ms"] = row["time_ms"] if row["outcome"] in ACCEPTED else 0
    batch.statuses.append(status)


def _minutes(submissions: Iterable[Row]) -> list[Row]:
    counted: dict[tuple[Any, ...], Row] = {}
    for row in submissions:
        minute = row["time_ms"] // _MINUTE_MS
        place = (row["target"], row["feed"], row["outcome"], minute, row["partition"])
        names = ("target", "feed", "outcome", "minute", "partition")
        known = counted.setdefault(place, dict(zip(names, place, strict=True)) | {"items": 0, "last_ms": 0})
        known["items"] += 1
        known["last_ms"] = max(known["last_ms"], row["time_ms"])
    return list(counted.values())


def _milliseconds(told: bytes | int | None, otherwise: int = 0) -> int:
    try:
        value = int(told or otherwise)
    except ValueError:
        value = otherwise
    return min(max(value, 0), _TIME_MS_MAX)


def _unreadable(record: Record, error: Exception) -> None:
    place = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    log.warning("record cannot be read", extra={**place, "reason": str(error) or type(error).__name__})
