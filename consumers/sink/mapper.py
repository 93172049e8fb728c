"""A process of its own that maps what bulk work fetches: the scheduler's is left to live edits."""

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Final

from consumers.sink.batch import Content, Contents
from consumers.sink.dialects import Dialect
from consumers.sink.mapping import content_if_readable
from runtime import collector
from schemas import codec

log = logging.getLogger(__name__)

# A thousand values take a tenth of a second, and a schema registry is asked for no longer than this.
ANSWER_S_MAX: Final = 60.0
_LOOK_S: Final = 1.0


class Mapper:
    """Started when it is first asked; before it is there, and when it has died, the scheduler maps."""

    def __init__(self, dialect: Dialect, answer_s_max: float = ANSWER_S_MAX) -> None:
        """A process that has not answered after `answer_s_max` is killed."""
        self._dialect = dialect
        self._answer_s_max = answer_s_max
        self._pool: ProcessPoolExecutor | None = None
        self._started: Future[int] = Future()
        self._dead = False
        # When each question was put that is not answered yet.
        self._asked_at: deque[float] = deque()
        self._stopped = threading.Event()

    def map(self, feed: str, values: Sequence[bytes | None], then: Callable[[Contents], None]) -> None:
        """Hand on feed values as the service takes them, from another thread, in the order of the calls.

        Args:
            then: gets None for each value that the scheduler has to judge, or nothing when it is to map all.
        """
        if self._dead:
            then(())
            return
        try:
            if self._pool is None:
                self._pool = ProcessPoolExecutor(
                    1, multiprocessing.get_context("spawn"), _begin, (self._dialect, codec.framing())
                )
                self._started = self._pool.submit(os.getpid)
                threading.Thread(target=self._watch, name="mapper", daemon=True).start()
            if not self._started.done():
                then(())
                return
            asked = self._pool.submit(_map, feed, values)
        except (BrokenProcessPool, OSError):
            # Killed, or a machine without what processes share.
            log.warning("bulk work is mapped alone")
            self._dead = True
            then(())
        else:
            self._asked_at.append(time.monotonic())
            asked.add_done_callback(lambda done: then(self._answer(done)))

    def stop(self) -> None:
        if self._pool is not None:
            # That it ends is waited for no longer than an answer.
            self._asked_at.append(time.monotonic())
            self._pool.shutdown(cancel_futures=True)
        self._stopped.set()

    def _answer(self, done: Future[list[Content | None]]) -> Contents:
        self._asked_at.popleft()
        return () if done.cancelled() or done.exception() is not None else done.result()

    def _watch(self) -> None:
        """One that hangs would hold bulk work, and a sink that wants to end."""
        while not self._stopped.wait(_LOOK_S):
            oldest = next(iter(self._asked_at), None)
            if oldest is not None and time.monotonic() - oldest > self._answer_s_max:
                os.kill(self._started.result(), signal.SIGKILL)
                return


# In the process.


class _Chosen:
    """What this process maps with; chosen once, when it starts."""

    dialect: Dialect


def _begin(dialect: Dialect, framing: codec.Framing | None) -> None:
    # Who started it says when it ends; a Ctrl-C reaches both.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    collector.relax()
    codec.use(framing)
    _Chosen.dialect = dialect


def _end_with_parent() -> None:
    """One that was killed tells nobody."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(0)


def _map(feed: str, values: Sequence[bytes | None]) -> list[Content | None]:
    return [content_if_readable(_Chosen.dialect, feed, value) for value in values]
