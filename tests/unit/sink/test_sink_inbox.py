"""What the scheduler waits for ends in time, whatever a signal does meanwhile."""

import os
import signal
import threading
import time
from queue import Empty
from types import FrameType

import pytest

from consumers.sink.inbox import Inbox

WAIT_S = 0.2
HANDLED_S = 0.3
FOR_EVER_S = 5.0


def test_a_signal_that_is_handled_beyond_the_end_of_a_wait_does_not_make_it_endless() -> None:
    """A sink that is told to stop while nothing happens would never hear of it."""
    inbox = Inbox()

    def handle(number: int, frame: FrameType | None) -> None:
        time.sleep(HANDLED_S)

    before = signal.signal(signal.SIGTERM, handle)
    late = threading.Timer(FOR_EVER_S, inbox.put, [None])
    told = threading.Timer(WAIT_S / 4, os.kill, [os.getpid(), signal.SIGTERM])
    try:
        late.start()
        told.start()
        with pytest.raises(Empty):
            inbox.get(timeout=WAIT_S)
    finally:
        late.cancel()
        told.join()
        signal.signal(signal.SIGTERM, before)
