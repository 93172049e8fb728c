"""A running pipeline begins to keep the default allowance: its sink is started again with it."""

import os
import signal
import time
from typing import Final

from commerce_sync.bench.memory import await_ready
from commerce_sync.demo.scene import TARGET, Scene
from runtime.errors import NotFine
from runtime.settings import ENVIRONMENT_PREFIX, BudgetSettings

RESTART_S_MAX: Final = 60.0
# What was sent without an allowance in the last minute would count, and hold everything back.
FORGOTTEN_S: Final = 65.0
_LOOK_S: Final = 0.1


def keep(scene: Scene) -> None:
    """Wait until a minute has passed without a request, let the sink drain, and have it back.

    Raises:
        NotFine: it does not come back.
    """
    assert scene.supervisor is not None
    section = f"{ENVIRONMENT_PREFIX}TARGETS__{TARGET.upper()}__BUDGET__"
    usual = {
        f"{section}{name.upper()}": str(amount) for name, amount in BudgetSettings().model_dump().items()
    }
    scene.supervisor.environment = {**scene.supervisor.environment, **usual}
    _tend_until(scene, time.monotonic() + FORGOTTEN_S)
    label = next(label for label in scene.supervisor.pids() if label.startswith("sink"))
    before = scene.supervisor.pids()[label]
    os.kill(before, signal.SIGTERM)
    deadline = time.monotonic() + RESTART_S_MAX
    while scene.supervisor.pids().get(label) in {None, before}:
        if scene.supervisor.tend() is not None or time.monotonic() > deadline:
            message = f"the sink did not come back with an allowance; see {scene.log_dir}"
            raise NotFine(message)
        time.sleep(_LOOK_S)
    await_ready(scene)


def _tend_until(scene: Scene, moment: float) -> None:
    assert scene.supervisor is not None
    while time.monotonic() < moment:
        scene.supervisor.tend()
        time.sleep(_LOOK_S)
