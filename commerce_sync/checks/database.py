"""The database preflight: log in with both accounts, look, and judge."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import asyncmy
from asyncmy import errors

from commerce_sync.checks.verdicts import (
    VARIABLES,
    Account,
    Finding,
    Server,
    binlog_findings,
    capture_account_findings,
    database_finding,
    parse_grants,
    read_account_findings,
)
from producers.connectors.declare import MARIADB_CLASS, MYSQL_CLASS
from runtime.errors import CommerceSyncError, NotFine, Unreachable
from runtime.settings import DatabaseAddress, Settings
from schemas.tables import CAPTURED_TABLES, READ_ONLY_TABLES

CONNECT_S_MAX: Final = 5
LOOK_S_MAX: Final = 15

_BAD_LOGIN: Final = (1045, 1698)
_HOST_REFUSED: Final = (1130, 1129)
_NO_RIGHT_ON_DATABASE: Final = 1044
_NO_DATABASE: Final = 1049

_LOOK: Final = (
    "SELECT VERSION(), CURRENT_USER()",
    f"SHOW GLOBAL VARIABLES WHERE Variable_name IN ({', '.join(repr(name) for name in VARIABLES)})",
    "SHOW GRANTS",
    "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
)


def require_database(settings: Settings) -> str:
    """Refuse early, in one sentence, what could never work.

    Returns:
        The connector class that fits the server (`declare.MARIADB_CLASS` or `MYSQL_CLASS`).

    Raises:
        NotFine: the log, an account or the database is not right.
        Unreachable: no server answers.
    """
    findings, server = look_at_database(settings)
    for finding in findings:
        if not finding.fine:
            raise _failure(finding)
    if server is None:
        message = "commerce.url: the server did not say what it is: run 'commerce-sync check'"
        raise NotFine(message)
    return connector_class(server)


def database_problems(settings: Settings) -> list[Finding]:
    """What must be mended before anything can run; empty when the database is right."""
    return [finding for finding in database_findings(settings) if not finding.fine]


def database_findings(settings: Settings) -> list[Finding]:
    """Everything there is to say about the database, good and bad."""
    return look_at_database(settings)[0]


def ask_connector_class(settings: Settings) -> str:
    """Ask the server what it is, and nothing else.

    Raises:
        NotFine: the login or the database's name is refused.
        Unreachable: no server answers.
    """
    server, _ = _look(settings.commerce.address, "commerce.url", "commerce.password")
    return connector_class(server)


def connector_class(server: Server) -> str:
    return MARIADB_CLASS if server.is_mariadb else MYSQL_CLASS


def look_at_database(settings: Settings) -> tuple[list[Finding], Server | None]:
    address = settings.commerce.address
    try:
        server, reader = _look(address, "commerce.url", "commerce.password")
    except CommerceSyncError as error:
        # Nothing else can be said about a server that does not let us in.
        return [_finding("database", error)], None
    prefix = settings.commerce.table_prefix
    where = f"{server.version} at {address.host}:{address.port}"
    capture, capture_findings = _look_as_capture(settings, address)
    tables = reader.tables | (capture.tables if capture else frozenset())
    read = {prefix + table for table in (*CAPTURED_TABLES, *READ_ONLY_TABLES)} & tables
    captured = {prefix + table for table in CAPTURED_TABLES} & tables
    findings = [
        Finding("database", "ok", where),
        database_finding(reader, prefix + "catalog_product_entity"),
        *binlog_findings(server),
        *read_account_findings(reader, read),
        *_replica_findings(settings, read),
        *capture_findings,
    ]
    if capture is not None:
        findings += capture_account_findings(capture, captured, server)
    return findings, server


def _look_as_capture(settings: Settings, source: DatabaseAddress) -> tuple[Account | None, list[Finding]]:
    if settings.capture.password is None:
        sentence = (
            f"capture.password is not set, so what '{settings.capture.user}' may do is not looked at; "
            "Connect itself logs in with it below"
        )
        return None, [Finding("capture account", "warning", sentence)]
    address = source.model_copy(update={"user": settings.capture.user, "password": settings.capture.password})
    try:
        _, account = _look(address, "capture.user", "capture.password")
    except CommerceSyncError as error:
        return None, [_finding("capture account", error)]
    return account, [Finding("capture account", "ok", f"{account.name} can log in")]


def _replica_findings(settings: Settings, needed: set[str]) -> list[Finding]:
    if not settings.commerce.replica_url:
        return []
    try:
        server, account = _look(settings.commerce.read_address, "commerce.replica_url", "commerce.password")
    except CommerceSyncError as error:
        return [_finding("replica", error)]
    return [Finding("replica", "ok", server.version), *read_account_findings(account, needed)]


def _look(address: DatabaseAddress, setting: str, password_setting: str) -> tuple[Server, Account]:
    try:
        identity, variables, grant_lines, tables = asyncio.run(ask(address, _LOOK))
    except (errors.MySQLError, OSError, TimeoutError) as error:
        raise _login_failure(address, setting, password_setting, error) from error
    version, name = (str(value) for value in identity[0])
    grants, has_roles = parse_grants(str(line[0]) for line in grant_lines)
    server = Server(version, {str(key).lower(): str(value) for key, value in variables})
    visible = frozenset(str(table[0]) for table in tables)
    return server, Account(setting, name, address.database, grants, has_roles, visible)


async def ask(address: DatabaseAddress, statements: Sequence[str]) -> list[list[tuple[Any, ...]]]:
    """The answers to some statements, on a connection of their own."""
    async with asyncio.timeout(LOOK_S_MAX):
        connection = await asyncmy.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password.get_secret_value(),
            database=address.database,
            connect_timeout=CONNECT_S_MAX,
        )
        try:
            answers = []
            async with connection.cursor() as cursor:
                for statement in statements:
                    await cursor.execute(statement)
                    answers.append(list(await cursor.fetchall()))
            return answers
        finally:
            connection.close()


def _login_failure(
    address: DatabaseAddress, setting: str, password_setting: str, error: BaseException
) -> CommerceSyncError:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else None
    where = f"{address.host}:{address.port}"
    variable = f"COMMERCE_SYNC__{password_setting.upper().replace('.', '__')}"
    if code in _BAD_LOGIN:
        return NotFine(
            f"{password_setting}: {where} refuses user '{address.user}' with this password: "
            f"correct {setting} or {password_setting} ({variable}), or create the account"
        )
    if code in _HOST_REFUSED:
        return NotFine(
            f"{setting}: {where} lets no one in from this host ({error.args[1]}): "
            f"create '{address.user}' for it"
        )
    if code == _NO_DATABASE:
        return NotFine(f"commerce.url: {where} has no database '{address.database}': correct its name")
    if code == _NO_RIGHT_ON_DATABASE:
        return NotFine(
            f"commerce.url: on {where} there is no database '{address.database}', or '{address.user}' may "
            f"not see it: correct its name or GRANT SELECT ON `{address.database}`.* to '{address.user}'"
        )
    reason = "no answer in time" if isinstance(error, TimeoutError) else str(error.args[-1])
    return Unreachable(
        f"commerce.url: no database answers at {where} ({reason}): start it or correct host and port"
    )


def _finding(check: str, error: CommerceSyncError) -> Finding:
    return Finding(check, "unreachable" if isinstance(error, Unreachable) else "not ok", str(error))


def _failure(finding: Finding) -> CommerceSyncError:
    kind = Unreachable if finding.state == "unreachable" else NotFine
    return kind(finding.sentence)
