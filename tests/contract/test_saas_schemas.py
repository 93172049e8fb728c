"""Our description of the SaaS feed ingestion service says what the published one says."""

import jsonschema_rs
import pytest
from bodies import mutations
from openapi import translated
from saas_contract import corrected, examples, published, request_schema, with_contract
from saas_examples import FULL_ITEMS, delete

from schemas.services.saas import FEED_ROUTES, FEEDS, ROUTES, STAMPS, Route, identity, item_schema


def validator(route: Route, operation: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(item_schema(route, operation))


@with_contract
def test_the_routes_are_the_published_ones() -> None:
    """Not one more, each with the environment behind it."""
    description = published()

    wanted = [(path, list(operations)) for path, operations in description["paths"].items()]

    assert [(f"{route.path}/{{DATA_SPACE_ID}}", ["post"]) for route in ROUTES] == wanted


@with_contract
@pytest.mark.parametrize("feed", FEEDS)
def test_our_verdict_is_the_published_schema_s_verdict(feed: str) -> None:
    """Hundreds of items one change away from a full one; what is corrected is listed with its reason."""
    route = FEED_ROUTES[feed]
    ours = validator(route, "upsert")
    theirs = jsonschema_rs.Draft202012Validator(
        translated(request_schema(corrected(published()), route.path))
    )

    bodies = list(mutations(FULL_ITEMS[feed]))
    verdicts = [ours.is_valid(body[0]) for body in bodies]

    differing = [
        body for body, ours_says in zip(bodies, verdicts, strict=True) if ours_says != theirs.is_valid(body)
    ]
    assert differing == []
    assert {True, False} == set(verdicts)


@with_contract
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_published_example_is_valid(route: Route) -> None:
    items = list(examples(published(), route.path))

    errors = [error.message for item in items for error in validator(route, "upsert").iter_errors(item)]

    assert items
    assert errors == []


@pytest.mark.parametrize("feed", FEEDS)
def test_an_item_with_every_member_is_valid(feed: str) -> None:
    ours = validator(FEED_ROUTES[feed], "upsert")

    assert [error.message for error in ours.iter_errors(FULL_ITEMS[feed])] == []


@pytest.mark.parametrize("feed", FEEDS)
def test_a_delete_needs_no_more_than_what_names_the_item(feed: str) -> None:
    """Each member of the shortest delete but the flag is needed."""
    ours = validator(FEED_ROUTES[feed], "delete")
    shortest = delete(feed)

    assert ours.is_valid(shortest)
    assert identity(feed, shortest) == identity(feed, FULL_ITEMS[feed])
    for name in shortest.keys() - {"deleted"}:
        assert not ours.is_valid({member: shortest[member] for member in shortest if member != name})


@pytest.mark.parametrize("feed", FEEDS)
def test_the_stamp_is_a_member_of_the_item(feed: str) -> None:
    assert STAMPS[feed] in FULL_ITEMS[feed]


@pytest.mark.parametrize(
    ("stamp", "good"),
    [
        ("2026-11-20 10:00:00", True),
        ("2026-11-20T10:00:00Z", False),
        ("2026-13-20 10:00:00", False),
        ("2026-11-20 24:00:00", False),
        ("0000-00-00 00:00:00", False),
    ],
)
def test_a_product_s_time_has_the_published_form(stamp: str, good: bool) -> None:
    item = {**FULL_ITEMS["products"], "modifiedAt": stamp}

    assert validator(FEED_ROUTES["products"], "upsert").is_valid(item) == good


@pytest.mark.parametrize(
    ("stamp", "good"),
    [
        ("2026-11-20T10:00:00+00:00", True),
        ("2026-11-20T10:00:00.123Z", True),
        ("2026-11-20 10:00:00", False),
        ("2026-11-20T10:00:00", False),
    ],
)
def test_a_price_s_time_is_of_rfc_3339(stamp: str, good: bool) -> None:
    item = {**FULL_ITEMS["prices"], "updatedAt": stamp}

    assert validator(FEED_ROUTES["prices"], "upsert").is_valid(item) == good
