"""`links[]`: related, upsell and crosssell products."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from consumers.builder.rules.relatives import Relatives
from consumers.builder.values import StoreView

GROUPED: Final = 3
_TYPES: Final = {1: "related", 4: "upsell", 5: "crosssell"}


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A row of catalog_product_link with the attributes that grouped products have."""

    link_id: int
    linked_product_id: int
    link_type_id: int
    position: int | None = None
    qty: Decimal | None = None

    @property
    def is_grouped(self) -> bool:
        return self.link_type_id == GROUPED


def links(rows: Collection[LinkRow], relatives: Relatives, view: StoreView) -> list[dict[str, Any]]:
    """`{sku, type}` of each linked product on the view's website, ordered by type and SKU."""
    if not rows:
        return []
    found = {
        (_TYPES[row.link_type_id], linked.sku)
        for row in rows
        if row.link_type_id in _TYPES
        and (linked := relatives.get(row.linked_product_id)) is not None
        and view.website_id in linked.website_ids
    }
    return [{"sku": sku, "type": kind} for kind, sku in sorted(found)]
