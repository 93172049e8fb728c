"""The page of known bugs names only tests, golden cases and tables that there are, and no bug without one."""

import re
from pathlib import Path

from schemas.tables import CAPTURED_TABLES

TESTS = Path(__file__).parents[1]
PAGE = (TESTS / "KNOWN_BUGS.md").read_text(encoding="utf-8")
BUGS = re.findall(r"^- (.+)\n((?:  - .+\n)+)", PAGE, re.MULTILINE)


def test_every_test_and_case_that_is_named_exists() -> None:
    """A renamed test would leave its bug without a witness unnoticed."""
    named = [name for _, witnesses in BUGS for name in re.findall(r"`(.+)`", witnesses)]

    assert [name for name in named if not exists(name)] == []
    assert len(named) > len(BUGS) > 30


def exists(name: str) -> bool:
    file, _, function = name.partition("::")
    if not function:
        return all((TESTS / f"{file}.{kind}").is_file() for kind in ("sql", "json"))
    text = (TESTS / file).read_text(encoding="utf-8") if (TESTS / file).is_file() else ""
    return re.search(rf"^def {function}\(", text, re.MULTILINE) is not None


def test_every_bug_has_a_witness() -> None:
    """A line of its own below it."""
    assert len(BUGS) == len(re.findall(r"^- ", PAGE, re.MULTILINE))


def test_every_table_that_is_named_is_captured() -> None:
    """Each of them is in a test that changes all of its columns."""
    named = {table for story, _ in BUGS for table in re.findall(r"`(\w+)`", story)}

    assert named - {*CAPTURED_TABLES} == set()
    assert len(named) > 20
