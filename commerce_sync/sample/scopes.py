"""Websites, store views, customer groups, taxes, stocks and configuration of the sample catalog."""

from typing import Final

from commerce_sync.sample.rows import Rows

CREATED: Final = "2026-01-15 00:00:00"
ROOT_CATEGORY: Final = {"base": 2, "outlet": 3}
# Store view -> its website; `default` is 1, `de` 2, `outlet` 3.
WEBSITE_OF_STORE: Final = {1: 1, 2: 1, 3: 2}
STORES_OF_WEBSITE: Final = {1: (1, 2), 2: (3,)}
LINK_TYPES: Final = {"related": 1, "grouped": 3, "upsell": 4, "crosssell": 5}
GROUPED_POSITION: Final = 2
GROUPED_QUANTITY: Final = 3

_CONFIG: Final = (
    ("default", 0, "web/unsecure/base_url", "http://shop.example.com/"),
    ("default", 0, "web/secure/base_url", "https://shop.example.com/"),
    ("stores", 2, "web/unsecure/base_url", "http://de.shop.example.com/"),
    ("websites", 2, "web/unsecure/base_url", "http://outlet.example.com/"),
    ("default", 0, "web/seo/use_rewrites", "1"),
    ("default", 0, "web/url/use_store", "0"),
    ("default", 0, "catalog/seo/product_url_suffix", ".html"),
    ("default", 0, "catalog/seo/category_url_suffix", ".html"),
    # Rewrites of a product below each of its categories are switched off, as big catalogs do.
    ("default", 0, "catalog/seo/generate_category_product_rewrites", "0"),
    ("default", 0, "catalog/seo/save_rewrites_history", "1"),
    ("default", 0, "catalog/price/scope", "0"),
    ("default", 0, "currency/options/base", "USD"),
    ("default", 0, "currency/options/default", "USD"),
    ("default", 0, "currency/options/allow", "USD,EUR"),
    ("stores", 2, "currency/options/default", "EUR"),
    ("default", 0, "general/locale/code", "en_US"),
    ("stores", 2, "general/locale/code", "de_DE"),
    ("default", 0, "general/locale/timezone", "America/Los_Angeles"),
    ("websites", 2, "general/locale/timezone", "Europe/Berlin"),
    ("default", 0, "general/locale/weight_unit", "lbs"),
    ("stores", 2, "general/locale/weight_unit", "kgs"),
    ("default", 0, "cataloginventory/item_options/manage_stock", "1"),
    ("default", 0, "cataloginventory/item_options/backorders", "0"),
    ("default", 0, "cataloginventory/item_options/min_qty", "0"),
    ("default", 0, "cataloginventory/options/stock_threshold_qty", "5"),
)


def add_scopes(rows: Rows) -> None:
    """What a catalog needs before its first category."""
    _add_stores(rows)
    _add_groups(rows)
    for scope, scope_id, path, value in _CONFIG:
        rows.add("core_config_data", scope, scope_id, path, value, CREATED)
    _add_link_types(rows)
    _add_stocks(rows)


def _add_stores(rows: Rows) -> None:
    rows.add("store_website", 0, "admin", "Admin", 0, 0, 0)
    rows.add("store_website", 1, "base", "Main Website", 0, 1, 1)
    rows.add("store_website", 2, "outlet", "Outlet", 1, 2, 0)
    rows.add("store_group", 0, 0, "Default", 0, 0, "default")
    rows.add("store_group", 1, 1, "Main Website Store", ROOT_CATEGORY["base"], 1, "main_website_store")
    rows.add("store_group", 2, 2, "Outlet Store", ROOT_CATEGORY["outlet"], 3, "outlet_store")
    rows.add("store", 0, "admin", 0, 0, "Admin", 0, 1)
    rows.add("store", 1, "default", 1, 1, "Default Store View", 0, 1)
    rows.add("store", 2, "de", 1, 1, "Deutsch", 1, 1)
    rows.add("store", 3, "outlet", 2, 2, "Outlet", 0, 1)


def _add_groups(rows: Rows) -> None:
    rows.add("tax_class", 2, "Taxable Goods", "PRODUCT")
    rows.add("tax_class", 3, "Retail Customer", "CUSTOMER")
    rows.add("tax_class", 4, "Reduced Rate Goods", "PRODUCT")
    for group_id, code in enumerate(("NOT LOGGED IN", "General", "Wholesale", "Retailer")):
        rows.add("customer_group", group_id, code, 3)
    rows.add("customer_group_excluded_website", 3, 2)


def _add_link_types(rows: Rows) -> None:
    for link_type, code in ((1, "relation"), (3, "super"), (4, "up_sell"), (5, "cross_sell")):
        rows.add("catalog_product_link_type", link_type, code)
    rows.add("catalog_product_link_attribute", 1, LINK_TYPES["related"], "position", "int")
    rows.add("catalog_product_link_attribute", GROUPED_POSITION, LINK_TYPES["grouped"], "position", "int")
    rows.add("catalog_product_link_attribute", GROUPED_QUANTITY, LINK_TYPES["grouped"], "qty", "decimal")
    rows.add("catalog_product_link_attribute", 4, LINK_TYPES["upsell"], "position", "int")
    rows.add("catalog_product_link_attribute", 5, LINK_TYPES["crosssell"], "position", "int")


def _add_stocks(rows: Rows) -> None:
    rows.add("cataloginventory_stock", 1, 0, "Default")
    rows.add("inventory_source", "default", "Default Source", 1, "US", "00000")
    rows.add("inventory_source", "outlet-warehouse", "Outlet Warehouse", 1, "DE", "10115")
    rows.add("inventory_stock", 1, "Default Stock")
    rows.add("inventory_stock", 2, "Outlet Stock")
    rows.add("inventory_source_stock_link", 1, "default", 1)
    rows.add("inventory_source_stock_link", 2, "outlet-warehouse", 1)
    rows.add("inventory_stock_sales_channel", "website", "base", 1)
    rows.add("inventory_stock_sales_channel", "website", "outlet", 2)
