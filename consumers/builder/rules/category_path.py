"""Where a category stands in a store view: url keys from below the store's root down to it."""

from collections.abc import Mapping
from typing import Final

from consumers.builder.rows import CategoryRow
from consumers.builder.values import DEFAULT_STORE, StoreValues, StoreView

# Ids of the absolute root and of a store's root stand first in every path.
ROOTS: Final = 2


def category_path(category: CategoryRow, categories: Mapping[int, CategoryRow], view: StoreView) -> str:
    """Url keys joined with a slash; ids without one are left out."""
    keys = (_url_key(categories.get(category_id), view) for category_id in category.path[ROOTS:])
    return "/".join(key for key in keys if key)


def index_value(values: StoreValues, view: StoreView) -> str | None:
    """Commerce's index looks at values, not at rows: a NULL of the store view means the default's value."""
    own = values.get(view.store_id)
    return own if own is not None else values.get(DEFAULT_STORE)


def _url_key(category: CategoryRow | None, view: StoreView) -> str | None:
    return None if category is None else index_value(category.values.get("url_key", {}), view)
