"""The rows of a batch, set-based: the number of queries does not depend on the number of products."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.builder.feeds.products import CATEGORY_ATTRIBUTES, FIXED_ATTRIBUTES, used_options
from consumers.builder.read.config import SavedConfig, default_config, read_config, store_config
from consumers.builder.read.parts import read_parts
from consumers.builder.read.reader import Reader
from consumers.builder.rows import (
    Attribute,
    Catalog,
    CategoryRow,
    GalleryRow,
    GalleryValue,
    ProductRow,
    ProductRows,
    StoreView,
)
from schemas import shop_config
from schemas.tables import EAV_TYPES

_PRODUCT: Final = "catalog_product"
_CATEGORY: Final = "catalog_category"

Values = dict[int, dict[str, dict[int, str | None]]]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was found for some SKUs; `shadowed` lists (entity_id, sku) of rows whose SKU a lower id has."""

    catalog: Catalog
    products: dict[str, ProductRows]
    shadowed: tuple[tuple[int, str], ...]


def read_products(
    reader: Reader, prefix: str, skus: Sequence[str], config: Mapping[str, str], media_base_url: str
) -> Batch:
    """Read everything the items of `skus` are made of.

    Args:
        prefix: the installation's table prefix.
        config: values that override core_config_data, by path.
        media_base_url: used for every store view when not empty.
    """
    saved = read_config(reader, prefix)
    views = _store_views(reader, prefix, saved, config, media_base_url)
    attributes = _attributes(reader, prefix)
    products, shadowed = _products(reader, prefix, skus)
    ids = sorted(row.entity_id for row in products.values())
    if not ids:
        return Batch(Catalog(views, attributes), {}, shadowed)
    values = _values(
        reader, f"{prefix}catalog_product_entity", ids, _wanted(attributes.values(), FIXED_ATTRIBUTES)
    )
    websites = _pairs(
        reader,
        f"SELECT product_id, website_id FROM {prefix}catalog_product_website WHERE product_id IN %s",
        ids,
    )
    memberships = _memberships(reader, prefix, ids)
    gallery = _gallery(reader, prefix, ids)
    children = _children(reader, prefix, ids, attributes)
    categories = _categories(reader, prefix, {c for of_product in memberships.values() for c in of_product})
    catalog = Catalog(views, attributes, categories)
    options = {option for of_product in values.values() for option in used_options(of_product, catalog)}
    types = {row.entity_id: row.type_id for row in products.values()}
    parts, shared = read_parts(reader, prefix, types, gallery, attributes, default_config(saved, config))
    catalog = Catalog(views, attributes, categories, _option_labels(reader, prefix, sorted(options)), shared)
    found = {
        sku: ProductRows(
            product=row,
            values=values.get(row.entity_id, {}),
            website_ids=frozenset(websites.get(row.entity_id, ())),
            memberships=memberships.get(row.entity_id, {}),
            gallery=tuple(gallery.get(row.entity_id, ())),
            children=children.get(row.entity_id, {}),
            parts=parts[row.entity_id],
        )
        for sku, row in products.items()
    }
    return Batch(catalog, found, shadowed)


def _products(
    reader: Reader, prefix: str, skus: Sequence[str]
) -> tuple[dict[str, ProductRow], tuple[tuple[int, str], ...]]:
    """Rows whose SKU equals a wanted one byte for byte; the column itself compares without case."""
    wanted = set(skus)
    rows = reader.query(
        "SELECT entity_id, sku, type_id, CAST(created_at AS CHAR), CAST(updated_at AS CHAR)"
        f" FROM {prefix}catalog_product_entity WHERE sku IN %s ORDER BY entity_id",
        (list(skus),),
    )
    products: dict[str, ProductRow] = {}
    shadowed = []
    for entity_id, sku, type_id, created_at, updated_at in rows:
        if sku not in wanted:
            continue
        if sku in products:
            shadowed.append((int(entity_id), str(sku)))
            continue
        products[sku] = ProductRow(int(entity_id), sku, type_id, created_at, updated_at)
    return products, tuple(shadowed)


