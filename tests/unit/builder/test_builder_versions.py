"""When versions of the paid edition begin and end is due like any other moment."""

import msgspec
import pytest
from builder_play import INDEX, built, dirty, read_from, stage
from fake_shop import FakeShop

from consumers.builder.read.versions import next_due_s
from schemas.edition import edition_of
from schemas.records import IndexEntry


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> FakeShop:
    """A shop of the paid edition."""
    shop = read_from(monkeypatch)
    shop.edition = edition_of(
        ("catalog_product_entity", column) for column in ("row_id", "entity_id", "created_in", "updated_in")
    )
    return shop


def due(shop: FakeShop) -> int | None:
    """What the index is told of product A by a build."""
    (record,) = [r for r in built(stage(shop), dirty("A")) if r.topic == INDEX and r.key == b"A"]
    return msgspec.json.decode(record.value or b"", type=IndexEntry).due_s


def test_an_entity_is_due_when_another_version_of_it_begins(shop: FakeShop) -> None:
    """And not when one of another product does."""
    shop.sell("A", "name", 7)
    shop.changes_s = {("product", 7): 900, ("product", 8): 100}

    assert due(shop) == 900


def test_open_source_has_no_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing more is asked there."""
    shop = read_from(monkeypatch)
    shop.sell("A", "name", 7)
    shop.changes_s = {("product", 7): 900}

    assert due(shop) is None
    assert shop.statements == []


def test_the_first_of_all_moments_counts() -> None:
    """Its own (a special price), or a version of anything it was built from."""
    boundaries = {"product:7": 900, "category:3": 800}

    assert next_due_s(None, ("product:7", "category:3", "option:4"), boundaries) == 800
    assert next_due_s(700, ("product:7",), boundaries) == 700
    assert next_due_s(950, ("product:7",), boundaries) == 900
    assert next_due_s(None, ("product:8",), boundaries) is None
