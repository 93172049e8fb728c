"""What `scopes list` says."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from fake_kafka import FakeConsumer
from feed_items import WEBSITE

from commerce_sync.cli import Context
from commerce_sync.scopes import read
from commerce_sync.scopes.commands import list_
from runtime.record import Record
from runtime.settings import Settings, TargetSettings
from schemas.codec import encode
from schemas.controls import Scope, scope_key


def website(number: str, code: str, *views: str) -> Record:
    store = {"storeId": "1", "storeCode": "main", "storeViews": []}
    store["storeViews"] = [{"storeViewId": "1", "storeViewCode": view} for view in views]
    item = {**WEBSITE, "websiteId": number, "websiteCode": code, "stores": [store]}
    return Record("feed", 0, 0, number.encode(), encode("scopesWebsite", item), {}, 0)


def switched(code: str, view: str | None, enabled: bool) -> Record:
    value = msgspec.json.encode(Scope("shop", code, enabled, 1, view))
    return Record("control", 0, 0, scope_key("shop", code, view), value, {}, 0)


def listed(monkeypatch: pytest.MonkeyPatch, websites: list[Record], said: list[Record]) -> dict[str, bool]:
    def log(_: Any, topic: str, __: Any) -> Iterator[Record]:
        return iter(said if topic.endswith(".control") else websites)

    monkeypatch.setattr(read, "read_to_end", log)
    monkeypatch.setattr(read, "reader", lambda *_: FakeConsumer([]))
    monkeypatch.setattr("runtime.kafka.require_broker", lambda _: None)
    settings = Settings(targets={"shop": TargetSettings(url="http://service")})
    monkeypatch.setattr(Context, "settings", lambda _: settings)
    told = CliRunner().invoke(list_, ["--json"], obj=Context(None, 0)).stdout
    return {line["scope"]: line["enabled"] for line in json.loads(told)["scopes"]}


def test_websites_and_store_views_are_listed_as_they_were_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    """A website's switch is none of its store views'; what is off is listed though the shop lost it."""
    shop = [website("1", "base", "en", "de"), website("2", "us")]
    said = [switched("base", None, False), switched("base", "de", False), switched("us", None, False)]

    found = listed(monkeypatch, shop, [*said, switched("us", None, True), switched("gone", None, False)])

    assert found == {"base": False, "base/de": False, "base/en": True, "gone": False, "us": True}


def test_a_store_view_that_moved_to_another_website_is_still_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sinks know it by its code; switched on under its new website, it is on by any name."""
    shop = [website("1", "base"), website("2", "eu", "de")]
    off = switched("base", "de", False)

    moved = listed(monkeypatch, shop, [off])
    again = listed(monkeypatch, shop, [off, switched("eu", "de", True)])

    assert moved == {"base": True, "base/de": False, "eu": True, "eu/de": False}
    assert again == {"base": True, "eu": True, "eu/de": True}
