"""Every kind of resync by its command: stopped, killed, two at once, of a few items, of everything anew."""

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
from commerce_sync.run.request import current_runs
from commerce_sync.run.roles import Process
from commerce_sync.run.supervise import role_arguments
from producers.connectors import observe
from producers.connectors.connect import Connect
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
    path: Pipeline, seed: int
) -> None:
    """SIGKILL at moments that nobody chose, amid edits; what no log tells of is found all the same."""
    settings, random = path.scene.settings, Random(f"{seed} resync")
    path.settle()
    before, deleted, told_before = skus_by_id(path), path.product_ids()[10], enumerated(path)
    path.sql(
        "SET sql_log_bin = 0",
        f"UPDATE catalog_product_entity_varchar SET value = CONCAT(value, ' *') WHERE attribute_id = {NAME}",
        f"DELETE FROM catalog_product_entity WHERE entity_id = {deleted}",
    )
    with editing(path, 5, random.randrange(2**32)), small_pages(path):
        asked = path.command("resync", "--feed", "all", "--no-wait", "--json").json()
        requested_ms = asked["requested_ms"]
        stood = [killed_further_on(path, requested_ms, random.randrange(1, FURTHER_MAX))]
        said = path.command("resync", "--feed", "all", "--stop").out
        stood += [current_runs(settings)["product"].entities, killed_further_on(path, requested_ms, 0)]
        path.command("resync", "--feed", "all", "--continue-resync", "--no-wait")
        stood += [killed_further_on(path, requested_ms, random.randrange(FURTHER_MAX)) for _ in range(2)]
        path.wait_until("it is through", lambda: current_runs(settings)["product"].state == "enumerated")
    path.settle()
    done, told = current_runs(settings)["product"], enumerated(path) - told_before
    stayed = [sku for entity_id, sku in before.items() if skus_by_id(path).get(entity_id) == sku]
    nothing_left = path.command("resync", "--feed", "all", "--continue-resync", code=1)

    assert f"product: stopped, {stood[1]} of" in said
    assert (stood, stood[1]) == (sorted(stood), stood[2])
    assert 0 < stood[0] < stood[-1] < done.entities == told.total()
    assert {sku: told[sku] for sku in stayed if told[sku] != 1} == {}
    # An edit beside it, of its category say, may have found that one first.
    assert told[before[deleted]] <= 1
    assert len(stayed) > len(before) // 2
    assert nothing_left.err.startswith("error: there is nothing to go on with")
    assert play.proof(path.scene).differences == ()


def enumerated(path: Pipeline) -> Counter[str]:
    """How often each product was told of by resyncs."""
    topic = TopicNames(path.scene.settings.kafka.topic_prefix).dirty("product", "bulk")
    return Counter(
        record.key.decode()
        for record in path.topic(topic)
        if msgspec.json.decode(record.value or b"", type=Dirty).reason == "resync"
    )


def product_items_sent(path: Pipeline, since: int) -> int:
    """Items of products in the requests behind the first `since`, deletes left out."""
    made = path.requests_made()[since:]
    return sum(request["item_count"] for request in made if request["path"].endswith("/products"))


def test_items_asked_for_by_id_are_sent_though_unchanged(path: Pipeline) -> None:
    """These, and no others; a product may be named by its id too, and an id without a product is refused."""
    path.rest()
    by_sku, by_id = path.product_ids()[3:5]
    sku, other = (skus_by_id(path)[product] for product in (by_sku, by_id))
    views = sum(1 for held_sku, _ in path.held() if held_sku in {sku, other})
    before = len(path.requests_made())
    named = ("resync", "--feed", "products", "--by-ids")

    foretold = path.command(*named, f"{sku},{other}", "--dry-run")
    refused = path.command(*named, "no-number", "--id-type", "productId", code=2)
    first = path.command(*named, sku)
    second = path.command(*named, str(by_id), "--id-type", "productId", "--json").json()

    assert foretold.out.splitlines()[0] == f"0 new, 0 changed, 0 deleted, {views} unchanged"
    assert foretold.out.splitlines()[1].startswith(f"target optimizer: {views} items in 1 requests, ")
    assert refused.err == (
        "error: --by-ids no-number: no product has this id; name a product that is gone by its SKU\n"
    )
    assert first.out.startswith("resync done: 1 entities in ")
    assert (second["feeds"], second["entities"]) == (["products"], 1)
    assert product_items_sent(path, before) == views


