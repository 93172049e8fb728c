"""`inventoryStockStatus` of a shop without multi-source inventory."""

from decimal import Decimal

from parts_rows import item

from consumers.builder.feeds import inventory_stock_status
from consumers.builder.rows import Catalog, ProductRow, ProductRows
from consumers.builder.rules.parts import SharedParts
from consumers.builder.rules.stock import Inventory

ROWS = ProductRows(ProductRow(1, "A", "simple", None, None), {"status": {0: "1"}})


def test_the_old_tables_are_the_default_stock() -> None:
    """One stock, no source items to ask for, nothing reserved; composites have an item too."""
    inventory = Inventory({1: item(qty=Decimal("7.5"), is_in_stock=True)})
    composite = ProductRows(ProductRow(1, "A", "grouped", None, None), ROWS.values)
    catalog = Catalog((), {}, parts=SharedParts(inventory=inventory))

    items = [inventory_stock_status.build(rows, catalog) for rows in (ROWS, composite)]

    simple = {
        "stockId": "1",
        "sku": "A",
        "productId": 1,
        "qty": Decimal("7.5"),
        "isSalable": True,
        "qtyForSale": Decimal("7.5"),
        "infiniteStock": False,
    }
    grouped = simple | {"qty": Decimal(0), "qtyForSale": Decimal(0), "isSalable": False}
    assert items == [[simple], [grouped]]


def test_a_product_that_was_never_stocked_has_no_item() -> None:
    """Nothing is said of it, which is not the same as none left."""
    assert inventory_stock_status.build(ROWS, Catalog((), {})) == []
