"""The local database's accounts and exactly what each may do.

| account | may | why |
|---|---|---|
| `admin` | everything | makes databases, fills them, edits the sample shop |
| `commerce_sync` | SELECT on the shop's database | builds items; reads, never writes |
| `debezium` | the same SELECT, REPLICATION SLAVE, BINLOG MONITOR | reads the binlog, learns the tables |

The shop's database is `magento`; databases whose names begin with `magento_` are theirs too, for tests.
"""

import asyncio
import secrets
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import asyncmy

DATABASE: Final = "magento"
ADMIN: Final = "admin"
READER: Final = "commerce_sync"
CAPTURE: Final = "debezium"
# An underscore would stand for any character; `magento` and everything that begins with `magento_`.
_PATTERNS: Final = ("magento", "magento\\_%")


def passwords(folder: Path) -> dict[str, str]:
    """A random password an account, made once and kept in files only their owner may read."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    return {account: _password(folder / account) for account in (ADMIN, READER, CAPTURE)}


def _password(file: Path) -> str:
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(18), encoding="utf-8")
    return file.read_text(encoding="utf-8")


def statements(password_of: dict[str, str]) -> str:
    """SQL, one statement a line, that makes database and accounts; again it changes nothing."""
    users = "".join(
        f"CREATE USER IF NOT EXISTS '{account}'@'127.0.0.1';\n"
        f"ALTER USER '{account}'@'127.0.0.1' IDENTIFIED BY '{password}';\n"
        for account, password in password_of.items()
    )
    selects = "".join(
        f"GRANT SELECT ON `{pattern}`.* TO '{account}'@'127.0.0.1';\n"
        for account in (READER, CAPTURE)
        for pattern in _PATTERNS
    )
    return (
        f"CREATE DATABASE IF NOT EXISTS `{DATABASE}` CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;\n"
        f"{users}"
        # The set-up's own accounts have no password.
        "DELETE FROM mysql.global_priv WHERE User IN ('root', '');\n"
        f"GRANT ALL ON *.* TO '{ADMIN}'@'127.0.0.1' WITH GRANT OPTION;\n"
        f"{selects}"
        f"GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO '{CAPTURE}'@'127.0.0.1';\n"
        "FLUSH PRIVILEGES;\n"
    )


def grant_access(admin_url: str, database: str) -> None:
    """Let the read and the capture account read one more database."""
    parts = urlsplit(admin_url)
    name = database.replace("`", "``").replace("_", "\\_")

    async def grant() -> None:
        connection = await asyncmy.connect(
            host=parts.hostname, port=parts.port, user=parts.username, password=parts.password or ""
        )
        try:
            async with connection.cursor() as cursor:
                for account in (READER, CAPTURE):
                    await cursor.execute(f"GRANT SELECT ON `{name}`.* TO '{account}'@'127.0.0.1'")
        finally:
            await connection.ensure_closed()

    asyncio.run(grant())
