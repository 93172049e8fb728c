"""The README's first command, as a user runs it, with its roles killed on the way."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.stack


def test_the_demo_ends_equal_although_router_builder_and_sink_are_killed(tmp_path: Path) -> None:
    """SIGKILL of each in the middle: exit code 0, no difference, nothing left running."""
    demo = subprocess.Popen(
        [
            *(sys.executable, "-m", "commerce_sync", "demo", "--exit-when-synced"),
            *("--products", "150", "--data-dir", str(tmp_path / "demo")),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    # A demo that hangs must not hang the run.
    watchdog = threading.Timer(300, demo.kill)
    watchdog.start()
    pids: dict[str, int] = {}
    to_kill = {"first sync:": "builder", "edits of every kind:": "router", "others beside them": "sink"}
    killed = []
    lines = []
    assert demo.stdout is not None
    for line in demo.stdout:
        lines.append(line.rstrip())
        if match := re.match(r"role (\w+)\S*: process (\d+)", line):
            pids[match[1]] = int(match[2])
        for sign, role in list(to_kill.items()):
            if sign in line:
                os.kill(pids[role], signal.SIGKILL)
                killed.append(role)
                del to_kill[sign]
    code = demo.wait()
    watchdog.cancel()

    output = "\n".join(lines)
    assert code == 0, output
    assert killed == ["builder", "router", "sink"]
    assert "differences: 0" in output
    assert not [
        p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or [])
    ]
