"""The sink when the service or one of its processes fails: a standby takes over, failing items come back."""

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import requests
from background import editing
from confluent_kafka import Consumer, Producer, TopicPartition
from pipeline import Pipeline, running

from commerce_sync.demo import play
from commerce_sync.demo.scene import TARGET
from commerce_sync.local.stack import Stack
from commerce_sync.proof.target import read_items
from commerce_sync.run.replay import open_reconciles
from commerce_sync.run.roles import consumption
from runtime.kafka import ADMIN_TIMEOUT_S, transactional_producer
from schemas.entities import FEEDS
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

NAME = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND entity_type_id = 4)"
PRODUCTS_PATH = "/v1/catalog/products"
TARGET_SETTINGS = f"COMMERCE_SYNC__TARGETS__{TARGET.upper()}__"


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline with two sinks, and short times."""
    times = {
        f"{TARGET_SETTINGS}REQUEST_TIMEOUT_S": "2",
        f"{TARGET_SETTINGS}RETRY_S": "3",
        f"{TARGET_SETTINGS}BATCH__PRODUCTS": "10",
    }
    with running(stack, tmp_path_factory.mktemp("sink"), 40, times, {"sink": 2}) as pipeline:
        yield pipeline


def log_of(path: Pipeline, number: int) -> Path:
    return path.scene.log_dir / "roles" / f"sink.{TARGET}.demo-{number}.log"


def active(path: Pipeline) -> int:
    """The number of the sink that said last that it is active."""
    lines = [
        (line, number)
        for number in (0, 1)
        for line in log_of(path, number).read_text().splitlines()
        if '"event": "active"' in line
    ]
    return max(lines, key=lambda pair: json.loads(pair[0])["time"])[1]


def rename(path: Pipeline, product: int, name: str) -> None:
    path.sql(
        f"UPDATE catalog_product_entity_varchar SET value = '{name}' WHERE entity_id = {product}"
        f" AND attribute_id = {NAME}"
    )


def names_of(path: Pipeline, product: int) -> set[str]:
    return {i["name"] for i in path.held().values() if i["externalIds"][0]["id"] == str(product)}


def test_a_failing_item_becomes_retryable_and_comes_back_by_itself(path: Pipeline) -> None:
    """One product answers 500, the others go on; when it is well again the retry cycle delivers it."""
    bad, good = path.product_ids()[3:5]
    sku = next(sku for (sku, _), i in path.held().items() if i["externalIds"][0]["id"] == str(bad))
    path.put_faults({"match": {"path": PRODUCTS_PATH, "sku": sku}, "do": {"status": 500}})
    rename(path, bad, "Comes back")
    edits = iter(range(10_000))

    def parked() -> bool:
        rename(path, good, f"Neighbour {next(edits)}")
        return bool(path.dead_letters(TARGET, "products"))

    path.wait_until("the item is retryable", parked)
    letters = path.dead_letters(TARGET, "products")
    path.clear_faults()
    path.wait_until("the retry has cleared it", lambda: path.dead_letters(TARGET, "products") == {})
    path.settle()

    assert {letter.kind for letter in letters.values()} == {"retryable"}
    assert all(sku in key for key in letters)
    assert names_of(path, bad) == {"Comes back"}
    assert play.proof(path.scene).differences == ()


def test_an_operator_lists_shows_and_retries_what_fails(path: Pipeline) -> None:
    """Refused items wait for attention until somebody says that they may go again."""
    product = path.product_ids()[5]
    sku = next(sku for (sku, _), i in path.held().items() if i["externalIds"][0]["id"] == str(product))
    path.put_faults({"match": {"path": PRODUCTS_PATH, "sku": sku}, "do": {"invalid": True}})
    rename(path, product, "Refused")
    path.settle()
    path.clear_faults()

    listed = path.command("dead-letters", "list", "--json").json()
    shown = path.command("dead-letters", "show", sku, "--json").json()
    words = ("dead-letters", "retry", sku, "--class", "attention")
    dry = path.command(*words, "--dry-run")
    still = path.dead_letters(TARGET, "products")
    path.command(*words)
    path.wait_until("it is delivered", lambda: path.dead_letters(TARGET, "products") == {})

    views = len(shown["items"])
    assert [(g["source"], g["class"], g["items"]) for g in listed["groups"]] == [
        (f"{TARGET}/products", "attention", views)
    ]
    assert {item["item"]["name"] for item in shown["items"]} == {"Refused"}
    assert dry.out.splitlines()[-1] == f"{views} items would go again"
    assert len(still) == views
    assert names_of(path, product) == {"Refused"}


def test_what_waits_for_attention_goes_again_by_force_alone(path: Pipeline) -> None:
    """A resync leaves it and what is unchanged, a replay leaves it; `--force` sends everything."""
    product = path.product_ids()[9]
    ((sku,),) = path.rows(f"SELECT sku FROM catalog_product_entity WHERE entity_id = {product}")
    path.put_faults({"match": {"path": PRODUCTS_PATH, "sku": sku}, "do": {"invalid": True}})
    rename(path, product, "Forced")
    path.rest()
    path.clear_faults()
    words, made = ("resync", "--feed", "products"), [len(path.requests_made())]
    for more in ((), ("--no-reindex",), ("--force",)):
        path.command(*words, *more)
        made.append(len(path.requests_made()))
        waits = path.dead_letters(TARGET, "products")
        assert (waits == {}) == (more == ("--force",))
    sent = path.requests_made()
    plain, replayed, forced = (products_of(sent[a:b]) for a, b in pairwise(made))

    waiting = {name for name in path.held() if name[0] == sku}
    assert plain == set()
    assert replayed == set(path.held()) - waiting
    assert forced == set(path.held())
    assert names_of(path, product) == {"Forced"}


def test_a_paused_feed_sends_nothing_until_it_is_resumed(path: Pipeline) -> None:
    """The edit waits at the sink, not at its sender."""
    product = path.product_ids()[6]
    paused = path.command("pause", "--feed", "PRODUCTS")
    path.wait_until("the sink has heard", lambda: "feed paused" in log_of(path, active(path)).read_text())
    before = len(path.requests_made())
    rename(path, product, "Paused")
    path.wait_until("the builder has written it", lambda: _waits(path))
    while_paused = len(path.requests_made())
    path.command("resume")
    path.settle()

    assert paused.out == f"{TARGET} products: paused\n"
    assert while_paused == before
    assert names_of(path, product) == {"Paused"}


def _waits(path: Pipeline) -> bool:
    from commerce_sync.run.roles import consumption
    from runtime.kafka import admin_client, reader
    from runtime.lag import behind, ends

    settings = path.scene.settings
    asker = reader(settings.kafka, "test.waits")
    try:
        wanted = consumption(settings, "sink", TARGET)
        topic = TopicNames(settings.kafka.topic_prefix).feed("products")
        until = ends(asker, [(topic, n) for n in range(settings.kafka.partitions)])
        return behind(admin_client(settings.kafka), wanted.group, until) > 0
    finally:
        asker.close()


def views(path: Pipeline) -> dict[str, set[str]]:
    """Whose items the target holds, by feeds that a store view governs."""
    settings = path.scene.settings.targets[TARGET]
    return {
        feed: {item["source"]["locale"] for item in read_items(TARGET, settings, feed)}
        for feed in ("products", "productAttributes", "categories")
    }


def test_a_store_view_is_switched_off_amid_a_resync_and_on_again(path: Pipeline) -> None:
    """What a slow service has yet to take of it does not stay, what the next one finds does not go.

    When it is on again its items come back, and nothing else goes.
    """
    path.settle()
    missed = (
        "SET sql_log_bin = 0",
        f"UPDATE catalog_product_entity_varchar SET value = CONCAT(value, ' +') WHERE attribute_id = {NAME}",
    )
    everywhere, held = views(path), path.held()

    def mended() -> set[str]:
        """Of the view's items those that the resync has brought."""
        return {sku for (sku, view), i in path.held().items() if view == "de" and i["name"].endswith(" +")}

    path.sql(*missed)
    path.put_faults({"match": {"path": "/v1/catalog/*"}, "do": {"delay_ms": 400}})
    with editing(path, 10, 41):
        path.command("resync", "--feed", "all", "--no-wait")
        path.wait_until("some of it has arrived", lambda: bool(mended()))
        arrived = mended()
        said = path.command("scopes", "disable", "base/de", "--wait")
        while_off, off_from = views(path), len(path.requests_made())
        listed = path.command("scopes", "list", "--json").json()["scopes"]
        path.clear_faults()
        path.sql(*missed)
        path.command("resync", "--feed", "products")
    path.settle()
    path.command("audit")
    without, sent_off = views(path), path.requests_made()[off_from:]
    path.command("scopes", "enable", "base/de", "--wait")
    sent_on = path.requests_made()[off_from + len(sent_off) :]
    path.command("audit")

    assert set(everywhere["products"]) == {"default", "de", "outlet"}
    assert 0 < len(arrived) < sum(1 for _, view in held if view == "de")
    assert said.out.startswith(f"{TARGET}: base/de disabled\n")
    assert [line["scope"] for line in listed if not line["enabled"]] == ["base/de"]
    assert while_off == without == {feed: found - {"de"} for feed, found in everywhere.items()}
    assert {view for _, view in products_of(sent_off)} == {"default", "outlet"}
    assert {identity[1] for request in sent_on for identity in request["identities"]} == {"de"}
    assert views(path) == everywhere
    assert play.proof(path.scene).differences == ()


