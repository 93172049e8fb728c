"""The Commerce tables the pipeline captures and may read, without their prefix.

Source: the exporter's own subscriptions plus the tables it reads without noticing their changes
(option titles, url rewrites, links, media, labels, tax classes, configuration).
"""

from collections.abc import Mapping
from typing import Final

EAV_TYPES: Final = ("int", "decimal", "text", "varchar", "datetime")

PRODUCT_TABLES: Final = (
    "catalog_product_entity",
    *(f"catalog_product_entity_{backend_type}" for backend_type in EAV_TYPES),
    "catalog_product_entity_gallery",
    "catalog_product_entity_media_gallery",
    "catalog_product_entity_media_gallery_value",
    "catalog_product_entity_media_gallery_value_to_entity",
    "catalog_product_entity_media_gallery_value_video",
    "catalog_product_entity_tier_price",
    "catalog_product_website",
    "catalog_product_relation",
    "catalog_product_link",
    "catalog_product_link_attribute_decimal",
    "catalog_product_link_attribute_int",
    "catalog_product_link_attribute_varchar",
    "catalog_product_option",
    "catalog_product_option_title",
    "catalog_product_option_price",
    "catalog_product_option_type_value",
    "catalog_product_option_type_title",
    "catalog_product_option_type_price",
    "catalog_product_super_attribute",
    "catalog_product_super_attribute_label",
    "catalog_product_super_link",
    "catalog_product_bundle_option",
    "catalog_product_bundle_option_value",
    "catalog_product_bundle_selection",
    "catalog_product_bundle_selection_price",
    "downloadable_link",
    "downloadable_link_title",
    "downloadable_link_price",
    "downloadable_sample",
    "downloadable_sample_title",
    "catalogrule_product_price",
    "catalogrule_product_price_replica",
)

STOCK_TABLES: Final = (
    "cataloginventory_stock_item",
    "cataloginventory_stock_status",
    "inventory_source",
    "inventory_source_item",
    "inventory_stock",
    "inventory_source_stock_link",
    "inventory_stock_sales_channel",
    "inventory_reservation",
)

CATEGORY_TABLES: Final = (
    "catalog_category_entity",
    *(f"catalog_category_entity_{backend_type}" for backend_type in EAV_TYPES),
    "catalog_category_product",
)

ATTRIBUTE_TABLES: Final = (
    "eav_attribute",
    "catalog_eav_attribute",
    "eav_attribute_label",
    "eav_attribute_option",
    "eav_attribute_option_value",
    "eav_attribute_option_swatch",
    "eav_attribute_set",
)

SCOPE_TABLES: Final = (
    "store_website",
    "store_group",
    "store",
    "customer_group",
    "customer_group_excluded_website",
    "tax_class",
    "core_config_data",
    "url_rewrite",
)

# Of the paid edition; elsewhere they are not there.
PAID_TABLES: Final = ("magento_catalogpermissions", "sequence_product", "sequence_catalog_category")

CAPTURED_TABLES: Final = (
    PRODUCT_TABLES + STOCK_TABLES + CATEGORY_TABLES + ATTRIBUTE_TABLES + SCOPE_TABLES + PAID_TABLES
)

# Tables of modules that a shop may do without, and the columns that statements of ours name.
OPTIONAL_TABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "catalog_product_bundle_option": ("option_id", "parent_id", "required", "position", "type"),
    "catalog_product_bundle_option_value": ("option_id", "parent_product_id", "store_id", "title"),
    "catalog_product_bundle_selection": (
        *("selection_id", "option_id", "parent_product_id", "product_id", "position", "is_default"),
        *("selection_price_type", "selection_price_value", "selection_qty", "selection_can_change_qty"),
    ),
    "catalog_product_bundle_selection_price": (
        *("selection_id", "website_id", "selection_price_type", "selection_price_value"),
    ),
    "catalog_product_entity_media_gallery_value_video": (
        *("value_id", "store_id", "provider", "url", "title", "description", "metadata"),
    ),
    "catalog_product_super_attribute": ("product_id", "attribute_id", "position"),
    "catalog_product_super_link": ("product_id", "parent_id"),
    "catalogrule_product_price": (
        *("product_id", "website_id", "customer_group_id", "rule_date", "rule_price"),
    ),
    # Older releases have none.
    "customer_group_excluded_website": ("customer_group_id", "website_id"),
    "downloadable_link": (
        *("link_id", "product_id", "sort_order", "number_of_downloads", "sample_url", "sample_file"),
    ),
    "downloadable_link_price": ("price_id", "link_id", "website_id", "price"),
    "downloadable_link_title": ("link_id", "store_id", "title"),
    "downloadable_sample": ("sample_id", "product_id", "sort_order"),
    "downloadable_sample_title": ("sample_id", "store_id", "title"),
    "eav_attribute_option_swatch": ("option_id", "store_id", "type", "value"),
}

# Read by the builder, never changed by a running shop in a way that matters to an item.
READ_ONLY_TABLES: Final = ("eav_entity_type", "catalog_product_link_type", "catalog_product_link_attribute")

# Long text is only compared by the router, so it travels as a hash: one 5 MB description would
# otherwise fail the connector's task. Configuration values may hold other modules' secrets.
HASHED_COLUMNS: Final = (
    ("catalog_product_entity_text", "value"),
    ("catalog_category_entity_text", "value"),
    ("catalog_product_entity_media_gallery_value_video", "description"),
    ("catalog_product_entity_media_gallery_value_video", "metadata"),
    ("core_config_data", "value"),
)

# Attributes of a category that any item is made of.
CATEGORY_ATTRIBUTES: Final = frozenset(
    {
        "available_sort_by",
        "default_sort_by",
        "description",
        "display_mode",
        "image",
        "include_in_menu",
        "is_active",
        "is_anchor",
        "meta_description",
        "meta_keywords",
        "meta_title",
        "name",
        "url_key",
    }
)
