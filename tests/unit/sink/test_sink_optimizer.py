"""Feed items as the Catalog Data Ingestion API takes them; what it would refuse says why."""

import json
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest
from feed_items import BASE_BOOK, GROUP_BOOK, GUESTS, ITEMS

from consumers.sink.dialects import Unmappable
from consumers.sink.dialects.optimizer import OptimizerDialect
from schemas.codec import decode, encode
from schemas.keys import canonical_json
from schemas.services.optimizer import FEED_RESOURCES, request_schema

DIALECT = OptimizerDialect()

FEEDS = ("productAttributes", "categories", "priceBooks", "prices")


def payload(feed: str, **changed: Any) -> dict[str, Any]:
    return DIALECT.payload(feed, {**ITEMS[feed], **changed})


def complaints(feed: str, operation: str, body: dict[str, Any]) -> list[str]:
    """What our description of the service says to a body, as it travels."""
    validator = jsonschema_rs.Draft202012Validator(request_schema(FEED_RESOURCES[feed], operation))
    return [error.message for error in validator.iter_errors(json.loads(canonical_json([body])))]


@pytest.mark.parametrize(
    ("feed", "item"),
    [*((feed, ITEMS[feed]) for feed in FEEDS), ("priceBooks", GROUP_BOOK)],
    ids=[*FEEDS, "a group's book"],
)
def test_every_payload_is_one_the_service_takes(feed: str, item: dict[str, Any]) -> None:
    assert complaints(feed, "upsert", DIALECT.payload(feed, item)) == []


@pytest.mark.parametrize("feed", FEEDS)
def test_a_payload_is_made_of_what_the_feed_s_topic_holds(feed: str) -> None:
    """The examples are items of their schema: members by its names, of its types."""
    if not resources.files("schemas").joinpath("avro", f"{feed}.avsc").is_file():
        pytest.skip("the feed has no schema yet")

    read_back = decode(feed, encode(feed, ITEMS[feed]))

    assert canonical_json(DIALECT.payload(feed, read_back)) == canonical_json(payload(feed))


def test_an_attribute_is_described_in_its_store_view() -> None:
    assert payload("productAttributes") == {
        "code": "color",
        "source": {"locale": "de"},
        "label": "Farbe",
        "dataType": "TEXT",
        "visibleIn": ["PRODUCT_DETAIL", "SEARCH_RESULTS", "PRODUCT_LISTING"],
        "filterable": True,
        "sortable": False,
        "searchable": True,
        "searchWeight": 5.0,
    }


@pytest.mark.parametrize(
    ("data_type", "frontend_input", "expected"),
    [
        ("int", "boolean", "BOOLEAN"),
        ("int", "text", "TEXT"),
        ("int", "select", "TEXT"),
        ("int", "weight", "INTEGER"),
        ("int", None, "INTEGER"),
        ("decimal", "price", "DECIMAL"),
        ("OBJECT", "textarea", "OBJECT"),
        ("varchar", "boolean", "TEXT"),
        ("static", "text", "TEXT"),
        ("datetime", "date", "TEXT"),
    ],
)
def test_an_attribute_s_type_is_made_of_its_column_and_its_input(
    data_type: str, frontend_input: str | None, expected: str
) -> None:
    made = payload("productAttributes", dataType=data_type, frontendInput=frontend_input)

    assert made["dataType"] == expected
    assert complaints("productAttributes", "upsert", made) == []


def test_an_attribute_without_a_label_goes_by_its_code() -> None:
    made = payload("productAttributes", label=None, searchWeight=None)

    assert made["label"] == "color"
    assert complaints("productAttributes", "upsert", made) == []


def test_a_category_goes_by_its_path() -> None:
    assert payload("categories") == {
        "slug": "men/tops-2",
        "source": {"locale": "de"},
        "name": "Tops",
        "description": None,
        "families": ["top_menu"],
        "position": 4,
        "metaTags": {"title": "Tops", "keywords": ["tops", "shirts"]},
        "images": [{"url": "https://shop.test/media/catalog/category/tops.jpg", "roles": ["BASE"]}],
    }


@pytest.mark.parametrize(("active", "in_menu"), [(0, 1), (1, 0), (None, 1), (1, None)])
def test_a_category_is_in_the_menu_only_when_active_and_wanted_there(
    active: int | None, in_menu: int | None
) -> None:
    assert payload("categories", isActive=active, includeInMenu=in_menu)["families"] == []


def test_a_category_without_picture_or_words_is_one_all_the_same() -> None:
    bare = dict.fromkeys(("image", "metaTitle", "metaKeywords", "isActive", "includeInMenu"))

    made = payload("categories", **bare)

    assert (made["images"], made["metaTags"]) == ([], {})
    assert complaints("categories", "upsert", made) == []


