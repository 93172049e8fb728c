"""Whatever a service answers, the sink goes on: every item ends delivered, or parked with a reason."""

from typing import Any

import msgspec
import pytest
from fake_target import FakeSender, accepted, feed_record
from hypothesis import given, settings
from hypothesis import strategies as st
from sink_drive import Drive

from consumers.sink.dialects import Dialect
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.dialects.saas import SaasDialect
from consumers.sink.feed import Rules
from consumers.sink.settle import REASON_MAX, Answer

RULES = Rules(retry_s=60, request_timeout_s=10, settle_s=30, guard_percent=100)
DIALECTS: dict[str, Dialect] = {"optimizer": OptimizerDialect(), "saas": SaasDialect("demo")}
DECISIONS = {"delivered", "refused", "split", "wait", "ours", "token"}
ITEMS = 3

ODD = (
    st.none()
    | st.booleans()
    | st.integers(-2, ITEMS + 1)
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["x" * 5_000, "\x00", "items_limit_exceeded", "ACCEPTED", "FAILED", "403053"])
)
VALUES = st.recursive(
    ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)
INDEX = st.integers(-1, ITEMS + 1)
TEXT = st.sampled_from(["", "status", "x" * 600, "items_limit_exceeded"])
ERROR = st.fixed_dictionaries(
    {"itemIndex": INDEX | ODD}, optional={"code": TEXT | VALUES, "message": TEXT | VALUES}
)
ERRORS = st.lists(ERROR, max_size=3) | st.lists(ERROR | VALUES, max_size=3) | VALUES
# The services' own answers, with parts that are wrong.
BODY = (
    st.fixed_dictionaries({"status": ODD | st.just("ACCEPTED"), "acceptedCount": INDEX | ODD})
    | st.fixed_dictionaries({"errors": ERRORS}, optional={"status": ODD, "message": VALUES})
    | st.fixed_dictionaries({"feedItemReceivedCount": INDEX | ODD, "invalidFeedItems": ERRORS})
    | st.fixed_dictionaries({"error_code": ODD})
)
TEXTS = st.sampled_from(
    [b"", b"<html>login</html>", b"[" * 100_000, b'{"status":"\xff"}', b'{"acceptedCount":1e999}']
)
STATUSES = st.sampled_from([-1, 0, 401, 403, 413, 429, 500, 503]) | st.integers(100, 599)
ANSWERS = st.builds(Answer, st.sampled_from([200, 400]), BODY.map(msgspec.json.encode)) | st.builds(
    Answer,
    STATUSES | st.sampled_from([200, 400]),
    (BODY | VALUES).map(msgspec.json.encode) | TEXTS | st.binary(max_size=20),
    st.sampled_from(["application/json", "text/html", ""]),
    st.none() | st.text(max_size=5) | st.sampled_from(["0", "7", "86400", "-1", "nan", "inf", "1e999"]),
    st.none() | st.just("request-1"),
    st.just("no answer"),
)


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=300)
@given(answer=ANSWERS, items=st.integers(1, ITEMS))
def test_any_answer_is_one_of_the_decisions(name: str, answer: Answer, items: int) -> None:
    """Only items of the request are refused, each with a reason; no wait is longer than ten minutes."""
    verdict = DIALECTS[name].judge(answer, items)

    assert verdict.decision in DECISIONS
    assert set(verdict.refused or {}) <= set(range(items))
    assert all(0 < len(reason) <= REASON_MAX for reason in (verdict.refused or {}).values())
    assert 0 <= (verdict.retry_after_s or 0) <= 600
    # Only a 200 says that items were taken, and it leaves no doubt.
    assert verdict.decision != "delivered" or (answer.status == 200 and not verdict.outcome_unknown)
    assert verdict.outcome_unknown or answer.status not in {0, 500, 503}


def healthy(name: str, items: list[Any]) -> Answer:
    if name == "optimizer":
        return accepted(len(items))
    return Answer(200, msgspec.json.encode({"feedItemReceivedCount": len(items), "invalidFeedItems": []}))


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=60)
@given(answers=st.lists(ANSWERS, max_size=8))
def test_any_answers_leave_nothing_behind(name: str, answers: list[Answer]) -> None:
    """When the service is well again; what an answer refused by name waits for a person."""
    sender = FakeSender(*answers)
    sender.judge = lambda items: healthy(name, items)
    drive = Drive(sender, items_max=ITEMS, rules=RULES, dialect=DIALECTS[name])
    drive.run(*(feed_record(f"A{number}", number) for number in range(5)))
    for _ in range(20):
        drive.pass_time(61)
    drive.run(feed_record("A0", 5, deleted=True))
    for _ in range(20):
        drive.pass_time(61)

    outcomes = {sku: status.outcome for sku, status in drive.statuses().items()}
    parked = {sku for sku, outcome in outcomes.items() if outcome == "attention"}
    assert set(outcomes) == {f"A{number}" for number in range(5)}
    assert set(outcomes.values()) <= {"delivered", "deleted", "attention"}
    assert {sku for sku, letter in drive.letters().items() if letter.error} == parked
    assert (drive.position, drive.delivery.in_flight, drive.delivery.complaints) == (6, 0, [])
