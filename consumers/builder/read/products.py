"""The rows of a batch, set-based: the number of queries does not depend on the number of products."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumers.builder.feeds import prices
from consumers.builder.feeds.products import CATEGORY_ATTRIBUTES, FIXED_ATTRIBUTES, used_options
from consumers.builder.read.config import default_config, read_config
from consumers.builder.read.eav import TIME, Codes, Values, path_ids, read_values
from consumers.builder.read.installed import read_installed
from consumers.builder.read.names import read_tax_classes
from consumers.builder.read.parts import read_parts
from consumers.builder.read.permissions import read_permissions
from consumers.builder.read.prices import read_rule_prices, read_tiers
from consumers.builder.read.reader import Plan, Reader, Together, ask, by_second, carry_out, grouped, select
from consumers.builder.read.store_views import STORES, store_views
from consumers.builder.read.websites import websites as with_config
from consumers.builder.rows import (
    Attribute,
    Catalog,
    CategoryRow,
    GalleryRow,
    GalleryValue,
    ProductRow,
    ProductRows,
    StoreValues,
)
from consumers.builder.rules.permissions import Permissions
from consumers.builder.rules.relatives import Relative
from schemas.tables import EAV_TYPES

_PRODUCT: Final = "catalog_product"
_CATEGORY: Final = "catalog_category"


@dataclass(frozen=True, slots=True)
class Batch:
    """What was found for some SKUs; `shadowed` lists (entity_id, sku) of rows whose SKU a lower id has.

    `now_s` is the database's own time, unix seconds: what begins or ends by time alone does so by this clock.
    """

    catalog: Catalog
    products: dict[str, ProductRows]
    shadowed: tuple[tuple[int, str], ...]
    now_s: int = 0


def read_products(
    reader: Reader, prefix: str, skus: Sequence[str], config: Mapping[str, str], media_base_url: str
) -> Batch:
    """Read everything the items of `skus` are made of.

    Args:
        prefix: the installation's table prefix.
        config: values that override core_config_data, by path.
        media_base_url: used for every store view when not empty.
    """
    return carry_out(reader, _batch(prefix, skus, config, media_base_url))


def _batch(prefix: str, skus: Sequence[str], config: Mapping[str, str], media_base_url: str) -> Plan[Batch]:
    shop = Together()
    saved = shop.add(read_config(prefix))
    stores = shop.add(ask(STORES.format(p=prefix)))
    all_attributes = shop.add(_attributes(prefix))
    tax_classes = shop.add(read_tax_classes(prefix))
    installed = shop.add(read_installed(prefix))
    own_rows = shop.add(_products(prefix, skus))
    yield from shop.done()
    views = store_views(stores.result, saved.result, config, media_base_url)
    websites = with_config(stores.result, saved.result, config)
    attributes, category_codes = all_attributes.result
    found = own_rows.result
    rows, shadowed = found.products, tuple(found.shadowed)
    ids = sorted(row.entity_id for row in rows.values())
    if not ids:
        return Batch(Catalog(views, attributes, websites=websites), {}, shadowed, found.now_s)

    own = Together()
    values = own.add(_values_and_labels(prefix, ids, attributes))
    assigned = own.add(
        select(
            f"SELECT product_id, website_id FROM {prefix}catalog_product_website WHERE product_id IN %s", ids
        )
    )
    memberships = own.add(_memberships(prefix, ids, category_codes))
    gallery = own.add(_gallery(prefix, ids))
    tiers = own.add(read_tiers(prefix, ids))
    rule_prices = own.add(read_rule_prices(prefix, ids))
    types = {row.entity_id: row.type_id for row in rows.values()}
    parts = own.add(
        read_parts(
            prefix,
            types,
            found.sets,
            attributes,
            default_config(saved.result, config),
            tax_classes.result,
            multi_source=installed.result.multi_source,
        )
    )
    yield from own.done()
    values_of, labels = values.result
    positions, categories = memberships.result
    parts_of, shared = parts.result
    websites_of = grouped(assigned.result)
    products = {
        sku: ProductRows(
            product=row,
            values=values_of.get(row.entity_id, {}),
            website_ids=frozenset(website_id for (website_id,) in websites_of.get(row.entity_id, ())),
            memberships=positions.get(row.entity_id, {}),
            gallery=tuple(gallery.result.get(row.entity_id, ())),
            children={
                child: _statuses(shared.relatives.get(child)) for child in parts_of[row.entity_id].children
            },
            parts=parts_of[row.entity_id],
            tiers=tuple(tiers.result.get(row.entity_id, ())),
            rule_prices=tuple(rule_prices.result.get(row.entity_id, ())),
        )
        for sku, row in rows.items()
    }
    permissions = Permissions()
    if installed.result.permissions:
        permissions = yield from read_permissions(prefix, sorted(categories))
    catalog = Catalog(views, attributes, categories, labels, shared, websites, permissions)
    return Batch(catalog, products, shadowed, found.now_s)


def _statuses(relative: Relative | None) -> StoreValues:
    """Any product may be a parent: Commerce asks for rows of the relation, not for the product's type."""
    return {} if relative is None else relative.values.get("status", {})


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows by SKU, attribute sets by product id, (entity_id, sku) of shadowed rows, the database's time."""

    products: dict[str, ProductRow] = field(default_factory=dict)
    sets: dict[int, tuple[int, str | None]] = field(default_factory=dict)
    shadowed: list[tuple[int, str]] = field(default_factory=list)
    now_s: int = 0


