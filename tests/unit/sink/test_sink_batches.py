"""Batches close by count and size, one operation each, live items first."""

from consumers.sink.batch import BODY_BYTES_MAX, Submission, batches, body


def submission(name: str, operation: str = "upsert", lane: str = "live", size: int = 0) -> Submission:
    text = name.encode().ljust(size, b"x")
    return Submission(name.encode(), operation, text, name, 0, 0, lane, 0)  # type: ignore[arg-type]


def names(waiting: list[Submission], items_max: int) -> list[list[str]]:
    return [[item.hash for item in batch] for batch in batches(waiting, items_max)]


def test_deletes_and_upserts_never_share_a_request() -> None:
    """They are different calls, each settling its own items (INTERLEAVING 35)."""
    waiting = [submission("a"), submission("b", "delete"), submission("c"), submission("d", "delete")]

    assert names(waiting, 10) == [["b", "d"], ["a", "c"]]


def test_live_items_go_before_bulk_ones_and_keep_their_order() -> None:
    """Promise 4; within a lane the feed's order stays."""
    waiting = [submission("a", lane="bulk"), submission("b"), submission("c", lane="bulk"), submission("d")]

    assert names(waiting, 3) == [["b", "d", "a"], ["c"]]


def test_a_batch_holds_the_maximum_and_not_one_more() -> None:
    """5 items at 2 a request are 3 requests."""
    waiting = [submission(name) for name in "abcde"]

    assert names(waiting, 2) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_body_stays_below_its_limit_in_bytes() -> None:
    """An item that would pass the limit opens the next request; commas count."""
    half = BODY_BYTES_MAX // 2
    waiting = [submission("a", size=half), submission("b", size=half - 1), submission("c")]

    assert names(waiting, 10) == [["a", "b"], ["c"]]
    assert names([submission("a", size=half), submission("b", size=half)], 10) == [["a"], ["b"]]


def test_an_item_larger_than_a_body_goes_alone() -> None:
    """It is never dropped: the service may refuse it, and then it is parked."""
    waiting = [submission("a"), submission("b", size=BODY_BYTES_MAX + 1), submission("c")]

    assert names(waiting, 10) == [["a"], ["b"], ["c"]]


def test_nothing_waiting_makes_no_request() -> None:
    """An empty request would spend the allowance."""
    assert names([], 10) == []


def test_a_body_is_the_json_array_of_the_texts() -> None:
    """The texts are hashed and sent as the same bytes."""
    assert body([submission("1"), submission("2")]) == b"[1,2]"
