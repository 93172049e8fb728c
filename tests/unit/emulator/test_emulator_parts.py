"""The emulator's small parts: allowance, fault rules, request log, storage, command."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
import requests

from commerce_sync.emulator.faults import NO_FAULT, Do, Faults, Match, Rule, parse_rules
from commerce_sync.emulator.limits import MinuteAllowance
from commerce_sync.emulator.request_log import Entry, RequestLog
from commerce_sync.emulator.server import Emulator
from commerce_sync.emulator.storage import Storage
from runtime.errors import UsageError


def test_an_allowance_is_full_again_a_minute_after_its_first_use() -> None:
    now = [100.0]
    allowance = MinuteAllowance(3, lambda: now[0])

    answers = [allowance.take(2), allowance.take(2), allowance.take(1), allowance.take(1)]
    now[0] = 159.9
    late = allowance.take(1)
    now[0] = 160.0
    fresh = allowance.take(3)

    assert answers == [None, 60, None, 60]
    assert late == 1
    assert fresh is None


def test_more_than_the_whole_allowance_passes_only_when_nothing_is_used() -> None:
    allowance = MinuteAllowance(3, lambda: 0.0)

    assert [allowance.take(5), allowance.take(1)] == [None, 60]


def test_no_limit_never_refuses() -> None:
    allowance = MinuteAllowance(0, lambda: 0.0)

    assert [allowance.take(1000) for _ in range(3)] == [None, None, None]


def test_a_probability_is_met_on_average_and_a_seed_repeats_it() -> None:
    rule = Rule(Do(status=500), probability=0.25)

    def fired(seed: int) -> list[bool]:
        faults = Faults(Random(seed))
        faults.replace([rule])
        return [faults.choose("/x", frozenset) is rule for _ in range(1000)]

    assert 200 < sum(fired(1)) < 300
    assert fired(1) == fired(1)
    assert fired(1) != fired(2)


def test_a_rule_without_a_sku_does_not_read_the_body() -> None:
    faults = Faults(Random(1))
    faults.replace([Rule(Do(status=500), Match(path="/v1/a"))])

    def unread() -> frozenset[str]:
        raise AssertionError

    assert faults.choose("/demo/v1/b", unread) is NO_FAULT
    assert faults.choose("/demo/v1/a", unread).do.status == 500


def test_a_rule_is_read_as_it_is_documented() -> None:
    body = b"""[{"match": {"path": "/v1/catalog/products", "sku": "A"}, "count": 3, "probability": 0.5,
        "do": {"status": 503, "delay_ms": 20, "when": "after", "drop": "after", "retry_after": 1,
               "invalid": true}}]"""

    rules = parse_rules(body)

    assert rules == [
        Rule(
            match=Match(path="/v1/catalog/products", sku="A"),
            do=Do(status=503, delay_ms=20, when="after", drop="after", retry_after=1, invalid=True),
            count=3,
            probability=0.5,
        )
    ]


def entry(number: int, items: int) -> Entry:
    identities = tuple((f"P{index}",) for index in range(items))
    return Entry(number, 1.5, "POST", "/demo/x", items, 200, "id", True, identities)


def test_the_log_keeps_the_newest_requests_up_to_its_number_of_items() -> None:
    """A request without items weighs one."""
    log = RequestLog(items_max=5)
    for number, items in enumerate((3, 0, 2, 2), start=1):
        log.add(entry(number, items))

    kept = [json.loads(line)["id"] for line in log.since(0)]
    newer = [json.loads(line)["id"] for line in log.since(3)]

    assert kept == [2, 3, 4]
    assert newer == [4]
    assert log.next_id == 5


def test_a_transaction_that_fails_leaves_nothing() -> None:
    storage = Storage()
    storage.put("products", [(("A", "en"), b"1")])

    with pytest.raises(RuntimeError), storage.transaction():
        storage.put("products", [(("A", "en"), b"2"), (("B", "en"), b"3")])
        raise RuntimeError

    assert list(storage.pages("products")) == [[b"1"]]
    storage.close()


def test_a_database_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--database .*missing/items\.db cannot be used"):
        Storage(str(tmp_path / "missing" / "items.db"))


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(UsageError, match=f"--port {port} cannot be listened on"):
            Emulator(port).start()


@pytest.mark.parametrize(
    ("number", "dialect", "targets"),
    [
        (signal.SIGINT, "optimizer", ["OPTIMIZER"]),
        (signal.SIGTERM, "saas", ["SAAS"]),
        (signal.SIGTERM, "both", ["OPTIMIZER", "SAAS"]),
    ],
)
def test_the_command_serves_until_it_is_told_to_end(
    number: signal.Signals, dialect: str, targets: list[str]
) -> None:
    """Each service's items can be read at the address it names."""
    program = "from commerce_sync.emulator.commands import emulator; emulator()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--port", "0", "--dialect", dialect, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        settings = json.loads(process.stdout.readline())
        addresses = {name: settings.get(f"COMMERCE_SYNC__TARGETS__{name}__READ_URL") for name in targets}
        answers = [requests.get(f"{address}/products", timeout=10) for address in addresses.values()]
        process.send_signal(number)
        _, complaints = process.communicate(timeout=10)
    finally:
        process.kill()

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "")] * len(targets)
    assert {name.split("__")[2] for name in settings} == set(targets)
    assert (process.returncode, complaints) == (0, "")
