"""Logs: one JSON object a line on standard error, a fixed phrase and fields; by wish in files, too.

Warnings and errors carry the number of their event as `code`.
"""

import logging
import sys
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Final

from pythonjsonlogger.json import JsonFormatter

from runtime.errors import UsageError
from runtime.log_codes import code_of

# The files that operators of the exporter know, all lines and errors alone: of collecting, of transmitting.
COLLECTING: Final = ("commerce-data-export.log", "commerce-data-export-errors.log")
TRANSMITTING: Final = ("saas-export.log", "saas-export-errors.log")


def configure(role: str, verbose: bool = False, log_dir: Path | None = None) -> None:
    """Set up logging of a role's process; every line carries its name.

    Args:
        log_dir: lines go into files of this folder besides; several processes may write the same.

    Raises:
        UsageError: the folder cannot be written to.
    """
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if log_dir is not None:
        handlers += _files(role, log_dir)
    formatter = JsonFormatter(
        "%(asctime)s %(levelname)s %(name)s %(message)s",
        rename_fields={"asctime": "time", "levelname": "level", "name": "logger", "message": "event"},
        static_fields={"role": role},
    )
    for handler in handlers:
        handler.addFilter(_numbered)
        handler.setFormatter(formatter)
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=handlers, force=True)
    # The pool reports every connection it opens; a role's own lines say what matters.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def _numbered(record: logging.LogRecord) -> bool:
    """Give a line its number; every line passes."""
    if record.levelno >= logging.WARNING:
        record.code = code_of(record.name, str(record.msg))
    return True


def _files(role: str, log_dir: Path) -> list[logging.Handler]:
    everything, errors = TRANSMITTING if role.partition(".")[0] == "sink" else COLLECTING
    # Each line is one write at the end of the file, so lines of several processes stay whole; a file that
    # was moved away is begun anew.
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        handlers: list[logging.Handler] = [
            WatchedFileHandler(log_dir / everything, encoding="utf-8"),
            WatchedFileHandler(log_dir / errors, encoding="utf-8"),
        ]
    except OSError as error:
        message = f"--log-dir {log_dir} cannot be written to ({error.strerror}): choose another folder"
        raise UsageError(message) from error
    handlers[1].setLevel(logging.ERROR)
    return handlers
