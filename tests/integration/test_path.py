"""A row change in the database reaches the service, on the real parts: nothing lost, stale or sent twice."""

from collections.abc import Iterator

import msgspec
import pytest
from pipeline import Pipeline, running

from commerce_sync.bench.ports import free_ports
from commerce_sync.demo import play
from commerce_sync.demo.scene import TARGET
from commerce_sync.local.stack import Stack
from commerce_sync.run.request import request_resync

pytestmark = pytest.mark.stack

PRODUCTS = 60
NAME = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND entity_type_id = 4)"


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests."""
    guard = {"COMMERCE_SYNC__BUILDER__DELETE_GUARD_PERCENT": "10"}
    with running(stack, tmp_path_factory.mktemp("path"), PRODUCTS, guard, {}, free_ports()) as pipeline:
        yield pipeline


def test_an_edit_reaches_the_service(path: Pipeline) -> None:
    """Rename, new SKU, delete, and a website taken away: each is what the target then holds."""
    # Edits ran beside the first sync, so what is there now is asked for. The first product is left out:
    # settling gives that one new names.
    named, moved, deleted, unassigned = path.product_ids()[1:5]
    path.sql(
        f"UPDATE catalog_product_entity_varchar SET value = 'Seen' WHERE entity_id = {named}"
        f" AND attribute_id = {NAME}",
        f"UPDATE catalog_product_entity SET sku = 'renamed-3' WHERE entity_id = {moved}",
        f"DELETE FROM catalog_product_entity WHERE entity_id = {deleted}",
        f"DELETE FROM catalog_product_website WHERE product_id = {unassigned}",
    )
    path.settle()

    by_id = {int(item["externalIds"][0]["id"]): item for item in path.held().values()}
    assert play.proof(path.scene).differences == ()
    assert by_id[named]["name"] == "Seen"
    assert by_id[moved]["sku"] == "renamed-3"
    assert deleted not in by_id
    assert unassigned not in by_id


def test_every_stage_tells_what_it_did_and_that_nothing_is_left(path: Pipeline) -> None:
    """An edit shows in the metrics of each stage on its way; at rest nothing lags and nothing fails."""
    product = path.product_ids()[4]
    path.rest()
    before = _counted(path)
    path.sql(
        f"UPDATE catalog_product_entity_varchar SET value = 'Counted' WHERE entity_id = {product}"
        f" AND attribute_id = {NAME}"
    )
    path.settle()
    views = sum(item["name"] == "Counted" for item in path.held().values())

    def lag() -> dict[tuple[str, ...], float]:
        return path.metric("commerce_sync_lag_records", "stage")

    path.wait_until("no stage lags", lambda: not any(lag().values()))

    grown = {name: more - before[name] for name, more in _counted(path).items()}
    assert views > 0
    assert {name: more >= views for name, more in grown.items()} == dict.fromkeys(before, True)
    assert set(lag()) >= {("router",), ("builder",), ("sink",), ("ledger",)}
    assert set(lag()) <= set(path.metric("commerce_sync_records_total", "stage"))
    assert {seconds < 60 for seconds in path.metric("commerce_sync_lag_seconds", "stage").values()} == {True}
    assert set(path.metric("commerce_sync_dead_letters", "feed", "class").values()) == {0}


def _counted(path: Pipeline) -> dict[str, float]:
    """Items of `products`: emitted as live edits, delivered, and with a known age then."""
    emitted = path.metric("commerce_sync_items_emitted_total", "feed", "lane", "outcome")
    settled = path.metric("commerce_sync_items_total", "feed", "outcome")
    fresh = path.metric("commerce_sync_freshness_seconds_count", "feed", "lane")
    return {
        "changed": emitted["products", "live", "changed"],
        "delivered": settled["products", "delivered"],
        "fresh": fresh["products", "live"],
    }


def test_a_sku_that_changes_only_its_case_leaves_one_item_a_view(path: Pipeline) -> None:
    """The column compares without case, the target with it: old spelling deleted, new one there."""
    product = path.product_ids()[5]
    path.sql(f"UPDATE catalog_product_entity SET sku = 'CASE-6' WHERE entity_id = {product}")
    path.settle()
    path.sql(f"UPDATE catalog_product_entity SET sku = 'case-6' WHERE entity_id = {product}")
    path.settle()

    assert play.proof(path.scene).differences == ()
    assert {sku for sku, _ in path.held() if sku.lower() == "case-6"} == {"case-6"}


def test_two_products_swap_their_skus_in_one_transaction(path: Pipeline) -> None:
    """Each target identity ends with the product that has its SKU now."""
    one, other = path.product_ids()[6:8]
    path.sql(
        f"UPDATE catalog_product_entity SET sku = 'swap-temporary' WHERE entity_id = {one}",
        f"UPDATE catalog_product_entity SET sku = 'swap-a' WHERE entity_id = {other}",
        f"UPDATE catalog_product_entity SET sku = 'swap-b' WHERE entity_id = {one}",
    )
    path.settle()
    path.sql(
        f"UPDATE catalog_product_entity SET sku = 'swap-temporary' WHERE entity_id = {one}",
        f"UPDATE catalog_product_entity SET sku = 'swap-b' WHERE entity_id = {other}",
        f"UPDATE catalog_product_entity SET sku = 'swap-a' WHERE entity_id = {one}",
    )
    path.settle()

    ids = {sku: item["externalIds"][0]["id"] for (sku, _), item in path.held().items() if "swap" in sku}
    assert ids == {"swap-a": str(one), "swap-b": str(other)}
    assert play.proof(path.scene).differences == ()


def test_a_resync_of_an_unchanged_catalog_sends_nothing(path: Pipeline) -> None:
    """Every entity is built, none differs from what was emitted."""
    path.rest()
    before = len(path.requests_made())

    done = path.command("resync", "--feed", "Products", "--json").json()

    # The edits beside the first sync have deleted some and made others.
    assert done["entities"] > PRODUCTS // 2
    assert done["feeds"] == ["products"]
    assert len(path.requests_made()) == before


def test_a_refused_item_is_parked_and_its_neighbours_are_delivered(path: Pipeline) -> None:
    """One bad item of a batch waits for attention with the service's words; an edit releases it."""
    # Not the first product: settling gives that one new names.
    skus = sorted({sku for (sku, _), item in path.held().items() if int(item["externalIds"][0]["id"]) > 20})[
        :3
    ]
    rename = (
        "UPDATE catalog_product_entity_varchar v JOIN catalog_product_entity p ON p.entity_id = v.entity_id"
        f" SET v.value = CONCAT(v.value, '!') WHERE v.attribute_id = {NAME} AND p.sku IN "
        f"({', '.join(repr(sku) for sku in skus)})"
    )
    path.put_faults({"match": {"path": "/v1/catalog/products", "sku": skus[1]}, "do": {"invalid": True}})
    path.sql(rename)
    path.settle()
    parked = path.dead_letters(TARGET, "products")
    good = [item["name"] for (sku, _), item in path.held().items() if sku in (skus[0], skus[2])]
    path.clear_faults()
    path.sql(rename)
    path.settle()

    assert parked
    assert {msgspec.json.decode(key)["sku"] for key in parked} == {skus[1]}
    assert {letter.kind for letter in parked.values()} == {"attention"}
    assert good
    assert all(name.endswith("!") for name in good)
    assert path.dead_letters(TARGET, "products") == {}
    assert play.proof(path.scene).differences == ()


