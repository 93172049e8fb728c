"""What goes to a target although it is known, and what is forgotten without a request."""

import pytest
from fake_target import FakeSender, feed_record, refused
from msgspec.structs import replace
from sink_drive import LETTER, STATUS, Drive

from runtime.record import Record


def flagged(record: Record, flag: str) -> Record:
    return replace(record, headers={**record.headers, flag: b"1"})


def sent(sender: FakeSender) -> list[tuple[str, list[str]]]:
    return sender.sent


def test_an_item_that_is_sent_afresh_goes_though_its_content_is_known() -> None:
    """Once: a restart finds it settled, and what follows is compared again."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))

    held.run(flagged(feed_record("A", 1), "afresh"))
    Drive(sender, after=held).run(feed_record("A", 2))

    assert sent(sender) == [("upsert", ["A"]), ("upsert", ["A"])]


@pytest.mark.parametrize("lane", ["live", "bulk"])
def test_a_forgotten_item_leaves_nothing_and_sends_nothing(lane: str) -> None:
    """INTERLEAVING 21: its status goes, the target keeps what it has."""
    sender = FakeSender()
    held = Drive(sender)
    held.run(feed_record("A", 0))

    held.run(flagged(feed_record("A", 1, deleted=True, lane=lane), "forget"))

    assert sent(sender) == [("upsert", ["A"])]
    assert (held.statuses(), held.position) == ({}, 2)


def test_a_forgotten_item_that_comes_back_is_sent_whatever_was_known() -> None:
    """Also when the sink never saw the two apart, and after a restart between them."""
    for together, restarted in ((True, False), (False, True), (False, False)):
        sender = FakeSender()
        held = Drive(sender)
        held.run(feed_record("A", 0))
        forgotten = flagged(feed_record("A", 1, deleted=True), "forget")
        if together:
            held.run(forgotten, feed_record("A", 2))
        else:
            held.run(forgotten)
            held = Drive(sender, after=held) if restarted else held
            held.run(feed_record("A", 2))

        assert sent(sender) == [("upsert", ["A"]), ("upsert", ["A"])]
        assert {sku: status.offset for sku, status in held.statuses().items()} == {"A": 2}


def test_a_failing_item_that_is_forgotten_is_not_tried_again() -> None:
    """Its dead letter goes with it."""
    sender = FakeSender(refused((0, "invalid", "no")))
    held = Drive(sender)
    held.run(feed_record("A", 0))
    parked = dict(held.letters())

    held.run(flagged(feed_record("A", 1, deleted=True), "forget"))
    held.pass_time(600)

    assert list(parked) == ["A"]
    assert len(sender.posts) == 1
    assert [key for key in held.topics if key[0] in {STATUS, LETTER}] == []
    assert held.position == 2


def test_an_item_forgotten_while_its_request_is_under_way_ends_without_a_status() -> None:
    """The answer settles the older record; the newer one says that nothing is known."""
    sender = FakeSender()
    held = Drive(sender)
    held.append(feed_record("A", 0))
    held.scan()
    (request,) = held.delivery.requests()

    held.append(flagged(feed_record("A", 1, deleted=True), "forget"))
    held.scan()
    held.delivery.answered(request.number, held.answer(request))
    held.run()

    assert sent(sender) == [("upsert", ["A"])]
    assert (held.statuses(), held.position) == ({}, 2)
