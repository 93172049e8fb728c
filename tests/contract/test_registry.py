"""Feed values framed by a schema registry: one suite over a fake, and over a real one where it is given."""

import json
import os
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from fake_registry import REAL, FakeRegistry, serving
from feed_items import ITEMS

from runtime.errors import NotFine, Transient
from runtime.registry import Registry, use_registry
from schemas import codec
from schemas.codec import UnknownSchema, decode, decode_some, encode, schema_text
from schemas.topics import TopicNames


@pytest.fixture(params=["fake", "real"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of an empty or a real registry."""
    if request.param == "fake":
        with serving(FakeRegistry()) as address:
            yield address
        return
    if REAL not in os.environ:
        pytest.skip(f"{REAL} names no registry that runs")
    yield os.environ[REAL]


@pytest.fixture
def names() -> Iterator[TopicNames]:
    """Subjects of this test's own; afterwards this process frames as it did."""
    yield TopicNames(f"registry-{secrets.token_hex(4)}")
    codec.use(None)


def later(schema: str, **field: Any) -> str:
    """The schema of a later release: one field more."""
    parsed = json.loads(schema)
    parsed["fields"].insert(0, {"name": "later", "type": "string", **field})
    return json.dumps(parsed)


@pytest.mark.parametrize("feed", ITEMS)
def test_an_item_of_any_feed_comes_back_from_registered_bytes(url: str, names: TopicNames, feed: str) -> None:
    """The bytes are those that any client of a registry reads: zero, id, Avro."""
    plain = encode(feed, ITEMS[feed])
    use_registry(url, names)

    framed = encode(feed, ITEMS[feed])

    assert framed[:1] == b"\x00"
    assert framed[5:] == plain[10:]
    schema = Registry(url, names).writer_schema(int.from_bytes(framed[1:5], "big"))
    assert json.loads(schema or "")["name"] == json.loads(schema_text(feed))["name"]
    assert decode(feed, framed) == decode(feed, plain)
    some = frozenset({"sku", "websiteCode"})
    assert decode_some(feed, framed, some) == decode_some(feed, plain, some)


def test_a_schema_keeps_its_id(url: str, names: TopicNames) -> None:
    """Whoever registers it, and however often."""
    ids = {Registry(url, names).header("products", schema_text("products")) for _ in range(2)}

    assert len(ids) == 1


@pytest.mark.parametrize("feed", ITEMS)
def test_a_field_with_a_default_is_the_same_subjects_next_version(
    url: str, names: TopicNames, feed: str
) -> None:
    """What a later release writes is read by this one, and the other way round."""
    registry = Registry(url, names)
    use_registry(url, names)
    now = encode(feed, ITEMS[feed])
    header = registry.header(feed, later(schema_text(feed), default="none"))

    text = b"\x08text"
    assert header != now[:5]
    assert decode(feed, header + text + now[5:]) == decode(feed, now)


def test_a_field_without_a_default_is_refused(url: str, names: TopicNames) -> None:
    """It could not read what stands on the topic."""
    registry = Registry(url, names)
    registry.header("products", schema_text("products"))

    with pytest.raises(NotFine, match="cannot read what was written with the one before"):
        registry.header("products", later(schema_text("products")))


def test_an_id_that_nobody_registered_is_unknown(url: str, names: TopicNames) -> None:
    """These bytes are parked by whoever reads them; nothing is guessed."""
    use_registry(url, names)

    with pytest.raises(UnknownSchema, match="the schema registry has no schema 999999"):
        decode("products", b"\x00" + (999_999).to_bytes(4, "big") + b"...")


def test_registered_bytes_are_not_read_without_a_registry() -> None:
    """The setting is named."""
    with pytest.raises(UnknownSchema, match=r"set kafka\.schema_registry_url"):
        decode("products", b"\x00\x00\x00\x00\x01...")


def test_a_registry_is_asked_once_for_each_schema(names: TopicNames) -> None:
    """However many items there are."""
    registry = FakeRegistry()
    with serving(registry) as address:
        use_registry(address, names)
        for _ in range(3):
            decode("products", encode("products", ITEMS["products"]))

    subject = f"{names.feed('products')}-value"
    assert registry.asked == [
        f"PUT /config/{subject}",
        f"POST /subjects/{subject}/versions",
        "GET /schemas/ids/1",
    ]


@pytest.mark.parametrize(
    ("code", "text", "failure", "told"),
    [
        (503, "", Transient, "answered 503"),
        (429, "", Transient, "answered 429"),
        (401, '{"message": "who are you"}', NotFine, "who are you"),
        (404, "<html>", NotFine, "correct address or account"),
        (200, "<html>", NotFine, "no schema registry"),
    ],
)
def test_what_else_it_answers_is_told(
    names: TopicNames, code: int, text: str, failure: type[Exception], told: str
) -> None:
    """What may pass is tried again; what is about us ends with the setting's name."""
    registry = FakeRegistry()
    registry.answers = [(code, text)]
    with serving(registry) as address, pytest.raises(failure, match=told) as raised:
        Registry(address, names).header("products", schema_text("products"))

    assert str(raised.value).startswith("kafka.schema_registry_url: ")


def test_a_registry_that_is_away_is_waited_for_and_its_password_is_not_told(names: TopicNames) -> None:
    """The URL may hold one."""
    with pytest.raises(Transient) as raised:
        Registry("http://user:secret@127.0.0.1:1", names).header("products", schema_text("products"))

    assert "secret" not in str(raised.value)
