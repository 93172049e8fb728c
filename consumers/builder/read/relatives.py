"""Other products of a batch: who is whose parent, and what items say of them."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from consumers.builder.read.reader import Ids, Plan, Together, ask, select
from consumers.builder.rules.relatives import Relative
from consumers.builder.values import Attribute

_CODES: Final = frozenset({"name", "status", "price_type"})

# product id -> ids of its parents, or of its children, in ascending order
Relations = dict[int, tuple[int, ...]]


def read_relations(prefix: str, ids: Ids) -> Plan[tuple[Relations, Relations]]:
    """(parents by child, children by parent) for these products."""
    table = f"{prefix}catalog_product_relation"
    rows = yield from select(
        f"SELECT 0, child_id, parent_id FROM {table} WHERE child_id IN %s"
        f" UNION ALL SELECT 1, parent_id, child_id FROM {table} WHERE parent_id IN %s",
        ids,
    )
    found: tuple[dict[int, list[int]], dict[int, list[int]]] = (defaultdict(list), defaultdict(list))
    for side, product_id, other_id in rows:
        found[side][product_id].append(other_id)
    parents, children = ({one: tuple(sorted(many)) for one, many in side.items()} for side in found)
    return parents, children


def read_relatives(prefix: str, ids: Ids, attributes: Mapping[int, Attribute]) -> Plan[dict[int, Relative]]:
    """The products with these ids; ids of no product are left out."""
    together = Together()
    entities = together.add(
        select(
            "SELECT entity_id, sku, type_id, required_options"
            f" FROM {prefix}catalog_product_entity WHERE entity_id IN %s",
            ids,
        )
    )
    website_rows = together.add(
        select(
            f"SELECT product_id, website_id FROM {prefix}catalog_product_website WHERE product_id IN %s", ids
        )
    )
    value_rows = together.add(_values(prefix, ids, attributes))
    yield from together.done()
    websites: dict[int, set[int]] = defaultdict(set)
    for product_id, website_id in website_rows.result:
        websites[product_id].add(website_id)
    values = value_rows.result
    return {
        entity_id: Relative(
            entity_id,
            sku,
            type_id,
            bool(required_options),
            frozenset(websites.get(entity_id, ())),
            values.get(entity_id, {}),
        )
        for entity_id, sku, type_id, required_options in entities.result
    }


def _values(
    prefix: str, ids: Ids, attributes: Mapping[int, Attribute]
) -> Plan[dict[int, dict[str, dict[int, str | None]]]]:
    wanted = {a.attribute_id: a for a in attributes.values() if a.code in _CODES}
    values: dict[int, dict[str, dict[int, str | None]]] = defaultdict(lambda: defaultdict(dict))
    if not ids or not wanted:
        return values
    types = sorted({attribute.backend_type for attribute in wanted.values()} - {"static"})
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
