"""What a snapshot must have seen before anything is built from it, and how to wait for that. Pure.

A position can be waited for in two ways: by file and place in the log of the server that is read, which only
MariaDB tells of an open snapshot, or by GTID, on any other server and on MySQL. Where neither is possible the
reader is blind: what it reads has to be read once more, later.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.records import Position


@dataclass(frozen=True, slots=True)
class Needs:
    """How to wait for some positions.

    Args:
        places: in the log of the server that is read; its snapshots tell where they stand.
        gtids: to be waited for before the snapshot is opened.
        floor_gtids: the same, for what was built from before.
        blind: servers whose positions cannot be compared with anything.
    """

    places: tuple[Position, ...]
    gtids: tuple[str, ...]
    floor_gtids: tuple[str, ...]
    blind: frozenset[int]


def needs(cover: Sequence[Position], floors: Iterable[Position], server_id: int, tells_place: bool) -> Needs:
    """Sort positions by the way in which they can be waited for.

    Args:
        cover: where the changes in hand begin.
        floors: the newest changes that were built from before, perhaps by way of another server.
        server_id: of the server that is read.
        tells_place: its snapshots tell where in its log they stand (MariaDB).
    """

    def has_place(position: Position) -> bool:
        return tells_place and position.server_id == server_id

    return Needs(
        tuple(position for position in cover if has_place(position)),
        tuple(position.gtid for position in cover if position.gtid and not has_place(position)),
        # A server's own snapshots never go back, so only another server can be behind a floor; one that is
        # no newer than a change in hand is reached with it.
        tuple(
            floor.gtid
            for floor in floors
            if floor.gtid and not has_place(floor) and not any(p.gtid and p.reaches(floor) for p in cover)
        ),
        frozenset(position.server_id for position in cover if not position.gtid and not has_place(position)),
    )


def began_anew(snapshot: Position, missing: Iterable[Position]) -> bool:
    """True when the server's log was started over since `missing` were written.

    Files are numbered upwards and a snapshot is milliseconds behind the log's end: one that stands in an
    earlier file after the whole wait belongs to another log (RESET, a restored server).
    """
    return any(snapshot.file_number < position.file_number for position in missing)


def never_arrives(gtid: str, replicated: str, current: str) -> bool:
    """True when a transaction of another server is in no history that a MariaDB server has or will have.

    It replicates from nobody (a restored copy, a server that was set up anew), or its own history went on
    without it (a replica that took over before the last changes had come). One that is merely behind knows
    an earlier transaction of that domain, or none of the domain yet.

    Args:
        gtid: domain, server and number with dashes between them.
        replicated: `@@gtid_slave_pos`, GTIDs with commas between them.
        current: `@@gtid_current_pos`, the newest of each domain, whoever wrote it.
    """
    if not replicated:
        return True
    domain, number = _domain_and_number(gtid)
    has, written = _numbers(replicated).get(domain, 0), _numbers(current).get(domain, 0)
    return has < number <= written


def was_never_written(gtid: str, written: str) -> bool:
    """True when a server's log does not hold a transaction that its readers were told of: it began anew.

    Args:
        written: `@@gtid_binlog_pos` of MariaDB, GTIDs with commas between them.
    """
    domain, number = _domain_and_number(gtid)
    return _numbers(written).get(domain, 0) < number


def has_seen(snapshot: Position, change: Position) -> bool:
    """True when rows read in a snapshot show a change, by both its place in the log and its GTID.

    A place alone may be one of another log: the replica that takes its server's place hands on, at places of
    its own, what it got from that server, and under that one's id.

    Args:
        snapshot: with the newest GTIDs that the log held before it was opened.
    """
    if not snapshot.covers(change):
        return False
    return not change.gtid or not was_never_written(change.gtid, snapshot.gtid or "")


def _numbers(position: str) -> dict[str, int]:
    return dict(_domain_and_number(gtid) for gtid in position.split(",") if gtid)


def _domain_and_number(gtid: str) -> tuple[str, int]:
    """What counts up: on MariaDB each domain, on MySQL (`server:number`) each server."""
    domain, _, number = gtid.rpartition(":") if ":" in gtid else gtid.split("-")
    return domain, int(number)
