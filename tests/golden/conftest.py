"""One database for all cases, and where the report of the columns lies."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mutation import REPORT
from shop import Shop

from commerce_sync.local.stack import Stack
from commerce_sync.sample.commands import ADMIN_VARIABLE

# The fakes are found by their names, as every helper beside a test is.
sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

REPORT_FILE = Path(__file__).parents[2] / "var" / "column-changes.md"


@pytest.fixture(scope="session")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    yield shop
    shop.close()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Keep what the tests that change every column found, and say where."""
    if REPORT.columns:
        REPORT_FILE.parent.mkdir(exist_ok=True)
        REPORT_FILE.write_text(REPORT.text(), encoding="utf-8")
        columns = sum(map(len, REPORT.columns.values()))
        terminalreporter.write_line(
            f"column changes: {len(REPORT.columns)} tables, {columns} columns, in {REPORT_FILE}"
        )
