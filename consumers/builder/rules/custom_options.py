"""Custom options: those to choose from (`optionsV2[]`) and those to fill in (`shopperInputOptions[]`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from consumers.builder.rules.option_shape import option, option_value, own_or_default, uid
from consumers.builder.values import DEFAULT_STORE, StoreValues, StoreView

KIND: Final = "custom_option"
_SELECTABLE: Final = frozenset({"drop_down", "radio", "checkbox", "multiple"})
_ENTERED: Final = frozenset({"field", "area", "file", "date", "time", "date_time"})

Price = tuple[Decimal | None, str | None]


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """A row of catalog_product_option_type_value with its titles and prices by store."""

    option_type_id: int
    sku: str | None
    sort_order: int
    titles: StoreValues = field(default_factory=dict)
    prices: Mapping[int, Price] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CustomOptionRow:
    """A row of catalog_product_option with its titles, prices (by store) and choices."""

    option_id: int
    type: str
    required: bool
    sku: str | None
    max_characters: int | None
    file_extension: str | None
    image_size_x: int | None
    image_size_y: int | None
    sort_order: int
    titles: StoreValues = field(default_factory=dict)
    prices: Mapping[int, Price] = field(default_factory=dict)
    choices: tuple[ChoiceRow, ...] = ()


def selectable(rows: Iterable[CustomOptionRow], view: StoreView) -> list[dict[str, Any]]:
    """Options to choose from, ordered by sort order and id; their values likewise."""
    return [
        option(
            KIND,
            str(row.option_id),
            [_choice(row, choice, view) for choice in _sorted_choices(row)],
            label=own_or_default(row.titles, view.store_id),
            sortOrder=row.sort_order,
            required=row.required,
            renderType=row.type,
        )
        for row in _shown(rows, _SELECTABLE)
    ]


def entered(rows: Iterable[CustomOptionRow], view: StoreView) -> list[dict[str, Any]]:
    """Options to fill in, ordered by sort order and id."""
    return [
        {
            "id": uid("custom-option", row.option_id),
            "label": own_or_default(row.titles, view.store_id),
            "sortOrder": row.sort_order,
            "required": row.required,
            "renderType": row.type,
            "price": _price(row.prices, view)[0],
            "fileExtension": row.file_extension,
            "sku": row.sku,
            "range": None if row.max_characters is None else {"from": None, "to": float(row.max_characters)},
            "imageSizeX": row.image_size_x,
            "imageSizeY": row.image_size_y,
        }
        for row in _shown(rows, _ENTERED)
    ]


def _shown(rows: Iterable[CustomOptionRow], types: frozenset[str]) -> list[CustomOptionRow]:
    """An option without a default title is not shown anywhere."""
    shown = [row for row in rows if row.type in types and row.titles.get(DEFAULT_STORE) is not None]
    return sorted(shown, key=lambda row: (row.sort_order, row.option_id))


def _sorted_choices(row: CustomOptionRow) -> list[ChoiceRow]:
    return sorted(row.choices, key=lambda choice: (choice.sort_order, choice.option_type_id))


def _choice(row: CustomOptionRow, choice: ChoiceRow, view: StoreView) -> dict[str, Any]:
    price, price_type = _price(choice.prices, view)
    return option_value(
        uid("custom-option", row.option_id, choice.option_type_id),
        label=own_or_default(choice.titles, view.store_id),
        sortOrder=choice.sort_order,
        sku=choice.sku,
        price=price,
        priceType=price_type,
        isDefault=False,
    )


def _price(prices: Mapping[int, Price], view: StoreView) -> tuple[float | None, str | None]:
    """Amount and kind, each of the store view where it has one, else the default's."""
    own, default = prices.get(view.store_id, (None, None)), prices.get(DEFAULT_STORE, (None, None))
    amount = own[0] if own[0] is not None else default[0]
    return None if amount is None else float(amount), own[1] if own[1] is not None else default[1]
