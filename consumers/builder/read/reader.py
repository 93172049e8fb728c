"""Reads as plans: whatever does not need each other's answers is asked in one round trip.

A plan is a generator. It yields the queries it needs next, is sent their rows, and returns what it made of
them. Plans that run together share their round trips, so a batch costs as many as its longest chain of
questions, not as many as it has questions.
"""

from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from typing import Any, Generic, Protocol, TypeVar

from runtime.database import Query, Row

T = TypeVar("T")
Ids = Sequence[int]
Plan = Generator[list[Query], list[list[Row]], T]


class Reader(Protocol):
    """Anything that runs SELECTs inside one consistent view."""

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]: ...


def carry_out(reader: Reader, plan: Plan[T]) -> T:
    """Ask what the plan wants to know until it is done."""
    later = Later(plan)
    while later.queries:
        later.answer(reader.query_all(later.queries))
    return later.result


def ask(statement: str, *parameters: Any) -> Plan[list[Row]]:
    """One SELECT; `%s` marks a value, a list value stands for its members."""
    (rows,) = yield [(statement, parameters)]
    return rows


def select(statement: str, ids: Ids) -> Plan[list[Row]]:
    """A SELECT whose every `%s` stands for the same ids; nothing is asked without ids."""
    if not ids:
        return []
    return (yield from ask(statement, *[list(ids)] * statement.count("%s")))


class Later(Generic[T]):
    """A plan under way: what it asks now, and its result once it asks no more."""

    def __init__(self, plan: Plan[T]) -> None:
        self._plan = plan
        self._result: list[T] = []
        self.queries: list[Query] = []
        self.answer(None)

    def answer(self, answers: list[list[Row]] | None) -> None:
        """Hand over the rows of `queries`, in their order; None starts the plan."""
        try:
            # A generator that has not begun takes nothing but None.
            self.queries = next(self._plan) if answers is None else self._plan.send(answers)
        except StopIteration as end:
            self.queries = []
            self._result.append(end.value)

    @property
    def result(self) -> T:
        (result,) = self._result
        return result


class Together:
    """Plans that share their round trips."""

    def __init__(self) -> None:
        self._plans: list[Later[Any]] = []

    def add(self, plan: Plan[T]) -> Later[T]:
        """Its result stands after `done`."""
        later = Later(plan)
        self._plans.append(later)
        return later

    def done(self) -> Plan[None]:
        """Every plan to its end."""
        while asking := [later for later in self._plans if later.queries]:
            answers = yield [query for later in asking for query in later.queries]
            for later in asking:
                count = len(later.queries)
                later.answer(answers[:count])
                del answers[:count]


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
