"""Entry of one role's process; started by the supervisor, never by people."""

import argparse
import logging
import os
import sys
import threading
import time
from pathlib import Path
from typing import Final

from commerce_sync.run.framing import choose_framing
from commerce_sync.run.roles import Process, run
from runtime import collector, logs, settings
from runtime import health as health_module
from runtime.errors import CommerceSyncError
from runtime.loop import Stopper

log = logging.getLogger(__name__)

# A thread that waits for an answer has a few instructions to run when it comes; the usual 5 ms behind one
# that computes would be most of what a change needs here.
SWITCH_S: Final = 0.0005


def main(arguments: list[str]) -> int:
    """Run one role; returns the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role")
    parser.add_argument("slot")
    parser.add_argument("port", type=int)
    parser.add_argument("target", nargs="?", default="")
    parser.add_argument("--in-doubt", action="store_true")
    parser.add_argument("--config", type=Path, default=None)
    parser.add_argument("--log-dir", type=Path, default=None)
    options = parser.parse_args(arguments)
    process = Process(options.role, options.slot, options.target)
    logs.configure(process.label, log_dir=options.log_dir)
    collector.relax()
    sys.setswitchinterval(SWITCH_S)
    stopper = Stopper()
    stopper.install()
    _stop_with_parent(stopper)
    try:
        loaded = settings.load(options.config)
        choose_framing(loaded)
        health = health_module.Health()
        stop_serving = health_module.serve(health, loaded.http.host, options.port)
        log.info("role starts", extra={"pid": os.getpid(), "metrics_port": options.port})
        run(loaded, process, health, stopper, in_doubt=options.in_doubt)
        stop_serving()
    except CommerceSyncError as error:
        log.exception("role ends", extra={"reason": str(error)})
        return error.exit_code
    except Exception as error:
        # What nobody foresaw goes into the same log, and the supervisor starts the role again.
        log.exception("role ends", extra={"reason": f"{type(error).__name__}: {error}"})
        return 1
    log.info("role drained")
    return 0


def _stop_with_parent(stopper: Stopper) -> None:
    """A supervisor that was killed must not leave its roles behind."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        stopper.stop()

    threading.Thread(target=watch, daemon=True, name="parent").start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
