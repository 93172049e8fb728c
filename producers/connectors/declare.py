"""The wanted configuration of the Debezium connector, as a pure function of the settings.

Source of names and defaults: the Debezium 3.5 references for MariaDB and MySQL, and Kafka Connect 4.3.
Each line says why its value differs from the default, or repeats it.
"""

import hashlib
import re
from typing import Final

from runtime.errors import Fault, UsageError
from runtime.settings import KafkaSettings, Settings
from schemas.tables import CAPTURED_TABLES, HASHED_COLUMNS
from schemas.topics import MESSAGE_BYTES_MAX, TopicNames

MARIADB_CLASS: Final = "io.debezium.connector.mariadb.MariaDbConnector"
MYSQL_CLASS: Final = "io.debezium.connector.mysql.MySqlConnector"

HEARTBEAT_INTERVAL_MS: Final = 5000
# At an interval of 5 s an idle connector beats every 8 s; three beats missed is a standstill.
HEARTBEAT_AGE_S_MAX: Final = 24.0

_JSON_CONVERTER: Final = "org.apache.kafka.connect.json.JsonConverter"
_HISTORY_CLIENTS: Final = ("schema.history.internal.producer.", "schema.history.internal.consumer.")

# Connect takes a property nobody reads in silence, so a typo would switch a promise off. These are the names
# that exist; an integration test compares them with what the installed plugin itself lists.
KNOWN_PROPERTIES: Final = frozenset(
    {
        "name",
        "connector.class",
        "tasks.max",
        "key.converter",
        "key.converter.schemas.enable",
        "value.converter",
        "value.converter.schemas.enable",
        "errors.tolerance",
        "producer.override.linger.ms",
        "producer.override.compression.type",
        "producer.override.max.request.size",
        "exactly.once.support",
        "transaction.boundary",
        "topic.prefix",
        "database.hostname",
        "database.port",
        "database.user",
        "database.password",
        "database.server.id",
        "database.include.list",
        "table.include.list",
        "snapshot.mode",
        "snapshot.locking.mode",
        "include.schema.changes",
        "include.query",
        "skipped.operations",
        "tombstones.on.delete",
        "poll.interval.ms",
        "heartbeat.interval.ms",
        "connect.keep.alive",
        "connect.keep.alive.interval.ms",
        "max.batch.size",
        "max.queue.size",
        "max.queue.size.in.bytes",
        "decimal.handling.mode",
        "bigint.unsigned.handling.mode",
        "time.precision.mode",
        "event.processing.failure.handling.mode",
        "inconsistent.schema.handling.mode",
        "schema.history.internal.store.only.captured.tables.ddl",
        "schema.history.internal.store.only.captured.databases.ddl",
        "schema.history.internal.skip.unparseable.ddl",
    }
)
# Read by the connector, though `config/validate` does not list them.
UNLISTED_PROPERTIES: Final = frozenset(
    {
        "topic.heartbeat.prefix",
        "binary.handling.mode",
        "event.converting.failure.handling.mode",
        "schema.history.internal.kafka.bootstrap.servers",
        "schema.history.internal.kafka.topic",
    }
)
_KNOWN_CLIENT_PROPERTIES: Final = frozenset(
    {
        "security.protocol",
        "sasl.mechanism",
        "sasl.jaas.config",
        "ssl.endpoint.identification.algorithm",
        "ssl.truststore.type",
        "ssl.truststore.location",
        "ssl.keystore.type",
        "ssl.keystore.key",
        "ssl.keystore.certificate.chain",
    }
)
_MASKED_COLUMNS: Final = re.compile(r"column\.mask\.hash\.v2\.SHA-256\.with\.salt\.[0-9a-f]{16}")


