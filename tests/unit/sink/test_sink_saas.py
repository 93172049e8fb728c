"""Feed items as the SaaS feed ingestion service takes them, and what its answers mean."""

import json
from decimal import Decimal
from hashlib import sha1
from importlib import resources
from typing import Any

import jsonschema_rs
import pytest
from feed_items import GUESTS, ITEMS, KEYS, SCOPE

from consumers.sink.dialects import Stamp, Unmappable
from consumers.sink.dialects.saas import SaasDialect
from consumers.sink.settle import Answer, Verdict
from consumers.sink.stamp import stamped
from schemas.codec import decode, encode
from schemas.keys import canonical_json
from schemas.services.saas import FEED_ROUTES, FEEDS, item_schema

DIALECT = SaasDialect("space-1")
NOW_S = 1_800_000_000

NEED_MORE_THAN_A_KEY = {"products", "productAttributes", "categories", "scopesWebsite"}


def payload(feed: str, **changed: Any) -> dict[str, Any]:
    return DIALECT.payload(feed, {**ITEMS[feed], **changed})


def as_sent(feed: str, body: dict[str, Any]) -> dict[str, Any]:
    """What arrives, stamp and all."""
    sent: dict[str, Any] = json.loads(stamped(canonical_json(body), DIALECT.stamp(feed), NOW_S))
    return sent


def complaints(feed: str, operation: str, body: dict[str, Any]) -> list[str]:
    validator = jsonschema_rs.Draft202012Validator(item_schema(FEED_ROUTES[feed], operation))
    return [error.message for error in validator.iter_errors(as_sent(feed, body))]


@pytest.mark.parametrize("feed", FEEDS)
def test_every_payload_is_one_the_service_takes(feed: str) -> None:
    assert complaints(feed, "upsert", payload(feed)) == []


@pytest.mark.parametrize("feed", FEEDS)
def test_a_payload_is_made_of_what_the_feed_s_topic_holds(feed: str) -> None:
    """The examples are items of their schema: members by its names, of its types."""
    if not resources.files("schemas").joinpath("avro", f"{feed}.avsc").is_file():
        pytest.skip("the feed has no schema yet")

    read_back = decode(feed, encode(feed, ITEMS[feed]))

    assert canonical_json(DIALECT.payload(feed, read_back)) == canonical_json(payload(feed))


@pytest.mark.parametrize("feed", FEEDS)
def test_a_delete_names_what_the_payload_named(feed: str) -> None:
    """With what the payload's status kept where the key is not enough."""
    members = DIALECT.delete_members(feed, payload(feed))

    delete = DIALECT.delete_payload(feed, KEYS[feed], members)

    assert delete["deleted"] is True
    assert DIALECT.identity(feed, delete) == DIALECT.identity(feed, payload(feed))
    assert complaints(feed, "delete", delete) == []
    assert bool(members) == (feed in NEED_MORE_THAN_A_KEY)


@pytest.mark.parametrize("feed", sorted(NEED_MORE_THAN_A_KEY))
def test_a_delete_that_cannot_be_said_is_not_guessed(feed: str) -> None:
    with pytest.raises(Unmappable, match="to delete this item, and no status tells"):
        DIALECT.delete_payload(feed, KEYS[feed])


def test_a_product_goes_in_the_exporter_s_shape() -> None:
    """Without what is ours alone, what is empty, and the time of the last change, which is no content."""
    assert payload("products") == {
        "sku": "BOX",
        **SCOPE,
        "productId": 7,
        "type": "bundle",
        "name": "Box",
        "url": "https://shop.test/box.html",
        "urlKey": "box",
        "status": "Enabled",
        "visibility": "Catalog, Search",
        "buyable": True,
        "displayable": True,
        "createdAt": "2024-01-15 00:00:00",
        "shortDescription": "Short",
        "taxClassId": "no",
        "weight": 1.5,
        "weightType": "1",
        "weightUnit": "kgs",
        "currency": "USD",
        "inStock": True,
        "lowStock": False,
        "attributes": [{"attributeCode": "care"}, {"attributeCode": "color", "value": ["Red"]}],
        "images": [
            {"resource": {"url": "https://shop.test/a.jpg", "label": "", "roles": ["image"]}, "sortOrder": 2}
        ],
        "categoryData": [{"categoryId": "12", "categoryPath": "men", "productPosition": 3}],
        "links": [{"sku": "A", "type": "related"}],
        "optionsV2": [
            {
                "id": "1",
                "label": "Bag",
                "sortOrder": 0,
                "required": True,
                "renderType": "select",
                "type": "bundle",
                "values": [
                    {
                        "id": "v",
                        "label": "A",
                        "sku": "A",
                        "qty": 1.0,
                        "qtyMutability": False,
                        "isDefault": True,
                    }
                ],
            }
        ],
        "parents": [{"sku": "SET", "productType": "grouped"}],
        "samples": [],
        "shopperInputOptions": [],
        "urlRewrites": [{"url": "https://shop.test/box.html", "parameters": [{"name": "id", "value": "7"}]}],
        "videos": [],
        "deleted": False,
    }


