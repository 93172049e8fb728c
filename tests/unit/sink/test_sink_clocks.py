"""A wall clock that is set back or forward loses no second send and no retry, and sends none too often."""

import pytest
from fake_target import FakeSender, feed_record
from sink_drive import Drive

from consumers.sink.delivery import ATTEMPTS_MAX
from consumers.sink.feed import Rules
from consumers.sink.settle import Answer

LOST = Answer(0, error="no answer")
RULES = Rules(retry_s=300, request_timeout_s=30, settle_s=120)
HOUR_MS = 3_600_000


class Jumping(Drive):
    """A drive whose wall clock is `ahead_ms` of the other one."""

    ahead_ms = 0

    @property
    def wall_ms(self) -> int:
        return 2 * HOUR_MS + super().wall_ms + self.ahead_ms


def names(sender: FakeSender) -> list[str]:
    return [item["name"] for _, items in sender.posts for item in items]


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, HOUR_MS])
def test_the_second_send_comes_when_the_clock_was_set(jump_ms: int) -> None:
    """Settle_s after the doubt by the clock that never jumps, once."""
    sender = FakeSender(LOST)
    held = Jumping(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.pass_time(1)

    held.ahead_ms = jump_ms
    held.pass_time(118)
    before = names(sender)
    held.pass_time(3)
    held.pass_time(1_000)

    assert before == ["v1", "v1"]
    assert names(sender) == ["v1", "v1", "v1"]


def test_a_newer_state_after_a_jump_forward_still_goes_twice() -> None:
    """The clock says that the time is over, and it is not: the lost v1 may still take effect behind v2."""
    sender = FakeSender(LOST)
    held = Jumping(sender, rules=RULES)
    held.run(feed_record("A", 0, name="v1"))
    held.pass_time(1)

    held.ahead_ms = HOUR_MS
    held.run(feed_record("A", 1, name="v2"))
    held.pass_time(121)

    assert names(sender) == ["v1", "v1", "v2", "v2"]


@pytest.mark.parametrize("jump_ms", [-HOUR_MS, HOUR_MS])
def test_a_retry_comes_when_the_clock_was_set(jump_ms: int) -> None:
    """Retry_s after the item was called retryable."""
    sender = FakeSender()
    sender.judge = lambda items: Answer(500) if items[0]["sku"] == "A" else None
    held = Jumping(sender, items_max=1, rules=RULES)
    held.run(feed_record("A", 0))
    for offset in range(1, 2 * ATTEMPTS_MAX):
        held.pass_time(30)
        held.run(feed_record(f"B{offset}", offset))
    assert held.letters()["A"].kind == "retryable"
    sender.judge = lambda _: None

    held.ahead_ms = jump_ms
    held.pass_time(301)

    assert held.letters() == {}
    assert held.statuses()["A"].outcome == "delivered"


def test_a_clock_set_back_before_a_restart_does_not_hold_a_retry_for_that_time() -> None:
    """At most the longest of the settings' times."""
    sender = FakeSender(LOST)
    first = Jumping(sender, rules=RULES)
    first.run(feed_record("A", 0, name="v1"))
    first.pass_time(1)

    class Back(Jumping):
        ahead_ms = -HOUR_MS

    held = Back(sender, after=first, rules=RULES)
    held.pass_time(301)

    assert names(sender) == ["v1", "v1", "v1"]
