"""Configurable products: what there is to choose, and which choice a variant is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.builder.rules.option_shape import option, option_value, own_or_default, uid
from consumers.builder.rules.relatives import Relatives
from consumers.builder.values import DEFAULT_STORE, StoreValues, StoreView, store_value

KIND: Final = "configurable"
_DISABLED: Final = "2"
_SWATCH_TEXT, _SWATCH_COLOR, _SWATCH_IMAGE = 0, 1, 2
_NO_SWATCH: Final[tuple[int, str | None]] = (_SWATCH_TEXT, None)


@dataclass(frozen=True, slots=True)
class SuperAttributeRow:
    """A row of catalog_product_super_attribute with what its attribute says of itself."""

    attribute_id: int
    code: str
    position: int
    frontend_label: str | None = None
    additional_data: str | None = None
    # The attribute's labels by store; never store 0.
    labels: StoreValues = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """A row of eav_attribute_option with its labels and swatches (type, value) by store."""

    option_id: int
    sort_order: int
    labels: StoreValues = field(default_factory=dict)
    swatches: Mapping[int, tuple[int, str | None]] = field(default_factory=dict)


# option id -> what it says of itself
Choices = Mapping[int, ChoiceRow]
# product id -> attribute id -> option id, as set for all stores
ChosenOptions = Mapping[int, Mapping[int, int]]


def options(
    rows: Collection[SuperAttributeRow],
    child_ids: Iterable[int],
    chosen: ChosenOptions,
    choices: Choices,
    relatives: Relatives,
    view: StoreView,
) -> list[dict[str, Any]]:
    """Options ordered by position and code; their values by the attribute option's sort order and id.

    A value is there when some linked child that is not disabled in the store view has it.
    """
    if not rows:
        return []
    children = [
        child_id
        for child_id in child_ids
        if (child := relatives.get(child_id)) is not None
        and store_value(child.values.get("status"), view.store_id) != _DISABLED
    ]
    return [
        option(
            KIND,
            row.code,
            _values(row, {chosen.get(child, {}).get(row.attribute_id) for child in children}, choices, view),
            label=row.labels.get(view.store_id) or row.frontend_label,
            sortOrder=row.position,
            swatchType=row.additional_data,
        )
        for row in sorted(rows, key=lambda row: (row.position, row.code))
    ]


def variant_references(
    parents: Iterable[tuple[int, Iterable[SuperAttributeRow]]],
    product_id: int,
    chosen: ChosenOptions,
    relatives: Relatives,
    view: StoreView,
) -> dict[str, str]:
    """For a variant: attribute code -> id of the parent's option value that this product is.

    Args:
        parents: (parent id, its super attributes); only parents on the view's website count.
    """
    own = chosen.get(product_id)
    if not own:
        return {}
    return {
        row.code: value_id(row.attribute_id, own[row.attribute_id])
        for parent_id, rows in parents
        if (parent := relatives.get(parent_id)) is not None and view.website_id in parent.website_ids
        for row in rows
        if row.attribute_id in own
    }


def value_id(attribute_id: int, option_id: int) -> str:
    """What names a choice, in the parent's options and at the variant."""
    return uid("configurable", attribute_id, option_id)


def _values(
    row: SuperAttributeRow, option_ids: set[int | None], choices: Choices, view: StoreView
) -> list[dict[str, Any]]:
    found = [choices[n] for n in option_ids if n is not None and n in choices]
    return [
        option_value(
            value_id(row.attribute_id, choice.option_id),
            label=own_or_default(choice.labels, view.store_id),
            sortOrder=choice.sort_order,
            **_swatch(choice, view),
        )
        for choice in sorted(found, key=lambda choice: (choice.sort_order, choice.option_id))
    ]


def _swatch(choice: ChoiceRow, view: StoreView) -> dict[str, str | None]:
    """The store view's, the default's where the store view's has no value."""
    swatches = (choice.swatches.get(store_id, _NO_SWATCH) for store_id in (view.store_id, DEFAULT_STORE))
    kind, text = next((swatch for swatch in swatches if swatch[1] is not None), _NO_SWATCH)
    if kind == _SWATCH_TEXT or text is None:
        return {}
    if kind == _SWATCH_COLOR:
        return {"colorHex": text}
    if kind == _SWATCH_IMAGE:
        return {"imageUrl": f"{view.media_base_url}attribute/swatch{text}"}
    return {"customSwatchValue": text}
