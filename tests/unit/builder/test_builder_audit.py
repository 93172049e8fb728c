"""What an audit found wrong on a feed topic is written again, or taken back, and nothing else."""

import msgspec
from builder_play import BULK, FEED, KEY_A, built, dirty, names, stage
from fake_shop import FakeShop

from consumers.builder.diff import diff
from runtime.record import Outgoing, Record
from schemas.records import Dirty, EmittedItem

GONE = '{"sku":"A","storeViewCode":"gone"}'


def found(sku: str, *keys: str) -> Record:
    value = Dirty("audit", always=True, wrong=tuple(("products", key) for key in keys))
    return Record(BULK, 0, 1, sku.encode(), msgspec.json.encode(value), {})


def feed_records(outgoing: list[Outgoing]) -> list[tuple[bytes, bool]]:
    """Key, and whether there is a value."""
    return [(record.key, record.value is not None) for record in outgoing if record.topic == FEED]


def test_an_unchanged_item_is_written_again_when_its_feed_record_is_not_what_was_emitted(
    shop: FakeShop,
) -> None:
    """The index believes the feed holds it; without the finding nothing would be written."""
    shop.sell("A", "one", 4)
    held = stage(shop)
    built(held, dirty("A"))

    assert feed_records(built(held, found("A"))) == []
    assert feed_records(built(held, found("A", KEY_A.decode()))) == [(KEY_A, True)]


def test_a_record_that_no_build_emitted_is_taken_back(shop: FakeShop) -> None:
    """The index knows nothing of it; the product's own item is left alone."""
    shop.sell("A", "one", 4)
    held = stage(shop)
    built(held, dirty("A"))

    assert feed_records(built(held, found("A", GONE))) == [(GONE.encode(), False)]


def test_what_an_audit_found_and_the_rows_say_go_together(shop: FakeShop) -> None:
    """An item that changed is written once, one that is gone is taken back once."""
    shop.sell("A", "one", 4)
    held = stage(shop)
    built(held, dirty("A"))
    shop.sell("A", "two", 4)

    assert names(built(held, found("A", KEY_A.decode(), GONE), dirty("A"))) == [("A", "two"), ("A", None)]


def test_without_a_finding_a_difference_is_as_it_was() -> None:
    """And with one, what is emitted or taken back anyway stays so."""
    emitted = (EmittedItem("f", "same", "1", "live"), EmittedItem("f", "gone", "1", "live"))
    plain = diff(emitted, {("f", "same"): "1", ("f", "new"): "1"}, "live")
    distrusted = plain.distrusting({("f", "same"), ("f", "gone"), ("f", "new"), ("f", "other")})

    assert plain.distrusting(()) == plain
    assert distrusted.emit == (("f", "new"), ("f", "same"))
    assert distrusted.unchanged == ()
    assert distrusted.tombstone == (("f", "gone"), ("f", "other"))
    assert distrusted.items == plain.items
