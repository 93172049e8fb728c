"""What went wrong behind the pipeline's back is found and mended, on the real parts."""

import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from fake_registry import any_registry
from pipeline import Pipeline, running
from prometheus_client.parser import text_string_to_metric_families

from commerce_sync.demo.scene import TARGET
from commerce_sync.explain.commands import explained
from commerce_sync.local.stack import Stack
from commerce_sync.proof.fresh import fresh_items
from commerce_sync.run.roles import Process
from commerce_sync.run.supervise import role_arguments
from consumers.ledger import read
from consumers.ledger.database import open_existing
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.submit import Submitter
from producers.connectors.connect import Connect
from producers.connectors.observe import last_heartbeat_s
from runtime.errors import NotFine
from runtime.kafka import producer
from schemas.keys import canonical_json, partition_for
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PRODUCTS = 20
NAME = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND entity_type_id = 4)"
PRICE = NAME.replace("'name'", "'price'")
# As operators of the exporter know them.
SWITCHES = dict.fromkeys(("EXPORTER_EXTENDED_LOG", "PERSIST_EXPORTED_FEED", "EXPORTER_PROFILER"), "1")


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests; a schema registry frames its items."""
    with any_registry() as url:
        framed = {"COMMERCE_SYNC__KAFKA__SCHEMA_REGISTRY_URL": url}
        with running(stack, tmp_path_factory.mktemp("audit"), PRODUCTS, SWITCHES | framed, {}) as pipeline:
            pipeline.settle()
            yield pipeline


def found_in(told: dict[str, Any]) -> set[tuple[str, str, str, str]]:
    """(kind, stage, SKU, store view) of products that differ, as `audit --json` tells them."""
    return {(f["kind"], f["stage"], f["key"]["sku"], f["key"]["storeViewCode"]) for f in told["findings"]}


def behind_our_back(path: Pipeline, operation: str, *items: dict[str, Any]) -> None:
    target = path.scene.settings.targets[TARGET]
    answer = Submitter(target, "somebody").post(
        OptimizerDialect().path("products", operation), canonical_json(items)
    )
    assert answer.status == 200, answer.body


def told(path: Pipeline, sku: str) -> dict[str, Any]:
    """What `explain` says of the item of the default view."""
    return explained(path.scene.settings, sku, "products", "default")


def state_of(path: Pipeline, sku: str) -> dict[str, Any]:
    (item,) = told(path, sku)["items"]
    state: dict[str, Any] = item["targets"][TARGET]
    return state


def miss(path: Pipeline, sku: str, statement: str) -> dict[str, Any]:
    """Run it while the connector is stopped, and let the connector go on behind it.

    Returns where `explain` says that the product stands meanwhile.
    """
    settings = path.scene.settings
    names = TopicNames(settings.kafka.topic_prefix)
    connect, name = Connect(settings.capture.connect_url), settings.capture.connector
    connect.stop(name)
    path.sql(statement)
    said = state_of(path, sku)
    connect.delete_offsets(name)
    before = last_heartbeat_s(settings.kafka, names) or 0.0
    connect.resume(name)
    path.wait_until("it streams again", lambda: (last_heartbeat_s(settings.kafka, names) or 0.0) > before)
    return said


def rename(product_id: int, name: str) -> str:
    """In the default store view."""
    return (
        "INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value)"
        f" VALUES ({NAME}, 1, {product_id}, '{name}') ON DUPLICATE KEY UPDATE value = VALUES(value)"
    )


def test_a_quiet_pipeline_is_equal(path: Pipeline) -> None:
    """Every item of every feed is compared, here and at the target; a sample is a part of the products."""
    found = path.command("audit", "--json").json()
    products = path.command("audit", "--feed", "Products", "--target", TARGET)
    half, five = (
        path.command("audit", "--feed", "products", "--sample", sample, "--json").json()
        for sample in ("50%", "5")
    )

    assert (found["equal"], found["findings"], found["late"], found["beyond"]) == (True, [], {}, 0)
    assert found["items"] == len(fresh_items(path.scene.settings.commerce))
    assert found["entities"] > PRODUCTS
    assert products.out.endswith(": equal\n")
    assert 0 < five["entities"] < half["entities"] < int(products.out.split(" entities")[0].split()[-1])
    assert (half["equal"], five["equal"]) == (True, True)


@contextmanager
def auditing(path: Pipeline, log_dir: Path) -> Iterator[Callable[[], dict[tuple[str, str, str], float]]]:
    """The role `audit` beside the others; gives what it tells as different, by feed, target and kind."""
    assert path.scene.supervisor is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = path.scene.supervisor.environment | {"COMMERCE_SYNC__AUDIT__ENTITIES_PER_MINUTE": "60000"}  # type: ignore[operator]
    arguments = role_arguments(Process("audit", "test-0"), port, False, log_dir=log_dir)
    role = subprocess.Popen([sys.executable, *arguments], env=environment, start_new_session=True)

    def drift() -> dict[tuple[str, str, str], float]:
        try:
            text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
        except requests.ConnectionError:
            return {("it", "has", "not begun"): 1}
        return {
            (sample.labels["feed"], sample.labels["target"], sample.labels["kind"]): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "commerce_sync_audit_drift_items" and sample.value
        }

    try:
        yield drift
    finally:
        role.terminate()
        assert role.wait(15) == 0


def test_what_is_removed_behind_our_back_shows_in_a_metric_until_it_is_back(
    path: Pipeline, tmp_path: Path
) -> None:
    """The role looks on its own, sends nothing, and says it once in the log."""
    path.rest()
    held = path.held()
    sku = sorted({sku for sku, view in held if view == "default"})[2]
    with auditing(path, tmp_path) as drift:
        path.wait_until("it has begun", lambda: not drift())
        behind_our_back(path, "delete", {"sku": sku, "source": {"locale": "default"}})
        requests_before = len(path.requests_made())
        path.wait_until("it is told", lambda: drift() == {("products", TARGET, "missing"): 1})
        sent = path.requests_made()[requests_before:]
        behind_our_back(path, "upsert", held[sku, "default"])
        path.wait_until("it is told no more", lambda: not drift())
    errors = (tmp_path / "commerce-data-export-errors.log").read_text(encoding="utf-8").splitlines()

    assert sent == []
    assert [(e["event"], e["code"]) for e in map(msgspec.json.decode, errors)] == [("items differ", "CS0801")]


def test_the_switches_of_the_exporter_do_what_operators_know(path: Pipeline) -> None:
    """Payloads in the sink's log and in the ledger; what building cost in the builder's log."""
    settings = path.scene.settings
    said = {
        file.name.split(".")[0]: [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
        for file in (path.scene.log_dir / "roles").iterdir()
    }
    profiled = [
        line["event"].partition(", ")[0] for line in said["builder"] if line["logger"].endswith("profile")
    ]
    sku = min(sku for sku, _ in path.held())
    payloads = [line["payload"] for line in said["sink"] if line["event"] == "payload sent"]
    with open_existing(settings) as database:
        (row,) = database.run(lambda connection: read.named(connection, [(TARGET, "products")], sku, 1))

    assert {"Products::read", "Products::build"} <= set(profiled)
    assert all(
        re.fullmatch(r"\w+::\w+, \d+, \d+, \d+\.\d", line["event"])
        for line in said["builder"]
        if line["logger"].endswith("profile")
    )
    assert any(f'"sku":"{sku}"' in payload for payload in payloads)
    assert msgspec.json.decode(row["payload"])["sku"] == sku


def test_whatever_reads_items_takes_those_that_a_registry_framed(path: Pipeline) -> None:
    """A zero byte and an id on the topic; the sink sent them, the ledger tells of them and shows one."""
    names = TopicNames(path.scene.settings.kafka.topic_prefix)
    newest = {record.key: record.value for record in path.topic(names.feed("products"))}
    values = [value for value in newest.values() if value is not None]
    (sku, _), held = min(path.held().items())
    (shown,) = (
        item
        for item in path.command("items", "show", sku, "--feed", "products", "--json").json()["items"]
        if msgspec.json.decode(item["key"])["storeViewCode"] == held["source"]["locale"]
    )

    assert {value[:1] for value in values} == {b"\x00"}
    assert path.ledger().sent == len(values) == len(path.held())
    assert (shown["name"], shown["payload"]["name"]) == (held["name"], held["name"])


def test_each_difference_is_found_at_its_stage_and_mended_with_no_request_too_many(path: Pipeline) -> None:
    """Removed, altered, left over at the service; an edit nobody saw; a feed record that nobody emitted."""
    path.rest()
    held = path.held()
    removed, altered, missed, torn = sorted({sku for sku, view in held if view == "default"})[3:7]
    names = TopicNames(path.scene.settings.kafka.topic_prefix)
    missed_id = int(held[missed, "default"]["externalIds"][0]["id"])
    client = producer(path.scene.settings.kafka, "test.torn")
    client.produce(
        names.feed("products"),
        key=canonical_json({"sku": torn, "storeViewCode": "default"}),
        value=None,
        partition=partition_for(torn.encode(), path.scene.settings.kafka.partitions),
    )
    client.flush(10)
    path.wait_until("the sink has followed the feed", lambda: (torn, "default") not in path.held())
    source = {"source": {"locale": "default"}}
    behind_our_back(path, "delete", {"sku": removed, **source})
    behind_our_back(path, "upsert", {**held[altered, "default"], "name": "Altered"})
    behind_our_back(path, "upsert", {**held[altered, "default"], "sku": "ghost", "slug": "ghost"})
    meanwhile = miss(path, missed, rename(missed_id, "Missed"))
    requests = len(path.requests_made())

    looked = path.command("audit", "--json", code=1).json()
    unsent = len(path.requests_made()) == requests
    found = path.command("audit", "--repair", "--json").json()
    sent = path.requests_made()[requests:]
    path.command("audit")

    assert (found_in(looked), unsent) == (found_in(found), True)
    assert found_in(found) == {
        ("stale", "feed topic", missed, "default"),
        ("missing", TARGET, removed, "default"),
        ("stale", TARGET, altered, "default"),
        ("left over", TARGET, "ghost", "default"),
        ("missing", "feed topic", torn, "default"),
    }
    assert (found["differences"], found["repaired"], found["left"]) == (5, 5, 0)
    items = Counter(
        (*identity, request["path"].rpartition("/")[2])
        for request in sent
        for identity in request["identities"]
    )
    assert items == Counter(
        {(sku, view, "delete" if sku == "ghost" else "products"): 1 for _, _, sku, view in found_in(found)}
    )
    assert (meanwhile["state"], "STOPPED" in meanwhile["why"]) == ("waiting", True)
    assert path.held()[missed, "default"]["name"] == "Missed"


def test_the_way_of_an_edit_is_told_from_the_row_to_the_answer(path: Pipeline) -> None:
    """Table, operation, place in the log, request id; time does not run backwards but for clocks' grain."""
    held = path.held()
    sku = max(sku for sku, view in held if view == "default")
    path.sql(rename(int(held[sku, "default"]["externalIds"][0]["id"]), "Explained"))
    path.wait_until("it is there", lambda: path.held()[sku, "default"]["name"] == "Explained")
    path.settle()
    # A heartbeat that is late on a busy machine says that something may still come.
    path.wait_until("nothing is late", lambda: state_of(path, sku)["state"] != "waiting")

    (item,) = told(path, sku)["items"]
    steps = {step["stage"]: step for step in item["steps"]}
    (answer,) = item["targets"][TARGET]["answer"]
    request = next(r for r in path.requests_made() if r["request_id"] == answer["request id"])
    assert list(steps) == ["change", "captured", "dirty record", "built", "feed record"]
    assert steps["change"]["table"] == "catalog_product_entity_varchar"
    assert steps["change"]["operation"] in {"insert", "update"}
    assert steps["change"]["binlog"].count(":") == 1
    assert steps["change"]["gtid"]
    assert [sku, "default"] in request["identities"]
    assert (state_of(path, sku)["why"], answer["outcome"]) == (
        "the target has taken the newest state",
        "delivered",
    )
    assert all(step["seconds"] is None or -1 < step["seconds"] < 60 for step in [*item["steps"], answer])


