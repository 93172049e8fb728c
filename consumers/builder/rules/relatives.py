"""Other products that a product's item speaks of: parents, children, link targets."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.builder.values import DEFAULT_STORE, StoreValues, StoreView, store_value

COMPOSITE_TYPES: Final = frozenset({"configurable", "bundle", "grouped"})
_ENABLED: Final = "1"


@dataclass(frozen=True, slots=True)
class Relative:
    """What is known of another product. `values` holds name, status and price_type only."""

    entity_id: int
    sku: str
    type_id: str
    required_options: bool = False
    website_ids: frozenset[int] = frozenset()
    values: Mapping[str, StoreValues] = field(default_factory=dict)


Relatives = Mapping[int, Relative]


def product_type(relative: Relative) -> str:
    """`bundle_fixed` for a bundle whose default price type is 1, else its type_id."""
    fixed = relative.values.get("price_type", {}).get(DEFAULT_STORE) == "1"
    return "bundle_fixed" if relative.type_id == "bundle" and fixed else relative.type_id


def is_enabled(relative: Relative, store_id: int) -> bool:
    return store_value(relative.values.get("status"), store_id) == _ENABLED


def name_of(relative: Relative, store_id: int) -> str | None:
    """The store's name, the default's where the store has none."""
    names = relative.values.get("name", {})
    return names.get(store_id) or names.get(DEFAULT_STORE)


def parents(parent_ids: Collection[int], relatives: Relatives, view: StoreView) -> list[dict[str, Any]]:
    """`{sku, productType}` of each parent on the view's website, ordered by type and SKU.

    Whether the parent is enabled does not matter.
    """
    if not parent_ids:
        return []
    found = {
        (product_type(parent), parent.sku)
        for parent_id in parent_ids
        if (parent := relatives.get(parent_id)) is not None and view.website_id in parent.website_ids
    }
    return [{"sku": sku, "productType": kind} for kind, sku in sorted(found)]


def has_enabled_children(child_ids: Iterable[int], relatives: Relatives, view: StoreView) -> bool:
    """True when a target can show at least one child: it is on the view's website, and enabled there."""
    return any(
        view.website_id in child.website_ids and is_enabled(child, view.store_id)
        for child_id in child_ids
        if (child := relatives.get(child_id)) is not None
    )
