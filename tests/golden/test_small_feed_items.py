"""SQL in, the whole list of items out, for the feeds of categories, attributes and scopes.

A case is written as in `cases`, with these differences: `asked` holds entity keys, `parked` holds the reasons
of what waits for a person, and a member that is left out is that of USUAL, else its schema's default.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from cases import FOLDER, statements
from shop import Shop

from consumers.builder.entities import ENTITIES, ReadOptions
from runtime.database import Snapshot
from schemas.codec import decode, encode
from schemas.entities import ENTITY_OF

FEEDS = ("categories", "productAttributes", "scopesWebsite", "scopesCustomerGroup", "priceBooks")
NAMES = [(feed, file.stem) for feed in FEEDS for file in sorted((FOLDER / feed).glob("*.json"))]

SCOPES = {
    "default": {"storeCode": "main_website_store", "websiteCode": "base"},
    "german": {"storeCode": "europe_store", "websiteCode": "europe"},
    "french": {"storeCode": "europe_store", "websiteCode": "europe"},
    "only": {"storeCode": "europe_store", "websiteCode": "europe"},
}
CREATED = "2024-01-15 00:00:00"
USUAL: Mapping[str, dict[str, Any]] = {
    "categories": {
        "isActive": 1,
        "includeInMenu": 1,
        "isAnchor": 0,
        "defaultSortBy": "position",
        "createdAt": CREATED,
        "updatedAt": CREATED,
    },
    # As the columns' own defaults are.
    "productAttributes": {
        "attributeType": "catalog_product",
        "multi": False,
        "boolean": False,
        "numeric": False,
        "searchWeight": 1.0,
        "required": False,
        "unique": False,
        "global": True,
        "visible": True,
        "searchable": False,
        "filterable": False,
        "filterableInSearch": False,
        "visibleInCompareList": False,
        "visibleInListing": False,
        "visibleInSearch": False,
        "sortable": False,
        "usedForRules": False,
    },
}
# Every entity of the shop, where a case asks for none.
ALL: Mapping[str, Callable[[Snapshot], list[str]]] = {
    "category": lambda shop: _keys(shop, "", "SELECT entity_id FROM catalog_category_entity"),
    "attribute": lambda shop: _keys(shop, "", "SELECT attribute_id FROM eav_attribute"),
    "scope": lambda shop: [
        *_keys(shop, "website:", "SELECT website_id FROM store_website"),
        *_keys(shop, "group:", "SELECT customer_group_id FROM customer_group"),
    ],
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One NAME.json; an unknown member is an error."""

    rule: str
    items: list[dict[str, Any]]
    asked: list[str] | None = None
    parked: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)


def expected(feed: str, case: Case) -> list[dict[str, Any]]:
    items = [
        USUAL.get(feed, {}) | SCOPES.get(item.get("storeViewCode", ""), {}) | item for item in case.items
    ]
    return [decode(feed, encode(feed, item)) for item in items]


def built(shop: Shop, feed: str, case: Case) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Items of the feed as its topic holds them, in the order of the entities, and what is parked."""
    entity = ENTITY_OF[feed]
    config = case.settings.get("config", {})
    with shop.database.snapshot() as snapshot:
        keys: Sequence[str] = ALL[entity](snapshot) if case.asked is None else case.asked
        options = ReadOptions("", config, case.settings.get("media_base_url", ""))
        batch = ENTITIES[entity].read(snapshot, options, keys)
    items: list[dict[str, Any]] = []
    parked = {}
    for key in keys:
        outcome = batch.build(key)
        items += [item for (name, _), item in outcome.items.items() if name == feed]
        parked |= {f"{key} {part}".strip(): reason for part, reason in outcome.parked.items()}
    return [decode(feed, encode(feed, item)) for item in items], parked


def _keys(snapshot: Snapshot, prefix: str, statement: str) -> list[str]:
    return [f"{prefix}{number}" for number in sorted(number for (number,) in snapshot.query(statement))]


@pytest.mark.stack
@pytest.mark.parametrize(("feed", "name"), NAMES)
def test_these_rows_become_exactly_these_items(shop: Shop, feed: str, name: str) -> None:
    """Nothing is left out, added or in another order."""
    case = Case(**json.loads((FOLDER / feed / f"{name}.json").read_text(encoding="utf-8")))
    shop.hold(statements(FOLDER / "base.sql"), statements(FOLDER / feed / f"{name}.sql"))

    items, parked = built(shop, feed, case)

    assert items == expected(feed, case), case.rule
    assert parked == case.parked, case.rule
