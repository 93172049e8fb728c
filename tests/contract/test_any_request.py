"""Whatever is sent, the emulated services answer it: a refusal is theirs, a 500 would be ours."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import requests
from bodies import at, places
from emulated import Services, emulated
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optimizer_examples import example
from saas_examples import FULL_ITEMS, delete

from commerce_sync.emulator.exchange import Answer
from commerce_sync.emulator.faults import parse_rules
from commerce_sync.emulator.server import Emulator
from schemas.services.optimizer import ROUTES, Route
from schemas.services.saas import FEED_ROUTES, FEEDS

# The services live as long as the module: what one example leaves, the next one finds.
thorough = settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
few = settings(thorough, max_examples=30)

TEXT = st.text(max_size=8)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(["", "1970-01-01 00:00:00", "9" * 400, "\x00", "\ud83d\ude00", "/", "::"])
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3), max_leaves=8
)
HEADER = st.text(st.characters(max_codepoint=255), max_size=40)


@st.composite
def changed(draw: st.DrawFn, item: dict[str, Any]) -> dict[str, Any]:
    """A good item with some places replaced, left out or added to."""
    result = deepcopy(item)
    for path in draw(st.lists(st.sampled_from(list(places(item))[1:]), max_size=3)):
        try:
            parent = at(result, path[:-1])
            if draw(st.booleans()):
                parent[path[-1]] = draw(VALUES)
            else:
                del parent[path[-1]]
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    return result


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with emulated() as both:
        yield both


def content(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.body)
    return body


@thorough
@given(feed=st.sampled_from(FEEDS), data=st.data())
def test_a_saas_request_is_taken_and_refused_item_by_item(
    services: Services, feed: str, data: st.DataObject
) -> None:
    """The items taken and those refused are all there were, each named once."""
    good = st.sampled_from([FULL_ITEMS[feed], delete(feed)])
    items = data.draw(st.lists(VALUES | good.flatmap(changed), min_size=1, max_size=4))

    answer = services.send(services.saas, f"{FEED_ROUTES[feed].path}/demo", encoded(items))

    body = content(answer)
    refused = {error["itemIndex"] for error in body["invalidFeedItems"]}
    if answer.status == 400 and not refused:
        assert body["message"] == "Request body is not valid JSON"  # half a surrogate pair
        return
    assert refused <= set(range(len(items)))
    assert answer.status == (400 if len(refused) == len(items) else 200)
    assert body["feedItemReceivedCount"] == len(items) - len(refused)
    assert len(answer.identities or ()) == len(items) - len(refused)


@thorough
@given(route=st.sampled_from(ROUTES), data=st.data())
def test_an_optimizer_request_is_taken_or_refused_as_a_whole(
    services: Services, route: Route, data: st.DataObject
) -> None:
    items = data.draw(st.lists(VALUES | changed(example(route)), min_size=1, max_size=4))

    answer = services.send(services.optimizer, route.path, encoded(items), method=route.method)

    if answer.status == 200:
        assert content(answer) == {"status": "ACCEPTED", "acceptedCount": len(items)}
    else:
        assert (answer.status, content(answer)["status"]) == (400, "FAILED")


@thorough
@given(body=st.binary(max_size=60), compressed=st.booleans())
def test_any_bytes_are_answered(services: Services, body: bytes, compressed: bool) -> None:
    headers = {"content-encoding": "gzip"} if compressed else {}

    answers = [
        services.send(services.optimizer, "/v1/catalog/products", body, **headers),
        services.send(services.saas, "/catalog/v2/products/demo", body, **headers),
    ]

    assert {answer.status for answer in answers} == {400}


@thorough
@given(key=HEADER, signature=HEADER, authorization=HEADER)
def test_any_credentials_are_answered(
    services: Services, key: str, signature: str, authorization: str
) -> None:
    """As a header arrives: any byte is a character."""
    changed_headers = {"x-gw-signature": signature, "authorization": authorization}

    answers = [
        services.send(services.optimizer, "/v1/catalog/products", b"[]", **changed_headers),
        services.send(services.saas, "/catalog/v2/products/demo", b"[]", **changed_headers),
        services.send(services.saas, "/catalog/v2/products/demo", b"[]", **{"x-api-key": key}),
    ]

    assert {answer.status for answer in answers} <= {401, 403}


@few
@given(path=st.text(max_size=30), method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]))
def test_any_path_is_answered(running: Emulator, path: str, method: str) -> None:
    """Over a socket, the control endpoints too."""
    for prefix in ("", "/feeds", "/demo", "/_emulator/items"):
        url = f"{running.base_url}{prefix}/{path}"
        try:
            answer = requests.request(method, url, data=b"[]", timeout=10, allow_redirects=False)
        except (requests.exceptions.InvalidURL, UnicodeError):
            continue  # nothing was sent

        assert answer.status_code < 500


RULES = st.lists(
    st.fixed_dictionaries({"do": VALUES}, optional={"match": VALUES, "count": VALUES, "probability": VALUES})
)


@thorough
@given(rules=VALUES | RULES)
def test_any_fault_rules_are_understood_or_refused(rules: Any) -> None:
    try:
        parsed = parse_rules(encoded(rules))
    except ValueError:
        return  # is answered with 400

    assert len(parsed) == len(rules)
