"""Figures of a latency benchmark: whose sighting it is, what counts as lost, and percentiles."""

import math
from collections import Counter

from commerce_sync.bench import figures
from commerce_sync.bench.figures import BuildRun, Change, Latency, Sendings


def _change(serial: int, sku: str, began_s: float, committed_s: float | None = None) -> Change:
    return Change(serial, sku, began_s, began_s, began_s + 0.001 if committed_s is None else committed_s)


def test_a_sighting_belongs_to_the_newest_change_before_it() -> None:
    """What was seen of a SKU before a change began is of an older change."""
    changes = [_change(0, "A", 10.0), _change(1, "A", 20.0)]

    found = figures.first_after(changes, [("A", 20.5), ("A", 10.5), ("A", 10.2)])

    assert found == {0: 10.2, 1: 20.5}


def test_a_sighting_before_commit_returned_counts() -> None:
    """A binlog reader may see a transaction before its writer is told; the latency is then below nothing."""
    change = _change(0, "A", 10.0, committed_s=10.25)

    found = figures.first_after([change], [("A", 10.125)])

    assert found == {0: 10.125}
    assert figures.since_commit([change], found) == [-125.0]


def test_a_merged_change_gets_the_sighting_of_the_later_one() -> None:
    """Two changes of a SKU that were sent as one both arrive with it."""
    changes = [_change(0, "A", 10.0), _change(1, "A", 11.0)]

    found = figures.first_after(changes, [("A", 12.0)])

    assert found == {0: 12.0, 1: 12.0}


def test_another_sku_is_no_sighting() -> None:
    """SKUs are compared byte for byte."""
    found = figures.first_after([_change(0, "A", 10.0)], [("a", 11.0), ("AA", 11.0)])

    assert found == {}


def test_a_change_unseen_at_one_place_is_lost() -> None:
    """Every change must pass every place."""
    changes = [_change(0, "A", 10.0), _change(1, "B", 11.0), _change(2, "C", 12.0)]
    names = {0: "zero", 1: "one", 2: "two"}
    held = {"A": {"zero"}, "B": {"one"}, "C": {"two"}}

    missing = figures.lost(changes, ({0: 10.1, 1: 11.1}, {0: 10.2, 2: 12.2}), names, held)

    assert missing == {1, 2}


def test_an_older_name_in_the_end_is_a_lost_change() -> None:
    """A request with the SKU in it proves little: its items may have been built from older rows."""
    changes = [_change(0, "A", 10.0), _change(1, "B", 11.0), _change(2, "A", 12.0), _change(3, "B", 13.0)]
    names = {0: "zero", 1: "one", 2: "two", 3: "three"}
    everywhere = dict.fromkeys(names, 20.0)

    stale = figures.lost(changes, (everywhere,), names, {"A": {"zero"}, "B": {"three"}})
    partly = figures.lost(changes, (everywhere,), names, {"A": {"two"}, "B": {"one", "three"}})
    gone = figures.lost(changes, (everywhere,), names, {"A": {"two"}})

    assert (stale, partly, gone) == ({2}, {3}, {3})


def test_percentiles_are_values_that_were_measured() -> None:
    """Nearest rank: half of 1..200 do not exceed 100, 99 of a hundred do not exceed 198."""
    values = [float(number) for number in range(200, 0, -1)]

    assert figures.latency(values) == Latency(100.0, 190.0, 198.0)
    assert figures.percentile([7.26], 99) == 7.3
    assert math.isnan(figures.percentile([], 50))


def test_hops_go_from_station_to_station() -> None:
    """The medians of the steps; a change that one station missed is left out of its steps only."""
    changes = [_change(0, "A", 10.0, 10.0), _change(1, "B", 20.0, 20.0)]
    stations = {
        "first": {0: 10.5, 1: 20.5},
        "second": {0: 10.75},
        "third": {0: 11.75, 1: 21.0},
    }

    assert figures.hops(changes, stations) == {"first": 500.0, "second": 250.0, "third": 1000.0}


