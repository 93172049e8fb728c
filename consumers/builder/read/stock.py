"""Stock rows of a batch, and of the products its composites are made of."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from consumers.builder.read.reader import Ids, Plan, Together, ask, select
from consumers.builder.rules.stock import DEFAULT_STOCK, Inventory, SourcesRow, StockItemRow
from runtime.database import Row


def read_inventory(
    prefix: str, ids: Ids, settings: Mapping[str, str], *, multi_source: bool
) -> Plan[Inventory]:
    """Everything that decides about the stock of these products.

    Args:
        settings: configuration of the default scope, by path.
    """
    together = Together()
    item_rows = together.add(select(_ITEMS.format(p=prefix), ids))
    if not multi_source:
        yield from together.done()
        return Inventory(_items(item_rows.result), settings=settings)
    stock_rows = together.add(ask(_STOCKS.format(p=prefix)))
    source_rows = together.add(select(_SOURCES.format(p=prefix), ids))
    reservation_rows = together.add(select(_RESERVATIONS.format(p=prefix), ids))
    yield from together.done()
    sources = {
        (product_id, stock_id): SourcesRow(Decimal(quantity), bool(any_in_stock))
        for product_id, stock_id, quantity, any_in_stock in source_rows.result
    }
    reservations = {
        (product_id, stock_id): Decimal(quantity)
        for product_id, stock_id, quantity in reservation_rows.result
    }
    return Inventory(
        _items(item_rows.result),
        True,
        {code: stock_id for stock_id, code in stock_rows.result if code is not None},
        sources,
        reservations,
        settings,
        tuple(sorted(stock_id for stock_id, code in stock_rows.result if code is None)),
    )


def _items(rows: Iterable[Row]) -> dict[int, StockItemRow]:
    return {row[0]: _item(*row[1:]) for row in rows}


_ITEMS = (
    "SELECT product_id, qty, is_in_stock, min_qty, use_config_min_qty, backorders, use_config_backorders,"
    " manage_stock, use_config_manage_stock, min_sale_qty, use_config_min_sale_qty, max_sale_qty,"
    " use_config_max_sale_qty, enable_qty_increments, use_config_enable_qty_inc, qty_increments,"
    " use_config_qty_increments"
    f" FROM {{p}}cataloginventory_stock_item WHERE stock_id = {DEFAULT_STOCK} AND product_id IN %s"
)
# Each stock, and the website codes that are sold from one.
_STOCKS = (
    "SELECT stock_id, NULL FROM {p}inventory_stock"
    " UNION ALL SELECT stock_id, code FROM {p}inventory_stock_sales_channel WHERE type = 'website'"
)
# Commerce itself compares the SKU as the collation does, so the join does too. Left alone, the server
# begins with the stocks and walks through every source item of them.
_SOURCES = (
    "SELECT p.entity_id, l.stock_id, SUM(IF(i.status = 1, i.quantity, 0)), MAX(i.status = 1)"
    " FROM {p}catalog_product_entity p"
    " STRAIGHT_JOIN {p}inventory_source_item i ON i.sku = p.sku"
    " STRAIGHT_JOIN {p}inventory_source s ON s.source_code = i.source_code AND s.enabled = 1"
    " STRAIGHT_JOIN {p}inventory_source_stock_link l ON l.source_code = i.source_code"
    " WHERE p.entity_id IN %s GROUP BY p.entity_id, l.stock_id"
)
# The table's index begins with the stock, so stocks come before reservations.
_RESERVATIONS = (
    "SELECT p.entity_id, r.stock_id, SUM(r.quantity)"
    " FROM {p}catalog_product_entity p STRAIGHT_JOIN {p}inventory_stock k"
    " STRAIGHT_JOIN {p}inventory_reservation r ON r.stock_id = k.stock_id AND r.sku = p.sku"
    " WHERE p.entity_id IN %s GROUP BY p.entity_id, r.stock_id"
)


def _item(
    qty: Decimal | None,
    is_in_stock: int,
    min_qty: Decimal,
    use_config_min_qty: int,
    backorders: int,
    use_config_backorders: int,
    manage_stock: int,
    use_config_manage_stock: int,
    min_sale_qty: Decimal,
    use_config_min_sale_qty: int,
    max_sale_qty: Decimal,
    use_config_max_sale_qty: int,
    enable_qty_increments: int,
    use_config_enable_qty_inc: int,
    qty_increments: Decimal,
    use_config_qty_increments: int,
) -> StockItemRow:
    return StockItemRow(
        qty,
        bool(is_in_stock),
        min_qty,
        bool(use_config_min_qty),
        backorders,
        bool(use_config_backorders),
        bool(manage_stock),
        bool(use_config_manage_stock),
        min_sale_qty,
        bool(use_config_min_sale_qty),
        max_sale_qty,
        bool(use_config_max_sale_qty),
        bool(enable_qty_increments),
        bool(use_config_enable_qty_inc),
        qty_increments,
        bool(use_config_qty_increments),
    )
