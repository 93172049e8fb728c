"""A warning comes before the log is thrown away under the connector."""

import pytest

from commerce_sync.checks.position import position_finding

FILES = ["binlog.000004", "binlog.000005", "binlog.000006"]
DAY_S = 86_400.0


@pytest.mark.parametrize(
    ("file", "age_s", "kept_s", "state", "words"),
    [
        ("binlog.000006", 9 * DAY_S, 3 * DAY_S, "ok", "reads the newest log file"),
        ("binlog.000004", 1 * DAY_S, 3 * DAY_S, "ok", "2 log files behind, in binlog.000004"),
        (
            "binlog.000004",
            1.5 * DAY_S,
            3 * DAY_S,
            "warning",
            "1.5 days old, and the server keeps its log for 3:",
        ),
        ("binlog.000004", 99 * DAY_S, 0, "ok", "2 log files behind"),
        ("binlog.000003", 1, 3 * DAY_S, "not ok", "run 'commerce-sync re-seed'"),
        ("mysql-bin.000003", 1, 3 * DAY_S, "warning", "unless it streams on by GTID"),
        ("binlog.000009", 1, 3 * DAY_S, "warning", "unless it streams on by GTID"),
    ],
)
def test_a_place_is_judged_by_the_files_there_are_and_the_time_they_are_kept(
    file: str, age_s: float, kept_s: float, state: str, words: str
) -> None:
    """An idle shop's newest file is never purged, however old its last change is."""
    finding = position_finding(file, age_s, FILES, kept_s)

    assert finding.state == state
    assert words in finding.sentence