def _attributes(reader: Reader, prefix: str) -> dict[int, Attribute]:
    rows = reader.query(
        "SELECT a.attribute_id, a.attribute_code, a.backend_type, a.is_user_defined, a.source_model,"
        f" EXISTS(SELECT 1 FROM {prefix}eav_attribute_option o WHERE o.attribute_id = a.attribute_id)"
        f" FROM {prefix}eav_attribute a JOIN {prefix}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
        " WHERE t.entity_type_code = %s",
        (_PRODUCT,),
    )
    return {
        int(attribute_id): Attribute(
            int(attribute_id),
            code,
            backend_type,
            bool(user_defined),
            str(source_model or "").endswith("\\Boolean"),
            bool(has_options),
        )
        for attribute_id, code, backend_type, user_defined, source_model, has_options in rows
    }


def _wanted(attributes: Iterable[Attribute], fixed: frozenset[str]) -> dict[str, dict[int, str]]:
    """Attribute codes by id, by backend type; static ones have no value table."""
    wanted: dict[str, dict[int, str]] = {backend_type: {} for backend_type in EAV_TYPES}
    for attribute in attributes:
        if attribute.backend_type in wanted and (attribute.user_defined or attribute.code in fixed):
            wanted[attribute.backend_type][attribute.attribute_id] = attribute.code
    return wanted


def _values(reader: Reader, table: str, ids: list[int], wanted: dict[str, dict[int, str]]) -> Values:
    """Values of all stores: entity id -> attribute code -> store id -> text."""
    used = {backend_type: codes for backend_type, codes in wanted.items() if codes}
    if not used or not ids:
        return {}
    statement = " UNION ALL ".join(
        f"SELECT entity_id, attribute_id, store_id, CAST(value AS CHAR) FROM {table}_{backend_type}"
        " WHERE entity_id IN %s AND attribute_id IN %s"
        for backend_type in used
    )
    parameters = [part for codes in used.values() for part in (ids, sorted(codes))]
    code_of = {attribute_id: code for codes in used.values() for attribute_id, code in codes.items()}
    values: Values = defaultdict(lambda: defaultdict(dict))
    for entity_id, attribute_id, store_id, value in reader.query(statement, parameters):
        values[entity_id][code_of[attribute_id]][store_id] = value
    return values


def _pairs(reader: Reader, statement: str, ids: list[int]) -> dict[int, list[int]]:
    groups: dict[int, list[int]] = defaultdict(list)
    for name, value in reader.query(statement, (ids,)):
        groups[name].append(value)
    return groups


def _memberships(reader: Reader, prefix: str, ids: list[int]) -> dict[int, dict[int, int]]:
    memberships: dict[int, dict[int, int]] = defaultdict(dict)
    rows = reader.query(
        f"SELECT product_id, category_id, position FROM {prefix}catalog_category_product"
        " WHERE product_id IN %s",
        (ids,),
    )
    for product_id, category_id, position in rows:
        memberships[product_id][category_id] = position
    return memberships


def _categories(reader: Reader, prefix: str, ids: set[int]) -> dict[int, CategoryRow]:
    """The categories and everything on the way up from them."""
    if not ids:
        return {}
    table = f"{prefix}catalog_category_entity"
    paths = [
        tuple(int(part) for part in str(path).split("/") if part.isdigit())
        for (path,) in reader.query(f"SELECT path FROM {table} WHERE entity_id IN %s", (sorted(ids),))
    ]
    all_ids = sorted(ids.union(*paths))
    rows = reader.query(f"SELECT entity_id, path, level FROM {table} WHERE entity_id IN %s", (all_ids,))
    codes = _category_codes(reader, prefix)
    values = _values(reader, table, all_ids, codes)
    return {
        category_id: CategoryRow(
            category_id,
            tuple(int(part) for part in str(path).split("/") if part.isdigit()),
            level,
            values.get(category_id, {}),
        )
        for category_id, path, level in rows
    }


