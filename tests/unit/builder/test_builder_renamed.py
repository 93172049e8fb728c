"""A product that goes by another SKU leaves nothing behind under the old one, in any feed."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from builder_play import built, dirty, stage
from fake_shop import FakeShop

from consumers.builder.feeds import prices


def test_a_renamed_product_takes_every_item_of_its_old_name_along(
    shop: FakeShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prices too; the new name has as many items as the old one had."""

    def price(rows: Any, *_: object) -> prices.Prices:
        item = {**prices.identity(rows.product.sku, "base", "0"), "productId": 1, "type": "SIMPLE"}
        return prices.Prices(({**item, "regular": Decimal(3)},))

    monkeypatch.setattr(prices, "build", price)
    held = stage(shop)
    shop.sell("A", "one", views=("default", "other"))
    made = feeds(built(held, dirty("A")), "A")
    del shop.rows["A"]
    shop.sell("B", "one", views=("default", "other"))

    outgoing = built(held, dirty("A"), dirty("B"))

    assert made == {("prices", True): 1, ("products", True): 2}
    assert feeds(outgoing, "A") == {(feed, False): count for (feed, _), count in made.items()}
    assert feeds(outgoing, "B") == made


def feeds(outgoing: list[Any], sku: str) -> Counter[tuple[str, bool]]:
    """How many records each feed got of a SKU: (feed, True) for items, (feed, False) for tombstones."""
    return Counter(
        (record.topic.removeprefix("cs.feed."), record.value is not None)
        for record in outgoing
        if record.topic.startswith("cs.feed.") and f'"sku":"{sku}"'.encode() in record.key
    )
