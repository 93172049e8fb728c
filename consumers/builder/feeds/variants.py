"""The `variants` feed: one item a configurable product and child linked to it; the child speaks for it."""

from collections.abc import Iterator
from hashlib import md5
from typing import Any, Final

from consumers.builder.rows import Catalog, ProductRows
from consumers.builder.rules.configurable import SuperAttributeRow, value_id
from consumers.builder.rules.relatives import Relative
from consumers.builder.values import DEFAULT_STORE

FEED: Final = "variants"


def identity(parent_sku: str, product_sku: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"parentSku": parent_sku, "productSku": product_sku}


def build(rows: ProductRows, catalog: Catalog) -> list[dict[str, Any]]:
    """All items of one child, by the parent's SKU.

    Neither status nor websites matter. A child that has none of the values to choose is no variant.
    """
    items = (_item(rows, parent, catalog) for parent in _parents(rows, catalog))
    return [item for item in items if item["optionValues"]]


def refs(rows: ProductRows, catalog: Catalog) -> tuple[str, ...]:
    """Names of the rows that can change these items without naming the child."""
    names = {f"product:{rows.product.entity_id}"}
    for parent in rows.parts.configurables:
        names.add(f"product:{parent}")
        for row, option_id in _chosen(rows, parent, catalog):
            names.update((f"attribute:{row.attribute_id}", f"option:{option_id}"))
    return tuple(sorted(names))


def _parents(rows: ProductRows, catalog: Catalog) -> list[Relative]:
    """By SKU; of several products with one SKU the lowest id has it."""
    by_sku: dict[str, Relative] = {}
    for parent_id in sorted(rows.parts.configurables):
        parent = catalog.parts.relatives.get(parent_id)
        if parent is not None:
            by_sku.setdefault(parent.sku, parent)
    return [by_sku[sku] for sku in sorted(by_sku)]


def _item(rows: ProductRows, parent: Relative, catalog: Catalog) -> dict[str, Any]:
    skus = (parent.sku, rows.product.sku)
    return {
        **identity(*skus),
        "id": md5("/".join(("configurable", *skus)).encode(), usedforsecurity=False).hexdigest(),
        "parentId": str(parent.entity_id),
        "productId": str(rows.product.entity_id),
        "optionValues": [
            {
                "attributeCode": row.code,
                "uid": value_id(row.attribute_id, option_id),
                "label": _label(option_id, catalog),
                "valueIndex": str(option_id),
            }
            for row, option_id in _chosen(rows, parent.entity_id, catalog)
        ],
    }


def _chosen(rows: ProductRows, parent_id: int, catalog: Catalog) -> Iterator[tuple[SuperAttributeRow, int]]:
    """What there is to choose at the parent, in its order, with the option that the child is."""
    own = catalog.parts.choosable.chosen.get(rows.product.entity_id, {})
    choosable = catalog.parts.super_attributes.get(parent_id, ())
    for row in sorted(choosable, key=lambda row: (row.position, row.code)):
        if row.attribute_id in own:
            yield row, own[row.attribute_id]


def _label(option_id: int, catalog: Catalog) -> str | None:
    """The label of all stores; None for an option without one, also for one that is gone."""
    choice = catalog.parts.choosable.choices.get(option_id)
    return None if choice is None else choice.labels.get(DEFAULT_STORE)
