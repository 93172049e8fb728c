"""Bulk work is kept back until what belongs to it has come."""

import msgspec
import pytest
from builder_play import BULK, at

from consumers.builder.ripen import RIPENS_MS, ripens_s
from runtime.record import Record
from schemas.records import Dirty

NOW_MS = 100_000


def record(dirty: Dirty, timestamp_ms: int = NOW_MS) -> Record:
    return Record(BULK, 0, 0, b"A", msgspec.json.encode(dirty), {}, timestamp_ms)


@pytest.mark.parametrize(
    ("age_ms", "left_s"),
    [(0, 3.0), (500, 2.5), (RIPENS_MS, 0.0), (60_000, 0.0), (-60_000, 3.0)],
)
def test_what_a_row_change_made_dirty_ripens_for_three_seconds(age_ms: int, left_s: float) -> None:
    """Whatever the clock says of the machine that wrote it."""
    changed = Dirty("row", at(1), 99_000)

    assert ripens_s(record(changed, NOW_MS - age_ms), NOW_MS) == left_s


@pytest.mark.parametrize(
    "dirty",
    [
        Dirty("resync", at(1), always=True),
        Dirty("resync", always=True),
        Dirty("due", commit_ms=99_000, due_s=99),
        Dirty("index and feed differ"),
        Dirty("row", at(1), 99_000, ripe=True),
    ],
)
def test_what_was_asked_for_is_ripe(dirty: Dirty) -> None:
    """Nothing else is expected to come for it."""
    assert ripens_s(record(dirty), NOW_MS) == 0.0


def test_what_cannot_be_read_is_parked_at_once() -> None:
    assert ripens_s(Record(BULK, 0, 0, b"A", b"{", {}, NOW_MS), NOW_MS) == 0.0
