"""Every kind of resync on the real parts: stopped, killed, of a few items, of everything anew."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import msgspec
import pytest
from background import editing
from pipeline import Pipeline, running

from commerce_sync.demo import play
from commerce_sync.local.stack import Stack
from commerce_sync.run import supervise
from commerce_sync.run.request import current_runs, request_resync
from commerce_sync.run.resync import Wish, begin_anew, carry_out
from commerce_sync.run.roles import Process
from commerce_sync.run.supervise import role_arguments
from producers.connectors import observe
from producers.connectors.connect import Connect
from producers.connectors.declare import MARIADB_CLASS
from schemas.entities import FEEDS
from schemas.records import Dirty
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PRODUCTS = 60
# Products between two kills; after all of them some are left.
FURTHER_MAX = 9
NAME = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND entity_type_id = 4)"


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests; its roles are started again soon, however often they die."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(supervise, "_RESTART_S", (0.2,))
        with running(stack, tmp_path_factory.mktemp("resync"), PRODUCTS, {}, {}) as pipeline:
            yield pipeline


def resync(path: Pipeline, wish: Wish) -> None:
    """As the command line does it, while roles that die are started again."""
    play._tended(path.scene, lambda: carry_out(path.scene.settings, wish))


# The role as ever, but for pages as small as this shop.
SMALL_PAGES = """
import sys
from commerce_sync.run.process import main
from producers.resync import stage
stage.PAGE_ENTITIES, stage.WAITING_MAX = 1, 30
sys.exit(main(sys.argv[1:]))
"""


@contextmanager
def small_pages(path: Pipeline) -> Iterator[None]:
    """The role begins anew with pages of one entity that wait for builders."""

    def arguments(process: Process, port: int, in_doubt: bool) -> list[str]:
        module = role_arguments(process, port, in_doubt)
        return ["-c", SMALL_PAGES, *module[2:]] if process.role == "resync" else module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(path.scene.supervisor, "arguments", arguments)
        path.kill("resync")
        yield
    path.kill("resync")


def skus_by_id(path: Pipeline) -> dict[int, str]:
    return {int(i): sku for i, sku in path.rows("SELECT entity_id, sku FROM catalog_product_entity")}


def killed_further_on(path: Pipeline, requested_ms: int, entities: int) -> int:
    """Kill the role that runs once a resync has come so much further; where it stands then."""

    def stands() -> int:
        run = current_runs(path.scene.settings)["product"]
        return run.entities if run.requested_ms >= requested_ms else 0

    goal = stands() + entities
    path.wait_until(f"{goal} products are enumerated", lambda: stands() >= goal)
    path.wait_until("the role runs", lambda: "resync" in " ".join(path.scene.supervisor.pids()))
    path.kill("resync")
    return stands()


def test_a_resync_that_is_stopped_and_killed_goes_on_exactly_where_it_stood(
    path: Pipeline, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGKILL at moments that nobody chose, amid edits; what no log tells of is found all the same."""
    settings, random = path.scene.settings, Random(f"{seed} resync")
    path.settle()
    before, deleted = skus_by_id(path), path.product_ids()[10]
    path.sql(
        "SET sql_log_bin = 0",
        f"UPDATE catalog_product_entity_varchar SET value = CONCAT(value, ' *') WHERE attribute_id = {NAME}",
        f"DELETE FROM catalog_product_entity WHERE entity_id = {deleted}",
    )
    with editing(path, 5, random.randrange(2**32)), small_pages(path):
        requested_ms = request_resync(settings, FEEDS, reason="killed")
        stood = [killed_further_on(path, requested_ms, random.randrange(1, FURTHER_MAX))]
        resync(path, Wish(FEEDS, stop=True))
        stood += [current_runs(settings)["product"].entities, killed_further_on(path, requested_ms, 0)]
        carry_out(settings, Wish(FEEDS, go_on=True, wait=False))
        stood += [killed_further_on(path, requested_ms, random.randrange(FURTHER_MAX)) for _ in range(2)]
        path.wait_until("it is through", lambda: current_runs(settings)["product"].state == "enumerated")
    path.settle()
    done, told = current_runs(settings)["product"], enumerated(path, "resync:killed")
    stayed = [sku for entity_id, sku in before.items() if skus_by_id(path).get(entity_id) == sku]

    assert f"product: stopped, {stood[1]} of" in capsys.readouterr().out
    assert (stood, stood[1]) == (sorted(stood), stood[2])
    assert 0 < stood[0] < stood[-1] < done.entities == told.total()
    assert {told[sku] for sku in (*stayed, before[deleted])} == {1}
    assert len(stayed) > len(before) // 2
    assert play.proof(path.scene).differences == ()


def enumerated(path: Pipeline, reason: str) -> Counter[str]:
    """How often each product was told of for this reason."""
    topic = TopicNames(path.scene.settings.kafka.topic_prefix).dirty("product", "bulk")
    return Counter(
        record.key.decode()
        for record in path.topic(topic)
        if msgspec.json.decode(record.value or b"", type=Dirty).reason == reason
    )


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
