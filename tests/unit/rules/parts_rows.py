"""Rows the tests of item parts start from: one store view, and products as small as can be."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from consumers.builder.rules.relatives import Relative
from consumers.builder.rules.stock import StockItemRow
from consumers.builder.values import StoreView
from schemas import shop_config as config

VIEW = StoreView(
    2,
    "de",
    "main_store",
    1,
    "base",
    2,
    "http://shop.example.com/media/",
    {config.BASE_URL: "http://shop.example.com/"},
)
# As Commerce creates a stock item: everything is left to the shop's settings.
ITEM = StockItemRow(
    Decimal(10),
    True,
    Decimal(0),
    True,
    0,
    True,
    True,
    True,
    Decimal(1),
    True,
    Decimal(0),
    True,
    False,
    True,
    Decimal(0),
    True,
)


def view(**settings: str) -> StoreView:
    """The view with further settings, by the names of `config`."""
    values = {getattr(config, name): value for name, value in settings.items()}
    return replace(VIEW, config={**VIEW.config, **values})


def item(**columns: Any) -> StockItemRow:
    return replace(ITEM, **columns)


def relative(entity_id: int, sku: str, type_id: str = "simple", **members: Any) -> Relative:
    """A product on the view's website, enabled everywhere."""
    values = {"status": {0: "1"}, "name": {0: f"Name of {sku}"}}
    return Relative(
        entity_id,
        sku,
        type_id,
        **{"website_ids": frozenset({1}), **members, "values": {**values, **members.get("values", {})}},
    )
