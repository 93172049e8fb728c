"""Where a product's page is."""

import pytest
from parts_rows import VIEW, view

from consumers.builder.rules.urls import RewriteRow, url, url_rewrites
from consumers.builder.values import StoreView

TARGET = "catalog/product/view/id/7"


def rewrite(number: int, path: str, target: str = TARGET, **columns: object) -> RewriteRow:
    return RewriteRow(
        **{
            "rewrite_id": number,
            "store_id": 2,
            "request_path": path,
            "target_path": target,
            "redirect_type": 0,
            "metadata": None,
            **columns,
        }
    )


@pytest.mark.parametrize(
    ("shown_in", "begins"),
    [
        (VIEW, "http://shop.example.com/"),
        (view(USE_STORE="1"), "http://shop.example.com/de/"),
        (view(USE_REWRITES="0"), "http://shop.example.com/index.php/"),
        (view(USE_REWRITES="0", USE_STORE="1"), "http://shop.example.com/index.php/de/"),
        (view(LINK_URL="{{unsecure_base_url}}shop/"), "http://shop.example.com/shop/"),
        (view(LINK_URL="http://other.example.com/"), "http://other.example.com/"),
    ],
)
def test_a_page_is_below_the_link_url(shown_in: StoreView, begins: str) -> None:
    """Settings of the store view decide what stands before the path."""
    assert url([rewrite(1, "mug.html")], 7, "mug", shown_in) == f"{begins}mug.html"


def test_only_a_plain_rewrite_of_the_store_view_counts() -> None:
    """Redirects, other store views and paths below categories lead there, but are not the page."""
    others = [
        rewrite(1, "old.html", redirect_type=301),
        rewrite(2, "other.html", store_id=1),
        rewrite(3, "gear/mug.html", metadata='{"category_id":"3"}'),
    ]

    assert url([*others, rewrite(5, "mug.html"), rewrite(4, "cup.html")], 7, "mug", VIEW) == (
        "http://shop.example.com/cup.html"
    )
    assert url(others, 7, "mug", VIEW) == "http://shop.example.com/catalog/product/view/id/7/s/mug/"
    assert url([], 7, None, VIEW) == "http://shop.example.com/catalog/product/view/id/7/s//"


def test_every_rewrite_of_the_store_view_is_listed_by_path() -> None:
    """Parameters are pairs of the target; a redirect's target has none."""
    rows = [
        rewrite(1, "mug.html"),
        rewrite(2, "gear/mug.html", f"{TARGET}/category/3"),
        rewrite(3, "a.html", "mug.html", redirect_type=301),
        rewrite(4, "other.html", store_id=1),
    ]

    assert url_rewrites(rows, VIEW) == [
        {"url": "http://shop.example.com/a.html", "parameters": []},
        {
            "url": "http://shop.example.com/gear/mug.html",
            "parameters": [{"name": "id", "value": "7"}, {"name": "category", "value": "3"}],
        },
        {"url": "http://shop.example.com/mug.html", "parameters": [{"name": "id", "value": "7"}]},
    ]
