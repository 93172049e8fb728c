"""Members with a rule of one line, and attributes that are appended outside EAV."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from consumers.builder.rules.stock import Inventory, StockItemRow
from consumers.builder.values import StoreView, number
from schemas import shop_config as config

# Attributes that the fixed members are made of.
CODES: Final = ("links_purchased_separately", "price_view", "tax_class_id", "weight", "weight_type")
_NO_TAX_CLASS: Final = "no"
_PRICE_VIEWS: Final = {"0": "price_range", "1": "as_low_as"}
# Commerce's own id for "every customer group" in a setting that differs by group.
_ALL_GROUPS: Final = "32000"


def members(
    product_id: int, values: Mapping[str, str | None], tax_classes: Mapping[int, str], view: StoreView
) -> dict[str, Any]:
    """The fixed members.

    Args:
        values: of the store view, by attribute code.
        tax_classes: names by id.

    Raises:
        NoNumber: the weight is none.
    """
    weight = values.get("weight")
    separately = values.get("links_purchased_separately")
    return {
        "taxClassId": tax_class(values, tax_classes) or _NO_TAX_CLASS,
        "weight": None if weight is None else float(number(weight, "weight", f"product {product_id}")),
        "weightUnit": None if weight is None else config.value(view.config, config.WEIGHT_UNIT),
        "weightType": values.get("weight_type"),
        "currency": config.value(view.config, config.CURRENCY),
        "priceView": _PRICE_VIEWS.get(values.get("price_view") or ""),
        "linksPurchasedSeparately": None if separately is None else separately == "1",
    }


def tax_class(values: Mapping[str, str | None], tax_classes: Mapping[int, str]) -> str | None:
    class_id = values.get("tax_class_id") or ""
    return tax_classes.get(int(class_id)) if class_id.isdigit() else None


def attributes(
    tax_class_name: str | None, attribute_set: str | None, item: StockItemRow | None, inventory: Inventory
) -> list[dict[str, Any]]:
    """Tax class, attribute set and stock settings as attributes; what is not known is left out."""
    stock_settings = None if item is None else _stock_settings(item, inventory.settings)
    texts = {
        "ac_attribute_set": attribute_set,
        "ac_inventory": stock_settings,
        "ac_tax_class": tax_class_name,
    }
    return [{"attributeCode": code, "value": [text]} for code, text in texts.items() if text is not None]


def _stock_settings(item: StockItemRow, settings: config.Config) -> str:
    def shop(use_config: bool, path: str) -> str | None:
        """The shop's setting, where it counts."""
        return config.value(settings, path) if use_config else None

    return _stock_text(
        (shop(item.use_config_manage_stock, config.MANAGE_STOCK), item.manage_stock),
        (shop(item.use_config_min_sale_qty, config.MIN_SALE_QTY), item.min_sale_qty),
        (shop(item.use_config_max_sale_qty, config.MAX_SALE_QTY), item.max_sale_qty),
        (shop(item.use_config_backorders, config.BACKORDERS), item.backorders),
        (shop(item.use_config_enable_qty_inc, config.USE_INCREMENTS), item.enable_qty_increments),
        (shop(item.use_config_qty_increments, config.INCREMENTS), item.qty_increments),
    )


# Most products of a shop have the same few; written anew for each they took a twentieth of a build.
@lru_cache(maxsize=4096)
def _stock_text(
    manage: tuple[str | None, bool],
    min_sale: tuple[str | None, Decimal],
    max_sale: tuple[str | None, Decimal],
    backorders: tuple[str | None, int],
    use_increments: tuple[str | None, bool],
    increments: tuple[str | None, Decimal],
) -> str:
    """As JSON; of each pair the shop's setting counts, where it is given."""

    def amount(pair: tuple[str | None, Decimal]) -> float:
        return float(pair[1] if pair[0] is None else _of_all_groups(pair[0]))

    def flag(pair: tuple[str | None, bool]) -> bool:
        return pair[1] if pair[0] is None else config.is_on(pair[0])

    return json.dumps(
        {
            "manageStock": flag(manage),
            "cartMinQty": amount(min_sale),
            "cartMaxQty": amount(max_sale),
            "backorders": str(backorders[1] if backorders[0] is None else backorders[0]),
            "enableQtyIncrements": flag(use_increments),
            "qtyIncrements": amount(increments),
        },
        separators=(",", ":"),
    )


def _of_all_groups(text: str) -> Decimal:
    """A setting's number; one that differs by customer group is read for all groups."""
    if not text.startswith("{"):
        return config.leading_number(text)
    try:
        return config.leading_number(str(json.loads(text).get(_ALL_GROUPS, 1)))
    except ValueError:
        return Decimal(1)
