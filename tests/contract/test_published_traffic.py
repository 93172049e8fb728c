"""The emulated services take what is published as valid, refuse all else, and answer in published shapes."""

import json
from collections.abc import Iterator
from copy import deepcopy
from functools import cache
from typing import Any

import jsonschema_rs
import openapi
import pytest
import saas_contract
from any_body import Schema, Values, allowed
from bodies import REPLACEMENTS, at, places
from emulated import Services, emulated
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from commerce_sync.emulator.exchange import Answer

pytestmark = openapi.with_openapi

# A rule that no schema tells.
PROSE = "Duplicate SKU found in bundle items"
ENVIRONMENT = "/{DATA_SPACE_ID}"
thorough = settings(max_examples=20, suppress_health_check=list(HealthCheck))
Operation = tuple[str, str, str]  # service, method, path


@cache
def description(service: str) -> Schema:
    """With the contradictions decided as we decided them."""
    if service == "optimizer":
        return openapi.optimizer()
    corrected: Schema = openapi.translated(saas_contract.corrected(saas_contract.published()))
    return corrected


def all_operations() -> list[Operation]:
    if not openapi.FOLDER.is_dir():
        return []
    return [(name, *one) for name in ("optimizer", "saas") for one in openapi.operations(description(name))]


OPERATIONS = all_operations()


@cache
def bodies(operation: Operation) -> tuple[Values, jsonschema_rs.Draft202012Validator]:
    service, method, path = operation
    schema = openapi.body_schema(description(service), method, path)
    return allowed({**schema, "minItems": 1}), jsonschema_rs.Draft202012Validator(schema)


@st.composite
def broken(draw: st.DrawFn, operation: Operation) -> Any:
    """A body that is not valid: places of a valid one are replaced, left out or added to."""
    values, validator = bodies(operation)
    body = deepcopy(draw(values))
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(places(body))[1:]))
        if isinstance(at(body, path), dict) and draw(st.booleans()):
            at(body, path)["unknown"] = "x"
        elif draw(st.booleans()):
            at(body, path[:-1])[path[-1]] = deepcopy(draw(st.sampled_from(REPLACEMENTS)))
        elif len(path) > 1:
            del at(body, path[:-1])[path[-1]]
    assume(not validator.is_valid(body))
    return body


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with emulated() as both:
        yield both


def asked(services: Services, operation: Operation, body: Any, **headers: str) -> Answer:
    name, method, path = operation
    service = services.optimizer if name == "optimizer" else services.saas
    data = json.dumps(body).encode()
    return services.send(service, path.replace(ENVIRONMENT, "/demo"), data, method=method, **headers)


def answered(operation: Operation, answer: Answer) -> Any:
    """An answer's content, which has the media type and all the members that are published."""
    service, method, path = operation
    media_type, schema = openapi.answer_schema(description(service), method, path, answer.status)
    content = json.loads(answer.body) if "json" in media_type else answer.body.decode()
    errors = jsonschema_rs.Draft202012Validator(openapi.every_member(schema)).iter_errors(content)
    assert ([error.message for error in errors], answer.media_type) == ([], media_type)
    return content


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
@thorough
@given(data=st.data())
def test_what_is_published_as_valid_is_taken(
    services: Services, operation: Operation, data: st.DataObject
) -> None:
    """All of it; only a bundle that names a part twice is refused, as the prose says."""
    body = data.draw(bodies(operation)[0])

    answer = asked(services, operation, body)
    content = answered(operation, answer)

    if answer.status == 200:
        assert len(body) in {content.get("acceptedCount"), content.get("feedItemReceivedCount")}
        assert not content.get("invalidFeedItems")
    else:
        assert {error["message"] for error in content["errors"]} == {PROSE}


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
@thorough
@given(data=st.data())
def test_what_is_published_as_invalid_is_refused_item_by_item(
    services: Services, operation: Operation, data: st.DataObject
) -> None:
    """The answer names the items that are at fault, and no others."""
    body = data.draw(broken(operation))
    _, validator = bodies(operation)
    # Nothing is published of what a delete must hold there.
    assume(operation[0] == "optimizer" or not any(i.get("deleted") for i in body if isinstance(i, dict)))

    answer = asked(services, operation, body)
    content = answered(operation, answer)

    wrong = {index for index, item in enumerate(body) if not validator.is_valid([item])}
    listed = content["errors"] if operation[0] == "optimizer" else content["invalidFeedItems"]
    assert wrong <= {error["itemIndex"] for error in listed}
    assert {error["itemIndex"] for error in listed if error["message"] != PROSE} == wrong
    taken = 0 if operation[0] == "optimizer" else len(body) - len(wrong)
    assert answer.status == (200 if taken else 400)
    assert content.get("feedItemReceivedCount", 0) == taken


@pytest.mark.parametrize("operation", OPERATIONS, ids=" ".join)
def test_whoever_is_not_let_in_is_told_in_the_published_shape(operation: Operation) -> None:
    """Without credentials, with wrong ones, and when the allowance is used up."""
    with emulated(requests_per_minute=1) as services:
        without = asked(services, operation, [], authorization="", **{"x-api-key": ""})
        wrong = asked(services, operation, [], authorization="Bearer x", **{"x-gw-signature": "x"})
        empty = asked(services, operation, [])
        too_much = asked(services, operation, [])

    statuses = [answer.status for answer in (without, wrong, empty, too_much)]
    assert statuses == [403, 401 if operation[0] == "optimizer" else 403, 400, 429]
    for answer in (without, wrong, empty):
        answered(operation, answer)
    if operation[0] == "optimizer":
        assert answered(operation, too_much) == "Too many requests"
    assert int(too_much.headers["retry-after"]) > 0
