"""After a transaction in doubt the index says what is on the feed, and what differed is built again."""

from builder_play import INDEX, built, dirty, entries, names, stage
from fake_shop import FakeShop

from consumers.builder.index import PartitionIndex, encode_entry
from consumers.builder.verify import FeedItem, correct, newest_items
from runtime.record import Outgoing
from schemas.keys import canonical_json
from schemas.records import Again, EmittedItem, IndexEntry, Position

SEEN = Position(1, "binlog.000001", 100)


def key(sku: str, view: str = "default") -> str:
    return canonical_json({"sku": sku, "storeViewCode": view}).decode()


def index_of(*items: tuple[str, str], parked: dict[str, str] | None = None) -> PartitionIndex:
    """One item an entity: SKU and hash."""
    index = PartitionIndex()
    for sku, content_hash in items:
        item = EmittedItem("products", key(sku), content_hash, "bulk")
        entry = IndexEntry((item,), ("product:1",), SEEN, parked or {}, Again(9, "live"))
        index.put(sku, encode_entry(entry), SEEN)
    return index


def on_feed(**hashes: str) -> dict[str, FeedItem]:
    """What the feed holds, by SKU."""
    return {key(sku): FeedItem(value, sku) for sku, value in hashes.items()}


def test_where_index_and_feed_differ_the_feed_wins_and_the_entity_is_dirty() -> None:
    """INTERLEAVING 7: kept index record and lost feed record, the other way round, and another content."""
    index = index_of(("same", "1"), ("lost", "1"), ("other", "1"))
    feed = on_feed(same="1", other="2", unknown="3")

    assert correct(index, "products", feed) == ["lost", "other", "unknown"]
    assert index.get("same").items == (EmittedItem("products", key("same"), "1", "bulk"),)
    assert index.get("other").items == (EmittedItem("products", key("other"), "2", "live"),)
    assert index.get("unknown").items == (EmittedItem("products", key("unknown"), "3", "live"),)
    assert index.get("lost").items == ()


def test_what_was_corrected_is_not_covered_by_an_earlier_build() -> None:
    """The dirty record that follows has to build it."""
    index = index_of(("A", "1"), ("B", "1"))

    correct(index, "products", on_feed(A="2", B="1"))

    assert (index.snapshot_of("A"), index.snapshot_of("B")) == (None, SEEN)


def test_letters_references_and_other_feeds_stay() -> None:
    """Only this feed was compared."""
    index = index_of(("A", "1"), parked={"row:9": "told"})
    before = index.get("A")
    other = EmittedItem("prices", "p", "h", "live")
    index.put("A", encode_entry(IndexEntry((other, *before.items), before.refs, SEEN, before.parked)), SEEN)

    correct(index, "products", {})

    after = index.get("A")
    assert (after.items, after.refs, after.parked) == ((other,), ("product:1",), {"row:9": "told"})


def test_the_newest_record_of_each_key_counts() -> None:
    """A tombstone says that nothing is there."""
    records = [
        (b"a", b"x", {"hash": b"1"}),
        (b"b", b"x", {"hash": b"1"}),
        (b"a", b"y", {"hash": b"2"}),
        (b"b", None, {}),
    ]

    assert newest_items(records, lambda key, value: f"{key!r} {value!r}") == {"a": FeedItem("2", "b'a' b'y'")}


def loaded(*outgoing: Outgoing) -> PartitionIndex:
    """What a process finds on the index topic."""
    index = PartitionIndex()
    for record in outgoing:
        if record.topic == INDEX:
            index.load(record.key, record.value)
    return index


def test_an_index_that_was_corrected_is_written_though_the_build_changes_nothing(shop: FakeShop) -> None:
    """INTERLEAVING 7: its topic says what was before; who read that next would call a reverted edit sent."""
    shop.sell("A", "one")
    before = built(stage(shop), dirty("A"))
    shop.sell("A", "two")
    torn = built(stage(shop, {0: loaded(*before)}), dirty("A"))
    index = loaded(*before)
    correct(index, "products", on_feed(A=dict(torn[0].headers)["hash"].decode()))

    held = stage(shop, {0: index})
    after = built(held, dirty("A"))
    again = built(held, dirty("A"))
    shop.sell("A", "one")
    reverted = built(stage(shop, {0: loaded(*before, *after)}), dirty("A"))

    assert (names(torn), names(after), again) == ([("A", "two")], [], [])
    assert names(reverted) == [("A", "one")]


def test_an_index_that_was_corrected_to_nothing_is_forgotten(shop: FakeShop) -> None:
    """The product is gone, and so is its item; a record is left that says otherwise."""
    index = PartitionIndex()
    item = EmittedItem("products", key("A"), "1", "live")
    index.load(b"A", encode_entry(IndexEntry((item,))))
    correct(index, "products", {})

    held = stage(shop, {0: index})

    assert [entries(built(held, dirty("A"))) for _ in range(2)] == [{"A": None}, {}]
