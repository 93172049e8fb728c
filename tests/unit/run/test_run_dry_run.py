"""A dry run says what would be sent and how long that takes, and sends nothing."""

from typing import Any

import pytest
from fake_target import product_item

from commerce_sync.run import predict
from commerce_sync.run.dry_run import Comparison, Held, Outcome, foretell
from commerce_sync.run.predict import Prediction
from runtime.settings import BudgetSettings, TargetSettings
from schemas.codec import decode, encode
from schemas.keys import canonical_json, content_hash

ALLOWANCE = BudgetSettings(requests_per_minute=300, products_per_minute=1000, products_per_day=0)


def target(budget: BudgetSettings = ALLOWANCE) -> TargetSettings:
    return TargetSettings(dialect="optimizer", url="http://target", feeds=("products",), budget=budget)


def whole(sku: str, **changes: Any) -> dict[str, Any]:
    """An item as a reader of the feed topic has it."""
    return decode("products", encode("products", product_item(sku, **changes)))


def key(sku: str) -> tuple[str, str]:
    return "products", canonical_json({"sku": sku, "storeViewCode": "default"}).decode()


def compared(
    held: dict[str, dict[str, Any]],
    built: dict[str, dict[str, Any] | None],
    parked: dict[str, str] | None = None,
) -> list[tuple[str, str]]:
    """Kind and key of what becomes of entities that have one item each; None: no item."""
    topic = {key(sku): Held(content_hash(item).encode(), 0, 0, sku) for sku, item in held.items()}
    comparison = Comparison(("products",), topic, lambda feed, place: held[place.entity])
    found = []
    for sku, item in built.items():
        found += comparison.built(sku, {key(sku): item} if item else {}, parked or {})
    return [(outcome.kind, outcome.key) for outcome in (*found, *comparison.rest())]


def test_each_item_is_new_changed_deleted_or_unchanged() -> None:
    """By the content hash that the builder compares too."""
    held = {"same": product_item("same"), "other": product_item("other"), "gone": product_item("gone")}
    built = {
        "same": product_item("same", updatedAt="2030-01-01T00:00:00Z"),
        "other": product_item("other", name="Another"),
        "new": product_item("new"),
    }

    assert compared(held, built) == [
        ("unchanged", key("same")[1]),
        ("changed", key("other")[1]),
        ("new", key("new")[1]),
        ("deleted", key("gone")[1]),
    ]


def test_what_cannot_be_built_stays_as_it_is() -> None:
    """An entity that waits for a person keeps its items."""
    assert compared({"A": product_item("A")}, {"A": None}, {"": "no status"}) == [("unchanged", key("A")[1])]


def test_a_change_is_shown_member_by_member() -> None:
    """Without those that change with every build."""
    outcome = Outcome(
        "changed",
        *key("A"),
        whole("A", name="before", updatedAt="2026-01-01T00:00:00Z"),
        whole("A", name="after", updatedAt="2026-02-01T00:00:00Z"),
    )

    assert outcome.changes() == {"name": ("before", "after")}


def test_requests_are_closed_by_count_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the sink closes them; updates and deletes are calls of their own."""
    prediction = Prediction(target())
    for number in range(250):
        prediction.upsert(*key(f"sku-{number}"), None, whole(f"sku-{number}"))
    prediction.delete(*key("gone"))
    monkeypatch.setattr(predict, "BODY_BYTES_MAX", 1)
    wide = Prediction(target())
    for number in range(3):
        wide.upsert(*key(f"sku-{number}"), None, whole(f"sku-{number}"))

    assert (prediction.items, prediction.requests) == (251, 4)
    assert (wide.items, wide.requests) == (3, 3)


def test_what_the_target_does_not_hear_of_costs_nothing() -> None:
    """A member that the dialect leaves out, a feed that is not sent, an item it would refuse."""
    prediction = Prediction(target())
    prediction.upsert(*key("A"), whole("A"), whole("A", updatedAt="2030-01-01T00:00:00Z"))
    prediction.upsert("prices", key("A")[1], None, {})
    prediction.upsert(*key("B"), None, whole("B") | {"name": ""})

    assert (prediction.items, prediction.requests, prediction.refused) == (0, 0, 1)


def test_minutes_are_those_of_the_allowance() -> None:
    """10,000 products at 1,000 a minute; without an allowance they take no time."""
    limited, free = (
        Prediction(target()),
        Prediction(target(BudgetSettings(requests_per_minute=0, products_per_minute=0, products_per_day=0))),
    )
    item = whole("A")
    for number in range(10_000):
        for prediction in (limited, free):
            prediction.upsert(*key(f"sku-{number}"), None, item)

    assert limited.minutes() == pytest.approx(10, rel=0.05)
    assert free.minutes() == 0


@pytest.mark.parametrize(
    ("afresh", "forget", "items"), [(False, False, 2), (True, False, 3), (True, True, 2)]
)
def test_unchanged_items_count_where_everything_is_sent(afresh: bool, forget: bool, items: int) -> None:
    """And those that are forgotten do not."""
    prediction = Prediction(target())
    for outcome in (
        Outcome("unchanged", *key("A"), None, whole("A")),
        Outcome("new", *key("B"), None, whole("B")),
        Outcome("deleted", *key("C")),
    ):
        foretell(prediction, outcome, afresh=afresh, forget=forget)

    assert prediction.items == items


def test_only_what_is_built_otherwise_is_read_from_its_topic() -> None:
    """New items are not there, and unchanged ones are known by their hash."""
    topic = {
        key(sku): Held(content_hash(product_item(sku)).encode(), 0, offset, sku)
        for offset, sku in enumerate(("same", "other"))
    }
    comparison = Comparison(("products",), topic, lambda feed, place: None)
    built = {
        key("same"): product_item("same"),
        key("other"): product_item("other", name="Another"),
        key("new"): product_item("new"),
    }

    assert list(comparison.changed(built)) == [("products", topic[key("other")])]
