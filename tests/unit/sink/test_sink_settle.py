"""Every answer of the service has one meaning."""

import msgspec
import pytest
from fake_target import accepted, refused

from consumers.sink.settle import Answer, Verdict, settle


def bad_request(body: object) -> Answer:
    return Answer(400, msgspec.json.encode(body), "application/json")


def test_an_acceptance_of_every_item_is_delivered() -> None:
    """`acceptedCount` is compared with what was sent."""
    verdict = settle(accepted(2), 2)

    assert verdict == Verdict("delivered")


def test_an_acceptance_of_fewer_items_leaves_the_outcome_unknown() -> None:
    """The service does not say which ones it took, so all of them are sent again."""
    verdict = settle(accepted(1), 2)

    assert verdict == Verdict("wait", "1 of 2 items accepted, without saying which", outcome_unknown=True)


UNREADABLE = [b"<html>login</html>", b'{"status":"\xff"}', b"[" * 100_000, b'{"acceptedCount":1e999}']


@pytest.mark.parametrize("body", [*UNREADABLE, b"", b"[]", b'"ok"', b'{"status":"FAILED"}'])
def test_a_200_that_is_no_acceptance_blames_the_address(body: bytes) -> None:
    """A proxy's login page answers 200 too; behind it the service may still have the items."""
    verdict = settle(Answer(200, body, "text/html"), 1)

    assert (verdict.decision, verdict.refused, verdict.outcome_unknown) == ("ours", None, True)


@pytest.mark.parametrize("status", [403, 404, 405, 301, 302, 307, 410])
def test_wrong_addresses_and_rights_are_about_us(status: int) -> None:
    """INTERLEAVING 36: judged per item, a wrong tenant would park the whole catalog."""
    verdict = settle(Answer(status, b"not here"), 3)

    assert (verdict.decision, verdict.refused, verdict.outcome_unknown) == ("ours", None, False)


def test_a_401_asks_for_a_new_token() -> None:
    """Nothing was taken, and no item is to blame."""
    verdict = settle(Answer(401, b'{"title":"ErrInvalidOauthToken"}'), 1)

    assert (verdict.decision, verdict.outcome_unknown) == ("token", False)


@pytest.mark.parametrize("status", [408, 425, 500, 502, 503, 504, 599])
def test_a_failing_service_is_waited_for_with_unknown_outcome(status: int) -> None:
    """It may have stored the batch before it failed."""
    verdict = settle(Answer(status, retry_after="7"), 1)

    assert (verdict.decision, verdict.retry_after_s, verdict.outcome_unknown) == ("wait", 7.0, True)


def test_no_answer_leaves_the_outcome_unknown() -> None:
    """A timeout says nothing about what was stored."""
    verdict = settle(Answer(0, error="no answer from https://target: ReadTimeout"), 1)

    assert verdict == Verdict("wait", "no answer from https://target: ReadTimeout", outcome_unknown=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("12", 12.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("86400", 600.0),
        ("inf", 600.0),
        ("-3", None),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_obeyed_unless_absurd(header: str | None, seconds: float | None) -> None:
    """Ten minutes at most; what is no number of seconds leaves the wait to our own backoff."""
    verdict = settle(Answer(429, b"slow down", "text/html", header), 1)

    assert (verdict.decision, verdict.retry_after_s, verdict.outcome_unknown) == ("wait", seconds, False)


def test_a_413_splits() -> None:
    """The request is too large; the items may be fine."""
    verdict = settle(Answer(413), 10)

    assert (verdict.decision, verdict.outcome_unknown) == ("split", False)


def test_a_400_refuses_only_the_listed_items_with_all_their_reasons() -> None:
    """Several complaints about one item are one reason; the code stands in for a missing message."""
    answer = refused((2, "status", "no such status"), (0, "name", ""), (2, "slug", "too long"))

    verdict = settle(answer, 3)

    assert verdict.decision == "refused"
    assert verdict.refused == {2: "no such status; too long", 0: "name"}


@pytest.mark.parametrize(
    "answer",
    [
        *(Answer(400, body, "text/html") for body in UNREADABLE),
        bad_request({"status": "FAILED", "message": "no"}),
        bad_request({"errors": []}),
        bad_request({"errors": [{"itemIndex": 9, "code": "status"}]}),
        bad_request({"errors": [{"itemIndex": -1, "code": "status"}]}),
        bad_request({"errors": [{"itemIndex": "0", "code": "status"}]}),
        bad_request({"errors": [{"itemIndex": True, "code": "status"}]}),
        bad_request({"errors": ["status"]}),
        bad_request([1]),
    ],
)
def test_a_400_without_a_usable_list_is_halved(answer: Answer) -> None:
    """Nobody knows which item is bad: halves tell."""
    verdict = settle(answer, 4)

    assert (verdict.decision, verdict.refused) == ("split", None)


def test_a_400_without_a_list_blames_a_single_item_with_the_service_text() -> None:
    """One item cannot be halved; the reason is what the service said, cut at 300 bytes."""
    verdict = settle(Answer(400, b"x" * 1000), 1)

    assert verdict.refused == {0: "x" * 300}


def test_items_limit_exceeded_splits_whatever_item_it_names() -> None:
    """It is about the request's size, so the item that it points at is not refused."""
    verdict = settle(refused((0, "items_limit_exceeded", "at most 100 items")), 200)

    assert (verdict.decision, verdict.refused) == ("split", None)


def test_a_reason_is_kept_to_what_people_read() -> None:
    """It goes into a status and a dead letter of each item."""
    verdict = settle(refused((0, "status", "x" * 900), (0, "status", "y" * 900)), 1)

    assert verdict.refused == {0: "x" * 900 + "; " + "y" * 98}
