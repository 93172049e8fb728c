"""SQL in, the whole list of items out: each case's expectation was written by hand from the rule it names."""

from dataclasses import dataclass, replace
from typing import Any

import jsonschema_rs
import pytest
from cases import Case, names, read_case
from shop import Shop

from consumers.builder.feeds import products
from consumers.builder.read.products import Batch
from consumers.sink.dialects import Unmappable
from consumers.sink.dialects.optimizer import OptimizerDialect
from schemas.codec import decode, encode
from schemas.services.optimizer import request_schema

# What the parts of an item say where nothing is linked, offered, rewritten or in stock. A case that shows
# a part gives its members; these stand for the others.
PARTS: dict[str, Any] = {
    "taxClassId": "no",
    "currency": "USD",
    "inStock": False,
    "lowStock": False,
    "buyable": False,
}
# Left out unless the case gives them.
MADE_OF_SCOPES = ("url", "hasEnabledChildren")
# What is sent of every item besides what the cases give.
SENT_PARTS: dict[str, Any] = {"links": [], "configurations": [], "bundles": []}
COMMERCE_ATTRIBUTE = {
    "code": "aco_ac_attributes",
    "values": ['{"inStock":false,"lowStock":false,"weight":null,"weightType":null}'],
}
UPSERT = jsonschema_rs.validator_for(request_schema("products", "upsert"))


@dataclass(frozen=True)
class Outcome:
    """What the builder makes of a shop."""

    items: list[dict[str, Any]]
    parked: dict[str, str]
    shadowed: list[list[Any]]


def outcome_of(batch: Batch) -> Outcome:
    """Build every product of a batch, items as their topic holds them."""
    items: list[dict[str, Any]] = []
    parked = {}
    for sku in sorted(batch.products):
        try:
            items += products.build(batch.products[sku], batch.catalog)
        except products.Unbuildable as error:
            parked[sku] = str(error)
    return Outcome(_through_topic(items), parked, [list(row) for row in batch.shadowed])


def core_of(outcome: Outcome, case: Case) -> Outcome:
    """The outcome without members made of scopes, where the case does not give them."""
    pairs = zip(outcome.items, case.items, strict=True)
    return replace(outcome, items=[_without_unstated(item, stated) for item, stated in pairs])


def expected_of(case: Case) -> Outcome:
    items = _through_topic([PARTS | item for item in case.items])
    pairs = zip(items, case.items, strict=True)
    return Outcome([_without_unstated(item, stated) for item, stated in pairs], case.parked, case.shadowed)


def expected_payloads(case: Case) -> list[dict[str, Any] | str]:
    """What the case gives, and what stands in every payload."""
    return [
        payload
        if isinstance(payload, str)
        else SENT_PARTS | payload | {"attributes": [COMMERCE_ATTRIBUTE, *payload["attributes"]]}
        for payload in case.payloads or ()
    ]


def _without_unstated(item: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name in stated or name not in MADE_OF_SCOPES}


def _through_topic(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [decode(products.FEED, encode(products.FEED, item)) for item in items]


def payload_of(item: dict[str, Any]) -> dict[str, Any] | str:
    try:
        return OptimizerDialect().payload(products.FEED, item)
    except Unmappable as error:
        return str(error)


@pytest.mark.stack
@pytest.mark.parametrize("name", names(products.FEED))
def test_these_rows_become_exactly_these_items(shop: Shop, name: str) -> None:
    """Nothing is left out, added or in another order; what is sent of it is what the service takes."""
    case = read_case(products.FEED, name)
    shop.hold_case(products.FEED, name)

    outcome = outcome_of(shop.read(case))
    payloads = [payload_of(item) for item in outcome.items]

    assert len(outcome.items) == len(case.items), case.rule
    assert core_of(outcome, case) == expected_of(case), case.rule
    if case.payloads is not None:
        assert payloads == expected_payloads(case), case.rule
    UPSERT.validate([payload for payload in payloads if not isinstance(payload, str)])
