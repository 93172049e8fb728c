"""Bundle options and their selections."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from consumers.builder.rules.option_shape import option, option_value, own_or_default, uid
from consumers.builder.rules.relatives import Relatives, name_of
from consumers.builder.values import StoreValues, StoreView

KIND: Final = "bundle"


@dataclass(frozen=True, slots=True)
class SelectionRow:
    """A row of catalog_product_bundle_selection. `website_prices`: (kind, amount) by website."""

    selection_id: int
    product_id: int
    position: int
    is_default: bool
    price_type: int
    price: Decimal
    qty: Decimal | None
    can_change_qty: bool
    website_prices: Mapping[int, tuple[int, Decimal]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BundleOptionRow:
    """A row of catalog_product_bundle_option with its titles by store and its selections."""

    option_id: int
    required: bool
    position: int
    type: str | None
    titles: StoreValues = field(default_factory=dict)
    selections: tuple[SelectionRow, ...] = ()


def options(rows: Iterable[BundleOptionRow], relatives: Relatives, view: StoreView) -> list[dict[str, Any]]:
    """Options ordered by position and id, their selections likewise.

    The selected product's website, status and stock do not matter.
    """
    return [
        option(
            KIND,
            str(row.option_id),
            [_value(row, selection, relatives, view) for selection in _ordered(row, relatives)],
            label=own_or_default(row.titles, view.store_id),
            sortOrder=row.position,
            required=row.required,
            renderType=row.type,
        )
        for row in sorted(rows, key=lambda row: (row.position, row.option_id))
    ]


def _ordered(row: BundleOptionRow, relatives: Relatives) -> list[SelectionRow]:
    known = [selection for selection in row.selections if selection.product_id in relatives]
    return sorted(known, key=lambda selection: (selection.position, selection.selection_id))


def _value(
    row: BundleOptionRow, selection: SelectionRow, relatives: Relatives, view: StoreView
) -> dict[str, Any]:
    child = relatives[selection.product_id]
    kind, price = selection.website_prices.get(view.website_id, (selection.price_type, selection.price))
    return option_value(
        uid("bundle", row.option_id, selection.selection_id, int(selection.qty or 0)),
        sku=child.sku,
        label=name_of(child, view.store_id),
        qty=None if selection.qty is None else float(selection.qty),
        qtyMutability=selection.can_change_qty,
        priceType="percent" if kind else "fixed",
        price=float(price),
        isDefault=selection.is_default,
        sortOrder=selection.position,
    )
