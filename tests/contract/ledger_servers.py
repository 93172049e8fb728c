"""A PostgreSQL of a test's own, where the programs are installed."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_FOLDERS = "/usr/lib/postgresql"


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """Its address; skips the test where server or driver are missing."""
    pytest.importorskip("psycopg")
    programs = [str(path) for path in sorted(Path(_FOLDERS).glob("*/bin"), reverse=True)]
    search = os.pathsep.join([*programs, os.environ.get("PATH", "")])
    initdb, pg_ctl = (shutil.which(name, path=search) for name in ("initdb", "pg_ctl"))
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL server is installed")
    user = _user(folder)
    data = folder / "data"
    subprocess.run(
        [initdb, "-D", data, "-U", "ledger", "-A", "trust", "-E", "UTF8"],
        check=True,
        user=user,
        stdout=subprocess.DEVNULL,
        cwd="/",
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = f"-p {port} -h 127.0.0.1 -k '' -c fsync=off"
    start = [pg_ctl, "-D", data, "-w", "-t", "30", "-l", folder / "log", "-o", options, "start"]
    subprocess.run(start, check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")
    try:
        yield f"postgresql://ledger@127.0.0.1:{port}/postgres"
    finally:
        stop = [pg_ctl, "-D", data, "-m", "immediate", "-w", "stop"]
        subprocess.run(stop, check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")


def _user(folder: Path) -> str | None:
    """The server does not run as root; another account has to get into the folder, and own it."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        pytest.skip("PostgreSQL does not run as root, and there is no account 'postgres'")
    shutil.chown(folder, "postgres")
    return "postgres"