def test_a_build_s_figures_are_medians_of_its_rounds() -> None:
    """One slow round moves none of them; the ratio is the limit's time over ours."""
    items = Counter(products=800, prices=200)
    runs = [
        BuildRun(items, 0.5, limit_s=0.25, limit_alone_s=0.4, libraries_s=0.1, cpu_s=0.4, server_cpu_s=0.1),
        BuildRun(items, 9.0, limit_s=8.0, limit_alone_s=9.0, libraries_s=9.0, cpu_s=7.0, server_cpu_s=6.0),
        BuildRun(items, 0.4, limit_s=0.2, limit_alone_s=0.3, libraries_s=0.1, cpu_s=0.3, server_cpu_s=0.05),
    ]

    assert figures.build_summary(runs) == {
        "items": 1000,
        "ours": 2000,
        "limit": 4000,
        "ratio": 0.5,
        "ratio_one_by_one": 0.8,
        "ratio_encoded": 0.7,
        "cpu_ms_per_item": 0.4,
        "database_cpu_ms_per_item": 0.1,
    }


def test_feeds_of_one_entity_share_its_time() -> None:
    """They are built together, so each is told by the same seconds."""
    products = [BuildRun(Counter(products=800, prices=200), seconds) for seconds in (0.5, 0.4, 9.0)]
    scopes = [BuildRun(Counter(priceBooks=10), 0.1)]

    assert figures.feed_summary([products, scopes]) == {
        "products": {"items": 800, "ours": 1600},
        "prices": {"items": 200, "ours": 400},
        "priceBooks": {"items": 10, "ours": 100},
    }


def test_the_spread_is_that_of_the_slowest_over_the_fastest() -> None:
    """A third more is 33.3 %; one size alone has none."""
    assert figures.spread_percent([4.0, 3.0, 3.5]) == 33.3
    assert figures.spread_percent([4.0]) == 0.0


def test_a_cover_holds_everything_with_few_names() -> None:
    """The one that adds most comes first; a query asked twice is not covered by one that is asked once."""
    sets = {
        "simple": figures.numbered(["product", "values"]),
        "bundle": figures.numbered(["product", "values", "selections"]),
        "linked": figures.numbered(["product", "product"]),
    }

    assert figures.cover(sets) == ["bundle", "linked"]
    assert figures.cover({}) == []


def test_a_counter_s_series_are_summed_by_their_labels() -> None:
    """Only those of the name and with all labels; the page's other lines are no series."""
    page = (
        "# TYPE built_total counter\n"
        'built_total{entity="product",outcome="built"} 17.0\n'
        'built_total{entity="category",outcome="built"} 2.0\n'
        'built_total{entity="product",outcome="covered"} 5.0\n'
        'built_total_created{entity="product",outcome="built"} 1.7e+09\n'
    )

    assert figures.metric_sum(page, "built_total", outcome="built") == 19.0
    assert figures.metric_sum(page, "built_total", entity="product", outcome="built") == 17.0
    assert figures.metric_sum(page, "built_total", outcome="parked") == 0


def test_an_item_emitted_again_unchanged_is_counted() -> None:
    """What it said last counts, also when that was before; other contents and deletes do not."""
    emitted = [
        (b"A", b"1", 100),
        (b"A", b"1", 150),
        (b"B", b"1", 150),
        (b"A", b"1", 200),
        (b"A", b"2", 210),
        (b"A", b"1", 220),
        (b"B", b"2", 230),
    ]

    assert figures.repeated(emitted, 200) == 1


def test_sends_are_told_apart_by_what_they_said() -> None:
    """Once more what was said last is needless; what was said before something else is not."""
    sent = [("A", 1), ("B", 1), ("A", 1), ("C", 1), ("C", 2), ("C", 1), ("D", 1)]

    counted = figures.sendings(sent)

    assert counted == Sendings(sends=7, identities=4, contents=5, again_unchanged=1, changed=1)
    assert figures.sendings([]) == Sendings()


def test_memory_is_told_in_megabytes_of_a_million_bytes() -> None:
    """The system tells the peak in units of 1024 bytes."""
    status = "Name:\tpython\nVmPeak:\t  999999 kB\nVmHWM:\t  100000 kB\nVmRSS:\t   50000 kB\n"

    assert figures.megabytes(52_428_800) == 52.4
    assert figures.peak_megabytes(status) == 102.4


def test_per_is_to_a_hundredth() -> None:
    """10,012 builds of 10,000 products are one each."""
    assert figures.per(10_012, 10_000) == 1.0
    assert figures.per(11_050, 10_000) == 1.1
    assert figures.per(3, 7) == 0.43
