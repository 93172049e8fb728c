"""From an entity's rows to the items of all its feeds."""

from collections.abc import Iterable
from decimal import Decimal

import pytest

from consumers.builder import letters
from consumers.builder.entities import _Products, entity_of
from consumers.builder.feeds import prices
from consumers.builder.read.products import Batch
from consumers.builder.rows import Catalog, ProductRow, ProductRows, RulePriceRow, Website
from schemas.keys import canonical_json
from schemas.records import EmittedItem

BASE = Website(1, "base")
MARS = Website(1, "base", config={"general/locale/timezone": "Mars/Olympus"})
OUTLET = Website(2, "outlet", config={"general/locale/timezone": "UTC"})
# 2024-01-15 12:00:00 and the midnight behind it, in UTC.
NOW_S = 1_705_320_000
MIDNIGHT_S = NOW_S + 12 * 3600


def batch(*websites: Website, rule_prices: Iterable[RulePriceRow] = ()) -> _Products:
    """A product on these websites; the server that was read has no idea how late it is."""
    rows = ProductRows(
        ProductRow(1, "A", "simple", None, None),
        website_ids=frozenset(website.website_id for website in websites),
        rule_prices=tuple(rule_prices),
    )
    return _Products(Batch(Catalog((), {}, websites=websites), {"A": rows}, ()))


def test_a_product_is_built_into_all_its_feeds() -> None:
    """Without a store view there is a price and nothing to show."""
    built = batch(BASE).build("A")

    assert [(feed, key) for feed, key in built.items] == [
        ("prices", '{"customerGroupCode":"0","sku":"A","websiteCode":"base"}')
    ]
    assert (built.refs, built.parked, built.due_s) == (("product:1",), {}, None)


def test_a_price_that_cannot_be_told_holds_back_that_websites_prices_alone() -> None:
    """A wrong price would be sent otherwise; a name, a stock, another website's price go on their way."""
    there = RulePriceRow(1, 2, "2024-01-15", Decimal(5)), RulePriceRow(2, 2, "2024-01-16", Decimal(6))
    built = batch(MARS, OUTLET, rule_prices=there).build("A", NOW_S)

    assert [key for _, key in built.items] == ['{"customerGroupCode":"0","sku":"A","websiteCode":"outlet"}']
    assert built.due_s == MIDNIGHT_S
    assert built.parked == {
        "website:prices:base": (
            "catalog rule prices of product 1 on website base: unknown time zone 'Mars/Olympus'"
        )
    }


def test_what_is_held_back_is_what_stands_of_that_website() -> None:
    """Whatever else waits for a person."""
    parked = {"website:prices:base": "x", letters.WHOLE: "y", "row:3": "z"}
    emitted = [
        EmittedItem(feed, canonical_json(key).decode(), "hash", "live")
        for feed, key in (
            ("prices", prices.identity("A", "base", "0")),
            ("prices", prices.identity("A", "base", "1")),
            ("prices", prices.identity("A", "outlet", "0")),
            ("productOverrides", prices.identity("A", "base", "0")),
            ("products", {"sku": "A", "storeViewCode": "base"}),
        )
    ]

    assert letters.held_items(parked, emitted) == {(item.feed, item.key) for item in emitted[:2]}
    assert letters.held_items({"row:3": "z"}, emitted) == frozenset()


@pytest.mark.parametrize("zone", ["UTC", "America/Los_Angeles", "Pacific/Auckland"])
def test_a_special_price_until_the_last_day_there_is_has_no_end(zone: str) -> None:
    """Many a system writes 9999-12-31 for "for ever", with or without a time; no day comes after it."""
    website = Website(2, "outlet", config={"general/locale/timezone": zone})
    for last_day in ("9999-12-31 00:00:00", "9999-12-31 23:59:59"):
        values = {"special_price": {0: "5"}, "special_to_date": {0: last_day}}
        rows = ProductRows(
            ProductRow(1, "A", "simple", None, None), values=values, website_ids=frozenset({2})
        )
        priced = prices.build(rows, Catalog((), {}, websites=(website,)), NOW_S)

        assert [item["discounts"] for item in priced.items] == [
            [{"code": "special_price", "price": Decimal(5)}]
        ]
        assert (priced.refused, priced.due_s) == ({}, None)


def test_a_rule_price_of_no_day_is_never_one() -> None:
    """The database's zero; the product's other prices, and all its other items, go on."""
    days = ("0000-00-00", "2024-01-14", "2024-01-15")
    there = [RulePriceRow(2, 2, day, Decimal(price)) for price, day in enumerate(days)]
    built = batch(OUTLET, rule_prices=there).build("A", NOW_S)

    assert [item["discounts"] for item in built.items.values()] == [
        [],
        [{"code": "catalog_rule", "price": Decimal(2)}],
    ]
    assert (built.parked, built.due_s) == ({}, MIDNIGHT_S)


def test_it_is_as_late_as_the_clock_said_whatever_the_server_read_says() -> None:
    """A replica's clock may be behind the one that called: the price that began has begun, and is not due."""
    tomorrow = RulePriceRow(2, 2, "2024-01-16", Decimal(6))
    (before, after) = (batch(OUTLET, rule_prices=[tomorrow]).build("A", s) for s in (NOW_S, MIDNIGHT_S))

    assert [len(built.items) for built in (before, after)] == [1, 2]
    assert (before.due_s, after.due_s) == (MIDNIGHT_S, MIDNIGHT_S + 86_400)


def test_a_product_speaks_for_every_record_that_names_its_sku() -> None:
    """Of a variant it is the child's."""
    keys = [
        ("products", {"sku": "A", "storeViewCode": "default"}),
        ("prices", prices.identity("A", "base", "0")),
        ("inventoryStockStatus", {"stockId": "1", "sku": "A"}),
        ("variants", {"parentSku": "P", "productSku": "A"}),
    ]

    assert {entity_of(feed, canonical_json(key), b"") for feed, key in keys} == {"A"}
