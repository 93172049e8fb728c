"""The command lines of `bench priority` and `bench freshness --allowance`, and what people read of them."""

import json

from click.testing import CliRunner
from feed_items import PRODUCT

from commerce_sync.bench.commands import _freshness_lines, _lines, _priority_lines, bench
from commerce_sync.bench.feed_records import changed, item_of
from commerce_sync.bench.freshness import ALLOWED_CHANGES_PER_SECOND
from runtime.record import Outgoing
from runtime.settings import BudgetSettings
from schemas.codec import encode
from schemas.keys import canonical_json


def test_help_shows_an_example() -> None:
    """As of every command."""
    shown = CliRunner().invoke(bench, ["priority", "--help"])

    assert shown.exit_code == 0
    assert "Example: commerce-sync bench priority" in " ".join(shown.output.split())


def test_people_read_both_latencies_and_what_was_used() -> None:
    """The same numbers as in the JSON object."""
    result = json.loads(
        '{"ours": {"p50": 15.0, "p95": 30.0, "p99": 60.0}, "limit": {"p50": 14.0, "p95": 25.0, "p99": 40.0},'
        ' "ratio": 1.5, "runs": 180, "bulk_items": 100000, "edits_per_second": 3.0,'
        ' "allowance": {"used": 0.99, "refused_429_percent": 0.0}}'
    )

    assert _priority_lines(result) == [
        "180 live edits, 3 a second, milliseconds",
        "                              p50      p95      p99",
        "100000 items wait            15.0     30.0     60.0",
        "nothing else waits           14.0     25.0     40.0",
        "ratio of the p99 1.5",
        "0.99 of the allowance used, 0.0 % answered 429",
    ]


def test_a_changed_record_has_the_key_of_its_item() -> None:
    """Or it would be another state of the item it was made from."""
    record = Outgoing(
        "", 0, canonical_json({"sku": "BOX", "storeViewCode": "de"}), encode("products", PRODUCT)
    )

    other = changed(record, sku="BOX-1")

    assert other.key == b'{"sku":"BOX-1","storeViewCode":"de"}'
    assert item_of(other) == item_of(record) | {"sku": "BOX-1"}


def test_the_second_figure_is_told_only_if_it_was_taken() -> None:
    """Under its own heading."""
    row = {"p50": 1.0, "p95": 2.0, "p99": 3.0}
    first = {"ours": row, "limit": row, "ratio": 1.0, "difference": 0.0, "runs": 10, "lost": 0}
    first |= {"writer_late_ms": 0.1, "hops": {"sink": 1.0}, "changes_per_second": 50.0}
    second = first | {"changes_per_second": 3.0}

    assert _freshness_lines(first) == _lines(first)
    assert _freshness_lines(first | {"allowance": second}) == [
        *_lines(first),
        "under the default allowance:",
        *_lines(second),
    ]


def test_the_allowance_carries_the_rate_of_the_second_figure() -> None:
    """A request a change, and an item of each of up to five store views."""
    changes = ALLOWED_CHANGES_PER_SECOND * 60

    assert changes <= BudgetSettings().requests_per_minute
    assert changes * 5 <= BudgetSettings().products_per_minute
