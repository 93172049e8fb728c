"""The optimizer service over a real socket: what it accepts, what it refuses, and in which words."""

import gzip
import json
import socket
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from emulator_client import Client, product
from optimizer_examples import FULL_ITEMS, example

from commerce_sync.emulator.body import BODY_BYTES_MAX
from commerce_sync.emulator.server import Emulator
from runtime.settings import load
from schemas.services.optimizer import ROUTES, Route

CONTRACTS = Path(__file__).parents[2].parent / "shared" / "contracts" / "api-schemas"
PRODUCTS = "/v1/catalog/products"


def failed(count: int, *errors: tuple[int, str, str, str]) -> dict[str, Any]:
    names = ("itemIndex", "code", "message", "value")
    return {
        "status": "FAILED",
        "message": f"Items validation failed for {count} items",
        "errors": [dict(zip(names, error, strict=True)) for error in errors],
    }


def without(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {member: value for member, value in item.items() if member != name}


STATUS_MESSAGE = 'status: does not have a value in the enumeration ["ENABLED", "DISABLED"]'
NOT_ALLOWED = "property 'id' is not defined in the schema and the schema does not allow additional properties"
REFUSED = {
    "the published example": (
        PRODUCTS,
        [product(status="active"), without(product(), "source")],
        failed(
            2,
            (0, "status", STATUS_MESSAGE, "active"),
            (1, "source", "required property 'source' not found", ""),
        ),
    ),
    "a missing nested member": (
        PRODUCTS,
        [product(source={})],
        failed(1, (0, "source.locale", "source: required property 'locale' not found", "")),
    ),
    "a wrong type": (
        PRODUCTS,
        [product(name=5, attributes=[{"code": "a", "values": [True]}])],
        failed(
            1,
            (0, "name", "name: integer found, string expected", "5"),
            (
                0,
                "attributes[0].values[0]",
                "attributes[0].values[0]: boolean found, string expected",
                "true",
            ),
        ),
    ),
    "a null where text is needed": (
        PRODUCTS,
        [product(name=None, description=1)],
        failed(
            1,
            (0, "name", "name: null found, string expected", "null"),
            (0, "description", "description: integer found, [string, null] expected", "1"),
        ),
    ),
    "no object": (PRODUCTS, ["A"], failed(1, (0, "$", "string found, object expected", "A"))),
    "a child twice in a bundle": (
        PRODUCTS,
        [
            product(
                bundles=[
                    {"group": "One", "items": [{"sku": "C"}]},
                    {"group": "Two", "items": [{"sku": "C"}]},
                ]
            )
        ],
        failed(1, (0, "bundles", "Duplicate SKU found in bundle items", "C")),
    ),
    "more items than a request may hold": (
        PRODUCTS,
        [product(f"P{number}") for number in range(102)],
        failed(
            2,
            *(
                (index, "items_limit_exceeded", "items limit exceeded: at most 100 items in one request", "")
                for index in (100, 101)
            ),
        ),
    ),
    "a slug with upper case": (
        "/v1/catalog/categories",
        [{"slug": "Gear", "source": {"locale": "en"}, "name": "Gear"}],
        failed(
            1,
            (0, "slug", "slug: does not match the regex pattern ^[a-z0-9-]+(?:/[a-z0-9-]+)*$", "Gear"),
        ),
    ),
    "an unlisted member of a category": (
        "/v1/catalog/categories",
        [{"slug": "gear", "source": {"locale": "en"}, "name": "Gear", "id": 5}],
        failed(
            1,
            (
                0,
                "id",
                NOT_ALLOWED,
                "5",
            ),
        ),
    ),
    "a price book id of 65 characters": (
        "/v1/catalog/price-books",
        [{"priceBookId": "x" * 65, "name": "", "currency": "USD"}],
        failed(
            1,
            (0, "name", "name: must be at least 1 characters long", ""),
            (0, "priceBookId", "priceBookId: must be at most 64 characters long", "x" * 65),
        ),
    ),
    "a discount that is worth nothing": (
        "/v1/catalog/products/prices",
        [{"sku": "A", "priceBookId": "main", "regular": 1, "discounts": [{"code": "d"}]}],
        failed(
            1,
            (0, "discounts[0].price", "discounts[0]: required property 'price' not found", ""),
        ),
    ),
}


@pytest.mark.parametrize(("path", "items", "answer"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_item_is_named_with_what_is_wrong(
    client: Client, path: str, items: list[Any], answer: dict[str, Any]
) -> None:
    """The order of findings within one item is the validator's affair."""
    response = client.send(path, items)

    body = response.json()
    by_place = {"key": lambda error: (error["itemIndex"], error["code"])}
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    assert sorted(body.pop("errors"), **by_place) == sorted(answer["errors"], **by_place)
    assert body == without(answer, "errors")


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.feed}-{route.operation}")
def test_every_operation_accepts_a_valid_item(client: Client, route: Route) -> None:
    response = client.send(route.path, [example(route)], method=route.method)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json;charset=UTF-8"
    assert response.json() == {"status": "ACCEPTED", "acceptedCount": 1}


def test_one_bad_item_keeps_the_whole_request_out(client: Client) -> None:
    response = client.send(PRODUCTS, [product("A"), product("B", status="on"), product("C")])

    assert [error["itemIndex"] for error in response.json()["errors"]] == [1]
    assert client.items("products") == []


def test_an_upsert_replaces_the_item_and_items_are_sorted_by_identity(client: Client) -> None:
    client.send(PRODUCTS, [product("B", description="old"), product("A", "fr"), product("A", "en")])

    client.send(PRODUCTS, [product("B", name="New")])

    assert client.items("products") == [
        product("A", "en"),
        product("A", "fr"),
        product("B", name="New"),
    ]


def test_numbers_are_kept_as_they_were_spelled(client: Client) -> None:
    """An amount must not change on its way through a binary fraction."""
    body = b'[{"sku": "A", "priceBookId": "main",\n "regular": 19.90}]'

    client.send("/v1/catalog/products/prices", body=body)

    answer = client.session.get(f"{client.emulator.read_url}/prices", timeout=10)
    assert answer.text == '{"sku":"A","priceBookId":"main","regular":19.90}\n'
    assert answer.headers["content-type"] == "application/x-ndjson"


def test_a_long_list_of_items_is_given_whole(client: Client) -> None:
    """More than one page, each item once and in order."""
    for first in range(0, 1300, 100):
        client.send(PRODUCTS, [product(f"P{number:04}") for number in range(first, first + 100)])

    assert [item["sku"] for item in client.items("products")] == [f"P{number:04}" for number in range(1300)]


def test_gzip_is_inflated(client: Client) -> None:
    response = client.send(PRODUCTS, [product()], compressed=True)

    assert response.json() == {"status": "ACCEPTED", "acceptedCount": 1}
    assert client.items("products") == [product()]


def message_only(message: str) -> dict[str, Any]:
    return {"status": "FAILED", "message": message, "errors": []}


GZIP = {"Content-Encoding": "gzip"}
UNREADABLE = {
    "no array": (b"{}", {}, "Request body must be a JSON array of items"),
    "an empty array": (b"[]", {}, "Request body holds no items"),
    "no JSON": (b"[1", {}, "Request body is not valid JSON"),
    "nothing": (b"", {}, "Request body is not valid JSON"),
    "no UTF-8": (b'["\xff"]', {}, "Request body is not valid JSON"),
    "endless nesting": (b"[" * 100_000, {}, "Request body is not valid JSON"),
    "no gzip": (b"[]", GZIP, "Request body is not valid gzip"),
    "half a gzip stream": (gzip.compress(b"[]")[:-4], GZIP, "Request body is not one whole gzip stream"),
    "two gzip streams": (gzip.compress(b"[]") * 2, GZIP, "Request body is not one whole gzip stream"),
}


@pytest.mark.parametrize(("body", "headers", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_body_that_cannot_be_read_is_refused_without_a_list(
    client: Client, body: bytes, headers: dict[str, str | None], message: str
) -> None:
    response = client.send(PRODUCTS, body=body, headers=headers)

    assert (response.status_code, response.json()) == (400, message_only(message))


def test_a_decompression_bomb_is_refused(client: Client) -> None:
    bomb = gzip.compress(b" " * (BODY_BYTES_MAX + 1))

    response = client.send(PRODUCTS, body=bomb, headers=GZIP)

    assert response.status_code == 413
    assert len(bomb) < 100_000


def test_a_product_over_200_kilobytes_is_refused(client: Client) -> None:
    fitting, heavy = product("A", description="x" * 200_000), product("B", description="x" * 204_800)

    accepted = client.send(PRODUCTS, [fitting])
    refused = client.send(PRODUCTS, [fitting, heavy])

    assert accepted.status_code == 200
    assert [(error["itemIndex"], error["code"]) for error in refused.json()["errors"]] == [
        (1, "item_size_exceeded")
    ]


def test_prices_may_come_by_five_hundred(client: Client) -> None:
    prices = [{"sku": f"P{number}", "priceBookId": "main", "regular": 1} for number in range(501)]

    full = client.send("/v1/catalog/products/prices", prices[:500])
    over = client.send("/v1/catalog/products/prices", prices)

    assert full.json() == {"status": "ACCEPTED", "acceptedCount": 500}
    assert [error["itemIndex"] for error in over.json()["errors"]] == [500]


MISSING = {
    "title": "ErrMissingOauthToken",
    "status": "403",
    "error_code": "403010",
    "message": "Oauth token is missing",
}
INVALID = {
    "title": "ErrInvalidOauthToken",
    "status": "401",
    "error_code": "401013",
    "message": "Oauth token is not valid",
}


@pytest.mark.parametrize(
    ("authorization", "status", "body"),
    [(None, 403, MISSING), ("Bearer guess", 401, INVALID), ("Basic ZGVtbw==", 401, INVALID)],
)
def test_a_request_needs_a_token_that_was_given_out(
    client: Client, authorization: str | None, status: int, body: dict[str, str]
) -> None:
    response = client.send(PRODUCTS, [product()], headers={"Authorization": authorization})

    assert (response.status_code, response.json()) == (status, body)
    assert client.items("products") == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/v1/catalog/attributes/metadata", {}, 404),
        ("POST", "/v1/catalog/products/", {}, 404),
        ("GET", PRODUCTS, {}, 405),
        ("PUT", PRODUCTS, {}, 405),
        ("PATCH", "/v1/catalog/products/layers", {}, 405),
        ("PATCH", "/v1/catalog/products/delete", {}, 405),
        ("POST", PRODUCTS, {"Content-Type": None}, 415),
        ("POST", PRODUCTS, {"Content-Type": "text/plain"}, 415),
        ("POST", PRODUCTS, {"Content-Encoding": "br"}, 415),
        ("POST", PRODUCTS, {"Content-Type": "application/json; charset=utf-8"}, 200),
    ],
)
def test_paths_methods_and_media_types_are_those_of_the_contract(
    client: Client, method: str, path: str, headers: dict[str, str | None], status: int
) -> None:
    response = client.send(path, [product()], method=method, headers=headers)

    assert response.status_code == status
    assert ("allow" in response.headers) == (status == 405)


def test_another_tenant_is_not_found(client: Client) -> None:
    response = client.send(PRODUCTS, [product()], base=f"{client.emulator.base_url}/other")

    assert response.status_code == 404


def test_every_answer_carries_its_own_request_id(client: Client) -> None:
    answers = [
        client.send(PRODUCTS, [product()]),
        client.send(PRODUCTS, []),
        client.send("/nowhere", []),
        client.fetch_token(),
        client.session.get(f"{client.emulator.base_url}/_emulator/healthz", timeout=10),
    ]

    assert len({answer.headers["x-request-id"] for answer in answers}) == 5


@pytest.mark.parametrize(
    ("changed", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "someone"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_tokens_are_given_to_the_known_client_only(
    client: Client, changed: dict[str, str], status: int, error: str
) -> None:
    response = client.fetch_token(**changed)

    assert (response.status_code, response.json()["error"]) == (status, error)


def test_a_token_lasts_a_day_by_default(client: Client) -> None:
    body = client.fetch_token().json()

    assert (body["token_type"], body["expires_in"]) == ("bearer", 86400)
    assert set(body) == {"access_token", "token_type", "expires_in"}


def test_an_expired_token_is_refused_and_a_new_one_accepted() -> None:
    now = [1000.0]
    with Emulator(clock=lambda: now[0], token_lifetime_s=600) as emulator:
        client = Client(emulator)
        client.fetch_token()
        now[0] += 599
        before = client.send(PRODUCTS, [product()])
        now[0] += 1
        after = client.send(PRODUCTS, [product()])
        client.fetch_token()
        renewed = client.send(PRODUCTS, [product()])

    assert [before.status_code, after.status_code, renewed.status_code] == [200, 401, 200]
    assert after.json() == INVALID


def test_requests_beyond_the_allowance_are_told_when_to_come_again() -> None:
    now = [1000.0]
    with Emulator(clock=lambda: now[0], requests_per_minute=2) as emulator:
        client = Client(emulator)
        client.fetch_token()
        accepted = [client.send(PRODUCTS, [product(sku)]).status_code for sku in "AB"]
        now[0] += 17.5
        refused = client.send(PRODUCTS, [product("C")])
        now[0] += 42.5
        later = client.send(PRODUCTS, [product("C")])

    assert accepted == [200, 200]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "43")
    assert refused.headers["content-type"] == "text/html;charset=UTF-8"
    assert later.status_code == 200


def test_products_have_an_allowance_of_their_own() -> None:
    """Refused products are not stored; other feeds do not count."""
    with Emulator(clock=lambda: 1000.0, products_per_minute=3) as emulator:
        client = Client(emulator)
        client.fetch_token()
        metadata = client.send("/v1/catalog/products/metadata", [FULL_ITEMS["product-attributes"]] * 9)
        statuses = [
            client.send(PRODUCTS, [product(sku) for sku in skus]).status_code for skus in ("AB", "CD", "E")
        ]
        held = [item["sku"] for item in client.items("products")]

    assert metadata.status_code == 200
    assert statuses == [200, 429, 200]
    assert held == ["A", "B", "E"]


def test_the_log_tells_what_was_accepted_and_when(client: Client) -> None:
    since = client.last_id()
    accepted = client.send(PRODUCTS, [product("B"), product("A")])
    refused = client.send(PRODUCTS, [product("C", status="on")])

    entries = client.log(since)

    times = [entry.pop("time") for entry in entries]
    contents = [len(set(entry.pop("contents"))) for entry in entries]
    host = client.emulator.base_url.removeprefix("http://")
    common = {"method": "POST", "path": "/demo/v1/catalog/products", "host": host}
    assert times == sorted(times)
    assert contents == [2, 0]
    assert entries == [
        {
            **common,
            "id": since + 1,
            "item_count": 2,
            "status": 200,
            "request_id": accepted.headers["x-request-id"],
            "stored": True,
            "identities": [["B", "default"], ["A", "default"]],
        },
        {
            **common,
            "id": since + 2,
            "item_count": 1,
            "status": 400,
            "request_id": refused.headers["x-request-id"],
            "stored": False,
            "identities": [],
        },
    ]


def test_the_log_tells_whether_an_item_said_something_new(client: Client) -> None:
    """Each item's content has a hash in the place of its identity."""
    since = client.last_id()
    client.send(PRODUCTS, [product("A"), product("B")])
    client.send(PRODUCTS, [product("B", name="another"), product("A")])

    (a, b), (other_b, same_a) = (entry["contents"] for entry in client.log(since))

    assert same_a == a
    assert len({a, b, other_b}) == 3


@pytest.mark.parametrize("path", ["items/nothing", "requests?since=x"])
def test_control_requests_that_make_no_sense_are_told_so(client: Client, path: str) -> None:
    answer = client.session.get(f"{client.emulator.base_url}/_emulator/{path}", timeout=10)

    assert answer.status_code in {400, 404}
    assert "error" in answer.json()


def test_items_in_a_file_survive_the_emulator(tmp_path: Path) -> None:
    database = str(tmp_path / "items.db")
    with Emulator(database=database) as emulator:
        client = Client(emulator)
        client.fetch_token()
        client.send(PRODUCTS, [product("A")])

    with Emulator(database=database) as emulator:
        held = Client(emulator).items("products")

    assert held == [product("A")]


def test_an_outage_keeps_address_items_and_tokens() -> None:
    with Emulator() as emulator:
        client = Client(emulator)
        client.fetch_token()
        client.send(PRODUCTS, [product("A")])
        address = emulator.url
        emulator.stop()
        with pytest.raises(OSError):
            client.send(PRODUCTS, [product("B")])
        emulator.start()
        client.send(PRODUCTS, [product("C")])
        held = [item["sku"] for item in client.items("products")]

    assert emulator.url == address
    assert held == ["A", "C"]


def test_answers_do_not_wait_for_acknowledgements(client: Client) -> None:
    """Without TCP_NODELAY a small answer in two writes takes 40 ms."""
    client.send(PRODUCTS, [product()])

    server = client.emulator._server
    assert server is not None
    transports = [connection.transport for connection in server.server_state.connections]
    options = [
        transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        for transport in transports
    ]
    assert set(options) == {1}


def test_the_environment_it_names_points_a_target_at_it(running: Emulator) -> None:
    """The pipeline's own settings understand it."""
    target = load(environ=running.settings_environment()).targets["optimizer"]

    assert target.url == running.url
    assert target.read_url == running.read_url
    assert target.auth.token_url == running.token_url
    assert target.auth.client_id == "demo"
    assert target.auth.client_secret.get_secret_value() == "demo-secret"


def test_the_environment_it_names_points_a_saas_target_at_it(running: Emulator) -> None:
    """With the private key it made for itself."""
    target = load(environ=running.settings_environment()).targets["saas"]

    assert (target.dialect, target.url, target.read_url) == (
        "saas",
        running.saas_url,
        f"{running.read_url}/saas",
    )
    assert (target.auth.api_key, target.auth.environment_id) == ("demo", "demo")
    assert target.auth.private_key.get_secret_value().startswith("-----BEGIN PRIVATE KEY-----")


@pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the published contracts are not here")
def test_answers_have_the_published_shapes(client: Client) -> None:
    schema = json.loads((CONTRACTS / "products.json").read_text())
    answers = {
        "accepted": client.send(PRODUCTS, [product()]),
        "rejected": client.send(PRODUCTS, [product(status="on"), {}]),
        "unauthorized": client.send(PRODUCTS, [], headers={"Authorization": "Bearer x"}),
        "forbidden": client.send(PRODUCTS, [], headers={"Authorization": None}),
    }

    for name, answer in answers.items():
        validator = jsonschema_rs.Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})
        assert [error.message for error in validator.iter_errors(answer.json())] == []
