"""A running pipeline begins to keep an allowance: its sink is started again with it."""

import os
import signal
import time
from typing import Final

from commerce_sync.bench.freshness import sent_since
from commerce_sync.bench.memory import await_ready
from commerce_sync.demo.scene import TARGET, Scene
from runtime.errors import NotFine
from runtime.settings import ENVIRONMENT_PREFIX, BudgetSettings

RESTART_S_MAX: Final = 60.0
# What was sent without an allowance in the last minute would count, and hold everything back.
FORGOTTEN_S: Final = 65.0
USUAL: Final = BudgetSettings()
_LOOK_S: Final = 0.1


def keep(scene: Scene, allowance: BudgetSettings = USUAL) -> None:
    """Wait until a minute has passed without a request, let the sink drain, and have it back.

    Raises:
        NotFine: it does not come back.
    """
    assert scene.supervisor is not None
    section = f"{ENVIRONMENT_PREFIX}TARGETS__{TARGET.upper()}__BUDGET__"
    usual = {f"{section}{name.upper()}": str(amount) for name, amount in allowance.model_dump().items()}
    scene.supervisor.environment = {**scene.supervisor.environment, **usual}
    await_silence(scene, FORGOTTEN_S)
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


def await_silence(scene: Scene, seconds: float) -> None:
    """Until the service has had no request for so long."""
    assert scene.supervisor is not None
    newest, last_s = 0, 0.0
    while True:
        for entry in sent_since(scene, newest):
            newest, last_s = entry.id, entry.time
        if time.time() >= last_s + seconds:
            return
        scene.supervisor.tend()
        time.sleep(_LOOK_S)
