"""What is wrong from outside is told in one sentence, with the right exit code, before anything starts.

And what goes wrong later, while roles run, is waited out.
"""

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import asyncmy
import pytest
from pipeline import Pipeline, running

from commerce_sync.demo.scene import TARGET
from commerce_sync.local.processes import is_taken
from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from runtime.kafka import reader
from runtime.lag import ends
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PRODUCTS = 20
PATIENCE_S = 60
NOBODY = "127.0.0.1:1"

NO_BROKER = rf"kafka\.bootstrap_servers = {NOBODY}: no broker answers \(.+\); start it or correct the address"
NO_CONNECT = (
    rf"capture\.connect_url = http://{NOBODY} cannot be reached: start Kafka Connect or correct "
    "the address"
)

Refuse = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def path(own_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A shop with its connector and roles, on servers that these tests may change."""
    with running(own_stack, tmp_path_factory.mktemp("bad"), PRODUCTS, {}, {}) as pipeline:
        yield pipeline


@pytest.fixture
def right(own_stack: Stack, path: Pipeline) -> dict[str, str]:
    """Settings with which everything is fine."""
    server = own_stack.environment()["COMMERCE_SYNC__COMMERCE__URL"].rpartition("/")[0]
    return {
        **clean_environment(),
        **own_stack.environment(),
        "COMMERCE_SYNC__COMMERCE__URL": f"{server}/{path.database}",
        "COMMERCE_SYNC__KAFKA__TOPIC_PREFIX": f"bad-{secrets.token_hex(4)}",
        "COMMERCE_SYNC__HTTP__METRICS_PORT": "0",
    }


@pytest.fixture
def refuse(right: dict[str, str]) -> Refuse:
    """Runs a command with some settings changed; its exit code and its one sentence."""

    def run(*words: str, **changed: str) -> tuple[int, str]:
        return refused(right, words, changed)

    return run


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COMMERCE_SYNC")}


def refused(
    environment: Mapping[str, str], words: tuple[str, ...], changed: Mapping[str, str]
) -> tuple[int, str]:
    """One line on standard error, nothing of a library's own, no traceback."""
    settings = {f"COMMERCE_SYNC__{name}": value for name, value in changed.items()}
    done = subprocess.run(
        [sys.executable, "-m", "commerce_sync", *words],
        env={**environment, **settings},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    kind, _, sentence = done.stderr.partition(" ")
    assert kind == "error:", done.stderr
    assert sentence.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stdout
    return done.returncode, sentence.removesuffix("\n")


@pytest.mark.parametrize(
    ("words", "changed", "sentence"),
    [
        (("check",), {"KAFKA__BOOTSTRAP": "x"}, "kafka.bootstrap: unknown setting; check the spelling"),
        (
            ("check",),
            {"KAFKA__PARTITIONS": "0"},
            "kafka.partitions = '0': Input should be greater than or equal to 1",
        ),
        (
            ("resync", "--feed", "product"),
            {},
            "--feed product: no such feed; known: scopesWebsite, scopesCustomerGroup, priceBooks, ",
        ),
        (
            ("run", "builders"),
            {},
            "role 'builders' does not exist; known: router, builder, sink, clock, resync",
        ),
        (("run", "--workers", "builder"), {}, "--workers builder: write role=count, several with commas"),
        (("run", "--worker=2"), {}, "No such option '--worker'"),
        (("rum",), {}, "No such command 'rum'"),
        (
            ("-c", "/nowhere/settings.toml", "check"),
            {},
            "--config /nowhere/settings.toml cannot be read: No such file or directory",
        ),
        (
            ("check",),
            {"COMMERCE__PASSWORD_FILE": "/nowhere/password"},
            "commerce: password_file = /nowhere/password cannot be read (No such file or directory)",
        ),
    ],
)
def test_a_wrong_word_is_told_without_asking_any_server(
    words: tuple[str, ...], changed: dict[str, str], sentence: str
) -> None:
    """Exit code 2, with what was written and what could be."""
    code, told = refused(clean_environment(), words, changed)

    assert code == 2
    assert told.startswith(sentence)


@pytest.mark.parametrize(
    ("words", "changed", "code", "sentence"),
    [
        (
            ("run",),
            {"COMMERCE__URL": f"mysql://commerce_sync@{NOBODY}/magento"},
            3,
            rf"commerce\.url: no database answers at {NOBODY} \(.+\): start it or correct host and port",
        ),
        (
            ("run",),
            {"COMMERCE__PASSWORD": "wrong"},
            1,
            (
                r"commerce\.password: \S+ refuses user 'commerce_sync' with this password: correct "
                r"commerce\.url or commerce\.password \(COMMERCE_SYNC__COMMERCE__PASSWORD\), or "
                "create the account"
            ),
        ),
        (
            ("run",),
            {"KAFKA__BOOTSTRAP_SERVERS": NOBODY},
            3,
            NO_BROKER,
        ),
        (
            ("resync", "--feed", "products"),
            {"KAFKA__BOOTSTRAP_SERVERS": NOBODY},
            3,
            NO_BROKER,
        ),
        (
            ("check",),
            {"KAFKA__BOOTSTRAP_SERVERS": NOBODY},
            3,
            NO_BROKER,
        ),
        (
            ("run",),
            {"KAFKA__CLIENT__SECURITY_PROTOKOL": "SSL"},
            2,
            (
                r'kafka\.client: No such configuration property: "security\.protokol": correct its spelling '
                "or remove it"
            ),
        ),
        (
            ("run",),
            {"KAFKA__REPLICATION_FACTOR": "3"},
            2,
            (
                r"kafka\.replication_factor = 3 is more than the cluster has brokers: set it to their number "
                r"or less \(.+\)"
            ),
        ),
        (
            ("connectors", "apply"),
            {"CAPTURE__CONNECT_URL": f"http://{NOBODY}"},
            3,
            NO_CONNECT,
        ),
        (
            ("check",),
            {"CAPTURE__CONNECT_URL": f"http://{NOBODY}"},
            3,
            NO_CONNECT,
        ),
    ],
)
def test_what_does_not_answer_or_let_us_in_is_named(
    refuse: Refuse, words: tuple[str, ...], changed: dict[str, str], code: int, sentence: str
) -> None:
    """Setting, value and mend; 3 where nobody answers, 2 for a setting nobody could take, else 1."""
    told = refuse(*words, **changed)

    assert told[0] == code
    assert re.fullmatch(sentence, told[1]), told[1]


def test_a_database_that_is_none_or_is_no_shop_is_named(
    refuse: Refuse, right: dict[str, str], own_stack: Stack
) -> None:
    """A name that does not exist, and one that holds no Commerce tables."""
    server = right["COMMERCE_SYNC__COMMERCE__URL"].rpartition("/")[0]
    where = urlsplit(server).netloc.partition("@")[2]
    ask(own_stack, "CREATE DATABASE magento_bare")
    try:
        missing = refuse("run", COMMERCE__URL=f"{server}/magento_missing")
        bare = refuse("run", COMMERCE__URL=f"{server}/magento_bare")
    finally:
        ask(own_stack, "DROP DATABASE magento_bare")

    assert missing == (1, f"commerce.url: {where} has no database 'magento_missing': correct its name")
    assert bare == (
        1,
        (
            "commerce.url: database 'magento_bare' shows no table catalog_product_entity: correct the "
            "database's name or commerce.table_prefix, or GRANT SELECT ON `magento_bare`.* TO "
            "'commerce_sync'@'127.0.0.1'"
        ),
    )


def test_an_account_that_may_too_little_gets_its_grant_spelled_out(
    refuse: Refuse, own_stack: Stack, path: Pipeline
) -> None:
    """One cannot read a table, one cannot read the log: the sentence holds the SQL that mends it."""
    accounts = {
        "blind": [f"SELECT ON `{path.database}`.catalog_product_entity"],
        "deaf": [f"SELECT ON `{path.database}`.*"],
    }
    for account, grants in accounts.items():
        ask(own_stack, f"CREATE USER '{account}'@'127.0.0.1' IDENTIFIED BY 'pass'")
        for grant in grants:
            ask(own_stack, f"GRANT {grant} TO '{account}'@'127.0.0.1'")
    port = own_stack.ports["mariadb"]
    try:
        blind = refuse(
            "run",
            COMMERCE__URL=f"mysql://blind@127.0.0.1:{port}/{path.database}",
            COMMERCE__PASSWORD="pass",
        )
        deaf = refuse("run", CAPTURE__USER="deaf", CAPTURE__PASSWORD="pass")
    finally:
        for account in accounts:
            ask(own_stack, f"DROP USER '{account}'@'127.0.0.1'")

    assert (blind[0], deaf[0]) == (1, 1)
    assert blind[1].startswith("commerce.url: blind@127.0.0.1 may not read ")
    assert blind[1].endswith(
        f" of '{path.database}': GRANT SELECT ON `{path.database}`.* TO 'blind'@'127.0.0.1'"
    )
    assert deaf[1] == (
        "capture.user: deaf@127.0.0.1 lacks REPLICATION SLAVE, BINLOG MONITOR: "
        "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'deaf'@'127.0.0.1'"
    )


@pytest.mark.parametrize(
    ("variable", "wrong", "value"),
    [("binlog_format", "STATEMENT", "ROW"), ("binlog_row_image", "MINIMAL", "FULL")],
)
@pytest.mark.parametrize("words", [("run",), ("connectors", "apply"), ("check",)], ids=" ".join)
def test_a_log_without_whole_rows_is_refused_before_anything_starts(
    refuse: Refuse, own_stack: Stack, words: tuple[str, ...], variable: str, wrong: str, value: str
) -> None:
    """Changes would be lost from then on."""
    ask(own_stack, f"SET GLOBAL {variable} = {wrong}")
    try:
        told = refuse(*words)
    finally:
        ask(own_stack, f"SET GLOBAL {variable} = {value}")

    assert told == (
        1,
        (
            f"{variable} is {wrong} and must be {value}: write {variable}={value} into the server's "
            "configuration and restart it (SET GLOBAL reaches only new connections)"
        ),
    )


@pytest.mark.parametrize("number", [0, 2])
def test_a_metrics_port_that_is_taken_is_named(refuse: Refuse, number: int) -> None:
    """The first process's, or that of a later one: told before any process is started."""
    with taken_after_free_ones(number) as port:
        told = refuse("run", HTTP__METRICS_PORT=str(port - number))

    assert told == (
        2,
        (
            f"http.metrics_port: 127.0.0.1:{port} cannot be used (Address already in use): choose free ones; "
            "process n listens on http.metrics_port + n"
        ),
    )


def test_credentials_that_give_no_token_are_named(refuse: Refuse, path: Pipeline) -> None:
    """By `check`, which asks as the sink will; the secret itself is not shown."""
    target = path.scene.settings.targets[TARGET]
    given = {
        f"TARGETS__{TARGET.upper()}__URL": target.url,
        f"TARGETS__{TARGET.upper()}__AUTH__TOKEN_URL": target.auth.token_url,
        f"TARGETS__{TARGET.upper()}__AUTH__CLIENT_ID": target.auth.client_id,
    }

    told = refuse("check", **given, **{f"TARGETS__{TARGET.upper()}__AUTH__CLIENT_SECRET": "no-such-secret"})

    assert told == (
        1,
        (
            f"targets.{TARGET}.auth: the token endpoint refuses these credentials (401): correct client_id, "
            "client_secret or scope"
        ),
    )


def test_a_role_without_a_broker_says_why_in_its_log_and_asks_to_be_started_again(
    right: dict[str, str],
) -> None:
    """Exit code 3, never 2, which would end all roles; what the client library says joins the same log."""
    done = subprocess.run(
        [sys.executable, "-m", "commerce_sync.run.process", "router", "bad-0", "0"],
        env={**right, "COMMERCE_SYNC__KAFKA__BOOTSTRAP_SERVERS": NOBODY},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]

    assert done.returncode == 3
    assert {line["role"] for line in lines} == {"router.bad-0"}
    assert [line["event"] for line in lines if line["logger"] != "librdkafka"] == ["role starts", "role ends"]
    assert lines[-1]["reason"].startswith(f"kafka.bootstrap_servers = {NOBODY}: no broker answers (")


def test_a_role_that_starts_while_the_database_is_away_waits_for_it(path: Pipeline, own_stack: Stack) -> None:
    """The builder is started with work and no database: it puts the work off, and does it later."""
    log = path.scene.log_dir / "roles" / "builder.demo-0.log"
    supervisor = path.scene.supervisor
    assert supervisor is not None
    path.settle()

    with frozen_with_work(path) as frozen:
        own_stack.kill_process("mariadb")
    written = log.stat().st_size
    os.kill(frozen, signal.SIGKILL)
    path.wait_until("the builder is another process", lambda: builder(path) not in {None, frozen})
    path.wait_until("it has put the work off", lambda: b"batch put off" in log.read_bytes()[written:])
    started = builder(path)
    own_stack.start_process("mariadb")
    path.settle()

    names = [item["name"] for item in path.held().values() if item["externalIds"][0]["id"] == "2"]
    assert set(names) == {"while away"}
    assert builder(path) == started
    assert [line for line in log.read_bytes()[written:].splitlines() if not line.startswith(b"{")] == []


@contextmanager
def taken_after_free_ones(number: int) -> Iterator[int]:
    """A port somebody listens on, with as many free ones right before it."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port: int = taken.getsockname()[1]
            if not any(is_taken(port - before) for before in range(1, number + 1)):
                yield port
                return


@contextmanager
def frozen_with_work(path: Pipeline) -> Iterator[int]:
    """The builder's process, frozen while an edit waits for it on its topic."""
    settings = path.scene.settings
    topic = TopicNames(settings.kafka.topic_prefix).dirty("product")
    places = [(topic, partition) for partition in range(settings.kafka.partitions)]
    asker = reader(settings.kafka, "test.bad-input")
    try:
        before = ends(asker, places)
        frozen = path.send("builder", signal.SIGSTOP)
        path.sql(
            "UPDATE catalog_product_entity_varchar SET value = 'while away' WHERE entity_id = 2 AND "
            "attribute_id = (SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND "
            "entity_type_id = 4)"
        )
        path.wait_until("the edit waits for the builder", lambda: ends(asker, places) != before)
        yield frozen
    finally:
        asker.close()


def builder(path: Pipeline) -> int | None:
    supervisor = path.scene.supervisor
    assert supervisor is not None
    return next((pid for label, pid in supervisor.pids().items() if label.startswith("builder")), None)


def ask(stack: Stack, statement: str) -> None:
    """One statement under the account that may do everything."""
    parts = urlsplit(stack.environment()[ADMIN_VARIABLE])

    async def run() -> None:
        connection = await asyncmy.connect(
            host=parts.hostname,
            port=parts.port,
            user=parts.username,
            password=parts.password or "",
            autocommit=True,
        )
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(statement)
        finally:
            await connection.ensure_closed()

    asyncio.run(run())