@pytest.mark.parametrize("member", ["name", "url"])
def test_a_product_without_what_the_service_needs_says_so(member: str) -> None:
    with pytest.raises(Unmappable, match=f"{member} is missing"):
        payload("products", **{member: None})


def test_a_product_whose_birth_nobody_knows_is_sent_all_the_same() -> None:
    made = payload("products", createdAt=None, updatedAt=None, buyable=None)

    assert (made["createdAt"], made["buyable"]) == ("1970-01-01 00:00:00", False)
    assert complaints("products", "upsert", made) == []


def test_a_category_s_flags_are_flags() -> None:
    made = payload("categories", includeInMenu=None)

    assert (made["isActive"], made["isAnchor"], "includeInMenu" in made) == (True, False, False)
    assert complaints("categories", "upsert", made) == []


def test_a_store_s_root_is_a_category_here() -> None:
    key = {"urlPath": "", "storeViewCode": "de"}
    made = payload("categories", urlPath="", urlKey=None)

    assert DIALECT.wants("categories", key)
    assert (made["urlPath"], made["urlKey"]) == ("", "")
    assert complaints("categories", "upsert", made) == []


def test_a_category_that_moves_stays_the_same_one() -> None:
    """Its old key's delete would hit the new one's item: order is kept by the id."""
    before, after = payload("categories"), payload("categories", urlPath="women/tops")
    moved_away = DIALECT.delete_payload(
        "categories", KEYS["categories"], DIALECT.delete_members("categories", before)
    )

    identities = {DIALECT.identity("categories", body) for body in (before, after, moved_away)}

    assert identities == {("12", "de")}
    assert [feed for feed in FEEDS if DIALECT.identity_moves(feed)] == ["categories", "scopesWebsite"]


def test_prices_keep_what_the_service_reads() -> None:
    """Parents of a kind it does not know are left out; amounts go digit for digit."""
    made = payload("prices", parents=[{"sku": "S", "type": "SIMPLE"}, {"sku": "B", "type": "BUNDLE_FIXED"}])

    assert canonical_json(made).decode() == (
        '{"customerGroupCode":"0","deleted":false,"discounts":[{"code":"special_price","price":30.000000},'
        '{"code":"group","percentage":10.500000}],"parents":[{"sku":"B","type":"BUNDLE_FIXED"}],"productId":1,'
        '"regular":12345678901234.123456,"sku":"24-MB01","tierPrices":[{"price":28.000000,"qty":5.0000}],'
        '"type":"SIMPLE","websiteCode":"base"}'
    )
    assert made["regular"] == Decimal("12345678901234.123456")


def test_scopes_are_spelled_out() -> None:
    assert payload("scopesWebsite") == {
        "website": {
            "websiteCode": "base",
            "stores": [
                {"storeCode": "main", "storeViews": [{"storeViewCode": "default"}]},
                {"storeViews": []},
            ],
        },
        "deleted": False,
    }
    assert payload("scopesCustomerGroup") == {
        "customerGroup": {
            "customerGroupCode": GUESTS,
            "websites": [{"websiteCode": "base"}, {"websiteCode": "us"}],
        },
        "deleted": False,
    }
    assert DIALECT.delete_payload("scopesCustomerGroup", {"customerGroupId": "7"}) == {
        "customerGroup": {"customerGroupCode": sha1(b"7").hexdigest()},
        "deleted": True,
    }


