"""The ledger keeps the same truths in every database: SQLite, MariaDB, PostgreSQL."""

import asyncio
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import TopicPartition
from counted import sampled
from feed_items import PRODUCT
from ledger_servers import postgresql
from sqlalchemy import Connection, delete, event, exc, func, select, update

from commerce_sync.sample.database import address_of, connected
from consumers.ledger import read, write
from consumers.ledger.database import LedgerDatabase, open_existing, open_ledger
from consumers.ledger.fold import Map, Source
from consumers.ledger.stage import AWAY_MS_MAX, PURGE_EVERY_MS, UPKEEP_EVERY_MS, LedgerStage
from consumers.ledger.tables import item, meta, metadata, position, submission
from runtime.errors import Doubt, Transient, Unreachable
from runtime.record import Record
from runtime.settings import LedgerSettings, Settings
from schemas.codec import encode
from schemas.records import Outcome, Status

FEED, STATUS = "cs.feed.products", "cs.status.shop.products"
SOURCES = {FEED: Source("products", ("shop",)), STATUS: Source("products", ("shop",), statuses=True)}
START_MS = 1_800_000_000_000


@pytest.fixture(
    scope="module", params=["sqlite", "postgresql", pytest.param("mariadb", marks=pytest.mark.stack)]
)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An empty database of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('ledger')}/new/ledger.db"
        return
    if request.param == "postgresql":
        # Not below pytest's own folder, which only our account may enter.
        with tempfile.TemporaryDirectory() as folder, postgresql(Path(folder)) as address:
            yield address
        return
    admin = request.getfixturevalue("stack").environment()["COMMERCE_SYNC_LOCAL_ADMIN_URL"]
    name = f"ledger_{secrets.token_hex(4)}"
    _on_server(admin, f"CREATE DATABASE {name}")
    yield f"{admin.rstrip('/')}/{name}"
    _on_server(admin, f"DROP DATABASE {name}")


def _on_server(admin: str, statement: str) -> None:
    async def run() -> None:
        async with connected(address_of(admin, "mysql"), server=True) as connection:
            async with connection.cursor() as cursor:
                await cursor.execute(statement)

    asyncio.run(run())


@pytest.fixture
def database(url: str) -> Iterator[LedgerDatabase]:
    """An empty one; to make tables anew takes MariaDB a second."""
    with open_ledger(Settings(ledger=LedgerSettings(url=url))) as opened:
        opened.run(_empty)
        yield opened


def _empty(connection: Connection) -> None:
    write.prepare(connection)
    for table in metadata.sorted_tables:
        connection.execute(delete(table).where(table.c.name != "version") if table is meta else delete(table))


class Play:
    """A ledger over logs that a test writes; a new stage is a new process."""

    def __init__(self, database: LedgerDatabase, payload: Map | None = None) -> None:
        self.database = database
        self.logs: dict[str, list[Record]] = {FEED: [], STATUS: []}
        self.compacted: list[Record] = []
        self.committed = 0
        self.now_ms = START_MS
        self.sources = SOURCES
        self.payload = payload
        self.read_from: dict[str, int] = {}
        self.start()

    def start(self) -> None:
        self.stage = LedgerStage(
            self.database,
            self.sources,
            lambda topic, number: (0, len(self.logs[topic])),
            lambda target: {("products", 0): self.committed},
            lambda: self.now_ms,
            self.payload,
        )
        places = [TopicPartition(topic, 0, 10**6) for topic in self.sources]
        self.stage.assign(places)
        self.read_from = {place.topic: place.offset for place in places}

    def item(self, sku: str, name: str | None = "Bag", **members: Any) -> Record:
        value = None if name is None else encode("products", _item(sku, name, members))
        return self._put(FEED, _key(sku), value, {"hash": b"h", "commit_ms": b"%d" % (self.now_ms - 500)})

    def status(self, record: Record, outcome: Outcome = "delivered", error: str | None = None) -> Record:
        said = Status(outcome, "sent", FEED, 0, record.offset, self.now_ms, request_id="r-1", error=error)
        return self._put(STATUS, record.key, msgspec.json.encode(said), {})

    def forgotten(self, sku: str) -> Record:
        return self._put(STATUS, _key(sku), None, {})

    def _put(self, topic: str, key: bytes, value: bytes | None, headers: dict[str, bytes]) -> Record:
        record = Record(topic, 0, len(self.logs[topic]), key, value, headers, self.now_ms)
        self.logs[topic].append(record)
        return record

    def take(self, *records: Record) -> None:
        self.stage.process(records)

    def catch_up(self) -> None:
        """Read every log from where the stage stands."""
        for topic, log in self.logs.items():
            if rest := [r for r in log[self.read_from[topic] :] if r not in self.compacted]:
                self.stage.process(rest)
            self.read_from[topic] = len(log)

    def rows(self) -> dict[str, dict[str, Any]]:
        found = self.database.run(lambda c: [dict(row) for row in c.execute(select(item)).mappings()])
        return {msgspec.json.decode(row["item_key"])["sku"]: row for row in found}

    def states(self) -> dict[str, str]:
        return {sku: row["state"] for sku, row in self.rows().items()}


