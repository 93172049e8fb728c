"""What a target holds is read again and again; what was asked for in between stays asked for."""

from collections.abc import Iterator
from typing import Any

import pytest
from audit_world import FakeLog, key_of
from fake_target import product_item

from commerce_sync.proof import places
from commerce_sync.proof.places import Target
from consumers.sink.dialects.optimizer import OptimizerDialect
from runtime.settings import TargetSettings


def test_what_was_asked_for_is_not_left_over_when_the_target_was_read_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is what came since; what nobody asked for still is."""
    held: list[dict[str, Any]] = []

    def read_items(*_: Any) -> Iterator[dict[str, Any]]:
        return iter(held)

    monkeypatch.setattr(places, "read_items", read_items)
    settings = TargetSettings(url="http://shop", read_url="http://shop/items")
    target = Target("shop", settings, OptimizerDialect(), FakeLog(), "products")  # type: ignore[arg-type]
    held += [{"sku": sku, "source": {"locale": "default"}} for sku in ("asked", "ghost")]
    target.refresh()
    target.forget_asked()
    target.judge(key_of("asked")[1], product_item("asked"))
    held.append({"sku": "new", "source": {"locale": "default"}})
    target.refresh()

    assert list(target.never_asked()) == [key_of("ghost")[1]]
