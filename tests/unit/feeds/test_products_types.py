"""An attribute whose values stand in no table has none, neither of the product nor of its relatives."""

from random import Random

import pytest
from test_products_order import COLUMNS, FIXED_ROWS, ShuffledReader

from consumers.builder.read.products import read_products


@pytest.mark.parametrize("backend_type", ["blob", "", "static"])
def test_a_status_of_a_type_without_a_table_is_none(backend_type: str) -> None:
    """A query of a table that is not there fails, and every batch with a parent or a child in it for ever."""
    rows = {name: [*FIXED_ROWS.get(name, ())] for name in COLUMNS}
    rows["eav_attribute"] = [
        (number, entity, code, backend_type if code in {"name", "status"} else kind, user, source)
        for number, entity, code, kind, user, source in rows["eav_attribute"]
    ]
    rows["catalog_product_relation"] = [(1, 2)]
    reader = ShuffledReader(rows | {"inventory_stock": []}, Random(0))
    batch = read_products(reader, "", ["P1"], {}, "")
    reader.close()

    assert batch.products["P1"].children == {2: {}}
    assert batch.catalog.parts.relatives[2].sku == "P2"
