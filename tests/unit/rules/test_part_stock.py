"""What Commerce's stock index would say, by its published conditions."""

from dataclasses import replace
from decimal import Decimal

import pytest
from parts_rows import VIEW, item, relative, view

from consumers.builder.rules.bundle import BundleOptionRow, SelectionRow
from consumers.builder.rules.relatives import Relative
from consumers.builder.rules.stock import (
    Inventory,
    SourcesRow,
    StockItemRow,
    StockProduct,
    stock_members,
)
from schemas import shop_config as config

SIMPLE = StockProduct(1, "simple", {0: "1"})
IN = {"inStock": True, "lowStock": False}
OUT = {"inStock": False, "lowStock": False}


def single(row: StockItemRow, **settings: str) -> dict[str, bool]:
    """A simple product in the default stock, without multi-source inventory."""
    inventory = Inventory({1: row}, settings={getattr(config, n): v for n, v in settings.items()})
    return stock_members(SIMPLE, {}, inventory, VIEW)


def other(row: StockItemRow | None, sources: SourcesRow | None, reserved: int = 0, **settings: str) -> bool:
    """`inStock` of a simple product in stock 2."""
    inventory = Inventory(
        {} if row is None else {1: row},
        True,
        {"base": 2},
        {} if sources is None else {(1, 2): sources},
        {(1, 2): Decimal(reserved)},
        {getattr(config, name): value for name, value in settings.items()},
    )
    return stock_members(SIMPLE, {}, inventory, VIEW)["inStock"]


def test_the_default_stock_follows_the_flag_not_the_quantity() -> None:
    """Commerce keeps the flag right itself; the index copies it."""
    assert single(item(qty=Decimal(0), is_in_stock=True)) == IN
    assert single(item(qty=Decimal(9), is_in_stock=False)) == OUT


def test_unmanaged_stock_is_always_there() -> None:
    """By the product's own setting or, where it says so, by the shop's."""
    own = item(is_in_stock=False, use_config_manage_stock=False, manage_stock=False)
    shop = item(is_in_stock=False)

    assert single(own) == IN
    assert single(shop, MANAGE_STOCK="0") == IN
    assert single(shop, MANAGE_STOCK="1") == OUT


def test_a_product_enabled_nowhere_has_no_stock_row() -> None:
    """One enabled store view is enough for all."""
    inventory = Inventory({1: item()})

    assert stock_members(replace(SIMPLE, statuses={0: "2"}), {}, inventory, VIEW) == OUT
    assert stock_members(replace(SIMPLE, statuses={0: "2", 9: "1"}), {}, inventory, VIEW) == IN


def test_a_product_without_stock_item_is_not_in_stock_and_low() -> None:
    """An absent quantity counts as none."""
    members = stock_members(SIMPLE, {}, Inventory(), view(LOW_STOCK_BELOW="1"))

    assert members == {"inStock": False, "lowStock": True}


@pytest.mark.parametrize(("quantity", "low"), [("4.9999", True), ("5", False), ("-3", True)])
def test_stock_is_low_below_the_threshold_of_the_store_view(quantity: str, low: bool) -> None:
    """The threshold itself is enough; less than nothing is nothing."""
    members = stock_members(
        SIMPLE, {}, Inventory({1: item(qty=Decimal(quantity))}), view(LOW_STOCK_BELOW="5")
    )

    assert members == {"inStock": True, "lowStock": low}


def test_a_website_without_stock_sells_nothing() -> None:
    """With multi-source inventory the sales channel names the stock."""
    inventory = Inventory({1: item()}, True, {"europe": 1})

    assert stock_members(SIMPLE, {}, inventory, VIEW) == OUT
    assert stock_members(SIMPLE, {}, replace(inventory, stock_of_website={"base": 1}), VIEW) == IN


def test_another_stock_counts_its_sources_and_reservations() -> None:
    """Sold is what is there and not reserved, above the minimum."""
    assert other(item(), SourcesRow(Decimal(3), True), -2) is True
    assert other(item(), SourcesRow(Decimal(3), True), -3) is False
    assert other(item(use_config_min_qty=False, min_qty=Decimal(1)), SourcesRow(Decimal(1), True)) is False
    assert other(item(), SourcesRow(Decimal(3), True), MIN_QTY="3") is False


def test_another_stock_knows_only_products_with_a_source_item() -> None:
    """Neither an unmanaged product nor one without a stock item is sold from nowhere."""
    unmanaged = item(use_config_manage_stock=False, manage_stock=False)

    assert other(unmanaged, None) is False
    assert other(unmanaged, SourcesRow(Decimal(0), False)) is True
    assert other(None, SourcesRow(Decimal(5), True)) is False


