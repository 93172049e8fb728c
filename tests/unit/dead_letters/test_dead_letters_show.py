"""What `dead-letters show` prints of the items that fail."""

import json

import pytest
from click.testing import CliRunner, Result
from fake_kafka import FakeConsumer
from feed_items import ITEMS, KEYS

from commerce_sync.cli import Context
from commerce_sync.dead_letters import read
from commerce_sync.dead_letters.commands import show
from commerce_sync.dead_letters.read import Failing
from runtime.errors import NotFine
from runtime.record import Record
from runtime.settings import Settings
from schemas.codec import encode
from schemas.keys import canonical_json
from schemas.records import DeadLetter


def shown(monkeypatch: pytest.MonkeyPatch, feed: str, value: bytes, *options: str) -> Result:
    """One item of a feed fails, whose record has this value."""
    letter = DeadLetter("attention", "upsert", "no", 1, 0, f"cs.feed.{feed}", 0, 7)
    failing = Failing("shop", feed, canonical_json(KEYS[feed]).decode(), letter)
    record = Record(letter.topic, 0, 7, failing.key.encode(), value, {}, 0)
    monkeypatch.setattr(read, "failing", lambda *_: [failing])
    monkeypatch.setattr(read, "record_at", lambda *_: record)
    monkeypatch.setattr("runtime.kafka.require_broker", lambda _: None)
    monkeypatch.setattr(read, "reader", lambda *_: FakeConsumer([]))
    monkeypatch.setattr(Context, "settings", lambda _: Settings())
    return CliRunner().invoke(show, options, obj=Context(None, 0))


@pytest.mark.parametrize("feed", ITEMS)
def test_an_item_of_every_feed_is_shown(monkeypatch: pytest.MonkeyPatch, feed: str) -> None:
    """For people and as JSON; amounts are digit for digit as the feed has them."""
    value = encode(feed, ITEMS[feed])

    text = shown(monkeypatch, feed, value)
    as_json = shown(monkeypatch, feed, value, "--json")

    assert (text.exit_code, as_json.exit_code) == (0, 0)
    assert json.loads(as_json.stdout)["items"][0]["item"].keys() >= KEYS[feed].keys()
    if feed == "prices":
        assert '"regular":12345678901234.123456' in text.stdout
        assert '"regular": 12345678901234.123456' in as_json.stdout


@pytest.mark.parametrize("end", [12, 40])
def test_an_item_nobody_can_read_is_named(monkeypatch: pytest.MonkeyPatch, end: int) -> None:
    """Its value is cut short."""
    found = shown(monkeypatch, "products", encode("products", ITEMS["products"])[:end])

    assert isinstance(found.exception, NotFine)
    assert str(found.exception).startswith("cs.feed.products [0] 7: ")
