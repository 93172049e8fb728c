"""The data directory of one demo at a time: emptied when it begins, and never one that holds other things."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from commerce_sync.local import stack
from runtime.errors import UsageError

_LOCK: Final = ".demo.lock"
# What a demo, or `local up`, leaves in its folder.
_MARKS: Final = (_LOCK, "stack.json")


@contextmanager
def emptied(data_dir: Path) -> Iterator[None]:
    """Have the folder empty and for ourselves.

    Servers that a killed demo left there are stopped; its data would mix two shops.

    Raises:
        UsageError: it holds what no demo made, another demo runs there, or it cannot be made.
    """
    _require_ours(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / _LOCK).open("w")
    except OSError as error:
        message = f"--data-dir {data_dir} cannot be made ({error.strerror}): choose another"
        raise UsageError(message) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = f"--data-dir {data_dir} is in use: end the demo or benchmark there, or choose another"
            raise UsageError(message) from error
        stack.down(data_dir, report=lambda _: None)
        for path in data_dir.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _LOCK:
                path.unlink(missing_ok=True)
        yield


def _require_ours(data_dir: Path) -> None:
    try:
        names = {path.name for path in data_dir.iterdir()}
    except OSError:
        return
    if names and not names.intersection(_MARKS):
        message = (
            f"--data-dir {data_dir} holds '{min(names)}', which no demo made, and would be emptied: "
            "choose a folder that is empty or not there"
        )
        raise UsageError(message)
