"""Items wait as bytes; batches close by count or size. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Operation = Literal["upsert", "delete"]

BODY_BYTES_MAX: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Submission:
    """One item on its way: `body` is its JSON text, `hash` that of the text; offsets say what it settles."""

    key: bytes
    operation: Operation
    body: bytes
    hash: str
    partition: int
    offset: int
    lane: str
    commit_ms: int


def batches(waiting: Iterable[Submission], items_max: int) -> Iterator[list[Submission]]:
    """Cut what waits into requests of one operation each, in order, live items before bulk ones.

    Updates and deletes are different calls; an identity waits once, so their order does not matter.
    """
    ordered = sorted(waiting, key=lambda submission: submission.lane != "live")
    for operation in ("delete", "upsert"):
        yield from _cut([s for s in ordered if s.operation == operation], items_max)


def _cut(submissions: Sequence[Submission], items_max: int) -> Iterator[list[Submission]]:
    batch: list[Submission] = []
    size = 0
    for submission in submissions:
        if batch and (len(batch) >= items_max or size + len(submission.body) > BODY_BYTES_MAX):
            yield batch
            batch, size = [], 0
        batch.append(submission)
        size += len(submission.body) + 1
    if batch:
        yield batch


def body(batch: Sequence[Submission]) -> bytes:
    """The request's text: a JSON array of the items as they were written."""
    return b"[" + b",".join(submission.body for submission in batch) + b"]"
