"""Ends a process that is held in a library's call which should have returned long ago."""

import logging
import os
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from runtime.errors import Doubt

log = logging.getLogger(__name__)

_LOOK_S: Final = 1.0


class Deadline:
    """A limit on the time between entering and leaving its block, watched by a thread of its own.

    No signal and no exception reaches a thread that is inside a C call, so only the process can be ended.

    Args:
        seconds: how long a block may take.
        late: called once, in the watching thread, when one takes longer. It does not return to the block.
    """

    def __init__(self, seconds: float, late: Callable[[], None], look_s: float = _LOOK_S) -> None:
        self._seconds = seconds
        self._late = late
        self._look_s = look_s
        self._due: float | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        self._due = time.monotonic() + self._seconds
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._due = None

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._closed.wait(self._look_s):
            due = self._due
            if due is not None and time.monotonic() > due:
                self._late()
                return


def start_over() -> None:
    """End this process as one whose transaction is in doubt; the supervisor starts the next."""
    log.error("transaction does not end, starting over")
    os._exit(Doubt.exit_code)
