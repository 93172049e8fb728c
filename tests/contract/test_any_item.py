"""Whatever a feed's topic holds, each request that the sink makes of it is one that the service publishes."""

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from any_item import changed, changes, items
from feed_items import KEYS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi import FOLDER, OPTIMIZER, body_schema, described, translated
from saas_contract import corrected, published

from consumers.sink.batch import Operation, Submission, body
from consumers.sink.dialects import Dialect, Unmappable
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.dialects.saas import SaasDialect
from consumers.sink.mapping import Unsendable, submission
from consumers.sink.stamp import Stamper
from consumers.sink.waiting import Entry
from runtime.record import Record
from runtime.settings import DIALECT_FEEDS
from schemas.codec import encode
from schemas.keys import canonical_json
from schemas.services.optimizer import FEED_RESOURCES, request_schema
from schemas.services.saas import FEED_ROUTES, item_schema

NOW_S = 1_800_000_000
thorough = settings(max_examples=100, suppress_health_check=list(HealthCheck))
DIALECTS: dict[str, Dialect] = {"optimizer": OptimizerDialect(), "saas": SaasDialect("demo")}
FEEDS = [(name, feed) for name in DIALECTS for feed in DIALECT_FEEDS[name]]


def sent(dialect: Dialect, feed: str, record: Record, delete_members: str | None = None) -> Submission | None:
    """An item, or with `delete_members` its delete, as it goes; None where we refuse it with a sentence."""
    deleted = delete_members is not None
    entry = Entry(record.key, 0, 7, 7, "live", 1_000, deleted, 1, None if deleted else record)
    try:
        item = submission(dialect, feed, entry, delete_members or "")
    except Unsendable as error:
        # Anything else is our own mistake, parked under a name that tells nobody what to mend.
        assert isinstance(error.__cause__, Unmappable), repr(error.__cause__)
        return None
    return Stamper(dialect.stamp(feed), lambda: NOW_S).stamped([item])[0]


def record_of(feed: str, item: dict[str, Any]) -> Record:
    key = canonical_json({name: item[name] for name in KEYS[feed]})
    return Record(f"cs.feed.{feed}", 0, 7, key, encode(feed, item), {}, 1_000)


@cache
def validators(name: str, feed: str, operation: Operation) -> Sequence[jsonschema_rs.Draft202012Validator]:
    """Of a request's body: our description of the service, and the published one where it is here."""
    if name == "optimizer":
        schemas = [request_schema(FEED_RESOURCES[feed], operation)]
        if FOLDER.is_dir():
            path = DIALECTS[name].path(feed, operation)
            schemas.append(body_schema(described(OPTIMIZER), "POST", path))
    else:
        schemas = [{"type": "array", "items": item_schema(FEED_ROUTES[feed], operation)}]
        # Nothing is published of what a delete must hold.
        if FOLDER.is_dir() and operation == "upsert":
            path = FEED_ROUTES[feed].path + "/{DATA_SPACE_ID}"
            schemas.append(body_schema(translated(corrected(published())), "POST", path))
    return [jsonschema_rs.Draft202012Validator(schema) for schema in schemas]


def wrong_with(name: str, feed: str, item: dict[str, Any]) -> list[str]:
    """What is wrong with the requests that a dialect makes of an item, its delete included."""
    dialect, record = DIALECTS[name], record_of(feed, item)
    upsert = sent(dialect, feed, record)
    delete = sent(dialect, feed, record, upsert.delete_members if upsert is not None else "")
    return [
        f"{request.operation} {'/'.join(map(str, error.instance_path))}: {error.message}"
        for request in (upsert, delete)
        if request is not None
        for validator in validators(name, feed, request.operation)
        for error in validator.iter_errors(json.loads(body([request])))
    ]


@pytest.mark.parametrize(("name", "feed"), FEEDS)
def test_each_odd_value_is_sent_as_published_or_refused(name: str, feed: str) -> None:
    """Every place of an item with every value it can have, one at a time."""
    found, refused = {}, 0
    for path, value in changes(feed):
        item = changed(feed, (path, value))
        refused += sent(DIALECTS[name], feed, record_of(feed, item)) is None
        if wrong := wrong_with(name, feed, item):
            found["/".join(map(str, path)), repr(value)[:40]] = wrong

    assert found == {}
    assert refused < len(changes(feed)) / 4


@pytest.mark.parametrize(("name", "feed"), FEEDS)
@thorough
@given(data=st.data())
def test_odd_values_together_are_sent_as_published_or_refused(
    name: str, feed: str, data: st.DataObject
) -> None:
    """Several places at once."""
    assert wrong_with(name, feed, data.draw(items(feed))) == []


@pytest.mark.parametrize(
    ("name", "feed", "places", "sentence"),
    [
        ("optimizer", "categories", {"name": "x" * 129}, "name has 129 characters, the service takes 128"),
        ("optimizer", "priceBooks", {"name": ""}, "name is missing"),
        ("optimizer", "priceBooks", {"priceBookId": ""}, "a price book needs an id"),
        ("optimizer", "priceBooks", {"parentId": "x" * 65}, "price book id x"),
        ("optimizer", "priceBooks", {"parentId": None, "currency": "DOLLAR"}, "currency 'DOLLAR' is no code"),
        ("saas", "products", {"optionsV2.0.sortOrder": 2**31}, "2147483648 is no number of 32 bits"),
        ("saas", "products", {"images.0.sortOrder": str(2**31)}, "2147483648 is no number of 32 bits"),
        *(
            (name, "prices", {f"{of}.0.price": None, f"{of}.0.percentage": None}, "has neither a price nor")
            for name in DIALECTS
            for of in ("discounts", "tierPrices")
        ),
    ],
)
def test_what_the_service_would_refuse_is_refused_with_what_to_mend(
    name: str, feed: str, places: dict[str, Any], sentence: str
) -> None:
    """At the optimizer one such item would have a whole request refused."""
    steps = [tuple(int(step) if step.isdigit() else step for step in path.split(".")) for path in places]
    item = changed(feed, *zip(steps, places.values(), strict=True))

    with pytest.raises(Unmappable, match=re.escape(sentence)):
        DIALECTS[name].payload(feed, item)
