"""What went wrong behind the pipeline's back is found and mended, on the real parts."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from pipeline import Pipeline, running

from commerce_sync.demo.scene import TARGET
from commerce_sync.local.stack import Stack
from commerce_sync.proof.audit import Result
from commerce_sync.proof.fresh import fresh_items
from commerce_sync.proof.open import opened
from commerce_sync.proof.repair import Repair
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.submit import Submitter
from producers.connectors.connect import Connect
from producers.connectors.observe import last_heartbeat_s
from runtime.kafka import producer
from schemas.entities import FEEDS
from schemas.keys import canonical_json, partition_for
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PRODUCTS = 20
NAME = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND entity_type_id = 4)"


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests."""
    with running(stack, tmp_path_factory.mktemp("audit"), PRODUCTS, {}, {}) as pipeline:
        pipeline.settle()
        yield pipeline


def audited(path: Pipeline, *, repair: bool = False) -> tuple[Result, Result | None]:
    """What an audit of everything finds, and what a repair leaves of it."""
    with opened(path.scene.settings, FEEDS, [TARGET]) as audit:
        found = audit.run()
        return found, Repair(path.scene.settings, audit).run(found.findings) if repair else None


def found_in(result: Result) -> set[tuple[str, str, str, str]]:
    """(kind, stage, SKU, store view) of products that differ."""
    keys = [(finding, msgspec.json.decode(finding.key)) for finding in result.findings]
    return {(each.kind, each.stage, key["sku"], key["storeViewCode"]) for each, key in keys}


def behind_our_back(path: Pipeline, operation: str, *items: dict[str, Any]) -> None:
    target = path.scene.settings.targets[TARGET]
    answer = Submitter(target, "somebody").post(
        OptimizerDialect().path("products", operation), canonical_json(items)
    )
    assert answer.status == 200, answer.body


def miss(path: Pipeline, statement: str) -> None:
    """Run it while the connector is stopped, and let the connector go on behind it."""
    settings = path.scene.settings
    names = TopicNames(settings.kafka.topic_prefix)
    connect, name = Connect(settings.capture.connect_url), settings.capture.connector
    connect.stop(name)
    path.sql(statement)
    connect.delete_offsets(name)
    before = last_heartbeat_s(settings.kafka, names) or 0.0
    connect.resume(name)
    path.wait_until("it streams again", lambda: (last_heartbeat_s(settings.kafka, names) or 0.0) > before)


def test_a_quiet_pipeline_is_equal(path: Pipeline) -> None:
    """Every item of every feed is compared, and of the products also at the target."""
    found, _ = audited(path)

    assert (found.findings, found.late, found.beyond) == ([], Counter(), 0)
    assert found.items == len(fresh_items(path.scene.settings.commerce))
    assert found.entities > PRODUCTS


def test_each_difference_is_found_at_its_stage_and_mended_with_no_request_too_many(path: Pipeline) -> None:
    """Removed, altered, left over at the service; an edit nobody saw; a feed record that nobody emitted."""
    held = path.held()
    removed, altered, missed, torn = sorted({sku for sku, view in held if view == "default"})[3:7]
    names = TopicNames(path.scene.settings.kafka.topic_prefix)
    missed_views = {view for sku, view in held if sku == missed}
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
    miss(
        path,
        "INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value)"
        f" VALUES ({NAME}, 0, {missed_id}, 'Missed') ON DUPLICATE KEY UPDATE value = 'Missed'",
    )
    requests = len(path.requests_made())

    found, left = audited(path, repair=True)
    sent = path.requests_made()[requests:]
    again, _ = audited(path)

    missed_items = {("stale", "feed topic", missed, view) for view in missed_views}
    assert found_in(found) - missed_items == {
        ("missing", TARGET, removed, "default"),
        ("stale", TARGET, altered, "default"),
        ("left over", TARGET, "ghost", "default"),
        ("missing", "feed topic", torn, "default"),
    }
    # A store view with a name of its own did not change.
    assert ("stale", "feed topic", missed, "default") in found_in(found)
    assert left is not None
    assert (left.findings, left.late) == ([], Counter())
    items = Counter(
        (*identity, request["path"].rpartition("/")[2])
        for request in sent
        for identity in request["identities"]
    )
    assert items == Counter(
        {(sku, view, "delete" if sku == "ghost" else "products"): 1 for _, _, sku, view in found_in(found)}
    )
    assert again.equal
    assert path.held()[missed, "default"]["name"] == "Missed"
