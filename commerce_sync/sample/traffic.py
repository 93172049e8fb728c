"""Edits at a steady rate, started when they are due and not when the one before is done."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from asyncmy.errors import OperationalError

from commerce_sync.sample.edits import Edit, Shop, apply_any

# Lock wait timeout, deadlock, record changed: another writer was faster.
_CONFLICTS: Final = frozenset({1205, 1213, 1020})


@dataclass(slots=True)
class Progress:
    """What has been done so far."""

    edits: int = 0
    conflicts: int = 0
    elapsed_s: float = 0.0
    # How long after its time the newest edit was begun.
    late_s: float = 0.0
    newest: str = ""


async def drive(
    shop: Shop,
    edits_per_second: float,
    report: Callable[[Progress], None],
    stop: asyncio.Event,
    *,
    seconds: float | None = None,
    clock: Callable[[], float],
    wait: Callable[[asyncio.Event, float], Awaitable[None]],
    edit: Edit = apply_any,
) -> Progress:
    """Edit until the time is over or `stop` is set; the edit under way is finished.

    Args:
        shop: where to edit.
        edits_per_second: the n-th edit is due n / rate seconds after the start, however long others took.
        report: told after each edit.
        stop: ends the traffic.
        seconds: how long; None is until stopped.
        clock: seconds since some moment.
        wait: waits until the event is set, at most so many seconds.
        edit: makes one edit, commits it and says what it was.

    Raises:
        OperationalError: the database is gone; an edit that only lost to another writer is counted.
        UsageError: see `apply_any`.
    """
    progress = Progress()
    start = clock()
    number = 0
    end = math.inf if seconds is None else seconds
    while not stop.is_set():
        due = number / edits_per_second
        progress.elapsed_s = clock() - start
        if progress.elapsed_s < min(due, end):
            await wait(stop, min(due, end) - progress.elapsed_s)
            continue
        if due >= end:
            break
        progress.late_s = progress.elapsed_s - due
        number += 1
        await _make(edit, shop, progress)
        report(progress)
    progress.elapsed_s = clock() - start
    return progress


async def _make(edit: Edit, shop: Shop, progress: Progress) -> None:
    try:
        progress.newest = await edit(shop)
        progress.edits += 1
    except OperationalError as error:
        if error.args[0] not in _CONFLICTS:
            raise
        progress.conflicts += 1


async def wait_for(event: asyncio.Event, seconds: float) -> None:
    """Return when the event is set or the seconds are over."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
