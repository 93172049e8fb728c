"""The connector's wanted configuration follows from the settings alone."""

import re

import pytest

from producers.connectors import declare as module
from producers.connectors.declare import (
    MARIADB_CLASS,
    MYSQL_CLASS,
    declare,
    is_known_property,
    is_placeholder,
)
from runtime.errors import Fault, UsageError
from runtime.settings import Settings
from schemas.tables import CAPTURED_TABLES
from schemas.topics import TopicNames

PLACEHOLDER = "${file:/run/secrets/connect.properties:database.password}"


def settings(**sections: dict[str, object]) -> Settings:
    return Settings.model_validate(
        {
            "commerce": {"url": "mysql://reader@db:3307/my_shop", "table_prefix": "m2_"},
            "capture": {"user": "debezium", "password": "plain-secret", "connector": "shop"},
            "kafka": {"topic_prefix": "eu.shop", "bootstrap_servers": "kafka:9092"},
            **sections,
        }
    )


def declared(**sections: dict[str, object]) -> dict[str, str]:
    return declare(settings(**sections), TopicNames("eu.shop"), MARIADB_CLASS)


def test_the_source_is_the_commerce_database_with_the_capture_account() -> None:
    """Host, port and database come from commerce.url, the account from capture, the password from nowhere."""
    config = declared()

    assert config["name"] == "shop"
    assert config["connector.class"] == MARIADB_CLASS
    assert config["database.hostname"] == "db"
    assert config["database.port"] == "3307"
    assert config["database.user"] == "debezium"
    assert config["database.password"] == PLACEHOLDER
    assert config["topic.prefix"] == "eu.shop.change"
    assert config["topic.heartbeat.prefix"] == "__debezium-heartbeat"
    assert config["schema.history.internal.kafka.topic"] == "eu.shop.schema-history"
    assert "plain-secret" not in str(config)


def test_every_captured_table_is_matched_and_no_other() -> None:
    """The include list is one anchored expression per table, prefix and database spelled out."""
    expressions = declared()["table.include.list"].split(",")

    assert len(expressions) == len(CAPTURED_TABLES)
    assert expressions[0] == r"^my_shop\.m2_catalog_product_entity$"
    for table in CAPTURED_TABLES:
        assert [e for e in expressions if re.search(e, f"my_shop.m2_{table}")] == [rf"^my_shop\.m2_{table}$"]
    for other in ("my_shop.m2_customer_entity", "my_shop.store", "my_shopxm2_store", "x.my_shop.m2_store"):
        assert not [e for e in expressions if re.search(e, other)]


def test_a_name_with_special_characters_matches_itself_only() -> None:
    """A database may be called `shop.eu`, and a dot in an expression means any character."""
    (expression,) = declared(commerce={"url": "mysql://reader@db/shop.eu"})["database.include.list"].split(
        ","
    )

    assert re.search(expression, "shop.eu")
    assert not re.search(expression, "shopxeu")


def test_long_text_travels_as_a_salted_hash() -> None:
    """The masked columns are named in one property whose salt differs from one installation to the next."""
    config = declared()
    other = declare(settings(), TopicNames("us.shop"), MARIADB_CLASS)
    masked = [name for name in config if name.startswith("column.mask")]

    assert len(masked) == 1
    assert re.fullmatch(r"column\.mask\.hash\.v2\.SHA-256\.with\.salt\.[0-9a-f]{16}", masked[0])
    assert config[masked[0]].split(",")[0] == r"^my_shop\.m2_catalog_product_entity_text\.value$"
    assert masked[0] not in other


def test_nothing_is_lost_quietly_by_a_mild_mode() -> None:
    """Each way of failing stops the task, truncates are seen, rows and offsets go in one transaction."""
    config = declared()

    expected = {
        "snapshot.mode": "no_data",
        "snapshot.locking.mode": "none",
        "skipped.operations": "none",
        "tombstones.on.delete": "false",
        "errors.tolerance": "none",
        "event.processing.failure.handling.mode": "fail",
        "event.converting.failure.handling.mode": "fail",
        "inconsistent.schema.handling.mode": "fail",
        "exactly.once.support": "required",
        "transaction.boundary": "poll",
        "schema.history.internal.store.only.captured.tables.ddl": "false",
        "producer.override.max.request.size": "8388608",
        "heartbeat.interval.ms": "5000",
        "connect.keep.alive.interval.ms": "5000",
        "poll.interval.ms": "20",
    }
    assert {name: config[name] for name in expected} == expected