def test_a_product_without_values_is_parked_and_the_others_go_on(path: Pipeline) -> None:
    """A row that breaks a rule costs nobody else's update; its reason can be read."""
    path.sql(
        "INSERT INTO catalog_product_entity (entity_id, attribute_set_id, type_id, sku)"
        " VALUES (900001, 4, 'simple', 'broken-1')",
        "INSERT INTO catalog_product_website (product_id, website_id) VALUES (900001, 1)",
        f"UPDATE catalog_product_entity_varchar SET value = 'Neighbour' WHERE entity_id = 9"
        f" AND attribute_id = {NAME} AND store_id = 0",
    )
    path.settle()
    parked = path.dead_letters("builder")
    path.sql("DELETE FROM catalog_product_entity WHERE entity_id = 900001")
    path.settle()

    assert [msgspec.json.decode(key)["key"] for key in parked] == ["broken-1"]
    assert "status" in next(iter(parked.values())).error
    assert path.dead_letters("builder") == {}
    assert play.proof(path.scene).differences == ()


@pytest.mark.parametrize("drop", ["before", "after"])
def test_a_lost_answer_is_sent_again_and_ends_right(path: Pipeline, drop: str) -> None:
    """The connection dies before or after the service stored the batch: the end is the same."""
    product = path.product_ids()[9]
    path.put_faults({"match": {"path": "/v1/catalog/products"}, "do": {"drop": drop}, "count": 2})
    path.sql(
        f"UPDATE catalog_product_entity_varchar SET value = 'Answer {drop}' WHERE entity_id = {product}"
        f" AND attribute_id = {NAME}"
    )
    path.settle()
    path.clear_faults()

    names = {i["name"] for i in path.held().values() if i["externalIds"][0]["id"] == str(product)}
    assert names == {f"Answer {drop}"}
    assert play.proof(path.scene).differences == ()


