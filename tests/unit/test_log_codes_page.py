"""Every warning and error has a number, and the page of numbers says what each means."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from runtime.log_codes import CODES, LIBRARY_CODES, OTHER_LIBRARY

ROOT = Path(__file__).parents[2]
PARTS = ("schemas", "runtime", "producers", "consumers", "commerce_sync")
# The method, and the level of the line it writes.
LEVELS = {
    "warning": "warning",
    "error": "error",
    "exception": "error",
    "critical": "error",
    "fatal": "error",
    "warn": "warning",
}
PAGE = (ROOT / "infra" / "LOG_CODES.md").read_text(encoding="utf-8")
# Number, level, event, meaning and mend.
ROWS = re.findall(r"^\| (CS\d{4}) \| (\w+) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


def calls(text: str) -> Iterator[tuple[str, str | None]]:
    """(method, event) of each call of a module's loggers; None where the event is no fixed phrase."""
    tree = ast.parse(text)
    loggers = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and "getLogger(" in ast.unparse(node)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    } | {"logging"}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        of = node.func.value
        if ast.unparse(of) in loggers or "getLogger(" in ast.unparse(of):
            event = node.args[0] if node.args else None
            is_fixed = isinstance(event, ast.Constant) and isinstance(event.value, str)
            yield node.func.attr, str(event.value) if is_fixed else None


@cache
def every_call() -> frozenset[tuple[str, str | None]]:
    """(method, event) of the whole project."""
    files = (file for part in PARTS for file in (ROOT / part).rglob("*.py"))
    texts = (file.read_text(encoding="utf-8") for file in files)
    return frozenset(
        call for text in texts if "getLogger" in text or "logging." in text for call in calls(text)
    )


def logged() -> set[tuple[str, str | None]]:
    """(level, event) of every warning and error of the project."""
    return {(LEVELS[method], event) for method, event in every_call() if method in LEVELS}


def test_the_search_finds_every_way_to_log() -> None:
    """Or the tests below would pass by finding nothing."""
    text = """
log = logging.getLogger(__name__)
other: Final = logging.getLogger("x")
log.warning("one")
other.exception("two", extra={})
logging.error(f"three {log}")
logging.getLogger("y").critical("four")
log.log(30, "five")
print.error("six")
"""

    assert list(calls(text)) == [
        ("getLogger", None),
        ("getLogger", "x"),
        ("warning", "one"),
        ("exception", "two"),
        ("error", None),
        ("critical", "four"),
        ("log", None),
        ("getLogger", "y"),
    ]


def test_every_warning_and_error_has_a_number() -> None:
    """By its fixed phrase; and no number is of an event that is gone."""
    assert {event for _, event in logged()} == set(CODES)
    # A level that is chosen at run time could be one of these.
    assert "log" not in {method for method, _ in every_call()}


def test_numbers_are_given_once() -> None:
    """And look alike."""
    numbers = [*CODES.values(), *LIBRARY_CODES.values(), OTHER_LIBRARY]

    assert len(set(numbers)) == len(numbers)
    assert [number for number in numbers if not re.fullmatch(r"CS\d{4}", number)] == []


def test_the_page_tells_every_number_and_no_other() -> None:
    """With the level its lines have; rows in the order of the numbers."""
    level_of = {event: level for level, event in logged()}
    ours = {(number, level_of.get(event), f"`{event}`") for event, number in CODES.items()}
    libraries = {*LIBRARY_CODES.values(), OTHER_LIBRARY}
    told = [(number, level, event) for number, level, event, *_ in ROWS]

    assert {row for row in told if row[0] not in libraries} == ours
    assert {row[0] for row in told if row[1] == "any"} == libraries
    assert [row[0] for row in told] == sorted({row[0] for row in told})
    # No row is written in a form that this test does not read.
    assert len(ROWS) == len(re.findall(r"^\|.*CS\d", PAGE, re.MULTILINE))
