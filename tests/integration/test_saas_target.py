"""A second target of the other dialect, on the real stack: the same catalog, in its own shape."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from pipeline import Pipeline, running

from commerce_sync.emulator.server import Emulator
from commerce_sync.local.stack import Stack

pytestmark = pytest.mark.stack


@dataclass
class TwoTargets:
    """The pipeline, and what the saas service holds."""

    pipeline: Pipeline
    emulator: Emulator

    def saas(self) -> dict[tuple[str, str], dict[str, Any]]:
        content = requests.get(f"{self.emulator.read_url}/saas/products", timeout=10).content
        items = [json.loads(line) for line in content.splitlines()]
        return {(item["sku"], item["storeViewCode"]): item for item in items}

    def wait_until_equal(self) -> None:
        """Both services name the same products once nothing moves."""
        self.pipeline.settle()
        held = self.pipeline.held()
        self.pipeline.wait_until(
            "both services hold the same products",
            lambda: (
                {key: item["name"] for key, item in self.saas().items()}
                == {key: item["name"] for key, item in held.items()}
            ),
        )


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


def test_both_services_hold_the_catalog(targets: TwoTargets) -> None:
    targets.wait_until_equal()

    assert len(targets.saas()) >= 30
    assert {item["deleted"] for item in targets.saas().values()} == {False}


def test_edits_and_deletes_reach_both(targets: TwoTargets) -> None:
    """A delete says the website and store that the item had there."""
    targets.wait_until_equal()
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

    targets.wait_until_equal()

    held = targets.saas()
    assert {item["name"] for (sku, _), item in held.items() if sku == first} == {"Edited"}
    assert [sku for sku, _ in held if sku == second] == []