def declare(settings: Settings, names: TopicNames, connector_class: str) -> dict[str, str]:
    """Say how the connector must be configured.

    Args:
        settings: `commerce` names the source, `capture` the account, `kafka` the schema history's broker.
        names: where records go.
        connector_class: `MARIADB_CLASS` or `MYSQL_CLASS`, by what the server says it is.

    Returns:
        Every property as Connect stores it, "name" included; the password only as a placeholder.

    Raises:
        UsageError: a setting cannot be expressed in a connector configuration.
        Fault: the declaration holds a property that no part of Connect or Debezium reads.
    """
    address = settings.commerce.address
    capture = settings.capture
    tables = [settings.commerce.table_prefix + table for table in CAPTURED_TABLES]
    config = {
        "name": capture.connector,
        "connector.class": connector_class,
        "tasks.max": "1",  # a binlog is one stream
        # The account; what it may do is `check`'s business.
        "database.hostname": address.host,
        "database.port": str(address.port),
        "database.user": capture.user,
        "database.password": _placeholder(capture.password_placeholder),
        # Two readers of one id cut each other off, so it must differ from every replica and connector.
        "database.server.id": str(capture.server_id or _server_id(names.prefix, capture.connector)),
        # Names that readers rely on; a changed prefix is another set of topics.
        "topic.prefix": names.change_prefix,
        "topic.heartbeat.prefix": names.heartbeat.removesuffix(f".{names.change_prefix}"),
        # Only what an item can depend on: customers and orders never leave the database.
        "database.include.list": _anchored(address.database),
        "table.include.list": ",".join(_anchored(address.database, table) for table in tables),
        _masking_property(names.prefix): ",".join(
            _anchored(address.database, settings.commerce.table_prefix + table, column)
            for table, column in HASHED_COLUMNS
        ),
        # The builder reads the database itself, so rows are never copied through Kafka to start.
        "snapshot.mode": "no_data",
        # The default takes a lock that needs a right the account should not have, even without rows to copy.
        "snapshot.locking.mode": "none",
        "include.schema.changes": "true",  # RENAME and TRUNCATE are seen only there
        "include.query": "false",  # a statement's text would leak columns that are left out
        "skipped.operations": "none",  # the default drops TRUNCATE
        "tombstones.on.delete": "false",  # the delete event says it all; change topics are not compacted
        # Freshness: the longest an event waits in the connector.
        "poll.interval.ms": str(capture.poll_interval_ms),
        "producer.override.linger.ms": "0",
        "producer.override.compression.type": "lz4",
        # The sign of life: RUNNING alone proves nothing.
        "heartbeat.interval.ms": str(HEARTBEAT_INTERVAL_MS),
        "connect.keep.alive": "true",
        # At the default of 60 s a database restart silenced a RUNNING connector for 107 s.
        "connect.keep.alive.interval.ms": "5000",
        # Room for an import, bounded in bytes so that wide rows do not fill the heap.
        "max.batch.size": "8192",
        "max.queue.size": "32768",
        "max.queue.size.in.bytes": str(64 * 1024 * 1024),
        # One oversized row stops the task for good, so the limit is the topics' own.
        "producer.override.max.request.size": str(MESSAGE_BYTES_MAX),
        # Exact values in plain JSON: no binary decimals, no wrapped integers, no epoch arithmetic.
        "decimal.handling.mode": "string",
        "bigint.unsigned.handling.mode": "precise",
        "time.precision.mode": "isostring",
        "binary.handling.mode": "base64",
        "key.converter": _JSON_CONVERTER,
        "key.converter.schemas.enable": "false",
        "value.converter": _JSON_CONVERTER,
        "value.converter.schemas.enable": "false",
        # A record that cannot be read stops the task where people see it; every milder mode loses it.
        "errors.tolerance": "none",
        "event.processing.failure.handling.mode": "fail",
        "inconsistent.schema.handling.mode": "fail",
        "event.converting.failure.handling.mode": "fail",  # the default writes null into the column
        # Records and source offsets in one transaction; a worker that cannot do it must refuse the connector.
        "exactly.once.support": "required",
        "transaction.boundary": "poll",
        # Where the table definitions are kept.
        "schema.history.internal.kafka.bootstrap.servers": settings.kafka.bootstrap_servers,
        "schema.history.internal.kafka.topic": names.schema_history,
        # With true, a table added to the list above later fails the task.
        "schema.history.internal.store.only.captured.tables.ddl": "false",
        "schema.history.internal.store.only.captured.databases.ddl": "true",  # a shared server's other shops
        "schema.history.internal.skip.unparseable.ddl": "false",  # a skipped ALTER shifts columns
        **_history_client(settings.kafka, capture.password_placeholder),
    }
    _refuse_unknown(config)
    return config


