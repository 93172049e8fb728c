"""The connector on a real Connect, Kafka and database: created, kept right, and seen to stream."""

import asyncio
import json
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import asyncmy
import pytest
import requests
from click.testing import CliRunner, Result
from confluent_kafka import ConsumerGroupTopicPartitions, Message, TopicPartition
from confluent_kafka.admin import NewTopic  # type: ignore[attr-defined]

from commerce_sync.checks import commands
from commerce_sync.checks.database import ask_connector_class, database_findings, database_problems
from producers.connectors import execute, observe
from producers.connectors import reseed as reseed_module
from producers.connectors.connect import Connect
from producers.connectors.declare import (
    HEARTBEAT_AGE_S_MAX,
    KNOWN_PROPERTIES,
    MARIADB_CLASS,
    MYSQL_CLASS,
    UNLISTED_PROPERTIES,
    declare,
)
from producers.connectors.diff import Difference
from producers.connectors.reseed import reseed
from runtime import topic_ids
from runtime.errors import NotFine, Unreachable
from runtime.kafka import (
    admin_client,
    committed_offsets,
    producer,
    raise_positions,
    reader,
    watermarks,
)
from runtime.settings import Settings, load, parse_database_url
from runtime.topic_ids import Family
from runtime.topics import TopicChanges, ensure_topics
from schemas.tables import CAPTURED_TABLES
from schemas.topics import Topic, TopicNames

pytestmark = pytest.mark.stack

DDL = (
    (
        "CREATE TABLE catalog_product_entity (entity_id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,"
        " sku varchar(64) NOT NULL, updated_at timestamp NOT NULL DEFAULT '2026-01-02 03:04:05')"
    ),
    (
        "CREATE TABLE catalog_product_entity_text (value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,"
        " attribute_id smallint unsigned NOT NULL, store_id smallint unsigned NOT NULL,"
        " entity_id int unsigned NOT NULL, value mediumtext)"
    ),
    (
        "CREATE TABLE catalog_product_entity_decimal (value_id int NOT NULL AUTO_INCREMENT PRIMARY KEY,"
        " entity_id int unsigned NOT NULL, value decimal(20,6))"
    ),
    "CREATE TABLE customer_entity (entity_id int unsigned NOT NULL PRIMARY KEY, email varchar(255))",
)
# One for each table, and the connector's own three: schema changes, heartbeats, schema history.
TOPICS = len(CAPTURED_TABLES) + 3
WAIT_S_MAX = 30.0


@dataclass(frozen=True)
class Shop:
    """A database of its own, captured under a prefix of its own."""

    settings: Settings
    names: TopicNames
    environment: dict[str, str]
    database: str

    @property
    def connect(self) -> Connect:
        return Connect(self.settings.capture.connect_url)

    def run(self, *statements: str) -> None:
        """Each statement is a transaction."""
        sql(self.environment, *(("USE " + self.database, *statements)))

    def command(self, *arguments: str, **changes: str) -> Result:
        """Run a command as a person would, with some settings changed."""
        group = {"check": commands.check}.get(arguments[0], commands.connectors)
        settings = load(None, {**self.environment, **changes})

        class Context:
            def settings(self) -> Settings:
                return settings

        rest = arguments[1:] if arguments[0] == "check" else arguments
        return CliRunner().invoke(group, list(rest), obj=Context())

    def changes_from(self, table: str, offset: int, count: int) -> list[Message]:
        """Wait for `count` records of a table's change topic."""
        topic = self.names.change(self.database, table)
        consumer = reader(self.settings.kafka, "test.capture")
        consumer.assign([TopicPartition(topic, 0, offset)])
        found: list[Message] = []
        deadline = time.monotonic() + WAIT_S_MAX
        while len(found) < count and time.monotonic() < deadline:
            record = consumer.poll(0.1)
            if record is not None and record.error() is None:
                found.append(record)
        consumer.close()
        return found

    def end_of(self, table: str) -> int:
        consumer = reader(self.settings.kafka, "test.capture")
        end = watermarks(consumer, self.names.change(self.database, table), 0)[1]
        consumer.close()
        return end

    def change(self, table: str, *statements: str) -> Message:
        """Run statements and return the one record they make on the table's change topic."""
        end = self.end_of(table)
        self.run(*statements)
        (record,) = self.changes_from(table, end, 1)
        return record


