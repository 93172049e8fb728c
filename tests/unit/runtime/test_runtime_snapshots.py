"""A snapshot has seen what it was asked for, or says that it cannot know.

MySQL by its documented contract: `WAIT_FOR_EXECUTED_GTID_SET` gives 0 when the set is there and 1 when the
time is over, and nothing tells where an open snapshot stands.
"""

import pytest
from fake_server import FakeServer

from runtime import database as database_module
from runtime.covering import has_seen, never_arrives
from runtime.errors import BehindFloor, Fault, Transient
from schemas.records import Position

OPEN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"
LOOK = "SHOW STATUS LIKE 'binlog_snapshot_%%'"
# What the fake server says of its log.
WRITTEN = "0-1-70"


def at(pos: int, server_id: int = 1, gtid: str | None = None, file: str = "binlog.000005") -> Position:
    return Position(server_id, file, pos, gtid)


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking again costs no time."""
    monkeypatch.setattr(database_module, "_RETRY_S", 0)


def test_a_snapshot_is_opened_again_until_its_rows_are_visible() -> None:
    """INTERLEAVING 14: the log hands a transaction out before other connections see its rows."""
    server = FakeServer(places=[("binlog.000005", 400), ("binlog.000005", 500), ("binlog.000005", 501)])

    with server.snapshot([at(500)], 5) as snapshot:
        snapshot.query("SELECT the rows")

    # Each opening ends the one before; what was read too early is read again.
    assert server.asked == [OPEN, LOOK, "SELECT the rows", OPEN, LOOK, OPEN, LOOK, "SELECT the rows"]
    assert (snapshot.position, snapshot.blind) == (at(501, gtid=WRITTEN), frozenset())


def test_rows_that_are_visible_are_read_as_the_snapshot_is_opened() -> None:
    """One round trip; the next queries go to what is open."""
    server = FakeServer(places=[("binlog.000005", 501)])

    with server.snapshot([at(500)], 5) as snapshot:
        snapshot.query("SELECT 1")
        snapshot.query("SELECT 2")

    assert server.trips == [[OPEN, LOOK, "SELECT 1"], ["SELECT 2"]]


def test_rows_that_stay_invisible_put_the_work_off() -> None:
    """Bounded, and the sentence names the setting; nothing is left open."""
    server = FakeServer(places=[("binlog.000005", 400)])

    with pytest.raises(Transient, match=r"commerce.url: rows of binlog position .*500.* are not visible"):
        with server.snapshot([at(500)], 0) as snapshot:
            snapshot.query_all(())

    assert server.asked[-1] == "ROLLBACK"


def test_a_replica_is_waited_for_by_gtid() -> None:
    """INTERLEAVING 13: file and place of another server's log say nothing about this one."""
    server = FakeServer(number=2, places=[("binlog.000001", 4)], gtids=["0-1-77"])

    with server.snapshot([at(500, gtid="0-1-77")], 5) as snapshot:
        snapshot.query_all(())

    assert server.asked == ["SELECT MASTER_GTID_WAIT('0-1-77', 5)", OPEN, LOOK]
    assert (snapshot.position, snapshot.blind) == (at(4, 2, WRITTEN, "binlog.000001"), frozenset())


def test_a_replica_that_is_behind_puts_the_work_off() -> None:
    """INTERLEAVING 13: building without the values of a later transaction would be final."""
    server = FakeServer(number=2, places=[("binlog.000001", 4)])

    with pytest.raises(Transient, match=r"commerce.url: GTID 0-1-77 has not arrived after 3 s"):
        with server.snapshot([at(500, gtid="0-1-77")], 3) as snapshot:
            snapshot.query_all(())