def test_a_website_is_switched_off_and_on_while_edits_run(path: Pipeline) -> None:
    """Its price books and prices leave the target, and an audit does not miss them there."""

    def books() -> Counter[str]:
        items = read_items(TARGET, path.scene.settings.targets[TARGET], "prices")
        return Counter(item["priceBookId"].partition("::")[0] for item in items)

    before = books()
    with editing(path, 10, 42):
        path.command("scopes", "disable", "base", "--wait")
        while_off = books()
    path.settle()
    path.command("audit", "--feed", "prices,priceBooks,products", "--target", TARGET)
    with editing(path, 10, 43):
        path.command("scopes", "enable", "base", "--wait")
    path.settle()

    assert set(before) == set(books()) == {"base", "outlet"}
    assert set(while_off) == {"outlet"}
    assert play.proof(path.scene).differences == ()


def test_a_replay_sends_every_item_again_and_a_killed_sink_goes_on_with_it(path: Pipeline) -> None:
    """From the feed topic: the service has lost everything, and no entity is built."""
    path.settle()
    held = path.held()
    requests.delete(f"{path._control}/items", timeout=10).raise_for_status()
    emitted = path.ends(["products"])
    path.put_faults({"match": {"path": PRODUCTS_PATH}, "do": {"delay_ms": 300}})
    words = ("resync", "--feed", "all", "--no-reindex")
    path.command(*words, "--no-wait")
    path.wait_until("some are sent again", lambda: len(path.held()) > 0)
    stopped = path.command(*words, "--stop", "--json").json()["stopped"]
    path.command(*words, "--no-wait")
    assert path.scene.supervisor is not None
    os.kill(path.scene.supervisor.pids()[f"sink.{TARGET}.demo-{active(path)}"], signal.SIGKILL)
    path.clear_faults()
    path.wait_until("it is done", lambda: open_reconciles(path.scene.settings) == {})

    assert 0 < stopped <= len(FEEDS)
    assert path.held() == held
    assert path.written(["products"], emitted) == []
    assert play.proof(path.scene).differences == ()


