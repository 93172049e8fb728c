"""Stock rows of a batch, and of the products its composites are made of."""

from collections.abc import Mapping
from decimal import Decimal

from consumers.builder.read.reader import Ids, Reader, select
from consumers.builder.rules.stock import DEFAULT_STOCK, Inventory, SourcesRow, StockItemRow


def read_inventory(reader: Reader, prefix: str, ids: Ids, settings: Mapping[str, str]) -> Inventory:
    """Everything that decides about the stock of these products.

    Args:
        settings: configuration of the default scope, by path.
    """
    items = {row[0]: _item(*row[1:]) for row in select(reader, _ITEMS.format(p=prefix), ids)}
    if not _has_sources(reader, prefix):
        return Inventory(items, settings=settings)
    channels = reader.query(
        f"SELECT code, stock_id FROM {prefix}inventory_stock_sales_channel WHERE type = 'website'"
    )
    sources = {
        (product_id, stock_id): SourcesRow(Decimal(quantity), bool(any_in_stock))
        for product_id, stock_id, quantity, any_in_stock in select(reader, _SOURCES.format(p=prefix), ids)
    }
    reservations = {
        (product_id, stock_id): Decimal(quantity)
        for product_id, stock_id, quantity in select(reader, _RESERVATIONS.format(p=prefix), ids)
    }
    return Inventory(items, True, dict(channels), sources, reservations, settings)


_ITEMS = (
    "SELECT product_id, qty, is_in_stock, min_qty, use_config_min_qty, backorders, use_config_backorders,"
    " manage_stock, use_config_manage_stock, min_sale_qty, use_config_min_sale_qty, max_sale_qty,"
    " use_config_max_sale_qty, enable_qty_increments, use_config_enable_qty_inc, qty_increments,"
    " use_config_qty_increments"
    f" FROM {{p}}cataloginventory_stock_item WHERE stock_id = {DEFAULT_STOCK} AND product_id IN %s"
)
# Commerce itself compares the SKU as the collation does, so the join does too.
_SOURCES = (
    "SELECT p.entity_id, l.stock_id, SUM(IF(i.status = 1, i.quantity, 0)), MAX(i.status = 1)"
    " FROM {p}catalog_product_entity p"
    " JOIN {p}inventory_source_item i ON i.sku = p.sku"
    " JOIN {p}inventory_source s ON s.source_code = i.source_code AND s.enabled = 1"
    " JOIN {p}inventory_source_stock_link l ON l.source_code = i.source_code"
    f" WHERE p.entity_id IN %s AND l.stock_id <> {DEFAULT_STOCK} GROUP BY p.entity_id, l.stock_id"
)
# The table's index begins with the stock, so stocks come before reservations.
_RESERVATIONS = (
    "SELECT p.entity_id, r.stock_id, SUM(r.quantity)"
    " FROM {p}catalog_product_entity p STRAIGHT_JOIN {p}inventory_stock k"
    " STRAIGHT_JOIN {p}inventory_reservation r ON r.stock_id = k.stock_id AND r.sku = p.sku"
    f" WHERE p.entity_id IN %s AND k.stock_id <> {DEFAULT_STOCK} GROUP BY p.entity_id, r.stock_id"
)


def _has_sources(reader: Reader, prefix: str) -> bool:
    rows = reader.query(
        "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = %s",
        (f"{prefix}inventory_stock_sales_channel",),
    )
    return bool(rows)


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
