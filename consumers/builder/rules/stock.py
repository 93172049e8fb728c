"""What Commerce's stock index would say of a product, from the rows it is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Final

from consumers.builder.rules.bundle import BundleOptionRow, SelectionRow
from consumers.builder.rules.relatives import COMPOSITE_TYPES, Relative
from consumers.builder.values import DEFAULT_STORE, StoreView
from schemas import shop_config as config

DEFAULT_STOCK: Final = 1
_ENABLED: Final = "1"
_NONE: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class StockItemRow:
    """A row of cataloginventory_stock_item; each `use_config_*` tells that the shop's setting counts."""

    qty: Decimal | None
    is_in_stock: bool
    min_qty: Decimal
    use_config_min_qty: bool
    backorders: int
    use_config_backorders: bool
    manage_stock: bool
    use_config_manage_stock: bool
    min_sale_qty: Decimal
    use_config_min_sale_qty: bool
    max_sale_qty: Decimal
    use_config_max_sale_qty: bool
    enable_qty_increments: bool
    use_config_enable_qty_inc: bool
    qty_increments: Decimal
    use_config_qty_increments: bool


@dataclass(frozen=True, slots=True)
class SourcesRow:
    """A product's source items in one stock, enabled sources only. Quantity: of those in status 1."""

    quantity: Decimal
    any_in_stock: bool


@dataclass(frozen=True)
class Inventory:
    """Stock rows of a batch.

    Args:
        items: by product id.
        multi_source: False where the tables of multi-source inventory do not exist.
        stock_of_website: stock id by website code.
        sources: by (product id, stock id); only where there is a source item.
        reservations: sum by (product id, stock id).
        settings: the shop's own settings, of the default scope.
        stock_ids: all stocks, ascending; without multi-source inventory only the default one.
    """

    items: Mapping[int, StockItemRow] = field(default_factory=dict)
    multi_source: bool = False
    stock_of_website: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[tuple[int, int], SourcesRow] = field(default_factory=dict)
    reservations: Mapping[tuple[int, int], Decimal] = field(default_factory=dict)
    settings: config.Config = field(default_factory=dict)
    stock_ids: tuple[int, ...] = (DEFAULT_STOCK,)

    @cached_property
    def manages_stock(self) -> bool:
        return config.flag(self.settings, config.MANAGE_STOCK)

    @cached_property
    def has_backorders(self) -> bool:
        return config.flag(self.settings, config.BACKORDERS)

    @cached_property
    def min_qty(self) -> Decimal:
        return config.leading_number(config.value(self.settings, config.MIN_QTY))


@dataclass(frozen=True, slots=True)
class StockProduct:
    """The product whose stock is asked for. `members`: children of a configurable or grouped product."""

    entity_id: int
    type_id: str
    statuses: Mapping[int, str | None]
    members: tuple[Relative, ...] = ()
    bundle_options: tuple[BundleOptionRow, ...] = ()


@dataclass(frozen=True, slots=True)
class Stock:
    """One product in one stock."""

    salable: bool
    quantity: Decimal


def stock_members(
    product: StockProduct, relatives: Mapping[int, Relative], inventory: Inventory, view: StoreView
) -> dict[str, bool]:
    """`inStock` and `lowStock` in one store view. A product without stock rows is not in stock."""
    stock_id = inventory.stock_of_website.get(view.website_code) if inventory.multi_source else DEFAULT_STOCK
    stock = None if stock_id is None else stock_in(product, relatives, inventory, stock_id)
    return {
        "inStock": stock is not None and stock.salable,
        "lowStock": (_NONE if stock is None else stock.quantity) < view.low_stock_below,
    }


def is_infinite(item: StockItemRow | None, settings: config.Config) -> bool:
    """True when the quantity does not limit what can be sold.

    The product's own settings count where it has some; the shop's do for a product without a stock item.
    """
    infinite = not config.flag(settings, config.MANAGE_STOCK) or config.flag(settings, config.BACKORDERS)
    if item is None:
        return infinite
    if not item.use_config_manage_stock:
        infinite = not item.manage_stock
    if not infinite and not item.use_config_backorders and not item.use_config_min_qty:
        infinite = item.backorders > 0 and item.min_qty == 0
    return infinite


def stock_in(
    product: StockProduct, relatives: Mapping[int, Relative], inventory: Inventory, stock_id: int
) -> Stock | None:
    """The product's row in the stock's index; None where it would have none."""
    simple = _default_stock if stock_id == DEFAULT_STOCK else _other_stock

    def of(entity_id: int, statuses: Mapping[int, str | None]) -> Stock | None:
        return simple(entity_id, statuses, inventory, stock_id)

    if product.type_id not in COMPOSITE_TYPES:
        return of(product.entity_id, product.statuses)
    own = inventory.items.get(product.entity_id)
    if own is None:
        return None
    if product.type_id == "bundle":
        return _bundle(product, own, relatives, inventory, stock_id, of)
    return _of_members(product, own, inventory, stock_id, of)


