"""What the sink counts, and what people's alerts rest on."""

from collections.abc import Callable

import pytest
from counted import counting
from fake_target import FakeSender, feed_record, refused
from sink_drive import Drive

from consumers.sink.feed import Rules
from consumers.sink.settle import Answer

LOST = Answer(0, error="no answer")
RULES = Rules(retry_s=300, request_timeout_s=30, settle_s=120)


def counting_items() -> Callable[[], dict[str, float]]:
    return counting("commerce_sync_items_total", "outcome", target="optimizer", feed="products")


def test_every_outcome_is_counted_under_its_own_name() -> None:
    """An item that gives way is superseded; one whose content is known is unchanged, and not sent."""
    sender = FakeSender()
    held = Drive(sender)
    items = counting_items()

    held.run(feed_record("A", 0), feed_record("B", 1), feed_record("B", 2, name="new"))
    held.run(feed_record("A", 3))
    held.run(feed_record("A", 4, deleted=True))
    sender.answers = [refused((0, "name", "no"))]
    held.run(feed_record("C", 5))

    assert items() == {"delivered": 2, "superseded": 1, "unchanged": 1, "deleted": 1, "attention": 1}


def test_the_second_send_after_an_unknown_outcome_has_an_outcome_of_its_own() -> None:
    """It is the one exception to "an unchanged item is not sent again", so it can be told apart."""
    held = Drive(FakeSender(LOST), rules=RULES)
    items = counting_items()

    held.run(feed_record("A", 0))
    held.pass_time(1)
    first = items()
    held.pass_time(RULES.settle_s + 1)

    assert first == {"delivered": 1}
    assert items() == {"delivered": 1, "resent": 1}


def test_an_item_that_is_parked_for_a_retry_is_counted_each_time() -> None:
    """Whoever watches the counter sees that it still fails."""
    sender = FakeSender()
    sender.judge = lambda _: Answer(503)
    held = Drive(sender, rules=RULES)
    items = counting_items()

    held.run(feed_record("A", 0))
    for _ in range(1_000):
        held.pass_time(1)

    assert items() == {"retryable": 2}


def test_requests_are_counted_by_operation_and_answer() -> None:
    """One without an answer is an error; each try counts."""
    sender = FakeSender(LOST, Answer(503), None, Answer(429, retry_after="1"))
    held = Drive(sender)
    of = {"target": "optimizer", "feed": "products"}
    name = "commerce_sync_http_requests_total"
    upserts = counting(name, "status", operation="upsert", **of)
    deletes = counting(name, "status", operation="delete", **of)

    held.run(feed_record("A", 0))
    for _ in range(3):
        held.pass_time(1)
    held.run(feed_record("A", 1, deleted=True))
    held.pass_time(2)

    assert upserts() == {"error": 1, "503": 1, "200": 1}
    assert deletes() == {"429": 1, "200": 1}


@pytest.mark.parametrize("lane", ["live", "bulk"])
def test_freshness_is_the_time_from_the_commit_to_the_acceptance(lane: str) -> None:
    """Of each item once: what goes a second time, or fails, says nothing of it."""
    held = Drive(FakeSender(LOST), rules=RULES)
    of = {"target": "optimizer", "feed": "products"}
    seconds = counting("commerce_sync_freshness_seconds_sum", "lane", **of)
    observed = counting("commerce_sync_freshness_seconds_count", "lane", **of)

    held.run(feed_record("A", 0, lane=lane, commit_ms=held.wall_ms - 4_000))
    held.pass_time(1)
    held.pass_time(RULES.settle_s + 1)
    held.sender = FakeSender(refused((0, "name", "no")))
    held.run(feed_record("B", 1, lane=lane, commit_ms=held.wall_ms - 4_000))

    assert observed() == {lane: 1}
    assert seconds() == pytest.approx({lane: 5})
