"""The audit that goes on and on: a few entities at a time, and what differs is looked at until it is sure."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import chain, islice, product
from typing import Final, get_args

from commerce_sync.proof.audit import Audit, Finding, Result, Suspect
from commerce_sync.proof.places import Kind
from consumers.builder.diff import ItemKey
from runtime import metrics
from schemas.entities import FEEDS_OF

log = logging.getLogger(__name__)

# A page is one short snapshot.
PAGE_ENTITIES_MAX: Final = 100
PAGES_PER_MINUTE: Final = 10
CHECK_EVERY_S: Final = 60.0
# Between two rounds of a small shop.
PAUSE_S: Final = 1.0
# So many suspects wait for a check; no further page is looked at then.
OPEN_MAX: Final = 1_000
# So many known differences are looked at again in one check, and so many are known by name.
AGAIN_MAX: Final = 1_000
DRIFT_MAX: Final = 10_000
# A line names so many.
NAMED_MAX: Final = 10


@dataclass(slots=True)
class _Round:
    """Where the present round stands: behind which number of its kind, `done` entities of about `total`."""

    entity: str
    total: int
    began_at: float
    number: int = 0
    done: int = 0
    at_end: bool = False
    owned: set[ItemKey] = field(default_factory=set)


class Rounds:
    """One kind of entity after the other, over and over. Every build counts against the allowance.

    What is left over is found in what was there when a round began, so a round that did not end begins anew.
    """

    def __init__(
        self,
        audit: Audit,
        entities_per_minute: int,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.drift: dict[ItemKey, Finding] = {}
        self._audit = audit
        self._entities_per_minute = entities_per_minute
        self._page_entities = max(1, min(PAGE_ENTITIES_MAX, entities_per_minute // PAGES_PER_MINUTE))
        self._clock = clock
        self._wall_clock = wall_clock
        self._kinds = [entity for entity, feeds in FEEDS_OF.items() if any(f in audit.places for f in feeds)]
        self._round: _Round | None = None
        self._open: dict[ItemKey, Suspect] = {}
        # About how many entities there are of the kinds that were begun.
        self._totals: dict[str, int] = {}
        self._check_at = clock() + CHECK_EVERY_S
        for entity in self._kinds:
            metrics.AUDIT_PASS.labels(entity).set(wall_clock())
        self._tell([])

    def step(self) -> float:
        """Do one piece of work; returns how many seconds to wait before the next.

        What it raises is what database, broker and targets raise; the same piece is done again then.
        """
        if self._round is None:
            self._round = self._begun(self._kinds[0])
            return 0.0
        if self._is_check_due():
            return self._paid(self._check())
        if not self._round.at_end:
            return self._paid(self._look_on(self._round))
        built = self._end(self._round)
        return PAUSE_S + self._paid(built)

    def _begun(self, entity: str) -> _Round:
        began_at = self._clock()
        self._totals[entity] = self._audit.begin(entity)
        return _Round(entity, self._totals[entity], began_at)

    def _look_on(self, round_: _Round) -> int:
        """Compare a page; returns how many entities it has."""
        named, suspects = self._audit.look_on(round_.entity, round_.number, self._page_entities, round_.owned)
        self._suspect(suspects)
        round_.at_end = not named
        if named:
            round_.number = named[-1][0]
            round_.done += len(named)
        # Whoever was made meanwhile was not counted.
        done = 1.0 if round_.at_end else round_.done / max(round_.done, round_.total, 1)
        metrics.AUDIT_PROGRESS.labels(round_.entity).set(done)
        return len(named)

    def _end(self, round_: _Round) -> int:
        """Look for what is left over and at what is still open; the next kind is next."""
        self._suspect(self._audit.left_over(round_.entity))
        built = self._check()
        metrics.AUDIT_PASS.labels(round_.entity).set(self._wall_clock())
        log.info(
            "audit pass done",
            extra={
                "entity": round_.entity,
                "entities": round_.done,
                "seconds": round(self._clock() - round_.began_at, 1),
                "differing": len(self.drift),
                "open": len(self._open),
            },
        )
        self._kinds.append(self._kinds.pop(0))
        self._round = None
        return built

    def _suspect(self, suspects: Iterable[Suspect]) -> None:
        """Keep what is new for the next check; what goes beyond the bound is found in the next round."""
        known = self.drift.keys() | self._open.keys()
        for suspect in islice((s for s in suspects if s.item_key not in known), OPEN_MAX):
            self._open[suspect.item_key] = suspect

    # The second look.

    def _is_check_due(self) -> bool:
        return bool(self._open or self.drift) and (
            len(self._open) >= OPEN_MAX or self._clock() >= self._check_at
        )

    def _check(self) -> int:
        """Judge what is open, and what differed before, once nothing is on its way; returns what it built."""
        most = min(AGAIN_MAX, self._entities_per_minute)
        again = [finding.suspect for finding in islice(self.drift.values(), most)]
        suspects = list({s.item_key: s for s in chain(self._open.values(), again)}.values())
        result = Result()
        if suspects:
            self._audit.confirm(suspects, result)
        found = {finding.suspect.item_key: finding for finding in result.findings}
        unjudged = {suspect.item_key: suspect for suspect in result.unjudged}
        new = [finding for key, finding in found.items() if key not in self.drift]
        for suspect in suspects:
            # What was looked at now comes last the next time.
            before = self.drift.pop(suspect.item_key, None)
            kept = found.get(suspect.item_key, before if suspect.item_key in unjudged else None)
            if kept is not None and len(self.drift) < DRIFT_MAX:
                self.drift[suspect.item_key] = kept
        self._open = {key: suspect for key, suspect in unjudged.items() if key not in self.drift}
        self._tell(new)
        built = self._built_for(suspects)
        # A minute for pages first: what is known to differ must not keep the round from its end.
        self._check_at = self._clock() + self._paid(built) + CHECK_EVERY_S
        return built

    def _built_for(self, suspects: Iterable[Suspect]) -> int:
        """Products by themselves; of the other kinds all, since any may own the item."""
        products = sum(suspect.entity_key is not None for suspect in suspects)
        kinds = {suspect.entity for suspect in suspects if suspect.entity != "product"}
        return products + sum(self._totals.get(entity, 0) for entity in kinds)

    def _tell(self, new: list[Finding]) -> None:
        counted = Counter((each.feed, each.stage, each.kind) for each in self.drift.values())
        for feed, places in self._audit.places.items():
            for place, kind in product(places, get_args(Kind)):
                metrics.AUDIT_DRIFT.labels(feed, place.name, kind).set(counted[feed, place.name, kind])
        if new:
            named = [f"{each.kind}: {each.feed} {each.key} at {each.stage}" for each in new[:NAMED_MAX]]
            log.error("items differ", extra={"new": len(new), "differing": len(self.drift), "first": named})

    def _paid(self, entities: int) -> float:
        """Seconds that so many entities take under the allowance."""
        return 60.0 * entities / self._entities_per_minute
