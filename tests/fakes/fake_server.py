"""A database server as far as snapshots need one: its log grows as statements are asked."""

from collections.abc import Sequence
from typing import Any

from pydantic import SecretStr

from runtime.database import Database, Query, Row
from runtime.settings import DatabaseAddress

ADDRESS = DatabaseAddress(
    scheme="mysql", user="u", password=SecretStr("p"), host="db", port=3306, database="magento"
)


class FakeServer(Database):
    """Answers what `snapshot` asks. Documented contract of both kinds of server, no network.

    Args:
        places: where each snapshot stands in the log, the last one for ever; none: it has no log.
        gtids: GTIDs that have arrived.
        replicated, current, written: what MariaDB says of the newest GTIDs: those it replicated, all, and
            those in its own log.
    """

    def __init__(
        self,
        *,
        mariadb: bool = True,
        number: int = 1,
        places: Sequence[tuple[str, int]] = (),
        gtids: Sequence[str] = (),
        replicated: str = "0-1-70",
        current: str = "0-1-70",
        written: str = "0-1-70",
    ) -> None:
        super().__init__(ADDRESS, setting="commerce.url")
        self._mariadb, self._number = mariadb, number
        self._places = list(places)
        self._gtids = frozenset(gtids)
        self._told = replicated, current
        self._written = written
        self.asked: list[str] = []
        # The same, by round trip.
        self.trips: list[list[str]] = []

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        asked = len(self.asked)
        answers = [self._answer(*query) for query in queries]
        if trip := self.asked[asked:]:
            self.trips.append(trip)
        return answers

    def _answer(self, statement: str, parameters: Sequence[Any]) -> list[Row]:
        if "@@server_id" in statement:
            return [(self._number, "11.4.2-MariaDB-log" if self._mariadb else "8.4.0")]
        if "@@gtid_slave_pos" in statement:
            return [self._told]
        if "@@gtid_binlog_pos" in statement:
            return [(self._written,)]
        self.asked.append(statement % tuple(map(repr, parameters)) if parameters else statement)
        if "GTID" in statement:
            gtid, _ = parameters
            return [((0 if gtid in self._gtids else -1) if self._mariadb else int(gtid not in self._gtids),)]
        if statement.startswith("SHOW STATUS"):
            return self._status()
        return []

    def _status(self) -> list[Row]:
        if not self._places:
            return [("Binlog_snapshot_file", ""), ("Binlog_snapshot_position", "0")]
        file, pos = self._places.pop(0) if len(self._places) > 1 else self._places[0]
        return [("Binlog_snapshot_file", file), ("Binlog_snapshot_position", str(pos))]
