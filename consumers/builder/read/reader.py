"""What reading needs of a database, and rows gathered by the id they belong to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

Ids = Sequence[int]


class Reader(Protocol):
    """Anything that runs a SELECT inside one consistent view."""

    def query(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]: ...


def select(reader: Reader, statement: str, ids: Ids) -> list[tuple[Any, ...]]:
    """Run a SELECT whose every `%s` stands for the same ids; nothing is asked without ids."""
    if not ids:
        return []
    return reader.query(statement, (list(ids),) * statement.count("%s"))


def grouped(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    """Rows by their first column, the others in order."""
    groups: dict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for name, *others in rows:
        groups[int(name)].append(tuple(others))
    return groups


def by_second(rows: Iterable[tuple[Any, ...]]) -> dict[int, dict[int, Any]]:
    """Third column by second (a store or website id) by first."""
    groups: dict[int, dict[int, Any]] = defaultdict(dict)
    for name, key, value in rows:
        groups[int(name)][int(key)] = value
    return groups
