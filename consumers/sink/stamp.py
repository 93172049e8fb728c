"""The time of sending gets into an item's JSON text, each time a later one. Pure: the clock is handed in."""

import json
import time
from collections.abc import Callable

from msgspec.structs import replace

from consumers.sink.batch import Submission
from consumers.sink.dialects import Stamp


class Stamper:
    """Stamps the items of a feed.

    A service may ignore what is no newer, by whole seconds, than what it holds. So what goes twice within
    a second is stamped with the next one, and a clock that is set back stands still.
    """

    def __init__(self, stamp: Stamp | None, wall_s: Callable[[], float]) -> None:
        self._stamp = stamp
        self._wall_s = wall_s
        self._now_s = 0
        # The last second of what was sent in this one or is stamped beyond it.
        self._last: dict[object, int] = {}

    def not_before(self, unix_s: float) -> None:
        """Everything known was stamped before then."""
        self._now_s = max(self._now_s, int(unix_s) + 1)

    def stamped(self, items: list[Submission]) -> list[Submission]:
        """The items as they travel."""
        if self._stamp is None:
            return items
        now_s = int(self._wall_s())
        if now_s > self._now_s:
            self._now_s = now_s
            self._last = {name: second for name, second in self._last.items() if second >= now_s}
        return [replace(item, body=stamped(item.body, self._stamp, self._second(item))) for item in items]

    def _second(self, item: Submission) -> int:
        name = item.identity or item.key
        second = self._last[name] = max(self._now_s, self._last.get(name, 0) + 1)
        return second


def stamped(text: bytes, stamp: Stamp | None, unix_s: float) -> bytes:
    """Put the stamp in front of the other members.

    Args:
        text: a JSON object with at least one member, none of them the stamp's.
    """
    if stamp is None:
        return text
    moment = time.strftime(stamp.form, time.gmtime(unix_s))
    return b"{%s:%s,%s" % (json.dumps(stamp.member).encode(), json.dumps(moment).encode(), text[1:])
