"""A body is a JSON array below its limit."""

from consumers.sink.batch import BODY_BYTES_MAX, Submission, body, fits


def submission(text: bytes) -> Submission:
    return Submission(b"key", "upsert", text, "hash", 0, 0, "live", 0)


def test_a_body_stays_below_its_limit_in_bytes() -> None:
    """The comma counts."""
    half = submission(b"x" * (BODY_BYTES_MAX // 2))

    assert not fits(BODY_BYTES_MAX // 2, half)
    assert fits(BODY_BYTES_MAX // 2 - 1, half)


def test_an_item_larger_than_a_body_goes_alone() -> None:
    """It is never dropped: the service may refuse it, and then it is parked."""
    assert fits(0, submission(b"x" * (BODY_BYTES_MAX + 1)))


def test_a_body_is_the_json_array_of_the_texts() -> None:
    """The texts are hashed and sent as the same bytes."""
    assert body([submission(b"1"), submission(b"2")]) == b"[1,2]"
