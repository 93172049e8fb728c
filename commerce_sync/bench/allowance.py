"""A running pipeline begins to keep an allowance: its sink is started again with it."""

import time
from typing import Final

from commerce_sync.bench.freshness import sent_since
from commerce_sync.bench.memory import await_ready
from commerce_sync.demo.scene import TARGET, Scene
from runtime.settings import ENVIRONMENT_PREFIX, BudgetSettings

# What was sent without an allowance in the last minute would count, and hold everything back.
FORGOTTEN_S: Final = 65.0
USUAL: Final = BudgetSettings()
_LOOK_S: Final = 0.1


def keep(scene: Scene, allowance: BudgetSettings = USUAL) -> None:
    """Wait until a minute has passed without a request, and start the sink again."""
    assert scene.supervisor is not None
    section = f"{ENVIRONMENT_PREFIX}TARGETS__{TARGET.upper()}__BUDGET__"
    usual = {f"{section}{name.upper()}": str(amount) for name, amount in allowance.model_dump().items()}
    scene.supervisor.environment = {**scene.supervisor.environment, **usual}
    await_silence(scene, FORGOTTEN_S)
    scene.supervisor.restart([label for label in scene.supervisor.pids() if label.startswith("sink")])
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
