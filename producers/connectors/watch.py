"""Beside the roles: a failed connector task is started again, and what capture has missed is said."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from producers.connectors.connect import Connect
from producers.connectors.gap import Gap, Watcher
from producers.connectors.observe import cause, has_lost_position
from runtime.errors import CommerceSyncError
from runtime.kafka import reader
from runtime.loop import Stopper
from runtime.settings import Settings
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

LOOK_S: Final = 10.0
# Between two starts of a task that fails each time.
RESTART_S: Final = (0.0, 10.0, 30.0, 60.0, 120.0, 300.0)
# A task that has run for so long has got over what it failed of.
STEADY_S: Final = 60.0


class Watch:
    """One look at a time. Says each thing once, and again when it comes back."""

    def __init__(
        self,
        connect: Connect,
        name: str,
        find_gap: Callable[[], Gap | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._name = name
        self._find_gap = find_gap
        self._clock = clock
        self._restarts = 0
        self._restarted_at = float("-inf")
        self._said: dict[str, str] = {}

    def look(self) -> None:
        """Start again what failed, when its time has come; say what is wrong.

        Raises:
            Unreachable: Connect or the broker does not answer.
            NotFine: Connect refuses to start it.
        """
        state = self._connect.state(self._name)
        failed = state is not None and state.failed
        if state is not None and failed and has_lost_position(state.trace):
            reason = f"{cause(state.trace)}; run 'commerce-sync re-seed'"
            if self._is_new("capture lost its position", reason):
                log.error("capture lost its position", extra=self._fields(reason))
            return
        self._unsay("capture lost its position")
        now = self._clock()
        if state is not None and failed:
            self._restart(cause(state.trace), now)
        elif self._restarts and now - self._restarted_at > STEADY_S:
            self._restarts = 0
        gap = self._find_gap()
        if gap is None:
            self._unsay("capture has missed changes")
        elif self._is_new("capture has missed changes", str(gap)):
            log.error("capture has missed changes", extra=self._fields(str(gap)))

    def _restart(self, reason: str, now: float) -> None:
        if now - self._restarted_at < RESTART_S[min(self._restarts, len(RESTART_S) - 1)]:
            return
        self._restarts += 1
        self._restarted_at = now
        log.warning(
            "connector task restarted",
            extra={**self._fields(reason), "attempt": self._restarts},
        )
        self._connect.restart_failed(self._name)

    def _is_new(self, event: str, reason: str) -> bool:
        """True once, until it is unsaid or the reason is another."""
        is_new = self._said.get(event) != reason
        self._said[event] = reason
        return is_new

    def _fields(self, reason: str) -> dict[str, str]:
        return {"connector": self._name, "reason": reason}

    def _unsay(self, event: str) -> None:
        self._said.pop(event, None)


def start(settings: Settings, stopper: Stopper) -> threading.Thread:
    """Watch in a thread until the role stops."""
    names = TopicNames(settings.kafka.topic_prefix)
    consumer = reader(settings.kafka, names.group("watch", "capture"))
    watch = Watch(
        Connect(settings.capture.connect_url), settings.capture.connector, Watcher(consumer, names).look
    )

    def run() -> None:
        said = ""
        try:
            while not stopper.wait(LOOK_S):
                try:
                    watch.look()
                    said = ""
                except Exception as error:
                    # Also what nobody foresaw: without this thread nothing starts a failed task again.
                    foreseen = isinstance(error, CommerceSyncError)
                    reason = str(error) if foreseen else f"{type(error).__name__}: {error}"
                    if reason != said:
                        said = reason
                        log.warning("capture cannot be watched", extra={"reason": said})
        finally:
            consumer.close()

    thread = threading.Thread(target=run, name="capture", daemon=True)
    thread.start()
    return thread
