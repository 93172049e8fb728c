"""What a target holds, as far as we know: the last status of every identity of our partitions."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.records import Status

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Status)


class TargetState:
    """Statuses by feed record key, and the keys whose outcome is unknown."""

    def __init__(self, statuses: Iterable[tuple[bytes, bytes | None]] = ()) -> None:
        # Kept as bytes: a tenth of the memory of objects.
        self._statuses: dict[bytes, bytes] = {}
        self._unknown: set[bytes] = set()
        self._doubtful_below: dict[int, int] = {}
        for key, value in statuses:
            if value is None:
                self._statuses.pop(key, None)
            else:
                self._statuses[key] = value

    def status(self, key: bytes) -> Status | None:
        value = self._statuses.get(key)
        return None if value is None else _DECODER.decode(value)

    def put(self, key: bytes, status: Status) -> None:
        self._statuses[key] = _ENCODER.encode(status)

    def doubt(self, key: bytes) -> None:
        """A request for this identity was written and its outcome is not known."""
        self._unknown.add(key)

    def doubt_below(self, partition: int, end_offset: int) -> None:
        """Unsettled feed records before `end_offset` may have been sent by a predecessor that died."""
        self._doubtful_below[partition] = end_offset

    def saw(self, key: bytes, partition: int, offset: int) -> None:
        """A feed record was read that no committed offset covers."""
        if offset < self._doubtful_below.get(partition, 0):
            self.doubt(key)

    def trust(self, key: bytes) -> None:
        """The service has said what it holds."""
        self._unknown.discard(key)

    def is_settled(self, key: bytes, offset: int) -> bool:
        """True when a status settles this feed record or a newer one of the same identity."""
        status = self.status(key)
        return status is not None and status.offset >= offset and key not in self._unknown

    def knows(self, key: bytes, payload_hash: str) -> bool:
        """True when this very content was judged before: accepted or refused, it would be so again."""
        status = self.status(key)
        return key not in self._unknown and status is not None and status.hash == payload_hash

    def is_unknown(self, key: bytes) -> bool:
        return key in self._unknown


def encode_status(status: Status) -> bytes:
    return _ENCODER.encode(status)
