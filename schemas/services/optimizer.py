"""The Commerce Optimizer Catalog Data Ingestion API: its routes, identities, limits and request bodies.

Schemas are JSON Schema 2020-12. Unlisted members are tolerated except in categories, as the service does.
Source: the service's public API description of July 2026; where published texts disagree, the reading
that accepts more is taken and the line says so.
"""

from dataclasses import dataclass
from typing import Final

from schemas.services.shapes import (
    FLAG,
    NUMBER,
    TEXT,
    TEXT_OR_NULL,
    WHOLE,
    Schema,
    amounts,
    closed,
    list_of,
    object_of,
    one_of,
    text,
)

TENANT_PATH: Final = "/{tenant}"
PRODUCT_BYTES_MAX: Final = 200 * 1024
SLUG_MAX: Final = 1024
SLUG_PATTERN: Final = "^[a-z0-9-]+(?:/[a-z0-9-]+)*$"
CATEGORY_NAME_MAX: Final = 128
PRICE_BOOK_ID_MAX: Final = 64
CURRENCY_MAX: Final = 5
DEFAULT_PRICE_BOOK: Final = "main"  # exists in USD without being created


@dataclass(frozen=True, slots=True)
class Route:
    """One operation. `path` follows the tenant; `items_max` is what one request may hold."""

    feed: str
    operation: str
    method: str
    path: str
    identity: tuple[str, ...]
    items_max: int


def _routes(
    feed: str, path: str, *identity: str, items_max: int = 100, patch: bool = True
) -> tuple[Route, ...]:
    upsert = Route(feed, "upsert", "POST", path, identity, items_max)
    delete = Route(feed, "delete", "POST", f"{path}/delete", identity, items_max)
    if not patch:
        return (upsert, delete)
    return (upsert, Route(feed, "patch", "PATCH", path, identity, items_max), delete)


ROUTES: Final[tuple[Route, ...]] = (
    *_routes("products", "/v1/catalog/products", "sku", "source.locale"),
    *_routes("product-attributes", "/v1/catalog/products/metadata", "code", "source.locale"),
    *_routes("category-attributes", "/v1/catalog/categories/metadata", "code", "source.locale"),
    *_routes("categories", "/v1/catalog/categories", "slug", "source.locale"),
    *_routes(
        "product-layers",
        "/v1/catalog/products/layers",
        "sku",
        "source.locale",
        "source.layer",
        patch=False,
    ),
    *_routes("price-books", "/v1/catalog/price-books", "priceBookId", items_max=500),
    *_routes("prices", "/v1/catalog/products/prices", "sku", "priceBookId", items_max=500),
)
FEEDS: Final = tuple(dict.fromkeys(route.feed for route in ROUTES))
# Our feeds and the service's, in the order it wants them first: a price without its book is lost.
FEED_RESOURCES: Final = {
    "productAttributes": "product-attributes",
    "categories": "categories",
    "products": "products",
    "priceBooks": "price-books",
    "prices": "prices",
}

# A patch merges these lists member by member; any other list it replaces.
PATCH_MERGE_KEYS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "products": {
        "attributes": ("code",),
        "images": ("url",),
        "routes": ("path",),
        "links": ("type", "sku"),
        "bundles": ("group",),
        "configurations": ("attributeCode",),
        "externalIds": ("origin",),
    },
    "prices": {"discounts": ("code",), "tierPrices": ("qty",)},
}


def request_schema(feed: str, operation: str) -> Schema:
    """The schema of a whole request body: an array of items."""
    return list_of(_ITEMS[feed][operation])


SOURCE: Final = object_of("locale", locale=TEXT)
LAYER_SOURCE: Final = object_of("layer", locale=TEXT, layer=TEXT)
META_TAGS: Final = object_of("", title=TEXT, description=TEXT, keywords=list_of(TEXT))


def _image(*roles: str) -> Schema:
    return object_of("url", url=TEXT, label=TEXT, roles=list_of(one_of(*roles)), customRoles=list_of(TEXT))


# What a product and a layer over it have in common.
_LAYER_MEMBERS: Final[dict[str, Schema]] = {
    "name": TEXT,
    "description": TEXT_OR_NULL,
    "shortDescription": TEXT_OR_NULL,
    "metaTags": META_TAGS,
    "attributes": list_of(
        object_of("code values", code=TEXT, values=list_of(TEXT), variantReferenceId=TEXT_OR_NULL)
    ),
    "images": list_of(_image("BASE", "SMALL", "THUMBNAIL", "SWATCH")),
    "links": list_of(object_of("type sku", type=TEXT, sku=TEXT)),
    "externalIds": list_of(object_of("id origin", id=TEXT, origin=TEXT)),
}
_PRODUCT_KEY: Final = {"sku": TEXT, "source": SOURCE}
_PRODUCT: Final[dict[str, Schema]] = {
    **_PRODUCT_KEY,
    **_LAYER_MEMBERS,
    "slug": TEXT,
    "status": one_of("ENABLED", "DISABLED"),
    "visibleIn": list_of(one_of("CATALOG", "SEARCH")),
    "routes": list_of(object_of("path", path=TEXT, position=WHOLE)),
    "configurations": list_of(
        object_of(
            "attributeCode type values",
            attributeCode=TEXT,
            label=TEXT,
            defaultVariantReferenceId=TEXT_OR_NULL,
            type=one_of("CONFIGURABLE", "SWATCH"),
            values=list_of(
                object_of(
                    "variantReferenceId", variantReferenceId=TEXT, label=TEXT, colorHex=TEXT, imageUrl=TEXT
                )
            ),
        )
    ),
    "bundles": list_of(
        object_of(
            "group items",
            group=TEXT,
            required=FLAG,
            multiSelect=FLAG,
            defaultItemSkus=list_of(TEXT),
            items=list_of(object_of("sku", sku=TEXT, qty=NUMBER, userDefinedQty=FLAG)),
        )
    ),
}