def test_a_store_s_root_is_not_told_of() -> None:
    root, other = ({"urlPath": path, "storeViewCode": "de"} for path in ("", "men"))

    assert [DIALECT.wants("categories", key) for key in (root, other)] == [False, True]
    with pytest.raises(Unmappable, match="urlPath ''"):
        payload("categories", urlPath="")


@pytest.mark.parametrize(
    "path", ["Men", "men/größe", "men//tops", "men/", "men.html", "a_b", "men\n", "x" * 1025]
)
def test_a_path_that_is_no_slug_says_so(path: str) -> None:
    """The service would refuse the whole request for it."""
    with pytest.raises(Unmappable, match="correct the url key"):
        payload("categories", urlPath=path)


def test_a_category_without_a_name_says_so() -> None:
    with pytest.raises(Unmappable, match="name is missing"):
        payload("categories", name=None)


def test_books_are_a_website_s_or_a_group_s_below_it() -> None:
    assert DIALECT.payload("priceBooks", BASE_BOOK) == {
        "priceBookId": "base",
        "name": "Main Website",
        "currency": "USD",
    }
    assert DIALECT.payload("priceBooks", GROUP_BOOK) == {
        "priceBookId": f"base::{GUESTS}",
        "name": "NOT LOGGED IN (Main Website)",
        "parentId": "base",
    }


def test_a_price_goes_into_the_book_of_its_website_and_group() -> None:
    """Group 0 means every group: the website's own book. Guests are a group like any other."""
    assert payload("prices")["priceBookId"] == "base"
    assert payload("prices", customerGroupCode=GUESTS)["priceBookId"] == GROUP_BOOK["priceBookId"]


def test_amounts_go_digit_for_digit() -> None:
    text = canonical_json(payload("prices")).decode()

    assert text == (
        '{"discounts":[{"code":"special_price","price":30.000000},{"code":"group","percentage":10.500000}],'
        '"priceBookId":"base","regular":12345678901234.123456,"sku":"24-MB01",'
        '"tierPrices":[{"price":28.000000,"qty":5.0000}]}'
    )


def test_a_website_code_too_long_for_the_books_below_it_says_so() -> None:
    """22 characters leave room for the separator and the group's hash."""
    fitting, too_long = "w" * 22, "w" * 23

    assert payload("prices", websiteCode=fitting, customerGroupCode=GUESTS)["priceBookId"].startswith(fitting)
    assert payload("prices", websiteCode=too_long)["priceBookId"] == too_long
    for feed, changed in {
        "prices": {"websiteCode": too_long, "customerGroupCode": GUESTS},
        "priceBooks": {**GROUP_BOOK, "priceBookId": f"{too_long}::{GUESTS}"},
    }.items():
        with pytest.raises(Unmappable, match=r"up to 22 characters would fit, 'w{23}' has 23"):
            payload(feed, **changed)


@pytest.mark.parametrize(
    ("feed", "key", "delete"),
    [
        ("products", {"sku": "A", "storeViewCode": "de"}, {"sku": "A", "source": {"locale": "de"}}),
        (
            "productAttributes",
            {"attributeCode": "color", "storeViewCode": "de"},
            {"code": "color", "source": {"locale": "de"}},
        ),
        (
            "categories",
            {"urlPath": "men/tops-2", "storeViewCode": "de"},
            {"slug": "men/tops-2", "source": {"locale": "de"}},
        ),
        ("priceBooks", {"priceBookId": "base"}, {"priceBookId": "base"}),
        (
            "prices",
            {"sku": "24-MB01", "websiteCode": "base", "customerGroupCode": "0"},
            {"sku": "24-MB01", "priceBookId": "base"},
        ),
    ],
)
def test_a_delete_is_said_by_the_key_alone(feed: str, key: dict[str, str], delete: dict[str, Any]) -> None:
    """And names what the item's payload names."""
    assert DIALECT.delete_payload(feed, key) == delete
    assert complaints(feed, "delete", delete) == []
    if feed in FEEDS:
        assert DIALECT.identity(feed, delete) == DIALECT.identity(feed, payload(feed))
        assert DIALECT.delete_members(feed, payload(feed)) == {}


def test_routes_are_the_service_s() -> None:
    assert {
        feed: (DIALECT.path(feed, "upsert"), DIALECT.path(feed, "delete")) for feed in FEED_RESOURCES
    } == {
        "productAttributes": ("/v1/catalog/products/metadata", "/v1/catalog/products/metadata/delete"),
        "categories": ("/v1/catalog/categories", "/v1/catalog/categories/delete"),
        "products": ("/v1/catalog/products", "/v1/catalog/products/delete"),
        "priceBooks": ("/v1/catalog/price-books", "/v1/catalog/price-books/delete"),
        "prices": ("/v1/catalog/products/prices", "/v1/catalog/products/prices/delete"),
    }
