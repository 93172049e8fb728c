"""A second target of the other dialect, on the real stack: the same catalog, in its own shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pipeline import Pipeline, running

from commerce_sync.emulator.server import Emulator
from commerce_sync.local.stack import Stack
from commerce_sync.proof.target import read_items
from runtime.settings import DIALECT_FEEDS

pytestmark = pytest.mark.stack


FEEDS = DIALECT_FEEDS["saas"]


@dataclass
class TwoTargets:
    """The pipeline, and what the saas service holds."""

    pipeline: Pipeline
    emulator: Emulator

    def saas(self, feed: str = "products") -> list[dict[str, Any]]:
        return list(read_items("saas", self.pipeline.scene.settings.targets["saas"], feed))

    def differences(self) -> list[str]:
        """Where the feeds and either service differ once nothing moves."""
        self.pipeline.settle()
        return self.pipeline.differences()


@pytest.fixture(scope="module")
def targets(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoTargets]:
    with Emulator(dialect="saas") as emulator:
        overrides = {
            **emulator.settings_environment(),
            "COMMERCE_SYNC__TARGETS__SAAS__BUDGET__REQUESTS_PER_MINUTE": "0",
            "COMMERCE_SYNC__TARGETS__SAAS__BUDGET__PRODUCTS_PER_MINUTE": "0",
        }
        with running(stack, tmp_path_factory.mktemp("saas"), 30, overrides, {}) as pipeline:
            yield TwoTargets(pipeline, emulator)


def test_both_services_hold_every_feed(targets: TwoTargets) -> None:
    """What the builder emits without an exception, each in its own shape."""
    differences = targets.differences()

    counts = {feed: len(targets.saas(feed)) for feed in FEEDS}
    assert differences == []
    assert [feed for feed, count in counts.items() if not count] == ["productOverrides"]


def test_edits_and_deletes_reach_both(targets: TwoTargets) -> None:
    """A delete says the website and store that the item had there."""
    id_of = {sku: int(item["externalIds"][0]["id"]) for (sku, _), item in targets.pipeline.held().items()}
    # Waiting for quiet renames the product with the lowest id.
    marked = min(id_of, key=lambda sku: id_of[sku])
    (first, second, *_) = sorted(id_of.keys() - {marked})
    targets.pipeline.sql(
        f"UPDATE catalog_product_entity_varchar v JOIN eav_attribute a USING (attribute_id) "
        f"JOIN catalog_product_entity e USING (entity_id) SET v.value = 'Edited' "
        f"WHERE a.attribute_code = 'name' AND a.entity_type_id = 4 AND e.sku = '{first}'",
        f"DELETE FROM catalog_product_entity WHERE sku = '{second}'",
    )

    differences = targets.differences()

    assert differences == []
    assert {item["name"] for item in targets.saas() if item["sku"] == first} == {"Edited"}
    assert [item for item in targets.saas() + targets.saas("prices") if item["sku"] == second] == []


def test_what_names_an_item_at_one_service_moves_or_goes(targets: TwoTargets) -> None:
    """A branch of categories moves to other paths, a website's code changes."""
    (branch,) = targets.pipeline.rows(
        "SELECT entity_id FROM catalog_category_entity WHERE level = 2 AND children_count > 0"
        " ORDER BY entity_id LIMIT 1"
    )[0]
    before = {item["categoryId"]: item["urlPath"] for item in targets.saas("categories")}
    (website,) = targets.pipeline.rows("SELECT MAX(website_id) FROM store_website")[0]
    targets.pipeline.sql(
        "UPDATE catalog_category_entity_varchar v JOIN eav_attribute a USING (attribute_id)"
        " SET v.value = 'moved' WHERE a.attribute_code = 'url_key' AND a.entity_type_id = 3"
        f" AND v.entity_id = {branch}",
        f"UPDATE store_website SET code = 'renamed' WHERE website_id = {website}",
    )

    differences = targets.differences()

    held = {item["categoryId"]: item["urlPath"] for item in targets.saas("categories")}
    assert differences == []
    assert held.keys() == before.keys()
    assert {path for category, path in held.items() if path != before[category]}
    assert "renamed" in {item["website"]["websiteCode"] for item in targets.saas("scopesWebsite")}
