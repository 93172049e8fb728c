"""The `productAttributes` feed: one item a product attribute and store view."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.builder.values import StoreValues, StoreView

FEED: Final = "productAttributes"

_MULTIPLE: Final = frozenset({"multiline", "multiselect"})
_NUMERIC_INPUTS: Final = frozenset({"price", "weight", "text"})
_NUMERIC_TYPES: Final = frozenset({"decimal", "int"})
_NUMERIC_CLASSES: Final = frozenset({"validate-number", "validate-digits"})
# System attributes that are flags or numbers although neither their input nor their type says so.
_BOOLEAN_CODES: Final = frozenset(
    {
        "allow_message",
        "has_options",
        "is_redeemable",
        "use_config_allow_message",
        "use_config_email_template",
        "use_config_is_redeemable",
        "use_config_lifetime",
    }
)
_NUMERIC_CODES: Final = frozenset({"required_options"})


@dataclass(frozen=True, slots=True)
class AttributeRows:
    """A product attribute: its rows of eav_attribute and catalog_eav_attribute, and its labels by store."""

    attribute_id: int
    code: str
    backend_type: str
    frontend_input: str | None
    frontend_label: str | None
    frontend_class: str | None
    # Columns of the two tables that are 0 or another number, by name.
    flags: Mapping[str, int]
    search_weight: float | None
    labels: StoreValues = field(default_factory=dict)


# Columns read as flags. `is_visible_on_front` is the one that shows an attribute beside search results.
FLAGS: Final[Mapping[str, str]] = {
    "required": "is_required",
    "unique": "is_unique",
    "global": "is_global",
    "visible": "is_visible",
    "searchable": "is_searchable",
    "filterable": "is_filterable",
    "filterableInSearch": "is_filterable_in_search",
    "visibleInCompareList": "is_comparable",
    "visibleInListing": "used_in_product_listing",
    "visibleInSearch": "is_visible_on_front",
    "sortable": "used_for_sort_by",
    "usedForRules": "is_used_for_price_rules",
    # The exporter took the flag for its opposite, and targets know it that way.
    "systemAttribute": "is_user_defined",
}


def identity(attribute_code: str, store_view_code: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"attributeCode": attribute_code, "storeViewCode": store_view_code}


def build(rows: AttributeRows, views: Sequence[StoreView]) -> list[dict[str, Any]]:
    """All items of one attribute, ordered by store view code."""
    return [_item(rows, view) for view in sorted(views, key=lambda view: view.code)]


def _item(rows: AttributeRows, view: StoreView) -> dict[str, Any]:
    boolean = _is_boolean(rows)
    return {
        "id": str(rows.attribute_id),
        **identity(rows.code, view.code),
        "storeCode": view.group_code,
        "websiteCode": view.website_code,
        "attributeType": "catalog_product",
        "label": _label(rows, view),
        "dataType": rows.backend_type,
        "frontendInput": rows.frontend_input,
        "multi": rows.frontend_input in _MULTIPLE,
        "boolean": boolean,
        "numeric": not boolean and _is_numeric(rows),
        "searchWeight": rows.search_weight,
        **{member: bool(rows.flags.get(column)) for member, column in FLAGS.items()},
    }


def _label(rows: AttributeRows, view: StoreView) -> str | None:
    """The store view's own label, else the one the attribute was made with."""
    own = rows.labels.get(view.store_id)
    return rows.frontend_label if own is None else own


def _is_boolean(rows: AttributeRows) -> bool:
    return (rows.frontend_input == "boolean" and rows.backend_type == "int") or rows.code in _BOOLEAN_CODES


def _is_numeric(rows: AttributeRows) -> bool:
    return (
        (rows.frontend_input in _NUMERIC_INPUTS and rows.backend_type in _NUMERIC_TYPES)
        or rows.frontend_class in _NUMERIC_CLASSES
        or rows.code in _NUMERIC_CODES
    )
