"""Does capture stream, and how far is it from where the server throws its log away?"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, Literal

from asyncmy import errors

from commerce_sync.checks.database import ask
from commerce_sync.checks.verdicts import DAY_S, Finding, Server, retention_s
from producers.connectors.connect import Connect
from producers.connectors.observe import status
from runtime.errors import CommerceSyncError, Unreachable
from runtime.settings import Settings

# Of the time that the server keeps its log: an operator has as long again to act.
WARNED_SHARE: Final = 0.5
_STATES: Final[Mapping[str, Literal["ok", "warning"]]] = {"streaming": "ok", "drifted": "warning"}


def capture_findings(settings: Settings, server: Server | None) -> list[Finding]:
    """Look at a connector that exists, and where it stands in the server's log."""
    connect = Connect(settings.capture.connect_url)
    try:
        found = status(settings)
        if found.health == "missing":
            return []
        offsets = connect.offsets(settings.capture.connector)
    except CommerceSyncError as error:
        return [Finding("capture", "unreachable" if isinstance(error, Unreachable) else "not ok", str(error))]
    capture = Finding("capture", _STATES.get(found.health, "not ok"), f"{found.health}: {found.detail}")
    offset: dict[str, Any] = next((entry["offset"] for entry in offsets if entry.get("offset")), {})
    files = _log_files(settings) if "file" in offset else []
    if not files or server is None:
        return [capture]
    age_s = max(0.0, time.time() - float(offset.get("ts_sec") or time.time()))
    return [capture, position_finding(str(offset["file"]), age_s, files, retention_s(server))]


def position_finding(file: str, age_s: float, files: list[str], kept_s: float) -> Finding:
    """Judge a place in the log.

    Args:
        file: the log file that the connector reads.
        age_s: seconds since the last change that it has read.
        files: those that the server has, oldest first.
        kept_s: for how long it keeps them; 0 means that it purges none by age.
    """
    check = "log position"
    if file not in files:
        sentence = (
            f"the connector stands in {file}, and the server has {files[0]} to {files[-1]}: unless it "
            "streams on by GTID, what it has not read is lost; run 'commerce-sync re-seed'"
        )
        return Finding(check, "not ok" if _is_purged(file, files) else "warning", sentence)
    behind = len(files) - 1 - files.index(file)
    if not behind:
        return Finding(check, "ok", f"the connector reads the newest log file, {file}")
    age_days = age_s / DAY_S
    where = (
        f"the connector is {behind} log files behind, in {file}; its last change is {age_days:.2g} days old"
    )
    if not kept_s or age_s < kept_s * WARNED_SHARE:
        return Finding(check, "ok", where)
    sentence = (
        f"{where}, and the server keeps its log for {kept_s / DAY_S:.3g}: see that it streams "
        "('commerce-sync connectors status') or SET GLOBAL binlog_expire_logs_seconds higher, before changes "
        "are lost"
    )
    return Finding(check, "warning", sentence)


def _is_purged(file: str, files: list[str]) -> bool:
    """True for an older file of the same log."""
    name, _, number = file.rpartition(".")
    first_name, _, first = files[0].rpartition(".")
    return name == first_name and number.isdigit() and first.isdigit() and int(number) < int(first)


def _log_files(settings: Settings) -> list[str]:
    """Names of the server's log files, oldest first; none where nobody may ask for them."""
    if settings.capture.password is None:
        return []
    address = settings.commerce.address.model_copy(
        update={"user": settings.capture.user, "password": settings.capture.password}
    )
    try:
        (rows,) = asyncio.run(ask(address, ("SHOW BINARY LOGS",)))
    except (errors.MySQLError, OSError, TimeoutError):
        return []
    return [str(row[0]) for row in rows]