def _products(prefix: str, skus: Sequence[str]) -> Plan[_Found]:
    """The rows of the SKUs; without any there is no time either.

    A row counts when its SKU equals a wanted one byte for byte; the column itself compares without case.
    """
    wanted = set(skus)
    rows = yield from ask(
        f"SELECT p.entity_id, p.sku, p.type_id, {TIME.format('p.created_at')}, {TIME.format('p.updated_at')},"
        " p.attribute_set_id, s.attribute_set_name, UNIX_TIMESTAMP()"
        f" FROM {prefix}catalog_product_entity p"
        f" LEFT JOIN {prefix}eav_attribute_set s ON s.attribute_set_id = p.attribute_set_id"
        " WHERE p.sku IN %s ORDER BY p.entity_id",
        list(skus),
    )
    found = _Found(now_s=rows[0][-1] if rows else 0)
    for entity_id, sku, type_id, created_at, updated_at, set_id, set_name, _ in rows:
        if sku not in wanted:
            continue
        if sku in found.products:
            found.shadowed.append((int(entity_id), str(sku)))
            continue
        found.products[sku] = ProductRow(int(entity_id), sku, type_id, created_at, updated_at)
        # Also of a set that is not there: when it comes, its name has to be told.
        found.sets[int(entity_id)] = (set_id, set_name)
    return found


def _attributes(prefix: str) -> Plan[tuple[dict[int, Attribute], Codes]]:
    """Attributes of products, by id, and the codes of those of categories that items show."""
    rows = yield from ask(
        "SELECT t.entity_type_code, a.attribute_id, a.attribute_code, a.backend_type, a.is_user_defined,"
        " a.source_model,"
        f" EXISTS(SELECT 1 FROM {prefix}eav_attribute_option o WHERE o.attribute_id = a.attribute_id)"
        f" FROM {prefix}eav_attribute a JOIN {prefix}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
        " WHERE t.entity_type_code = %s OR (t.entity_type_code = %s AND a.attribute_code IN %s)",
        _PRODUCT,
        _CATEGORY,
        sorted(CATEGORY_ATTRIBUTES),
    )
    attributes: dict[int, Attribute] = {}
    codes: Codes = defaultdict(dict)
    for entity_type, attribute_id, code, backend_type, user_defined, source_model, has_options in rows:
        if entity_type == _PRODUCT:
            is_boolean = str(source_model or "").endswith("\\Boolean")
            attributes[attribute_id] = Attribute(
                attribute_id, code, backend_type, bool(user_defined), is_boolean, bool(has_options)
            )
        elif backend_type in EAV_TYPES:
            codes[backend_type][attribute_id] = code
    return attributes, codes


