"""Traffic keeps to its schedule whatever the edits take."""

import asyncio
from typing import cast

import pytest
from asyncmy.errors import OperationalError

from commerce_sync.sample.edits import Shop
from commerce_sync.sample.traffic import Progress, drive

# These edits need none.
_NO_SHOP = cast(Shop, None)


class _Time:
    """A clock that moves only when someone waits or works."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def wait(self, event: asyncio.Event, seconds: float) -> None:
        self.now += seconds


def _quiet(progress: Progress) -> None:
    pass


def _run(
    work_s: list[float], rate: float, seconds: float | None, stop_after: int | None = None
) -> tuple[list[float], Progress]:
    """Moments at which edits began, seconds from the start, and the end's progress."""
    time = _Time()
    begun: list[float] = []

    async def main() -> Progress:
        stop = asyncio.Event()

        async def edit(_: Shop) -> str:
            begun.append(round(time.now - 1000.0, 3))
            time.now += work_s[len(begun) - 1] if len(begun) <= len(work_s) else 0.0
            if len(begun) == stop_after:
                stop.set()
            return f"edit {len(begun)}"

        return await drive(
            _NO_SHOP, rate, _quiet, stop, seconds=seconds, clock=time, wait=time.wait, edit=edit
        )

    return begun, asyncio.run(main())


def test_edits_are_evenly_spaced() -> None:
    """Four a second for one second: the one due at its end belongs to the next."""
    begun, progress = _run([], 4, 1)

    assert begun == [0.0, 0.25, 0.5, 0.75]
    assert (progress.edits, progress.newest, progress.elapsed_s) == (4, "edit 4", 1.0)


def test_a_slow_edit_delays_the_next_ones_only_until_they_have_caught_up() -> None:
    """A closed loop would move the whole schedule and hide that the shop was slow."""
    begun, progress = _run([0.6], 4, 1.25)

    assert begun == [0.0, 0.6, 0.6, 0.75, 1.0]
    assert progress.edits == 5


def test_a_stop_ends_the_traffic_after_the_edit_under_way() -> None:
    """Ctrl-C leaves no half transaction."""
    begun, progress = _run([], 4, None, stop_after=3)

    assert begun == [0.0, 0.25, 0.5]
    assert progress.edits == 3


def test_an_edit_that_lost_to_another_writer_is_counted_and_not_repeated() -> None:
    """A deadlock is the database's normal answer to two writers; any other error ends the traffic."""
    errors = [OperationalError(1213, "Deadlock found"), OperationalError(2013, "Lost connection")]
    time = _Time()
    seen: list[tuple[int, int]] = []

    async def edit(_: Shop) -> str:
        raise errors.pop(0)

    def note(progress: Progress) -> None:
        seen.append((progress.edits, progress.conflicts))

    async def main() -> None:
        await drive(_NO_SHOP, 1, note, asyncio.Event(), seconds=5, clock=time, wait=time.wait, edit=edit)

    with pytest.raises(OperationalError, match="Lost connection"):
        asyncio.run(main())

    assert seen == [(0, 1)]
