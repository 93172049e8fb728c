"""Commerce Optimizer Catalog Data Ingestion API: field and scope mapping, routes and answers. Pure.

A store view is a catalog source, a website a base price book, a customer group of a website a book below it.
Source: the connector's published field and scope mapping, and the API's own description.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from consumers.sink.dialects import (
    Members,
    Stamp,
    Unmappable,
    amounts,
    lines,
    optimizer_product,
    present,
    required,
)
from consumers.sink.settle import Answer, Verdict, settle
from schemas.keys import canonical_json
from schemas.services.optimizer import (
    CATEGORY_NAME_MAX,
    CURRENCY_MAX,
    FEED_RESOURCES,
    PRICE_BOOK_ID_MAX,
    PRODUCT_BYTES_MAX,
    ROUTES,
    SLUG_MAX,
    SLUG_PATTERN,
    Route,
)
from schemas.services.shapes import Identity, identity_of

_ROUTES: Final[Mapping[tuple[str, str], Route]] = {
    (feed, route.operation): route
    for feed, resource in FEED_RESOURCES.items()
    for route in ROUTES
    if route.feed == resource
}
# Not published but for products; far more than any other item has.
_ITEM_BYTES_MAX: Final = 1024 * 1024
_SLUG: Final = re.compile(SLUG_PATTERN)
_EVERY_GROUP: Final = "0"
# Between a website's code, which has no colon, and a customer group's.
_GROUP_MARK: Final = "::"
_VISIBLE_IN: Final = {
    "visible": "PRODUCT_DETAIL",
    "visibleInSearch": "SEARCH_RESULTS",
    "visibleInListing": "PRODUCT_LISTING",
    "visibleInCompareList": "PRODUCT_COMPARE",
}
_DATA_TYPES: Final = {"decimal": "DECIMAL", "OBJECT": "OBJECT"}
_INTEGER_INPUTS: Final = {"boolean": "BOOLEAN", "text": "TEXT", "select": "TEXT"}
_MENU: Final = "top_menu"


class OptimizerDialect:
    """Implements Dialect."""

    def wants(self, feed: str, key: Members) -> bool:
        # A store's root has no address of its own.
        return feed != "categories" or bool(key["urlPath"])

    def payload(self, feed: str, item: Members) -> dict[str, Any]:
        return _PAYLOADS[feed](item)

    def delete_members(self, feed: str, payload: Members) -> dict[str, Any]:
        return {}

    def delete_needs_members(self, feed: str) -> bool:
        return False

    def delete_payload(self, feed: str, key: Members, members: Members | None = None) -> dict[str, Any]:
        return _KEYS[feed](key)

    def identity(self, feed: str, payload: Members) -> Identity:
        return identity_of(_ROUTES[feed, "upsert"].identity, payload)

    def feed_key(self, feed: str, payload: Members) -> dict[str, Any] | None:
        return _FEED_KEYS[feed](payload)

    def identity_moves(self, feed: str) -> bool:
        return False

    def stands_below(self, feed: str) -> bool:
        return feed in _ABOVE

    def above(self, feed: str, key: Members) -> Sequence[tuple[str, bytes]]:
        above = _ABOVE.get(feed)
        return above(key) if above else ()

    def below(self, feed: str) -> Sequence[str]:
        return _BELOW.get(feed, ())

    def stands_on(self, feed: str) -> bool:
        # A category does without the ones above it.
        return feed in _BELOW["priceBooks"]

    def stamp(self, feed: str) -> Stamp | None:
        return None

    def path(self, feed: str, operation: str) -> str:
        return _ROUTES[feed, operation].path

    def item_bytes_max(self, feed: str) -> int:
        return PRODUCT_BYTES_MAX if feed == "products" else _ITEM_BYTES_MAX

    def judge(self, answer: Answer, items: int) -> Verdict:
        return settle(answer, items)


# What names an item, of a feed record's key as of the item.


def _product_key(key: Members) -> dict[str, Any]:
    return {"sku": key["sku"], **_source(key)}


def _attribute_key(key: Members) -> dict[str, Any]:
    return {"code": key["attributeCode"], **_source(key)}


def _category_key(key: Members) -> dict[str, Any]:
    slug = key["urlPath"]
    if len(slug) > SLUG_MAX or not _SLUG.fullmatch(slug):
        message = (
            f"urlPath '{slug[:100]}' cannot be a slug at the service, which takes up to {SLUG_MAX} of a-z, "
            "0-9 and - between slashes: correct the url key of the category or of one above it"
        )
        raise Unmappable(message)
    return {"slug": slug, **_source(key)}


def _price_book_key(key: Members) -> dict[str, Any]:
    return {"priceBookId": _price_book_id(key["priceBookId"])}


def _price_key(key: Members) -> dict[str, Any]:
    website, group = key["websiteCode"], key["customerGroupCode"]
    return {"sku": key["sku"], "priceBookId": _price_book_id(_book_of(website, group))}


def _source(key: Members) -> dict[str, Any]:
    return {"source": {"locale": key["storeViewCode"]}}


def _price_book_id(book: str) -> str:
    if not book:
        message = "a price book needs an id, which begins with the website's code: set that code"
        raise Unmappable(message)
    if len(book) > PRICE_BOOK_ID_MAX:
        website = book.partition(_GROUP_MARK)[0]
        room = PRICE_BOOK_ID_MAX - (len(book) - len(website))
        message = (
            f"price book id {book} has {len(book)} characters, the service takes {PRICE_BOOK_ID_MAX}: "
            f"a website code of up to {room} characters would fit, '{website}' has {len(website)}"
        )
        raise Unmappable(message)
    return book


def _book_of(website: str, group: str) -> str:
    return website if group == _EVERY_GROUP else f"{website}{_GROUP_MARK}{group}"


# What stands above an item, by keys of feed records; deletes go down from there.


def _above_category(key: Members) -> Sequence[tuple[str, bytes]]:
    return _categories_above(key["urlPath"], key["storeViewCode"])


def _above_price_book(key: Members) -> Sequence[tuple[str, bytes]]:
    website, mark, _ = key["priceBookId"].partition(_GROUP_MARK)
    return (_book_node(website),) if mark else ()


def _above_price(key: Members) -> Sequence[tuple[str, bytes]]:
    return _books_above(key["websiteCode"], key["customerGroupCode"])


@lru_cache(10_000)
def _categories_above(path: str, view: str) -> Sequence[tuple[str, bytes]]:
    ends = [place for place, character in enumerate(path) if character == "/"]
    return tuple(
        ("categories", canonical_json({"urlPath": path[:end], "storeViewCode": view}))
        for end in reversed(ends)
    )


@lru_cache(10_000)
def _books_above(website: str, group: str) -> Sequence[tuple[str, bytes]]:
    return tuple(_book_node(book) for book in dict.fromkeys((_book_of(website, group), website)))


def _book_node(book: str) -> tuple[str, bytes]:
    return "priceBooks", canonical_json({"priceBookId": book})


_ABOVE: Final[Mapping[str, Callable[[Members], Sequence[tuple[str, bytes]]]]] = {
    "categories": _above_category,
    "priceBooks": _above_price_book,
    "prices": _above_price,
}
_BELOW: Final[Mapping[str, Sequence[str]]] = {
    "categories": ("categories",),
    "priceBooks": ("priceBooks", "prices"),
}

_KEYS: Final[Mapping[str, Callable[[Members], dict[str, Any]]]] = {
    "products": _product_key,
    "productAttributes": _attribute_key,
    "categories": _category_key,
    "priceBooks": _price_book_key,
    "prices": _price_key,
}

# The way back: the key of what is held.


def _view(payload: Members) -> dict[str, Any]:
    return {"storeViewCode": payload["source"]["locale"]}


def _price_feed_key(payload: Members) -> dict[str, Any]:
    website, _, group = payload["priceBookId"].partition("::")
    return {"sku": payload["sku"], "websiteCode": website, "customerGroupCode": group or _EVERY_GROUP}


_FEED_KEYS: Final[Mapping[str, Callable[[Members], dict[str, Any]]]] = {
    "products": lambda payload: {"sku": payload["sku"], **_view(payload)},
    "productAttributes": lambda payload: {"attributeCode": payload["code"], **_view(payload)},
    "categories": lambda payload: {"urlPath": payload["slug"], **_view(payload)},
    "priceBooks": lambda payload: {"priceBookId": payload["priceBookId"]},
    "prices": _price_feed_key,
}


# Items.


def _attribute(item: Members) -> dict[str, Any]:
    return present(
        {
            **_attribute_key(item),
            # System attributes without a label describe products all the same.
            "label": item["label"] or item["attributeCode"],
            "dataType": _data_type(item),
            "visibleIn": [place for flag, place in _VISIBLE_IN.items() if item[flag]],
            "filterable": item["filterable"],
            "sortable": item["sortable"],
            "searchable": item["searchable"],
            "searchWeight": item["searchWeight"],
        }
    )


def _data_type(item: Members) -> str:
    if item["dataType"] == "int":
        return _INTEGER_INPUTS.get(item["frontendInput"], "INTEGER")
    return _DATA_TYPES.get(item["dataType"], "TEXT")


def _category(item: Members) -> dict[str, Any]:
    meta_tags = {
        "title": item["metaTitle"],
        "description": item["metaDescription"],
        "keywords": lines(item["metaKeywords"]),
    }
    image = item["image"]
    return {
        **_category_key(item),
        "name": _category_name(item),
        "description": item["description"],
        "families": [_MENU] if item["isActive"] and item["includeInMenu"] else [],
        "position": item["position"],
        "metaTags": present(meta_tags),
        "images": [{"url": image, "roles": ["BASE"]}] if image else [],
    }


def _category_name(item: Members) -> str:
    name = required(item, "name")
    if len(name) > CATEGORY_NAME_MAX:
        message = f"name has {len(name)} characters, the service takes {CATEGORY_NAME_MAX}: shorten it"
        raise Unmappable(message)
    return name


def _price_book(item: Members) -> dict[str, Any]:
    """A base book has a currency, a book below it a parent and that one's currency."""
    named = {**_price_book_key(item), "name": required(item, "name")}
    if item["parentId"] is None:
        return {**named, "currency": _currency(item)}
    return {**named, "parentId": _price_book_id(item["parentId"])}


def _currency(item: Members) -> str:
    currency = required(item, "currency")
    if len(currency) > CURRENCY_MAX:
        message = f"currency '{currency[:20]}' is no code of up to {CURRENCY_MAX} characters: set another"
        raise Unmappable(message)
    return currency


def _price(item: Members) -> dict[str, Any]:
    return {
        **_price_key(item),
        "regular": item["regular"],
        "discounts": amounts(item["discounts"], "code"),
        "tierPrices": amounts(item["tierPrices"], "qty"),
    }


_PAYLOADS: Final[Mapping[str, Callable[[Members], dict[str, Any]]]] = {
    "products": optimizer_product.payload,
    "productAttributes": _attribute,
    "categories": _category,
    "priceBooks": _price_book,
    "prices": _price,
}
