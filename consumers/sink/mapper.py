"""A process of its own that maps what bulk work fetches: the scheduler's is left to live edits."""

import logging
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from consumers.sink.batch import Content, Contents
from consumers.sink.dialects import Dialect
from consumers.sink.mapping import content_if_readable
from runtime import collector
from schemas import codec

log = logging.getLogger(__name__)


class Mapper:
    """Started when it is first asked; before it is there, and when it has died, the scheduler maps."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._pool: ProcessPoolExecutor | None = None
        self._started: Future[None] = Future()
        self._dead = False

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
                self._started = self._pool.submit(_started)
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
            asked.add_done_callback(lambda done: then(_contents(done)))

    def stop(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


def _contents(done: Future[list[Content | None]]) -> Contents:
    return () if done.cancelled() or done.exception() is not None else done.result()


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


def _started() -> None:
    """Done as soon as the process is there."""


def _map(feed: str, values: Sequence[bytes | None]) -> list[Content | None]:
    return [content_if_readable(_Chosen.dialect, feed, value) for value in values]
