"""What a database's variables and grants mean for the pipeline: facts in, findings out, pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

DAY_S: Final = 24 * 3600
# A weekend without anyone looking: a position that was purged meanwhile costs a re-seed.
RETENTION_DAYS_MIN: Final = 3

# The server tells these to every account.
VARIABLES: Final = (
    "log_bin",
    "binlog_format",
    "binlog_row_image",
    "binlog_expire_logs_seconds",
    "expire_logs_days",
    "log_bin_compress",
    "binlog_row_value_options",
    "gtid_mode",
)

_HARMLESS: Final = frozenset(
    {
        "USAGE",
        "SELECT",
        "SHOW VIEW",
        "SHOW DATABASES",
        "REPLICATION CLIENT",
        "BINLOG MONITOR",
        "SLAVE MONITOR",
        "REPLICA MONITOR",
    }
)
_CAPTURE_NEEDS: Final = _HARMLESS | {"REPLICATION SLAVE", "REPLICATION REPLICA"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `check`. A warning is fine; a sentence that is not ends with its mend."""

    check: str
    state: Literal["ok", "warning", "not ok", "unreachable"]
    sentence: str

    @property
    def fine(self) -> bool:
        return self.state in {"ok", "warning"}


@dataclass(frozen=True, slots=True)
class Grant:
    """One line of SHOW GRANTS: `database` is "*" or a pattern, `table` is "*" or a name."""

    privileges: frozenset[str]
    database: str
    table: str

    def allows(self, privilege: str, database: str, table: str) -> bool:
        """Tell whether the line gives a privilege; "*" asks for the whole server or the whole database."""
        if not {privilege, "ALL PRIVILEGES"} & self.privileges:
            return False
        if self.database == "*":
            return True
        if database == "*" or self.table not in {"*", table}:
            return False
        # Wildcards mean something only where the grant is for a whole database.
        if self.table == "*":
            return _like(self.database, database)
        return self.database == database


@dataclass(frozen=True, slots=True)
class Account:
    """What an account is and may do, as the server tells it."""

    setting: str  # of its name, "commerce.url" or "capture.user"
    name: str  # as in 'name'@'host'
    database: str
    grants: tuple[Grant, ...]
    has_roles: bool
    tables: frozenset[str]  # that it can see

    def allows(self, privilege: str, table: str = "*", database: str | None = None) -> bool:
        place = self.database if database is None else database
        return any(grant.allows(privilege, place, table) for grant in self.grants)


@dataclass(frozen=True, slots=True)
class Server:
    version: str
    variables: Mapping[str, str]  # names in lower case

    @property
    def is_mariadb(self) -> bool:
        return "mariadb" in self.version.lower()


def parse_grants(lines: Iterable[str]) -> tuple[tuple[Grant, ...], bool]:
    """Read SHOW GRANTS. The flag says whether a role is granted too, whose rights MySQL does not list.

    Rights on single columns count for nothing here: `SELECT (a)` does not let a table be read.
    """
    grants = []
    has_roles = False
    for line in lines:
        match = _GRANT.match(line)
        if match is None:
            has_roles = has_roles or bool(re.match(r"GRANT .+ TO ", line))
            continue
        privileges = {part.strip().upper() for part in _COLUMNS.sub("", match["privileges"]).split(",")}
        if "WITH GRANT OPTION" in match["rest"].upper():
            privileges.add("GRANT OPTION")
        privileges.discard("")
        grants.append(Grant(frozenset(privileges), _unquoted(match["database"]), _unquoted(match["table"])))
    return tuple(grants), has_roles


def binlog_findings(server: Server) -> list[Finding]:
    """Judge whether the server's log can be streamed, and for how long an outage may last."""
    on = server.variables.get("log_bin", "").upper() in {"ON", "1"}
    if not on:
        mend = "write log_bin and a server_id into the server's configuration and restart it"
        return [Finding("log_bin", "not ok", f"the binary log is off: {mend}")]
    return [
        Finding("log_bin", "ok", "the binary log is on"),
        # Where the variable is gone (newer MySQL), ROW is the only format there is.
        _must_be(server, "binlog_format", "ROW"),
        _must_be(server, "binlog_row_image", "FULL"),
        *_unreadable_forms(server),
        *_positions(server),
        _retention(server),
    ]


def database_finding(account: Account, product_table: str) -> Finding:
    """Judge whether this is a Commerce database at all."""
    if product_table in account.tables:
        return Finding(
            "tables", "ok", f"{len(account.tables)} tables of database '{account.database}' are seen"
        )
    sentence = (
        f"{account.setting}: database '{account.database}' shows no table {product_table}: correct the "
        f"database's name or commerce.table_prefix, or {_grant_select(account)}"
    )
    return Finding("tables", "not ok", sentence)


def read_account_findings(account: Account, needed: Collection[str]) -> list[Finding]:
    """Judge the account that reads rows. `needed` are tables that exist."""
    check = f"grants of {account.name}"
    return [_selects(check, account, needed), *_too_many(check, account, _HARMLESS)]


def capture_account_findings(account: Account, needed: Collection[str], server: Server) -> list[Finding]:
    """Judge the account the connector reads the log with."""
    check = f"grants of {account.name}"
    monitor = "BINLOG MONITOR" if server.is_mariadb else "REPLICATION CLIENT"
    wanted = {
        "REPLICATION SLAVE": ("REPLICATION SLAVE", "REPLICATION REPLICA"),
        monitor: ("BINLOG MONITOR", "REPLICATION CLIENT"),
    }
    missing = [
        name
        for name, spellings in wanted.items()
        if not any(account.allows(spelling, database="*") for spelling in spellings)
    ]
    findings = [_selects(check, account, needed)]
    if missing:
        rights = ", ".join(missing)
        mend = f"GRANT {rights} ON *.* TO {_quoted(account.name)}"
        sentence = f"{account.setting}: {account.name} lacks {rights}: {mend}"
        findings.append(_unless_by_role(check, account, sentence))
    else:
        findings.append(Finding(check, "ok", "may read the binary log"))
    return findings + _too_many(check, account, _CAPTURE_NEEDS)