def test_a_frozen_sink_is_replaced_and_writes_nothing_when_it_thaws(path: Pipeline) -> None:
    """SIGSTOP past its session: the standby goes on; SIGCONT: the frozen one ends and is started afresh."""
    frozen = active(path)
    other = 1 - frozen
    seen = log_of(path, other).read_text().count('"active"')
    label = f"sink.{TARGET}.demo-{frozen}"
    assert path.scene.supervisor is not None
    pid = path.scene.supervisor.pids()[label]
    traffic = play._traffic(path.scene, 20, 31)
    traffic.start()
    path.wait_until("edits are made", lambda: traffic.progress.edits >= 10)
    os.kill(pid, signal.SIGSTOP)
    try:
        path.wait_until(
            "the other is active", lambda: log_of(path, other).read_text().count('"active"') > seen
        )
        path.wait_until("edits go on", lambda: traffic.progress.edits >= 100)
    finally:
        os.kill(pid, signal.SIGCONT)
    traffic.stop()
    path.wait_until(
        "the frozen one starts over", lambda: path.scene.supervisor.pids().get(label) not in {None, pid}
    )
    path.settle()

    log = log_of(path, frozen).read_text()
    # It may have been frozen in the middle of a transaction, which outlives its time then.
    assert '"event": "role ends"' in log or '"event": "transaction does not end, starting over"' in log
    assert play.proof(path.scene).differences == ()


