"""Figures of a latency benchmark: whose sighting it is, what counts as lost, and percentiles."""

import math

from commerce_sync.bench import figures
from commerce_sync.bench.figures import Change, Latency


def _change(serial: int, sku: str, began_s: float, committed_s: float | None = None) -> Change:
    return Change(serial, sku, began_s, began_s, began_s + 0.001 if committed_s is None else committed_s)


def test_a_sighting_belongs_to_the_newest_change_before_it() -> None:
    """What was seen of a SKU before a change began is of an older change."""
    changes = [_change(0, "A", 10.0), _change(1, "A", 20.0)]

    found = figures.first_after(changes, [("A", 20.5), ("A", 10.5), ("A", 10.2)])

    assert found == {0: 10.2, 1: 20.5}


def test_a_sighting_before_commit_returned_counts() -> None:
    """A binlog reader may see a transaction before its writer is told; the latency is then below nothing."""
    change = _change(0, "A", 10.0, committed_s=10.25)

    found = figures.first_after([change], [("A", 10.125)])

    assert found == {0: 10.125}
    assert figures.since_commit([change], found) == [-125.0]


def test_a_merged_change_gets_the_sighting_of_the_later_one() -> None:
    """Two changes of a SKU that were sent as one both arrive with it."""
    changes = [_change(0, "A", 10.0), _change(1, "A", 11.0)]

    found = figures.first_after(changes, [("A", 12.0)])

    assert found == {0: 12.0, 1: 12.0}


def test_another_sku_is_no_sighting() -> None:
    """SKUs are compared byte for byte."""
    found = figures.first_after([_change(0, "A", 10.0)], [("a", 11.0), ("AA", 11.0)])

    assert found == {}


def test_a_change_unseen_at_one_place_is_lost() -> None:
    """Every change must pass every place."""
    changes = [_change(0, "A", 10.0), _change(1, "B", 11.0), _change(2, "C", 12.0)]
    names = {0: "zero", 1: "one", 2: "two"}
    held = {"A": {"zero"}, "B": {"one"}, "C": {"two"}}

    missing = figures.lost(changes, ({0: 10.1, 1: 11.1}, {0: 10.2, 2: 12.2}), names, held)

    assert missing == {1, 2}


def test_an_older_name_in_the_end_is_a_lost_change() -> None:
    """A request with the SKU in it proves little: its items may have been built from older rows."""
    changes = [_change(0, "A", 10.0), _change(1, "B", 11.0), _change(2, "A", 12.0), _change(3, "B", 13.0)]
    names = {0: "zero", 1: "one", 2: "two", 3: "three"}
    everywhere = dict.fromkeys(names, 20.0)

    stale = figures.lost(changes, (everywhere,), names, {"A": {"zero"}, "B": {"three"}})
    partly = figures.lost(changes, (everywhere,), names, {"A": {"two"}, "B": {"one", "three"}})
    gone = figures.lost(changes, (everywhere,), names, {"A": {"two"}})

    assert (stale, partly, gone) == ({2}, {3}, {3})


def test_percentiles_are_values_that_were_measured() -> None:
    """Nearest rank: half of 1..200 do not exceed 100, 99 of a hundred do not exceed 198."""
    values = [float(number) for number in range(200, 0, -1)]

    assert figures.latency(values) == Latency(100.0, 190.0, 198.0)
    assert figures.percentile([7.26], 99) == 7.3
    assert math.isnan(figures.percentile([], 50))


def test_hops_go_from_station_to_station() -> None:
    """The medians of the steps; a change that one station missed is left out of its steps only."""
    changes = [_change(0, "A", 10.0, 10.0), _change(1, "B", 20.0, 20.0)]
    stations = {
        "first": {0: 10.5, 1: 20.5},
        "second": {0: 10.75},
        "third": {0: 11.75, 1: 21.0},
    }

    assert figures.hops(changes, stations) == {"first": 500.0, "second": 250.0, "third": 1000.0}