def is_known_property(name: str) -> bool:
    """Tell whether Connect, Debezium, a converter or a Kafka client reads a property of this name."""
    for prefix in _HISTORY_CLIENTS:
        if name.startswith(prefix):
            return name.removeprefix(prefix) in _KNOWN_CLIENT_PROPERTIES
    return name in KNOWN_PROPERTIES | UNLISTED_PROPERTIES or bool(_MASKED_COLUMNS.fullmatch(name))


def is_placeholder(value: str) -> bool:
    """Tell whether a value is for one of the worker's config providers to fill in."""
    return bool(re.fullmatch(r"\$\{[^:{}]+:[^{}]+\}", value))


def _refuse_unknown(config: dict[str, str]) -> None:
    unknown = sorted(name for name in config if not is_known_property(name))
    if unknown:
        message = f"the connector declaration holds unknown properties: {', '.join(unknown)}"
        raise Fault(message)


def _placeholder(value: str) -> str:
    if not is_placeholder(value):
        # The value itself may be a password, so it is not repeated.
        message = (
            "capture.password_placeholder is no config provider placeholder, and a plain password in a "
            "connector configuration can be read by everyone: write ${file:/path/on/the/worker:key}"
        )
        raise UsageError(message)
    return value


def _server_id(prefix: str, connector: str) -> int:
    # Far above the small numbers people give their servers, and within a signed 32-bit integer.
    digest = hashlib.sha256(f"{prefix}\n{connector}".encode()).digest()
    return 2**30 + int.from_bytes(digest[:4], "big") % 2**30


def _anchored(*parts: str) -> str:
    return "^" + r"\.".join(re.escape(part) for part in parts) + "$"


def _masking_property(prefix: str) -> str:
    # One salt per installation, so that equal texts of two shops cannot be told from their hashes.
    salt = hashlib.sha256(prefix.encode()).hexdigest()[:16]
    return f"column.mask.hash.v2.SHA-256.with.salt.{salt}"


def _history_client(kafka: KafkaSettings, placeholder: str) -> dict[str, str]:
    """Secure the schema history's own clients, which do not inherit the worker's settings.

    The names in `kafka.client` are librdkafka's; Java's differ, and secrets must be placeholders. So each
    secret is looked up beside the database password, under the key `kafka.<Java property>`.
    """
    security = {
        name: value
        for name, value in kafka.client.items()
        if name == "security.protocol" or name.startswith(("sasl.", "ssl.", "enable.ssl."))
    }
    properties: dict[str, str] = {}
    for name, value in security.items():
        properties.update(_java_property(name, value, placeholder))
    return {prefix + name: value for prefix in _HISTORY_CLIENTS for name, value in properties.items()}


def _java_property(name: str, value: str, placeholder: str) -> dict[str, str]:
    match name:
        case "security.protocol":
            return {name: value.upper()}
        case "sasl.mechanism" | "sasl.mechanisms":
            return {"sasl.mechanism": value}
        case "sasl.username" | "sasl.password":
            return {"sasl.jaas.config": _beside(placeholder, "kafka.sasl.jaas.config")}
        case "ssl.ca.location":  # the same path on the worker
            return {"ssl.truststore.type": "PEM", "ssl.truststore.location": value}
        case "ssl.certificate.location" | "ssl.certificate.pem":
            chain = _beside(placeholder, "kafka.ssl.keystore.certificate.chain")
            return {"ssl.keystore.type": "PEM", "ssl.keystore.certificate.chain": chain}
        case "ssl.key.location" | "ssl.key.pem":
            return {
                "ssl.keystore.type": "PEM",
                "ssl.keystore.key": _beside(placeholder, "kafka.ssl.keystore.key"),
            }
        case "ssl.endpoint.identification.algorithm":
            return {name: "" if value == "none" else value}
    message = (
        f"kafka.client.{name} has no counterpart for the connector's schema history: use security.protocol, "
        "sasl.mechanism with sasl.username and sasl.password, ssl.ca.location, ssl.certificate.location and "
        "ssl.key.location"
    )
    raise UsageError(message)


def _beside(placeholder: str, key: str) -> str:
    """Name another secret of the same provider: `${file:/f:key}` or `${env:KEY}`."""
    provider, _, rest = _placeholder(placeholder)[2:-1].partition(":")
    path, separator, _ = rest.rpartition(":")
    if not separator:
        return f"${{{provider}:{re.sub('[^A-Z0-9]', '_', key.upper())}}}"
    return f"${{{provider}:{path}:{key}}}"
