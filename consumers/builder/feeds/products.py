"""The `products` feed: one item a product and store view of the websites it is assigned to."""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, Final, NamedTuple

from consumers.builder.rows import (
    DEFAULT_STORE,
    Attribute,
    Catalog,
    CategoryRow,
    ProductRows,
    StoreView,
)
from consumers.builder.rules import media, parts
from consumers.builder.rules.category_path import ROOTS, category_path, index_value
from consumers.builder.values import NoNumber

FEED: Final = "products"

# Attributes the fixed members are made of; values of all user-defined ones are read besides.
FIXED_ATTRIBUTES: Final = frozenset(
    {
        "name",
        "url_key",
        "status",
        "visibility",
        "description",
        "short_description",
        "meta_title",
        "meta_keyword",
        "meta_description",
        "image",
        "small_image",
        "thumbnail",
        "swatch_image",
        "price_type",
        "news_from_date",
        "news_to_date",
        "links_purchased_separately",
        "links_title",
        "price_view",
        "tax_class_id",
        "weight",
        "weight_type",
    }
)
CATEGORY_ATTRIBUTES: Final = frozenset({"url_key", "is_active", "is_anchor"})

_ENABLED: Final = "1"
_VISIBILITY: Final = {"1": "Not Visible Individually", "2": "Catalog", "3": "Search", "4": "Catalog, Search"}
_LISTED_SYSTEM_ATTRIBUTES: Final = frozenset({"news_from_date", "news_to_date"})
_ANCHOR_POSITION: Final = 10_000
_ATTRIBUTE_CODE: Final = itemgetter("attributeCode")
# The column is a 32-bit number; a longer text is none, and could be too long to be read as a number.
_OPTION_ID_DIGITS_MAX: Final = 10


class Unbuildable(ValueError):
    """The rows break a rule of the feed; the product is parked, its neighbours go on."""


def identity(sku: str, store_view_code: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"sku": sku, "storeViewCode": store_view_code}


def build(rows: ProductRows, catalog: Catalog) -> list[dict[str, Any]]:
    """All items of one product, ordered by store view code.

    Raises:
        Unbuildable: the product has no value of any attribute, so its status is unknown, or its weight is
            no number.
    """
    views = [view for view in catalog.store_views if view.website_id in rows.website_ids]
    if views and not rows.values:
        message = (
            f"one or more required EAV attributes (status) are not set for product: {rows.product.entity_id}"
        )
        raise Unbuildable(message)
    try:
        return [_item(rows, catalog, view) for view in sorted(views, key=lambda view: view.code)]
    except NoNumber as error:
        raise Unbuildable(str(error)) from error


def refs(rows: ProductRows, catalog: Catalog) -> tuple[str, ...]:
    """Names of the rows whose change can alter this product's items without naming it.

    Every category on the path of an assignment counts, whatever it shows today: it may show the product
    once it is activated, moved or made an anchor.
    """
    names = {f"product:{rows.product.entity_id}"}
    names.update(f"product:{child}" for child in rows.children)
    names.update(f"category:{category}" for category in rows.memberships)
    for category_id in rows.memberships:
        category = catalog.categories.get(category_id)
        names.update(f"category:{ancestor}" for ancestor in (category.path if category else ()))
    names.update(f"option:{option}" for option in used_options(rows.values, catalog.attribute_of))
    tax_classes = {value for value in rows.values.get("tax_class_id", {}).values() if value}
    names.update(parts.refs(rows.parts, catalog.parts, rows.gallery, tax_classes))
    return tuple(sorted(names))


def used_options(
    values: Mapping[str, Mapping[int, str | None]], attributes: Mapping[str, Attribute]
) -> set[int]:
    """Ids of the options that a product's values name, in any store; attributes are by code."""
    return {
        option
        for code, of_stores in values.items()
        if (attribute := attributes.get(code)) is not None
        and attribute.has_options
        and attribute.user_defined
        for value in of_stores.values()
        for text in (value or "").split(",")
        if (option := _option_id(text)) is not None
    }


def _option_id(text: str) -> int | None:
    """Read an option id; other texts are not one, also those that only Unicode calls digits."""
    is_id = text.isascii() and text.isdigit() and len(text) <= _OPTION_ID_DIGITS_MAX
    return int(text) if is_id else None


