"""Requests in flight: each is answered once, in time, and none is written by a sink that was replaced."""

import threading
from itertools import count
from queue import Empty

import pytest

from consumers.sink.delivery import Request, _Part
from consumers.sink.exchange import Exchange
from consumers.sink.inbox import Answered, Failed, Inbox, Lease
from consumers.sink.settle import Answer

_NUMBERS = count(1)


def request(renew_token: bool = False) -> Request:
    part = _Part([b"key"], False, "live")
    return Request(next(_NUMBERS), "products", "upsert", "/path", b"[1]", (), part, renew_token)


class Service:
    """Answers 200, as soon as `gate` is open."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.taken: list[bytes] = []
        self.begun = threading.Semaphore(0)
        self.forgotten = 0
        self.broken = False

    def post(self, path: str, body: bytes) -> Answer:
        self.begun.release()
        if self.broken:
            raise RuntimeError("a bug")
        self.gate.wait(10)
        self.taken.append(body)
        return Answer(200)

    def forget_token(self) -> None:
        self.forgotten += 1


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def exchange(service: Service, clock: Clock, lease: Lease | None = None) -> tuple[Exchange, Inbox]:
    inbox = Inbox()
    held = lease or Lease(10.0, proven_at=clock.now)
    return Exchange(service, inbox, held, 30.0, clock), inbox


def test_an_answer_comes_to_the_inbox(clock: Clock) -> None:
    """With the number of its request."""
    service = Service()
    held, inbox = exchange(service, clock)
    sent = request()

    held.send(sent)

    assert inbox.get(timeout=5) == Answered(sent.number, Answer(200))
    held.stop()


def test_several_requests_are_in_flight_at_once(clock: Clock) -> None:
    """None waits for the answer to another."""
    service = Service()
    service.gate.clear()
    held, _ = exchange(service, clock)

    for _ in range(4):
        held.send(request())

    assert all(service.begun.acquire(timeout=5) for _ in range(4))
    service.gate.set()
    held.stop()


def test_nothing_is_written_when_the_group_has_not_confirmed_us_for_too_long(clock: Clock) -> None:
    """A frozen sink that thaws, a broker that is away: another may be active by now."""
    service = Service()
    held, inbox = exchange(service, clock, Lease(10.0, proven_at=clock.now - 10.0))

    held.send(request())
    event = inbox.get(timeout=5)

    assert isinstance(event, Answered)
    assert event.answer.status == -1
    assert service.taken == []
    held.stop()


def test_a_request_that_is_not_answered_in_time_is_given_up(clock: Clock) -> None:
    """An answer of one byte a second never runs into a socket's timeout; others are sent meanwhile."""
    service = Service()
    service.gate.clear()
    held, _ = exchange(service, clock, Lease(1_000.0, proven_at=clock.now))
    slow = request()
    held.send(slow)
    assert service.begun.acquire(timeout=5)

    clock.now += 29.9
    early = held.overdue()
    clock.now += 0.2
    late = held.overdue()
    held.send(request())
    began = service.begun.acquire(timeout=5)
    service.gate.set()

    assert (early, late, began) == ([], [slow.number], True)
    held.stop()


def test_a_thread_whose_request_was_given_up_ends_with_it(clock: Clock) -> None:
    """It was replaced: a service that is silent for days would leave a thread for each request."""
    service = Service()
    service.gate.clear()
    held, inbox = exchange(service, clock, Lease(1_000.0, proven_at=clock.now))
    before = set(threading.enumerate())
    for _ in range(5):
        held.send(request())
        assert service.begun.acquire(timeout=5)
        clock.now += 31
        held.overdue()
    threads = set(threading.enumerate()) - before
    service.gate.set()
    for thread in threads:
        thread.join(5)
    left = [thread for thread in threads if thread.is_alive()]
    held.send(request())

    assert (len(threads), left) == (5, [])
    assert [inbox.get(timeout=5) for _ in range(6)]
    held.stop()


def test_an_answered_request_is_not_overdue(clock: Clock) -> None:
    """The scheduler has heard of it."""
    held, inbox = exchange(Service(), clock)
    sent = request()
    held.send(sent)
    inbox.get(timeout=5)
    held.answered(sent.number)

    clock.now += 100

    assert held.overdue() == []
    held.stop()


def test_a_token_is_renewed_before_the_request_that_asks_for_it(clock: Clock) -> None:
    """Once."""
    service = Service()
    held, inbox = exchange(service, clock)

    held.send(request(renew_token=True))
    inbox.get(timeout=5)

    assert service.forgotten == 1
    held.stop()


def test_a_bug_in_a_thread_is_told_and_not_swallowed(clock: Clock) -> None:
    """The role ends and is started again, instead of waiting for an answer for ever."""
    service = Service()
    service.broken = True
    held, inbox = exchange(service, clock)

    held.send(request())
    event = inbox.get(timeout=5)

    assert isinstance(event, Failed)
    assert str(event.error) == "a bug"
    with pytest.raises(Empty):
        inbox.get_nowait()
