"""When an entity changes by time alone is kept with its build, and the call that comes then is answered."""

import msgspec
import pytest
from builder_play import LIVE, built, dirty, entries, names, stage
from fake_shop import FakeShop

from consumers.builder.feeds import prices
from consumers.builder.fold import fold
from consumers.builder.index import encode_entry
from runtime.record import Record
from schemas.records import Dirty, IndexEntry

DUE_S = 1_705_320_000


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How late it was for each price; one begins at `DUE_S` and ends an hour later."""
    moments: list[int] = []

    def build(rows: object, catalog: object, now_s: int) -> prices.Prices:
        moments.append(now_s)
        return prices.Prices(due_s=DUE_S if now_s < DUE_S else DUE_S + 3_600)

    monkeypatch.setattr(prices, "build", build)
    return moments


def called(due_s: int) -> Record:
    return Record(LIVE, 0, 0, b"A", msgspec.json.encode(Dirty("due", due_s=due_s)), {})


def test_a_build_says_when_the_entity_changes_next(shop: FakeShop, asked: list[int]) -> None:
    """Also when nothing else is new, or the next moment would never be known."""
    held = stage(shop)
    shop.sell("A", "one")
    first = entries(built(held, dirty("A")))["A"]
    outgoing = built(held, called(DUE_S))
    second = entries(outgoing)["A"]

    assert first is not None
    assert second is not None
    assert (first.due_s, second.due_s) == (DUE_S, DUE_S + 3_600)
    assert names(outgoing) == []
    assert asked == [0, DUE_S]


def test_a_moment_that_is_known_is_not_written_again(shop: FakeShop, asked: list[int]) -> None:
    """Promise 5 for the index."""
    held = stage(shop)
    shop.sell("A", "one")
    built(held, dirty("A"))

    assert built(held, dirty("A")) == []


def test_an_entity_that_cannot_be_built_calls_nobody(shop: FakeShop, asked: list[int]) -> None:
    """Its rows have to be mended first, and their change builds it."""
    held = stage(shop)
    shop.sell("A", "one")
    built(held, dirty("A"))
    shop.break_rows("A")

    after = entries(built(held, dirty("A")))["A"]

    assert after is not None
    assert after.parked
    assert after.due_s is None


def test_it_is_as_late_as_the_latest_call_says() -> None:
    """An edit beside it says nothing of the time."""
    (work,) = fold(
        [("A", 0, "live", dirty_) for dirty_ in (Dirty("due", due_s=5), Dirty("due", due_s=9), Dirty("edit"))]
    )

    assert work.not_before_s == 9


def test_a_moment_alone_is_remembered() -> None:
    """Nothing else may be known of an entity that has no item yet."""
    value = encode_entry(IndexEntry(due_s=DUE_S))

    assert msgspec.json.decode(value or b"", type=IndexEntry).due_s == DUE_S
    assert encode_entry(IndexEntry()) is None
