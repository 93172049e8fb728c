"""The `inventoryStockStatus` feed: one item a product and stock that holds it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from consumers.builder.rows import Catalog, ProductRows
from consumers.builder.rules.parts import stock_product
from consumers.builder.rules.stock import DEFAULT_STOCK, StockProduct, is_infinite, stock_in

FEED: Final = "inventoryStockStatus"

_NONE: Final = Decimal(0)
# Scale of the feed's schema; the columns have no more digits.
_QUANTITY: Final = Decimal("0.0001")


def identity(stock_id: str, sku: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"stockId": stock_id, "sku": sku}


def build(rows: ProductRows, catalog: Catalog) -> list[dict[str, Any]]:
    """All items of one product, by stock id."""
    inventory, product = catalog.parts.inventory, _product(rows, catalog)
    return [item for stock_id in inventory.stock_ids for item in _items(rows, product, catalog, stock_id)]


def refs(rows: ProductRows, catalog: Catalog) -> tuple[str, ...]:
    """Names of the rows that can change these items without naming the product: what it is made of."""
    product = _product(rows, catalog)
    selected = {s.product_id for option in product.bundle_options for s in option.selections}
    ids = {product.entity_id, *(member.entity_id for member in product.members), *selected}
    return tuple(sorted(f"product:{entity_id}" for entity_id in ids))


def _product(rows: ProductRows, catalog: Catalog) -> StockProduct:
    statuses = rows.values.get("status", {})
    return stock_product(rows.product.entity_id, rows.product.type_id, statuses, rows.parts, catalog.parts)


def _items(
    rows: ProductRows, product: StockProduct, catalog: Catalog, stock_id: int
) -> Iterator[dict[str, Any]]:
    inventory, place = catalog.parts.inventory, (product.entity_id, stock_id)
    # The default stock's index knows every product; only those with a source item were ever stocked.
    if inventory.multi_source and stock_id == DEFAULT_STOCK and place not in inventory.sources:
        return
    stock = stock_in(product, catalog.parts.relatives, inventory, stock_id)
    if stock is None:
        return
    for_sale = stock.quantity + inventory.reservations.get(place, _NONE)
    yield {
        **identity(str(stock_id), rows.product.sku),
        "productId": product.entity_id,
        "qty": stock.quantity.quantize(_QUANTITY),
        "isSalable": stock.salable,
        "qtyForSale": for_sale.quantize(_QUANTITY),
        "infiniteStock": is_infinite(inventory.items.get(product.entity_id), inventory.settings),
    }
