"""What an audit found a target not to hold goes once more, once, as we know it now."""

import msgspec
import pytest
from fake_target import FakeSender, feed_record, item_key, refused
from sink_drive import LETTER, STATUS, Drive

from consumers.sink.commands import apply
from consumers.sink.tree import REMEMBERED_S
from runtime.record import Record
from schemas.records import RESEND_PREFIX, RETRY_PREFIX, Resend, ResendItem, Retry, Status

FAR = 10_000_000


def ask(held: Drive, *items: ResendItem, requested_ms: int = FAR) -> None:
    """As the command comes in from the control topic; `FAR` is later than anything sent so far."""
    value = msgspec.json.encode(Resend("optimizer", "products", requested_ms, items))
    apply(held.delivery, "optimizer", [Record("cs.control", 0, 0, RESEND_PREFIX + b"x", value, {})])


def item(sku: str, offset: int) -> ResendItem:
    return ResendItem(item_key(sku).decode(), 0, offset)


def status_of(held: Drive, sku: str) -> Status:
    return msgspec.json.decode(held.topics[STATUS, item_key(sku)], type=Status)


def test_an_accepted_item_goes_once_more_and_no_other() -> None:
    """The status stays that of its record."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1), feed_record("B", 2))
    ask(held, item("A", 1))
    held.run()

    assert sender.sent == [("upsert", ["A", "B"]), ("upsert", ["A"])]
    assert (status_of(held, "A").outcome, status_of(held, "A").offset) == ("delivered", 1)
    assert held.position == held.end


def test_what_was_deleted_is_deleted_again() -> None:
    """Its tombstone may have been compacted away: the status is enough."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1))
    held.run(feed_record("A", 2, deleted=True))
    ask(held, item("A", -1))
    held.run()

    assert sender.sent[2:] == [("delete", ["A"])]


def test_what_nobody_ever_sent_is_deleted() -> None:
    """Neither a feed record nor a status names it."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1))
    ask(held, item("ghost", -1))
    held.run()

    assert sender.sent[1:] == [("delete", ["ghost"])]
    assert status_of(held, "ghost").outcome == "deleted"
    assert held.position == held.end


def test_a_record_without_a_status_is_sent() -> None:
    """It stands below the committed position, so only the command tells of it."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1))
    del held.topics[STATUS, item_key("A")]
    again = Drive(sender, after=held)
    ask(again, item("A", 1))
    again.run()

    assert sender.sent == [("upsert", ["A"]), ("upsert", ["A"])]


def test_what_is_named_before_it_is_scanned_keeps_its_lane_and_its_place() -> None:
    """The position does not pass it, and a live edit does not wait among bulk work for the audit's sake."""
    held = Drive(sender := FakeSender(), items_max=1)
    held.run(feed_record("A", 0))
    held.delivery.pause("products", True)
    held.append(feed_record("B", 1, lane="bulk"), feed_record("A", 2, name="new"))
    ask(held, item("A", 2))
    held.scan()
    held.commit()
    position = held.position
    held.delivery.pause("products", False)
    held.run()

    assert position == 1
    assert sender.sent == [("upsert", ["A"]), ("upsert", ["A"]), ("upsert", ["B"])]
    assert held.position == held.end


def test_a_newer_state_goes_instead_of_the_one_that_was_asked_for() -> None:
    """The item came back, or changed, between the audit and its command."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1))
    held.run(feed_record("A", 2, name="newer"))
    ask(held, item("A", -1), item("A", 1))
    held.run()

    assert [items[0]["name"] for _, items in sender.posts[1:]] == ["newer", "newer"]
    assert len(sender.posts) == 3


def test_a_command_that_is_read_again_after_a_restart_sends_nothing() -> None:
    """The status is younger than the request."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1), feed_record("ghost", 2, deleted=True))
    held.now += 10
    asked = held.wall_ms
    held.now += 10
    ask(held, item("A", 1), item("ghost", -1), requested_ms=asked)
    held.run()
    sent = len(sender.posts)
    again = Drive(sender, after=held)
    ask(again, item("A", 1), item("ghost", -1), requested_ms=asked)
    again.run()

    assert len(sender.posts) == sent == 4


