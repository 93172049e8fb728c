"""The `productOverrides` feed (paid edition): what each customer group may do with a product of a website."""

from typing import Any, Final

from consumers.builder.feeds.prices import group_code
from consumers.builder.rows import Catalog, ProductRows, Website
from consumers.builder.rules.permissions import are_enabled, granted

FEED: Final = "productOverrides"


def identity(sku: str, website_code: str, customer_group_code: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"sku": sku, "websiteCode": website_code, "customerGroupCode": customer_group_code}


def build(rows: ProductRows, catalog: Catalog) -> list[dict[str, Any]]:
    """All items of one product: by website code, then by group id; none where permissions are off."""
    assigned = [w for w in catalog.websites if w.website_id in rows.website_ids and are_enabled(w)]
    return [
        {
            **identity(rows.product.sku, website.code, group_code(group_id)),
            "productId": str(rows.product.entity_id),
            **granted(paths, website, group_id, catalog.permissions),
        }
        for website in sorted(assigned, key=lambda website: website.code)
        if (paths := _paths(rows, catalog, website))
        for group_id in catalog.permissions.group_ids
    ]


def refs(rows: ProductRows, catalog: Catalog) -> tuple[str, ...]:
    """Names of the rows that can change these items without naming the product."""
    names = {f"product:{rows.product.entity_id}", "group:*"}
    for category_id in rows.memberships:
        category = catalog.categories.get(category_id)
        names.update(f"category:{ancestor}" for ancestor in (category.path if category else ()))
    return tuple(sorted(names))


def _paths(rows: ProductRows, catalog: Catalog, website: Website) -> list[tuple[int, ...]]:
    """Of the product's categories in the website's trees; outside of categories nothing is restricted."""
    views = [view for view in catalog.store_views if view.website_id == website.website_id]
    roots = {view.root_category_id for view in views}
    found = (catalog.categories.get(category_id) for category_id in sorted(rows.memberships))
    return [category.path for category in found if category is not None and roots & set(category.path)]
