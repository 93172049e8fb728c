"""The difference between what a target should hold and what it holds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

Identity = TypeVar("Identity", bound=tuple[str, ...])
Kind = Literal["missing", "stale", "left over"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One item that is not as it should be; `members` names the ones that differ in a stale item."""

    kind: Kind
    identity: tuple[str, ...]
    members: tuple[str, ...] = ()

    def __str__(self) -> str:
        differing = f" ({', '.join(self.members)})" if self.members else ""
        return f"{self.kind}: {' in '.join(self.identity)}{differing}"


def compare(
    wanted: Mapping[Identity, Mapping[str, Any]], held: Mapping[Identity, Mapping[str, Any]]
) -> list[Finding]:
    """Every difference, ordered by identity."""
    findings = []
    for identity in sorted(wanted.keys() | held.keys()):
        if identity not in held:
            findings.append(Finding("missing", identity))
        elif identity not in wanted:
            findings.append(Finding("left over", identity))
        elif wanted[identity] != held[identity]:
            findings.append(Finding("stale", identity, differing(wanted[identity], held[identity])))
    return findings


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[str, ...]:
    """Members that one has and the other has not, or with another value."""
    names = sorted(one.keys() | other.keys())
    return tuple(name for name in names if one.get(name, ...) != other.get(name, ...))