def _item(sku: str, name: str, members: Mapping[str, Any]) -> dict[str, Any]:
    return {**PRODUCT, "sku": sku, "storeViewCode": "default", "name": name, **members}


def _key(sku: str) -> bytes:
    return b'{"sku":"%s","storeViewCode":"default"}' % sku.encode()


@pytest.fixture
def play(database: LedgerDatabase) -> Play:
    return Play(database)


def count(table: Any) -> Callable[[Connection], int]:
    return lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0


def test_an_item_has_one_row_with_what_people_look_for(play: Play) -> None:
    """Feed record and status meet in one row of the target."""
    record = play.item("A", "Straße 🛍", type="simple")
    play.take(record, play.status(record))

    (row,) = play.rows().values()
    assert (row["target"], row["feed"], row["state"], row["deleted"]) == ("shop", "products", "submitted", 0)
    assert (row["sku"], row["name"], row["type"], row["scope"]) == ("A", "Straße 🛍", "simple", "default")
    assert (row["partition"], row["feed_offset"], row["sent_offset"]) == (0, 0, 0)
    assert (row["commit_ms"], row["status_time_ms"], row["accepted_ms"]) == (
        START_MS - 500,
        START_MS,
        START_MS,
    )
    assert (row["request_id"], row["error"], row["sent_hash"], row["payload"]) == ("r-1", None, "sent", None)


def test_a_batch_tells_how_late_it_is(play: Play) -> None:
    """Seconds since its oldest record was written."""
    early = play.item("A")
    play.now_ms += 3_000

    play.take(early, play.item("B"))

    assert sampled("commerce_sync_lag_seconds", "stage", stage="ledger") == {"ledger": 3}


@pytest.mark.parametrize("status_first", [True, False])
def test_the_two_topics_may_come_in_any_order(play: Play, status_first: bool) -> None:
    """What waits is what has a feed record newer than its status."""
    first, second = play.item("A"), play.item("B")
    said = play.status(first, "attention", "no name")
    for record in [said, first, second] if status_first else [second, first, said]:
        # Positions go forward only, whatever the test does.
        play.database.run(lambda c: c.execute(update(position).values(next_offset=0)))
        play.start()
        play.stage._positions = {(FEED, 0): 0, (STATUS, 0): 0}
        play.take(record)

    assert play.states() == {"A": "attention", "B": "awaiting"}
    assert play.rows()["A"]["error"] == "no name"


def test_a_newer_record_waits_until_its_own_status(play: Play) -> None:
    """The last acceptance stays known meanwhile, and after a failure."""
    record = play.item("A")
    play.take(record, play.status(record))
    play.now_ms += 60_000
    edit = play.item("A", "Bag 2")
    play.take(edit)
    waiting = play.rows()["A"]
    play.take(play.status(edit, "retryable", "503"))
    failing = play.rows()["A"]

    assert (waiting["state"], waiting["name"], waiting["sent_offset"]) == ("awaiting", "Bag 2", 0)
    assert (failing["state"], failing["error"], failing["sent_offset"]) == ("retryable", "503", 1)
    assert (failing["accepted_ms"], failing["status_time_ms"]) == (START_MS, START_MS + 60_000)


