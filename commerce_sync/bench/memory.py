"""How much memory each role holds: empty, through full resyncs, and started again with all its state."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil
import requests

from commerce_sync.bench import figures
from commerce_sync.bench.freshness import first_sync
from commerce_sync.bench.processes import with_own
from commerce_sync.demo.scene import Scene
from runtime.errors import NotFine

Report = Callable[[str], None]

READY_S_MAX: Final = 300.0
_LOOK_S: Final = 0.1
# Resident megabytes by role.
Megabytes = dict[str, float]


def measure(scene: Scene, products: int, report: Report) -> dict[str, Any]:
    """Sync the whole catalog twice, start every role again, and look at each process each time.

    Raises:
        NotFine: a role does not become ready, or the pipeline does not come to rest.
    """
    await_ready(scene)
    moments = {"empty": _resident(scene)}
    first_sync(scene, report)
    moments["first_sync"] = _resident(scene)
    first_sync(scene, report)
    moments["resync"] = _resident(scene)
    peaks = peak(scene)
    assert scene.supervisor is not None
    scene.supervisor.restart(scene.supervisor.pids())
    await_ready(scene)
    moments["loaded"] = _resident(scene)
    ours, limit = sum(moments["loaded"].values()), sum(moments["empty"].values())
    return {
        "name": "memory",
        "unit": "MB",
        "ours": round(ours, 1),
        # The same processes with nothing to remember.
        "limit": round(limit, 1),
        "ratio": figures.per(ours, limit),
        "runs": 1,
        "products": products,
        **moments,
        "peak": peaks,
    }


def await_ready(scene: Scene) -> None:
    """Wait until every role has its partitions and what it must load for them.

    Raises:
        NotFine: not within five minutes, or a role cannot run.
    """
    assert scene.supervisor is not None
    deadline = time.monotonic() + READY_S_MAX
    waiting = scene.supervisor.ports()
    while waiting:
        if scene.supervisor.tend() is not None or time.monotonic() > deadline:
            message = f"not ready: {', '.join(waiting)}; see {scene.log_dir}"
            raise NotFine(message)
        time.sleep(_LOOK_S)
        host = scene.settings.http.host
        waiting = {label: port for label, port in waiting.items() if not _is_ready(host, port)}


def _is_ready(host: str, port: int) -> bool:
    try:
        return requests.get(f"http://{host}:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


def _resident(scene: Scene) -> Megabytes:
    return {
        role: figures.megabytes(sum(process.memory_info().rss for process in processes))
        for role, processes in _processes(scene).items()
    }


def peak(scene: Scene) -> Megabytes:
    """The most each process ever held."""
    return {
        role: round(sum(_peak_of(process.pid) for process in processes), 1)
        for role, processes in _processes(scene).items()
    }


def _processes(scene: Scene) -> dict[str, list[psutil.Process]]:
    """Those of each role."""
    assert scene.supervisor is not None
    return {
        label.partition(".")[0]: with_own(psutil.Process(pid))
        for label, pid in scene.supervisor.pids().items()
    }


def _peak_of(pid: int) -> float:
    return figures.peak_megabytes(Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
