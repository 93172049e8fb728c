"""A feed record becomes the item as the service takes it. Pure."""

import struct
from typing import Final

import msgspec
import xxhash

from consumers.sink.batch import Submission
from consumers.sink.dialects import Dialect, Unmappable
from consumers.sink.waiting import Entry
from schemas.codec import decode
from schemas.keys import canonical_json

# A delete has no content: its hash is empty, and differs from every upsert's.
DELETED_HASH: Final = ""
# Bytes of another schema or cut short, a key without its members, and what a dialect cannot say (ValueError).
_UNREADABLE: Final = (ValueError, LookupError, TypeError, EOFError, OverflowError, struct.error)


class Unsendable(ValueError):
    """The item cannot be read or said; `submission` stands for it in its status."""

    def __init__(self, submission: Submission, reason: str) -> None:
        super().__init__(reason)
        self.submission = submission


def submission(dialect: Dialect, feed: str, entry: Entry) -> Submission:
    """The item as the service takes it.

    Raises:
        Unsendable: the service would refuse it, or nobody can read it.
    """
    try:
        if entry.deleted:
            payload = dialect.delete_payload(feed, msgspec.json.decode(entry.key))
            return _submission(entry, canonical_json(payload), DELETED_HASH)
        assert entry.record is not None
        assert entry.record.value is not None
        text = canonical_json(dialect.payload(feed, decode(feed, entry.record.value)))
        if len(text) > dialect.item_bytes_max(feed):
            message = f"item of {len(text)} bytes, the service takes {dialect.item_bytes_max(feed)}"
            raise Unmappable(message)
    except _UNREADABLE as error:
        content = entry.key if entry.record is None else entry.record.value or b""
        unsent = _submission(entry, b"", f"unsent:{xxhash.xxh3_128_hexdigest(content)}")
        raise Unsendable(unsent, str(error) or type(error).__name__) from error
    return _submission(entry, text, xxhash.xxh3_128_hexdigest(text))


def _submission(entry: Entry, text: bytes, content_hash: str) -> Submission:
    return Submission(
        key=entry.key,
        operation="delete" if entry.deleted else "upsert",
        body=text,
        hash=content_hash,
        partition=entry.partition,
        offset=entry.offset,
        lane=entry.lane,
        commit_ms=entry.commit_ms,
    )
