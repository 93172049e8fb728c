"""Server processes that outlive the command: started in groups of their own, known by id and start time."""

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from runtime.errors import NotFine

LOOK_S: Final = 0.05
PORTS: Final = range(15_000, 32_000)
# The clock that start times are taken from may be read some ticks apart.
_START_TOLERANCE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Identity:
    """A process, never to be mistaken for a later one with the same number."""

    pid: int
    started_s: float


def start(command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> Identity:
    """Start a server in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
    return Identity(process.pid, psutil.Process(process.pid).create_time())


def is_running(identity: Identity | None) -> bool:
    """True while exactly this process runs; a zombie of ours does not."""
    return _process(identity) is not None


def _process(identity: Identity | None) -> psutil.Process | None:
    if identity is None:
        return None
    try:
        process = psutil.Process(identity.pid)
        if abs(process.create_time() - identity.started_s) > _START_TOLERANCE_S:
            return None
        if process.status() == psutil.STATUS_ZOMBIE:
            _reap(identity.pid)
            return None
    except psutil.NoSuchProcess:
        return None
    return process


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        # Another command's child: its init will do it.
        return


def stop(identity: Identity | None, wait_s: float = 20) -> None:
    """Ask the process to end, wait, and end its group when it does not."""
    if not is_running(identity) or identity is None:
        return
    os.kill(identity.pid, signal.SIGTERM)
    if not _ended(identity, wait_s):
        kill(identity)


def kill(identity: Identity | None) -> None:
    """End the process and whatever it started, at once."""
    if not is_running(identity) or identity is None:
        return
    os.killpg(identity.pid, signal.SIGKILL)
    _ended(identity, 10)


def _ended(identity: Identity, wait_s: float) -> bool:
    deadline = time.monotonic() + wait_s
    while is_running(identity):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)
    return True


def await_ready(name: str, identity: Identity, ready: Callable[[], bool], log: Path, wait_s: float) -> None:
    """Wait until a server answers.

    Raises:
        NotFine: it ended or does not answer in time; quotes the end of its log.
    """
    deadline = time.monotonic() + wait_s
    while not ready():
        if not is_running(identity):
            message = f"{name} ended while starting: {_last_line(log)} (all of it in {log})"
            raise NotFine(message)
        if time.monotonic() > deadline:
            message = f"{name} does not answer after {wait_s:.0f} s: {_last_line(log)} (all of it in {log})"
            raise NotFine(message)
        time.sleep(LOOK_S)


def _last_line(log: Path) -> str:
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError:
        return "it wrote no log"
    telling = [line for line in lines if "ERROR" in line or "FATAL" in line]
    return (telling or lines or ["its log is empty"])[-1][:300]


def free_port() -> int:
    """A port nobody listens on now, below those the system gives to clients: they would take it meanwhile."""
    while is_taken(port := secrets.choice(PORTS)):
        continue
    return port


def is_taken(port: int) -> bool:
    """True when somebody listens on it or holds it."""
    with socket.socket() as probe:
        # As servers do: a port that only has closing connections is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def answers(port: int) -> bool:
    """True when something accepts connections on it."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Commands that would write the same files wait for each other; a killed one lets go."""
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
