"""A request becomes dirty entities page by page; progress and records go together."""

from collections.abc import Callable, Iterable, Sequence

import msgspec
import pytest
from confluent_kafka import TopicPartition
from fake_shop import FakeShop
from msgspec.structs import replace

from producers.resync import stage as stage_module
from producers.resync.stage import ResyncStage
from runtime.errors import Transient
from runtime.record import Outgoing, Record
from schemas.edition import edition_of
from schemas.keys import partition_for
from schemas.records import Dirty, Position, ResyncProgress
from schemas.topics import TopicNames

CONTROL, BULK = "cs.control", "cs.dirty.product.bulk"
PARTITIONS = 4
KEY = b"resync:product"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two entities a page."""
    monkeypatch.setattr(stage_module, "PAGE_ENTITIES", 2)


def stage(
    shop: FakeShop,
    index: Iterable[bytes] = (),
    *,
    control: Sequence[Record] = (),
    waiting: Callable[[str], int] = lambda entity: 0,
    log_end: int = 0,
) -> ResyncStage:
    """A stage that holds the control topic, which says this so far."""
    names = TopicNames("cs")
    made = ResyncStage(
        shop,  # type: ignore[arg-type]
        names,
        PARTITIONS,
        "",
        lambda entity: iter(index),
        lambda: control,
        waiting,
        lambda: log_end,
    )
    made.assign([TopicPartition(CONTROL, 0, len(control))])
    return made


def command(
    state: str = "requested",
    at: int = 1,
    cursor: int = 0,
    offset: int = 0,
    position: Position | None = None,
    cleanup: bool = False,
) -> Record:
    progress = ResyncProgress(
        ("products",),
        state,  # type: ignore[arg-type]
        at,
        cursor=cursor,
        entities=cursor,
        position=position,
        cleanup=cleanup,
    )
    return Record(CONTROL, 0, offset, KEY, msgspec.json.encode(progress), {})


def skus(outgoing: list[Outgoing]) -> list[str]:
    return [record.key.decode() for record in outgoing if record.topic == BULK]


def dirties(outgoing: list[Outgoing]) -> list[Dirty]:
    return [msgspec.json.decode(r.value or b"", type=Dirty) for r in outgoing if r.topic == BULK]


def progress(outgoing: list[Outgoing]) -> list[ResyncProgress]:
    return [
        msgspec.json.decode(record.value or b"", type=ResyncProgress)
        for record in outgoing
        if record.topic == CONTROL
    ]


def written(outgoing: list[Outgoing]) -> list[Record]:
    """What was written to the control topic, as it is read back."""
    return [Record(CONTROL, 0, 0, r.key, r.value, {}) for r in outgoing if r.topic == CONTROL]


def done(held: ResyncStage, *records: Record) -> list[Outgoing]:
    """One batch, committed."""
    outgoing = held.process(records)
    held.committed()
    return outgoing


def follow(held: ResyncStage, *records: Record, pages_max: int = 40) -> list[list[str]]:
    """Hand every progress record in again, as the topic does, until the run ends."""
    pages = []
    batch = list(records)
    for _ in range(pages_max):
        outgoing = done(held, *batch)
        pages.append(skus(outgoing))
        (last,) = progress(outgoing)
        if last.state == "enumerated":
            return pages
        batch = written(outgoing)
    raise AssertionError("the enumeration does not end")


def test_every_entity_is_enumerated_once_page_by_page() -> None:
    """In the order of their ids, ids with gaps included."""
    shop = FakeShop({1: "A", 5: "B", 6: "C", 90: "D", 91: "E"})

    assert follow(stage(shop), command()) == [["A", "B"], ["C", "D"], ["E"]]


def test_a_page_that_just_fills_is_not_taken_for_the_last() -> None:
    """The empty page behind it ends the enumeration."""
    assert follow(stage(FakeShop({1: "A", 2: "B"})), command()) == [["A", "B"], []]


def test_entities_go_to_the_bulk_lane_of_their_partition() -> None:
    """Promise 4; built whatever was seen before: a resync heals what the stream missed."""
    (record, _) = stage(FakeShop({1: "24-MB01"})).process([command()])

    assert (record.topic, record.partition) == (BULK, partition_for(b"24-MB01", PARTITIONS))
    assert msgspec.json.decode(record.value or b"", type=Dirty) == Dirty("resync", always=True)


def test_the_reason_of_the_request_is_handed_on() -> None:
    """A person sees why an item was built."""
    asked = ResyncProgress(("products",), "requested", 1, reason="store:u")

    outgoing = stage(FakeShop({1: "A"})).process([replace(command(), value=msgspec.json.encode(asked))])

    assert msgspec.json.decode(outgoing[0].value or b"", type=Dirty).reason == "resync:store:u"


def test_progress_says_how_far_it_came() -> None:
    """Cursor and count are those of the page written with it."""
    shop = FakeShop({1: "A", 5: "B", 6: "C"})
    held = stage(shop)

    (first,) = progress(done(held, command(at=7)))
    (second,) = progress(done(held))

    assert first == ResyncProgress(("products",), "running", 7, cursor=5, entities=2, total=3)
    assert second == ResyncProgress(("products",), "enumerated", 7, cursor=6, entities=3, total=3)


def test_it_resumes_at_the_cursor() -> None:
    """Whoever goes on after a crash reads the last progress record."""
    held = stage(FakeShop({1: "A", 5: "B", 6: "C"}), control=[command("running", cursor=5)])

    assert held.overdue()
    assert skus(held.process([])) == ["C"]


def test_a_request_takes_the_place_of_a_run_and_goes_once_around() -> None:
    """INTERLEAVING 30: it begins where the run stands, and passes everything the run had passed again."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C", 4: "D", 5: "E"}))
    held.process([command(at=1)])
    held.committed()

    assert follow(held, command(at=2)) == [["C", "D"], ["E"], ["A", "B"], []]
    assert held.process([command("running", at=1, cursor=2)]) == []


