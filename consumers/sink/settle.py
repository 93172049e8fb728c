"""One answer in, a decision out. Pure: what each status means stands here and nowhere else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

# delivered: every item is. refused: the listed items wait for attention, the rest goes again at once.
# split: too much in one request. wait: the service is busy or away, nothing is wrong with the items.
# ours: address or credentials are wrong; no item is to blame. token: get a new token, once.
Decision = Literal["delivered", "refused", "split", "wait", "ours", "token"]

LIMIT_CODE: Final = "items_limit_exceeded"
_ACCEPTED: Final = "ACCEPTED"
_UNWRITTEN_WAIT_S: Final = 5.0
# Characters of a reason that a status and a dead letter keep.
REASON_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer as received.

    `status` 0 means that none came (timeout, connection lost), -1 that the request was not even written.
    """

    status: int
    body: bytes = b""
    content_type: str = ""
    retry_after: str | None = None
    request_id: str | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do with a batch. `refused` maps the index of an item to its reason.

    With "delivered" the items that are not refused were taken: some services answer so.
    """

    decision: Decision
    reason: str = ""
    refused: Mapping[int, str] | None = None
    retry_after_s: float | None = None
    # The service may have taken the batch although we cannot know it.
    outcome_unknown: bool = False
    # With "split": the request was too large, and the next ones should be smaller.
    too_much: bool = False


def settle(answer: Answer, items: int) -> Verdict:
    """Judge the answer to a batch of `items` items."""
    status = answer.status
    if status < 0:
        return Verdict("ours", answer.error, retry_after_s=_UNWRITTEN_WAIT_S)
    if status == 0:
        return Verdict("wait", answer.error or "no answer", outcome_unknown=True)
    if status == 200:
        return _accepted(answer, items)
    if status == 400:
        return _rejected(answer, items)
    if status == 401:
        return Verdict("token", "the service does not take our token")
    if status == 413:
        return Verdict("split", "the request is too large", too_much=True)
    if status == 429:
        return Verdict("wait", "the allowance is used up", retry_after_s=_seconds(answer.retry_after))
    if status in {408, 425} or status >= 500:
        return Verdict(
            "wait",
            f"the service answered {status}",
            retry_after_s=_seconds(answer.retry_after),
            outcome_unknown=True,
        )
    return Verdict("ours", f"the service answered {status}: address or credentials are wrong, not the items")


def _accepted(answer: Answer, items: int) -> Verdict:
    body = _json(answer)
    if not isinstance(body, dict) or body.get("status") != _ACCEPTED:
        # A proxy's login page answers 200 too.
        return Verdict(
            "ours", "200 without an acceptance: is this the ingestion service?", outcome_unknown=True
        )
    if body.get("acceptedCount") != items:
        reason = f"{body.get('acceptedCount')} of {items} items accepted, without saying which"
        return Verdict("wait", reason, outcome_unknown=True)
    return Verdict("delivered")


def _rejected(answer: Answer, items: int) -> Verdict:
    errors = _errors(_json(answer), items)
    if any(code == LIMIT_CODE for _, code, _ in errors):
        return Verdict("split", "too many items in one request", too_much=True)
    refused: dict[int, str] = {}
    for index, code, message in errors:
        reason = message or code or "refused without a reason"
        reason = f"{refused[index]}; {reason}" if index in refused else reason
        refused[index] = reason[:REASON_MAX]
    # Without a usable list nobody knows which item is bad: halves tell.
    if not refused and items > 1:
        return Verdict("split", "refused without saying which item")
    return Verdict("refused", "refused by the service", refused or {0: _text(answer)})


def _errors(body: Any, items: int) -> Sequence[tuple[int, str, str]]:
    listed = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(listed, list):
        return []
    return [
        (error["itemIndex"], str(error.get("code", "")), str(error.get("message", "")))
        for error in listed
        if isinstance(error, dict) and type(error.get("itemIndex")) is int and 0 <= error["itemIndex"] < items
    ]


def _json(answer: Answer) -> Any:
    try:
        return msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        # No JSON, no UTF-8, or nested beyond reason.
        return None


def _text(answer: Answer) -> str:
    return answer.body[:300].decode(errors="replace") or "refused with 400 and no reason"


def _seconds(text: str | None) -> float | None:
    """Read `retry-after`; absurd waits are cut at ten minutes, dates are left to our own backoff."""
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return min(seconds, 600.0) if seconds >= 0 else None