def sql(environment: dict[str, str], *statements: str) -> None:
    address = parse_database_url(environment["COMMERCE_SYNC_LOCAL_ADMIN_URL"] + "mysql")

    async def execute_all() -> None:
        connection = await asyncmy.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password.get_secret_value(),
            autocommit=True,
        )
        async with connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
        connection.close()

    asyncio.run(execute_all())


def wait_for(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WAIT_S_MAX
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def body(record: Message) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(record.value() or b"{}")
    return value


def run_id(record: Message) -> bytes:
    """Debezium numbers each start of a task; equal ids mean that it was not restarted."""
    value: bytes = dict(record.headers() or [])["__debezium.context.runId"]
    return value


@pytest.fixture(scope="module")
def shop(stack: Any) -> Iterator[Shop]:
    mark = secrets.token_hex(4)
    database = f"magento_capture_{mark}"
    environment = dict(stack.environment())
    environment["COMMERCE_SYNC__COMMERCE__URL"] = (
        environment["COMMERCE_SYNC__COMMERCE__URL"].rpartition("/")[0] + f"/{database}"
    )
    environment["COMMERCE_SYNC__KAFKA__TOPIC_PREFIX"] = f"capture-{mark}"
    environment["COMMERCE_SYNC__CAPTURE__CONNECTOR"] = f"capture-{mark}"
    settings = load(None, environment)
    sql(environment, f"CREATE DATABASE {database}", f"USE {database}", *DDL)
    made = Shop(settings, TopicNames(settings.kafka.topic_prefix), environment, database)
    yield made
    name = settings.capture.connector
    if made.connect.config(name) is not None:
        made.connect.stop(name)
        made.connect.delete_offsets(name)
        made.connect.delete(name)
    admin = admin_client(settings.kafka)
    topics = [topic for topic in admin.list_topics(timeout=10).topics if f"capture-{mark}" in topic]
    for future in admin.delete_topics(topics).values() if topics else ():
        future.result()
    sql(environment, f"DROP DATABASE {database}")


@pytest.fixture(scope="module")
def applied(shop: Shop) -> list[str]:
    """The connector exists and streams; what `apply` said meanwhile."""
    result = shop.command("apply")
    assert result.exception is None, result.output
    return result.output.splitlines()


def test_apply_creates_topics_and_connector_and_waits_until_it_streams(
    shop: Shop, applied: list[str]
) -> None:
    """Each step is a line, and afterwards the heart beats."""
    name = shop.settings.capture.connector
    status = observe.status(shop.settings)

    assert applied == [
        f"topics: {TOPICS} needed, {TOPICS} created, 0 mended",
        f"connector '{name}': created, {len(wanted(shop))} properties",
        f"connector '{name}': streaming",
    ]
    assert (status.health, status.differences, status.refusals) == ("streaming", [], [])
    assert status.heartbeat_age_s is not None
    assert status.heartbeat_age_s <= HEARTBEAT_AGE_S_MAX


def wanted(shop: Shop) -> dict[str, str]:
    return declare(shop.settings, shop.names, ask_connector_class(shop.settings))


def test_a_row_change_arrives_with_the_row_before_and_after(shop: Shop, applied: list[str]) -> None:
    """SQL in, events out; a text that is only compared travels as a hash."""
    table = "catalog_product_entity"
    created = shop.change(table, "INSERT INTO catalog_product_entity (sku) VALUES ('24-MB01')")
    renamed = shop.change(table, "UPDATE catalog_product_entity SET sku = '24-MB02'")
    deleted = shop.change(table, "DELETE FROM catalog_product_entity")
    price = shop.change(
        "catalog_product_entity_decimal",
        "INSERT INTO catalog_product_entity_decimal (entity_id, value) VALUES (1, 19.9)",
    )
    text = shop.change(
        "catalog_product_entity_text",
        "INSERT INTO catalog_product_entity_text (attribute_id, store_id, entity_id, value)"
        " VALUES (75, 0, 1, REPEAT('long ', 1000000))",
    )

    old = {"entity_id": 1, "sku": "24-MB01", "updated_at": "2026-01-02T03:04:05Z"}
    new = {"entity_id": 1, "sku": "24-MB02", "updated_at": "2026-01-02T03:04:05Z"}
    events = [body(record) for record in (created, renamed, deleted)]
    assert [(event["op"], event["before"], event["after"]) for event in events] == [
        ("c", None, old),
        ("u", old, new),
        ("d", new, None),
    ]
    assert json.loads(renamed.key() or b"") == {"entity_id": 1}
    assert body(price)["after"] == {"value_id": 1, "entity_id": 1, "value": "19.900000"}
    assert len(body(text)["after"]["value"]) == 64
    assert len(text.value() or b"") < 2000


def test_a_table_made_later_is_captured_and_an_unlisted_one_never(shop: Shop, applied: list[str]) -> None:
    """A module installed afterwards brings tables of the list; customers are in no list."""
    shop.run(
        "INSERT INTO customer_entity VALUES (1, 'jane@example.com')",
        "CREATE TABLE catalog_product_link (link_id int NOT NULL PRIMARY KEY)",
    )
    record = shop.change("catalog_product_link", "INSERT INTO catalog_product_link VALUES (7)")
    topics = admin_client(shop.settings.kafka).list_topics(timeout=10).topics

    assert body(record)["after"] == {"link_id": 7}
    assert shop.names.change(shop.database, "customer_entity") not in topics


def test_apply_again_changes_and_restarts_nothing(shop: Shop, applied: list[str]) -> None:
    """The stored configuration is the same one, and the task is the one that ran before."""
    name = shop.settings.capture.connector
    insert = "INSERT INTO catalog_product_entity (sku) VALUES ('again')"
    before = shop.connect.config(name)
    first = shop.change("catalog_product_entity", insert)
    result = shop.command("apply")
    second = shop.change("catalog_product_entity", insert)

    assert result.output.splitlines() == [
        f"topics: {TOPICS} needed, 0 created, 0 mended",
        f"connector '{name}': unchanged and streaming",
    ]
    assert shop.connect.config(name) == before
    assert run_id(first) == run_id(second)


def test_drift_is_shown_and_healed(shop: Shop, applied: list[str]) -> None:
    """Someone changed the connector by hand: `diff` and `status` say so, `apply` puts it right."""
    name = shop.settings.capture.connector
    insert = "INSERT INTO catalog_product_entity (sku) VALUES ('drift')"
    before = shop.change("catalog_product_entity", insert)
    shop.connect.put_config({**wanted(shop), "poll.interval.ms": "500", "include.query": "true"})
    assert wait_for(lambda: observe.status(shop.settings).health == "drifted")

    diff = shop.command("diff")
    as_json = shop.command("diff", "--json")
    healed = execute.apply(shop.settings, MARIADB_CLASS, lambda _: None)
    clean = shop.command("diff")
    after = shop.change("catalog_product_entity", insert)

    assert diff.output.splitlines() == ["~ include.query = true -> false", "~ poll.interval.ms = 500 -> 20"]
    assert (type(diff.exception), getattr(diff.exception, "exit_code", None)) == (NotFine, 1)
    assert json.loads(as_json.output)["differences"][1] == {
        "kind": "changed",
        "name": "poll.interval.ms",
        "wanted": "20",
        "actual": "500",
    }
    assert healed == [
        Difference("changed", "include.query", "false", "true"),
        Difference("changed", "poll.interval.ms", "20", "500"),
    ]
    assert (clean.exit_code, clean.output) == (0, f"connector '{name}' is as the settings say\n")
    # The positive control of `run_id`: this time the task was restarted.
    assert run_id(before) != run_id(after)


def test_the_password_is_in_no_answer_of_connect(shop: Shop, applied: list[str]) -> None:
    """Connect holds the placeholder only, and validation does not echo what it stands for."""
    assert shop.settings.capture.password is not None
    password = shop.settings.capture.password.get_secret_value()
    if password == shop.settings.capture.user:
        pytest.skip("this stack's password cannot be told from the account's name")
    url = shop.settings.capture.connect_url
    name = shop.settings.capture.connector
    config = requests.get(f"{url}/connectors/{name}/config", timeout=10).text
    validated = requests.put(
        f"{url}/connector-plugins/{MARIADB_CLASS}/config/validate", json=wanted(shop), timeout=60
    ).text

    assert json.loads(config)["database.password"] == shop.settings.capture.password_placeholder
    assert password not in config
    assert password not in validated


def test_stopped_offsets_deleted_resumed_is_streaming_again(shop: Shop, applied: list[str]) -> None:
    """The sequence that heals a lost binlog position; a stopped connector is `stalled` meanwhile."""
    name = shop.settings.capture.connector
    shop.connect.stop(name)
    stalled = observe.status(shop.settings)
    before = shop.connect.offsets(name)
    shop.connect.delete_offsets(name)
    deleted = shop.connect.offsets(name)
    execute.apply(shop.settings, MARIADB_CLASS, lambda _: None)
    record = shop.change("catalog_product_entity", "INSERT INTO catalog_product_entity (sku) VALUES ('back')")

    assert (stalled.health, stalled.detail[:16]) == ("stalled", "it is STOPPED: r")
    assert len(before) == 1
    assert deleted == []
    assert body(record)["after"]["sku"] == "back"


def test_a_lost_binlog_position_is_failed_with_the_reason_and_healed_by_a_re_seed(
    shop: Shop, applied: list[str]
) -> None:
    """The connector is RUNNING and its task FAILED; `apply` tries again, in vain, and says so."""
    name = shop.settings.capture.connector
    url = f"{shop.settings.capture.connect_url}/connectors/{name}/offsets"
    shop.connect.stop(name)
    (place,) = shop.connect.offsets(name)
    lost = {"file": "gone.000001", "pos": 4, "server_id": 1}
    requests.patch(
        url, json={"offsets": [{"partition": place["partition"], "offset": lost}]}, timeout=30
    ).raise_for_status()
    shop.connect.resume(name)
    assert wait_for(lambda: observe.status(shop.settings).health == "failed")

    failed = observe.status(shop.settings)
    with pytest.raises(NotFine) as caught:
        execute.apply(shop.settings, MARIADB_CLASS, lambda _: None)
    gone = reseed(shop.settings, MARIADB_CLASS, lambda _: None)
    healed = observe.status(shop.settings)

    assert gone.position == "gone.000001:4"
    assert gone.since_ms is not None
    assert "no longer available on the server" in failed.detail
    assert failed.detail.endswith("; changes since then are lost to the log: run 'commerce-sync re-seed'")
    assert str(caught.value).startswith(f"connector '{name}' failed: ")
    assert healed.health == "streaming"


def test_a_lost_schema_history_is_failed_with_the_reason_and_healed_by_a_re_seed(
    shop: Shop, applied: list[str]
) -> None:
    """The connector knows its place in the log, but no table of it."""
    name = shop.settings.capture.connector
    shop.connect.stop(name)
    reseed_module._clear_history(shop.settings, shop.names)
    shop.connect.resume(name)
    assert wait_for(lambda: observe.status(shop.settings).health == "failed")

    failed = observe.status(shop.settings)
    reseed(shop.settings, MARIADB_CLASS, lambda _: None)
    record = shop.change(
        "catalog_product_entity", "INSERT INTO catalog_product_entity (sku) VALUES ('known')"
    )

    assert failed.detail.endswith("; changes since then are lost to the log: run 'commerce-sync re-seed'")
    assert body(record)["after"]["sku"] == "known"


def test_the_plugins_know_every_property_that_is_declared(shop: Shop) -> None:
    """Checked against what the installed plugins list, so that a typo cannot hide in our own list either."""
    typos = {"heartbeat.intervall.ms", "producer.override.lingerms"}
    for connector_class in (MARIADB_CLASS, MYSQL_CLASS):
        config = declare(shop.settings, shop.names, connector_class)
        answer = requests.put(
            f"{shop.settings.capture.connect_url}/connector-plugins/{connector_class}/config/validate",
            json={**config, **dict.fromkeys(typos, "1")},
            timeout=60,
        ).json()
        # A name of ours that nobody knows comes back too, without a definition.
        listed = {
            field["definition"]["name"] for field in answer["configs"] if field.get("definition") is not None
        }

        assert KNOWN_PROPERTIES - listed == set()
        assert UNLISTED_PROPERTIES & listed == set()
        # The control: a name that nobody reads is not listed only because it was sent.
        assert typos & listed == set()


def test_another_partition_count_is_refused_and_other_settings_are_mended(shop: Shop) -> None:
    """Nothing is created beside a topic that does not fit."""
    admin = admin_client(shop.settings.kafka)
    name = f"{shop.names.prefix}.misfit"
    fresh = Topic(f"{shop.names.prefix}.fresh", 1, {})
    admin.create_topics([NewTopic(name, 2, 1, config={"retention.ms": "1000"})])[name].result()
    assert wait_for(lambda: name in admin.list_topics(timeout=10).topics)

    with pytest.raises(NotFine) as caught:
        ensure_topics(admin, [Topic(name, 3, {}), fresh], 1)
    created = set(admin.list_topics(timeout=10).topics)
    mended = ensure_topics(admin, [Topic(name, 2, {"retention.ms": "2000", "cleanup.policy": "delete"})], 1)
    assert wait_for(
        lambda: ensure_topics(admin, [Topic(name, 2, {"retention.ms": "2000"})], 1) == TopicChanges([], [])
    )

    assert str(caught.value).startswith(f"{name} has 2 partitions and 3 are wanted: set kafka.partitions to")
    assert fresh.name not in created
    assert mended == TopicChanges([], [name])


def test_more_replicas_than_brokers_is_a_setting_to_correct(shop: Shop) -> None:
    """The broker's own answer does not name the setting."""
    admin = admin_client(shop.settings.kafka)

    with pytest.raises(
        Exception, match=r"^kafka\.replication_factor = 7 is more than the cluster has brokers"
    ):
        ensure_topics(admin, [Topic(f"{shop.names.prefix}.wide", 1, {})], 7)


def test_connect_that_is_down_ends_every_command_with_exit_code_3(shop: Shop) -> None:
    """One sentence with the setting, its value and the mend."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        results = [
            shop.command(command, COMMERCE_SYNC__CAPTURE__CONNECT_URL=url)
            for command in ("diff", "apply", "status", "delete")
        ]

    sentence = f"capture.connect_url = {url} cannot be reached: start Kafka Connect or correct the address"
    assert [str(result.exception) for result in results] == [sentence] * 4
    assert [getattr(result.exception, "exit_code", None) for result in results] == [3] * 4


def test_check_finds_nothing_to_mend_on_the_local_stack(shop: Shop, applied: list[str]) -> None:
    """Its grants are the least ones, so there is not even a warning about the database."""
    result = shop.command("check", "--json")
    report = json.loads(result.stdout)

    assert result.exception is None
    assert report["fine"] is True
    assert [check for check in report["checks"] if check["state"] != "ok"] == [
        {
            "check": "targets",
            "state": "warning",
            "sentence": "no [targets.X] is configured: nothing is sent anywhere",
        }
    ]
    assert [check["check"] for check in report["checks"]][-6:] == [
        "kafka",
        "connect",
        "connector",
        "capture",
        "log position",
        "targets",
    ]
    assert database_problems(shop.settings) == []


@pytest.mark.parametrize(
    ("setting", "value", "state", "start"),
    [
        (
            "COMMERCE__PASSWORD",
            "wrong",
            "not ok",
            (
                "commerce.password: {where} refuses user 'commerce_sync' with this password: correct "
                "commerce.url or commerce.password (COMMERCE_SYNC__COMMERCE__PASSWORD), or create the account"
            ),
        ),
        (
            "CAPTURE__PASSWORD",
            "wrong",
            "not ok",
            (
                "capture.password: {where} refuses user 'debezium' with this password: correct "
                "capture.user or capture.password (COMMERCE_SYNC__CAPTURE__PASSWORD), or create the account"
            ),
        ),
        (
            "COMMERCE__URL",
            "mysql://commerce_sync@{where}/magento_capture_none",
            "not ok",
            "commerce.url: {where} has no database 'magento_capture_none': correct its name",
        ),
        (
            "COMMERCE__URL",
            "mysql://commerce_sync@{where}/sys_none",
            "not ok",
            "commerce.url: on {where} there is no database 'sys_none', or 'commerce_sync' may not see it: ",
        ),
        (
            "COMMERCE__URL",
            "mysql://commerce_sync@127.0.0.1:1/magento",
            "unreachable",
            "commerce.url: no database answers at 127.0.0.1:1 (",
        ),
        (
            "COMMERCE__URL",
            "mysql://commerce_sync@no-such-host.invalid/magento",
            "unreachable",
            "commerce.url: no database answers at no-such-host.invalid:3306 (",
        ),
    ],
)
def test_each_way_of_not_getting_in_has_its_own_sentence(
    shop: Shop, setting: str, value: str, state: str, start: str
) -> None:
    """Password, name or address: the sentence says which, and what to correct."""
    address = shop.settings.commerce.address
    where = f"{address.host}:{address.port}"
    changed = {f"COMMERCE_SYNC__{setting}": value.format(where=where)}
    (problem,) = database_problems(load(None, {**shop.environment, **changed}))
    result = shop.command("apply", **changed)

    assert problem.state == state
    assert problem.sentence.startswith(start.format(where=where))
    assert (type(result.exception), str(result.exception)) == (
        Unreachable if state == "unreachable" else NotFine,
        problem.sentence,
    )


def test_without_the_capture_password_the_rest_is_still_looked_at(shop: Shop) -> None:
    """Only the worker may know it; that is no fault, so it is a warning."""
    environment = {k: v for k, v in shop.environment.items() if k != "COMMERCE_SYNC__CAPTURE__PASSWORD"}
    findings = database_findings(load(None, environment))

    assert [(f.check, f.sentence) for f in findings if f.state != "ok"] == [
        (
            "capture account",
            (
                "capture.password is not set, so what 'debezium' may do is not looked at; "
                "Connect itself logs in with it below"
            ),
        )
    ]
    assert all(finding.fine for finding in findings)


def test_check_says_what_lacks_in_an_empty_database_and_at_dead_addresses(shop: Shop) -> None:
    """All that is wrong is told in one go; something unreachable outweighs something wrong."""
    result = shop.command(
        "check",
        "--json",
        COMMERCE_SYNC__COMMERCE__TABLE_PREFIX="m2_",
        COMMERCE_SYNC__KAFKA__BOOTSTRAP_SERVERS="127.0.0.1:1",
    )
    bad = [check for check in json.loads(result.stdout)["checks"] if check["state"] not in {"ok", "warning"}]

    assert [(check["check"], check["state"]) for check in bad][:2] == [
        ("tables", "not ok"),
        ("kafka", "unreachable"),
    ]
    assert getattr(result.exception, "exit_code", None) == 3


def test_findings_name_the_server_and_its_accounts(shop: Shop) -> None:
    """What was looked at can be read from the lines that are fine."""
    checks = [finding.check for finding in database_findings(shop.settings)]

    assert checks[:6] == [
        "database",
        "tables",
        "log_bin",
        "binlog_format",
        "binlog_row_image",
        "binlog retention",
    ]


def test_a_topic_that_was_deleted_and_made_again_is_noticed_at_the_next_start(shop: Shop) -> None:
    """Its name and its partitions are the same; a family that is new as a whole begins anew."""
    names = TopicNames(f"ids-{secrets.token_hex(4)}")
    kafka = shop.settings.kafka.model_copy(update={"topic_prefix": names.prefix})
    admin = admin_client(kafka)
    family = Family(frozenset({names.index("product"), names.feed("products")}), "")
    topics = [Topic(name, 2, {}) for name in sorted(family.topics)]
    control = Topic(names.control, 1, {"cleanup.policy": "compact"})

    def start() -> None:
        topic_ids.require_same(kafka, [family])
        ensure_topics(admin, [*topics, control], 1)
        topic_ids.record(kafka, [family])

    def delete(*wanted: Topic) -> None:
        for future in admin.delete_topics([topic.name for topic in wanted]).values():
            future.result(30)

    start()
    start()
    delete(topics[0])
    with pytest.raises(NotFine) as caught:
        start()
    ensure_topics(admin, [topics[0]], 1)
    with pytest.raises(NotFine):
        start()
    delete(*topics)
    start()
    start()

    assert str(caught.value).startswith(f"{topics[0].name}: deleted, made anew or re-partitioned")


def test_a_position_that_the_log_no_longer_holds_is_set_to_its_beginning(shop: Shop) -> None:
    """And only that: a router that was away for a week goes on, one that was not loses nothing."""
    names = TopicNames(f"lost-{secrets.token_hex(4)}")
    kafka = shop.settings.kafka
    admin, group = admin_client(kafka), names.group("router")
    topic = Topic(names.change_prefix, 2, {})
    ensure_topics(admin, [topic], 1)
    client = producer(kafka, "test.lost")
    for number in range(10):
        client.produce(topic.name, b"x", partition=number % 2)
    assert client.flush(20) == 0
    places = [TopicPartition(topic.name, 0, 1), TopicPartition(topic.name, 1, 4)]
    admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)])[group].result(20)
    gone = [TopicPartition(topic.name, partition, 3) for partition in (0, 1)]
    for future in admin.delete_records(gone).values():
        future.result(20)

    asker = reader(kafka, "test.lost")
    places = [TopicPartition(topic.name, partition) for partition in (0, 1)]
    try:
        raised = raise_positions(admin, asker, group, places)
        again = raise_positions(admin, asker, group, places)
    finally:
        asker.close()

    assert [(place.partition, place.offset) for place in raised] == [(0, 3)]
    assert again == []
    assert [place.offset for place in committed_offsets(admin, group, places)] == [3, 4]