def test_every_payload_says_when_it_is_sent() -> None:
    """In the form its route asks for; the payload itself has no time of change."""
    assert DIALECT.stamp("products") == Stamp("modifiedAt", "%Y-%m-%d %H:%M:%S")
    assert as_sent("products", payload("products"))["modifiedAt"] == "2027-01-15 08:00:00"
    assert as_sent("prices", payload("prices"))["updatedAt"] == "2027-01-15T08:00:00+00:00"
    assert not {"modifiedAt", "updatedAt"} & {name for feed in FEEDS for name in payload(feed)}


def test_updates_and_deletes_share_a_path_that_ends_with_the_environment() -> None:
    assert {DIALECT.path("products", operation) for operation in ("upsert", "delete")} == {
        "/catalog/v2/products/space-1"
    }
    assert DIALECT.path("scopesWebsite", "upsert") == DIALECT.path("scopesCustomerGroup", "upsert")


def judged(status: int, body: Any, items: int = 3) -> Verdict:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.judge(Answer(status, text), items)


def received(count: int, *wrong: Any) -> dict[str, Any]:
    return {"feedItemReceivedCount": count, "invalidFeedItems": list(wrong)}


def bad(index: int, message: str = "no") -> dict[str, Any]:
    return {"itemIndex": index, "code": "name", "message": message}


@pytest.mark.parametrize("body", [received(3), {"feedItemReceivedCount": 3}])
def test_an_answer_without_complaints_took_all(body: dict[str, Any]) -> None:
    assert judged(200, body) == Verdict("delivered")


@pytest.mark.parametrize("count", [2, 3])
def test_items_that_are_listed_are_refused_and_the_others_taken(count: int) -> None:
    """Whether the count is of those that came or of those taken."""
    verdict = judged(200, received(count, bad(1), bad(1, "nor this")))

    assert verdict == Verdict("delivered", refused={1: "no; nor this"})


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"",
        b"\xff",
        b"[" * 100_000,
        b"[]",
        {},
        {"feedItemReceivedCount": "3"},
        {"status": "ACCEPTED"},
    ],
)
def test_something_else_with_200_is_not_the_service(body: Any) -> None:
    verdict = judged(200, body)

    assert (verdict.decision, verdict.outcome_unknown) == ("ours", True)


@pytest.mark.parametrize("body", [received(1), received(0, bad(7)), received(1, {"itemIndex": "x"})])
def test_items_that_are_missing_without_a_word_may_have_been_taken(body: dict[str, Any]) -> None:
    verdict = judged(200, body)

    assert (verdict.decision, verdict.outcome_unknown) == ("wait", True)


@pytest.mark.parametrize("status", [200, 400])
def test_too_many_items_are_halved(status: int) -> None:
    limit = {"itemIndex": 2, "code": "items_limit_exceeded", "message": "too many"}

    assert judged(status, received(0, limit)).decision == "split"


def test_a_refused_request_names_its_items() -> None:
    assert judged(400, received(0, bad(0), bad(1), bad(2))).refused == {0: "no", 1: "no", 2: "no"}


@pytest.mark.parametrize("body", [b"<html>", received(0), received(0, "x", {"itemIndex": True}, bad(-1))])
def test_a_refusal_that_names_no_item_is_halved_down_to_one(body: Any) -> None:
    several, single = judged(400, body), judged(400, body, items=1)

    assert several.decision == "split"
    assert single.decision == "refused"
    assert single.refused is not None and list(single.refused) == [0]


@pytest.mark.parametrize(
    ("status", "body", "decision"),
    [
        (403, {"error_code": "403053", "message": "JWT is invalid"}, "token"),
        (403, {"error": {"code": "Forbidden", "details": {"error_code": "403000"}}}, "ours"),
        (403, b"<html>", "ours"),
        (404, b"", "ours"),
        (302, b"", "ours"),
        (413, b"", "split"),
        (429, b"", "wait"),
        (503, b"", "wait"),
        (0, b"", "wait"),
    ],
)
def test_other_answers_are_about_us_or_the_service(status: int, body: Any, decision: str) -> None:
    assert judged(status, body).decision == decision
