"""What the demo proves: of every feed the target holds what a fresh build gives, and what plain SQL says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from commerce_sync.proof.compare import compare
from commerce_sync.proof.delivered import delivered
from commerce_sync.proof.feeds import feed_differences
from commerce_sync.sample.plain_sql import Expected
from runtime.settings import Settings

SHOWN_MAX: Final = 10
_VISIBLE_IN: Final = {1: [], 2: ["CATALOG"], 3: ["SEARCH"], 4: ["CATALOG", "SEARCH"]}

Held = Mapping[tuple[str, str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Differences, and items by feed; `equal` is what the demo's exit code says.

    `fresh` are those that the target should hold, `refused` those that cannot be said there, `plain` the
    products that plain SQL expects.
    """

    held: Mapping[str, int]
    fresh: int
    plain: int
    refused: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.differences


def prove(settings: Settings, target_name: str, expected: Expected) -> Verdict:
    """Compare a quiet target with the database, item by item, in two ways that share no code.

    A fresh build is compared with every feed's topic, also of feeds that nobody is sent, and the topics with
    what the target holds; what plain SQL says of products is compared with the target itself.
    """
    topics = [f"fresh build: {difference}" for difference in feed_differences(settings)]
    feeds = {feed.feed: feed for feed in delivered(settings, target_name)}
    target = [f"target: {name}: {finding}" for name, feed in feeds.items() for finding in feed.findings]
    products: Held = {(sku, view): item for (sku, view), item in feeds["products"].held.items()}
    plain = [f"plain SQL: {finding}" for finding in compare(_sayable(expected), _plain(products))]
    return Verdict(
        held={name: len(feed.held) for name, feed in feeds.items()},
        fresh=sum(len(feed.wanted) for feed in feeds.values()),
        plain=len(expected),
        refused=sum(len(feed.refused) for feed in feeds.values()),
        differences=tuple(topics + target + plain),
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
