"""Rows of one batch, grouped for the feeds: plain data between the queries and the rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from consumers.builder.rules.parts import ProductParts, SharedParts
from consumers.builder.rules.permissions import Permissions
from consumers.builder.values import (
    DEFAULT_STORE,
    Attribute,
    GalleryRow,
    GalleryValue,
    RulePriceRow,
    StoreValues,
    StoreView,
    TierRow,
    Website,
    store_value,
)

__all__ = [
    "DEFAULT_STORE",
    "Attribute",
    "Catalog",
    "CategoryRow",
    "GalleryRow",
    "GalleryValue",
    "ProductRow",
    "ProductRows",
    "RulePriceRow",
    "StoreValues",
    "StoreView",
    "TierRow",
    "Website",
    "store_value",
]


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A row of catalog_product_entity; times are `YYYY-MM-DD HH:MM:SS` in UTC."""

    entity_id: int
    sku: str
    type_id: str
    created_at: str | None
    updated_at: str | None


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A category: ids along its path (the absolute root first, itself last) and its values by code."""

    category_id: int
    path: tuple[int, ...]
    level: int
    values: Mapping[str, StoreValues]


@dataclass(frozen=True)
class Catalog:
    """What all products of a batch share. What follows from it alone is worked out once."""

    store_views: tuple[StoreView, ...]
    attributes: Mapping[int, Attribute]
    categories: Mapping[int, CategoryRow] = field(default_factory=dict)
    option_labels: Mapping[int, StoreValues] = field(default_factory=dict)
    parts: SharedParts = field(default_factory=SharedParts)
    websites: tuple[Website, ...] = ()
    permissions: Permissions = field(default_factory=Permissions)
    # What a feed worked out about a category in a store view, by category and store id.
    places: dict[tuple[int, int], Any] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def attribute_of(self) -> Mapping[str, Attribute]:
        """Attributes by code."""
        return {attribute.code: attribute for attribute in self.attributes.values()}


@dataclass(frozen=True, slots=True)
class ProductRows:
    """Everything one product's items are built from, besides the catalog."""

    product: ProductRow
    values: Mapping[str, StoreValues] = field(default_factory=dict)
    website_ids: frozenset[int] = frozenset()
    # category id -> position
    memberships: Mapping[int, int] = field(default_factory=dict)
    gallery: tuple[GalleryRow, ...] = ()
    # child id -> its status values
    children: Mapping[int, StoreValues] = field(default_factory=dict)
    parts: ProductParts = field(default_factory=ProductParts)
    tiers: tuple[TierRow, ...] = ()
    rule_prices: tuple[RulePriceRow, ...] = ()
