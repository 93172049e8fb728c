"""The freshness benchmark's command line, and the names its changes write."""

import json

import pytest
from click.testing import CliRunner

from commerce_sync.bench.commands import _lines, bench
from commerce_sync.bench.freshness import Options, require_possible
from commerce_sync.bench.writer import name_of, serial_of
from runtime.errors import UsageError


def test_a_name_says_which_change_wrote_it() -> None:
    """Other names, and other kinds of value, were written by nobody here."""
    assert serial_of(name_of(0)) == 0
    assert serial_of(name_of(2749)) == 2749
    assert [serial_of(value) for value in ("17", "Freshness ", "Freshness x", "Fresh 3", None, 17)] == [
        None
    ] * 6


def test_the_warm_up_comes_before_the_seconds() -> None:
    """75 s at 50 a second are not counted; the 60 s after them are."""
    options = Options(seconds=60, changes_per_second=50)

    assert (options.warm_up, options.changes) == (3750, 6750)


def test_slow_rates_measure_something() -> None:
    """At one change in a hundred seconds a run of one second still makes a change."""
    options = Options(seconds=1, changes_per_second=0.01)

    assert options.changes - options.warm_up == 1


def test_more_changes_than_can_be_followed_are_refused_at_once() -> None:
    """The sentence names both settings and the bound, before anything is started."""
    with pytest.raises(UsageError) as caught:
        require_possible(Options(seconds=10_000, changes_per_second=50))

    assert str(caught.value) == (
        "--seconds 10000 at --changes-per-second 50 are 503750 changes; "
        "at most 100000 can be followed: choose less"
    )


def test_help_shows_an_example() -> None:
    """As of every command."""
    shown = CliRunner().invoke(bench, ["freshness", "--help"])

    assert shown.exit_code == 0
    assert "Example: commerce-sync bench freshness" in " ".join(shown.output.split())


def test_people_read_both_latencies_and_where_the_time_goes() -> None:
    """One line a figure, the same numbers as in the JSON object."""
    result = json.loads(
        '{"name": "freshness", "unit": "ms", "ours": {"p50": 60.5, "p95": 90.0, "p99": 120.0},'
        ' "limit": {"p50": 16.0, "p95": 26.0, "p99": 30.0}, "ratio": 3.78, "difference": 44.5, "runs": 3000,'
        ' "lost": 0, "writer_late_ms": 2.1, "hops": {"debezium": 16.0, "router": 8.0},'
        ' "changes_per_second": 50.0}'
    )

    assert _lines(result) == [
        "3000 changes, 50 a second, milliseconds",
        "                              p50      p95      p99",
        "commit to target             60.5     90.0    120.0",
        "commit to change topic       16.0     26.0     30.0",
        "ratio of the medians 3.78, difference 44.5",
        "where the median goes: debezium 16.0, router 8.0",
        "lost 0; the writer was late by 2.1 at p99",
    ]
