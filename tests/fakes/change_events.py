"""Row changes and DDL as Debezium writes them."""

from typing import Any

import msgspec

from runtime.record import Record


def source(table: str, pos: int = 100, ts_ms: int = 1_000, gtid: str | None = None) -> dict[str, Any]:
    return {
        "table": table,
        "db": "magento",
        "server_id": 1,
        "file": "binlog.000001",
        "pos": pos,
        "gtid": gtid,
        "ts_ms": ts_ms,
        "snapshot": "false",
    }


def change(
    table: str,
    op: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    *,
    offset: int = 0,
    **where: Any,
) -> Record:
    """A record of a change topic; `where` are members of its source block."""
    value = msgspec.json.encode(
        {"op": op, "source": source(table, **where), "before": before, "after": after}
    )
    return Record(f"cs.change.magento.{table}", 0, offset, b"", value, {}, timestamp_ms=77)


def ddl(statement: str, snapshot: object = "false", **where: Any) -> Record:
    """A record of the schema-change topic."""
    value = msgspec.json.encode(
        {"source": {**source("", **where), "snapshot": snapshot}, "ddl": statement, "databaseName": "magento"}
    )
    return Record("cs.change", 0, 0, b"", value, {}, timestamp_ms=77)
