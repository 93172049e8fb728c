"""One process a role, restarted when it dies, drained when we are asked to stop."""

import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from commerce_sync.run.roles import Process
from runtime.errors import Doubt, UsageError
from runtime.loop import Stopper

log = logging.getLogger(__name__)

_RESTART_S: Final = (0.2, 0.5, 1, 2, 5, 10)
_STEADY_S: Final = 30.0
_DRAIN_S: Final = 20.0
# A wrong setting does not mend by trying again.
_USAGE_EXIT: Final = UsageError.exit_code


@dataclass(slots=True)
class _Child:
    process: Process
    port: int
    running: subprocess.Popen[bytes]
    started_at: float
    failures: int = 0
    restart_at: float | None = None
    in_doubt: bool = False


@dataclass(slots=True)
class Supervisor:
    """Starts role processes and keeps them running.

    Args:
        arguments: the command line of one process, without its Python; the flag says that a
            predecessor left a transaction in doubt.
        environment: of every process.
        log_dir: a file a process; None lets them write to our standard error.
    """

    arguments: Callable[[Process, int, bool], list[str]]
    environment: Mapping[str, str]
    metrics_port: int
    log_dir: Path | None = None
    _children: list[_Child] = field(default_factory=list)

    def start(self, processes: list[Process]) -> None:
        for number, process in enumerate(processes):
            port = self.metrics_port + number if self.metrics_port else 0
            self._children.append(_Child(process, port, self._spawn(process, port), time.monotonic()))

    def pids(self) -> dict[str, int]:
        """Process ids by label, of those that run."""
        return {c.process.label: c.running.pid for c in self._children if c.running.poll() is None}

    def ports(self) -> dict[str, int]:
        return {child.process.label: child.port for child in self._children}

    def watch(self, stopper: Stopper) -> int:
        """Restart what dies until told to stop; the exit code of a usage error ends everything."""
        while not stopper.stopping:
            code = self.tend()
            if code is not None:
                return code
            stopper.wait(0.1)
        return 0

    def tend(self) -> int | None:
        """One look at every process; returns an exit code when going on makes no sense."""
        now = time.monotonic()
        for child in self._children:
            code = child.running.poll()
            if code is None:
                if child.failures and now - child.started_at > _STEADY_S:
                    child.failures = 0
                continue
            if code == _USAGE_EXIT:
                return code
            if child.restart_at is None:
                _note_doubt(child)
                wait_s = _RESTART_S[min(child.failures, len(_RESTART_S) - 1)]
                child.restart_at = now + wait_s
                child.failures += 1
                log.warning(
                    "role died", extra={"worker": child.process.label, "exit": code, "restart_in_s": wait_s}
                )
            elif now >= child.restart_at:
                self._renew(child)
        return None

    def restart(self, labels: Collection[str]) -> None:
        """Drain these processes, and start them again with the environment as it is now."""
        children = [child for child in self._children if child.process.label in labels]
        _drain(children)
        for child in children:
            _note_doubt(child)
            self._renew(child)

    def stop(self) -> None:
        """Ask every process to drain, wait, and end what does not."""
        _drain(self._children)
        self._children.clear()

    def _renew(self, child: _Child) -> None:
        child.running = self._spawn(child.process, child.port, child.in_doubt)
        child.started_at, child.restart_at = time.monotonic(), None

    def _spawn(self, process: Process, port: int, in_doubt: bool = False) -> subprocess.Popen[bytes]:
        command = [sys.executable, *self.arguments(process, port, in_doubt)]
        if self.log_dir is None:
            return subprocess.Popen(command, env=dict(self.environment), start_new_session=True)
        self.log_dir.mkdir(parents=True, exist_ok=True)
        with (self.log_dir / f"{process.label}.log").open("ab") as output:
            return subprocess.Popen(
                command,
                env=dict(self.environment),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def _note_doubt(child: _Child) -> None:
    """A process that was told of a doubt may have died before it could look, so the next is told again."""
    child.in_doubt = child.in_doubt or child.running.returncode == Doubt.exit_code


def _drain(children: Sequence[_Child]) -> None:
    for child in children:
        if child.running.poll() is None:
            child.running.terminate()
    deadline = time.monotonic() + _DRAIN_S
    for child in children:
        try:
            child.running.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("role did not drain", extra={"worker": child.process.label})
            child.running.kill()
            child.running.wait()


def role_arguments(
    process: Process,
    port: int,
    in_doubt: bool,
    config_file: Path | None = None,
    log_dir: Path | None = None,
) -> list[str]:
    """The hidden command that runs one role in its own process."""
    arguments = ["-m", "commerce_sync.run.process", process.role, process.slot, str(port)]
    if process.target:
        arguments.append(process.target)
    if in_doubt:
        arguments.append("--in-doubt")
    if config_file is not None:
        arguments += ["--config", str(config_file)]
    if log_dir is not None:
        arguments += ["--log-dir", str(log_dir)]
    return arguments


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, with what the roles need besides; output unbuffered so that logs are complete after a kill."""
    return {**os.environ, "PYTHONUNBUFFERED": "1", **(extra or {})}
