"""The time of sending gets into an item's JSON text."""

import json
import time

from consumers.sink.dialects import Stamp


def stamped(text: bytes, stamp: Stamp | None, unix_s: float) -> bytes:
    """Put the stamp in front of the other members.

    Args:
        text: a JSON object with at least one member, none of them the stamp's.
    """
    if stamp is None:
        return text
    moment = time.strftime(stamp.form, time.gmtime(unix_s))
    return b"{%s:%s,%s" % (json.dumps(stamp.member).encode(), json.dumps(moment).encode(), text[1:])
