"""Fault rules: which requests the emulator treats badly, and how."""

from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from random import Random
from typing import Annotated, Literal

import msgspec


class Match(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which requests. Both absent: every request, token requests too.

    `path` may be a pattern (`/v1/catalog/products*`) and may begin with the tenant or after it;
    `sku` is one of the request's items'.
    """

    path: str | None = None
    sku: str | None = None


class Do(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What happens. `when` says whether `status` and `delay_ms` come before or after storing."""

    status: Annotated[int, msgspec.Meta(ge=200, le=599)] | None = None
    delay_ms: Annotated[float, msgspec.Meta(ge=0)] = 0
    when: Literal["before", "after"] = "before"
    drop: Literal["before", "after"] | None = None
    retry_after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    invalid: bool = False


class Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Fires for the first `count` matching requests (absent: all), each with `probability`."""

    do: Do
    match: Match = Match()
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    probability: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1


NO_FAULT = Rule(Do())


def parse_rules(body: bytes) -> list[Rule]:
    """Read a list of rules.

    Raises:
        ValueError: naming the member that is wrong.
    """
    return msgspec.json.decode(body, type=list[Rule])


@dataclass(slots=True)
class _Armed:
    rule: Rule
    left: int | None


class Faults:
    """The rules in force, in the order given; the first that fires is the only one."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._armed: list[_Armed] = []

    def replace(self, rules: list[Rule]) -> None:
        self._armed = [_Armed(rule, rule.count) for rule in rules]

    def choose(self, path: str, skus: Callable[[], frozenset[str]]) -> Rule:
        """Pick the rule for one request and use it up by one; NO_FAULT when none fires.

        Args:
            skus: asked only if a rule wants to know, since it takes reading the body.
        """
        for armed in self._armed:
            if armed.left == 0 or not _matches(armed.rule.match, path, skus):
                continue
            if armed.rule.probability < 1 and self._random.random() >= armed.rule.probability:
                continue
            if armed.left is not None:
                armed.left -= 1
            return armed.rule
        return NO_FAULT


def _matches(match: Match, path: str, skus: Callable[[], frozenset[str]]) -> bool:
    if match.path is not None:
        after_tenant = "/" + path.lstrip("/").partition("/")[2]
        if not (fnmatchcase(path, match.path) or fnmatchcase(after_tenant, match.path)):
            return False
    return match.sku is None or match.sku in skus()
