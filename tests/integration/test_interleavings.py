"""Interleavings that can be provoked on the real parts, on one running pipeline."""

import os
import signal
from collections.abc import Iterator

import pytest
from pipeline import Pipeline, running

from commerce_sync.demo import play
from commerce_sync.local.stack import Stack
from commerce_sync.run.quiet import await_resync
from commerce_sync.run.request import request_resync
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PRODUCTS = 60
NAME = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = 'name' AND entity_type_id = 4)"


@pytest.fixture(scope="module")
def path(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests."""
    with running(stack, tmp_path_factory.mktemp("interleavings"), PRODUCTS, {}, {}) as pipeline:
        yield pipeline


def names(path: Pipeline) -> TopicNames:
    return TopicNames(path.scene.settings.kafka.topic_prefix)


def sku_of(path: Pipeline, product_id: int) -> str:
    ((sku,),) = path.rows(f"SELECT sku FROM catalog_product_entity WHERE entity_id = {product_id}")
    return str(sku)


def test_an_edit_that_a_resync_read_first_is_emitted_again_as_live(path: Pipeline) -> None:
    """2: the router stands still while a resync builds the new row; then the edit's own record comes."""
    path.settle()
    product = path.product_ids()[3]
    sku = sku_of(path, product)
    before = len(path.emitted(sku))
    frozen = path.send("router", signal.SIGSTOP)
    try:
        path.sql(
            f"UPDATE catalog_product_entity_varchar SET value = 'Read first' WHERE entity_id = {product}"
            f" AND attribute_id = {NAME} AND store_id = 0"
        )
        requested_ms = request_resync(path.scene.settings, ("products",))
        await_resync(path.scene.settings, requested_ms, 60, lambda *_: None)
    finally:
        os.kill(frozen, signal.SIGCONT)
    path.settle()

    lanes: dict[bytes, list[bytes]] = {}
    for record in path.emitted(sku)[before:]:
        lanes.setdefault(record.key, []).append(record.headers["lane"])
    # A store view with a name of its own was not changed, and is at most moved to the live lane.
    assert [b"bulk", b"live"] in lanes.values()
    assert all(of_view[-1] == b"live" for of_view in lanes.values())
    assert play.proof(path.scene).differences == ()


def test_a_deleted_product_reaches_those_who_link_to_it_though_the_links_went_without_a_trace(
    path: Pipeline,
) -> None:
    """11: InnoDB logs the product's row alone; who was built from it is known to the index."""
    path.settle()
    linking, linked = path.product_ids()[5:7]
    sku = sku_of(path, linking)
    # Only what can be seen in the linking product's store views is shown as a link.
    path.sql(
        "INSERT IGNORE INTO catalog_product_link (product_id, linked_product_id, link_type_id)"
        f" VALUES ({linking}, {linked}, 1)",
        "INSERT IGNORE INTO catalog_product_website (product_id, website_id)"
        f" SELECT {linked}, website_id FROM catalog_product_website WHERE product_id = {linking}",
        "UPDATE catalog_product_entity_int v JOIN eav_attribute a ON a.attribute_id = v.attribute_id"
        " SET v.value = IF(a.attribute_code = 'status', 1, 4)"
        f" WHERE a.attribute_code IN ('status', 'visibility') AND v.entity_id = {linked}",
    )
    path.settle()
    before = len(path.emitted(sku))
    path.sql(f"DELETE FROM catalog_product_entity WHERE entity_id = {linked}")
    path.settle()

    new = path.emitted(sku)[before:]
    assert {record.headers["reason"] for record in new} == {b"catalog_product_entity:d"}
    assert play.proof(path.scene).differences == ()


def test_the_lowest_row_of_a_sku_is_synced_and_the_next_one_takes_over(path: Pipeline) -> None:
    """28: three rows claim one SKU; letters tell of those not built; the owner's end writes no tombstone."""
    path.settle()
    owner = path.product_ids()[8]
    sku = sku_of(path, owner)
    for claimant in (800_001, 800_002):
        path.sql(
            "INSERT INTO catalog_product_entity (entity_id, attribute_set_id, type_id, sku)"
            f" VALUES ({claimant}, 4, 'simple', '{sku}')",
            "INSERT INTO catalog_product_website (product_id, website_id)"
            f" SELECT {claimant}, website_id FROM catalog_product_website WHERE product_id = {owner}",
            *(
                f"INSERT INTO catalog_product_entity_{kind} (entity_id, attribute_id, store_id, value)"
                f" SELECT {claimant}, attribute_id, store_id, value FROM catalog_product_entity_{kind}"
                f" WHERE entity_id = {owner}"
                for kind in ("int", "varchar")
            ),
        )
    path.settle()
    shadowed = path.dead_letters("builder")
    before = len(path.emitted(sku))
    path.sql(f"DELETE FROM catalog_product_entity WHERE entity_id = {owner}")
    path.settle()
    left = path.dead_letters("builder")
    new = path.emitted(sku)[before:]
    ids = {item["externalIds"][0]["id"] for (held, _), item in path.held().items() if held == sku}
    path.sql("UPDATE catalog_product_entity SET sku = 'freed-1' WHERE entity_id = 800002")
    path.settle()

    def parts(letters: dict[str, object]) -> list[str]:
        return sorted(key.rpartition('"row:')[2].rstrip('"}') for key in letters)

    assert parts(dict(shadowed)) == ["800001", "800002"]
    told = f"row 800002 has SKU '{sku}', which row 800001 has too: row 800001 is the one synced; "
    assert [letter.error.startswith(told) for letter in left.values()] == [True]
    assert ids == {"800001"}
    assert new
    assert all(record.value is not None for record in new)
    assert path.dead_letters("builder") == {}
    assert play.proof(path.scene).differences == ()


def test_a_save_of_twenty_configuration_rows_is_about_one_enumeration(path: Pipeline) -> None:
    """30: the router says once that everything is dirty, and live edits are not behind it."""
    path.settle()
    bulk = names(path).dirty("product", "bulk")
    before = len(path.topic(bulk))
    ((entities,),) = path.rows("SELECT COUNT(*) FROM catalog_product_entity")
    path.sql(
        *(
            "INSERT INTO core_config_data (scope, scope_id, path, value)"
            f" VALUES ('{scope}', {scope_id}, '{setting}', '{value}')"
            " ON DUPLICATE KEY UPDATE value = VALUES(value)"
            for scope, scope_id in (("default", 0), ("websites", 1), ("stores", 1), ("stores", 2))
            for setting, value in (
                ("web/unsecure/base_media_url", "https://media.example/"),
                ("web/unsecure/base_link_url", "https://shop.example/"),
                ("web/url/use_store", "1"),
                ("general/locale/weight_unit", "kgs"),
                ("cataloginventory/options/stock_threshold_qty", "3"),
            )
        )
    )
    path.settle()

    made = len(path.topic(bulk)) - before
    assert entities <= made <= 3 * entities
    assert play.proof(path.scene).differences == ()


def test_a_table_swapped_by_rename_is_noticed(path: Pipeline) -> None:
    """12: no row event tells that products lost their website; the statement itself does."""
    path.settle()
    lost = path.product_ids()[10:13]
    path.sql(
        "CREATE TABLE catalog_product_website_new LIKE catalog_product_website",
        "INSERT INTO catalog_product_website_new SELECT * FROM catalog_product_website"
        f" WHERE product_id NOT IN ({', '.join(map(str, lost))})",
        "RENAME TABLE catalog_product_website TO catalog_product_website_old,"
        " catalog_product_website_new TO catalog_product_website",
    )
    path.settle()

    assert not set(lost) & set(path.product_ids())
    assert play.proof(path.scene).differences == ()