def _item(rows: ProductRows, catalog: Catalog, view: StoreView) -> dict[str, Any]:
    store_id = view.store_id
    # As `store_value`, once for all attributes of an item.
    value = {
        code: of_stores[store_id] if store_id in of_stores else of_stores.get(DEFAULT_STORE)
        for code, of_stores in rows.values.items()
    }.get
    status = "Enabled" if value("status") == _ENABLED else "Disabled"
    visibility = _VISIBILITY.get(value("visibility") or "1", _VISIBILITY["1"])
    core = parts.Core(
        rows.product.entity_id,
        rows.product.type_id,
        status == "Enabled",
        rows.values.get("status", {}),
        rows.gallery,
        value,
    )
    return {
        **identity(rows.product.sku, view.code),
        "storeCode": view.group_code,
        "websiteCode": view.website_code,
        "productId": rows.product.entity_id,
        "type": _type(rows),
        "name": value("name"),
        "urlKey": value("url_key"),
        "status": status,
        "visibility": visibility,
        "description": value("description"),
        "shortDescription": value("short_description"),
        "metaTitle": value("meta_title"),
        "metaKeyword": value("meta_keyword"),
        "metaDescription": value("meta_description"),
        "displayable": status == "Enabled" and visibility != _VISIBILITY["1"],
        "createdAt": rows.product.created_at,
        "updatedAt": rows.product.updated_at,
        "attributes": _attributes(rows, catalog, view, core),
        "categoryData": _categories(rows, catalog, view),
        "images": media.images(rows.gallery, {role: value(role) for role in media.ROLES}, view),
        **parts.members(core, rows.parts, catalog.parts, view),
    }


def _type(rows: ProductRows) -> str:
    fixed_price = "1" in rows.values.get("price_type", {}).values()
    return "bundle_fixed" if rows.product.type_id == "bundle" and fixed_price else rows.product.type_id


def _attributes(
    rows: ProductRows, catalog: Catalog, view: StoreView, core: parts.Core
) -> list[dict[str, Any]]:
    references = parts.variant_references(core, rows.parts, catalog.parts, view)
    listed = parts.appended_attributes(core, rows.parts, catalog.parts, view)
    for code, values in rows.values.items():
        attribute = catalog.attribute_of.get(code)
        if attribute is None or not (attribute.user_defined or code in _LISTED_SYSTEM_ATTRIBUTES):
            continue
        if DEFAULT_STORE not in values and view.store_id not in values:
            continue
        raw = core.value(code)
        if raw is None:
            texts = None
        elif attribute.boolean:
            texts = ["yes" if raw == "1" else "no"]
        elif attribute.has_options:
            texts = [_label(option, catalog, view) for option in raw.split(",") if option]
        else:
            texts = [raw]
        entry: dict[str, Any] = {"attributeCode": code, "value": texts}
        if code in references:
            entry["variantReferenceId"] = references[code]
        listed.append(entry)
    return sorted(listed, key=_ATTRIBUTE_CODE)


def _label(text: str, catalog: Catalog, view: StoreView) -> str:
    option = _option_id(text)
    labels = {} if option is None else catalog.option_labels.get(option, {})
    return labels.get(view.store_id) or labels.get(DEFAULT_STORE) or text


def _categories(rows: ProductRows, catalog: Catalog, view: StoreView) -> list[dict[str, Any]]:
    """Categories that show the product: its own, and the anchors above its active ones.

    Commerce keeps this in an index table that lags and is swapped; the rules are those it is filled by.
    """
    if not _is_shown(rows, view):
        return []
    own: dict[int, int] = {}
    positions: dict[int, int] = {}
    for category_id, position in rows.memberships.items():
        place = _place(category_id, catalog, view)
        if place.in_tree:
            own[category_id] = position
            for anchor in place.anchors:
                below = position + _ANCHOR_POSITION
                positions[anchor] = min(positions.get(anchor, below), below)
    positions |= own
    return [
        {"categoryId": str(category_id), "categoryPath": path, "productPosition": positions[category_id]}
        for category_id in sorted(positions)
        if (path := _place(category_id, catalog, view).path)
    ]


class _Place(NamedTuple):
    """A category in a store view. `path` is empty for what is never listed.

    `anchors` are the categories above that show its products too: none above one that is not active.
    """

    in_tree: bool
    anchors: tuple[int, ...]
    path: str


def _place(category_id: int, catalog: Catalog, view: StoreView) -> _Place:
    key = (category_id, view.store_id)
    place: _Place | None = catalog.places.get(key)
    if place is None:
        place = catalog.places[key] = _find_place(catalog.categories.get(category_id), catalog, view)
    return place


def _find_place(category: CategoryRow | None, catalog: Catalog, view: StoreView) -> _Place:
    if category is None:
        return _Place(False, (), "")
    above = category.path[ROOTS:-1] if _flag(category, "is_active", view) else ()
    anchors = tuple(
        ancestor
        for ancestor in above
        if (row := catalog.categories.get(ancestor)) is not None and _flag(row, "is_anchor", view)
    )
    path = category_path(category, catalog.categories, view) if category.level > 1 else ""
    return _Place(view.root_category_id in category.path[:-1], anchors, path)


def _is_shown(rows: ProductRows, view: StoreView) -> bool:
    status, visibility = rows.values.get("status", {}), rows.values.get("visibility", {})
    if DEFAULT_STORE not in status or DEFAULT_STORE not in visibility:
        return False
    if index_value(status, view) != _ENABLED or index_value(visibility, view) not in {"2", "3", "4"}:
        return False
    children = rows.children.values()
    return not children or any(index_value(child, view) == _ENABLED for child in children)


def _flag(category: CategoryRow, code: str, view: StoreView) -> bool:
    return index_value(category.values.get(code, {}), view) == _ENABLED
