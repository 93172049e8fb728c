"""The routing table: which source table names which entity, by which column. Pure.

A table without a rule matters to no feed that is built today, and its changes produce nothing.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from schemas.entities import FEEDS_OF
from schemas.shop_config import PATHS_OF
from schemas.tables import CATEGORY_ATTRIBUTES, EAV_TYPES

# sku, category, attribute, scope: the entity itself. refers_to: whoever was built from that row. everything:
# all of one kind of entity, by a command. config: what depends on this configuration path. The others are
# looked up: `product` is the product with this id and its parents, `value` the product that a value of this
# type (`varchar:7`) belongs to and who shows such values of it, `neighbours` the product, its parents and
# children and who links to it, `bundle_children` the children of a bundle with this id, `spelling` the
# products whose SKU the database holds equal to this text, `options_of` all products when this attribute got
# its first option or lost its last; the rest are ids of rows that a product owns.
Kind = Literal[
    "sku",
    "category",
    "attribute",
    "scope",
    "refers_to",
    "everything",
    "config",
    "product",
    "value",
    "neighbours",
    "bundle_children",
    "spelling",
    "options_of",
    "media",
    "link",
    "custom_option",
    "custom_choice",
    "download",
    "sample",
]


@dataclass(frozen=True, slots=True)
class Touch:
    """One thing a change names; `value` is a key, an id as text, a reference, or a kind of entity."""

    kind: Kind
    value: str


@dataclass(frozen=True, slots=True)
class Rule:
    """How one table's rows name what they touch.

    Args:
        names: (kind, column) pairs, read from the before- and the after-image. For `refers_to` the column
            is written `prefix:column` and the reference becomes `prefix:<value>`; `prefix:*` stands for
            itself. For `everything` it is the kind of entity.
        ignored: columns whose change alone matters to no feed.
        only: a row matters only when this column holds one of these values (in either image).
        on_create: further pairs for a new row.
        on_delete: further pairs for a deleted row, for what a foreign key's cascade took without a trace.
        compared: the only columns whose change matters, where naming the others would be endless.
        on_change: further pairs for an update of one of these columns.
    """

    names: tuple[tuple[Kind, str], ...]
    ignored: frozenset[str] = frozenset()
    only: tuple[str, frozenset[str]] | None = None
    on_create: tuple[tuple[Kind, str], ...] = field(default=())
    on_delete: tuple[tuple[Kind, str], ...] = field(default=())
    compared: frozenset[str] | None = None
    on_change: tuple[frozenset[str], tuple[tuple[Kind, str], ...]] = (frozenset(), ())


_BY_ENTITY_ID: Final = Rule((("product", "entity_id"),), frozenset({"value_id", "record_id"}))
_BY_PRODUCT_ID: Final = Rule((("product", "product_id"),))
_BY_OPTION: Final = Rule((("refers_to", "option:option_id"),), frozenset({"value_id", "swatch_id"}))
_BY_LINK: Final = Rule((("link", "link_id"),), frozenset({"value_id"}))
_BY_CUSTOM_OPTION: Final = Rule((("custom_option", "option_id"),))
_BY_CUSTOM_CHOICE: Final = Rule((("custom_choice", "option_type_id"),))
_BY_BUNDLE: Final = Rule((("product", "parent_product_id"),), frozenset({"value_id"}))
_BY_DOWNLOAD: Final = Rule((("download", "link_id"),))
_CATEGORY_VALUE: Final = Rule((("refers_to", "category:entity_id"),), frozenset({"value_id"}))
_OF_CATEGORY: Final = Rule((("category", "entity_id"),), frozenset({"value_id"}))
# Every item stands in a store view and says so.
_EVERY_ITEM: Final[tuple[tuple[Kind, str], ...]] = (
    ("everything", "product"),
    ("everything", "category"),
    ("everything", "attribute"),
)

_PRODUCT_RULES: Final[Mapping[str, Rule]] = {
    # A rename touches the old and the new SKU; a parent of a deleted child is known only to the index.
    "catalog_product_entity": Rule(
        (("sku", "sku"),),
        ignored=frozenset({"updated_at", "created_at", "has_options"}),
        on_delete=(("refers_to", "product:entity_id"),),
        on_change=(frozenset({"sku", "type_id", "required_options"}), (("neighbours", "entity_id"),)),
    ),
    **{
        f"catalog_product_entity_{backend_type}": Rule(
            (("value", f"{backend_type}:entity_id"),), frozenset({"value_id"})
        )
        for backend_type in EAV_TYPES
    },
    # Also what a variant is of what its parent has to choose from: the options of any attribute.
    "catalog_product_entity_int": Rule(
        (("product", "entity_id"), ("bundle_children", "entity_id")), frozenset({"value_id"})
    ),
    "catalog_product_website": Rule((("neighbours", "product_id"),)),
    "catalog_product_relation": Rule((("product", "parent_id"), ("product", "child_id"))),
    "catalog_category_product": Rule((("product", "product_id"),), frozenset({"entity_id"})),
    # The paid edition's list of product ids; the product's rows go with theirs by cascade.
    "sequence_product": Rule((), on_delete=(("refers_to", "product:sequence_value"),)),
    "url_rewrite": Rule(
        (("product", "entity_id"),),
        ignored=frozenset({"description", "is_autogenerated"}),
        only=("entity_type", frozenset({"product"})),
    ),
}
_MEDIA_RULES: Final[Mapping[str, Rule]] = {
    "catalog_product_entity_media_gallery": Rule(
        (("media", "value_id"),), frozenset({"attribute_id", "disabled"})
    ),
    # Here the column is no row's own id: it says which picture the label is of.
    "catalog_product_entity_media_gallery_value": Rule((("product", "entity_id"),), frozenset({"record_id"})),
    "catalog_product_entity_media_gallery_value_to_entity": Rule((("product", "entity_id"),)),
    "catalog_product_entity_media_gallery_value_video": Rule((("media", "value_id"),)),
}
_OPTION_RULES: Final[Mapping[str, Rule]] = {
    "catalog_product_link": _BY_PRODUCT_ID,
    "catalog_product_link_attribute_int": _BY_LINK,
    "catalog_product_link_attribute_decimal": _BY_LINK,
    "catalog_product_option": _BY_PRODUCT_ID,
    "catalog_product_option_title": _BY_CUSTOM_OPTION,
    "catalog_product_option_price": replace(_BY_CUSTOM_OPTION, ignored=frozenset({"price_type"})),
    "catalog_product_option_type_value": _BY_CUSTOM_OPTION,
    "catalog_product_option_type_title": _BY_CUSTOM_CHOICE,
    "catalog_product_option_type_price": _BY_CUSTOM_CHOICE,
    "catalog_product_bundle_option": Rule((("product", "parent_id"),)),
    "catalog_product_bundle_option_value": _BY_BUNDLE,
    "catalog_product_bundle_selection": _BY_BUNDLE,
    "catalog_product_bundle_selection_price": _BY_BUNDLE,
    "catalog_product_super_link": Rule((("product", "parent_id"), ("product", "product_id"))),
    # Which choice a variant is depends on what there is to choose at its parent.
    "catalog_product_super_attribute": Rule((("neighbours", "product_id"),)),
    # What is downloaded is no part of any item; that there is a sample is.
    "downloadable_link": replace(
        _BY_PRODUCT_ID,
        ignored=frozenset({"is_shareable", "link_file", "link_type", "link_url", "sample_type"}),
    ),
    "downloadable_link_title": _BY_DOWNLOAD,
    "downloadable_link_price": _BY_DOWNLOAD,
    "downloadable_sample": replace(
        _BY_PRODUCT_ID, ignored=frozenset({"sample_file", "sample_type", "sample_url"})
    ),
    "downloadable_sample_title": Rule((("sample", "sample_id"),)),
}
_PRICE_RULES: Final[Mapping[str, Rule]] = {
    "catalog_product_entity_tier_price": _BY_ENTITY_ID,
    "catalogrule_product_price": Rule(
        (("product", "product_id"),),
        frozenset({"rule_product_price_id", "latest_start_date", "earliest_end_date"}),
    ),
}
_STOCK_RULES: Final[Mapping[str, Rule]] = {
    "cataloginventory_stock_item": Rule(
        (("product", "product_id"),),
        ignored=frozenset(
            {
                "low_stock_date",
                "stock_status_changed_auto",
                "notify_stock_qty",
                "use_config_notify_stock_qty",
                "is_qty_decimal",
                "is_decimal_divided",
                "website_id",
            }
        ),
    ),
    "inventory_source_item": Rule((("spelling", "sku"),)),
    "inventory_reservation": Rule((("spelling", "sku"),), frozenset({"metadata"})),
    "inventory_source": Rule((("everything", "product"),), compared=frozenset({"source_code", "enabled"})),
    "inventory_source_stock_link": Rule((("everything", "product"),), frozenset({"priority"})),
    "inventory_stock_sales_channel": Rule((("everything", "product"),)),
    # Its links and channels go by cascade.
    "inventory_stock": Rule((), on_delete=(("everything", "product"),)),
}
_ATTRIBUTE_RULES: Final[Mapping[str, Rule]] = {
    "eav_attribute": Rule(
        (("everything", "product"),),
        compared=frozenset(
            {"attribute_code", "backend_type", "entity_type_id", "is_user_defined", "source_model"}
        ),
    ),
    "catalog_eav_attribute": Rule(
        (("refers_to", "attribute:attribute_id"),), compared=frozenset({"additional_data"})
    ),
    "eav_attribute_label": Rule(
        (("refers_to", "attribute:attribute_id"),), frozenset({"attribute_label_id"})
    ),
    # Whether values are option ids depends on whether there is any option.
    "eav_attribute_option": replace(
        _BY_OPTION,
        on_create=(("options_of", "attribute_id"),),
        on_delete=(("options_of", "attribute_id"),),
    ),
    "eav_attribute_option_value": _BY_OPTION,
    "eav_attribute_option_swatch": _BY_OPTION,
    "eav_attribute_set": Rule(
        (("refers_to", "attribute_set:attribute_set_id"),), frozenset({"sort_order", "entity_type_id"})
    ),
    "tax_class": Rule((("refers_to", "tax_class:class_id"),), frozenset({"class_type"})),
}

_CATEGORY_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "catalog_category_entity": (
        # Also those below and above: what they show of it.
        Rule(
            (("refers_to", "category:entity_id"),),
            ignored=frozenset({"updated_at", "created_at", "position", "children_count", "attribute_set_id"}),
        ),
        Rule(
            (("category", "entity_id"),),
            compared=frozenset({"path", "level", "position", "parent_id"}),
            on_create=(("category", "parent_id"),),
            on_delete=(("category", "parent_id"),),
            on_change=(frozenset({"parent_id"}), (("category", "parent_id"),)),
        ),
    ),
    "catalog_category_entity_int": (_CATEGORY_VALUE, _OF_CATEGORY),
    "catalog_category_entity_varchar": (_CATEGORY_VALUE, _OF_CATEGORY),
    "catalog_category_entity_text": (_OF_CATEGORY,),
    # The paid edition's list of category ids, as of products.
    "sequence_catalog_category": (
        Rule((), on_delete=(("refers_to", "category:sequence_value"), ("category", "sequence_value"))),
    ),
    # Whoever is below has the permission too, if nothing nearer says otherwise.
    "magento_catalogpermissions": (
        Rule((("refers_to", "category:category_id"), ("category", "category_id"))),
    ),
}
_SCOPE_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "store": (
        Rule(_EVERY_ITEM, compared=frozenset({"code", "website_id", "group_id"})),
        Rule((("scope", "website:website_id"),), compared=frozenset({"code", "website_id", "group_id"})),
    ),
    "store_group": (
        Rule(_EVERY_ITEM, compared=frozenset({"code", "website_id", "root_category_id"})),
        # A website's settings are those of its default store's default view; prices depend on them.
        Rule((("everything", "product"),), compared=frozenset({"default_store_id"})),
        Rule((("scope", "website:website_id"),), compared=frozenset({"code", "website_id"})),
    ),
    "store_website": (
        Rule(_EVERY_ITEM, compared=frozenset({"code"})),
        Rule((("everything", "product"),), compared=frozenset({"default_group_id"})),
        Rule((("scope", "website:website_id"),), compared=frozenset({"code", "name"})),
        Rule((("refers_to", "website:*"),), compared=frozenset({"code"})),
    ),
    "customer_group": (
        Rule((("scope", "group:customer_group_id"),), compared=frozenset()),
        Rule((("refers_to", "group:*"),), compared=frozenset({"customer_group_code"})),
        # Its prices go by cascade.
        Rule((), compared=frozenset(), on_delete=(("refers_to", "group:customer_group_id"),)),
    ),
    "customer_group_excluded_website": (
        Rule((("scope", "group:customer_group_id"),), frozenset({"entity_id"})),
    ),
    "core_config_data": (
        Rule(
            (("config", "path"),),
            frozenset({"updated_at", "config_id"}),
            only=("path", frozenset().union(*PATHS_OF.values())),
        ),
    ),
}
# Columns of an attribute that its own item shows; `additional_data` and the like are not among them.
_ATTRIBUTE_COLUMNS: Final = frozenset(
    {
        "attribute_code",
        "backend_type",
        "entity_type_id",
        "frontend_class",
        "frontend_input",
        "frontend_label",
        "is_required",
        "is_unique",
        "is_user_defined",
    }
)
_CATALOG_ATTRIBUTE_COLUMNS: Final = frozenset(
    {
        "attribute_id",
        "is_comparable",
        "is_filterable",
        "is_filterable_in_search",
        "is_global",
        "is_searchable",
        "is_used_for_price_rules",
        "is_visible",
        "is_visible_on_front",
        "search_weight",
        "used_for_sort_by",
        "used_in_product_listing",
    }
)
_FURTHER_ATTRIBUTE_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    "eav_attribute": (
        # Configurable products show it where a store view has no label of its own.
        Rule((("refers_to", "attribute:attribute_id"),), compared=frozenset({"frontend_label"})),
        Rule((("attribute", "attribute_id"),), compared=_ATTRIBUTE_COLUMNS),
        # Where a category's values are found.
        Rule(
            (("everything", "category"),),
            only=("attribute_code", CATEGORY_ATTRIBUTES),
            compared=frozenset({"attribute_code", "backend_type", "entity_type_id"}),
        ),
    ),
    "catalog_eav_attribute": (Rule((("attribute", "attribute_id"),), compared=_CATALOG_ATTRIBUTE_COLUMNS),),
    "eav_attribute_label": (Rule((("attribute", "attribute_id"),), frozenset({"attribute_label_id"})),),
}
# Of the paid edition.
_BOUNDS: Final = frozenset({"created_in", "updated_in"})
_VERSION_RULES: Final[Mapping[str, tuple[Rule, ...]]] = {
    # The version that takes over may have other children and links than the one before.
    "catalog_product_entity": (
        Rule(
            (),
            compared=_BOUNDS,
            on_change=(_BOUNDS, (("neighbours", "entity_id"), ("refers_to", "product:entity_id"))),
        ),
    ),
    # Of one that has no version today nobody knows yet, and the category above will list it.
    "catalog_category_entity": (
        Rule((("category", "entity_id"), ("category", "parent_id")), compared=_BOUNDS),
    ),
}


def _together(*tables: Mapping[str, tuple[Rule, ...]]) -> dict[str, tuple[Rule, ...]]:
    """All rules of each table."""
    rules: dict[str, tuple[Rule, ...]] = {}
    for of_table in tables:
        for table, some in of_table.items():
            rules[table] = rules.get(table, ()) + some
    return rules


RULES: Final[Mapping[str, tuple[Rule, ...]]] = _together(
    *(
        {table: (rule,) for table, rule in rules.items()}
        for rules in (
            _PRODUCT_RULES,
            _MEDIA_RULES,
            _OPTION_RULES,
            _PRICE_RULES,
            _STOCK_RULES,
            _ATTRIBUTE_RULES,
        )
    ),
    _CATEGORY_RULES,
    _SCOPE_RULES,
    _FURTHER_ATTRIBUTE_RULES,
    _VERSION_RULES,
)


def touched(
    table: str, op: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> list[Touch]:
    """What one row change touches, without repetition; empty when it matters to no feed."""
    if op == "t":
        return _all_of(RULES.get(table, ()))
    changed = _changed(before, after)
    images = [image for image in (before, after) if image is not None]
    return list(
        dict.fromkeys(touch for rule in RULES.get(table, ()) for touch in _touched(rule, op, changed, images))
    )


def _touched(
    rule: Rule, op: str, changed: frozenset[str] | None, images: Sequence[Mapping[str, Any]]
) -> Iterator[Touch]:
    if changed is not None:
        matters = changed - rule.ignored if rule.compared is None else changed & rule.compared
        if not matters:
            return
    if rule.only is not None and not any(image.get(rule.only[0]) in rule.only[1] for image in images):
        return
    pairs = rule.names + {"c": rule.on_create, "d": rule.on_delete}.get(op, ())
    if changed is not None and changed & rule.on_change[0]:
        pairs += rule.on_change[1]
    for image in images:
        yield from _named(pairs, image)


def _all_of(rules: Iterable[Rule]) -> list[Touch]:
    """Everything that any row of a table could touch, the first sync's order."""
    entities: set[str] = set()
    for rule in rules:
        for kind, column in (*rule.names, *rule.on_create, *rule.on_delete):
            entities |= _entities_of(kind, column)
    return [Touch("everything", entity) for entity in FEEDS_OF if entity in entities]


