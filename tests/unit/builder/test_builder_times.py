"""The shop's wall clocks and ours."""

import zoneinfo

import pytest

from consumers.builder.times import day_after, instant, local_date

HOUR_S = 3_600


@pytest.mark.parametrize(
    ("wall_clock", "zone", "utc"),
    [
        ("2024-01-15 00:00:00", "UTC", "2024-01-15 00:00:00"),
        ("2024-01-15 00:00:00", "America/Los_Angeles", "2024-01-15 08:00:00"),
        ("2024-07-15", "America/Los_Angeles", "2024-07-15 07:00:00"),
        # Clocks go from 0 to 1 o'clock here: the day begins when they do.
        ("2024-03-31 00:00:00", "Asia/Beirut", "2024-03-30 22:00:00"),
        # And from 3 back to 2 here: the first 2:30 counts.
        ("2024-10-27 02:30:00", "Europe/Berlin", "2024-10-27 00:30:00"),
    ],
)
def test_a_wall_clock_time_is_one_instant(wall_clock: str, zone: str, utc: str) -> None:
    """Also where clocks leave it out or show it twice."""
    assert instant(wall_clock, zone) == instant(utc, "UTC")


def test_a_day_later_is_the_same_time_by_the_clock() -> None:
    """The last Sunday of March has 23 hours in Berlin."""
    start, end = (instant("2024-03-31 00:00:00", "Europe/Berlin", days=days) for days in (0, 1))

    assert end - start == 23 * HOUR_S


def test_a_zone_needs_nothing_of_the_system() -> None:
    """Shops have former names saved, which many systems keep in a package of its own."""
    zoneinfo.reset_tzpath(to=())
    try:
        zone = zoneinfo.ZoneInfo.no_cache("US/Pacific")
    finally:
        zoneinfo.reset_tzpath()

    assert str(zone) == "US/Pacific"


def test_dates_change_at_midnight_by_the_clock() -> None:
    """A second before, it is still yesterday."""
    midnight = instant("2024-01-15", "America/Los_Angeles")

    assert local_date(midnight, "America/Los_Angeles") == "2024-01-15"
    assert local_date(midnight - 1, "America/Los_Angeles") == "2024-01-14"
    assert local_date(midnight - 1, "Europe/Berlin") == "2024-01-15"
    assert day_after("2024-02-28") == "2024-02-29"


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../etc/passwd", "Europe", "x\0y"])
def test_an_unknown_zone_is_named(zone: str) -> None:
    """Never a silent UTC."""
    with pytest.raises(ValueError, match="unknown time zone"):
        instant("2024-01-15", zone)
