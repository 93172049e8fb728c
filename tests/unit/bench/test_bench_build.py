"""The command lines of `bench build`, `bench import` and `bench memory`, and what people read of them."""

import json

import pytest
from click.testing import CliRunner

from commerce_sync.bench.build import _starts
from commerce_sync.bench.commands import _build_lines, _import_lines, _memory_lines, _sizes, bench
from runtime.errors import UsageError


@pytest.mark.parametrize("name", ["build", "import", "memory"])
def test_help_shows_an_example(name: str) -> None:
    """As of every command."""
    shown = CliRunner().invoke(bench, [name, "--help"])

    assert shown.exit_code == 0
    assert f"Example: commerce-sync bench {name}" in " ".join(shown.output.split())


def test_sizes_are_numbers_with_commas() -> None:
    """Anything else is refused before a server is started."""
    assert _sizes("10000, 100000") == (10_000, 100_000)
    for text in ("", "many", "10000,", "10"):
        with pytest.raises(UsageError, match="write how many products, at least 20"):
            _sizes(text)


def test_batches_lie_evenly_in_a_catalog() -> None:
    """Ten of five hundred, whatever the catalog's size; a small one is built whole, or in one batch."""
    assert _starts(10_000, 500) == [0, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000]
    assert _starts(1_000_000, 500)[-1] == 900_000
    assert _starts(1_000, 500) == [0, 500]
    assert _starts(20, 500) == [0]


def test_people_read_a_line_a_size() -> None:
    """The same numbers as in the JSON object."""
    result = json.loads(
        '{"batch": 500, "runs": 5, "sizes": [{"products": 10000, "items": 10692, "ours": 5000, "limit": 9000,'
        ' "ratio": 0.56, "ratio_one_by_one": 0.9, "ratio_encoded": 0.7, "cpu_ms_per_item": 0.15,'
        ' "database_cpu_ms_per_item": 0.05}], "spread_percent": 0.0,'
        ' "feeds": {"prices": {"items": 9, "ours": 8}},'
        ' "queries_per_batch": {"1": 37, "10": 51}, "round_trips_per_batch": 5}'
    )

    assert _build_lines(result) == [
        "items a second in batches of 500 products, medians of 5 runs",
        "  products   items    ours   limit  ratio  one by one  encoded  CPU ms/item  database",
        "     10000   10692    5000    9000   0.56         0.9      0.7         0.15      0.05",
        "time of an item differs by 0.0 % between the sizes",
        "  prices: 8 items/s, 9 built",
        "queries by products of a batch: 1: 37, 10: 51",
        "round trips of a batch: 5",
    ]


def test_people_read_how_often_a_product_was_built() -> None:
    """And what was sent more than once."""
    result = json.loads(
        '{"rows": 150000, "products": 10000, "write_seconds": 6.0, "seconds": 30.0, "rows_per_second": 5000,'
        ' "ours": 1.01, "entities": {"built": 10100, "covered": 4906, "parked": 0}, "items_sent": 21682,'
        ' "items": 21667, "sent_per_item": 1.0, "sent_again_unchanged": 0, "sent_again_changed": 15}'
    )

    assert _import_lines(result) == [
        "150000 rows of 10000 products, written in 6.0 s",
        "at the target after 30.0 s, 5000 rows a second",
        "builds per product 1.01: 10100 built, 4906 covered already, 0 parked",
        "sent per item 1.0: 21682 sent of 21667 items",
        "sent again unchanged: 0 items, changed once more: 15",
    ]


def test_people_read_a_line_a_role() -> None:
    """In the order of the run."""
    moments = {name: {"router": 80.0, "builder": 90.5} for name in ("empty", "first_sync", "resync", "peak")}
    result = {"products": 1000, **moments, "loaded": {"router": 79.0, "builder": 99.0}}

    assert _memory_lines(result) == [
        "resident megabytes of each role with 1000 products",
        "                    empty     first sync         resync           peak  started again",
        "builder              90.5           90.5           90.5           90.5           99.0",
        "router               80.0           80.0           80.0           80.0           79.0",
    ]