def test_mysql_is_waited_for_by_gtid_even_when_it_is_the_source() -> None:
    """It does not tell where an open snapshot stands; a transaction in gtid_executed is visible."""
    server = FakeServer(mariadb=False, gtids=["uuid:77"])

    with server.snapshot([at(500, gtid="uuid:77")], 5) as snapshot:
        snapshot.query_all(())

    assert server.asked == ["SELECT WAIT_FOR_EXECUTED_GTID_SET('uuid:77', 5)", OPEN]
    assert (snapshot.position, snapshot.blind) == (None, frozenset())


def test_mysql_that_is_behind_puts_the_work_off() -> None:
    """1 is a time-out there."""
    with pytest.raises(Transient, match="GTID uuid:77 has not arrived"):
        with FakeServer(mariadb=False).snapshot([at(500, gtid="uuid:77")], 1) as snapshot:
            snapshot.query_all(())


@pytest.mark.parametrize(
    "server", [FakeServer(mariadb=False), FakeServer(number=2, places=[("binlog.000001", 4)])]
)
def test_a_position_that_can_be_compared_with_nothing_makes_the_reader_blind(server: FakeServer) -> None:
    """MySQL without GTIDs, and a replica of a server that sends none: said, so that it is read once more."""
    with server.snapshot([at(500)], 5) as snapshot:
        snapshot.query_all(())

    assert snapshot.blind == {1}


def test_a_source_without_a_log_is_a_fault() -> None:
    """Its own changes cannot come from nowhere."""
    with pytest.raises(Fault, match="writes no binlog"):
        with FakeServer().snapshot([at(500)], 5) as snapshot:
            snapshot.query_all(())


def test_a_log_that_began_anew_is_no_reason_to_wait_for_ever() -> None:
    """INTERLEAVING 16: after RESET the files count from 1; its positions guard nothing, so blind."""
    server = FakeServer(places=[("binlog.000001", 328)])

    with server.snapshot([at(500)], 0) as snapshot:
        snapshot.query_all(())

    assert (snapshot.position, snapshot.blind) == (at(328, 1, WRITTEN, "binlog.000001"), {1})


@pytest.mark.parametrize(
    ("written", "anew"), [("", True), ("0-1-76", True), ("0-1-77", False), ("0-1-90", False)]
)
def test_a_log_that_began_anew_in_a_file_of_the_same_number_is_known_by_its_gtids(
    written: str, anew: bool
) -> None:
    """A server in the old one's place with its number, too: what it never wrote is never seen in it."""
    server = FakeServer(places=[("binlog.000005", 328)], written=written)

    if anew:
        with server.snapshot([at(500, gtid="0-1-77")], 0) as snapshot:
            assert snapshot.blind == {1}
    else:
        with pytest.raises(Transient, match="are not visible"):
            with server.snapshot([at(500, gtid="0-1-77")], 0) as snapshot:
                snapshot.query_all(())


def test_a_log_that_only_rotated_is_waited_for() -> None:
    """A later file is later."""
    server = FakeServer(places=[("binlog.000005", 900), ("binlog.000006", 4)])

    with server.snapshot([at(950)], 5) as snapshot:
        snapshot.query_all(())

    assert (snapshot.position, snapshot.blind) == (at(4, 1, WRITTEN, "binlog.000006"), frozenset())


@pytest.mark.parametrize(
    ("replicated", "current", "lost"),
    [
        ("", "", True),
        ("", "0-2-90", True),
        ("0-1-70", "0-2-90", True),
        ("0-1-70", "0-2-76", False),
        ("0-1-70", "0-1-70", False),
        ("0-1-90", "0-2-99", False),
        ("5-9-99", "5-9-99", False),
        ("5-9-99", "0-2-77,5-9-99", True),
    ],
)
def test_a_transaction_of_a_lost_history_is_told_from_one_that_is_late(
    replicated: str, current: str, lost: bool
) -> None:
    """Nobody's replica never gets it; one that went on with changes of its own is past it."""
    assert never_arrives("0-1-77", replicated, current) is lost


