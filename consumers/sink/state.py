"""What a target holds, as far as we know: the last status of every identity of our partitions. Pure."""

import struct
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from schemas.records import Outcome, Status

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Status)
_OUTCOMES: Final[tuple[Outcome, ...]] = ("delivered", "deleted", "retryable", "attention")
NO_OFFSET: Final = -1
_MINUTE_MS: Final = 60_000
_DAY_MINUTES: Final = 1_440
# Outcome, there, partition, offset, time_ms, again_ms, place of the delete's members; the hash follows.
_PACKED: Final = struct.Struct("<B?HqqqI")
# In place of a hash: the delete of what stood above took the item along; its own record was not deleted.
FELL_HASH: Final = "fell"
# The same, if what stood above was there at all: the item's own delete cannot be spared.
MAY_HAVE_FALLEN_HASH: Final = "may have fallen"
FALLEN: Final = frozenset({FELL_HASH, MAY_HAVE_FALLEN_HASH})
_PACKED_HEAD: Final = struct.Struct("<B?H")
_DELETED: Final = _OUTCOMES.index("deleted")


class Held(NamedTuple):
    """What is kept of a status."""

    outcome: Outcome
    hash: str
    partition: int
    offset: int
    again_ms: int | None
    delete_members: str
    time_ms: int
    there: bool


@dataclass(slots=True)
class _Doubt:
    """Requests whose outcome nobody knows: `hashes` of what they carried, None when unknown."""

    hashes: set[str] | None
    until: float