def test_an_older_record_never_overwrites_a_newer_row(play: Play) -> None:
    """Everything is handed in once more from the beginning, record by record: nothing goes back."""
    old, new = play.item("A", "Old"), play.item("A", "New")
    records = [old, new, play.status(old, "attention", "bad"), play.status(new)]
    play.take(*records)
    before = play.rows()
    seen = []
    for record in records:
        play.database.run(lambda c: c.execute(update(position).values(next_offset=0)))
        play.stage._positions = {(FEED, 0): 0, (STATUS, 0): 0}
        play.take(record)
        seen.append(play.rows())

    assert seen == [before] * 4
    assert before["A"]["name"] == "New"
    assert before["A"]["state"] == "submitted"


def test_a_deleted_item_keeps_its_name_and_is_listed_only_until_it_is_gone(play: Play) -> None:
    """A tombstone waits; its status ends it; eight days later nobody needs the row."""
    record = play.item("A")
    play.take(record, play.status(record))
    gone = play.item("A", None)
    play.take(gone)
    waiting = play.rows()["A"]
    listed = play.database.run(lambda c: read.page(c, "shop", "products", limit=9))
    play.take(play.status(gone, "deleted"))
    ended = play.database.run(lambda c: read.page(c, "shop", "products", limit=9))
    asked = play.database.run(lambda c: read.page(c, "shop", "products", limit=9, state="deleted"))
    play.now_ms += write.DELETED_MS_MAX + 1
    play.database.run(lambda c: write.purge(c, play.now_ms))

    assert (waiting["state"], waiting["deleted"], waiting["name"]) == ("awaiting", 1, "Bag")
    assert [row["item_key"] for row in listed] == [gone.key.decode()]
    assert ended == []
    assert [row["state"] for row in asked] == ["deleted"]
    assert play.rows() == {}


def test_what_a_sink_passed_in_silence_waits_no_longer(play: Play) -> None:
    """The same content again keeps its last state; what the target is never told of is not for it."""
    first = play.item("A")
    play.take(first, play.status(first), play.item("A"), play.item("B"), play.item("C"))
    before = play.states()
    play.committed = 3
    for _ in range(2):
        play.now_ms += UPKEEP_EVERY_MS
        play.take()

    assert before == {"A": "awaiting", "B": "awaiting", "C": "awaiting"}
    assert play.states() == {"A": "submitted", "B": "skipped", "C": "awaiting"}
    assert play.rows()["A"]["sent_offset"] == 0


def test_a_status_that_is_taken_back_makes_the_item_wait(play: Play) -> None:
    """Without its record there is nothing to wait for."""
    first, second = play.item("A"), play.item("B")
    play.take(first, play.status(first), play.status(second))
    play.take(play.forgotten("A"), play.forgotten("B"))

    assert play.states() == {"A": "awaiting", "B": "skipped"}


def test_a_process_that_dies_loses_and_doubles_nothing(play: Play) -> None:
    """Killed inside a transaction nothing of it is there; the next one begins where the rows end."""
    record = play.item("A")
    play.catch_up()
    play.status(record)
    play.item("B")
    with pytest.raises(KeyboardInterrupt):
        play.database.run(lambda c: _die_after(c, play))
    torn = play.states()
    play.start()
    began = dict(play.read_from)
    play.catch_up()

    assert torn == {"A": "awaiting"}
    assert began == {FEED: 1, STATUS: 0}
    assert play.states() == {"A": "submitted", "B": "awaiting"}
    assert play.database.run(count(submission)) == 1
    assert play.database.run(lambda c: read.activity(c, "shop", "products", 0, 0)).accepted == 1


