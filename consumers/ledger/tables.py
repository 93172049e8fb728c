"""The ledger's tables. Another version's are dropped and filled again from the topics."""

from typing import Any, Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects import mysql

from consumers.ledger.summary import KEY_MAX, NAME_MAX, WORD_MAX
from runtime.settings import TARGET_NAME_MAX

# Raised with every change of a table.
VERSION: Final = 1

metadata: Final = MetaData()
# SQLite: rows live in the primary key's order, as they do in MySQL.
_TABLE: Final[dict[str, Any]] = {
    "sqlite_with_rowid": False,
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}


def _name(length: int) -> String:
    """Text that is compared byte for byte, whatever the database's own collation."""
    exact = mysql.VARCHAR(length, collation="utf8mb4_bin")
    return (
        String(length)
        .with_variant(exact, "mysql", "mariadb")
        .with_variant(String(length, collation="C"), "postgresql")
    )


def _text() -> Text:
    return Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


def _place() -> list[Column[Any]]:
    return [
        Column("target", _name(TARGET_NAME_MAX), primary_key=True),
        Column("feed", _name(32), primary_key=True),
    ]


# `version` of these tables, `alive_ms`: when a ledger last wrote.
meta: Final = Table(
    "ledger_meta",
    metadata,
    Column("name", _name(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
    **_TABLE,
)

# The next offset to read; moved in the transaction that writes what was read.
position: Final = Table(
    "ledger_position",
    metadata,
    Column("topic", _name(NAME_MAX), primary_key=True),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("next_offset", BigInteger, nullable=False),
    **_TABLE,
)

# An item at a target. `feed_...`: its newest feed record. `sent_...`: the one its last status is about.
# `settled_offset`: nothing up to there waits. `status_offset`: place of the status itself. -1: none.
item: Final = Table(
    "ledger_item",
    metadata,
    *_place(),
    Column("item_key", _name(KEY_MAX), primary_key=True),
    Column("partition", Integer, nullable=False),
    Column("state", _name(12), nullable=False),
    Column("deleted", Boolean, nullable=False, server_default="0"),
    Column("feed_offset", BigInteger, nullable=False, server_default="-1"),
    Column("feed_time_ms", BigInteger, nullable=False, server_default="0"),
    Column("commit_ms", BigInteger, nullable=False, server_default="0"),
    Column("content_hash", String(64), nullable=False, server_default=""),
    Column("sku", _name(NAME_MAX)),
    Column("name", _name(NAME_MAX)),
    Column("type", String(WORD_MAX)),
    Column("scope", String(WORD_MAX)),
    Column("visibility", String(WORD_MAX)),
    Column("price", String(WORD_MAX)),
    Column("quantity", String(WORD_MAX)),
    Column("payload", _text()),
    Column("status_offset", BigInteger, nullable=False, server_default="-1"),
    Column("sent_offset", BigInteger, nullable=False, server_default="-1"),
    Column("settled_offset", BigInteger, nullable=False, server_default="-1"),
    Column("outcome", String(12), nullable=False, server_default=""),
    Column("status_time_ms", BigInteger, nullable=False, server_default="0"),
    Column("accepted_ms", BigInteger, nullable=False, server_default="0"),
    Column("sent_hash", String(64), nullable=False, server_default=""),
    Column("error", _text()),
    Column("request_id", _name(NAME_MAX)),
    # Pages of one state, and counts of each.
    Index("ledger_item_state", "target", "feed", "state", "item_key", "deleted"),
    # What waits, in the order in which the sink takes it.
    Index("ledger_item_waiting", "state", "target", "feed", "partition", "feed_offset"),
    Index("ledger_item_sku", "sku"),
    **_TABLE,
)

# What was said of an item, one row a status: kept here only, and bounded.
submission: Final = Table(
    "ledger_submission",
    metadata,
    *_place(),
    Column("item_key", _name(KEY_MAX), primary_key=True),
    Column("status_offset", BigInteger, primary_key=True, autoincrement=False),
    Column("partition", Integer, nullable=False),
    Column("time_ms", BigInteger, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("sent_offset", BigInteger, nullable=False),
    Column("sent_hash", String(64), nullable=False),
    Column("request_id", _name(NAME_MAX)),
    Column("error", _text()),
    Index("ledger_submission_time", "time_ms"),
    **_TABLE,
)

# Statuses counted by minute (unix minutes) and outcome; `last_ms` is the newest of them.
minute: Final = Table(
    "ledger_minute",
    metadata,
    *_place(),
    Column("outcome", String(12), primary_key=True),
    Column("minute", BigInteger, primary_key=True, autoincrement=False),
    Column("partition", Integer, primary_key=True, autoincrement=False),
    Column("items", BigInteger, nullable=False),
    Column("last_ms", BigInteger, nullable=False),
    **_TABLE,
)
