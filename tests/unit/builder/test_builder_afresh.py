"""What a resync sends although nothing changed, and what it forgets instead of deleting."""

import msgspec
from builder_play import BULK, FEED, KEY_A, at, built, dirty, entries, names, stage
from fake_shop import FakeShop

from consumers.builder.fold import fold
from consumers.builder.guard import DELETES_ALWAYS
from runtime.record import Outgoing, Record
from schemas.records import Dirty


def afresh(sku: str, *, forget: bool = False, feed: str = "products") -> Record:
    value = Dirty("resync", always=True, afresh=(feed,), forget=forget)
    return Record(BULK, 0, 0, sku.encode(), msgspec.json.encode(value), {})


def flags(outgoing: list[Outgoing]) -> list[tuple[bytes, bool, list[str]]]:
    """Key, whether it is a tombstone, and the flags of each feed record."""
    return [
        (r.key, r.value is None, [name for name, _ in r.headers if name in {"afresh", "forget"}])
        for r in outgoing
        if r.topic == FEED
    ]


def test_an_unchanged_item_that_is_asked_for_by_name_is_emitted_again(shop: FakeShop) -> None:
    """And marked, so that no target takes it for known; the next build finds it unchanged."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))

    asked = built(held, afresh("A"))
    after = built(held, dirty("A", "bulk"))

    assert flags(asked) == [(KEY_A, False, ["afresh"])]
    assert names(after) == []


def test_items_of_other_feeds_are_left_alone(shop: FakeShop) -> None:
    """One entity has many feeds; only those asked for cost requests."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))

    assert flags(built(held, afresh("A", feed="prices"))) == []


def test_an_item_asked_for_by_name_that_is_gone_is_deleted(shop: FakeShop) -> None:
    """A resync of it heals the delete that was missed."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))
    del shop.rows["A"]

    assert flags(built(held, afresh("A"))) == [(KEY_A, True, [])]


def test_what_vanished_is_forgotten_by_a_cleanup(shop: FakeShop) -> None:
    """INTERLEAVING 21: a tombstone, so that no replay brings it back, and one that no target obeys."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))
    del shop.rows["A"]

    outgoing = built(held, afresh("A", forget=True))

    assert flags(outgoing) == [(KEY_A, True, ["forget"])]
    assert entries(outgoing) == {"A": None}


def test_a_delete_that_a_change_asks_for_is_sent_beside_a_cleanup(shop: FakeShop) -> None:
    """In one batch with it: the change was seen, so nothing is lost."""
    shop.sell("A", "one")
    held = stage(shop)
    built(held, dirty("A"))
    del shop.rows["A"]

    assert flags(built(held, afresh("A", forget=True), dirty("A", pos=500))) == [(KEY_A, True, [])]


def test_what_is_forgotten_does_not_count_as_deleted(shop: FakeShop) -> None:
    """The guard is for the targets, and they keep it."""
    skus = [f"sku-{n}" for n in range(DELETES_ALWAYS + 1)]
    for number, sku in enumerate(skus):
        shop.sell(sku, "one", number + 1)
    held = stage(shop)
    built(held, *(dirty(sku) for sku in skus))
    shop.rows.clear()

    assert len(flags(built(held, *(afresh(sku, forget=True) for sku in skus)))) == len(skus)


def test_one_piece_of_work_holds_what_each_record_asks_for() -> None:
    """All feeds named; forgotten only when nobody has seen the delete."""
    cleanup = Dirty("resync", always=True, afresh=("products",), forget=True)
    other = Dirty("resync", always=True, afresh=("prices",), forget=True)
    change = Dirty("price:u", at(5))

    (together,) = fold([("A", 0, "bulk", cleanup), ("A", 0, "bulk", other)])
    (beside,) = fold([("A", 0, "bulk", cleanup), ("A", 0, "live", change)])

    assert (together.afresh, together.forget) == ({"products", "prices"}, True)
    assert (beside.afresh, beside.forget, beside.lane) == ({"products"}, False, "live")