def test_twenty_requests_in_a_row_enumerate_the_catalog_about_once() -> None:
    """INTERLEAVING 30: each comes behind a page of the one before; none starts over."""
    shop = FakeShop({n: f"sku-{n}" for n in range(1, 61)})
    held = stage(shop)
    enumerated: list[str] = []
    for at in range(20):
        outgoing = held.process([command(at=at)])
        held.committed()
        enumerated += skus(outgoing)

    rest = follow(held, command(at=20), pages_max=40)

    assert sorted(enumerated) == sorted(f"sku-{n}" for n in range(1, 41))
    assert sorted(sku for page in rest for sku in page) == sorted(shop.skus.values())


def test_a_run_that_takes_over_is_named_later_and_covers_both_changes() -> None:
    """Who waits for either request sees it done; no entity is built from rows older than either change."""
    first, second = Position(1, "binlog.000001", 900), Position(1, "binlog.000001", 400)
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    held.process([command(at=7, position=first)])
    held.committed()

    outgoing = held.process([command(at=3, position=second)])

    (told,) = progress(outgoing)
    assert (told.requested_ms, told.position, told.began, told.around) == (8, first, 2, True)
    assert msgspec.json.decode(outgoing[0].value or b"", type=Dirty) == Dirty("resync", first, always=True)


def test_entities_are_enumerated_in_a_view_that_covers_the_change() -> None:
    """INTERLEAVING 13: a replica that is behind does not show a product that was made before the change."""
    behind, change = FakeShop({1: "A"}), Position(1, "binlog.000001", 900)
    held = stage(behind)
    behind.away = True
    with pytest.raises(Transient):
        held.process([command(position=change)])
    behind.away = False
    behind.skus[2] = "B"

    assert skus(held.process([command(position=change)])) == ["A", "B"]
    assert [cover for cover, _ in behind.covers] == [[change]]