def _category_codes(reader: Reader, prefix: str) -> dict[str, dict[int, str]]:
    rows = reader.query(
        f"SELECT a.attribute_id, a.attribute_code, a.backend_type FROM {prefix}eav_attribute a"
        f" JOIN {prefix}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
        " WHERE t.entity_type_code = %s AND a.attribute_code IN %s",
        (_CATEGORY, sorted(CATEGORY_ATTRIBUTES)),
    )
    codes: dict[str, dict[int, str]] = defaultdict(dict)
    for attribute_id, code, backend_type in rows:
        codes[backend_type][attribute_id] = code
    return codes


def _gallery(reader: Reader, prefix: str, ids: list[int]) -> dict[int, list[GalleryRow]]:
    table = f"{prefix}catalog_product_entity_media_gallery"
    rows = reader.query(
        "SELECT e.entity_id, g.value_id, g.value, g.media_type, v.store_id, v.label, v.position, v.disabled"
        f" FROM {table}_value_to_entity e JOIN {table} g ON g.value_id = e.value_id"
        f" LEFT JOIN {table}_value v ON v.value_id = e.value_id AND v.entity_id = e.entity_id"
        # No key forbids two rows for one store; the later one counts, in whatever order they are found.
        " WHERE e.entity_id IN %s ORDER BY v.record_id",
        (ids,),
    )
    files: dict[int, dict[int, tuple[str, str, dict[int, GalleryValue]]]] = defaultdict(dict)
    for entity_id, value_id, file, media_type, store_id, label, position, disabled in rows:
        if file is None:
            continue
        _, _, stores = files[entity_id].setdefault(value_id, (file, media_type, {}))
        if store_id is not None:
            stores[store_id] = GalleryValue(label, position, disabled)
    return {
        entity_id: [GalleryRow(value_id, *parts) for value_id, parts in sorted(of_product.items())]
        for entity_id, of_product in files.items()
    }


def _children(
    reader: Reader, prefix: str, ids: list[int], attributes: Mapping[int, Attribute]
) -> dict[int, dict[int, dict[int, str | None]]]:
    """Status values of children: parent id -> child id -> store id -> text.

    Any product may be a parent: Commerce asks for rows of the relation, not for the product's type.
    """
    rows = _pairs(
        reader,
        f"SELECT parent_id, child_id FROM {prefix}catalog_product_relation WHERE parent_id IN %s",
        ids,
    )
    if not rows:
        return {}
    status = {"int": {a.attribute_id: a.code for a in attributes.values() if a.code == "status"}}
    child_ids = sorted({child for children in rows.values() for child in children})
    values = _values(reader, f"{prefix}catalog_product_entity", child_ids, status)
    return {
        parent: {child: dict(values.get(child, {}).get("status", {})) for child in children}
        for parent, children in rows.items()
    }


def _option_labels(reader: Reader, prefix: str, ids: list[int]) -> dict[int, dict[int, str | None]]:
    if not ids:
        return {}
    labels: dict[int, dict[int, str | None]] = defaultdict(dict)
    rows = reader.query(
        f"SELECT option_id, store_id, value FROM {prefix}eav_attribute_option_value WHERE option_id IN %s"
        # As with pictures, two rows for one store are possible.
        " ORDER BY value_id",
        (ids,),
    )
    for option_id, store_id, value in rows:
        labels[option_id][store_id] = value
    return labels


def _store_views(
    reader: Reader, prefix: str, saved: SavedConfig, overrides: Mapping[str, str], media_base_url: str
) -> tuple[StoreView, ...]:
    rows = reader.query(
        "SELECT s.store_id, s.code, g.code, w.website_id, w.code, g.root_category_id"
        f" FROM {prefix}store s JOIN {prefix}store_group g ON g.group_id = s.group_id"
        f" JOIN {prefix}store_website w ON w.website_id = s.website_id"
        " WHERE s.store_id <> 0 ORDER BY s.store_id"
    )
    views = []
    for store_id, code, group_code, website_id, website_code, root in rows:
        config = store_config(saved, overrides, store_id, website_id)
        media_url = media_base_url or shop_config.media_url(config)
        views.append(StoreView(store_id, code, group_code, website_id, website_code, root, media_url, config))
    return tuple(views)
