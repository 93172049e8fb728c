"""From an entity's rows to the items of all its feeds."""

from decimal import Decimal

from consumers.builder import letters
from consumers.builder.entities import _Products, entity_of
from consumers.builder.feeds import prices
from consumers.builder.read.products import Batch
from consumers.builder.rows import Catalog, ProductRow, ProductRows, RulePriceRow, Website
from schemas.keys import canonical_json

BASE = Website(1, "base")
MARS = Website(1, "base", config={"general/locale/timezone": "Mars/Olympus"})


def batch(website: Website, *rule_prices: RulePriceRow) -> _Products:
    rows = ProductRows(
        ProductRow(1, "A", "simple", None, None), website_ids=frozenset({1}), rule_prices=rule_prices
    )
    return _Products(Batch(Catalog((), {}, websites=(website,)), {"A": rows}, ()))


def test_a_product_is_built_into_all_its_feeds() -> None:
    """Without a store view there is a price and nothing to show."""
    built = batch(BASE).build("A")

    assert [(feed, key) for feed, key in built.items] == [
        ("prices", '{"customerGroupCode":"0","sku":"A","websiteCode":"base"}')
    ]
    assert (built.refs, built.parked) == (("product:1",), {})


def test_a_price_that_cannot_be_told_holds_back_prices_alone() -> None:
    """A wrong price would be sent otherwise; a name or a stock goes on its way."""
    built = batch(MARS, RulePriceRow(1, 2, "2024-01-15", Decimal(5))).build("A")

    assert not built.items
    assert built.parked == {
        "feed:prices": "catalog rule prices of product 1 on website base: unknown time zone 'Mars/Olympus'"
    }
    assert letters.held_feeds({**built.parked, letters.WHOLE: "x", "row:3": "y"}) == {"prices"}


def test_a_product_speaks_for_every_record_that_names_its_sku() -> None:
    """Of a variant it is the child's."""
    keys = [
        ("products", {"sku": "A", "storeViewCode": "default"}),
        ("prices", prices.identity("A", "base", "0")),
        ("inventoryStockStatus", {"stockId": "1", "sku": "A"}),
        ("variants", {"parentSku": "P", "productSku": "A"}),
    ]

    assert {entity_of(feed, canonical_json(key), b"") for feed, key in keys} == {"A"}
