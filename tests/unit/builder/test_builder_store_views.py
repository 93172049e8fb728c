"""Store views as rows of the three tables that name them."""

from consumers.builder.feeds import products
from consumers.builder.read.store_views import store_views
from consumers.builder.rows import Catalog, ProductRow, ProductRows
from schemas.codec import encode

# Website, its code, its default store view; store view, its code; group, its code, its root category.
WHOLE = (1, "base", 1, 1, "default", 1, "main", 2)
NAMELESS_GROUP = (1, "base", 1, 2, "german", 2, None, 2)
NAMELESS_WEBSITE = (5, None, 0, 3, "french", 3, "third", 2)
NAMELESS_VIEW = (1, "base", 1, 4, None, 1, "main", 2)
WITHOUT_GROUP = (1, "base", 1, 5, "lost", None, None, None)


def test_a_code_that_is_missing_holds_back_no_other_store_view() -> None:
    """All three columns may be NULL: a product on two websites has its items wherever they can be named."""
    rows = (WHOLE, NAMELESS_GROUP, NAMELESS_WEBSITE, NAMELESS_VIEW, WITHOUT_GROUP)
    views = store_views(rows, {}, {}, "")
    product = ProductRows(
        ProductRow(1, "A", "simple", None, None), {"status": {0: "1"}}, website_ids=frozenset({1, 5})
    )
    items = products.build(product, Catalog(views, {}))

    assert [(item["storeViewCode"], item["storeCode"]) for item in items] == [
        ("default", "main"),
        ("german", ""),
    ]
    assert all(encode("products", item) for item in items)
