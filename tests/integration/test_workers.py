"""Four builders at once: joining, leaving, killed, frozen past their session and thawed again."""

import os
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pytest
from pipeline import Pipeline, running

from commerce_sync.demo import play
from commerce_sync.local.stack import Stack
from commerce_sync.run.request import request_resync
from commerce_sync.run.roles import Process
from runtime.kafka import admin_client, producer, reader, transactional_producer
from runtime.lag import behind, ends
from schemas.keys import canonical_json, partition_for
from schemas.records import Dirty
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

BUILDERS = 4
JOINING = 3


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """A pipeline with a builder a partition."""
    with running(stack, tmp_path_factory.mktemp("workers"), 100, {}, {"builder": BUILDERS}) as pipeline:
        yield pipeline


def logs(path: Pipeline) -> list[Path]:
    return [path.scene.log_dir / "roles" / f"builder.demo-{n}.log" for n in range(BUILDERS)]


def held(log: Path) -> tuple[set[str], set[str]]:
    """Partitions of the live and of the bulk lane that a builder was assigned last."""
    lines = [line for line in log.read_text().splitlines() if "partitions assigned" in line]
    parts = lines[-1].split('"') if lines else []
    live = {part.split("[")[1] for part in parts if ".dirty.product[" in part}
    bulk = {part.split("[")[1] for part in parts if ".dirty.product.bulk[" in part}
    return live, bulk


def test_four_builders_share_the_partitions_and_each_holds_both_lanes(path: Pipeline) -> None:
    """10: range gives partition n of every lane to one worker, cooperative assignors split 8 of 12 pairs."""
    share = path.scene.settings.kafka.partitions // BUILDERS
    path.wait_until("all have partitions", lambda: all(len(held(log)[0]) == share for log in logs(path)))

    shares = [held(log) for log in logs(path)]
    assert all(live == bulk for live, bulk in shares)
    assert len(set().union(*(live for live, _ in shares))) == path.scene.settings.kafka.partitions


def test_a_killed_builder_comes_back_and_the_others_go_on(path: Pipeline) -> None:
    """9: SIGKILL during edits and a resync; its partitions are taken back with the index as it was left."""
    traffic = play._traffic(path.scene, 40, 23)
    traffic.start()
    request_resync(path.scene.settings, ("products",))
    path.wait_until("edits are made", lambda: traffic.progress.edits >= 20)
    seen = [log.read_text().count("index loaded") for log in logs(path)]
    path.kill("builder")
    path.wait_until(
        "it has loaded its index again", lambda: logs(path)[0].read_text().count("index loaded") > seen[0]
    )
    path.wait_until("more edits are made", lambda: traffic.progress.edits >= 60)
    traffic.stop()
    path.settle()

    assert play.proof(path.scene).differences == ()


def test_a_frozen_builder_that_thaws_writes_nothing_old(path: Pipeline) -> None:
    """SIGSTOP past the session, another takes over, SIGCONT: the frozen one is fenced and starts afresh."""
    frozen = path.send("builder", signal.SIGSTOP)
    try:
        traffic = play._traffic(path.scene, 20, 21)
        traffic.start()
        request_resync(path.scene.settings, ("products",))
        taken = held(logs(path)[0])[0]
        path.wait_until(
            "another builder has taken over", lambda: any(taken <= held(log)[0] for log in logs(path)[1:])
        )
        path.wait_until("edits go on", lambda: traffic.progress.edits >= 200)
    finally:
        os.kill(frozen, signal.SIGCONT)
    traffic.stop()
    path.settle()

    assert play.proof(path.scene).differences == ()


def test_a_builder_that_leaves_hands_over(path: Pipeline) -> None:
    """SIGTERM drains one; its restart or the other goes on without a gap."""
    traffic = play._traffic(path.scene, 40, 22)
    traffic.start()
    path.wait_until("edits are made", lambda: traffic.progress.edits >= 20)
    path.send("builder", signal.SIGTERM)
    path.wait_until("more edits are made", lambda: traffic.progress.edits >= 100)
    traffic.stop()
    path.settle()

    assert play.proof(path.scene).differences == ()


