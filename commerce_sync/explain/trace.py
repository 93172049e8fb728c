"""One item's way as the topics tell it: each stage's record, found from the one behind it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from commerce_sync.explain.search import Search
from runtime.record import Record
from schemas.keys import partition_for
from schemas.records import ChangeEvent, DeadLetter, Dirty, Lane, Position, Status
from schemas.tables import CAPTURED_TABLES
from schemas.topics import LANES, TopicNames

_CHANGE: Final = msgspec.json.Decoder(ChangeEvent)
_DIRTY: Final = msgspec.json.Decoder(Dirty)
_STATUS: Final = msgspec.json.Decoder(Status)
_LETTER: Final = msgspec.json.Decoder(DeadLetter)
_POSITION: Final = msgspec.json.Decoder(Position | None)
OPERATIONS: Final = {"c": "insert", "u": "update", "d": "delete", "t": "truncate"}
# A record's own time and the times written in it come from several clocks.
_SLACK_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Step:
    """What happened at a stage, and when (unix milliseconds; None: nobody tells)."""

    stage: str
    at_ms: int | None
    detail: Mapping[str, Any]


@dataclass(slots=True)
class Way:
    """An item's newest feed record with all that led to it, and what became of it at each target."""

    feed: str
    key: str
    steps: list[Step] = field(default_factory=list)
    record: Record | None = None
    statuses: dict[str, Status] = field(default_factory=dict)
    letters: dict[str, DeadLetter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """The newest dirty record of the product, and where it is."""

    record: Record
    lane: Lane
    dirty: Dirty


class Tracer:
    """Looks for the records of one product."""

    def __init__(
        self, search: Search, names: TopicNames, partitions: int, database: str, prefix: str, sku: str
    ) -> None:
        """`database` and `prefix` are the shop's: its change topics carry them."""
        self._search = search
        self._names = names
        self._database = database
        self._prefix = prefix
        self._sku = sku
        self.partition = partition_for(sku.encode(), partitions)

    def keys(self, feed: str) -> Sequence[bytes]:
        """Keys of the feed's records that name the product, tombstones too; as far as the search goes."""
        found = self._search.all(
            self._names.feed(feed), self.partition, lambda r: names_product(r.key, self._sku)
        )
        return sorted(found)

    def ways(self, feed: str, keys: Sequence[bytes], targets: Sequence[str]) -> Iterator[Way]:
        """The way of each of some items."""
        records = self._search.newest(self._names.feed(feed), self.partition, keys)
        settled = {
            target: self._search.newest(self._names.status(target, feed), self.partition, keys)
            for target in targets
        }
        failing = {
            target: self._search.newest(self._names.dead_letter(target, feed), self.partition, keys)
            for target in targets
        }
        for key in keys:
            record = records.get(key)
            way = Way(feed, key.decode(errors="replace"), self._built(record), record)
            for target in targets:
                status, letter = settled[target].get(key), failing[target].get(key)
                if status is not None and status.value is not None:
                    way.statuses[target] = _STATUS.decode(status.value)
                if letter is not None and letter.value is not None:
                    way.letters[target] = _LETTER.decode(letter.value)
            yield way

    def asked(self) -> list[Asked]:
        """The newest dirty record of each lane, newest last."""
        found = []
        for lane in LANES:
            topic = self._names.dirty("product", lane)
            record = self._search.newest(topic, self.partition, [self._sku.encode()]).get(self._sku.encode())
            if record is not None and record.value is not None:
                dirty = _DIRTY.decode(record.value)
                found.append(Asked(record, dirty.lane or lane, dirty))
        return sorted(found, key=lambda asked: asked.record.timestamp_ms)

    def parked(self) -> dict[str, str]:
        """Why the builder keeps the product, or a part of it, back: reason by part."""
        mine = self._search.all(self._names.dead_letter("builder"), self.partition, self._is_my_letter)
        return {
            str(msgspec.json.decode(key).get("part", "")): _LETTER.decode(record.value).error
            for key, record in mine.items()
            if record.value is not None
        }

    def _is_my_letter(self, record: Record) -> bool:
        try:
            name = msgspec.json.decode(record.key)
        except msgspec.DecodeError:
            return False
        return isinstance(name, dict) and name.get("entity") == "product" and name.get("key") == self._sku

    # From a feed record back to the change.

    def _built(self, record: Record | None) -> list[Step]:
        if record is None:
            return []
        built_ms = _number(record.headers.get("built_ms"))
        seen = _POSITION.decode(record.headers.get("position", b"null"))
        detail = {
            "from rows at": None if seen is None else place(seen),
            "lane": record.headers.get("lane", b"").decode(),
            "reason": record.headers.get("reason", b"").decode(),
        }
        written = {
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "operation": "delete" if record.value is None else "upsert",
            "hash": record.headers.get("hash", b"").decode() or None,
        }
        return [
            *self._made_dirty(record, built_ms or record.timestamp_ms),
            Step("built", built_ms, detail),
            Step("feed record", record.timestamp_ms, written),
        ]

    def _made_dirty(self, record: Record, built_ms: int) -> list[Step]:
        reason = record.headers.get("reason", b"").decode()
        commit_ms = _number(record.headers.get("commit_ms"))
        found = self._dirty_behind(record, reason, commit_ms, built_ms)
        if found is None:
            return [Step("change", commit_ms, {"reason": reason, "dirty record": "not found"})]
        asked, dirty = found
        detail = {
            "topic": asked.topic,
            "partition": asked.partition,
            "offset": asked.offset,
            "reason": dirty.reason,
            "refers to": dirty.refers_to,
        }
        return [*self._changed(dirty), Step("dirty record", asked.timestamp_ms, detail)]

    def _dirty_behind(
        self, record: Record, reason: str, commit_ms: int | None, built_ms: int
    ) -> tuple[Record, Dirty] | None:
        """The newest dirty record that this build can have been made for."""
        lane = record.headers.get("lane", b"live").decode()
        # Live work may have waited a moment on the bulk lane's topic; bulk work never is on the live one's.
        topics = [self._names.dirty("product", of) for of in LANES if of == lane or lane == "live"]

        def fits(candidate: Record) -> bool:
            if candidate.key not in {self._sku.encode(), b""} or candidate.value is None:
                return False
            if candidate.timestamp_ms > built_ms + _SLACK_MS:
                return False
            dirty = _DIRTY.decode(candidate.value)
            return dirty.reason == reason and (dirty.commit_ms or commit_ms) == commit_ms

        found = (self._last(topic, fits, built_ms) for topic in topics)
        return next(((one, _DIRTY.decode(one.value)) for one in found if one and one.value is not None), None)

    def _last(self, topic: str, fits: Callable[[Record], bool], built_ms: int) -> Record | None:
        until = self._search.offset_at(topic, self.partition, built_ms + _SLACK_MS)
        return self._search.last(topic, self.partition, fits, until)

    def _changed(self, dirty: Dirty) -> list[Step]:
        """The row change that a dirty record tells of."""
        table, _, operation = dirty.reason.rpartition(":")
        detail: dict[str, Any] = {
            "table": table or None,
            "operation": OPERATIONS.get(operation, operation),
            "binlog": None if dirty.position is None else place(dirty.position),
            "gtid": None if dirty.position is None else dirty.position.gtid,
        }
        change = self._change_at(table, dirty.position, dirty.commit_ms)
        if change is None:
            return [Step("change", dirty.commit_ms, {**detail, "change record": "not found"})]
        captured = {"topic": change.topic, "partition": change.partition, "offset": change.offset}
        return [Step("change", dirty.commit_ms, detail), Step("captured", change.timestamp_ms, captured)]

    def _change_at(self, table: str, position: Position | None, commit_ms: int | None) -> Record | None:
        if table not in CAPTURED_TABLES or position is None or commit_ms is None:
            return None
        topic = self._names.change(self._database, self._prefix + table)

        def fits(record: Record) -> bool:
            try:
                source = _CHANGE.decode(record.value or b"").source
            except msgspec.MsgspecError:
                return False
            return (source.file, source.pos) == (position.file, position.pos)

        begin = self._search.offset_at(topic, 0, commit_ms - _SLACK_MS)
        return self._search.first(topic, 0, begin, fits)


def names_product(key: bytes, sku: str) -> bool:
    """True for the key of a feed record that is of a product; of a variant the child's."""
    try:
        members = msgspec.json.decode(key)
    except msgspec.DecodeError:
        return False
    return isinstance(members, dict) and (members.get("sku") or members.get("productSku")) == sku


def place(position: Position) -> str:
    return f"{position.file}:{position.pos}"


def _number(text: bytes | None) -> int | None:
    return int(text) if text and text.isdigit() else None
