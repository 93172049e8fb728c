"""A request body from the wire to JSON values, bounded at every step."""

import zlib
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import msgspec

# A full batch of the largest products (100 of 200 kB) fits; a decompression bomb does not.
BODY_BYTES_MAX: Final = 32 * 1024 * 1024
_GZIP_ONLY: Final = 16 + zlib.MAX_WBITS


class BodyTooLarge(ValueError):
    """The body is, or inflates to, more than BODY_BYTES_MAX."""


class BodyUnreadable(ValueError):
    """The body is not what its headers say, or no JSON array. The text is fit for an answer."""


@dataclass(frozen=True, slots=True)
class Items:
    """The items of a body: decoded, and each one's own bytes as they were sent."""

    values: list[Any]
    raw: list[bytes]


def inflate(body: bytes) -> bytes:
    """Undo gzip.

    Raises:
        BodyTooLarge: found before more than BODY_BYTES_MAX + 1 bytes were made.
        BodyUnreadable: no gzip, cut short, or followed by something else.
    """
    stream = zlib.decompressobj(_GZIP_ONLY)
    try:
        inflated = stream.decompress(body, BODY_BYTES_MAX + 1)
    except zlib.error as error:
        message = "Request body is not valid gzip"
        raise BodyUnreadable(message) from error
    if len(inflated) > BODY_BYTES_MAX:
        raise BodyTooLarge
    if not stream.eof or stream.unused_data:
        message = "Request body is not one whole gzip stream"
        raise BodyUnreadable(message)
    return inflated


def read_items(body: bytes) -> Items:
    """Parse a JSON array.

    Raises:
        BodyUnreadable: no JSON, or no array.
    """
    try:
        raw = msgspec.json.decode(body, type=list[msgspec.Raw])
        return Items(msgspec.json.decode(body), [bytes(item) for item in raw])
    except msgspec.ValidationError as error:
        message = "Request body must be a JSON array of items"
        raise BodyUnreadable(message) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = "Request body is not valid JSON"
        raise BodyUnreadable(message) from error


def content_of(raw: bytes) -> str:
    """A short hash of an item as it was sent: equal texts have equal ones."""
    return blake2b(raw, digest_size=8).hexdigest()


def on_one_line(raw: bytes) -> bytes:
    """The same JSON without line breaks, its numbers spelled as they were sent."""
    if b"\n" not in raw and b"\r" not in raw:
        return raw
    return msgspec.json.format(raw, indent=-1)
