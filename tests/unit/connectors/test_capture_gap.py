"""A connector that began anew is noticed until a resync has compared everything."""

from typing import Literal

import msgspec
import pytest

from producers.connectors.gap import Beginning, Gap, is_unseen, newest_beginning
from runtime.record import Record
from schemas.records import ResyncProgress, resync_key


def schema_change(offset: int, snapshot: str | None, at_ms: int) -> Record:
    source = {"file": "binlog.000007", "pos": 400 + offset, "snapshot": snapshot}
    return Record("cs.change", 0, offset, b"", msgspec.json.encode({"source": source}), {}, at_ms)


BEGAN = [schema_change(2, "true", 1_000), schema_change(3, "true", 1_010), schema_change(4, "last", 1_020)]


def run(
    compared_to: int, log_end: int = 0, state: Literal["running", "stopped", "enumerated"] = "enumerated"
) -> ResyncProgress:
    return ResyncProgress(("products",), state, 1, compared_to=compared_to, log_end=log_end)


def test_a_beginning_is_told_by_the_definitions_that_it_reads() -> None:
    """Its last record's offset, its first one's time; statements before and after are something else."""
    records = [schema_change(1, None, 500), *BEGAN, schema_change(9, None, 9_000)]

    assert newest_beginning(records) == Beginning(4, 1_000, "binlog.000007:404")


def test_of_several_beginnings_the_newest_counts_also_when_it_is_read_later() -> None:
    """What cannot be read is none."""
    (first, second) = (newest_beginning(BEGAN), [schema_change(7, "true", 8_000)])
    broken = Record("cs.change", 0, 6, b"", b"{", {}, 7_000)

    assert newest_beginning([broken, *second], first) == Beginning(7, 8_000, "binlog.000007:407")
    assert newest_beginning([*BEGAN, *second]) == Beginning(7, 8_000, "binlog.000007:407")
    assert newest_beginning([broken], first) == first


@pytest.mark.parametrize(
    ("runs", "unseen"),
    [
        ([], False),  # never synced: nothing could be missed
        ([run(4)], True),  # ended, and began before the last definition was read
        ([run(5)], False),
        ([run(5), run(4)], True),  # one kind of entity is left
        ([run(0, 5, "running")], False),  # under way
        ([run(0, 4, "running")], True),
        ([run(0, 5, "stopped")], True),
    ],
)
def test_only_a_resync_that_began_behind_it_makes_good(runs: list[ResyncProgress], unseen: bool) -> None:
    """Offsets of one topic are compared, never clocks."""
    kinds = ("product", "category")
    by_key = {resync_key(kind): of_kind for kind, of_kind in zip(kinds, runs, strict=False)}

    assert is_unseen(Beginning(4, 1_000, "binlog.000007:404"), by_key) == unseen


def test_a_gap_is_said_with_its_times_and_its_mend() -> None:
    """From the last sign of life to the beginning."""
    gap = Gap(1_795_272_663_000, 1_795_272_600_000, "binlog.000007:404")

    assert str(gap) == (
        "capture began anew at 2026-11-21 14:51:03 UTC (binlog.000007:404): changes between 2026-11-21 "
        "14:50:00 UTC and then were not seen, and nothing has compared the catalog since: run "
        "'commerce-sync re-seed'"
    )
    assert "between some time before and then" in str(Gap(1, None, "x"))
