"""The real local stack: started once, started again, killed, interrupted, and in the way of others."""

import asyncio
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import asyncmy
import psutil
import pytest

from commerce_sync.local import accounts
from commerce_sync.local import stack as local_stack
from commerce_sync.local.stack import ADMIN_VARIABLE, NAMES, Stack
from runtime import settings
from runtime.errors import UsageError

pytestmark = pytest.mark.stack

PATIENCE_S = 90
CONNECT_CLASS = "org.apache.kafka.connect.cli.ConnectDistributed"


def pids(stack: Stack) -> dict[str, int | None]:
    return {name: stack.pid(name) for name in NAMES}


def ask(url: str, statement: str, password: str | None = None) -> list[tuple[object, ...]]:
    """One statement under the account of a mysql:// address; its rows."""
    parts = urlsplit(url)

    async def run() -> list[tuple[object, ...]]:
        connection = await asyncmy.connect(
            host=parts.hostname,
            port=parts.port,
            user=parts.username,
            password=password or parts.password,
            autocommit=True,
        )
        try:
            async with connection.cursor() as cursor:
                await cursor.execute(statement)
                return list(await cursor.fetchall())
        finally:
            await connection.ensure_closed()

    return asyncio.run(run())


def test_up_again_restarts_nothing(own_stack: Stack) -> None:
    """The same processes, and one line that says so."""
    before = pids(own_stack)
    lines: list[str] = []

    again = local_stack.up(own_stack.data_dir, report=lines.append)

    assert None not in before.values()
    assert pids(again) == before
    assert lines == ["the local stack is up already"]


def test_the_settings_it_prints_reach_it(own_stack: Stack) -> None:
    """They load, the read account reads, and the binlog holds whole rows."""
    loaded = settings.load(environ=own_stack.environment())
    address = loaded.commerce.address
    password = address.password.get_secret_value()

    rows = ask(loaded.commerce.url, "SELECT @@log_bin, @@binlog_format, @@binlog_row_image", password)

    assert rows == [(1, "ROW", "FULL")]


def test_the_read_account_reads_the_shop_and_changes_nothing(own_stack: Stack) -> None:
    """Exactly these grants, as the server tells them; a database by another name needs `grant_access`."""
    admin = own_stack.environment()[ADMIN_VARIABLE]
    reader = "'commerce_sync'@'127.0.0.1'"

    def databases() -> list[str]:
        grants = ask(admin, f"SHOW GRANTS FOR {reader}")
        return sorted(str(row[0]).split(" TO ")[0] for row in grants if "USAGE" not in str(row[0]))

    before = databases()
    accounts.grant_access(admin, "other_shop")
    after = databases()
    ask(admin, f"REVOKE SELECT ON `other\\_shop`.* FROM {reader}")

    assert before == ["GRANT SELECT ON `magento\\_%`.*", "GRANT SELECT ON `magento`.*"]
    assert after == [*before, "GRANT SELECT ON `other\\_shop`.*"]
    assert databases() == before


def test_three_killed_servers_come_back_with_their_data(own_stack: Stack) -> None:
    """kill -9 of all, the state file left as it was: up starts them on the ports they had."""
    admin = own_stack.environment()[ADMIN_VARIABLE]
    ask(admin, "CREATE TABLE magento.kept (id INT PRIMARY KEY)")
    ask(admin, "INSERT INTO magento.kept VALUES (7)")
    killed = pids(own_stack)
    for name in NAMES:
        own_stack.kill_process(name)
    down = own_stack.answering()

    back = local_stack.up(own_stack.data_dir, report=print)
    # The fixture's own view too, which later tests use.
    own_stack.identities.update(back.identities)

    assert down == dict.fromkeys(NAMES, False)
    assert back.answering() == dict.fromkeys(NAMES, True)
    assert back.ports == own_stack.ports
    assert [name for name in NAMES if pids(back)[name] == killed[name]] == []
    assert ask(admin, "SELECT id FROM magento.kept") == [(7,)]


def test_one_killed_server_comes_back_and_the_others_go_on(own_stack: Stack) -> None:
    """Nothing that works is restarted."""
    before = pids(own_stack)
    own_stack.kill_process("mariadb")

    back = local_stack.up(own_stack.data_dir, report=print)
    own_stack.identities.update(back.identities)

    after = pids(back)
    assert {name: after[name] for name in ("connect", "kafka")} == {
        name: before[name] for name in ("connect", "kafka")
    }
    assert after["mariadb"] not in {None, before["mariadb"]}