def test_backorders_need_a_source_in_stock() -> None:
    """With the shop's yes a product's other yes counts beside it, with the shop's no only its own."""
    own = item(use_config_backorders=False, backorders=1)
    none_left, out = SourcesRow(Decimal(0), True), SourcesRow(Decimal(0), False)

    assert other(own, none_left) is True
    assert other(own, out) is False
    assert other(item(), none_left) is False
    assert other(item(), none_left, BACKORDERS="1") is True
    assert other(item(use_config_backorders=False, backorders=0), none_left, BACKORDERS="1") is False
    assert other(item(use_config_backorders=True, backorders=1), none_left, BACKORDERS="0") is False


def composite(type_id: str, members: list[Relative], *, own: bool = True, **stock: bool) -> bool:
    """`inStock` of a composite product in the default stock; `stock` says which SKU is in stock."""
    items = {m.entity_id: item(is_in_stock=stock[m.sku]) for m in members}
    inventory = Inventory({9: item(is_in_stock=own), **items})
    product = StockProduct(9, type_id, {0: "1"}, tuple(members))
    return stock_members(product, {}, inventory, VIEW)["inStock"]


@pytest.mark.parametrize("type_id", ["configurable", "grouped"])
def test_a_composite_is_in_stock_with_one_of_its_members(type_id: str) -> None:
    """And with its own flag; members that are disabled or want options themselves do not count."""
    a, b = relative(1, "a"), relative(2, "b")
    disabled = relative(1, "a", values={"status": {0: "2", 2: "1"}})
    with_options = relative(1, "a", required_options=True)

    assert composite(type_id, [a, b], a=False, b=True) is True
    assert composite(type_id, [a, b], a=False, b=False) is False
    assert composite(type_id, [a, b], a=True, b=True, own=False) is False
    assert composite(type_id, [disabled], a=True) is False
    assert composite(type_id, [with_options], a=True) is False
    assert composite(type_id, []) is False


def test_a_composite_of_another_stock_adds_up_its_members() -> None:
    """Only its own flag and theirs count there."""
    members = (relative(1, "a"), relative(2, "b", values={"status": {0: "2"}}))
    inventory = Inventory(
        {9: item(), 1: item(), 2: item()},
        True,
        {"base": 2},
        {(1, 2): SourcesRow(Decimal(2), True), (2, 2): SourcesRow(Decimal(2), True)},
    )
    product = StockProduct(9, "configurable", {0: "1"}, members)

    assert stock_members(product, {}, inventory, view(LOW_STOCK_BELOW="4")) == IN
    assert stock_members(product, {}, inventory, view(LOW_STOCK_BELOW="5")) == {
        "inStock": True,
        "lowStock": True,
    }
    sold_out = replace(inventory, items={**inventory.items, 9: item(is_in_stock=False)})
    assert stock_members(product, {}, sold_out, VIEW) == OUT


def bundle(
    required: tuple[bool, bool], in_stock: tuple[bool, bool], *, qty: int = 1, can_change: bool = False
) -> bool:
    """`inStock` of a bundle of two options with one selection each."""
    relatives = {1: relative(1, "a"), 2: relative(2, "b")}
    inventory = Inventory({9: item(), 1: item(is_in_stock=in_stock[0]), 2: item(is_in_stock=in_stock[1])})
    options = tuple(
        BundleOptionRow(
            n, must, 1, "radio", {}, (SelectionRow(n, n, 1, False, 0, Decimal(0), Decimal(qty), can_change),)
        )
        for n, must in enumerate(required, start=1)
    )
    product = StockProduct(9, "bundle", {0: "1"}, (), options)
    return stock_members(product, relatives, inventory, VIEW)["inStock"]


def test_a_bundle_is_in_stock_when_it_can_be_put_together() -> None:
    """Every required option, and at least one at all."""
    assert bundle((True, False), (True, False)) is True
    assert bundle((True, False), (False, True)) is False
    assert bundle((False, False), (False, True)) is True
    assert bundle((False, False), (False, False)) is False


def test_a_selection_of_more_than_there_is_does_not_count() -> None:
    """Unless the shopper may change the quantity; ten of each are there."""
    assert bundle((True, False), (True, True), qty=10) is True
    assert bundle((True, False), (True, True), qty=11) is False
    assert bundle((True, False), (True, True), qty=11, can_change=True) is True


def test_a_bundle_without_options_is_not_in_stock() -> None:
    """There is nothing to put together."""
    product = StockProduct(9, "bundle", {0: "1"})

    assert stock_members(product, {}, Inventory({9: item()}), VIEW) == OUT
