"""Feeds that are plain items: SQL in, the whole list of items out, each expectation by hand from its rule."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from cases import names, read_case
from shop import Shop

from consumers.builder.feeds import (
    category_permissions,
    inventory_stock_status,
    prices,
    product_overrides,
    variants,
)
from consumers.builder.read.products import Batch
from schemas.codec import decode, encode


@dataclass
class Outcome:
    """What the builder makes of a shop; `due` in UTC."""

    items: list[dict[str, Any]] = field(default_factory=list)
    parked: dict[str, str] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    refs: dict[str, list[str]] = field(default_factory=dict)


def build_prices(batch: Batch, now_s: int) -> Outcome:
    outcome = Outcome()
    for sku, rows in sorted(batch.products.items()):
        priced = prices.build(rows, batch.catalog, now_s)
        outcome.items += priced.items
        outcome.parked |= {f"{sku} on {code}": reason for code, reason in priced.refused.items()}
        outcome.refs[sku] = list(prices.refs(rows))
        if priced.due_s is not None:
            outcome.due[sku] = datetime.fromtimestamp(priced.due_s, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return outcome


def build_plain(feed: Any, batch: Batch) -> Outcome:
    """For feeds that need no more than every product's rows."""
    outcome = Outcome()
    for sku, rows in sorted(batch.products.items()):
        outcome.items += feed.build(rows, batch.catalog)
        outcome.refs[sku] = list(feed.refs(rows, batch.catalog))
    return outcome


def build_permissions(batch: Batch) -> Outcome:
    """Of the categories that the products are in, and of those above."""
    rows, websites = batch.catalog.permissions.rows, batch.catalog.websites
    return Outcome(
        [item for _, some in sorted(rows.items()) for item in category_permissions.build(some, websites)]
    )


BUILD: Final[Mapping[str, Callable[[Batch, int], Outcome]]] = {
    prices.FEED: build_prices,
    inventory_stock_status.FEED: lambda batch, _: build_plain(inventory_stock_status, batch),
    variants.FEED: lambda batch, _: build_plain(variants, batch),
    product_overrides.FEED: lambda batch, _: build_plain(product_overrides, batch),
    category_permissions.FEED: lambda batch, _: build_permissions(batch),
}


@pytest.mark.stack
@pytest.mark.parametrize(("feed", "name"), [(feed, name) for feed in BUILD for name in names(feed)])
def test_these_rows_become_exactly_these_items(shop: Shop, feed: str, name: str) -> None:
    """Nothing is left out, added or in another order."""
    case = read_case(feed, name)
    shop.hold_case(feed, name)

    outcome = BUILD[feed](shop.read(case), seconds_of(case.now))

    assert through_topic(feed, outcome.items) == through_topic(feed, case.items), case.rule
    assert (outcome.parked, outcome.due) == (case.parked, case.due), case.rule
    if case.refs is not None:
        assert outcome.refs == case.refs, case.rule


def seconds_of(utc: str) -> int:
    return int(datetime.fromisoformat(utc).replace(tzinfo=UTC).timestamp())


def through_topic(feed: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [decode(feed, encode(feed, item)) for item in items]
