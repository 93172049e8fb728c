"""What rows are written in: scopes, values by store, attributes, pictures, prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Final

from schemas import shop_config

DEFAULT_STORE: Final = 0
_NOT_A_NUMBER: Final = Decimal("nan")
_TEXT_SHOWN_MAX: Final = 100

# store id -> the value's text; a key with None is a row that holds NULL.
StoreValues = Mapping[int, str | None]


@dataclass(frozen=True)
class StoreView:
    """A store view and where it stands. The admin store (id 0) never is one.

    What follows from its settings is worked out once, not for every item.
    """

    store_id: int
    code: str
    group_code: str
    website_id: int
    website_code: str
    root_category_id: int
    media_base_url: str
    # Configuration values by path, as they count in this store view.
    config: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def base_url(self) -> str:
        return shop_config.base_url(self.config)

    @cached_property
    def link_url(self) -> str:
        return shop_config.link_url(self.config, self.code)

    @cached_property
    def low_stock_below(self) -> Decimal:
        return shop_config.leading_number(shop_config.value(self.config, shop_config.LOW_STOCK_BELOW))


@dataclass(frozen=True, slots=True)
class Website:
    """A website with its store views, by ascending id. The admin website (id 0) never is one."""

    website_id: int
    code: str
    store_ids: tuple[int, ...] = ()
    # Configuration values by path, as they count in its default store view.
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One product attribute as far as values need it."""

    attribute_id: int
    code: str
    backend_type: str
    user_defined: bool
    boolean: bool
    has_options: bool


@dataclass(frozen=True, slots=True)
class GalleryValue:
    """What one store says of a picture; each member may be absent."""

    label: str | None
    position: int | None
    disabled: int | None


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """A file of a product's gallery with its per-store values."""

    value_id: int
    file: str
    media_type: str
    stores: Mapping[int, GalleryValue]


@dataclass(frozen=True, slots=True)
class TierRow:
    """A row of catalog_product_entity_tier_price. `group_id` None: all groups; website 0: all websites."""

    value_id: int
    website_id: int
    group_id: int | None
    qty: Decimal
    value: Decimal
    percentage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class RulePriceRow:
    """A row of catalogrule_product_price; `date` is `YYYY-MM-DD` in the website's time zone."""

    website_id: int
    group_id: int
    date: str
    price: Decimal


class NoNumber(ValueError):
    """A value that is to be a number is none: its attribute was given another type."""


def number(text: str, code: str, owner: str) -> Decimal:
    """Read an attribute's value.

    Args:
        code: the attribute's.
        owner: whose value it is, for the reason.

    Raises:
        NoNumber: the text is no number.
    """
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = _NOT_A_NUMBER
    if not found.is_finite():
        message = f"{code} '{text[:_TEXT_SHOWN_MAX]}' of {owner} is no number"
        raise NoNumber(message)
    return found


def store_value(values: StoreValues | None, store_id: int) -> str | None:
    """The store's row wins even when it holds NULL: a row without value says "none here"."""
    if not values:
        return None
    return values[store_id] if store_id in values else values.get(DEFAULT_STORE)