def test_a_page_that_is_not_committed_moves_no_run() -> None:
    """The same batch comes again; a request then still begins where the last committed page ended."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    held.process([command(at=1)])

    assert follow(held, command(at=2)) == [["A", "B"], ["C"]]


def test_a_request_wins_over_the_progress_beside_it() -> None:
    """Whichever stands first in the batch; equal requests that wait are merged."""
    progress_record, request = command("running", at=1, cursor=2), command(at=2)

    for batch in ([progress_record, request], [request, progress_record]):
        outgoing = stage(FakeShop({1: "A", 2: "B", 3: "C"})).process(batch)

        assert [told.requested_ms for told in progress(outgoing)] == [2]
        assert skus(outgoing) == ["A", "B"]


def test_two_requests_of_one_batch_are_one_run() -> None:
    """Named later than both."""
    outgoing = stage(FakeShop({1: "A", 2: "B", 3: "C"})).process([command(at=2), command(at=2)])

    assert [told.requested_ms for told in progress(outgoing)] == [3]
    assert skus(outgoing) == ["A", "B"]


def test_after_a_restart_only_the_newer_of_two_runs_goes_on() -> None:
    """The older one's progress may stand behind the newer one's; both would send everything twice."""
    for control in (
        [command("running", at=2, cursor=1), command("running", at=1, cursor=2)],
        [command("running", at=1, cursor=2), command("running", at=2, cursor=1)],
    ):
        held = stage(FakeShop({1: "A", 2: "B", 3: "C"}), control=control)

        outgoing = done(held, *control)

        assert [told.requested_ms for told in progress(outgoing)] == [2]
        assert skus(outgoing) == ["B", "C"]


def test_a_stopped_run_stops_and_goes_on_where_it_stood() -> None:
    """Nothing is enumerated twice, nothing is left out; what changed in between comes by itself."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C", 4: "D", 5: "E"}))
    first = done(held, command(at=1))

    (stopped,) = progress(done(held, *written(first), command("stop", at=2)))
    quiet = done(held)
    rest = follow(held, command("continue", at=3))

    assert (stopped.state, stopped.cursor, quiet) == ("stopped", 2, [])
    assert [skus(first), *rest] == [["A", "B"], ["C", "D"], ["E"]]


def test_a_stop_outlives_a_restart() -> None:
    """INTERLEAVING 6: the page written beside the stop stands behind it on the topic."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    first = done(held, command(at=1))
    told = done(held, command("stop", at=2))

    again = stage(FakeShop({1: "A", 2: "B", 3: "C"}), control=[*written(told), *written(first)])

    assert not again.overdue()
    assert again.process(written(first)) == []
    assert follow(again, command("continue", at=3)) == [["C"]]


def test_without_a_run_there_is_nothing_to_stop_or_to_continue() -> None:
    """Neither after the end of one."""
    for control in ([], [command("enumerated")]):
        held = stage(FakeShop({1: "A"}), control=control)

        assert held.process([command("stop", at=5), command("continue", at=6)]) == []


def test_a_run_waits_while_builders_are_behind() -> None:
    """So a stop has something to stop, and the bulk topic does not hold the whole catalog."""
    behind = [stage_module.WAITING_MAX + 1]
    held = stage(FakeShop({1: "A"}), waiting=lambda entity: behind[0])

    (told,) = progress(done(held, command()))
    waits = held.overdue()
    behind[0] = stage_module.WAITING_MAX

    assert (told.state, told.entities, waits) == ("running", 0, False)
    assert held.overdue()
    assert skus(held.process([])) == ["A"]


def test_a_cleanup_asks_for_everything_afresh_and_forgets_what_is_gone() -> None:
    """INTERLEAVING 21: also of entities that only the index knows."""
    outgoing = stage(FakeShop({1: "A"}), [b"gone"]).process([command(cleanup=True)])

    assert skus(outgoing) == ["A", "gone"]
    assert set(dirties(outgoing)) == {Dirty("resync", always=True, afresh=("products",), forget=True)}


def test_a_cleanup_sends_only_its_own_feeds_whatever_run_it_takes_the_place_of() -> None:
    """A change of everything asks for all feeds, which need no sending when nothing of them changed."""
    plain = ResyncProgress(("products", "prices"), "requested", 1)
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    done(held, replace(command(), value=msgspec.json.encode(plain)))

    outgoing = done(held, command(at=2, cleanup=True))

    assert {dirty.afresh for dirty in dirties(outgoing)} == {("products",)}


def test_a_request_beside_a_cleanup_waits_for_its_end() -> None:
    """Joined, it would send everything twice, or the cleanup only a part."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C", 4: "D", 5: "E"}))
    done(held, command(at=1, cleanup=True))

    beside = done(held, command(at=5))
    last = done(held)
    pages = follow(held)

    assert {(told.cleanup, told.state) for told in progress(beside)} == {(True, "running")}
    assert [skus(beside), skus(last)] == [["C", "D"], ["E"]]
    assert [(told.cleanup, told.requested_ms) for told in progress(last)] == [(False, 5)]
    assert pages == [["A", "B"], ["C", "D"], ["E"]]


