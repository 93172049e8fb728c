"""Request bodies one change away from a good one."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

# Values of every JSON type, and texts and numbers beyond every published limit.
REPLACEMENTS = (
    *(None, True, 0, -1, 5, 1.5, 2**31 - 1, 2**31, -(2**31) - 1, [], {}, ["x"], [1], [{}], {"locale": "x"}),
    *("", "x", "a b", "A/b", "a/", "a/b", "ENABLED", "OBJECT", "x" * 6, "x" * 65, "x" * 129, "x" * 1025),
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, member in members:
        yield from places(member, (*path, name))


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def mutations(item: dict[str, Any]) -> Iterator[list[Any]]:
    """Bodies with one item: as it is, and with each single place left out, replaced or added to."""
    yield [item]
    for path in places(item):
        for replacement in REPLACEMENTS:
            body = [deepcopy(item)]
            at(body, (0, *path[:-1]) if path else ())[path[-1] if path else 0] = replacement
            yield body
        if path:
            without = deepcopy(item)
            del at(without, path[:-1])[path[-1]]
            yield [without]
        if isinstance(at(item, path), dict):
            extended = deepcopy(item)
            at(extended, path)["unlisted"] = "x"
            yield [extended]
