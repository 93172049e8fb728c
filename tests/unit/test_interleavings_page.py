"""The page that maps interleavings to tests names only tests that exist."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS / "INTERLEAVINGS.md").read_text(encoding="utf-8")
STORIES = re.findall(r"^(\d+)\. (.+)\n((?:   - .+\n)*)", PAGE, re.MULTILINE)


def test_every_test_that_is_named_exists() -> None:
    """A renamed test would leave its rule without a witness unnoticed."""
    named = re.findall(r"`(\S+\.py)::(\w+)`", PAGE)

    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (TESTS / file).is_file()
        or not re.search(rf"^def {name}\(", (TESTS / file).read_text(encoding="utf-8"), re.MULTILINE)
    ]

    assert missing == []
    assert len(named) > len(STORIES)


def test_every_story_has_a_number_of_its_own_and_a_test() -> None:
    """In ascending order and without a gap."""
    numbers = [int(number) for number, _, _ in STORIES]

    assert numbers == list(range(1, 39))
    assert all("`" in tests for _, _, tests in STORIES)
    assert len(STORIES) == len(re.findall(r"^\d+\. ", PAGE, re.MULTILINE))
