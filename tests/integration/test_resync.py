"""Every kind of resync on the real parts: stopped, killed, of a few items, of everything anew."""

import json
from collections.abc import Iterator

import msgspec
import pytest
from background import editing
from pipeline import Pipeline, running

from commerce_sync.demo import play
from commerce_sync.local.stack import Stack
from commerce_sync.run.request import current_runs
from commerce_sync.run.resync import Wish, begin_anew, carry_out
from producers.connectors import observe
from producers.connectors.connect import Connect
from producers.connectors.declare import MARIADB_CLASS
from producers.resync.stage import WAITING_MAX
from runtime.kafka import producer
from schemas.entities import FEEDS
from schemas.keys import partition_for
from schemas.records import Dirty
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PRODUCTS = 60
NAME = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND entity_type_id = 4)"


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests."""
    with running(stack, tmp_path_factory.mktemp("resync"), PRODUCTS, {}, {}) as pipeline:
        yield pipeline


def resync(path: Pipeline, wish: Wish) -> None:
    """As the command line does it, while roles that die are started again."""
    play._tended(path.scene, lambda: carry_out(path.scene.settings, wish))


def test_a_stopped_resync_goes_on_where_it_stood_also_after_a_kill(
    path: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    """Builders are behind, so it waits and can be stopped; edits flow all the while; the end is equal."""
    settings = path.scene.settings
    wish = Wish(("products",), wait=False)
    with editing(path, 5, 5):
        path.kill("builder")
        _fall_behind(path)
        carry_out(settings, wish)
        carry_out(settings, Wish(("products",), stop=True))
        stopped = current_runs(settings)["product"]
        path.kill("resync")
        # The builder too is started again from here on.
        resync(path, Wish(("products",), go_on=True))
        done = current_runs(settings)["product"]
    path.settle()

    assert (stopped.state, stopped.entities) == ("stopped", 0)
    assert (done.state, done.entities >= PRODUCTS // 2) == ("enumerated", True)
    assert "product: stopped, 0 of" in capsys.readouterr().out
    assert play.proof(path.scene).differences == ()


def _fall_behind(path: Pipeline) -> None:
    """More bulk work than a resync adds to, all of it of one product."""
    settings = path.scene.settings
    sku = next(sku for sku, _ in path.held()).encode()
    client = producer(settings.kafka, "test.behind")
    topic = TopicNames(settings.kafka.topic_prefix).dirty("product", "bulk")
    value = msgspec.json.encode(Dirty("test"))
    for _ in range(WAITING_MAX + 1):
        client.produce(topic, value, sku, partition=partition_for(sku, settings.kafka.partitions))
        client.poll(0)
    assert client.flush(20) == 0


def test_items_asked_for_by_id_are_sent_though_unchanged(path: Pipeline) -> None:
    """These, and no others; a product may be named by its id too."""
    path.settle()
    by_sku, by_id = path.product_ids()[3:5]
    ((sku,), (other,)) = path.rows(
        f"SELECT sku FROM catalog_product_entity WHERE entity_id IN ({by_sku}, {by_id}) ORDER BY entity_id"
    )
    views = sum(1 for held_sku, _ in path.held() if held_sku in {sku, other})
    before = len(path.requests_made())

    resync(path, Wish(("products",), ids=(sku,)))
    resync(path, Wish(("products",), ids=(str(by_id),), id_type="productId"))

    sent = [r for r in path.requests_made()[before:] if r["path"].endswith("/products")]
    assert sum(request["item_count"] for request in sent) == views


def test_a_cleanup_sends_everything_again_and_nothing_is_sent_by_the_next(
    path: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    """For a target that was emptied: it holds everything afterwards, and operators were warned."""
    path.settle()
    items = len(path.held())
    before = len(path.requests_made())

    resync(path, Wish(("products",), cleanup=True))
    sent = path.requests_made()[before:]
    resync(path, Wish(("products",)))

    assert sum(r["item_count"] for r in sent if r["path"].endswith("/products")) == items
    assert len(path.requests_made()) == before + len(sent)
    assert "Deletions that did not reach a target yet are lost" in capsys.readouterr().err
    assert play.proof(path.scene).differences == ()


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(
    path: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of changes that the router has not seen yet; afterwards exactly these arrive."""
    path.settle()
    capsys.readouterr()
    renamed, deleted = path.product_ids()[8:10]
    skus = {int(i): sku for i, sku in path.rows("SELECT entity_id, sku FROM catalog_product_entity")}
    held = path.held()
    before, ends = len(path.requests_made()), path.ends(FEEDS)
    path.kill("router")
    path.sql(
        f"UPDATE catalog_product_entity_varchar SET value = 'Dry' WHERE entity_id = {renamed}"
        f" AND attribute_id = {NAME}",
        f"DELETE FROM catalog_product_entity WHERE entity_id = {deleted}",
    )
    carry_out(path.scene.settings, Wish(("products",), dry_run=True, as_json=True))
    told = json.loads(capsys.readouterr().out)
    nothing = len(path.requests_made()) - before, path.ends(FEEDS) == ends
    path.settle()

    found = {(item["kind"], item["key"]["sku"]) for item in told["items"]}
    assert {("changed", skus[renamed]), ("deleted", skus[deleted])} <= found
    assert {item["changes"]["name"][1] for item in told["items"] if item["key"]["sku"] == skus[renamed]} == {
        "Dry"
    }
    assert told["counts"]["unchanged"] + len(told["items"]) == len(held)
    # Settling gives the first product new names; of a product in a change's wake not all members are sent.
    arrived = [
        identity
        for request in path.requests_made()[before:]
        if request["path"].endswith(("/catalog/products", "/catalog/products/delete"))
        for identity in request["identities"]
        if skus[min(skus)] not in str(identity)
    ]
    assert told["targets"]["optimizer"]["items"] == len(arrived) > 0
    assert nothing == (0, True)


def test_what_a_connector_without_its_offsets_missed_is_noticed_and_healed_by_re_seed(
    path: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    """Connect says RUNNING and the heart beats; an edit and a delete were never seen."""
    settings = path.scene.settings
    name = settings.capture.connector
    connect = Connect(settings.capture.connect_url)
    edited, deleted = path.product_ids()[6:8]
    fine = observe.status(settings)
    connect.stop(name)
    connect.delete_offsets(name)
    path.sql(
        f"UPDATE catalog_product_entity SET sku = 'unseen' WHERE entity_id = {edited}",
        f"DELETE FROM catalog_product_entity WHERE entity_id = {deleted}",
    )
    connect.resume(name)
    path.wait_until("the gap is noticed", lambda: observe.status(settings).health == "blind")
    blind = observe.status(settings)
    path.settle()
    missed = play.proof(path.scene).differences

    play._tended(path.scene, lambda: begin_anew(settings, MARIADB_CLASS, Wish(FEEDS)))
    path.settle()

    assert fine.health == "streaming"
    assert (blind.health, blind.detail[:22]) == ("blind", "capture began anew at ")
    assert "some time" not in blind.detail
    assert missed != ()
    assert "changes since " in capsys.readouterr().err
    assert observe.status(settings).health == "streaming"
    assert play.proof(path.scene).differences == ()
