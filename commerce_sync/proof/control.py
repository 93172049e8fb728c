"""What the control topic says of the targets: scopes switched off there, comparisons under way."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress

import msgspec

from commerce_sync.proof.places import Log
from consumers.sink.scopes import Scopes
from runtime.record import Record
from schemas.controls import RECONCILE_PREFIX, SCOPE_PREFIX, Reconcile, Scope


class Control:
    """As it was at the last refresh."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._scopes: defaultdict[str, Scopes] = defaultdict(Scopes)
        self._comparing: dict[bytes, tuple[str, str]] = {}

    def refresh(self) -> None:
        """Take in what is new.

        Raises:
            Unreachable: the broker does not answer.
        """
        for record in self._log.news():
            # The sinks say what they cannot read.
            with suppress(msgspec.MsgspecError):
                self._hear(record)

    def _hear(self, record: Record) -> None:
        if record.key.startswith(SCOPE_PREFIX) and record.value is not None:
            scope = msgspec.json.decode(record.value, type=Scope)
            self._scopes[scope.target].put(scope)
        elif record.key.startswith(RECONCILE_PREFIX):
            self._comparing.pop(record.key, None)
            if record.value is not None:
                run = msgspec.json.decode(record.value, type=Reconcile)
                self._comparing[record.key] = (run.target, run.feed)

    def tells(self, target: str) -> Callable[[str, bytes], bool]:
        """Is an item, by its feed and key, to be at a target? Follows each refresh."""
        return self._scopes[target].tell

    def is_comparing(self, target: str, feed: str) -> bool:
        """The sink still looks for what a target is to be sent of a feed."""
        return (target, feed) in self._comparing.values()
