"""A number for every event that an operator may act on; infra/LOG_CODES.md says what each means.

A number is never given to another event, also when its own is gone.
"""

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    # Every process.
    "role died": "CS0101",
    "role did not drain": "CS0102",
    "role ends": "CS0103",
    "batch put off": "CS0104",
    "partitions lost": "CS0105",
    "transaction does not end, starting over": "CS0106",
    "topics made anew: run 'commerce-sync resync --feed all'": "CS0107",
    "the server's binlog began anew": "CS0108",
    "a change belongs to a history that this server does not share": "CS0109",
    # Capture.
    "capture lost its position": "CS0201",
    "capture has missed changes": "CS0202",
    "connector task restarted": "CS0203",
    "capture cannot be watched": "CS0204",
    # Routing.
    "change parked": "CS0301",
    # Building.
    "parked": "CS0401",
    "dirty record parked": "CS0402",
    "floor given up": "CS0403",
    "index checked against the feeds": "CS0404",
    # Sending.
    "item fails": "CS0501",
    "target takes no requests": "CS0502",
    "target has another address": "CS0503",
    "reconcile needed": "CS0504",
    "reconcile stopped": "CS0505",
    "position lost": "CS0506",
    "group does not confirm this member": "CS0507",
    "control record is no command": "CS0508",
    "bulk work is mapped alone": "CS0509",
    # Telling.
    "record cannot be read": "CS0601",
    "positions of the sink not told": "CS0602",
    # Resync.
    "control record is no resync": "CS0701",
    # Comparing.
    "items differ": "CS0801",
    "audit put off": "CS0802",
}
# By the name of a library's logger: its lines have no fixed phrase.
LIBRARY_CODES: Final[Mapping[str, str]] = {"librdkafka": "CS0190"}
OTHER_LIBRARY: Final = "CS0199"


def code_of(logger: str, event: str) -> str:
    """The number of an event, or of the library that wrote the line."""
    return CODES.get(event) or LIBRARY_CODES.get(logger.partition(".")[0], OTHER_LIBRARY)
