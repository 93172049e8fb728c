"""When versions of the paid edition begin and end is due like any other moment."""

import msgspec
import pytest
from builder_play import INDEX, built, dirty, read_from, stage
from fake_shop import FakeShop
from msgspec.structs import replace

from consumers.builder.index import PartitionIndex
from consumers.builder.read.versions import next_due_s, own_names
from runtime.record import Record
from schemas.edition import edition_of
from schemas.records import Dirty, IndexEntry


def due_at(sku: str, due_s: int) -> Record:
    """What the clock says."""
    return replace(dirty(sku), value=msgspec.json.encode(Dirty("due", due_s=due_s)))


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


def test_a_product_whose_first_version_is_to_come_is_due_when_it_begins(shop: FakeShop) -> None:
    """It has no row, no item and no reference yet: only its SKU is known, and the index remembers that."""
    shop.staged, shop.changes_s = {7: "A", 8: "B"}, {("product", 7): 900, ("product", 8): 100}
    index = {0: PartitionIndex()}
    held = stage(shop, index)
    outgoing = built(held, dirty("A"))
    built(held, dirty("A"))

    assert [record.topic for record in outgoing] == [INDEX]
    assert index[0].get("A") == IndexEntry(snapshot=shop.position, due_s=900)


def test_versions_count_as_they_do_at_the_moment_that_was_called(shop: FakeShop) -> None:
    """A server whose clock is behind would give the version before, and nobody would call again."""
    shop.sell("A", "name", 7)
    built(stage(shop), due_at("A", 900), dirty("B"))
    built(stage(shop), dirty("A"))

    assert shop.not_before_s == [900, 0]


def test_own_versions_are_found_without_a_row() -> None:
    """A product's by its SKU; a category's and those below it by its id; the others have none."""
    assert own_names("product", "1:a") == ("sku:1:a",)
    assert own_names("category", "5") == ("category:5", "below:5")
    assert own_names("attribute", "5") == own_names("scope", "website:1") == ()


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