_Of = Callable[[int, Mapping[int, str | None]], Stock | None]


def _default_stock(
    entity_id: int, statuses: Mapping[int, str | None], inventory: Inventory, _: int
) -> Stock | None:
    """Only products that are enabled in some store have a row."""
    item = inventory.items.get(entity_id)
    if item is None or _ENABLED not in statuses.values():
        return None
    return Stock(not _is_managed(item, inventory) or item.is_in_stock, max(item.qty or _NONE, _NONE))


def _other_stock(
    entity_id: int, _: Mapping[int, str | None], inventory: Inventory, stock_id: int
) -> Stock | None:
    """Only products with a source item in the stock have a row."""
    sources = inventory.sources.get((entity_id, stock_id))
    item = inventory.items.get(entity_id)
    if sources is None:
        return None
    if item is None:
        return Stock(False, sources.quantity)
    min_qty = _min_qty(item, inventory)
    reserved = inventory.reservations.get((entity_id, stock_id), _NONE)
    salable = (
        (_has_backorders(item, inventory) and min_qty >= 0 and sources.any_in_stock)
        or not _is_managed(item, inventory)
        or sources.quantity + reserved - min_qty > 0
    )
    return Stock(salable, sources.quantity)


def _of_members(
    product: StockProduct, own: StockItemRow, inventory: Inventory, stock_id: int, of: _Of
) -> Stock | None:
    if stock_id == DEFAULT_STOCK:
        row = of(product.entity_id, product.statuses)
        usable = [member for member in product.members if _is_usable(member)]
        any_salable = any((s := _of_relative(member, of)) is not None and s.salable for member in usable)
        return None if row is None else Stock(row.salable and any_salable, _NONE)
    stocks = [s for member in product.members if (s := _of_relative(member, of)) is not None]
    if not stocks:
        return None
    quantity = sum((stock.quantity for stock in stocks), _NONE)
    return Stock(own.is_in_stock and any(stock.salable for stock in stocks), quantity)


def _bundle(
    product: StockProduct,
    own: StockItemRow,
    relatives: Mapping[int, Relative],
    inventory: Inventory,
    stock_id: int,
    of: _Of,
) -> Stock | None:
    selected = {s.product_id for option in product.bundle_options for s in option.selections}
    children = {
        product_id: _of_relative(child, of)
        for product_id in selected
        if (child := relatives.get(product_id)) is not None
        and (stock_id != DEFAULT_STOCK or _is_usable(child))
    }
    if stock_id == DEFAULT_STOCK:
        if of(product.entity_id, product.statuses) is None:
            return None
    elif not any(children.values()):
        return None

    def is_salable(selection: SelectionRow) -> bool:
        stock = children.get(selection.product_id)
        item = inventory.items.get(selection.product_id)
        if stock is None or item is None or not stock.salable:
            return False
        unlimited = _has_backorders(item, inventory) or not _is_managed(item, inventory)
        return selection.can_change_qty or unlimited or (selection.qty or _NONE) <= stock.quantity

    salable = {
        option.option_id: any(is_salable(selection) for selection in option.selections)
        for option in product.bundle_options
    }
    required = all(salable[option.option_id] for option in product.bundle_options if option.required)
    return Stock(own.is_in_stock and any(salable.values()) and required, _NONE)


def _of_relative(member: Relative, of: _Of) -> Stock | None:
    return of(member.entity_id, member.values.get("status", {}))


def _is_usable(member: Relative) -> bool:
    """A child with options of its own cannot be sold as part of another product."""
    return member.values.get("status", {}).get(DEFAULT_STORE) == _ENABLED and not member.required_options


def _is_managed(item: StockItemRow, inventory: Inventory) -> bool:
    if item.use_config_manage_stock:
        return inventory.manages_stock
    return item.manage_stock


def _has_backorders(item: StockItemRow, inventory: Inventory) -> bool:
    """Commerce's own condition: with a shop-wide yes, a product's other yes counts beside it."""
    if inventory.has_backorders:
        return item.use_config_backorders or item.backorders != 0
    return not item.use_config_backorders and item.backorders != 0


def _min_qty(item: StockItemRow, inventory: Inventory) -> Decimal:
    if item.use_config_min_qty:
        return inventory.min_qty
    return item.min_qty
