"""A request becomes dirty entities page by page; progress and records go together."""

from collections.abc import Iterable
from dataclasses import replace

import msgspec
import pytest
from fake_shop import FakeShop

from producers.resync import stage as stage_module
from producers.resync.stage import ResyncStage
from runtime.record import Outgoing, Record
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


def stage(shop: FakeShop, index: Iterable[bytes] = ()) -> ResyncStage:
    names = TopicNames("cs")
    return ResyncStage(shop, names, PARTITIONS, "", lambda entity: iter(index))  # type: ignore[arg-type]


def command(
    state: str = "requested",
    at: int = 1,
    cursor: int = 0,
    offset: int = 0,
    position: Position | None = None,
) -> Record:
    progress = ResyncProgress(
        ("products",),
        state,  # type: ignore[arg-type]
        at,
        cursor=cursor,
        position=position,
    )
    return Record(CONTROL, 0, offset, KEY, msgspec.json.encode(progress), {})


def skus(outgoing: list[Outgoing]) -> list[str]:
    return [record.key.decode() for record in outgoing if record.topic == BULK]


def progress(outgoing: list[Outgoing]) -> list[ResyncProgress]:
    return [
        msgspec.json.decode(record.value or b"", type=ResyncProgress)
        for record in outgoing
        if record.topic == CONTROL
    ]


def follow(held: ResyncStage, record: Record, pages_max: int = 20) -> list[list[str]]:
    """Play every progress record back as the next command, as the topic does."""
    pages = []
    for _ in range(pages_max):
        outgoing = held.process([record])
        held.committed()
        pages.append(skus(outgoing))
        (last,) = progress(outgoing)
        if last.state == "enumerated":
            return pages
        record = replace(record, value=msgspec.json.encode(last))
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

    (first,) = progress(held.process([command(at=7)]))
    (second,) = progress(held.process([replace(command(), value=msgspec.json.encode(first))]))

    assert first == ResyncProgress(("products",), "running", 7, cursor=5, entities=2)
    assert second == ResyncProgress(("products",), "enumerated", 7, cursor=6, entities=3)


def test_it_resumes_at_the_cursor() -> None:
    """Whoever goes on after a crash reads the last progress record."""
    held = stage(FakeShop({1: "A", 5: "B", 6: "C"}))

    assert skus(held.process([command("running", cursor=5)])) == ["C"]


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


def test_a_page_that_is_not_committed_moves_no_run() -> None:
    """The same batch comes again; a request then still begins where the last committed page ended."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    held.process([command(at=1)])

    assert follow(held, command(at=2)) == [["A", "B"], ["C"]]


def test_a_request_wins_over_the_progress_beside_it() -> None:
    """Whichever stands first in the batch; equal requests that wait are merged."""
    progress_record, request = command("running", at=1, cursor=2), command(at=2)

    for batch in ([progress_record, request], [request, progress_record], [command(at=1), request]):
        outgoing = stage(FakeShop({1: "A", 2: "B", 3: "C"})).process(batch)

        assert [told.requested_ms for told in progress(outgoing)] == [2]
        assert skus(outgoing) == ["A", "B"]


def test_after_a_restart_no_run_is_lost_to_an_older_one() -> None:
    """The request itself was committed before; an older run's progress stands before the newer one's."""
    held = stage(FakeShop({1: "A", 2: "B", 3: "C"}))
    held.assign([])

    held.process([command("running", at=1, cursor=2)])
    held.committed()
    outgoing = held.process([command("running", at=2, cursor=1)])

    assert [told.requested_ms for told in progress(outgoing)] == [2]
    assert skus(outgoing) == ["B", "C"]


def test_a_finished_run_writes_nothing_more() -> None:
    """Its last record is read back like the others."""
    assert stage(FakeShop({1: "A"})).process([command("enumerated")]) == []


def test_vanished_entities_of_the_index_are_enumerated_at_the_end() -> None:
    """INTERLEAVING 20: a delete lost with the binlog is known only to the index."""
    shop = FakeShop({1: "A", 2: "B"})

    assert follow(stage(shop, [b"A", b"gone-1", b"B", b"gone-2", b"gone-3"]), command()) == [
        ["A", "B"],
        ["gone-1", "gone-2", "gone-3"],
    ]


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