def _must_be(server: Server, variable: str, value: str) -> Finding:
    actual = server.variables.get(variable, value)
    if actual.upper() == value:
        return Finding(variable, "ok", value)
    sentence = (
        f"{variable} is {actual} and must be {value}: write {variable}={value} into the server's "
        "configuration and restart it (SET GLOBAL reaches only new connections)"
    )
    return Finding(variable, "not ok", sentence)


def _unreadable_forms(server: Server) -> list[Finding]:
    findings = []
    if server.variables.get("log_bin_compress", "OFF").upper() in {"ON", "1"}:
        sentence = "log_bin_compress is ON, which the connector cannot read: SET GLOBAL log_bin_compress=0"
        findings.append(Finding("log_bin_compress", "not ok", sentence))
    if "PARTIAL_JSON" in server.variables.get("binlog_row_value_options", "").upper():
        sentence = (
            "binlog_row_value_options is PARTIAL_JSON, which leaves values out of the log: "
            "SET GLOBAL binlog_row_value_options=''"
        )
        findings.append(Finding("binlog_row_value_options", "not ok", sentence))
    return findings


def _positions(server: Server) -> list[Finding]:
    """MariaDB tells where a snapshot stands, and always has GTIDs."""
    mode = server.variables.get("gtid_mode", "OFF")
    if server.is_mariadb or mode.upper() == "ON":
        return []
    sentence = (
        f"gtid_mode is {mode}, so nothing tells whether a change is visible yet: every changed product is "
        "built a second time after builder.echo_s; write gtid_mode=ON and enforce_gtid_consistency=ON into "
        "the server's configuration and restart it"
    )
    return [Finding("gtid_mode", "warning", sentence)]


def retention_s(server: Server) -> float:
    """For how long the server keeps its log; 0 means for ever."""
    seconds = float(server.variables.get("binlog_expire_logs_seconds") or 0)
    # The older spelling; where both exist the seconds win.
    return seconds or float(server.variables.get("expire_logs_days") or 0) * DAY_S


def _retention(server: Server) -> Finding:
    seconds = retention_s(server)
    if not seconds:
        return Finding("binlog retention", "ok", "the server never purges its log by age")
    if seconds >= RETENTION_DAYS_MIN * DAY_S:
        return Finding("binlog retention", "ok", f"{seconds / DAY_S:.3g} days")
    sentence = (
        f"the server keeps its log for {seconds / DAY_S:.3g} days only, so a longer outage loses changes: "
        f"SET GLOBAL binlog_expire_logs_seconds={RETENTION_DAYS_MIN * DAY_S} or more (expire_logs_days on "
        "old servers), in its configuration too"
    )
    return Finding("binlog retention", "not ok", sentence)


def _selects(check: str, account: Account, needed: Collection[str]) -> Finding:
    hidden = sorted(table for table in needed if not account.allows("SELECT", table))
    if not hidden:
        return Finding(check, "ok", f"may read the {len(needed)} tables needed")
    more = f" and {len(hidden) - 3} more" if len(hidden) > 3 else ""
    sentence = (
        f"{account.setting}: {account.name} may not read {', '.join(hidden[:3])}{more} "
        f"of '{account.database}': {_grant_select(account)}"
    )
    return _unless_by_role(check, account, sentence)


def _unless_by_role(check: str, account: Account, sentence: str) -> Finding:
    if account.has_roles:
        return Finding(check, "warning", f"{sentence} (unless a role gives it, which is not seen here)")
    return Finding(check, "not ok", sentence)


def _too_many(check: str, account: Account, allowed: frozenset[str]) -> list[Finding]:
    surplus = sorted({privilege for grant in account.grants for privilege in grant.privileges} - allowed)
    findings = []
    if surplus:
        sentence = (
            f"{account.setting}: {account.name} may do more than it needs ({', '.join(surplus)}): "
            "revoke that, the pipeline never writes"
        )
        findings.append(Finding(check, "warning", sentence))
    if account.allows("SELECT", database="*"):
        sentence = (
            f"{account.setting}: {account.name} may read every database of the server: grant SELECT on "
            f"'{account.database}' alone"
        )
        findings.append(Finding(check, "warning", sentence))
    return findings


def _grant_select(account: Account) -> str:
    return f"GRANT SELECT ON `{account.database}`.* TO {_quoted(account.name)}"


def _quoted(name: str) -> str:
    user, _, host = name.rpartition("@")
    return f"'{user}'@'{host}'"


_NAME: Final = r"\*|`(?:[^`]|``)+`"
_GRANT: Final = re.compile(
    rf"GRANT (?P<privileges>.+?) ON (?P<database>{_NAME})\.(?P<table>{_NAME}) TO (?P<rest>.*)$", re.IGNORECASE
)
# A privilege with its columns: `SELECT (a, b)`.
_COLUMNS: Final = re.compile(r"[A-Z ]+\([^)]*\)", re.IGNORECASE)


def _unquoted(name: str) -> str:
    return name if name == "*" else name[1:-1].replace("``", "`")


def _like(pattern: str, name: str) -> bool:
    r"""Match as the server does: `_` is any one character and `%` any text, `\` takes that away."""
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    wild = {"_": ".", "%": ".*"}
    text = "".join(wild.get(part) or re.escape(part.removeprefix("\\") or part) for part in parts)
    return bool(re.fullmatch(text, name, re.DOTALL))
