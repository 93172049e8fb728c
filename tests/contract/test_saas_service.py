"""The emulated SaaS feed ingestion service as a client sees it."""

import base64
import gzip
import json
import time
from pathlib import Path
from typing import Any

import jsonschema_rs
import jwt
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from emulator_client import Client
from emulator_client import product as optimizer_product
from saas_client import SaasClient
from saas_contract import FILE
from saas_examples import FULL_ITEMS, delete

from commerce_sync.emulator.server import Emulator
from runtime.errors import UsageError
from schemas.services.saas import FEEDS

RESPONSES = FILE.parent / "api-schemas" / "legacy-saas-feed-response.json"


def product(sku: str = "A", at: str = "10:00:00", **members: Any) -> dict[str, Any]:
    return {**FULL_ITEMS["products"], "sku": sku, "modifiedAt": f"2026-11-20 {at}", **members}


def deleted_product(sku: str = "A", at: str = "10:00:00") -> dict[str, Any]:
    return {**delete("products"), "sku": sku, "modifiedAt": f"2026-11-20 {at}"}


def names(saas: SaasClient) -> dict[str, str]:
    return {item["sku"]: item["name"] for item in saas.items("products")}


@pytest.mark.parametrize("feed", FEEDS)
def test_every_feed_takes_an_update_and_its_delete(saas: SaasClient, feed: str) -> None:
    """A delete travels the update's way."""
    item = FULL_ITEMS[feed]
    later = {"modifiedAt": "2026-11-20 10:00:01"} if feed == "products" else {}

    updated = saas.send(feed, [item])
    held = saas.items(feed)
    deleted = saas.send(feed, [{**delete(feed), **later}])

    assert (updated.status_code, updated.json()) == (
        200,
        {"feedItemReceivedCount": 1, "invalidFeedItems": []},
    )
    assert updated.headers["content-type"] == "application/json;charset=UTF-8"
    assert held == [item]
    assert (deleted.status_code, deleted.json()) == (
        200,
        {"feedItemReceivedCount": 1, "invalidFeedItems": []},
    )
    assert saas.items(feed) == []


def test_good_items_are_taken_although_others_are_refused(saas: SaasClient) -> None:
    """The answer says 200 and lists the others."""
    bad = product("B", status="on")
    incomplete = {"deleted": True, "sku": "C"}

    answer = saas.send("products", [bad, product("A"), incomplete, product("D")])

    body = answer.json()
    assert answer.status_code == 200
    assert body["feedItemReceivedCount"] == 2
    assert [(error["itemIndex"], error["code"]) for error in body["invalidFeedItems"]] == [
        (0, "status"),
        (2, "websiteCode"),
        (2, "storeCode"),
        (2, "storeViewCode"),
        (2, "modifiedAt"),
    ]
    assert body["invalidFeedItems"][0]["message"] == (
        'status: does not have a value in the enumeration ["Enabled", "Disabled"]'
    )
    assert list(names(saas)) == ["A", "D"]


def test_without_a_good_item_the_request_is_refused(saas: SaasClient) -> None:
    answer = saas.send("products", [product(status="on"), 5])

    body = answer.json()
    assert answer.status_code == 400
    assert body["feedItemReceivedCount"] == 0
    assert [error["itemIndex"] for error in body["invalidFeedItems"]] == [0, 1]
    assert saas.items("products") == []


def test_the_log_names_what_was_taken(saas: SaasClient) -> None:
    answer = saas.send("products", [product("B"), product("C", status="on"), product("A")])

    entry = saas.last_request()
    assert entry["path"] == "/feeds/catalog/v2/products/demo"
    assert (entry["item_count"], entry["status"], entry["stored"]) == (3, 200, True)
    assert entry["identities"] == [["B", "us_en"], ["A", "us_en"]]
    assert entry["request_id"] == answer.headers["x-request-id"]


def test_the_time_of_sending_is_no_content(saas: SaasClient) -> None:
    """An item that was sent twice says the same both times, in the log."""
    saas.send("products", [product("C", status="on"), product("A")])
    (first,) = saas.last_request()["contents"]
    saas.send("products", [product("A", at="10:00:09")])
    (again,) = saas.last_request()["contents"]
    saas.send("products", [product("A", name="another")])
    (other,) = saas.last_request()["contents"]

    assert first == again
    assert other != first