_LAYER_KEY: Final = {"sku": TEXT, "source": LAYER_SOURCE}
_METADATA_KEY: Final = {"code": TEXT, "source": SOURCE}
_DATA_TYPES: Final = ("TEXT", "DECIMAL", "INTEGER", "BOOLEAN")
_PRODUCT_METADATA: Final[dict[str, Schema]] = {
    **_METADATA_KEY,
    "label": TEXT,
    # OBJECT is not in the published list, but Adobe's own connector sends it.
    "dataType": one_of(*_DATA_TYPES, "OBJECT"),
    "visibleIn": list_of(one_of("PRODUCT_DETAIL", "PRODUCT_LISTING", "SEARCH_RESULTS", "PRODUCT_COMPARE")),
    "filterable": FLAG,
    "sortable": FLAG,
    "searchable": FLAG,
    "searchWeight": NUMBER,
    "searchTypes": list_of(one_of("AUTOCOMPLETE", "CONTAINS", "STARTS_WITH")),
}
_CATEGORY_METADATA: Final[dict[str, Schema]] = {
    **_METADATA_KEY,
    "label": TEXT,
    "dataType": one_of(*_DATA_TYPES),
}

_CATEGORY_KEY: Final[dict[str, Schema]] = {
    "slug": {**text(1, SLUG_MAX), "pattern": SLUG_PATTERN},
    "source": SOURCE,
}
_CATEGORY: Final[dict[str, Schema]] = {
    **_CATEGORY_KEY,
    "name": text(1, CATEGORY_NAME_MAX),
    "description": TEXT_OR_NULL,
    "families": {"type": ["array", "null"], "items": TEXT},
    "position": WHOLE,
    "metaTags": META_TAGS,
    "attributes": list_of(object_of("code values", code=TEXT, values=list_of(TEXT))),
    "images": list_of(_image("BASE", "THUMBNAIL")),
}

# As published, a book has either a currency or a parent. The prose lets a book have neither (USD) or
# both (the parent is ignored) and an update carry the name alone, so only the id is demanded.
_PRICE_BOOK: Final = object_of(
    "priceBookId",
    priceBookId=text(1, PRICE_BOOK_ID_MAX),
    name=text(1),
    currency=text(1, CURRENCY_MAX),
    parentId=text(1, PRICE_BOOK_ID_MAX),
)

_PRICE_KEY: Final = {"sku": TEXT, "priceBookId": TEXT}


_PRICE: Final[dict[str, Schema]] = {
    **_PRICE_KEY,
    "regular": NUMBER,
    "discounts": amounts("code", TEXT),
    "tierPrices": amounts("qty", NUMBER),
}

_ITEMS: Final[dict[str, dict[str, Schema]]] = {
    "products": {
        "upsert": object_of("sku source name slug status", **_PRODUCT),
        "patch": object_of("sku source", **_PRODUCT),
        "delete": object_of("sku source", **_PRODUCT_KEY),
    },
    "product-attributes": {
        "upsert": object_of("code source label dataType", **_PRODUCT_METADATA),
        "patch": object_of("code source", **_PRODUCT_METADATA),
        "delete": object_of("code source", **_METADATA_KEY),
    },
    "category-attributes": {
        "upsert": object_of("code source label dataType", **_CATEGORY_METADATA),
        "patch": object_of("code source", **_CATEGORY_METADATA),
        "delete": object_of("code source", **_METADATA_KEY),
    },
    "categories": {
        "upsert": closed(object_of("slug source name", **_CATEGORY)),
        "patch": closed(object_of("slug source", **_CATEGORY)),
        "delete": closed(object_of("slug source", **_CATEGORY_KEY)),
    },
    "product-layers": {
        "upsert": object_of("sku source", **_LAYER_KEY, **_LAYER_MEMBERS),
        "delete": object_of("sku source", **_LAYER_KEY),
    },
    "price-books": {
        "upsert": _PRICE_BOOK,
        "patch": _PRICE_BOOK,
        "delete": object_of("priceBookId", priceBookId=TEXT),
    },
    "prices": {
        "upsert": object_of("sku priceBookId regular", **_PRICE),
        "patch": object_of("sku priceBookId", **_PRICE),
        "delete": object_of("sku priceBookId", **_PRICE_KEY),
    },
}