def test_an_index_that_a_torn_transaction_left_wrong_is_corrected_by_the_feed(path: Pipeline) -> None:
    """An index that says "emitted" beside a feed that lacks it: the check makes the entity dirty."""
    settings = path.scene.settings
    names = TopicNames(settings.kafka.topic_prefix)
    path.settle()
    # Not the first product: settling gives that one new names.
    later = [identity for identity, item in path.held().items() if int(item["externalIds"][0]["id"]) > 20]
    sku, view = min(later)
    partition = partition_for(sku.encode(), settings.kafka.partitions)
    key = canonical_json({"sku": sku, "storeViewCode": view})
    client = producer(settings.kafka, "test.torn")
    client.produce(names.feed("products"), key=key, value=None, partition=partition)
    client.flush(10)
    path.settle()
    gone = (sku, view) not in path.held()

    # What the supervisor does after an exit that says "in doubt".
    for child in path.scene.supervisor._children:
        if child.process.role == "builder":
            child.running.kill()
            child.running.wait()
            child.running = path.scene.supervisor._spawn(child.process, child.port, in_doubt=True)
    path.wait_until("the item is back", lambda: (sku, view) in path.held())
    path.settle()

    assert gone
    assert play.proof(path.scene).differences == ()


def test_a_builder_begins_behind_what_its_predecessor_wrote_last(path: Pipeline) -> None:
    """9: that transaction is decided already, but not yet on the index; the others do not wait for it."""
    settings = path.scene.settings
    names = TopicNames(settings.kafka.topic_prefix)
    supervisor = path.scene.supervisor
    owner = next(n for n, log in enumerate(logs(path)) if "0]" in held(log)[0])
    other = (owner + 1) % BUILDERS
    client = transactional_producer(settings.kafka, "test.open", "test.open", names.index("product"))
    client.begin_transaction()
    client.produce(names.index("product"), key=b"nobody", value=None, partition=0)
    client.flush(10)
    seen = [log.read_text().count("partitions assigned") for log in logs(path)]

    def begun(number: int) -> bool:
        return logs(path)[number].read_text().count("partitions assigned") > seen[number]

    for number in (owner, other):
        supervisor.restart([f"builder.demo-{number}"])
    path.wait_until("the other has begun", lambda: begun(other))
    waits = not begun(owner)
    client.abort_transaction(10)
    path.wait_until("the owner has begun", lambda: begun(owner))

    assert waits


def test_a_live_edit_passes_the_bulk_work_that_waits(path: Pipeline) -> None:
    """60,000 entities wait in the bulk lane; an edit is at the target while thousands of them still wait."""
    queue_bulk_work(path, [f"nobody-{number}" for number in range(60_000)])
    product = path.product_ids()[20]
    path.sql(f"UPDATE catalog_product_entity SET sku = 'live-first' WHERE entity_id = {product}")
    path.wait_until("the edit is at the target", lambda: any(s == "live-first" for s, _ in path.held()))
    waiting = bulk_work_left(path)
    path.settle()

    assert waiting > 2_000
    assert play.proof(path.scene).differences == ()


def test_bulk_work_goes_on_when_builders_join(path: Pipeline) -> None:
    """A rebalance meets the bulk lane paused half of the time; what a builder keeps was then never read on.

    Seen: two builders started beside a first sync, and half of it waited for ever.
    """
    skus = sorted({sku for sku, _ in path.held()})
    queue_bulk_work(path, skus * 2_000)
    for number in range(JOINING):
        seen = [log.read_text().count("partitions assigned") for log in logs(path)]
        path.scene.supervisor.start([Process("builder", f"joins-{number}")])
        path.wait_until("the group has made room for it", lambda seen=seen: assigned_since(path, seen))
    under_way = bulk_work_left(path)

    path.settle()

    assert under_way > 0
    assert bulk_work_left(path) == 0


def assigned_since(path: Pipeline, seen: list[int]) -> bool:
    """Every builder was assigned partitions once more."""
    counts = [log.read_text().count("partitions assigned") for log in logs(path)]
    return all(count > before for count, before in zip(counts, seen, strict=True))


def queue_bulk_work(path: Pipeline, skus: Sequence[str]) -> None:
    """Products to be built in bulk."""
    settings = path.scene.settings
    bulk = TopicNames(settings.kafka.topic_prefix).dirty("product", "bulk")
    value = msgspec.json.encode(Dirty(reason="test"))
    client = producer(settings.kafka, "test.bulk")
    for sku in skus:
        key = sku.encode()
        client.produce(bulk, key=key, value=value, partition=partition_for(key, settings.kafka.partitions))
    client.flush(30)


def bulk_work_left(path: Pipeline) -> int:
    settings = path.scene.settings
    names = TopicNames(settings.kafka.topic_prefix)
    asker = reader(settings.kafka, "test.bulk")
    try:
        places = [(names.dirty("product", "bulk"), number) for number in range(settings.kafka.partitions)]
        return behind(admin_client(settings.kafka), names.group("builder"), ends(asker, places))
    finally:
        asker.close()
