"""A program of ours as a process of its own: started when it has said in one line where it is."""

import os
import selectors
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from runtime.errors import Unreachable

START_S_MAX: Final = 20.0
_END_S_MAX: Final = 10.0


@contextmanager
def saying(module: str, arguments: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """Run a module until the end of the block.

    Returns:
        The first line that it printed, and its process id.

    Raises:
        Unreachable: it ends, or says nothing for 20 s.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            line = process.stdout.readline() if selector.select(START_S_MAX) else b""
        if not line:
            words = " ".join(("python -m", module, *arguments))
            message = f"{module} did not start; run '{words}' to see why"
            raise Unreachable(message)
        yield line.decode().strip(), process.pid
    finally:
        _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_END_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