def test_a_request_that_waits_for_a_cleanup_outlives_a_stop_of_it() -> None:
    """A change of everything waits there, too; entities before the cursor were built before it."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    done(held, command(at=1, cleanup=True))

    (stopped,) = progress(done(held, command(at=5), command("stop", at=6)))
    ended = done(held, command("continue", at=7))
    pages = follow(held)

    assert (stopped.state, skus(ended), pages) == ("stopped", ["C"], [["A", "B"], ["C"]])


def test_a_request_that_waits_for_a_cleanup_outlives_a_second_one() -> None:
    """The second joins the first; what waited for the one's end waits for the other's."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    done(held, command(at=1, cleanup=True))

    done(held, command(at=5), command(at=6, cleanup=True))
    pages = follow(held)

    assert [sku for page in pages for sku in page] == ["A", "B", *("A", "B", "C")]


def test_a_run_remembers_what_capture_had_told_of_when_it_began() -> None:
    """Only a run that began behind a gap in the log, and ended, has compared everything since."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}), log_end=40)

    (first,) = progress(done(held, command(at=1)))
    (last,) = progress(done(held))
    (again,) = progress(done(held, command(at=9)))

    assert (first.log_end, first.compared_to) == (40, 0)
    assert (last.state, last.compared_to) == ("enumerated", 40)
    assert (again.state, again.compared_to) == ("running", 40)


def test_a_finished_run_writes_nothing_more() -> None:
    """Its last record is read back like the others."""
    held = stage(FakeShop({1: "A"}), control=[command("enumerated")])

    assert not held.overdue()
    assert held.process([command("enumerated")]) == []


def test_vanished_entities_of_the_index_are_enumerated_at_the_end() -> None:
    """INTERLEAVING 20: a delete lost with the binlog is known only to the index."""
    shop = FakeShop({1: "A", 2: "B"})

    assert follow(stage(shop, [b"A", b"gone-1", b"B", b"gone-2", b"gone-3"]), command()) == [
        ["A", "B"],
        ["gone-1", "gone-2", "gone-3"],
    ]


def test_entities_that_are_yet_to_come_are_enumerated_at_the_end() -> None:
    """Of the paid edition: a build notes when they begin. The index may know some of them, too."""
    shop = FakeShop({1: "A"})
    shop.staged = {2: "B", 3: "C"}
    open_source = follow(stage(shop, [b"C"]), command())
    shop.edition = edition_of(
        ("catalog_product_entity", column) for column in ("row_id", "entity_id", "created_in", "updated_in")
    )

    assert follow(stage(shop, [b"C"]), command()) == [["A", "B", "C"]]
    assert open_source == [["A", "C"]]


def test_an_entity_is_present_only_when_its_bytes_are_equal() -> None:
    """INTERLEAVING 17: the column compares without case, so `abc` vanished when `ABC` is there."""
    assert follow(stage(FakeShop({1: "ABC"}), [b"abc"]), command()) == [["ABC", "abc"]]


def test_records_that_are_no_resync_are_left_alone() -> None:
    """Other control records, tombstones and what cannot be read stop nothing."""
    held = stage(FakeShop({1: "A"}))
    foreign = [
        replace(command(), key=b"scopes:base"),
        replace(command(), value=None),
        replace(command(), value=b"{"),
    ]

    assert held.process(foreign) == []
    assert skus(held.process([*foreign, command()])) == ["A"]


def test_what_others_refer_to_is_enumerated_first() -> None:
    """Whatever order the commands have: books before prices, categories before products."""
    shop = FakeShop({1: "A"})
    names = ("product", "attribute", "category", "scope")

    outgoing = stage(shop).process([replace(command(), key=f"resync:{name}".encode()) for name in names])

    told = [record.key for record in outgoing if record.topic == CONTROL]
    assert told == [b"resync:scope", b"resync:attribute", b"resync:category", b"resync:product"]


def test_entities_that_are_few_go_to_their_one_partition() -> None:
    """Of their own bulk lane."""
    (record, _) = stage(FakeShop({7: "7"})).process([replace(command(), key=b"resync:category")])

    assert (record.topic, record.partition, record.key) == ("cs.dirty.category.bulk", 0, b"7")