def _entities_of(kind: Kind, column: str) -> frozenset[str]:
    if kind in FEEDS_OF:
        return frozenset({kind})
    if kind == "everything":
        return frozenset({column})
    if kind == "config":
        return frozenset(PATHS_OF)
    if kind == "refers_to":
        return frozenset(referrers(column))
    return frozenset({"product"})


def referrers(reference: str) -> tuple[str, ...]:
    """Kinds of entity that may have been built from a row of this kind."""
    kind = reference.partition(":")[0]
    return _REFERRERS.get(reference) or _REFERRERS.get(kind, ("product",))


_REFERRERS: Final[Mapping[str, tuple[str, ...]]] = {
    "category": ("category", "product"),
    "config": ("scope",),
    # Products are priced for single groups.
    "group:*": ("scope", "product"),
    "website": ("scope",),
}


def _changed(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> frozenset[str] | None:
    """Columns an update changed; None for a row that came or went."""
    if before is None or after is None:
        return None
    return frozenset(column for column, value in before.items() if after.get(column) != value)


def _named(pairs: tuple[tuple[Kind, str], ...], image: Mapping[str, Any]) -> Iterator[Touch]:
    for kind, column in pairs:
        if kind == "everything" or column.endswith(":*"):
            yield Touch(kind, column)
            continue
        prefix, _, name = column.rpartition(":")
        value = image.get(name)
        if kind == "config":
            yield from _configured(str(value))
        elif value is not None:
            yield Touch(kind, f"{prefix}:{value}" if prefix else str(value))


def _configured(path: str) -> Iterator[Touch]:
    """Scopes say which paths they were made of; of the others all are."""
    yield from (
        Touch("everything", entity)
        for entity, paths in PATHS_OF.items()
        if path in paths and entity != "scope"
    )
    if path in PATHS_OF["scope"]:
        yield Touch("refers_to", f"config:{path}")


# RENAME and TRUNCATE move rows without a row event. `ALTER TABLE .. RENAME` does the same.
_ROWLESS_DDL: Final = re.compile(
    r"^\s*(?:/\*.*?\*/\s*)*(RENAME\s+TABLE|TRUNCATE|DROP\s+TABLE|ALTER\s+TABLE.*\sRENAME\s+(TO\s)?)",
    re.IGNORECASE | re.DOTALL,
)


def touched_by_ddl(ddl: str, table_prefix: str) -> list[Touch]:
    """What a DDL statement touches: everything made of rows that it moves, where their table has a rule."""
    if not _ROWLESS_DDL.match(ddl):
        return []
    words = set(re.findall(r"[A-Za-z0-9_$]+", ddl))
    return _all_of(rule for table, rules in RULES.items() if table_prefix + table in words for rule in rules)
