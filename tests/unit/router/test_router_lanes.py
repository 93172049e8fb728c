"""An edit is live, an import is bulk."""

from consumers.router.lanes import LARGE_ENTITIES, LIVE_ENTITIES_MAX, LaneChooser


def fill(lanes: LaneChooser, transaction: str, commit_ms: int, entities: int, first: int = 0) -> list[str]:
    """Entities of one transaction, which the router has seen whole."""
    skus = [f"sku-{n}" for n in range(first, first + entities)]
    for sku in skus:
        lanes.see(sku, transaction)
    return [lanes.choose(sku, transaction, commit_ms) for sku in skus]


def edit(lanes: LaneChooser, commit_ms: int, entities: int = 500) -> list[str]:
    """As many transactions of one entity each."""
    return [lanes.choose(f"edit-{n}", f"edit-{n}", commit_ms) for n in range(entities)]


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
    edit(lanes, 9_999)

    assert lanes.choose("more", "u", 9_999) == "bulk"
    assert lanes.choose("more", "v", 10_000) == "live"


def test_a_window_that_comes_back_counts_on() -> None:
    """Topics of many tables are read in turn, so commit times jump back and forth while catching up."""
    lanes = LaneChooser()
    edit(lanes, 0)
    lanes.choose("other", "u", 10_000)

    assert lanes.choose("more", "v", 5_000) == "bulk"


def test_an_edit_is_live_while_an_import_runs() -> None:
    """Promise 4: a transaction of few entities is not measured by those of many."""
    lanes = LaneChooser()
    for bunch in range(20):
        fill(lanes, f"import-{bunch}", bunch * 100, 100, first=bunch * 100)

    chosen = [lanes.choose("sku-7", "edit", 1_900), *fill(lanes, "save", 1_950, LARGE_ENTITIES, first=5_000)]

    assert chosen == ["live"] * 51
    assert fill(lanes, "mass action", 1_990, LARGE_ENTITIES + 1, first=6_000) == ["bulk"] * 51


def test_an_import_that_goes_on_has_no_live_entities_after_its_first() -> None:
    """Promise 4: 500 every ten seconds are three times what a target takes in a minute by default."""
    lanes = LaneChooser()
    second = [fill(lanes, f"t-{n}", n * 1_000, 100, first=n * 100) for n in range(40)]

    assert [chosen[0] for chosen in second] == ["live"] * 5 + ["bulk"] * 35


def test_an_import_is_over_when_ten_seconds_had_room() -> None:
    """The next one begins with live entities again."""
    lanes = LaneChooser()
    for n in range(12):
        fill(lanes, f"t-{n}", n * 1_000, 100, first=n * 100)

    later = fill(lanes, "later", 21_000, 100, first=5_000)

    assert later == ["live"] * 100


def test_how_large_a_transaction_is_decides_about_its_first_entity_too() -> None:
    """The router has seen the whole of a batch when it judges."""
    lanes = LaneChooser()
    few, many = LARGE_ENTITIES, LARGE_ENTITIES + 1

    for name, entities in (("few", few), ("many", many)):
        fill(lanes, name, 0, entities)

    assert (lanes.is_large("few"), lanes.is_large("many"), lanes.is_large("unknown")) == (False, True, False)


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