def _wanted(attributes: Iterable[Attribute], fixed: frozenset[str]) -> dict[str, dict[int, str]]:
    """Attribute codes by id, by backend type; static ones have no value table."""
    wanted: dict[str, dict[int, str]] = {backend_type: {} for backend_type in EAV_TYPES}
    for attribute in attributes:
        if attribute.backend_type in wanted and (attribute.user_defined or attribute.code in fixed):
            wanted[attribute.backend_type][attribute.attribute_id] = attribute.code
    return wanted


def _values_and_labels(
    prefix: str, ids: list[int], attributes: Mapping[int, Attribute]
) -> Plan[tuple[Values, dict[int, dict[int, str | None]]]]:
    """The products' values, and the labels of the options they name."""
    values = yield from read_values(
        f"{prefix}catalog_product_entity",
        ids,
        _wanted(attributes.values(), FIXED_ATTRIBUTES | prices.ATTRIBUTES),
    )
    attribute_of = {attribute.code: attribute for attribute in attributes.values()}
    options = {n for of_product in values.values() for n in used_options(of_product, attribute_of)}
    # As with pictures, two rows for one store are possible.
    rows = yield from select(
        f"SELECT option_id, store_id, value FROM {prefix}eav_attribute_option_value WHERE option_id IN %s"
        " ORDER BY value_id",
        sorted(options),
    )
    return values, by_second(rows)


def _memberships(
    prefix: str, ids: list[int], codes: Codes
) -> Plan[tuple[dict[int, dict[int, int]], dict[int, CategoryRow]]]:
    """Positions by product and category id, and those categories with everything on the way up from them."""
    table = f"{prefix}catalog_category_entity"
    rows = yield from select(
        "SELECT m.product_id, m.category_id, m.position, c.path"
        f" FROM {prefix}catalog_category_product m LEFT JOIN {table} c ON c.entity_id = m.category_id"
        " WHERE m.product_id IN %s",
        ids,
    )
    positions: dict[int, dict[int, int]] = defaultdict(dict)
    category_ids: set[int] = set()
    for product_id, category_id, position, path in rows:
        positions[product_id][category_id] = position
        category_ids.update((category_id, *path_ids(path)))
    wanted = sorted(category_ids)
    together = Together()
    entities = together.add(
        select(f"SELECT entity_id, path, level FROM {table} WHERE entity_id IN %s", wanted)
    )
    values = together.add(read_values(table, wanted, codes))
    yield from together.done()
    categories = {
        category_id: CategoryRow(category_id, path_ids(path), level, values.result.get(category_id, {}))
        for category_id, path, level in entities.result
    }
    return positions, categories


def _gallery(prefix: str, ids: list[int]) -> Plan[dict[int, list[GalleryRow]]]:
    table = f"{prefix}catalog_product_entity_media_gallery"
    rows = yield from select(
        "SELECT e.entity_id, g.value_id, g.value, g.media_type, v.store_id, v.label, v.position, v.disabled,"
        f" v.record_id FROM {table}_value_to_entity e JOIN {table} g ON g.value_id = e.value_id"
        f" LEFT JOIN {table}_value v ON v.value_id = e.value_id AND v.entity_id = e.entity_id"
        " WHERE e.entity_id IN %s",
        ids,
    )
    files: dict[int, dict[int, tuple[str, str, dict[int, GalleryValue]]]] = defaultdict(dict)
    # No key forbids two rows for one store; the later one counts, in whatever order they are found.
    in_order = sorted(rows, key=lambda row: row[-1] or 0)
    for entity_id, value_id, file, media_type, store_id, label, position, disabled, _ in in_order:
        if file is None:
            continue
        _, _, stores = files[entity_id].setdefault(value_id, (file, media_type, {}))
        if store_id is not None:
            stores[store_id] = GalleryValue(label, position, disabled)
    return {
        entity_id: [GalleryRow(value_id, *parts) for value_id, parts in sorted(of_product.items())]
        for entity_id, of_product in files.items()
    }