def test_of_two_at_once_the_second_joins_waits_or_is_refused_and_each_item_goes_once(path: Pipeline) -> None:
    """A cleanup takes the place of a plain resync; another cleanup may not; what is plain waits for its end.

    The cleanup is for a target that was emptied: everything goes again, and operators are warned.
    """
    path.rest()
    items, before = len(path.held()), len(path.requests_made())
    words = ("resync", "--feed", "products")

    def runs(cleanup: bool) -> bool:
        run = current_runs(path.scene.settings)["product"]
        return run.state == "running" and run.cleanup == cleanup

    # Its pages wait for builders, so it cannot end meanwhile.
    with small_pages(path), path.frozen("builder"):
        path.command(*words, "--no-wait")
        path.wait_until("one runs", lambda: runs(cleanup=False))
        joined = path.command(*words, "--cleanup-feed", "--no-wait").err.splitlines()
        path.wait_until("the cleanup runs", lambda: runs(cleanup=True))
        refused = path.command(*words, "--cleanup-feed", "--no-wait", code=1).err
        queued = path.command(*words, "--no-wait").err
    path.command(*words)
    sent = product_items_sent(path, before)
    made = len(path.requests_made())
    path.command(*words)

    assert "Deletions that did not reach a target yet are lost" in joined[0]
    assert joined[1].startswith("product: joins, once around, a resync that has enumerated ")
    assert refused == (
        "error: a resync --cleanup-feed of products is under way: wait for its end, or end it with "
        "'commerce-sync resync --feed products --stop'\n"
    )
    assert queued.startswith("product: waits for the end of a resync that has enumerated ")
    assert sent == items
    assert len(path.requests_made()) == made
    assert play.proof(path.scene).differences == ()


def test_a_dry_run_says_what_would_be_sent_and_sends_nothing(path: Pipeline) -> None:
    """Of changes that the router has not seen yet; afterwards exactly these arrive."""
    path.rest()
    renamed, deleted = path.product_ids()[8:10]
    skus, held = skus_by_id(path), path.held()
    before, ends = len(path.requests_made()), path.ends(FEEDS)
    with path.frozen("router"):
        path.sql(
            f"UPDATE catalog_product_entity_varchar SET value = 'Dry' WHERE entity_id = {renamed}"
            f" AND attribute_id = {NAME}",
            f"DELETE FROM catalog_product_entity WHERE entity_id = {deleted}",
        )
        told = path.command("resync", "--feed", "products", "--dry-run", "--json").json()
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
    others = [item for item in told["items"] if item["key"]["sku"] != skus[min(skus)]]
    predicted = told["targets"]["optimizer"]["items"]
    assert 0 < predicted - (len(told["items"]) - len(others)) <= len(arrived) <= predicted
    assert nothing == (0, True)


def test_what_a_connector_without_its_offsets_missed_is_noticed_and_healed_by_re_seed(
    path: Pipeline,
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

    said = path.command("re-seed")
    path.settle()

    assert fine.health == "streaming"
    assert (blind.health, blind.detail[:22]) == ("blind", "capture began anew at ")
    assert "some time" not in blind.detail
    assert missed != ()
    assert said.err.startswith("changes since ")
    assert said.out.startswith("resync done: ")
    assert observe.status(settings).health == "streaming"
    assert play.proof(path.scene).differences == ()
