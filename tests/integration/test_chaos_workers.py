"""Several processes of each role, killed, drained, frozen and joined at random: nothing is lost or left over.

What happens is drawn from the run's seed, as in `test_chaos.py`; the demo's own comparison judges each round.
"""

import os
import signal
import time
from collections.abc import Iterator
from random import Random

import pytest
from background import editing
from pipeline import Pipeline, running

from commerce_sync.demo import play
from commerce_sync.local.stack import Stack
from commerce_sync.run import supervise
from commerce_sync.run.request import request_resync
from commerce_sync.run.roles import Process

pytestmark = pytest.mark.stack

# Enough that a resync lasts into what happens next.
PRODUCTS = 400
WORKERS = {"router": 2, "builder": 3, "sink": 2, "clock": 2, "resync": 2}
ROUNDS = 1
ROUND_S = 20.0
PAUSE_S_MAX = 2.0
# Shorter than a session, and longer.
FREEZES_S = (0.5, 2.0, 6.0, 12.0)
FEEDS = (("products",), ("prices", "variants", "categories"))


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline with more than one process of each role; they are started again soon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervise, "_RESTART_S", (0.2, 0.5, 1.0))
        with running(stack, tmp_path_factory.mktemp("many"), PRODUCTS, {}, WORKERS) as pipeline:
            yield pipeline


@pytest.mark.parametrize("number", range(ROUNDS))
def test_processes_that_come_and_go_lose_nothing(path: Pipeline, seed: int, number: int) -> None:
    """A successor may begin while its predecessor's last words are still under way."""
    random = Random(f"{seed} workers {number}")
    done: list[str] = []
    with editing(path, 25, random.randrange(2**32)) as edits_beside:
        request_resync(path.scene.settings, random.choice(FEEDS))
        # A group is never as unsettled as when somebody joins it in the middle of a resync.
        path.scene.supervisor.start([Process("builder", f"joins-{number}")])
        until = time.monotonic() + ROUND_S
        while time.monotonic() < until:
            done.append(_disturb(path, random))
            path.tend_for(random.uniform(0, PAUSE_S_MAX))
        made = edits_beside.made
        path.wait_until("edits go on", lambda: edits_beside.made > made)
    path.settle()

    assert play.proof(path.scene).differences == (), "\n".join(done)


def _disturb(path: Pipeline, random: Random) -> str:
    """Do something to one process that runs, or ask for a resync; returns what."""
    (kind,) = random.choices(("kill", "drain", "freeze", "resync"), (7, 4, 4, 3))
    if kind == "resync":
        request_resync(path.scene.settings, feeds := random.choice(FEEDS))
        return f"resync {feeds}"
    supervisor = path.scene.supervisor
    path.wait_until("a role runs", lambda: bool(supervisor.pids()))
    pids = supervisor.pids()
    label = random.choice(sorted(pids))
    if kind == "freeze":
        seconds = random.choice(FREEZES_S)
        os.kill(pids[label], signal.SIGSTOP)
        try:
            path.tend_for(seconds)
        finally:
            os.kill(pids[label], signal.SIGCONT)
        return f"{label} frozen for {seconds} s"
    os.kill(pids[label], signal.SIGKILL if kind == "kill" else signal.SIGTERM)
    return f"{kind} {label}"
