"""What the demo proves: the target holds what a fresh build gives, and what plain SQL says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from commerce_sync.proof.compare import compare
from commerce_sync.proof.feeds import feed_differences
from commerce_sync.proof.open import lines, opened
from commerce_sync.proof.target import read_products
from commerce_sync.sample.plain_sql import Expected
from runtime.settings import Settings
from schemas.entities import FEEDS

SHOWN_MAX: Final = 10
_VISIBLE_IN: Final = {1: [], 2: ["CATALOG"], 3: ["SEARCH"], 4: ["CATALOG", "SEARCH"]}

Held = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts and differences; `equal` is what the demo's exit code says."""

    held: int
    fresh: int
    plain: int
    refused: int
    parked: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.differences


def prove(settings: Settings, target_name: str, expected: Expected) -> Verdict:
    """Compare a quiet target with the database, item by item, in two ways that share no code.

    The first is the audit. Every feed's topic is compared value by value besides.
    """
    with opened(settings, FEEDS, [target_name]) as audit:
        result = audit.run()
    held = read_products(target_name, settings.targets[target_name])
    findings = [f"fresh build: {line}" for line in lines(result)]
    topics = [f"feed topics: {difference}" for difference in feed_differences(settings)]
    plain = [f"plain SQL: {finding}" for finding in compare(_sayable(expected), _plain(held))]
    return Verdict(
        held=len(held),
        fresh=result.items,
        plain=len(expected),
        refused=result.parked[target_name],
        parked=result.parked["builder"],
        differences=tuple(findings + topics + plain),
    )


def _sayable(expected: Expected) -> dict[tuple[str, str], dict[str, Any]]:
    """What plain SQL expects at the target: items without a name or a slug cannot be sent there.

    They are told apart here by plain SQL's own fields, not by what the builder refused.
    """
    return {
        identity: {
            "name": core["name"],
            "status": core["status"],
            "slug": core["slug"],
            "visibleIn": _VISIBLE_IN[core["visibility"]],
            "routes": sorted(core["categories"]),
        }
        for identity, core in expected.items()
        if core["name"] and core["slug"]
    }


def _plain(held: Held) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        identity: {
            "name": item["name"],
            "status": item["status"],
            "slug": item["slug"],
            "visibleIn": item["visibleIn"],
            "routes": sorted(route["path"] for route in item["routes"]),
        }
        for identity, item in held.items()
    }


def shown(differences: tuple[str, ...]) -> list[str]:
    """The first differences, and how many there are besides."""
    lines = list(differences[:SHOWN_MAX])
    if len(differences) > SHOWN_MAX:
        lines.append(f"... and {len(differences) - SHOWN_MAX} more")
    return lines
