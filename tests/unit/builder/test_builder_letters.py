"""What cannot be synced is parked alone with a reason for a person, and taken back when that is gone."""

from decimal import Decimal

import msgspec
import pytest
from builder_play import DEAD_LETTER, INDEX, KEY_A, built, dirty, entries, letters, names, stage
from fake_shop import FakeShop

from consumers.builder import stage as stage_module
from consumers.builder.diff import diff
from consumers.builder.feeds import prices
from consumers.builder.letters import changes
from schemas.records import DeadLetter, EmittedItem

SHADOW_9 = '{"entity":"product","key":"A","part":"row:9"}'
OTHER_VIEW = b'{"sku":"A","storeViewCode":"other"}'


def test_a_row_whose_sku_a_lower_id_has_is_parked(shop: FakeShop) -> None:
    """The lowest is built; each of the others has a letter that names both."""
    shop.sell("A", "one", 4)
    shop.shadowed = [(9, "A"), (12, "A"), (13, "B")]

    outgoing = built(stage(shop), dirty("A"))

    assert names(outgoing) == [("A", "one")]
    assert letters(outgoing) == {
        SHADOW_9: (
            "row 9 has SKU 'A', which row 4 has too: row 4 is the one synced; "
            "give one of them another SKU or delete it"
        ),
        SHADOW_9.replace("9", "12"): (
            "row 12 has SKU 'A', which row 4 has too: row 4 is the one synced; "
            "give one of them another SKU or delete it"
        ),
    }


def test_a_shadowed_row_is_told_of_once(shop: FakeShop) -> None:
    """Each further build finds the letter that stands."""
    shop.sell("A", "one", 4)
    shop.shadowed = [(9, "A")]
    held = stage(shop)
    built(held, dirty("A"))

    assert built(held, dirty("A")) == []


def test_a_row_that_is_no_longer_shadowed_clears_its_letter(shop: FakeShop) -> None:
    """It was renamed or deleted; the item of the lowest row is as it was."""
    shop.sell("A", "one", 4)
    shop.shadowed = [(9, "A"), (12, "A")]
    held = stage(shop)
    built(held, dirty("A"))
    shop.shadowed = [(12, "A")]

    outgoing = built(held, dirty("A"))

    assert (names(outgoing), letters(outgoing)) == ([], {SHADOW_9: None})


def test_the_next_claimant_is_built_when_the_owner_goes_and_nothing_is_deleted(shop: FakeShop) -> None:
    """INTERLEAVING 28: one upsert in the same batch, no tombstone before it."""
    shop.sell("A", "four", 4)
    shop.shadowed = [(9, "A")]
    held = stage(shop)
    built(held, dirty("A"))
    shop.sell("A", "nine", 9)
    shop.shadowed = []

    outgoing = built(held, dirty("A"))

    assert names(outgoing) == [("A", "nine")]
    assert letters(outgoing) == {SHADOW_9: None}


def test_when_the_last_claimant_goes_the_item_and_the_letters_go(shop: FakeShop) -> None:
    """Nothing is remembered of it."""
    shop.sell("A", "four", 4)
    shop.shadowed = [(9, "A")]
    held = stage(shop)
    built(held, dirty("A"))
    del shop.rows["A"]
    shop.shadowed = []

    outgoing = built(held, dirty("A"))

    assert (names(outgoing), letters(outgoing), entries(outgoing)) == (
        [("A", None)],
        {SHADOW_9: None},
        {"A": None},
    )


def test_a_broken_owner_and_its_shadow_have_a_letter_each(shop: FakeShop) -> None:
    """Two things to mend, two reasons."""
    shop.break_rows("A", 4)
    shop.shadowed = [(9, "A")]

    outgoing = built(stage(shop), dirty("A"))

    assert list(letters(outgoing)) == ['{"entity":"product","key":"A"}', SHADOW_9]


