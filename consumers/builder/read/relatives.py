"""Other products of a batch: who is whose parent, and what items say of them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from consumers.builder.read.reader import Ids, Plan, Together, ask, select
from consumers.builder.rules.relatives import Relative
from consumers.builder.values import Attribute
from schemas.tables import EAV_TYPES

_CODES: Final = frozenset({"name", "status", "price_type"})

# product id -> ids of its parents, or of its children, in ascending order
Relations = dict[int, tuple[int, ...]]


def read_relations(prefix: str, ids: Ids) -> Plan[tuple[Relations, Relations, Relations]]:
    """(parents by child, children by parent, configurable products by variant) for these products."""
    table = f"{prefix}catalog_product_relation"
    rows = yield from select(
        f"SELECT 0, child_id, parent_id FROM {table} WHERE child_id IN %s"
        f" UNION ALL SELECT 1, parent_id, child_id FROM {table} WHERE parent_id IN %s"
        f" UNION ALL SELECT 2, product_id, parent_id FROM {prefix}catalog_product_super_link"
        " WHERE product_id IN %s",
        ids,
    )
    found: tuple[dict[int, list[int]], ...] = (defaultdict(list), defaultdict(list), defaultdict(list))
    for side, product_id, other_id in rows:
        found[side][product_id].append(other_id)
    parents, children, above = ({one: tuple(sorted(many)) for one, many in side.items()} for side in found)
    return parents, children, above


def read_relatives(prefix: str, ids: Ids, attributes: Mapping[int, Attribute]) -> Plan[dict[int, Relative]]:
    """The products with these ids; ids of no product are left out."""
    together = Together()
    # A row for each of a product's websites, or one without any.
    rows = together.add(
        select(
            "SELECT p.entity_id, p.sku, p.type_id, p.required_options, w.website_id"
            f" FROM {prefix}catalog_product_entity p"
            f" LEFT JOIN {prefix}catalog_product_website w ON w.product_id = p.entity_id"
            " WHERE p.entity_id IN %s",
            ids,
        )
    )
    value_rows = together.add(_values(prefix, ids, attributes))
    yield from together.done()
    websites: dict[tuple[int, str, str, bool], list[int]] = defaultdict(list)
    for entity_id, sku, type_id, required_options, website_id in rows.result:
        of_product = websites[entity_id, sku, type_id, bool(required_options)]
        if website_id is not None:
            of_product.append(website_id)
    values = value_rows.result
    return {
        product[0]: Relative(*product, frozenset(of_product), values.get(product[0], {}))
        for product, of_product in websites.items()
    }


def _values(
    prefix: str, ids: Ids, attributes: Mapping[int, Attribute]
) -> Plan[dict[int, dict[str, dict[int, str | None]]]]:
    wanted = {
        a.attribute_id: a for a in attributes.values() if a.code in _CODES and a.backend_type in EAV_TYPES
    }
    values: dict[int, dict[str, dict[int, str | None]]] = defaultdict(lambda: defaultdict(dict))
    if not ids or not wanted:
        return values
    types = sorted({attribute.backend_type for attribute in wanted.values()})
    statement = " UNION ALL ".join(
        "SELECT entity_id, attribute_id, store_id, CAST(value AS CHAR)"
        f" FROM {prefix}catalog_product_entity_{backend_type} WHERE entity_id IN %s AND attribute_id IN %s"
        for backend_type in types
    )
    parameters = [
        part
        for backend_type in types
        for part in (list(ids), sorted(n for n, a in wanted.items() if a.backend_type == backend_type))
    ]
    for entity_id, attribute_id, store_id, value in (yield from ask(statement, *parameters)):
        values[entity_id][wanted[attribute_id].code][store_id] = value
    return values