def test_a_batch_that_is_handed_in_again_counts_once(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away behind the batch's own transaction, in what is done every few seconds."""
    record = play.item("A")
    batch = (record, play.status(record))

    def gone(*_: Any) -> None:
        raise exc.OperationalError("UPDATE", {}, OSError("server has gone away"))

    with monkeypatch.context() as broken:
        broken.setattr(write, "note_alive", gone)
        with pytest.raises(Transient, match="gone away"):
            play.take(*batch)
    play.take(*batch)

    assert play.states() == {"A": "submitted"}
    assert play.database.run(lambda c: read.activity(c, "shop", "products", 0, 0)).accepted == 1


def _die_after(connection: Connection, play: Play) -> None:
    from consumers.ledger.fold import fold

    records = [play.logs[FEED][1], play.logs[STATUS][0]]
    write.apply(connection, fold(records, SOURCES), {(FEED, 0): (1, 2), (STATUS, 0): (0, 1)})
    raise KeyboardInterrupt


class Killed(Exception):
    """SIGKILL; an exception that the driver rolls back for."""


@dataclass
class Mortal:
    """A ledger whose process dies before a statement or a commit, or behind one; alive until `at` is set."""

    of: LedgerDatabase
    at: int = -1
    calls: int = 0

    def __post_init__(self) -> None:
        event.listen(self.of._engine, "before_cursor_execute", self._call)

    def run(self, work: Callable[[Connection], Any]) -> Any:
        self._call()
        result = self.of.run(work)
        self._call()
        return result

    def _call(self, *_: object) -> None:
        self.calls += 1
        if self.calls == self.at:
            raise Killed


def chapters(play: Play) -> Iterator[None]:
    """What lands on the topics, piece by piece."""
    first, second = play.item("A"), play.item("B")
    play.status(first)
    yield
    play.status(second, "retryable", "503")
    play.item("A", "Bag 2")
    play.now_ms += UPKEEP_EVERY_MS
    yield
    play.status(second)
    play.status(play.item("B", None), "deleted")
    play.item("C")
    play.committed = len(play.logs[FEED])
    play.now_ms += UPKEEP_EVERY_MS
    yield
    play.now_ms += UPKEEP_EVERY_MS
    play.status(play.item("A", "Bag 3"), "attention", "no name")
    yield


def told(mortal: Mortal, dies_at: int) -> dict[str, Any]:
    """Everything a ledger says at the end; a killed process is started again at once."""
    database = mortal.of
    mortal.at = -1
    database.run(_empty)
    play = Play(database)
    play.database = mortal  # type: ignore[assignment]
    mortal.at, mortal.calls = dies_at, 0

    def until_alive(action: Callable[[], None]) -> None:
        while True:
            try:
                action()
                return
            except Killed:
                action = again

    def again() -> None:
        play.start()
        play.catch_up()

    until_alive(play.start)
    for _ in chapters(play):
        until_alive(play.catch_up)
    for _ in range(2):
        # What needed no request is told by two looks at the sink's position.
        play.now_ms += UPKEEP_EVERY_MS
        until_alive(play.take)
    mortal.at = -1
    return {
        "rows": play.rows(),
        "submissions": database.run(count(submission)),
        "activity": database.run(lambda c: read.activity(c, "shop", "products", 0, 0)),
    }


def test_killed_at_any_statement_it_ends_the_same(tmp_path: Path) -> None:
    """Before each statement, before and behind each commit; what a transaction holds is gone with it."""
    settings = Settings(ledger=LedgerSettings(url=f"sqlite:///{tmp_path}/ledger.db"))
    with open_ledger(settings) as database:
        mortal = Mortal(database)
        ended = told(mortal, -1)
        calls = mortal.calls
        differing = {call: after for call in range(1, calls + 1) if (after := told(mortal, call)) != ended}

    assert {sku: row["state"] for sku, row in ended["rows"].items()} == {
        "A": "attention",
        "B": "deleted",
        "C": "skipped",
    }
    assert calls > 40
    assert differing == {}


def test_a_second_writer_is_refused(play: Play) -> None:
    """Also our own batch whose commit took effect although its answer was lost."""
    record = play.item("A")
    play.take(record)
    play.stage._positions = {(FEED, 0): 0, (STATUS, 0): 0}

    with pytest.raises(Doubt, match="somebody else writes it"):
        play.take(record)


def test_an_emptied_ledger_is_filled_again_from_the_topics(play: Play) -> None:
    """Whatever position Kafka's group has."""
    records = [play.item(sku) for sku in ("A", "B", "C")]
    for record in records:
        play.status(record)
    play.catch_up()
    before = play.rows()
    play.database.run(metadata.drop_all)
    play.start()
    play.catch_up()

    assert len(before) == 3
    assert play.rows() == before


@pytest.mark.parametrize("why", ["version", "away", "other topics", "new target"])
def test_what_cannot_be_gone_on_with_is_read_from_the_beginning(play: Play, why: str) -> None:
    """A row that no topic tells of any more does not survive."""
    record = play.item("A")
    play.status(record)
    gone = play.item("gone")
    play.catch_up()
    play.compacted.append(gone)
    if why == "version":
        play.database.run(lambda c: c.execute(update(meta).where(meta.c.name == "version").values(value=0)))
    elif why == "away":
        play.now_ms += AWAY_MS_MAX + 1
    elif why == "other topics":
        play.logs[FEED] = [record]
    elif why == "new target":
        play.database.run(lambda c: c.execute(delete(position).where(position.c.topic == STATUS)))
    play.start()
    play.catch_up()

    assert play.states() == {"A": "submitted"}
    assert play.database.run(lambda c: read.activity(c, "shop", "products", 0, 0)).accepted == 1


@pytest.mark.parametrize("why", ["away", "target gone", "history"])
def test_no_transaction_takes_more_away_than_a_server_does_in_its_time(
    play: Play, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """It would be given up, taken back, and begun again for ever."""
    monkeypatch.setattr(write, "DELETED_ROWS_MAX", 2)
    monkeypatch.setattr(write, "HISTORY_ROWS_MAX", 1)
    for sku in ("A", "B", "C", "D", "E"):
        play.now_ms += 1
        play.status(play.item(sku))
    play.catch_up()
    table = submission if why == "history" else item
    left = [play.database.run(count(table))]
    run = play.database.run

    def counted(work: Callable[[Connection], Any]) -> Any:
        done = run(work)
        left.append(run(count(table)))
        return done

    monkeypatch.setattr(play.database, "run", counted)
    if why == "away":
        play.now_ms += AWAY_MS_MAX + 1
        play.start()
    elif why == "target gone":
        play.sources = {"cs.feed.prices": Source("prices", ("shop",))}
        play.logs = {"cs.feed.prices": []}
        play.start()
    else:
        for _ in range(3):
            play.now_ms += PURGE_EVERY_MS if len(left) == 1 else UPKEEP_EVERY_MS
            play.take()

    assert (left[0], left[-1]) == (5, 2 if why == "history" else 0)
    assert max(before - after for before, after in pairwise(left)) == 2


def test_a_process_that_dies_between_two_pieces_is_followed_by_one_that_clears_the_rest(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although another one has said meanwhile that a ledger is at work."""
    monkeypatch.setattr(write, "DELETED_ROWS_MAX", 2)
    records = [play.item(sku) for sku in ("A", "B", "C", "D", "E")]
    play.catch_up()
    play.compacted.append(records[4])
    play.now_ms += AWAY_MS_MAX + 1
    pieces = iter([write.clear])

    def dies(*arguments: Any, **named: Any) -> str | None:
        if piece := next(pieces, None):
            return piece(*arguments, **named)
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(write, "clear", dies)
        with pytest.raises(Killed):
            play.start()
    torn = len(play.rows())
    play.database.run(lambda c: write.note_alive(c, play.now_ms))
    play.start()
    play.catch_up()

    assert torn == 3
    assert list(play.states()) == ["A", "B", "C", "D"]


def test_a_short_absence_reads_on(play: Play) -> None:
    """Nothing is read twice."""
    play.take(play.item("A"))
    play.now_ms += AWAY_MS_MAX - 1
    play.start()

    assert play.read_from == {FEED: 1, STATUS: 0}


def test_a_target_that_is_configured_no_more_is_forgotten(play: Play) -> None:
    """Else it would later be taken up as if nothing had been missed."""
    other = "cs.status.old.products"
    play.logs[other] = []
    play.sources = {
        FEED: Source("products", ("shop", "old")),
        STATUS: SOURCES[STATUS],
        other: Source("products", ("old",), statuses=True),
    }
    play.start()
    play.item("A")
    play.catch_up()
    both = play.database.run(count(item))
    play.sources = SOURCES
    play.start()

    assert both == 2
    assert play.database.run(count(item)) == 1
    assert play.database.run(count(position)) == 2


def _page_after(key: str, connection: Connection) -> list[dict[str, Any]]:
    return read.page(connection, "shop", "products", limit=3, after=key)


def test_pages_follow_each_other_whatever_is_written_between(play: Play) -> None:
    """Keyset pages: each begins behind the last key of the one before, in the order of bytes."""
    skus = ["a", "B", "ä", "A", "b-2", "Z", "10", "9"]
    play.take(*(play.item(sku) for sku in skus))
    seen: list[str] = []
    after = ""
    while rows := play.database.run(partial(_page_after, after)):
        seen += [row["sku"] for row in rows]
        after = rows[-1]["item_key"]
        play.take(play.item("!before"), play.item(seen[0], "Edited"))

    assert seen == sorted(skus, key=lambda sku: _key(sku))


def test_pages_of_one_state_and_of_a_search(play: Play) -> None:
    """A search is part of a name or SKU in any case; what is special in SQL is not special here."""
    records = [
        play.item("A_1", "Yellow bag"),
        play.item("AX1", "Red Bag"),
        play.item("50%", "Hat"),
        play.item('q"\\', "Q"),
    ]
    play.take(*records, play.status(records[0], "attention", "x"), play.status(records[1]))

    def found(**what: Any) -> list[str]:
        rows = play.database.run(lambda c: read.page(c, "shop", "products", limit=9, **what))
        return [row["sku"] for row in rows]

    assert found(state="attention") == ["A_1"]
    assert found(search="BAG") == ["AX1", "A_1"]
    assert found(search="a_") == ["A_1"]
    assert found(search="0%") == ["50%"]
    assert found(search='"\\') == ['q"\\']
    assert found(search="bag", state="submitted") == ["AX1"]
    assert found(search="storeViewCode") == []


def test_an_item_is_found_by_key_sku_or_any_member_of_its_key(play: Play) -> None:
    """Exactly: another case is another item."""
    play.take(play.item("A"), play.item("a"), play.item("AB"))

    def found(name: str) -> list[str]:
        rows = play.database.run(lambda c: read.named(c, [("shop", "products")], name, 9))
        return [row["sku"] for row in rows]

    assert found("A") == ["A"]
    assert found(_key("AB").decode()) == ["AB"]
    assert found("default") == ["A", "AB", "a"]
    assert found("B") == []


def test_counts_and_activity(play: Play) -> None:
    """Deleted items are no source records; what is accepted is counted by the minute."""
    records = [play.item(sku) for sku in "ABCDE"]
    play.take(*records[:4], play.status(records[0]), play.status(records[1], "attention", "x"))
    play.now_ms += 3_600_000
    play.take(records[4], play.status(records[2], "retryable", "y"), play.status(records[4]))
    gone = play.item("E", None)
    play.take(gone, play.status(gone, "deleted"))
    counts = play.database.run(lambda c: read.counts(c, "shop", "products"))
    activity = play.database.run(
        lambda c: read.activity(c, "shop", "products", START_MS - 60_000, play.now_ms - 60_000)
    )
    oldest = play.database.run(lambda c: read.oldest_waiting_ms(c, "shop", "products", 2))

    assert counts == read.Counts(records=4, submitted=1, retryable=1, attention=1, awaiting=1)
    assert activity == read.Activity(3, 2, play.now_ms, play.now_ms)
    assert oldest == START_MS - 500


def test_the_history_is_kept_newest_first_and_bounded(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A purge leaves the newest rows, of all items together."""
    record = play.item("A")
    play.take(record)
    for outcome in ("retryable", "retryable", "delivered"):
        play.now_ms += 1000
        play.take(play.status(record, outcome))  # type: ignore[arg-type]
    row = play.rows()["A"]
    told = play.database.run(lambda c: read.history(c, row))
    monkeypatch.setattr(write, "HISTORY_ROWS_MAX", 1)
    play.database.run(lambda c: write.purge(c, play.now_ms))
    left = play.database.run(lambda c: read.history(c, row))

    assert [one["outcome"] for one in told] == ["submitted", "retryable", "retryable"]
    assert [one["time_ms"] for one in left] == [START_MS + 3000, START_MS + 2000]


def test_the_history_goes_on_when_the_topics_are_made_anew(play: Play) -> None:
    """To have other partitions, for example: what is said then has lower offsets, and comes first."""
    record = play.item("A")
    play.take(record, play.status(record, "retryable"), play.status(record, "attention"))
    play.logs = {FEED: [], STATUS: []}
    play.now_ms += 1000
    play.start()
    record = play.item("A")
    play.take(record, play.status(record))
    row = play.rows()["A"]
    told = play.database.run(lambda c: read.history(c, row))

    assert [one["outcome"] for one in told] == ["submitted", "attention"]


def test_texts_that_no_database_takes_are_made_plain(play: Play) -> None:
    """NUL, names and errors without end: the row is there, its neighbours too."""
    long = play._put(FEED, b'{"sku":"' + b"k" * 2000 + b'"}', None, {})
    odd = play.item("odd", "\0a" + "🛍" * 3000)
    play.take(long, odd, play.item("B"), play.status(odd, "attention", "\0" + "e" * 100_000))
    rows = play.database.run(lambda c: [dict(r) for r in c.execute(select(item)).mappings()])

    by_key = {row["item_key"][:12]: row for row in rows}
    assert len(rows) == 3
    assert by_key['{"sku":"odd"']["name"] == "a" + "🛍" * 254
    assert by_key['{"sku":"odd"']["error"] == "e" * 10_000
    assert len(by_key['{"sku":"kkkk']["item_key"]) == 640


def test_a_record_that_cannot_be_read_costs_no_neighbour(play: Play) -> None:
    """An item of another schema has a row without a name; a status that is no JSON changes nothing."""
    broken = play._put(FEED, _key("A"), b"\xc3\x01not ours", {})
    said = play._put(STATUS, _key("B"), b"{", {})
    other = play.item("B")
    play.take(broken, said, other, play.status(other))

    assert {sku: (row["state"], row["name"]) for sku, row in play.rows().items() if sku} == {
        "A": ("awaiting", None),
        "B": ("submitted", "Bag"),
    }


def test_items_keep_their_payload_when_asked_to(database: LedgerDatabase) -> None:
    """As the target takes it."""
    play = Play(database, lambda target, feed, member: f"{target} {feed} {member['name']}")
    play.take(play.item("A"))

    assert play.rows()["A"]["payload"] == "shop products Bag"


def test_a_ledger_that_nobody_fills_is_told_from_an_empty_one(database: LedgerDatabase) -> None:
    """Commands say what to start."""
    database.run(metadata.drop_all)

    with pytest.raises(Unreachable, match="start the role 'ledger'"):
        database.run(read.require_version)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A command makes no file."""
    url = f"sqlite:///{tmp_path}/none.db"

    with pytest.raises(Unreachable, match=r"none\.db: there is no such file"):
        open_existing(Settings(ledger=LedgerSettings(url=url)))
    assert list(tmp_path.iterdir()) == []