def sinks(path: Pipeline) -> dict[str, int]:
    """Process ids of the sinks that run."""
    assert path.scene.supervisor is not None
    return {label: pid for label, pid in path.scene.supervisor.pids().items() if label.startswith("sink.")}


def products_of(made: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    """Products that these requests have stored."""
    return {tuple(name) for r in made if r["path"].endswith(PRODUCTS_PATH) for name in r["identities"]}


def asked_at(path: Pipeline, name: str) -> list[dict[str, Any]]:
    """The requests in which the service was called by this name."""
    return [made for made in path.requests_made() if made["host"].partition(":")[0] == name]


def sink_has_heard(path: Pipeline) -> None:
    """The active sink has read what was written before; told by a feed that is paused for a moment."""
    log = log_of(path, active(path))
    said = log.read_text().count("feed paused")
    path.command("pause", "--feed", "CATEGORIES")
    path.wait_until("the sink has heard", lambda: log.read_text().count("feed paused") > said)
    path.command("resume", "--feed", "CATEGORIES")


def test_another_address_is_sent_nothing_before_it_is_confirmed_and_then_everything(path: Pipeline) -> None:
    """The same service by another name; an edit waits meanwhile."""
    path.settle()
    product, supervisor = path.product_ids()[8], path.scene.supervisor
    assert supervisor is not None
    url = supervisor.environment[f"{TARGET_SETTINGS}URL"]
    moved = {f"{TARGET_SETTINGS}URL": url.replace("127.0.0.1", "localhost")}
    supervisor.environment = {**supervisor.environment, **moved}
    for pid in sinks(path).values():
        os.kill(pid, signal.SIGTERM)
    path.wait_until(
        "it is noticed", lambda: "target has another address" in log_of(path, active(path)).read_text()
    )
    emitted = path.ends(["products"])
    rename(path, product, "At the new address")
    path.wait_until("the builder has written it", lambda: path.written(["products"], emitted) != [])
    sink_has_heard(path)
    unconfirmed = asked_at(path, "localhost")
    path.command("resync", "--feed", "all", "--target", TARGET, "--no-reindex", "--force")
    path.settle()

    assert unconfirmed == []
    assert products_of(asked_at(path, "localhost")) >= set(path.held())
    assert names_of(path, product) == {"At the new address"}
    assert play.proof(path.scene).differences == ()


def test_a_sink_whose_position_was_lost_compares_every_feed_and_sends_little_again(path: Pipeline) -> None:
    """As after the broker forgot the group: positions without a mark, at the beginning of each log.

    Everything was sent just before, so there is a status of every record.
    """
    path.settle()
    settings, product = path.scene.settings, path.product_ids()[7]
    wanted = consumption(settings, "sink", TARGET)
    feeds = settings.targets[TARGET].sent_feeds
    names = TopicNames(settings.kafka.topic_prefix)
    places = [TopicPartition(names.feed(feed), number, 0) for feed, number in path.ends(feeds)]
    producer = transactional_producer(settings.kafka, "test.lost", wanted.group, places[0].topic)
    process = active(path)
    before, said = len(path.requests_made()), len(log_of(path, process).read_text())
    # Nobody starts it again before the test looks after the processes.
    os.kill(sinks(path)[f"sink.{TARGET}.demo-{process}"], signal.SIGKILL)
    forget(path, wanted.group, producer, places)
    rename(path, product, "Meanwhile")
    path.settle()
    path.wait_until("everything was compared", lambda: open_reconciles(settings) == {})

    log = log_of(path, process).read_text()[said:]
    sent = products_of(path.requests_made()[before:])
    assert log.count('"reconcile needed"') == log.count('"reconcile done"') == len(feeds)
    assert names_of(path, product) == {"Meanwhile"}
    assert str(product) in {path.held()[name]["externalIds"][0]["id"] for name in sent}
    assert len(sent) < len(path.held()) / 2
    assert play.proof(path.scene).differences == ()


def forget(path: Pipeline, group: str, producer: Producer, places: list[TopicPartition]) -> None:
    """Set a group's positions beside its members, without what a sink notes at them."""
    servers = path.scene.settings.kafka.bootstrap_servers
    asker = Consumer({"bootstrap.servers": servers, "group.id": group})
    try:
        producer.begin_transaction()
        producer.send_offsets_to_transaction(places, asker.consumer_group_metadata(), ADMIN_TIMEOUT_S)
        producer.commit_transaction(ADMIN_TIMEOUT_S)
    finally:
        asker.close()