@pytest.mark.parametrize("clean", [True, False])
def test_a_command_is_not_obeyed_again_when_its_item_s_status_is_gone(clean: bool) -> None:
    """Deleted items' statuses end after eight days; the record that was named may be there still."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1), feed_record("ghost", 2, deleted=True))
    held.now += 10
    named = Resend("optimizer", "products", held.wall_ms, (item("A", 1), item("ghost", -1)))
    held.now += 10
    held.say((RESEND_PREFIX + b"1", msgspec.json.encode(named)))
    held.run()
    held.run(feed_record("A", 3, deleted=True))
    held.now += REMEMBERED_S + 60
    held.run()
    sent, told = len(sender.posts), held.statuses()
    again = Drive(sender, after=held, clean=clean)
    again.run()

    assert told == {}
    assert len(sender.posts) == sent == 5
    assert not again.delivery.in_doubt


def test_what_a_killed_sink_may_be_sending_again_does_not_have_the_last_word() -> None:
    """No position tells of it: the command does. The next state waits until it is over, and goes twice."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 0, name="old"))
    held.now += 1
    value = msgspec.json.encode(Resend("optimizer", "products", held.wall_ms, (item("A", 0),)))
    held.say((RESEND_PREFIX + b"1", value))
    list(held.delivery.fetches())
    again = Drive(sender, after=held, clean=False)
    again.run(feed_record("A", 1, name="new"))
    at_once = len(sender.sent)
    again.pass_time(31)
    again.pass_time(121)
    again.pass_time(1000)

    assert (at_once, len(sender.sent)) == (1, 3)
    assert status_of(again, "A").offset == 1


@pytest.mark.parametrize(("target", "feed"), [("other", "products"), ("optimizer", "prices")])
def test_a_command_for_somebody_else_puts_nothing_in_doubt(target: str, feed: str) -> None:
    """Neither another target's sink nor another feed's items may have been under way."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 0, name="old"))
    held.now += 1
    value = msgspec.json.encode(Resend(target, feed, held.wall_ms, (item("A", 0),)))
    held.say((RESEND_PREFIX + b"1", value))
    again = Drive(sender, after=held, clean=False)

    again.run(feed_record("A", 1, name="new"))

    assert len(sender.sent) == 2


@pytest.mark.parametrize("clean", [False, True])
def test_what_an_operator_had_sent_again_is_in_doubt_behind_a_kill(clean: bool) -> None:
    """Of a sink that drained nothing is under way."""
    held = Drive(sender := FakeSender(refused((0, "sku", "no"))))
    held.run(feed_record("A", 0, name="old"))
    held.now += 1
    value = msgspec.json.encode(Retry("optimizer", "products", held.wall_ms, "attention"))
    held.say((RETRY_PREFIX + b"1", value))
    list(held.delivery.fetches())
    again = Drive(sender, after=held, clean=clean)
    again.run(feed_record("A", 1, name="new"))

    assert len(sender.sent) == (2 if clean else 1)


def test_a_parked_item_goes_again_too() -> None:
    """An operator's word; accepted now, its letter is taken back."""
    held = Drive(sender := FakeSender(refused((0, "c", "no"))))
    held.run(feed_record("A", 1))
    ask(held, item("A", 1))
    held.run()

    assert sender.sent == [("upsert", ["A"]), ("upsert", ["A"])]
    assert (LETTER, item_key("A")) not in held.topics


def test_a_command_for_another_target_is_left_alone() -> None:
    """Each target's sink reads the same topic."""
    held = Drive(sender := FakeSender())
    held.run(feed_record("A", 1))
    value = msgspec.json.encode(Resend("other", "products", FAR, (item("A", 1),)))
    apply(held.delivery, "optimizer", [Record("cs.control", 0, 0, RESEND_PREFIX + b"x", value, {})])
    held.run()

    assert len(sender.posts) == 1
