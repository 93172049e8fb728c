"""Requests in flight: a few threads that send, each over its own connection, none waited for too long."""

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

from consumers.sink.delivery import Request
from consumers.sink.inbox import Answered, Failed, Inbox, Lease
from consumers.sink.settle import Answer


class Sender(Protocol):
    """Anything that carries one request body to the target."""

    def post(self, path: str, body: bytes) -> Answer: ...

    def forget_token(self) -> None: ...


class Exchange:
    """Sends what it is given; the inbox hears each answer once, at the latest when its time is over."""

    def __init__(
        self,
        sender: Sender,
        inbox: Inbox,
        lease: Lease,
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender
        self._inbox = inbox
        self._lease = lease
        self._timeout_s = timeout_s
        self._clock = clock
        self._asked: SimpleQueue[Request | None] = SimpleQueue()
        self._deadlines: dict[int, float] = {}
        # Who takes a request out first, its thread or who gives it up, decides what becomes of the thread.
        self._under_way: dict[int, Request] = {}
        self._threads = 0

    def send(self, request: Request) -> None:
        self._deadlines[request.number] = self._clock() + self._timeout_s
        self._under_way[request.number] = request
        if len(self._deadlines) > self._threads:
            self._threads += 1
            threading.Thread(target=self._run, name=f"send-{self._threads}", daemon=True).start()
        self._asked.put(request)

    def answered(self, number: int) -> None:
        """The scheduler has heard of it."""
        self._deadlines.pop(number, None)

    def overdue(self) -> list[int]:
        """Requests that are given up: a socket timeout starts over with each byte, this one does not."""
        now = self._clock()
        late = [number for number, deadline in self._deadlines.items() if deadline <= now]
        for number in late:
            del self._deadlines[number]
            if self._under_way.pop(number, None) is not None:
                # Its thread may hang on, and ends then; another takes its place.
                self._threads -= 1
        return late

    def next_deadline(self) -> float | None:
        return min(self._deadlines.values(), default=None)

    def stop(self) -> None:
        for _ in range(self._threads):
            self._asked.put(None)

    def _run(self) -> None:
        try:
            while (request := self._asked.get()) is not None:
                answer = self._answer(request)
                is_replaced = self._under_way.pop(request.number, None) is None
                self._inbox.put(Answered(request.number, answer))
                if is_replaced:
                    return
        except BaseException as error:
            self._inbox.put(Failed(error))

    def _answer(self, request: Request) -> Answer:
        if not self._lease.holds(self._clock()):
            return Answer(-1, error="the group does not confirm that this process is the active one")
        if request.renew_token:
            self._sender.forget_token()
        return self._sender.post(request.path, request.body)
