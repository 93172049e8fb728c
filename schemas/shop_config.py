"""The shop's configuration as far as items show it."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

BASE_URL: Final = "web/unsecure/base_url"
SECURE_URL: Final = "web/secure/base_url"
MEDIA_URL: Final = "web/unsecure/base_media_url"
LINK_URL: Final = "web/unsecure/base_link_url"
USE_STORE: Final = "web/url/use_store"
USE_REWRITES: Final = "web/seo/use_rewrites"
WEIGHT_UNIT: Final = "general/locale/weight_unit"
CURRENCY: Final = "currency/options/base"
TIMEZONE: Final = "general/locale/timezone"
LOW_STOCK_BELOW: Final = "cataloginventory/options/stock_threshold_qty"
MANAGE_STOCK: Final = "cataloginventory/item_options/manage_stock"
BACKORDERS: Final = "cataloginventory/item_options/backorders"
MIN_QTY: Final = "cataloginventory/item_options/min_qty"
MIN_SALE_QTY: Final = "cataloginventory/item_options/min_sale_qty"
MAX_SALE_QTY: Final = "cataloginventory/item_options/max_sale_qty"
USE_INCREMENTS: Final = "cataloginventory/item_options/enable_qty_increments"
INCREMENTS: Final = "cataloginventory/item_options/qty_increments"
DEFAULT_SORT_BY: Final = "catalog/frontend/default_sort_by"
PRICE_SCOPE: Final = "catalog/price/scope"
# Of the paid edition; 0 grants to nobody, 1 to everyone, 2 to the groups named in the path beside it.
PERMISSIONS_ENABLED: Final = "catalog/magento_catalogpermissions/enabled"
GRANT_VIEW: Final = "catalog/magento_catalogpermissions/grant_catalog_category_view"
GRANT_PRICE: Final = "catalog/magento_catalogpermissions/grant_catalog_product_price"
GRANT_CART: Final = "catalog/magento_catalogpermissions/grant_checkout_items"

# Of PRICE_SCOPE: prices and their currency are those of the whole shop; else each website has its own.
ONE_PRICE: Final = "0"

# What Commerce ships with; nothing stands in the table until somebody saves another value. Rewrites are
# off as shipped, but every installation guide turns them on, so only a saved 0 counts as off.
DEFAULTS: Final[Mapping[str, str]] = {
    BASE_URL: "",
    SECURE_URL: "",
    MEDIA_URL: "{{unsecure_base_url}}media/",
    LINK_URL: "{{unsecure_base_url}}",
    USE_STORE: "0",
    USE_REWRITES: "1",
    WEIGHT_UNIT: "lbs",
    CURRENCY: "USD",
    TIMEZONE: "America/Los_Angeles",
    LOW_STOCK_BELOW: "0",
    MANAGE_STOCK: "1",
    BACKORDERS: "0",
    MIN_QTY: "0",
    MIN_SALE_QTY: "1",
    MAX_SALE_QTY: "10000",
    USE_INCREMENTS: "0",
    INCREMENTS: "1",
    DEFAULT_SORT_BY: "position",
    PRICE_SCOPE: ONE_PRICE,
    PERMISSIONS_ENABLED: "0",
    GRANT_VIEW: "1",
    GRANT_PRICE: "1",
    GRANT_CART: "1",
    f"{GRANT_VIEW}_groups": "",
    f"{GRANT_PRICE}_groups": "",
    f"{GRANT_CART}_groups": "",
}
# A change of any other path matters to no item.
PATHS: Final = tuple(DEFAULTS)
# What each kind of entity depends on.
PATHS_OF: Final[Mapping[str, frozenset[str]]] = {
    "scope": frozenset({CURRENCY, PRICE_SCOPE}),
    "category": frozenset({BASE_URL, SECURE_URL, MEDIA_URL, DEFAULT_SORT_BY}),
    "product": frozenset(DEFAULTS) - {DEFAULT_SORT_BY, PRICE_SCOPE},
}

Config = Mapping[str, str]


def value(config: Config, path: str) -> str:
    """The value in one scope; `config` holds only what is set, an empty text included."""
    found = config.get(path)
    return DEFAULTS[path] if found is None else found


# What a text begins with that is a number.
_NUMBER: Final = re.compile(r"\s*([+-]?(?:\d+(?:\.\d*)?|\.\d+))", re.ASCII)


def leading_number(text: str) -> Decimal:
    """What a setting's text means as a number: as the shop reads it, the number it begins with, else 0."""
    found = _NUMBER.match(text)
    return Decimal(found[1]) if found else Decimal(0)


def flag(config: Config, path: str) -> bool:
    return is_on(value(config, path))


def is_on(text: str) -> bool:
    """What a setting's text means as yes or no."""
    return text not in {"", "0", "false"}


def groups_path(path: str) -> str:
    """Where the groups stand that are granted something, separated by commas."""
    return f"{path}_groups"


def base_url(config: Config) -> str:
    """Where the web server answers; empty where the shop has no address of its own."""
    return slashed(value(config, BASE_URL).replace("{{base_url}}", ""))


def link_url(config: Config, store_view_code: str) -> str:
    """What the addresses of pages begin with."""
    script = "" if flag(config, USE_REWRITES) else "index.php/"
    store = f"{store_view_code}/" if flag(config, USE_STORE) else ""
    return f"{_address(config, LINK_URL)}{script}{store}"


def media_url(config: Config) -> str:
    """What the addresses of pictures begin with."""
    return _address(config, MEDIA_URL)


def _address(config: Config, path: str) -> str:
    """The address at a path; placeholders in it stand for the base addresses of the same scope."""
    address = value(config, path) or DEFAULTS[path]
    # Itself often nothing but a placeholder.
    address = address.replace("{{secure_base_url}}", value(config, SECURE_URL) or "{{base_url}}")
    for placeholder in ("{{unsecure_base_url}}", "{{base_url}}"):
        address = address.replace(placeholder, base_url(config))
    return slashed(address)


def slashed(address: str) -> str:
    """A base address as the shop reads it: with one slash at its end, whether it was saved so or not."""
    return f"{address.rstrip('/')}/" if address else ""