def test_an_outage_of_the_service_is_waited_out(path: Pipeline) -> None:
    """503 for every request: nothing is parked, everything arrives when it is back."""
    path.put_faults({"match": {"path": "/v1/catalog/*"}, "do": {"status": 503}})
    before = len(path.requests_made())
    path.sql(
        f"UPDATE catalog_product_entity_varchar SET value = 'Late' WHERE entity_id = {path.product_ids()[10]}"
        f" AND attribute_id = {NAME}"
    )
    path.wait_until("the sink has tried twice", lambda: len(path.requests_made()) >= before + 2)
    parked = path.dead_letters(TARGET, "products")
    path.clear_faults()
    path.settle()

    assert parked == {}
    assert play.proof(path.scene).differences == ()


def test_the_ledger_tells_what_became_of_every_item(path: Pipeline) -> None:
    """As many as the target holds; payloads as sent; a refused item with the service's reason."""
    product = path.product_ids()[12]
    path.put_faults({"match": {"path": "/v1/catalog/products", "sku": "ledger-1"}, "do": {"invalid": True}})
    path.sql(f"UPDATE catalog_product_entity SET sku = 'ledger-1' WHERE entity_id = {product}")
    path.settle()
    refused = path.ledger()
    told = path.command("items", "--feed", "products", "--status", "attention", "--json").json()
    path.clear_faults()
    path.sql(
        f"UPDATE catalog_product_entity SET sku = 'ledger-2' WHERE entity_id = {product}",
        f"UPDATE catalog_product_entity_varchar SET value = 'Told' WHERE entity_id = {product}"
        f" AND attribute_id = {NAME}",
    )
    path.settle()
    feed = path.ledger()
    shown = path.command("items", "show", "ledger-2", "--feed", "products", "--json").json()["items"]

    assert (refused.state, refused.failed_attention) == ("Failed", len(told["items"]))
    assert {item["sku"] for item in told["items"]} == {"ledger-1"}
    assert all(item["error"] for item in told["items"])
    held = path.held()
    assert (feed.state, feed.source_records, feed.sent, feed.waiting) == ("Success", len(held), len(held), 0)
    assert feed.last_3_hours >= len(held)
    assert all(item["as_sent"] and item["request_id"] for item in shown)
    assert {(i["payload"]["sku"], i["payload"]["source"]["locale"]): i["payload"]["name"] for i in shown} == {
        key: item["name"] for key, item in held.items() if key[0] == "ledger-2"
    }


@pytest.mark.parametrize("role", ["router", "builder", "sink", "resync", "ledger"])
def test_a_killed_role_loses_nothing(path: Pipeline, role: str) -> None:
    """SIGKILL in the middle of edits and a resync: started again, the target ends equal."""
    pids = path.scene.supervisor.pids()
    traffic = play._traffic(path.scene, 40, 11)
    traffic.start()
    request_resync(path.scene.settings, ("products",))
    path.wait_until("some edits are made", lambda: traffic.progress.edits >= 20)
    path.kill(role)
    path.wait_until("more edits are made", lambda: traffic.progress.edits >= 60)
    traffic.stop()
    path.settle()

    after = path.scene.supervisor.pids()
    assert [label for label in pids if after.get(label) != pids[label]] == [
        label for label in pids if label.split(".")[0] == role
    ]
    assert play.proof(path.scene).differences == ()
    assert path.ledger().sent == len(path.held())


def test_an_emptied_database_does_not_empty_the_storefront(path: Pipeline) -> None:
    """Past 100 deletes the builder stops and says why; an operator's word lets them go."""
    path.settle()
    before = len(path.held())
    path.sql("DELETE FROM catalog_product_entity")
    log = path.scene.log_dir / "roles" / "builder.demo-0.log"
    path.wait_until("the builder says why it stops", lambda: "delete_guard_percent" in log.read_text())
    kept = len(path.held())
    path.command("resync", "--feed", "products", "--allow-deletes", "--no-wait")
    path.wait_until("the target is empty", lambda: not path.held())

    assert before > 100
    assert kept >= before - 100
