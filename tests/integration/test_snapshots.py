"""What snapshots rest on, asked of a real MariaDB: positions, GTIDs, and logs that are no more."""

from collections.abc import Iterator

import pytest
from twin import ask

from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from commerce_sync.sample.database import address_of
from runtime.database import Database
from runtime.errors import Transient
from runtime.settings import load
from schemas.records import Position

pytestmark = pytest.mark.stack

ELSEWHERE = 4_000_000


@pytest.fixture(scope="module")
def database(stack: Stack) -> Iterator[Database]:
    """The read account: it needs no right beside SELECT for any of this."""
    settings = load(environ=stack.environment())
    with Database(settings.commerce.read_address) as made:
        yield made


def test_a_snapshot_tells_where_it_stands(database: Database) -> None:
    """And never stands before an earlier one of the same server."""
    with database.snapshot() as first:
        first.query_all(())
    with database.snapshot() as second:
        second.query_all(())

    assert first.position is not None
    assert second.position is not None
    assert second.position.reaches(first.position)
    assert (second.position.server_id, second.blind) == (database.server_id, frozenset())


def test_a_snapshot_is_one_moment_at_a_server_that_is_set_to_read_committed(stack: Stack) -> None:
    """As many shops are; such a server takes no snapshot and shows each query another moment."""
    name = "one_moment"
    address = address_of(stack.environment()[ADMIN_VARIABLE], name)
    ask(address, f"CREATE DATABASE {name}", f"CREATE TABLE {name}.rows_of_it (number INT) ENGINE=InnoDB")
    ask(address, "SET GLOBAL TRANSACTION ISOLATION LEVEL READ COMMITTED")
    try:
        with Database(address) as database, database.snapshot() as snapshot:
            before = snapshot.query("SELECT COUNT(*) FROM rows_of_it")
            ask(address, f"INSERT INTO {name}.rows_of_it VALUES (1)", "COMMIT")
            after = snapshot.query("SELECT COUNT(*) FROM rows_of_it")
    finally:
        ask(address, "SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ", f"DROP DATABASE {name}")

    assert (before, after) == ([(0,)], [(0,)])


def test_a_place_that_the_log_has_not_reached_is_waited_for_and_given_back(database: Database) -> None:
    """Bounded; the next snapshot is as good as any."""
    with database.snapshot() as snapshot:
        assert snapshot.position is not None
        ahead = Position(database.server_id, snapshot.position.file, 2**40)

    with pytest.raises(Transient, match=r"are not visible after 0\.05 s"):
        with database.snapshot([ahead], 0.05) as snapshot:
            snapshot.query_all(())
    with database.snapshot() as snapshot:
        assert snapshot.query("SELECT 1") == [(1,)]


def test_a_place_of_a_log_that_began_anew_is_passed_blindly(database: Database) -> None:
    """16: after RESET the files count from 1 again."""
    before = Position(database.server_id, "binlog.999999", 4)

    with database.snapshot([before], 0.05) as snapshot:
        assert snapshot.blind == {database.server_id}


def test_a_change_that_no_replication_brings_here_is_passed_blindly(database: Database) -> None:
    """13, 15, 16: this server replicates from nobody, so what another one wrote never arrives."""
    far = Position(ELSEWHERE, "binlog.000001", 4, "77-77-77")

    with database.snapshot([far], 5, floors=[far]) as snapshot:
        assert snapshot.blind == {ELSEWHERE}


def test_another_server_without_gtids_makes_the_reader_blind(database: Database) -> None:
    """What is built from it is built once more."""
    with database.snapshot([Position(ELSEWHERE, "binlog.000001", 4)], 0.05) as snapshot:
        assert snapshot.blind == {ELSEWHERE}
