"""The command line of `bench resync`, what people read of it, and whose processor time is whose."""

from typing import Any

from click.testing import CliRunner

from commerce_sync.bench.commands import _resync_lines, bench
from commerce_sync.bench.figures import process_name

ROW: dict[str, Any] = {
    "build_seconds": 20.0,
    "products_per_second": 500,
    "seconds": 30.0,
    "items_sent": 40_000,
    "requests": 400,
    "cpu_ms_per_product": {"sink": 0.5, "builder": 1.25},
}
RESULT: dict[str, Any] = {
    "products": 10_000,
    "ours": 500,
    "limit": 1000,
    "ratio": 0.5,
    "first_sync": ROW,
    "unchanged": {**ROW, "items_sent": 0, "requests": 0},
    "peak": {"router": 90.5, "builder": 120.0},
    "audit": {"items": 90_000, "differences": 0, "seconds": 12.5, "peak": 170.2},
    "allowance": None,
}


def test_help_shows_an_example() -> None:
    """As of every command."""
    shown = CliRunner().invoke(bench, ["resync", "--help"])

    assert shown.exit_code == 0
    assert "Example: commerce-sync bench resync" in " ".join(shown.output.split())


def test_people_read_what_the_object_holds() -> None:
    """Without a prediction there is no word of it."""
    assert _resync_lines(RESULT) == [
        "10000 products, a second to the feed topics: 500, built alone: 1000, ratio 0.5",
        "first sync: built in 20.0 s, 500 products a second; 40000 items in 400 requests, done after 30.0 s",
        "unchanged: built in 20.0 s, 500 products a second; 0 items in 0 requests, done after 30.0 s",
        "CPU ms of a product, first sync: builder 1.25, sink 0.5",
        "CPU ms of a product, unchanged: builder 1.25, sink 0.5",
        "peak MB: builder 120.0, router 90.5",
        "audit of 90000 items: 0 differ, 12.5 s, 170.2 MB",
    ]


def test_people_read_the_predicted_minutes_beside_the_real_ones() -> None:
    """And their ratio."""
    allowance = {
        "predicted": {"items": 30, "requests": 3, "minutes": 1.9},
        "real": {"items": 30, "requests": 4, "minutes": 2.0},
        "ratio": 0.95,
    }

    assert _resync_lines(RESULT | {"allowance": allowance})[-3:] == [
        "predicted 30 items, 3 requests, 1.9 minutes",
        "real      30 items, 4 requests, 2.0 minutes",
        "ratio 0.95",
    ]


def test_a_process_has_the_name_of_its_role_or_server() -> None:
    """By its command line; others by their program."""
    java = ["/opt/java/bin/java", "-Xmx512m", "-cp", "/jars/kafka-clients.jar"]
    role = ["python", "-m", "commerce_sync.run.process", "sink", "demo-0", "0", "optimizer"]
    commands = [
        role,
        [*java, "kafka.Kafka", "/d/config/kafka.properties"],
        [*java, "org.apache.kafka.connect.cli.ConnectDistributed", "/d/config/connect.properties"],
        ["/opt/mariadb/bin/mariadbd", "--no-defaults"],
        ["python", "-m", "commerce_sync", "emulator", "--port", "0"],
        ["/usr/bin/cat"],
        [],
    ]

    assert [process_name(command) for command in commands] == [
        "sink",
        "kafka",
        "connect",
        "mariadb",
        "emulator",
        "cat",
        "",
    ]