def test_mysql_and_mariadb_differ_in_the_class_alone() -> None:
    """Which of the two is found by asking the server; everything else holds for both."""
    mariadb = declare(settings(), TopicNames("eu.shop"), MARIADB_CLASS)
    mysql = declare(settings(), TopicNames("eu.shop"), MYSQL_CLASS)

    assert {name for name in mariadb if mariadb[name] != mysql[name]} == {"connector.class"}
    assert mariadb.keys() == mysql.keys()


def test_the_server_id_is_stable_and_its_own() -> None:
    """The same installation keeps its id, another connector or prefix gets another, a given one wins."""
    first = declared()["database.server.id"]
    again = declared()["database.server.id"]
    other_connector = declared(capture={"connector": "second"})["database.server.id"]
    other_prefix = declare(settings(), TopicNames("us.shop"), MARIADB_CLASS)["database.server.id"]
    given = declared(capture={"server_id": 77})["database.server.id"]

    assert first == again
    assert len({first, other_connector, other_prefix}) == 3
    assert 2**30 <= int(first) < 2**31
    assert given == "77"


def test_a_plain_password_is_refused_where_a_placeholder_belongs() -> None:
    """The sentence names the setting and does not repeat what may be a password."""
    with pytest.raises(UsageError) as caught:
        declared(capture={"password_placeholder": "hunter2"})

    assert str(caught.value).startswith("capture.password_placeholder is no config provider placeholder")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("${file:/a:b}", True), ("${env:PASSWORD}", True), ("${}", False), ("a${env:X}", False), ("x", False)],
)
def test_a_placeholder_names_a_provider_and_a_key(value: str, expected: bool) -> None:
    """Text around it would be part of the secret, so it must stand alone."""
    assert is_placeholder(value) is expected


def test_every_declared_property_is_known_and_a_typo_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connect takes a misspelled property in silence, so the declaration checks its own names."""
    unknown = [name for name in declared() if not is_known_property(name)]
    monkeypatch.setattr(module, "KNOWN_PROPERTIES", module.KNOWN_PROPERTIES - {"heartbeat.interval.ms"})

    assert unknown == []
    with pytest.raises(Fault, match=r"unknown properties: heartbeat\.interval\.ms$"):
        declared()


@pytest.mark.parametrize(
    "name",
    [
        "heartbeat.interval",
        "poll.intervall.ms",
        "schema.history.internal.producer.acks",
        "column.mask.hash.v2.MD5",
    ],
)
def test_names_that_nobody_reads_are_not_known(name: str) -> None:
    """Near misses of real names, and names a declaration must not use."""
    assert not is_known_property(name)


def test_the_schema_history_speaks_to_a_secured_broker() -> None:
    """Its clients do not inherit the worker's settings; secrets lie beside the database password."""
    config = declared(
        kafka={
            "client": {
                "security.protocol": "sasl_ssl",
                "sasl.mechanisms": "SCRAM-SHA-512",
                "sasl.username": "sync",
                "sasl.password": "broker-secret",
                "ssl.ca.location": "/etc/ca.pem",
                "client.rack": "a",
            }
        }
    )

    expected = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": "${file:/run/secrets/connect.properties:kafka.sasl.jaas.config}",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/etc/ca.pem",
    }
    for client in ("producer", "consumer"):
        prefix = f"schema.history.internal.{client}."
        assert {n.removeprefix(prefix): v for n, v in config.items() if n.startswith(prefix)} == expected
    assert "broker-secret" not in str(config)


def test_a_secret_beside_one_in_the_environment_is_an_environment_name() -> None:
    """`${env:X}` has no path, so the key itself becomes the name."""
    config = declared(
        capture={"password_placeholder": "${env:CAPTURE_PASSWORD}"},
        kafka={"client": {"sasl.password": "secret"}},
    )

    name = "schema.history.internal.producer.sasl.jaas.config"
    assert config[name] == "${env:KAFKA_SASL_JAAS_CONFIG}"


def test_security_that_java_cannot_be_told_is_refused() -> None:
    """Left out in silence, the schema history would fail at a broker that asks for it."""
    with pytest.raises(UsageError, match=r"^kafka\.client\.sasl\.oauthbearer\.config has no counterpart"):
        declared(kafka={"client": {"sasl.oauthbearer.config": "x"}})
