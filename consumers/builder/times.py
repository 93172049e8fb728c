"""The shop's wall-clock times as instants, and instants as its dates. An instant is unix seconds."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo


def instant(wall_clock: str, zone: str, *, days: int = 0) -> int:
    """When clocks in `zone` show this time, or the same time so many days later.

    A time that a change of clocks leaves out counts as if they had not been changed yet; of a time that
    comes twice the first counts.

    Args:
        wall_clock: `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`, as the database writes it.
        zone: a name of the time zone database, "Europe/Berlin".

    Raises:
        ValueError: no such time, or no such zone.
    """
    local = datetime.fromisoformat(wall_clock) + timedelta(days=days)
    return int(local.replace(tzinfo=_zone(zone)).timestamp())


def local_date(instant_s: int, zone: str) -> str:
    """The date that calendars in `zone` show, `YYYY-MM-DD`.

    Raises:
        ValueError: no such zone.
    """
    return datetime.fromtimestamp(instant_s, UTC).astimezone(_zone(zone)).date().isoformat()


def day_after(day: str) -> str:
    """The date that follows, `YYYY-MM-DD`."""
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        message = f"unknown time zone {name!r}"
        raise ValueError(message) from error
