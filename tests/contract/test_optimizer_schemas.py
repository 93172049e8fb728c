"""Our schemas and routes say what the service's published description says."""

import json
from pathlib import Path

import jsonschema_rs
import pytest
from bodies import mutations
from openapi import translated
from optimizer_examples import example

from schemas.services.optimizer import PATCH_MERGE_KEYS, ROUTES, Route, request_schema
from schemas.services.shapes import identity_of

CONTRACTS = Path(__file__).parents[2].parent / "shared" / "contracts" / "api-schemas"
with_contracts = pytest.mark.skipif(not CONTRACTS.is_dir(), reason="the published contracts are not here")


def published_validator(route: Route) -> jsonschema_rs.Draft202012Validator:
    schema = json.loads((CONTRACTS / f"{route.feed}.json").read_text())
    definition = f"{route.operation}Request"
    if route.feed == "price-books" and route.operation != "delete":
        definition = "upsertRequestLenient"
    schema["$ref"] = f"#/$defs/{definition}"
    return jsonschema_rs.Draft202012Validator(translated(schema))


def name_of(route: Route) -> str:
    return f"{route.feed}-{route.operation}"


@with_contracts
def test_the_routes_are_the_published_ones() -> None:
    """Method, path, identity and batch limit of every operation, and not one more."""
    published = json.loads((CONTRACTS / "index.json").read_text())["routes"]

    ours = [(route.feed, route.operation, route.method, route.path, list(route.identity)) for route in ROUTES]

    wanted = [
        (route["feed"], route["operation"], route["method"], route["path"], route["identity"])
        for route in published
    ]
    assert ours == wanted
    assert [route.items_max for route in ROUTES] == [
        route["connectorBatchLimit"] or 100 for route in published
    ]


@with_contracts
@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_our_verdict_is_the_published_schema_s_verdict(route: Route) -> None:
    """Hundreds of bodies one change away from a full item are accepted or refused alike."""
    ours = jsonschema_rs.Draft202012Validator(request_schema(route.feed, route.operation))
    published = published_validator(route)

    bodies = list(mutations(example(route)))
    verdicts = [ours.is_valid(body) for body in bodies]

    differing = [
        body
        for body, ours_says in zip(bodies, verdicts, strict=True)
        if ours_says != published.is_valid(body)
    ]
    assert differing == []
    assert {True, False} == set(verdicts)


@with_contracts
@pytest.mark.parametrize("feed", ["products", "prices"])
def test_patches_merge_lists_by_the_published_keys(feed: str) -> None:
    published = json.loads((CONTRACTS / f"{feed}.json").read_text())["x-patch-merge-keys"]

    assert {name: list(key) for name, key in PATCH_MERGE_KEYS[feed].items()} == published


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_an_item_with_every_member_is_valid(route: Route) -> None:
    validator = jsonschema_rs.Draft202012Validator(request_schema(route.feed, route.operation))

    errors = [error.message for error in validator.iter_errors([example(route)])]

    assert errors == []


def test_an_identity_is_read_from_nested_members() -> None:
    """A layer without a locale has an empty part, so that identities of one feed are equally long."""
    members = ("sku", "source.locale", "source.layer")

    whole = identity_of(members, {"sku": "A", "source": {"locale": "en", "layer": "seo"}})
    partial = identity_of(members, {"sku": "A", "source": {"layer": "seo"}})

    assert whole == ("A", "en", "seo")
    assert partial == ("A", "", "seo")