def test_a_category_is_known_by_its_id_wherever_it_moves(saas: SaasClient) -> None:
    """A delete of the old path is a delete of the category."""
    moved = {**FULL_ITEMS["categories"], "urlPath": "bags", "path": "1/3"}

    saas.send("categories", [FULL_ITEMS["categories"]])
    saas.send("categories", [moved])
    held = saas.items("categories")
    saas.send("categories", [delete("categories")])

    assert held == [moved]
    assert saas.items("categories") == []


def test_nothing_goes_with_a_deleted_category(saas: SaasClient) -> None:
    """No cascade is published: every category is an item of its own."""
    child = {**FULL_ITEMS["categories"], "categoryId": "4", "path": "1/2/3/4", "urlPath": "gear/bags/4"}
    saas.send("categories", [FULL_ITEMS["categories"], child])

    saas.send("categories", [delete("categories")])

    assert saas.items("categories") == [child]


def test_websites_and_customer_groups_share_a_route(saas: SaasClient) -> None:
    website, group = FULL_ITEMS["scopesWebsite"], FULL_ITEMS["scopesCustomerGroup"]

    answer = saas.send("scopesWebsite", [group, website, {"deleted": False}])

    assert [error["itemIndex"] for error in answer.json()["invalidFeedItems"]] == [2]
    assert saas.items("scopesWebsite") == [website]
    assert saas.items("scopesCustomerGroup") == [group]


def test_a_website_is_judged_as_one_whatever_else_it_holds(saas: SaasClient) -> None:
    both = {**FULL_ITEMS["scopesCustomerGroup"], "website": {"websiteCode": 5}}

    assert saas.send("scopesWebsite", [both]).status_code == 400


@pytest.mark.parametrize(("at", "held"), [("09:59:59", "old"), ("10:00:00", "old"), ("10:00:01", "new")])
def test_a_product_changes_only_by_a_newer_one(saas: SaasClient, at: str, held: str) -> None:
    """What is not newer is accepted and changes nothing, as the description says of modifiedAt."""
    saas.send("products", [product(name="old")])

    answer = saas.send("products", [product(name="new", at=at)])

    assert answer.json()["feedItemReceivedCount"] == 1
    assert names(saas) == {"A": held}


@pytest.mark.parametrize(("at", "held"), [("10:00:00", ["A"]), ("10:00:01", [])])
def test_a_product_goes_only_by_a_newer_delete(saas: SaasClient, at: str, held: list[str]) -> None:
    saas.send("products", [product()])

    saas.send("products", [deleted_product(at=at)])

    assert list(names(saas)) == held


def test_of_one_product_twice_in_a_request_the_last_counts(saas: SaasClient) -> None:
    saas.send("products", [product(), deleted_product(at="10:00:01"), product(at="10:00:02", name="back")])

    assert names(saas) == {"A": "back"}


def test_a_delete_of_something_unknown_is_accepted(saas: SaasClient) -> None:
    assert saas.send("prices", [delete("prices")]).json()["feedItemReceivedCount"] == 1


def test_gzip_is_inflated(saas: SaasClient) -> None:
    assert saas.send("products", [product()], compressed=True).status_code == 200
    assert list(names(saas)) == ["A"]


def test_both_services_keep_their_items_apart(client: Client, saas: SaasClient) -> None:
    """A name without its service is the optimizer's where both are served."""
    client.send("/v1/catalog/products", [optimizer_product("OPTIMIZER")])
    saas.send("products", [product("SAAS")])

    assert [item["sku"] for item in client.items("products")] == ["OPTIMIZER"]
    assert [item["sku"] for item in client.items("saas/products")] == ["SAAS"]


def test_a_service_that_is_not_served_is_not_found() -> None:
    """Alone, its feeds need no prefix."""
    with Emulator(dialect="saas") as emulator:
        saas, client = SaasClient(emulator), Client(emulator)
        saas.send("products", [product("SAAS")])
        held = client.items("products")
        absent = client.send("/v1/catalog/products", [optimizer_product()])

    assert [item["sku"] for item in held] == ["SAAS"]
    assert absent.status_code == 404
    with Emulator() as emulator:
        assert "COMMERCE_SYNC__TARGETS__SAAS__URL" not in emulator.settings_environment()


KEY_MISSING = {
    "error": {"code": "Forbidden", "message": "Client ID is missing", "details": {"error_code": "403000"}}
}
INVALID = {"error_code": "403053", "message": "JWT is invalid"}