def test_an_item_over_the_limit_is_parked_by_itself(shop: FakeShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same product's item in another store view goes on."""
    monkeypatch.setattr(stage_module, "ITEM_BYTES_MAX", 1_000)
    shop.sell("A", "one", views=("default", "other"))
    shop.name("A", 2, "x" * 2_000)

    outgoing = built(stage(shop), dirty("A"))

    assert names(outgoing) == [("A", "one")]
    ((key, reason),) = letters(outgoing).items()
    assert msgspec.json.decode(key) == {
        "entity": "product",
        "key": "A",
        "part": f"item:products:{OTHER_VIEW.decode()}",
    }
    assert reason is not None
    assert reason.endswith(
        "a feed record holds 1000: shorten its texts; until then the target keeps what it has"
    )


def test_an_item_that_grew_over_the_limit_keeps_what_was_emitted(
    shop: FakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No tombstone: the target keeps the last good state, and a person is told."""
    monkeypatch.setattr(stage_module, "ITEM_BYTES_MAX", 1_000)
    shop.sell("A", "one")
    held = stage(shop)
    before = entries(built(held, dirty("A")))["A"]
    shop.sell("A", "x" * 2_000)

    outgoing = built(held, dirty("A"))

    after = entries(outgoing)["A"]
    assert before is not None
    assert after is not None
    assert names(outgoing) == []
    assert after.items == before.items
    assert list(after.parked) == [f"item:products:{KEY_A.decode()}"]
    assert built(held, dirty("A")) == []


def test_an_item_that_fits_again_is_emitted_and_clears_its_letter(
    shop: FakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mended by an edit, like every parked thing."""
    monkeypatch.setattr(stage_module, "ITEM_BYTES_MAX", 1_000)
    shop.sell("A", "x" * 2_000)
    held = stage(shop)
    built(held, dirty("A"))
    shop.sell("A", "short")

    outgoing = built(held, dirty("A"))

    assert names(outgoing) == [("A", "short")]
    assert list(letters(outgoing).values()) == [None]


def test_a_price_that_cannot_be_told_leaves_what_was_emitted_of_it(
    shop: FakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The product's item is emitted; the price has a letter, stays as it was, and comes when it is mended."""
    item = {**prices.identity("A", "base", "0"), "productId": 1, "type": "SIMPLE", "regular": Decimal(3)}
    told = prices.Prices((item,))
    monkeypatch.setattr(prices, "build", lambda *_: told)
    held = stage(shop)
    shop.sell("A", "one")
    before = entries(built(held, dirty("A")))["A"]
    told = prices.Prices(refused={"base": "no such day"})
    shop.sell("A", "two")

    outgoing = built(held, dirty("A"))
    after = entries(outgoing)["A"]
    told = prices.Prices()

    assert before is not None
    assert after is not None
    assert names(outgoing) == [("A", "two")]
    assert list(letters(outgoing).values()) == ["no such day"]
    assert [item for item in after.items if item.feed == "prices"] == [
        item for item in before.items if item.feed == "prices"
    ]
    mended = built(held, dirty("A"))
    assert [record.value for record in mended if record.topic == "cs.feed.prices"] == [None]
    assert list(letters(mended).values()) == [None]


def test_what_is_held_back_is_not_taken_back_either() -> None:
    """A feed that cannot be built now says nothing of its items: what was emitted stands."""
    emitted = (EmittedItem("prices", "p", "h", "live"), EmittedItem("products", "a", "h", "live"))

    difference = diff(emitted, {}, "live").without({("prices", "p")}, emitted)

    assert difference.tombstone == (("products", "a"),)
    assert difference.items == emitted[:1]


def test_a_product_without_items_writes_nothing(shop: FakeShop) -> None:
    """Promise 5: nothing was remembered of it, so there is nothing to forget, however often it is built."""
    shop.sell("A", "one", views=())
    held = stage(shop)

    assert built(held, dirty("A")) == []
    assert built(held, dirty("A"), dirty("nobody")) == []


def test_letters_follow_the_reasons_in_order() -> None:
    """New and changed ones are written, vanished ones taken back, equal ones left alone."""
    before = {"": "broken", "row:9": "same", "row:10": "old"}

    assert list(changes(before, {"row:9": "same", "row:10": "new", "row:11": "more"})) == [
        ("row:10", "new"),
        ("row:11", "more"),
        ("", None),
    ]


def test_a_letter_names_who_acts_and_where_it_came_from(shop: FakeShop) -> None:
    """A person acts; the pointer is the entity's dirty topic and partition."""
    shop.sell("A", "one", 4)
    shop.shadowed = [(9, "A")]

    outgoing = built(stage(shop), dirty("A", "bulk"))

    (value,) = [record.value for record in outgoing if record.topic == DEAD_LETTER]
    letter = msgspec.json.decode(value or b"", type=DeadLetter)
    assert (letter.kind, letter.operation, letter.topic, letter.partition) == (
        "attention",
        "build",
        "cs.dirty.product.bulk",
        0,
    )
    assert [record.topic for record in outgoing][-1] == INDEX
