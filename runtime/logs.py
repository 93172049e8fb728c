"""Logs: one JSON object a line on standard error, a fixed phrase and fields."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter


def configure(role: str, verbose: bool = False) -> None:
    """Set up logging of a role's process; every line carries its name."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger", "message": "event"},
            static_fields={"role": role},
        )
    )
    logging.basicConfig(level=logging.DEBUG if verbose else logging.INFO, handlers=[handler], force=True)
    # The pool reports every connection it opens; a role's own lines say what matters.
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