def pem(key: rsa.RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def forged(saas: SaasClient) -> str:
    """Signed with the public key as if it were a shared secret."""
    private_key = load_pem_private_key(saas.private_key.encode(), None)
    public_key = private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [{"alg": "HS256", "typ": "JWT"}, {"exp": 9_999_999_999}]
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signed = base64.urlsafe_b64encode(signature.sign(text, public_key)).rstrip(b"=")
    return (text + b"." + signed).decode()


def test_a_request_without_its_key_is_not_let_in(saas: SaasClient) -> None:
    missing = saas.send("products", [product()], headers={"x-api-key": None})
    unknown = saas.send("products", [product()], headers={"x-api-key": "other"})

    assert (missing.status_code, missing.json()) == (403, KEY_MISSING)
    assert (unknown.status_code, unknown.json()["error_code"]) == (403, "403003")
    assert saas.items("products") == []


def test_a_request_without_a_signature_that_holds_is_not_let_in(saas: SaasClient) -> None:
    """Unsigned, signed by another, by a shared secret, expired, without an end, or valid for too long."""
    stranger = pem(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    signatures = {
        "none": None,
        "rubbish": "a.b.c",
        "unsigned": jwt.encode({"exp": 9_999_999_999}, None, "none"),
        "by another algorithm": jwt.encode({"exp": int(time.time()) + 300}, saas.private_key, "RS512"),
        "a stranger's": saas.signature(key=stranger),
        "a shared secret's": forged(saas),
        "expired": saas.signature(exp=1_000_000_000),
        "endless": jwt.encode({}, saas.private_key, "RS256"),
        "too long": saas.signature(now_s=9_000_000_000),
        "of another kind": saas.signature(exp="soon"),
    }

    answers = {
        name: saas.send("products", [product()], headers={"x-gw-signature": signature})
        for name, signature in signatures.items()
    }

    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(signatures, 403)
    assert [answer.json() for answer in answers.values()] == [INVALID] * len(signatures)
    assert saas.items("products") == []


def test_a_signature_may_hold_ten_minutes(saas: SaasClient) -> None:
    now = [1000.0]
    with Emulator(dialect="saas", clock=lambda: now[0]) as emulator:
        client = SaasClient(emulator)
        longest = client.signature(exp=1600)
        answers = []
        for now[0] in (1000.0, 1599.0, 1600.0):
            answer = client.send("products", [product()], headers={"x-gw-signature": longest})
            answers.append(answer.status_code)

    assert answers == [200, 200, 403]


def test_the_environment_header_must_be_true_when_it_comes(saas: SaasClient) -> None:
    right = saas.send("products", [product()], headers={"Magento-Environment-Id": "demo"})
    wrong = saas.send("products", [product()], headers={"Magento-Environment-Id": "other"})

    assert [right.status_code, wrong.status_code] == [200, 403]


def test_signatures_are_checked_with_the_configured_key(tmp_path: Path) -> None:
    """Its private half is then not ours to give out."""
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file = tmp_path / "public.pem"
    file.write_bytes(private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with Emulator(dialect="saas", public_key_file=str(file)) as emulator:
        saas = SaasClient(emulator)
        answer = saas.send(
            "products", [product()], headers={"x-gw-signature": saas.signature(key=pem(private_key))}
        )
        settings = emulator.settings_environment()

    assert answer.status_code == 200
    assert "COMMERCE_SYNC__TARGETS__SAAS__AUTH__PRIVATE_KEY" not in settings


@pytest.mark.parametrize("content", [None, b"rubbish"])
def test_a_public_key_that_cannot_be_used_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "public.pem"
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(UsageError, match=f"--public-key {file}"):
        Emulator(dialect="saas", public_key_file=str(file))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/catalog/v2/products/other", 404),
        ("POST", "/catalog/v2/products", 404),
        ("POST", "/catalog/v1/products/demo", 404),
        ("GET", "/catalog/v2/products/demo", 405),
        ("PUT", "/catalog/v2/products/demo", 405),
    ],
)
def test_paths_and_methods_are_those_of_the_contract(
    saas: SaasClient, method: str, path: str, status: int
) -> None:
    answer = saas.send("products", [product()], path=path, method=method)

    assert answer.status_code == status
    assert ("allow" in answer.headers) == (status == 405)


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{}", {}, 400),
        (b"[]", {}, 400),
        (b"[1", {}, 400),
        (b"", {}, 400),
        (b"[]", {"Content-Encoding": "gzip"}, 400),
        (gzip.compress(b" " * (33 * 1024 * 1024)), {"Content-Encoding": "gzip"}, 413),
        (b"[]", {"Content-Type": "text/plain"}, 415),
    ],
)
def test_a_body_that_cannot_be_read_takes_nothing(
    saas: SaasClient, body: bytes, headers: dict[str, str | None], status: int
) -> None:
    answer = saas.send("products", body=body, headers=headers)

    assert answer.status_code == status
    if status == 400:
        assert (answer.json()["feedItemReceivedCount"], answer.json()["invalidFeedItems"]) == (0, [])


