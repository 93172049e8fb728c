"""The audit as a process: it only reads, and never mends what it finds."""

import logging
import time
from typing import Final

from commerce_sync.proof.open import opened
from commerce_sync.proof.rounds import Rounds
from runtime.errors import Transient, Unreachable
from runtime.health import Health
from runtime.loop import Stopper
from runtime.settings import Settings
from schemas.entities import FEEDS

log = logging.getLogger(__name__)

# A look does not wait longer for what is on its way; what is late is looked at again in the next check.
LAG_S_MAX: Final = 10.0
BACKOFF_S: Final = (1.0, 5.0, 15.0, 60.0)
TURN_S: Final = 1.0


def run(settings: Settings, health: Health, stopper: Stopper) -> None:
    """Go through the catalog until told to stop."""
    with opened(settings, FEEDS, settings.targets, lambda *_: health.turned(), lag_s_max=LAG_S_MAX) as audit:
        rounds = Rounds(audit, settings.audit.entities_per_minute)
        attempts = 0
        while not stopper.stopping:
            try:
                wait_s = rounds.step()
                attempts = 0
                health.ready()
            except (Transient, Unreachable) as error:
                wait_s = BACKOFF_S[min(attempts, len(BACKOFF_S) - 1)]
                attempts += 1
                health.not_ready(str(error))
                log.warning(
                    "audit put off", extra={"reason": str(error), "attempt": attempts, "wait_s": wait_s}
                )
            _wait(wait_s, health, stopper)


def _wait(seconds: float, health: Health, stopper: Stopper) -> None:
    until = time.monotonic() + seconds
    while not stopper.stopping and (left := until - time.monotonic()) > 0:
        health.turned()
        stopper.wait(min(left, TURN_S))
    health.turned()
