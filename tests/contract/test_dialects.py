"""What the sink's dialects say is what the services take: over a socket, and by the published schemas."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema_rs
import openapi
import pytest
from emulator_client import Client
from feed_items import GROUP_BOOK, ITEMS, KEYS
from http_answers import serve
from saas_contract import corrected, published, request_schema, with_contract
from signing_keys import private_key_pem
from test_optimizer_schemas import published_validator, with_contracts

from commerce_sync.emulator.server import Emulator
from consumers.sink.dialects import Dialect, Unmappable
from consumers.sink.dialects.choose import dialect_of
from consumers.sink.stamp import stamped
from consumers.sink.submit import Submitter
from runtime.settings import DIALECT_FEEDS, TargetSettings, load
from schemas.codec import decode, encode
from schemas.keys import canonical_json
from schemas.services.optimizer import FEED_RESOURCES, ROUTES
from schemas.services.saas import FEED_ROUTES

GOLDEN = Path(__file__).parents[1] / "golden" / "products"
NOW_S = 1_800_000_000
BATCH_ITEMS = 100
# What every product of a real shop has, where a case does not speak of it.
OF_A_SHOP = {"name": "A", "urlKey": "a", "url": "https://shop.test/a.html", "buyable": False}


@pytest.fixture(params=list(DIALECT_FEEDS))
def target(request: pytest.FixtureRequest, running: Emulator, client: Client) -> TargetSettings:
    """A target of each dialect at an empty emulator; `client` is what empties it."""
    return load(environ=running.settings_environment()).targets[request.param]


@pytest.fixture
def submitter(target: TargetSettings) -> Submitter:
    return Submitter(target, "test")


def text_of(dialect: Dialect, feed: str, payload: Mapping[str, Any], unix_s: int = NOW_S) -> bytes:
    """A payload as it travels."""
    return stamped(canonical_json(payload), dialect.stamp(feed), unix_s)


def golden_products() -> list[dict[str, Any]]:
    """Every golden item, made an item of its own."""
    cases = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(GOLDEN.glob("*.json"))]
    items = [OF_A_SHOP | item for case in cases for item in case["items"]]
    return [
        decode("products", encode("products", {**item, "sku": f"{item['sku']} {number}"}))
        for number, item in enumerate(items)
    ]


def test_every_golden_product_that_can_be_said_is_taken(
    target: TargetSettings, submitter: Submitter, client: Client
) -> None:
    """What cannot be said lacks a name, or where it needs one a slug; all else is held as it was sent."""
    dialect = dialect_of(target)
    said: list[dict[str, Any]] = []
    unsaid = []
    for item in golden_products():
        try:
            said.append(dialect.payload("products", item))
        except Unmappable as error:
            unsaid.append((item["name"], item["urlKey"], str(error)))
    texts = [text_of(dialect, "products", payload) for payload in said]
    verdicts = []
    for begin in range(0, len(texts), BATCH_ITEMS):
        batch = texts[begin : begin + BATCH_ITEMS]
        answer = submitter.post(dialect.path("products", "upsert"), b"[" + b",".join(batch) + b"]")
        verdicts.append(dialect.judge(answer, len(batch)))

    held = client.items("products" if target.dialect == "optimizer" else "saas/products")
    assert len(said) > 100
    assert {(verdict.decision, verdict.refused) for verdict in verdicts} == {("delivered", None)}
    assert sorted(canonical_json(item) for item in held) == sorted(
        canonical_json(json.loads(text)) for text in texts
    )
    assert [reason for name, slug, reason in unsaid if name and slug] == []


def test_every_feed_s_item_is_taken_and_taken_back(
    target: TargetSettings, submitter: Submitter, client: Client
) -> None:
    """Over the routes, the signatures and the judging that the sink itself uses."""
    dialect = dialect_of(target)
    for feed in DIALECT_FEEDS[target.dialect]:
        payload = dialect.payload(feed, ITEMS[feed])
        delete = dialect.delete_payload(feed, KEYS[feed], dialect.delete_members(feed, payload))
        where = FEED_RESOURCES[feed] if target.dialect == "optimizer" else f"saas/{feed}"

        upserted = submitter.post(dialect.path(feed, "upsert"), b"[%s]" % text_of(dialect, feed, payload))
        held = client.items(where)
        later = text_of(dialect, feed, delete, NOW_S + 1)
        deleted = submitter.post(dialect.path(feed, "delete"), b"[%s]" % later)

        assert dialect.judge(upserted, 1).decision == "delivered", upserted.body
        if feed != "prices" or target.dialect == "saas":  # a price goes only into a book that is there
            assert len(held) == 1
        assert dialect.judge(deleted, 1).decision == "delivered", deleted.body
        assert client.items(where) == []


def test_the_good_items_of_a_request_are_told_from_the_bad(running: Emulator, client: Client) -> None:
    """The emulated service takes them in part, the dialect says which."""
    target = load(environ=running.settings_environment()).targets["saas"]
    dialect, submitter = dialect_of(target), Submitter(target, "test")
    bodies = [dialect.payload("products", {**ITEMS["products"], "sku": sku}) for sku in "ABC"]
    bodies[1]["status"] = "on"

    answer = submitter.post(
        dialect.path("products", "upsert"),
        b"[%s]" % b",".join(text_of(dialect, "products", body) for body in bodies),
    )

    verdict = dialect.judge(answer, 3)
    assert verdict.decision == "delivered"
    assert verdict.refused == {1: 'status: does not have a value in the enumeration ["Enabled", "Disabled"]'}
    assert [item["sku"] for item in client.items("saas/products")] == ["A", "C"]


def test_a_refused_signature_asks_for_a_new_one(running: Emulator, client: Client) -> None:
    """With the fault gone the next request is let in."""
    target = load(environ=running.settings_environment()).targets["saas"]
    dialect, submitter = dialect_of(target), Submitter(target, "test")
    body = b"[%s]" % text_of(dialect, "products", dialect.payload("products", ITEMS["products"]))
    client.faults({"match": {"path": "/feeds/*"}, "do": {"status": 403}, "count": 1})
    decisions = []

    for _ in range(2):
        decisions.append(dialect.judge(submitter.post(dialect.path("products", "upsert"), body), 1).decision)
        submitter.forget_token()

    assert decisions == ["token", "delivered"]


@with_contracts
@pytest.mark.parametrize("feed", FEED_RESOURCES)
def test_optimizer_requests_are_what_is_published(feed: str) -> None:
    """Upserts by the whole schema, books of both kinds, and deletes."""
    dialect = dialect_of(TargetSettings(url="https://t"))
    routes = {route.operation: route for route in ROUTES if route.feed == FEED_RESOURCES[feed]}
    items = [ITEMS[feed], *([GROUP_BOOK] if feed == "priceBooks" else [])]
    bodies = {
        "upsert": [dialect.payload(feed, item) for item in items],
        "delete": [dialect.delete_payload(feed, KEYS[feed])],
    }

    for operation, body in bodies.items():
        sent = json.loads(canonical_json(body))
        errors = [error.message for error in published_validator(routes[operation]).iter_errors(sent)]
        assert errors == []


# Where no request can please the published schema, because it contradicts its own examples.
UNPLEASABLE = {
    "prices": 3,  # `regular` is an object, and codes of discounts are; each discount is exactly one of two
    "products": 1,  # `weightType` is a text, of which two numbers are listed
    "variants": 1,  # `websiteCode` is required and described nowhere
    "scopesWebsite": 1,  # a website is exactly one of two, each of which allows everything
    "scopesCustomerGroup": 1,
}


@with_contract
@pytest.mark.parametrize("feed", FEED_ROUTES)
def test_saas_requests_are_what_is_published(running: Emulator, feed: str) -> None:
    """By the schema without its contradictions; with them, only those are complained of."""
    target = load(environ=running.settings_environment()).targets["saas"]
    dialect, path = dialect_of(target), FEED_ROUTES[feed].path
    sent = [json.loads(text_of(dialect, feed, dialect.payload(feed, ITEMS[feed])))]
    description = published()

    complaints, contradicted = (
        [error.message for error in jsonschema_rs.Draft202012Validator(schema).iter_errors(sent)]
        for schema in (
            request_schema(corrected(description), path),
            request_schema(description, path),
        )
    )

    assert complaints == []
    assert len(contradicted) == UNPLEASABLE.get(feed, 0), contradicted


@openapi.with_openapi
@pytest.mark.parametrize("name", DIALECT_FEEDS)
def test_requests_go_to_published_paths_with_the_published_headers(name: str) -> None:
    """Small and compressed, with every header that is required and none of another value."""
    description = openapi.described(openapi.OPTIMIZER if name == "optimizer" else openapi.SAAS)
    places = [
        (feed, operation, text)
        for feed in DIALECT_FEEDS[name]
        for operation in ("upsert", "delete")
        for text in (b"[1]", b"[%s]" % (b"1," * 2_000))
    ]
    with serve(*[(200, {"access_token": "t", "expires_in": 3600}), *([(200, {})] * len(places))]) as service:
        target = _target(name, service.url)
        dialect, submitter = dialect_of(target), Submitter(target, "test")
        for feed, operation, text in places:
            submitter.post(dialect.path(feed, operation), text)

    asked = list(zip(service.requests, service.headers, strict=True))[name == "optimizer" :]
    wrong = {
        (method, path): complaints
        for (method, path, _), headers in asked
        if (complaints := _complaints(description, method, path.removeprefix("/of"), headers))
    }
    assert wrong == {}
    assert len(asked) == len(places)
    assert {headers.get("content-encoding") for _, headers in asked} == {None, "gzip"}


def _target(name: str, url: str) -> TargetSettings:
    key = {"api_key": "demo", "private_key": private_key_pem(), "environment_id": "demo"}
    token = {"token_url": f"{url}/token", "client_id": "demo", "client_secret": "demo"}
    auth = token if name == "optimizer" else key
    return TargetSettings.model_validate({"dialect": name, "url": f"{url}/of", "auth": auth})


def _complaints(of: dict[str, Any], method: str, path: str, headers: dict[str, str]) -> list[str]:
    """What is wrong with where a request went, and with its headers."""
    if (
        operation := of["paths"].get(path) or of["paths"].get(path.removesuffix("demo") + "{DATA_SPACE_ID}")
    ) is None:
        return ["no such path"]
    parameters = operation[method.lower()]["parameters"]
    shared = of["components"].get("parameters", {})
    named = [shared[p["$ref"].rpartition("/")[2]] if "$ref" in p else p for p in parameters]
    found = []
    for parameter in named:
        value = headers.get(parameter["name"].lower())
        if parameter["in"] == "header" and value is None and parameter["required"]:
            found.append(f"{parameter['name']} is missing")
        elif parameter["in"] == "header" and value is not None:
            found += [
                e.message for e in jsonschema_rs.Draft202012Validator(parameter["schema"]).iter_errors(value)
            ]
    return found