def test_a_change_of_a_lost_history_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """After a failover to a server that never had it, building would wait for ever: blind, and said once."""
    server = FakeServer(number=2, places=[("binlog.000001", 4)], replicated="0-1-70", current="0-2-90")
    lost, floor = at(500, gtid="0-1-77"), at(600, 3, "0-3-80")

    for _ in range(2):
        with server.snapshot([lost], 5, floors=[floor]) as snapshot:
            assert snapshot.blind == {1}

    assert [statement for statement in server.asked if "GTID" in statement] == []
    assert [record.gtid for record in caplog.records] == ["0-1-77", "0-3-80"]  # type: ignore[attr-defined]


def test_a_lost_history_that_goes_on_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """A server that nobody replicates to may be read for months: each change would be a line, and be kept."""
    server = FakeServer(number=2, places=[("binlog.000001", 4)], replicated="")

    for number in (77, 78, 79):
        with server.snapshot([at(500, gtid=f"0-1-{number}")], 5) as snapshot:
            assert snapshot.blind == {1}

    assert [record.gtid for record in caplog.records] == ["0-1-77"]  # type: ignore[attr-defined]


def test_a_floor_is_waited_for_at_another_server() -> None:
    """INTERLEAVING 15: two replicas behind one address, the second behind the first."""
    server = FakeServer(number=3, places=[("binlog.000001", 4)])

    with pytest.raises(BehindFloor, match="GTID 0-1-77 has not arrived"):
        with server.snapshot([], 2, floors=[at(500, gtid="0-1-77")]) as snapshot:
            snapshot.query_all(())


def test_a_floor_of_the_server_that_is_read_is_not_waited_for() -> None:
    """INTERLEAVING 16: its own snapshots never go back, and after a failover its file names restart."""
    server = FakeServer(places=[("binlog.000001", 4)])

    with server.snapshot([], 0, floors=[at(500, gtid="0-1-77")]) as snapshot:
        snapshot.query_all(())

    assert snapshot.position == at(4, 1, WRITTEN, "binlog.000001")


def test_a_floor_that_a_newer_change_implies_is_not_asked_for() -> None:
    """One question a server and batch."""
    server = FakeServer(number=2, places=[("binlog.000001", 4)], gtids=["0-1-78"])

    with server.snapshot([at(600, gtid="0-1-78")], 5, floors=[at(500, gtid="0-1-77")]) as snapshot:
        snapshot.query_all(())

    assert [statement for statement in server.asked if "GTID" in statement] == [
        "SELECT MASTER_GTID_WAIT('0-1-78', 5)"
    ]


@pytest.mark.parametrize(
    ("snapshot", "change", "seen"),
    [
        (at(500, gtid="0-1-70"), at(499, gtid="0-1-70"), True),
        (at(500, gtid="0-1-70,3-1-9"), at(499, gtid="3-1-9"), True),
        # Behind the snapshot, in the same log.
        (at(500, gtid="0-1-70"), at(500, gtid="0-1-70"), False),
        # Read in another server's log, which counts its files from 1.
        (at(500, gtid="0-1-70"), at(499, gtid="0-1-71", file="binlog.000001"), False),
        (at(500, gtid="0-1-70"), at(499, gtid="3-1-9", file="binlog.000001"), False),
        # Of another kind of server with the same number.
        (at(500, gtid="0-1-70"), at(499, gtid="uuid:9", file="binlog.000001"), False),
        # Noted by a release that did not ask, and of a server that sends none.
        (at(500), at(499, gtid="0-1-70"), False),
        (at(500), at(499), True),
        (at(500, 2, "0-2-70"), at(499, gtid="0-1-70"), False),
    ],
)
def test_a_change_is_seen_by_its_place_and_by_its_gtid(
    snapshot: Position, change: Position, seen: bool
) -> None:
    """A replica that took its server's place hands that one's changes on at places of its own log."""
    assert has_seen(snapshot, change) == seen
