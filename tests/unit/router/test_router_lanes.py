"""An edit is live, an import is bulk."""

from consumers.router.lanes import LIVE_ENTITIES_MAX, LaneChooser


def fill(lanes: LaneChooser, transaction: str, commit_ms: int, entities: int, first: int = 0) -> list[str]:
    return [lanes.choose(f"sku-{n}", transaction, commit_ms) for n in range(first, first + entities)]


def test_the_501st_entity_of_one_transaction_is_bulk() -> None:
    """INTERLEAVING 30: an import must not arrive as live."""
    lanes = LaneChooser()

    chosen = fill(lanes, "t", 0, 502)

    assert LIVE_ENTITIES_MAX == 500
    assert chosen == ["live"] * 500 + ["bulk"] * 2


def test_a_transaction_keeps_its_count_past_its_window() -> None:
    """One import may last for minutes."""
    lanes = LaneChooser()
    fill(lanes, "t", 0, 500)

    assert lanes.choose("another", "t", 10_000) == "bulk"
    assert lanes.choose("another", "u", 10_000) == "live"


def test_the_501st_entity_of_ten_seconds_is_bulk_whatever_its_transaction() -> None:
    """An import may also be many small transactions."""
    lanes = LaneChooser()

    chosen = [lanes.choose(f"sku-{n}", f"t-{n}", n * 10) for n in range(600)]

    assert chosen == ["live"] * 500 + ["bulk"] * 100


def test_the_next_ten_seconds_begin_anew() -> None:
    """Windows are whole multiples of 10 s of commit time."""
    lanes = LaneChooser()
    fill(lanes, "t", 9_999, 500)

    assert lanes.choose("more", "u", 9_999) == "bulk"
    assert lanes.choose("more", "v", 10_000) == "live"


def test_a_window_that_comes_back_counts_on() -> None:
    """Topics of many tables are read in turn, so commit times jump back and forth while catching up."""
    lanes = LaneChooser()
    fill(lanes, "t", 0, 500)
    lanes.choose("other", "u", 10_000)

    assert lanes.choose("more", "v", 5_000) == "bulk"


def test_an_entity_seen_before_stays_live() -> None:
    """Entities are counted, not changes: 15 rows of one product are one."""
    lanes = LaneChooser()
    fill(lanes, "t", 0, 500)

    assert lanes.choose("sku-3", "t", 0) == "live"
    assert lanes.choose("sku-500", "t", 0) == "bulk"
    assert lanes.choose("sku-500", "t", 0) == "bulk"


def test_only_a_bounded_number_of_transactions_is_remembered() -> None:
    """A router that runs for months does not grow."""
    lanes = LaneChooser()

    for n in range(5_000):
        lanes.choose("sku", f"t-{n}", n * 10_000)

    assert len(lanes._transactions) == 1_000
    assert len(lanes._windows) <= 1_000
