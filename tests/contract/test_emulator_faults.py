"""Every way to misbehave, tried over a real socket."""

import time

import pytest
import requests
from emulator_client import Client, product

PRODUCTS = "/v1/catalog/products"
HERE = {"path": PRODUCTS}


def skus(client: Client) -> list[str]:
    return [item["sku"] for item in client.items("products")]


def test_a_status_before_storing_keeps_the_items_out(client: Client) -> None:
    client.faults({"match": HERE, "do": {"status": 503, "retry_after": 7}, "count": 1})

    first = client.send(PRODUCTS, [product("A")])
    kept_out = skus(client)
    second = client.send(PRODUCTS, [product("A")])

    assert (first.status_code, first.headers["retry-after"]) == (503, "7")
    assert kept_out == []
    assert second.status_code == 200


def test_a_status_after_storing_hides_the_acceptance(client: Client) -> None:
    client.faults({"match": HERE, "do": {"status": 500, "when": "after"}})

    response = client.send(PRODUCTS, [product("A")])

    entry = client.log()[-1]
    assert response.status_code == 500
    assert skus(client) == ["A"]
    assert (entry["status"], entry["stored"], entry["identities"]) == (500, True, [["A", "default"]])


@pytest.mark.parametrize(("when", "held"), [("before", []), ("after", ["A"])])
def test_a_dropped_connection_gives_no_answer(client: Client, when: str, held: list[str]) -> None:
    client.faults({"match": HERE, "do": {"drop": when}, "count": 1})

    with pytest.raises(requests.ConnectionError):
        client.send(PRODUCTS, [product("A")])

    entry = client.log()[-1]
    assert skus(client) == held
    assert (entry["status"], entry["stored"]) == (None, when == "after")
    assert client.send(PRODUCTS, [product("B")]).status_code == 200


def test_a_drop_closes_only_the_connection_of_its_request(client: Client) -> None:
    other = Client(client.emulator, token=client.token)
    other.send(PRODUCTS, [product("A")])
    client.faults({"match": {"sku": "B"}, "do": {"drop": "before"}})

    with pytest.raises(requests.ConnectionError):
        client.send(PRODUCTS, [product("B")])
    answer = other.send(PRODUCTS, [product("C")])

    assert answer.status_code == 200
    assert skus(client) == ["A", "C"]


def test_a_delay_before_storing_outlasts_the_client(client: Client) -> None:
    """The items land although their sender has given up."""
    client.faults({"match": HERE, "do": {"delay_ms": 300}, "count": 1})

    with pytest.raises(requests.Timeout):
        client.send(PRODUCTS, [product("A")], timeout=0.1)
    at_first = skus(client)
    deadline = time.monotonic() + 5
    while not skus(client) and time.monotonic() < deadline:
        pass

    assert at_first == []
    assert skus(client) == ["A"]


def test_a_delay_after_storing_shows_the_items_to_others_at_once(client: Client) -> None:
    client.faults({"match": HERE, "do": {"delay_ms": 300, "when": "after"}, "count": 1})

    with pytest.raises(requests.Timeout):
        client.send(PRODUCTS, [product("A")], timeout=0.1)

    assert skus(client) == ["A"]


def test_invalid_refuses_the_items_with_that_sku(client: Client) -> None:
    client.faults({"match": {"sku": "B"}, "do": {"invalid": True}})

    refused = client.send(PRODUCTS, [product("A"), product("B", "en"), product("B", "fr")])
    accepted = client.send(PRODUCTS, [product("A")])

    assert refused.status_code == 400
    assert [(error["itemIndex"], error["value"]) for error in refused.json()["errors"]] == [
        (1, "B"),
        (2, "B"),
    ]
    assert accepted.status_code == 200


def test_a_busy_service_answers_in_html(client: Client) -> None:
    client.faults({"match": HERE, "do": {"status": 429, "retry_after": 2}})

    response = client.send(PRODUCTS, [product()])

    assert (response.status_code, response.headers["retry-after"]) == (429, "2")
    assert response.headers["content-type"] == "text/html;charset=UTF-8"


def test_a_path_matches_exactly_or_by_pattern_and_with_or_without_tenant(client: Client) -> None:
    paths = (PRODUCTS, f"{PRODUCTS}/delete")
    seen = {}

    for pattern in (PRODUCTS, f"/demo{PRODUCTS}", f"{PRODUCTS}*", "/ims/*"):
        client.faults({"match": {"path": pattern}, "do": {"status": 500}})
        seen[pattern] = [client.send(path, [product()]).status_code for path in paths]

    assert seen == {
        PRODUCTS: [500, 200],
        f"/demo{PRODUCTS}": [500, 200],
        f"{PRODUCTS}*": [500, 500],
        "/ims/*": [200, 200],
    }


def test_the_token_endpoint_can_fail_too(client: Client) -> None:
    client.faults({"match": {"path": "/ims/token/v3"}, "do": {"status": 500}, "count": 1})

    assert [client.fetch_token().status_code, client.fetch_token().status_code] == [500, 200]


def test_the_first_rule_that_fires_is_the_only_one(client: Client) -> None:
    client.faults(
        {"match": {"sku": "A"}, "do": {"status": 500}, "count": 2},
        {"do": {"status": 503}, "count": 1},
    )

    statuses = [client.send(PRODUCTS, [product("A")]).status_code for _ in range(4)]

    assert statuses == [500, 500, 503, 200]


def test_removed_rules_do_nothing(client: Client) -> None:
    client.faults({"do": {"status": 500}})

    removed = client.session.delete(f"{client.emulator.base_url}/_emulator/faults", timeout=10)

    assert removed.status_code == 204
    assert client.send(PRODUCTS, [product()]).status_code == 200


@pytest.mark.parametrize(
    ("rules", "named"),
    [
        ('{"do": {}}', "Expected `array`"),
        ('[{"match": {}}]', "`do`"),
        ('[{"do": {"drop": "now"}}]', ".do.drop"),
        ('[{"do": {"delay": 5}}]', "`delay`"),
        ('[{"do": {}, "probability": 2}]', ".probability"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_refused_by_name(client: Client, rules: str, named: str) -> None:
    answer = client.session.put(f"{client.emulator.base_url}/_emulator/faults", data=rules, timeout=10)

    assert answer.status_code == 400
    assert named in answer.json()["error"]
