"""Fold, diff and index: the pure parts between a dirty record and its items."""

from consumers.builder.diff import Difference, diff
from consumers.builder.fold import fold
from consumers.builder.index import (
    SEARCHED_MAX,
    PartitionIndex,
    encode_entry,
    encode_floor,
)
from schemas.records import FLOOR_KEY, Dirty, EmittedItem, IndexEntry, Position

FIRST, SECOND = Position(1, "binlog.000001", 100), Position(1, "binlog.000001", 200)
A = ("products", "a")


def entry(*refs: str) -> bytes:
    value = encode_entry(IndexEntry((EmittedItem("products", "a", "h", "live"),), refs))
    assert value is not None
    return value


def test_live_wins_over_bulk_with_its_reason() -> None:
    """One entry a key; the reason is that of the lane it is built in."""
    works = fold([("A", 2, "bulk", Dirty("resync")), ("A", 2, "live", Dirty("price:u"))])

    assert [(work.key, work.partition, work.lane, work.reason) for work in works] == [
        ("A", 2, "live", "price:u")
    ]


def test_live_work_comes_first_in_its_own_order() -> None:
    """Promise 4."""
    lanes = [("A", "bulk"), ("B", "live"), ("C", "bulk"), ("D", "live")]

    works = fold([(key, 0, lane, Dirty("x")) for key, lane in lanes])  # type: ignore[misc]

    assert [work.key for work in works] == ["B", "D", "A", "C"]


def test_the_oldest_commit_and_all_positions_are_kept() -> None:
    """Freshness counts from the oldest edit; the snapshot must have seen the newest."""
    works = fold(
        [
            ("A", 0, "live", Dirty("x", SECOND, 9_000)),
            ("A", 0, "live", Dirty("x", FIRST, 4_000)),
            ("A", 0, "live", Dirty("x", None, None)),
        ]
    )

    assert [(work.positions, work.commit_ms) for work in works] == [([SECOND, FIRST], 4_000)]


def test_a_commit_time_is_found_behind_a_record_without_one() -> None:
    """A resync's record has no commit; the edit behind it has."""
    works = fold([("A", 0, "bulk", Dirty("resync")), ("A", 0, "live", Dirty("x", FIRST, 4_000))])

    assert works[0].commit_ms == 4_000


def test_changed_items_are_emitted_and_vanished_ones_taken_back() -> None:
    """`items` is the whole list that stands afterwards."""
    emitted = (
        EmittedItem("products", "same", "1", "live"),
        EmittedItem("products", "changed", "1", "live"),
        EmittedItem("products", "gone", "1", "live"),
    )
    built = {("products", "same"): "1", ("products", "changed"): "2", ("products", "new"): "3"}

    assert diff(emitted, built, "bulk") == Difference(
        emit=(("products", "changed"), ("products", "new")),
        tombstone=(("products", "gone"),),
        unchanged=(("products", "same"),),
        items=(
            EmittedItem("products", "same", "1", "live"),
            EmittedItem("products", "changed", "2", "bulk"),
            EmittedItem("products", "new", "3", "bulk"),
        ),
    )


def test_a_live_build_emits_again_what_waits_in_bulk() -> None:
    """INTERLEAVING 2: the edit would wait behind the resync that happened to read it first."""
    difference = diff((EmittedItem("products", "a", "1", "bulk"),), {A: "1"}, "live")

    assert (difference.emit, difference.unchanged) == ((A,), ())
    assert difference.items == (EmittedItem("products", "a", "1", "live"),)


def test_a_bulk_build_never_emits_what_is_unchanged() -> None:
    """Promise 5, whichever lane it was last emitted in; the lane stays."""
    for lane in ("live", "bulk"):
        item = EmittedItem("products", "a", "1", lane)  # type: ignore[arg-type]

        difference = diff((item,), {A: "1"}, "bulk")

        assert (difference.emit, difference.unchanged, difference.items) == ((), (A,), (item,))


def test_the_same_key_in_two_feeds_is_two_items() -> None:
    """An item is named by feed and key."""
    difference = diff((EmittedItem("prices", "a", "1", "live"),), {A: "1"}, "live")

    assert (difference.emit, difference.tombstone) == ((A,), (("prices", "a"),))


def test_a_tombstone_forgets_the_entity() -> None:
    """Loaded in the topic's order: the last record counts."""
    index = PartitionIndex()
    index.load(b"A", entry())
    index.load(b"B", entry())
    index.load(b"A", None)
    index.load(b"never", None)

    assert (list(index.keys()), len(index)) == (["B"], 1)
    assert index.get("A") == IndexEntry()


def test_referring_finds_whole_references_only() -> None:
    """`product:1` is not `product:12`, and an item's key is no reference."""
    index = PartitionIndex()
    index.load(b"A", entry("product:12", "category:3"))
    index.load(b"B", entry("product:1"))
    index.load(b"C", entry())

    assert list(index.referring(["product:1"])) == ["B"]
    assert list(index.referring(["category:3", "product:12", "product:1"])) == ["A", "B"]
    assert list(index.referring(["category:33"])) == []


def test_many_references_are_found_as_one_is() -> None:
    """A mass delete asks for hundreds: another way to look, the same answer."""
    index = PartitionIndex()
    for n in range(40):
        index.load(f"sku-{n}".encode(), entry(f"product:{n}", "category:3"))
    index.load(b'"category:5"', entry())
    wanted = [f"product:{n}" for n in range(100, 120)]

    assert len(wanted) > SEARCHED_MAX
    assert list(index.referring([*wanted, "category:5"])) == []
    assert list(index.referring([*wanted, "product:1", "product:39"])) == ["sku-1", "sku-39"]
    assert len(list(index.referring([*wanted, "category:3"]))) == 40


def test_the_floor_is_kept_beside_the_entities() -> None:
    """INTERLEAVING 15: it survives a restart, and is no entity."""
    index = PartitionIndex()
    index.load(FLOOR_KEY, encode_floor([FIRST]))
    index.load(FLOOR_KEY, encode_floor([SECOND]))

    assert (index.floors, list(index.keys())) == ((SECOND,), [])


def test_a_snapshot_is_known_only_for_entities_that_are_there() -> None:
    """What was removed is forgotten, so that memory follows the catalog's size."""
    index = PartitionIndex()
    index.put("A", entry(), FIRST)
    index.covered("A", SECOND)
    index.covered("B", SECOND)
    assert (index.snapshot_of("A"), index.snapshot_of("B")) == (SECOND, None)

    index.put("A", None, SECOND)

    assert index.snapshot_of("A") is None


def test_a_snapshot_of_an_earlier_life_is_not_trusted() -> None:
    """Loaded entries say nothing of builds in between: the first dirty record builds."""
    index = PartitionIndex()
    value = encode_entry(IndexEntry((EmittedItem("products", "a", "h", "live"),), (), SECOND))

    index.load(b"A", value)

    assert index.snapshot_of("A") is None


def test_an_entry_without_items_is_a_tombstone_unless_it_is_parked() -> None:
    """Nothing needs to be remembered of a product that has no item."""
    assert encode_entry(IndexEntry((), ("product:1",), FIRST)) is None
    assert encode_entry(IndexEntry(parked={"": "broken"})) is not None