def test_a_port_that_somebody_else_took_is_one_sentence(own_stack: Stack) -> None:
    """It names the port and the mend; what ran goes on, and nothing half-started is left."""
    port = own_stack.ports["mariadb"]
    own_stack.stop_process("mariadb")

    with socket.create_server(("127.0.0.1", port)):
        with pytest.raises(UsageError) as refusal:
            local_stack.up(own_stack.data_dir, report=print)
    running = [name for name in NAMES if own_stack.pid(name)]
    own_stack.start_process("mariadb")

    assert str(refusal.value) == (
        f"port {port}, kept for mariadb in {own_stack.data_dir / 'stack.json'}, is taken by "
        "another program: end that one, or use another --data-dir"
    )
    assert running == ["connect", "kafka"]
    assert own_stack.answering() == dict.fromkeys(NAMES, True)


def test_two_starts_at_once_start_each_server_once(own_stack: Stack) -> None:
    """The second waits for the first, finds all of it up, and both are fine."""
    before = pids(own_stack)
    for name in ("connect", "mariadb"):
        own_stack.stop_process(name)

    starts = [local_up(own_stack.data_dir) for _ in range(2)]
    said = [start.communicate(timeout=PATIENCE_S) for start in starts]
    back = local_stack.read(own_stack.data_dir)
    assert back is not None
    own_stack.identities.update(back.identities)

    assert [start.returncode for start in starts] == [0, 0]
    assert [errors for _, errors in said] == ["", ""]
    assert sorted("the local stack is up already" in output for output, _ in said) == [False, True]
    assert back.answering() == dict.fromkeys(NAMES, True)
    assert pids(back)["kafka"] == before["kafka"]
    assert servers_of(own_stack.data_dir) == sorted(pid for pid in pids(back).values() if pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_start_that_is_broken_off_leaves_no_process(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, or the end of the session, while database and broker come up: both are ended again."""
    start = local_up(tmp_path)
    try:
        await_that(lambda: len(servers_of(tmp_path)) == 2, start)

        start.send_signal(number)
        _, errors = start.communicate(timeout=PATIENCE_S)

        assert start.returncode == 130
        assert "Traceback" not in errors
        assert servers_of(tmp_path) == []
    finally:
        start.kill()
        local_stack.down(tmp_path, report=print)


def test_status_tells_which_server_is_missing(own_stack: Stack) -> None:
    """Exit code 0 while all answer, 1 with one sentence when one does not."""
    status = [sys.executable, "-m", "commerce_sync", "local", "status", "--data-dir", str(own_stack.data_dir)]

    fine = subprocess.run(status, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    own_stack.kill_process("connect")
    missing = subprocess.run(status, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    assert (fine.returncode, fine.stderr) == (0, "")
    assert (missing.returncode, missing.stderr) == (
        1,
        f"error: not up: connect; run 'commerce-sync local up --data-dir {own_stack.data_dir}'\n",
    )
    own_stack.start_process("connect")


def test_down_ends_every_process_and_is_fine_twice(own_stack: Stack) -> None:
    """Last here. Connect first: without its broker it hangs."""
    lines: list[str] = []
    before = [pid for pid in pids(own_stack).values() if pid is not None]

    local_stack.down(own_stack.data_dir, report=lines.append)
    local_stack.down(own_stack.data_dir, report=lines.append)

    assert len(before) == 3
    assert lines == ["stopping connect", "stopping kafka", "stopping mariadb"]
    assert servers_of(own_stack.data_dir) == []


def local_up(data_dir: Path) -> "subprocess.Popen[str]":
    """The command, as a person starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "commerce_sync", "local", "up", "--data-dir", str(data_dir)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A test run in the background is told to ignore Ctrl-C, and would pass that on.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def servers_of(data_dir: Path) -> list[int]:
    """Every server process that was started with this data directory, known or not; in order."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        ours = str(data_dir) in " ".join(words) and process.info["status"] != psutil.STATUS_ZOMBIE
        # Not the command that starts them, not its set-up programs: a server.
        if ours and ("mariadbd" in words[0] or {"kafka.Kafka", CONNECT_CLASS} & set(words)):
            found.append(process.pid)
    return sorted(found)


def await_that(true: Callable[[], bool], start: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert start.poll() is None, f"ended before it came to that: {start.communicate()}"
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s"
        time.sleep(0.01)
