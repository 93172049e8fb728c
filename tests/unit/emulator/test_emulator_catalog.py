"""What accepted items do to what the optimizer service holds: patches, cascades, coming back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from commerce_sync.emulator.body import read_items
from commerce_sync.emulator.optimizer_catalog import RESTORABLE_S, Catalog
from commerce_sync.emulator.storage import Storage
from schemas.services.optimizer import ROUTES


@dataclass
class Shop:
    """A catalog with a clock that is moved by hand."""

    storage: Storage
    now_s: float = 0.0

    def apply(self, feed: str, operation: str, *items: dict[str, Any]) -> None:
        route = next(route for route in ROUTES if (route.feed, route.operation) == (feed, operation))
        Catalog(self.storage, lambda: self.now_s).apply(route, read_items(msgspec.json.encode(items)))

    def held(self, feed: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(item) for page in self.storage.pages(feed) for item in page]

    def slugs(self) -> list[str]:
        return [f"{item['source']['locale']}:{item['slug']}" for item in self.held("categories")]

    def books(self) -> list[str]:
        return [item["priceBookId"] for item in self.held("price-books")]

    def prices(self) -> list[str]:
        return [f"{item['sku']}@{item['priceBookId']}" for item in self.held("prices")]


@pytest.fixture
def shop() -> Iterator[Shop]:
    storage = Storage()
    yield Shop(storage)
    storage.close()


def category(slug: str, locale: str = "en", **members: Any) -> dict[str, Any]:
    return {"slug": slug, "source": {"locale": locale}, "name": slug, **members}


def price(sku: str, book: str, regular: float = 1) -> dict[str, Any]:
    return {"sku": sku, "priceBookId": book, "regular": regular}


BASE = {"priceBookId": "base", "name": "Base", "currency": "EUR"}
CHILD = {"priceBookId": "child", "name": "Child", "parentId": "base"}
GRANDCHILD = {"priceBookId": "grandchild", "name": "Grandchild", "parentId": "child"}
OTHER = {"priceBookId": "other", "name": "Other", "currency": "USD"}


def test_a_patch_merges_members_and_keyed_lists(shop: Shop) -> None:
    source = {"locale": "en"}
    stored = {
        "sku": "A",
        "source": source,
        "name": "Old",
        "metaTags": {"title": "T", "keywords": ["x", "y"]},
        "attributes": [
            {"code": "color", "values": ["Red"], "variantReferenceId": "r"},
            {"code": "size", "values": ["M"]},
        ],
        "links": [{"type": "RELATED", "sku": "B"}],
        "visibleIn": ["CATALOG"],
    }
    patch = {
        "sku": "A",
        "source": source,
        "name": "New",
        "description": None,
        "metaTags": {"keywords": ["z"]},
        "attributes": [{"code": "color", "values": ["Blue"]}, {"code": "fit", "values": ["slim"]}],
        "links": [],
        "visibleIn": ["SEARCH"],
    }
    shop.apply("products", "upsert", stored)

    shop.apply("products", "patch", patch)

    assert shop.held("products") == [
        {
            "sku": "A",
            "source": source,
            "name": "New",
            "description": None,
            "metaTags": {"title": "T", "keywords": ["z"]},
            "attributes": [
                {"code": "color", "values": ["Blue"], "variantReferenceId": "r"},
                {"code": "size", "values": ["M"]},
                {"code": "fit", "values": ["slim"]},
            ],
            "links": [],
            "visibleIn": ["SEARCH"],
        }
    ]


def test_a_patch_of_a_category_replaces_its_lists(shop: Shop) -> None:
    shop.apply("categories", "upsert", category("a", families=["x"], images=[{"url": "1"}]))

    shop.apply("categories", "patch", category("a", images=[{"url": "2"}]))

    assert shop.held("categories") == [category("a", families=["x"], images=[{"url": "2"}])]


@pytest.mark.parametrize(("feed", "item"), [("categories", category("a")), ("price-books", BASE)])
def test_a_patch_of_something_unknown_does_nothing(shop: Shop, feed: str, item: dict[str, Any]) -> None:
    shop.apply(feed, "patch", item)

    assert shop.held(feed) == []


def test_a_deleted_category_takes_its_descendants_along(shop: Shop) -> None:
    """Of its own locale only; a slug that merely begins alike stays."""
    shop.apply("categories", "upsert", *(category(slug) for slug in ("a", "a/b", "a/b/c", "a-b", "a0", "z")))
    shop.apply("categories", "upsert", category("a/b", "fr"))

    shop.apply("categories", "delete", category("a"))

    assert shop.slugs() == ["en:a-b", "fr:a/b", "en:a0", "en:z"]


def test_a_category_created_again_within_a_week_brings_its_descendants_back(shop: Shop) -> None:
    shop.apply("categories", "upsert", category("a"), category("a/b", position=7), category("a/b/c"))
    shop.apply("categories", "delete", category("a"))
    shop.now_s += RESTORABLE_S

    shop.apply("categories", "upsert", category("a", position=1))

    assert shop.held("categories") == [
        category("a", position=1),
        category("a/b", position=7),
        category("a/b/c"),
    ]


def test_after_a_week_nothing_comes_back(shop: Shop) -> None:
    shop.apply("categories", "upsert", category("a"), category("a/b"))
    shop.apply("categories", "delete", category("a"))
    shop.now_s += RESTORABLE_S + 1

    shop.apply("categories", "upsert", category("a"))

    assert shop.slugs() == ["en:a"]


def test_what_was_sent_since_is_not_overwritten_by_what_comes_back(shop: Shop) -> None:
    """A newer descendant stays; one that was sent and deleted since does not come back."""
    shop.apply("categories", "upsert", *(category(slug, position=1) for slug in ("a", "a/b", "a/c", "a/d")))
    shop.apply("categories", "delete", category("a"))
    shop.apply("categories", "upsert", category("a/b", position=2), category("a/c", position=2))
    shop.apply("categories", "delete", category("a/c"))

    shop.apply("categories", "upsert", category("a"))

    assert shop.held("categories") == [
        category("a"),
        category("a/b", position=2),
        category("a/d", position=1),
    ]


def test_a_delete_of_what_a_cascade_took_does_not_stop_it_from_coming_back(shop: Shop) -> None:
    """It is unknown by then, and deleting something unknown does nothing."""
    shop.apply("categories", "upsert", category("a"), category("a/b"))
    shop.apply("categories", "delete", category("a"))
    shop.apply("categories", "delete", category("a/b"))

    shop.apply("categories", "upsert", category("a"))

    assert shop.slugs() == ["en:a", "en:a/b"]


def test_only_the_category_that_was_deleted_brings_its_descendants_back(shop: Shop) -> None:
    shop.apply("categories", "upsert", category("a"), category("a/b"), category("a/b/c"))
    shop.apply("categories", "delete", category("a/b"))
    shop.apply("categories", "delete", category("a"))

    shop.apply("categories", "upsert", category("a"))
    without_branch = shop.slugs()
    shop.apply("categories", "upsert", category("a/b"))

    assert without_branch == ["en:a"]
    assert shop.slugs() == ["en:a", "en:a/b", "en:a/b/c"]


def test_prices_of_an_unknown_price_book_are_ignored(shop: Shop) -> None:
    """The default book is known without being created, and is not held."""
    shop.apply("price-books", "upsert", BASE)

    shop.apply("prices", "upsert", price("A", "base"), price("A", "nowhere"), price("A", "main"))

    assert shop.prices() == ["A@base", "A@main"]
    assert shop.books() == ["base"]


def test_a_deleted_price_book_takes_its_branch_and_all_their_prices(shop: Shop) -> None:
    books = (BASE, CHILD, GRANDCHILD, OTHER)
    shop.apply("price-books", "upsert", *books)
    shop.apply("prices", "upsert", *(price("A", book["priceBookId"]) for book in books))

    shop.apply("price-books", "delete", {"priceBookId": "base"})

    assert shop.books() == ["other"]
    assert shop.prices() == ["A@other"]


def test_a_price_book_comes_back_whole_with_its_original_payload(shop: Shop) -> None:
    shop.apply("price-books", "upsert", BASE, CHILD)
    shop.apply("prices", "upsert", price("A", "base", 1), price("A", "child", 2), price("B", "child", 3))
    shop.apply("prices", "delete", price("B", "child"))
    shop.apply("price-books", "delete", {"priceBookId": "base"})

    shop.apply("price-books", "upsert", BASE)

    assert shop.held("price-books") == [BASE, CHILD]
    assert shop.held("prices") == [price("A", "base", 1), price("A", "child", 2)]


def test_a_price_book_with_another_payload_is_a_new_one(shop: Shop) -> None:
    shop.apply("price-books", "upsert", BASE, CHILD)
    shop.apply("price-books", "delete", {"priceBookId": "base"})

    shop.apply("price-books", "upsert", {**BASE, "name": "Renamed"})
    shop.apply("price-books", "upsert", BASE)

    assert shop.held("price-books") == [BASE]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({**BASE, "parentId": "other"}, BASE),
        ({"priceBookId": "base", "name": "Base"}, {**BASE, "currency": "USD"}),
        (CHILD, CHILD),
    ],
    ids=["a parent of a base book is ignored", "the currency is USD by default", "a child stays a child"],
)
def test_a_new_price_book_is_a_base_or_a_child(
    shop: Shop, given: dict[str, Any], kept: dict[str, Any]
) -> None:
    shop.apply("price-books", "upsert", given)

    assert shop.held("price-books") == [kept]


@pytest.mark.parametrize("operation", ["upsert", "patch"])
def test_an_update_does_not_move_a_price_book(shop: Shop, operation: str) -> None:
    """Name alone is enough; another parent and a child's currency are ignored."""
    shop.apply("price-books", "upsert", BASE, CHILD)

    shop.apply("price-books", operation, {"priceBookId": "base", "name": "B", "parentId": "x"})
    shop.apply(
        "price-books", operation, {"priceBookId": "child", "name": "C", "parentId": "x", "currency": "JPY"}
    )

    assert shop.held("price-books") == [{**BASE, "name": "B"}, {**CHILD, "name": "C"}]


def test_price_books_in_a_circle_can_be_deleted(shop: Shop) -> None:
    first = {"priceBookId": "a", "name": "A", "parentId": "b"}
    second = {"priceBookId": "b", "name": "B", "parentId": "a"}
    shop.apply("price-books", "upsert", first, second)

    shop.apply("price-books", "delete", {"priceBookId": "a"})

    assert shop.books() == []


def test_deleting_something_unknown_leaves_the_rest_alone(shop: Shop) -> None:
    shop.apply("categories", "upsert", category("a/b"))

    shop.apply("categories", "delete", category("a"), category("x"))

    assert shop.slugs() == ["en:a/b"]


def test_of_one_identity_twice_in_a_request_the_last_counts(shop: Shop) -> None:
    shop.apply("categories", "upsert", category("a", position=1), category("a", position=2))

    assert shop.held("categories") == [category("a", position=2)]
