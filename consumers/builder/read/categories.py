"""Categories, those above them, and the state of those right below."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.builder.feeds.categories import ANCESTOR_ATTRIBUTES, CategoryRows
from consumers.builder.read.eav import TIME, Codes, path_ids, read_values
from consumers.builder.read.reader import Plan, Together, ask, select
from consumers.builder.read.store_views import read_store_views
from consumers.builder.rows import CategoryRow
from consumers.builder.values import StoreView
from schemas.tables import CATEGORY_ATTRIBUTES, EAV_TYPES

# Of the categories right below another.
_STATE: Final = frozenset({"is_active"})


@dataclass(frozen=True, slots=True)
class CategoryBatch:
    """Categories by id; `known` holds those above them too."""

    categories: Mapping[int, CategoryRows]
    known: Mapping[int, CategoryRow]
    store_views: Sequence[StoreView]


def read_categories(
    prefix: str, ids: Sequence[int], overrides: Mapping[str, str], media_base_url: str
) -> Plan[CategoryBatch]:
    """What the items of these categories are made of, in two round trips."""
    table = f"{prefix}catalog_category_entity"
    first = Together()
    views = first.add(read_store_views(prefix, overrides, media_base_url))
    codes = first.add(_read_codes(prefix))
    found = first.add(
        select(
            f"SELECT entity_id, path, level, parent_id, position, {TIME.format('created_at')},"
            f" {TIME.format('updated_at')} FROM {table} WHERE entity_id IN %s",
            ids,
        )
    )
    below = first.add(select(f"SELECT parent_id, entity_id FROM {table} WHERE parent_id IN %s", ids))
    yield from first.done()
    own = [row[0] for row in found.result]
    paths = {row[0]: path_ids(row[1]) for row in found.result}
    above = sorted({n for path in paths.values() for n in path}.difference(own))
    second = Together()
    above_rows = second.add(
        select(f"SELECT entity_id, path, level FROM {table} WHERE entity_id IN %s", above)
    )
    values = second.add(read_values(table, own, codes.result))
    above_values = second.add(read_values(table, above, _of(codes.result, ANCESTOR_ATTRIBUTES)))
    states = second.add(
        read_values(table, sorted(child for _, child in below.result), _of(codes.result, _STATE))
    )
    yield from second.done()
    known = {
        category_id: CategoryRow(category_id, path_ids(path), level, above_values.result.get(category_id, {}))
        for category_id, path, level in above_rows.result
    }
    children: dict[int, dict[int, Mapping[int, str | None]]] = defaultdict(dict)
    for parent_id, child_id in below.result:
        children[parent_id][child_id] = states.result.get(child_id, {}).get("is_active", {})
    categories = {}
    for category_id, path, level, parent_id, position, created_at, updated_at in found.result:
        known[category_id] = CategoryRow(
            category_id, paths[category_id], level, values.result.get(category_id, {})
        )
        categories[category_id] = CategoryRows(
            known[category_id],
            str(path),
            parent_id,
            position,
            created_at,
            updated_at,
            children.get(category_id, {}),
        )
    return CategoryBatch(categories, known, views.result)


def _read_codes(prefix: str) -> Plan[Codes]:
    """Of all attributes that any category's items are made of; static ones have no values of their own."""
    rows = yield from ask(
        f"SELECT a.attribute_id, a.attribute_code, a.backend_type FROM {prefix}eav_attribute a"
        f" JOIN {prefix}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
        " WHERE t.entity_type_code = 'catalog_category' AND a.attribute_code IN %s"
        " AND a.backend_type IN %s",
        sorted(CATEGORY_ATTRIBUTES),
        list(EAV_TYPES),
    )
    codes: Codes = defaultdict(dict)
    for attribute_id, code, backend_type in rows:
        codes[backend_type][attribute_id] = code
    return codes


def _of(codes: Codes, wanted: frozenset[str]) -> Codes:
    return {
        backend_type: {number: code for number, code in of_type.items() if code in wanted}
        for backend_type, of_type in codes.items()
    }