def test_more_items_than_a_request_may_hold_are_refused(saas: SaasClient) -> None:
    prices = [{**FULL_ITEMS["prices"], "sku": f"P{number}"} for number in range(501)]

    full = saas.send("prices", prices[:500])
    over = saas.send("prices", prices)

    assert full.json()["feedItemReceivedCount"] == 500
    assert over.status_code == 400
    assert [(error["itemIndex"], error["code"]) for error in over.json()["invalidFeedItems"]] == [
        (500, "items_limit_exceeded")
    ]


def test_requests_beyond_the_allowance_are_told_when_to_come_again() -> None:
    now = [1000.0]
    with Emulator(dialect="saas", clock=lambda: now[0], requests_per_minute=2) as emulator:
        saas = SaasClient(emulator)

        def send(sku: str) -> requests.Response:
            signature = saas.signature(now_s=now[0])
            return saas.send("products", [product(sku)], headers={"x-gw-signature": signature})

        accepted = [send(sku).status_code for sku in "AB"]
        now[0] += 17.5
        refused = send("C")
        now[0] += 42.5
        later = send("C")

    assert accepted == [200, 200]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "43")
    assert later.status_code == 200


def test_products_have_an_allowance_of_their_own() -> None:
    with Emulator(dialect="saas", products_per_minute=3) as emulator:
        saas = SaasClient(emulator)
        prices = saas.send("prices", [{**FULL_ITEMS["prices"], "sku": sku} for sku in "ABCDE"])
        statuses = [
            saas.send("products", [product(sku) for sku in skus]).status_code for skus in ("AB", "CD", "E")
        ]
        held = list(names(saas))

    assert prices.status_code == 200
    assert statuses == [200, 429, 200]
    assert held == ["A", "B", "E"]


def test_a_fault_refuses_one_product_of_a_request(saas: SaasClient) -> None:
    saas.faults({"match": {"sku": "B"}, "do": {"invalid": True}})

    answer = saas.send("products", [product("A"), product("B")])

    body = answer.json()
    assert (answer.status_code, body["feedItemReceivedCount"]) == (200, 1)
    assert [(error["itemIndex"], error["value"]) for error in body["invalidFeedItems"]] == [(1, "B")]
    assert list(names(saas)) == ["A"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"feedItemReceivedCount": 0, "invalidFeedItems": [], "message": "Refused by a fault rule"}),
        (403, INVALID),
        (503, None),
    ],
)
def test_a_fault_answers_in_the_service_s_own_shape(
    saas: SaasClient, status: int, body: dict[str, Any] | None
) -> None:
    saas.faults({"match": {"path": "/catalog/v2/products/*"}, "do": {"status": status, "retry_after": 7}})

    answer = saas.send("products", [product()])

    assert (answer.status_code, answer.headers["retry-after"]) == (status, "7")
    assert body is None or answer.json() == body
    assert saas.items("products") == []


@pytest.mark.parametrize(("when", "held"), [("before", []), ("after", ["A"])])
def test_a_dropped_connection_gives_no_answer(saas: SaasClient, when: str, held: list[str]) -> None:
    saas.faults({"match": {"path": "/feeds/*"}, "do": {"drop": when}, "count": 1})

    with pytest.raises(requests.ConnectionError):
        saas.send("products", [product("A")])

    assert list(names(saas)) == held


@pytest.mark.skipif(not RESPONSES.is_file(), reason="the published contract is not here")
def test_answers_have_the_published_shapes(saas: SaasClient) -> None:
    schema = json.loads(RESPONSES.read_text())
    answers = [
        ("processed", saas.send("products", [product(), product("B", status="on")])),
        ("allInvalid", saas.send("products", [product(status="on")])),
        ("forbidden", saas.send("products", [], headers={"x-gw-signature": None})),
        ("forbidden", saas.send("products", [], headers={"x-api-key": None})),
    ]

    assert [answer.status_code for _, answer in answers] == [200, 400, 403, 403]
    for name, answer in answers:
        validator = jsonschema_rs.Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})
        assert [error.message for error in validator.iter_errors(answer.json())] == []
