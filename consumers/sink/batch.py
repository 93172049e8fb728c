"""An item on its way and the body that carries it. Pure."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.records import Lane
from schemas.services.shapes import Identity

Operation = Literal["upsert", "delete"]

BODY_BYTES_MAX: Final = 4 * 1024 * 1024


class Content(NamedTuple):
    """A feed record's value as the service takes it; the members are those of `Submission`."""

    body: bytes
    hash: str
    identity: Identity
    delete_members: str


# Of records in their order; empty when none is mapped.
Contents = Sequence[Content | None]


class Submission(msgspec.Struct, frozen=True, gc=False):
    """One item on its way: `body` is its JSON text, `hash` that of the text; offsets say what it settles.

    `identity` names it at the service, where that is another matter than its key. `delete_members` is JSON
    text, empty where the key says all that a delete needs. `clears`: the delete of another identity that the
    key had before; it settles no record, and the key's own item goes after it.
    """

    key: bytes
    operation: Operation
    body: bytes
    hash: str
    partition: int
    offset: int
    lane: Lane
    commit_ms: int
    identity: Identity = ()
    delete_members: str = ""
    clears: bool = False


def fits(size: int, submission: Submission) -> bool:
    """True when a body of `size` bytes takes one more item (and the comma before it)."""
    return size == 0 or size + len(submission.body) + 1 <= BODY_BYTES_MAX


def body(batch: Sequence[Submission]) -> bytes:
    """The request's text: a JSON array of the items as they were written."""
    return b"[" + b",".join(submission.body for submission in batch) + b"]"
