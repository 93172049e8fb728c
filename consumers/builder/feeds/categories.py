"""The `categories` feed: one item a category and store view whose store's root is above it or is itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from posixpath import basename
from typing import Any, Final

from consumers.builder.rows import CategoryRow
from consumers.builder.rules.category_path import ROOTS, category_path
from consumers.builder.values import DEFAULT_STORE, StoreValues, StoreView, number, store_value
from schemas import shop_config

FEED: Final = "categories"

# What items below a category are made of.
ANCESTOR_ATTRIBUTES: Final = frozenset({"include_in_menu", "is_active", "url_key"})

# Where Commerce keeps pictures, below the installation or below what its web server shows of it.
_MEDIA_DIRECTORIES: Final = ("pub/media/", "media/")
_CATEGORY_IMAGES: Final = "catalog/category/"
_ON: Final = "1"


@dataclass(frozen=True, slots=True)
class CategoryRows:
    """Everything one category's items are built from, beside the categories above it.

    `path` is the column as it is; times are `YYYY-MM-DD HH:MM:SS` in UTC.
    """

    category: CategoryRow
    path: str
    parent_id: int
    position: int
    created_at: str | None
    updated_at: str | None
    # Direct children by id, with their values of is_active.
    children: Mapping[int, StoreValues] = field(default_factory=dict)


def identity(url_path: str, store_view_code: str) -> dict[str, str]:
    """What the feed record's key is made of. A store's root has the empty path."""
    return {"urlPath": url_path, "storeViewCode": store_view_code}


def build(
    rows: CategoryRows, categories: Mapping[int, CategoryRow], views: Sequence[StoreView]
) -> list[dict[str, Any]]:
    """All items of one category, ordered by store view code.

    Args:
        categories: those above it and itself, as far as there are rows of them.

    Raises:
        NoNumber: what should be a flag is none.
    """
    placed = ((view, category_path(rows.category, categories, view)) for view in _views(rows, views))
    return [_item(rows, categories, view, path) for view, path in placed if path or _is_root(rows, view)]


def unplaced(
    rows: CategoryRows, categories: Mapping[int, CategoryRow], views: Sequence[StoreView]
) -> dict[str, str]:
    """Store views where the category has no item although it belongs there, with the reason.

    Without any url key on its way it would take the place of the store's root.
    """
    reason = (
        f"category {rows.category.category_id}: neither it nor any category above it has a url key in store "
        "view '{}': give it one"
    )
    return {
        view.code: reason.format(view.code)
        for view in _views(rows, views)
        if not _is_root(rows, view) and not category_path(rows.category, categories, view)
    }


def refs(rows: CategoryRows) -> tuple[str, ...]:
    """Names of the rows whose change can alter the items without naming this category.

    Those above it give the path, those below are listed; each may be there later than this one.
    """
    ids = {rows.category.category_id, *rows.category.path, *rows.children}
    return tuple(sorted(f"category:{category_id}" for category_id in ids))


def _views(rows: CategoryRows, views: Sequence[StoreView]) -> list[StoreView]:
    """Store views that show the category; the absolute root, first in every path, is nobody's."""
    below = rows.category.path[1:]
    return sorted((view for view in views if view.root_category_id in below), key=lambda view: view.code)


def _is_root(rows: CategoryRows, view: StoreView) -> bool:
    return rows.category.category_id == view.root_category_id


def _item(
    rows: CategoryRows, categories: Mapping[int, CategoryRow], view: StoreView, url_path: str
) -> dict[str, Any]:
    def value(code: str) -> str | None:
        return store_value(rows.category.values.get(code), view.store_id)

    sort_keys = [key for key in (value("available_sort_by") or "").split(",") if key]
    return {
        "categoryId": str(rows.category.category_id),
        **identity(url_path, view.code),
        "storeCode": view.group_code,
        "websiteCode": view.website_code,
        "name": value("name"),
        "urlKey": value("url_key"),
        "path": rows.path,
        "parentId": str(rows.parent_id),
        "level": rows.category.level,
        "position": rows.position,
        "isActive": _flag(rows, "is_active", view, _is_on("is_active", rows, categories, view)),
        "includeInMenu": _flag(
            rows, "include_in_menu", view, _is_on("include_in_menu", rows, categories, view)
        ),
        "isAnchor": _flag(rows, "is_anchor", view, is_on_above=True),
        "displayMode": value("display_mode"),
        "description": value("description"),
        "metaTitle": value("meta_title"),
        "metaKeywords": value("meta_keywords"),
        "metaDescription": value("meta_description"),
        "image": _image(value("image"), view),
        "children": [
            str(child)
            for child, active in sorted(rows.children.items())
            if store_value(active, view.store_id) == _ON
        ],
        "availableSortBy": sort_keys,
        "defaultSortBy": _default_sort_key(value("default_sort_by"), sort_keys, view),
        "createdAt": rows.created_at,
        "updatedAt": rows.updated_at,
    }


def _flag(rows: CategoryRows, code: str, view: StoreView, is_on_above: bool) -> int | None:
    if not is_on_above:
        return 0
    value = store_value(rows.category.values.get(code), view.store_id)
    return None if value is None else int(number(value, code, f"category {rows.category.category_id}"))


def _is_on(code: str, rows: CategoryRows, categories: Mapping[int, CategoryRow], view: StoreView) -> bool:
    """Does the top of the menu let the category through? Commerce looks no deeper than there."""
    if len(rows.category.path) <= ROOTS + 1:
        return True
    top = categories.get(rows.category.path[ROOTS])
    # A top without either value says nothing; with one of them, the other's absence says no.
    if top is None or not any(
        _has_row(top.values.get(flag), view) for flag in ("is_active", "include_in_menu")
    ):
        return True
    return (store_value(top.values.get(code), view.store_id) or "0") != "0"


def _has_row(values: StoreValues | None, view: StoreView) -> bool:
    return bool(values and values.keys() & {DEFAULT_STORE, view.store_id})


def _image(value: str | None, view: StoreView) -> str | None:
    """A path in the media directory, any other absolute path as it is, else a file of the categories' own."""
    if not value:
        return None
    path = value.lstrip("/")
    for directory in _MEDIA_DIRECTORIES:
        if path.startswith(directory):
            return view.media_base_url + path.removeprefix(directory)
    return value if value.startswith("/") else view.media_base_url + _CATEGORY_IMAGES + basename(value)


def _default_sort_key(value: str | None, allowed: Sequence[str], view: StoreView) -> str:
    key = value or shop_config.value(view.config, shop_config.DEFAULT_SORT_BY)
    return allowed[0] if allowed and key not in allowed else key
