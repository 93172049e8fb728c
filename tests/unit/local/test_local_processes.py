"""A server process is known by number and start time, and ended by them only."""

import signal
import socket
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from commerce_sync.local import processes
from commerce_sync.local.processes import Identity
from runtime.errors import NotFine

PATIENCE_S = 10


def start(tmp_path: Path, program: str) -> Identity:
    return processes.start([sys.executable, "-uc", program], tmp_path / "log")


def said(tmp_path: Path, text: str) -> bool:
    return text in (tmp_path / "log").read_text()


def test_a_process_runs_in_a_session_of_its_own_until_it_is_killed(tmp_path: Path) -> None:
    """Ctrl-C in the terminal that started it does not reach it."""
    identity = start(tmp_path, "import os, signal; print('session', os.getsid(0)); signal.pause()")
    processes.await_ready("it", identity, lambda: said(tmp_path, "session"), tmp_path / "log", PATIENCE_S)

    before = processes.is_running(identity)
    processes.kill(identity)

    assert before
    assert (tmp_path / "log").read_text() == f"session {identity.pid}\n"
    assert not processes.is_running(identity)
    assert not psutil.pid_exists(identity.pid)


def test_a_later_process_with_the_same_number_is_left_alone(tmp_path: Path) -> None:
    """Numbers are used again: the start time tells them apart."""
    identity = start(tmp_path, "import signal; signal.pause()")
    remembered = replace(identity, started_s=identity.started_s - 60)

    mistaken = processes.is_running(remembered)
    processes.stop(remembered)
    processes.kill(remembered)
    still_running = processes.is_running(identity)
    processes.kill(identity)

    assert not mistaken
    assert still_running


def test_a_process_that_will_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    """SIGTERM is asked first; what is left of the group goes with SIGKILL."""
    program = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: print('asked'))\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print('child', child.pid, 'ready')\n"
        "while True: signal.pause()\n"
    )
    identity = start(tmp_path, program)
    processes.await_ready("it", identity, lambda: said(tmp_path, "ready"), tmp_path / "log", PATIENCE_S)
    child = psutil.Process(int((tmp_path / "log").read_text().split()[1]))

    processes.stop(identity, wait_s=0.2)
    gone, alive = psutil.wait_procs([child], timeout=PATIENCE_S)

    assert said(tmp_path, "asked")
    assert not processes.is_running(identity)
    assert (gone, alive) == ([child], [])


def test_a_server_that_ends_while_starting_is_quoted(tmp_path: Path) -> None:
    """The line that says ERROR is worth more than the last one."""
    identity = start(tmp_path, "print('ERROR disk is full'); print('bye')")

    with pytest.raises(NotFine) as failure:
        processes.await_ready("kafka", identity, lambda: False, tmp_path / "log", PATIENCE_S)

    log = tmp_path / "log"
    assert str(failure.value) == f"kafka ended while starting: ERROR disk is full (all of it in {log})"


def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    """Waits are bounded."""
    identity = start(tmp_path, "import signal; print('still thinking'); signal.pause()")
    processes.await_ready("it", identity, lambda: said(tmp_path, "thinking"), tmp_path / "log", PATIENCE_S)

    with pytest.raises(NotFine, match=r"^connect does not answer after 0 s: still thinking \(all of it in"):
        processes.await_ready("connect", identity, lambda: False, tmp_path / "log", 0)

    processes.kill(identity)


def test_a_dead_child_of_ours_does_not_count_as_running(tmp_path: Path) -> None:
    """Ended behind our back, it is a zombie until somebody asks."""
    identity = start(tmp_path, "import signal; signal.pause()")
    process = psutil.Process(identity.pid)

    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE_S)

    assert not processes.is_running(identity)


def test_a_port_is_taken_while_somebody_listens() -> None:
    """And free again afterwards, at once."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        during = (processes.is_taken(port), processes.answers(port))
    after = (processes.is_taken(port), processes.answers(port))

    assert during == (True, True)
    assert after == (False, False)