class TargetState:
    """Statuses by feed record key, and the keys whose outcome is unknown."""

    def __init__(
        self, statuses: Iterable[tuple[bytes, bytes | None]] = (), distrust_before_ms: int = 0
    ) -> None:
        """Statuses written before `distrust_before_ms` are of another log: their offsets mean nothing."""
        # Packed: a fifth of the memory of objects.
        self._held: dict[bytes, bytes] = {}
        self._doubts: dict[bytes, _Doubt] = {}
        # Few different texts stand for many items: most name a store view's website and store.
        self._members: list[str] = [""]
        self._places: dict[str, int] = {"": 0}
        self.newest_ms = 0
        self._last_offsets: dict[int, int] = {}
        # Statuses by the minute in which they were written (unix minutes), of the last day that has some.
        self.written: Counter[int] = Counter()
        for key, value in statuses:
            if value is None:
                self._held.pop(key, None)
            else:
                status = _DECODER.decode(value)
                if status.time_ms < distrust_before_ms:
                    status = msgspec.structs.replace(status, offset=NO_OFFSET)
                self.put(key, status)
                self.written[status.time_ms // _MINUTE_MS] += 1
        self._forget_written()

    def spent(self, now_ms: int) -> list[tuple[float, int]]:
        """What was sent in the last day before we came, oldest first: (seconds ago, items).

        More than was sent where an item needed no request, less where statuses were compacted away. Counted
        as late as it can have been.
        """
        return [
            (max(0, now_ms - (minute + 1) * _MINUTE_MS) / 1000, items)
            for minute, items in sorted(self.written.items())
        ]

    def _forget_written(self) -> None:
        oldest = max(self.written, default=0) - _DAY_MINUTES
        self.written = Counter({minute: n for minute, n in self.written.items() if minute >= oldest})

    def held(self, key: bytes) -> Held | None:
        packed = self._held.get(key)
        return None if packed is None else self._unpacked(packed)

    def put(self, key: bytes, status: Status) -> None:
        self.newest_ms = max(self.newest_ms, status.time_ms)
        last = self._last_offsets.get(status.partition, NO_OFFSET)
        self._last_offsets[status.partition] = max(last, status.offset)
        head = _PACKED.pack(
            _OUTCOMES.index(status.outcome),
            status.there,
            status.partition,
            status.offset,
            status.time_ms,
            status.again_ms or 0,
            self._place(status.delete_members or ""),
        )
        self._held[key] = head + status.hash.encode()

    def last_offset(self, partition: int) -> int:
        """The newest record of a partition that was ever settled."""
        return self._last_offsets.get(partition, NO_OFFSET)

    def distrust(self, partition: int) -> None:
        """The log is another one than that which the statuses speak of."""
        self._last_offsets.pop(partition, None)
        for key, packed in self._held.items():
            outcome, there, held_in, _, *rest = _PACKED.unpack_from(packed)
            if held_in == partition:
                head = _PACKED.pack(outcome, there, held_in, NO_OFFSET, *rest)
                self._held[key] = head + packed[_PACKED.size :]

    def keys_in(self, partition: int, *, deleted: bool) -> set[bytes]:
        """What the target may hold of a partition; with `deleted` also what it held once."""
        return {
            key
            for key, packed in self._held.items()
            if _PACKED_HEAD.unpack_from(packed)[2] == partition and (deleted or packed[0] != _DELETED)
        }

    def count_present(self) -> int:
        """How many identities the target may hold."""
        return sum(packed[0] != _DELETED for packed in self._held.values())

    def all(self, *, deleted: bool | None = None) -> Iterator[tuple[bytes, Held]]:
        """Every identity that has a status; only those that are deleted, or are not, where that is said."""
        return (
            (key, self._unpacked(packed))
            for key, packed in self._held.items()
            if deleted is None or deleted == (packed[0] == _DELETED)
        )

    def is_settled(self, key: bytes, offset: int) -> bool:
        """True when a status settles this feed record or a newer one of the same identity."""
        held = self.held(key)
        return held is not None and held.offset >= offset

    def knows(self, key: bytes, payload_hash: str) -> bool:
        """True when this very content was judged before: accepted or refused, it would be so again."""
        if key in self._doubts:
            return False
        held = self.held(key)
        if held is None or held.outcome == "retryable":
            return False
        if held.outcome == "deleted" and not payload_hash:
            return held.hash != MAY_HAVE_FALLEN_HASH
        return held.hash == payload_hash

    def forget(self, key: bytes) -> None:
        """Nothing is known of this identity any more."""
        self._held.pop(key, None)
        self._doubts.pop(key, None)

    def doubt(self, key: bytes, payload_hash: str | None, until: float) -> None:
        """A request for this identity was written and nobody knows whether it was or will be taken.

        Args:
            payload_hash: what it carried; None when that is unknown too.
            until: before then a different content must not follow (the clock of the caller).
        """
        known = self._doubts.get(key)
        hashes = None if payload_hash is None else {payload_hash}
        if known is not None:
            hashes = None if hashes is None or known.hashes is None else hashes | known.hashes
            until = max(until, known.until)
        self._doubts[key] = _Doubt(hashes, until)

    def trust(self, key: bytes) -> bool:
        """The service has said what it holds; returns whether that was in doubt."""
        return self._doubts.pop(key, None) is not None

    def is_unknown(self, key: bytes) -> bool:
        return key in self._doubts

    def held_back_until(self, key: bytes, payload_hash: str) -> float:
        """Before then this content must not be written; the same content as in doubt may go at once."""
        doubt = self._doubts.get(key)
        if doubt is None or doubt.hashes == {payload_hash}:
            return 0.0
        return doubt.until

    @property
    def has_doubts(self) -> bool:
        return bool(self._doubts)

    def _place(self, members: str) -> int:
        place = self._places.get(members)
        if place is None:
            place = self._places[members] = len(self._members)
            self._members.append(members)
        return place

    def _unpacked(self, packed: bytes) -> Held:
        outcome, there, partition, offset, time_ms, again_ms, place = _PACKED.unpack_from(packed)
        return Held(
            outcome=_OUTCOMES[outcome],
            hash=packed[_PACKED.size :].decode(),
            partition=partition,
            offset=offset,
            again_ms=again_ms or None,
            delete_members=self._members[place],
            time_ms=time_ms,
            there=there,
        )


def encode_status(status: Status) -> bytes:
    return _ENCODER.encode(status)
