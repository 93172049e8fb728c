"""Grouped products: their members as the values of one option."""

from collections.abc import Iterable
from typing import Any, Final

from consumers.builder.rules.links import LinkRow
from consumers.builder.rules.option_shape import option, option_value
from consumers.builder.rules.relatives import Relatives

KIND: Final = "grouped"


def members(rows: Iterable[LinkRow], product_id: int, relatives: Relatives) -> list[dict[str, Any]]:
    """One option with the members as values, ordered by position and id; none without members."""
    linked = [row for row in rows if row.is_grouped and row.linked_product_id in relatives]
    ordered = sorted(linked, key=lambda row: (row.position or 0, row.linked_product_id))
    values = [
        option_value(
            str(row.linked_product_id),
            sku=relatives[row.linked_product_id].sku,
            qty=None if row.qty is None else float(row.qty),
            sortOrder=row.position,
            qtyMutability=True,
        )
        for row in ordered
    ]
    return [option(KIND, str(product_id), values)] if values else []
