"""A feed record becomes the item as the service takes it. Pure."""

import struct
from typing import Final

import msgspec
import xxhash
from msgspec.structs import replace

from consumers.sink.batch import Content, Submission
from consumers.sink.dialects import Dialect, Members, Unmappable
from consumers.sink.waiting import Entry
from schemas.codec import decode
from schemas.keys import canonical_json
from schemas.services.shapes import Identity

# A delete has no content: its hash is empty, and differs from every upsert's.
DELETED_HASH: Final = ""
# Begins the hash of what was never sent: what its status says for a delete is of an earlier record.
UNSENT: Final = "unsent:"
# Bytes of another schema or cut short, a key without its members, and what a dialect cannot say (ValueError).
_UNREADABLE: Final = (
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    OverflowError,
    RecursionError,
    struct.error,
)


class Unsendable(ValueError):
    """The item cannot be read or said; `submission` stands for it in its status."""

    def __init__(self, submission: Submission, reason: str) -> None:
        super().__init__(reason)
        self.submission = submission


def submission(dialect: Dialect, feed: str, entry: Entry, delete_members: str = "") -> Submission:
    """The item as the service takes it.

    Args:
        delete_members: those of the payload that the target holds under this key, as JSON text.

    Raises:
        Unsendable: the service would refuse it, or nobody can read it.
    """
    try:
        if entry.deleted:
            members = msgspec.json.decode(delete_members) if delete_members else None
            payload = dialect.delete_payload(feed, msgspec.json.decode(entry.key), members)
            identity = _identity(dialect, feed, payload)
            return _submission(entry, canonical_json(payload), DELETED_HASH, identity, delete_members)
        assert entry.record is not None
        assert entry.record.value is not None
        mapped = entry.content or content(dialect, feed, entry.record.value)
    except _UNREADABLE as error:
        unread = entry.key if entry.record is None else entry.record.value or b""
        unsent = _submission(entry, b"", f"{UNSENT}{xxhash.xxh3_128_hexdigest(unread)}")
        raise Unsendable(unsent, str(error) or type(error).__name__) from error
    return _submission(entry, *mapped)


def content(dialect: Dialect, feed: str, value: bytes) -> Content:
    """A feed record's value as the service takes it.

    Raises:
        ValueError, LookupError, TypeError, EOFError, OverflowError, RecursionError, struct.error: the service
            would refuse it, or nobody can read it.
    """
    payload = dialect.payload(feed, decode(feed, value))
    text = canonical_json(payload)
    if len(text) > dialect.item_bytes_max(feed):
        message = f"item of {len(text)} bytes, the service takes {dialect.item_bytes_max(feed)}"
        raise Unmappable(message)
    members = dialect.delete_members(feed, payload)
    return Content(
        text,
        xxhash.xxh3_128_hexdigest(text),
        _identity(dialect, feed, payload),
        canonical_json(members).decode() if members else "",
    )


def content_if_readable(dialect: Dialect, feed: str, value: bytes | None) -> Content | None:
    """The same; None for a tombstone, and for what has to be refused with a reason."""
    try:
        return content(dialect, feed, value) if value is not None else None
    except _UNREADABLE:
        return None


def identity_of(dialect: Dialect, feed: str, key: bytes, delete_members: str) -> Identity:
    """What names an item at the service, told by its status; empty where that is no other than the key."""
    if not dialect.identity_moves(feed) or not delete_members:
        return ()
    members = msgspec.json.decode(delete_members)
    return dialect.identity(feed, dialect.delete_payload(feed, msgspec.json.decode(key), members))


def members_of(dialect: Dialect, feed: str, value: bytes) -> str:
    """What a delete of a record's item says beyond its key; empty when that is nothing, or unreadable."""
    try:
        members = dialect.delete_members(feed, dialect.payload(feed, decode(feed, value)))
    except _UNREADABLE:
        return ""
    return canonical_json(members).decode() if members else ""


def clearing(
    dialect: Dialect, feed: str, entry: Entry, delete_members: str, identity: Identity
) -> Submission:
    """The delete of an identity that an item's key had before."""
    payload = dialect.delete_payload(
        feed, msgspec.json.decode(entry.key), msgspec.json.decode(delete_members)
    )
    item = _submission(entry, canonical_json(payload), DELETED_HASH, identity, delete_members)
    return replace(item, operation="delete", clears=True)


def _identity(dialect: Dialect, feed: str, payload: Members) -> Identity:
    return dialect.identity(feed, payload) if dialect.identity_moves(feed) else ()


def _submission(
    entry: Entry, text: bytes, content_hash: str, identity: Identity = (), delete_members: str = ""
) -> Submission:
    return Submission(
        key=entry.key,
        operation="delete" if entry.deleted else "upsert",
        body=text,
        hash=content_hash,
        partition=entry.partition,
        offset=entry.offset,
        lane=entry.lane,
        commit_ms=entry.commit_ms,
        identity=identity,
        delete_members=delete_members,
    )
