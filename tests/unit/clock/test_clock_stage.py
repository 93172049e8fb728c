"""Calls go out when the database's clock says so, once, and after a restart what is still due goes again."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import pytest
from confluent_kafka import TopicPartition

from producers.clock import stage as stage_module
from producers.clock.stage import ClockStage
from runtime.database import NOW_S
from runtime.errors import Transient
from runtime.record import Outgoing, Record
from schemas.records import Dirty, IndexEntry
from schemas.topics import TopicNames

INDEX, LIVE, BULK = "cs.index.product", "cs.dirty.product", "cs.dirty.product.bulk"


class World:
    """An index topic, a database that tells the time, and our own clock; both clocks run together."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self.now_s = 1_000
        self.our_s = 5.0
        self.asked = 0
        self.away = False

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        assert statement == NOW_S
        if self.away:
            raise Transient("the database is away")
        self.asked += 1
        return [(self.now_s,)]

    def read_index(self, topic: str, partition: int) -> Iterable[Record]:
        return [record for record in self.log if (record.topic, record.partition) == (topic, partition)]

    def build(self, key: str, due_s: int | None, partition: int = 0) -> Record:
        """What a builder writes; a tombstone where nothing is due."""
        value = None if due_s is None else msgspec.json.encode(IndexEntry(due_s=due_s))
        record = Record(INDEX, partition, len(self.log), key.encode(), value, {})
        self.log.append(record)
        return record

    def pass_s(self, seconds: float) -> None:
        self.our_s += seconds
        self.now_s += int(seconds)

    def stage(self, kept_max: int = 100) -> ClockStage:
        made = ClockStage(
            self,  # type: ignore[arg-type]
            TopicNames("cs"),
            self.read_index,
            lambda: self.our_s,
            kept_max,
        )
        made.assign([TopicPartition(INDEX, 0, 0), TopicPartition(INDEX, 1, 0)])
        return made


@pytest.fixture
def world() -> World:
    return World()


def turn(held: ClockStage, *records: Record) -> list[tuple[str, str]]:
    """One turn of the loop: (topic, key) of what is called."""
    if not records and not held.overdue():
        return []
    outgoing = held.process(records)
    held.committed()
    return [(record.topic, record.key.decode()) for record in outgoing]


def dirty(outgoing: Sequence[Outgoing]) -> list[Dirty]:
    return [msgspec.json.decode(record.value or b"", type=Dirty) for record in outgoing]


def test_an_entity_is_called_when_the_database_is_there(world: World) -> None:
    """On its own partition, in the live lane, with the moment that has come."""
    world.build("A", 1_010, partition=1)
    held = world.stage()
    early = turn(held)
    world.pass_s(10)

    (record,) = held.process([])

    assert early == []
    assert (record.topic, record.partition, record.key) == (LIVE, 1, b"A")
    assert dirty([record]) == [Dirty("due", commit_ms=1_010_000, due_s=1_010)]


def test_our_own_clock_alone_calls_nobody(world: World) -> None:
    """It says when to ask; the database's was set back an hour meanwhile."""
    world.build("A", 1_010)
    held = world.stage()
    turn(held)
    world.our_s += 10
    world.now_s -= 3_600

    assert turn(held) == []
    assert not held.overdue()


def test_a_clock_that_was_set_forward_is_noticed_within_a_minute(world: World) -> None:
    """Nobody would ask for an hour otherwise."""
    world.build("A", 5_000)
    held = world.stage()
    turn(held)
    world.now_s = 5_000
    world.our_s += stage_module.ASK_S

    assert turn(held) == [(LIVE, "A")]


def test_the_database_is_not_asked_without_need(world: World) -> None:
    """Not for each build, and not at all where nothing will change by itself."""
    held = world.stage()
    turn(held, world.build("A", None))
    turn(held)
    never = world.asked
    for number in range(20):
        turn(held, world.build(f"sku-{number}", 9_000))

    assert (never, world.asked) == (0, 1)


def test_what_is_due_is_called_once(world: World) -> None:
    """However long the builder needs; the answer brings the next moment."""
    world.build("A", 1_000)
    held = world.stage()
    first = turn(held)
    again = turn(held), turn(held, world.build("B", None))
    turn(held, world.build("A", 1_020))
    world.pass_s(20)

    assert first == [(LIVE, "A")]
    assert again == ([], [])
    assert turn(held) == [(LIVE, "A")]


def test_a_restart_calls_what_is_still_due_and_nothing_else(world: World) -> None:
    """The index is all that is remembered."""
    for key, due_s in (("A", 1_000), ("B", 1_001), ("C", 9_000)):
        world.build(key, due_s)
    world.pass_s(5)
    held = world.stage()
    first = turn(held)
    world.build("A", None)

    assert first == [(LIVE, "A"), (LIVE, "B")]
    assert turn(world.stage()) == [(LIVE, "B")]


def test_records_that_the_load_has_seen_do_not_bring_an_old_moment_back(world: World) -> None:
    """Consumption begins where the group stands, which may be long before the log's end."""
    old = world.build("A", 900)
    world.build("A", None)
    held = world.stage()

    assert turn(held, old) == []


def test_nothing_is_called_while_the_database_is_away_and_nothing_is_lost(world: World) -> None:
    """The batch is put off as a whole."""
    held = world.stage()
    record = world.build("A", 1_000)
    world.away = True
    with pytest.raises(Transient):
        held.process([record])
    world.away = False

    assert turn(held, record) == [(LIVE, "A")]


def test_a_sale_that_begins_at_midnight_is_bulk_work(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Promise 4: a live edit does not wait behind it."""
    monkeypatch.setattr(stage_module, "LIVE_ENTITIES_MAX", 3)
    for number in range(4):
        world.build(f"sku-{number}", 1_000)

    assert {topic for topic, _ in turn(world.stage())} == {BULK}


def test_what_did_not_fit_into_memory_is_called_too(world: World) -> None:
    """Read again when all nearer ones are built, as often as it takes."""
    for number in range(10):
        world.build(f"sku-{number}", 1_000 + number)
    held = world.stage(kept_max=2)
    world.pass_s(20)
    called: list[str] = []
    answered: list[Record] = []
    for _ in range(30):
        keys = [key for _, key in turn(held, *answered)]
        answered = [world.build(key, None) for key in keys]
        called += keys

    assert sorted(called) == [f"sku-{number}" for number in range(10)]