def test_what_is_unchanged_deleted_or_parked_is_told_too(path: Pipeline) -> None:
    """Each with its state and a reason that a person can act on."""
    held = path.held()
    same, gone, refused = sorted({sku for sku, view in held if view == "default"})[8:11]
    ids = {sku: int(held[sku, "default"]["externalIds"][0]["id"]) for sku in (same, gone, refused)}
    # Its price, which is no part of the products feed.
    dearer = (
        "INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value)"
        f" VALUES ({PRICE}, 0, {ids[same]}, 77) ON DUPLICATE KEY UPDATE value = value + 1"
    )
    # A live edit emits what was emitted in bulk once more; the next one finds it live.
    path.sql(dearer)
    path.settle()
    path.put_faults({"match": {"sku": refused}, "do": {"invalid": True}})
    path.sql(
        rename(ids[refused], "Refused"),
        f"DELETE FROM catalog_product_entity WHERE entity_id = {ids[gone]}",
        dearer,
    )
    path.settle()
    path.clear_faults()
    path.wait_until("nothing is late", lambda: state_of(path, same)["state"] != "waiting")

    states = {sku: state_of(path, sku) for sku in (same, gone, refused)}
    assert {sku: told["state"] for sku, told in states.items()} == {
        same: "unchanged",
        gone: "deleted",
        refused: "parked",
    }
    assert "attention" in states[refused]["why"]
    with pytest.raises(NotFine, match="neither the shop nor the topics"):
        told(path, "nobody has this")
