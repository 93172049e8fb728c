"""The Commerce Optimizer Catalog Data Ingestion API: its routes, identities, limits and request bodies.

Schemas are JSON Schema 2020-12. Unlisted members are tolerated except in categories, as the service does.
Source: the service's public API description of July 2026; where published texts disagree, the reading
that accepts more is taken and the line says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Schema = dict[str, Any]
Identity = tuple[str, ...]

TENANT_PATH: Final = "/{tenant}"
PRODUCT_BYTES_MAX: Final = 200 * 1024
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


def identity_of(members: tuple[str, ...], item: Mapping[str, Any]) -> Identity:
    """Read what names an item at the service, e.g. ("24-MB01", "default").

    Args:
        members: `Route.identity`; "source.locale" is the member locale of the member source.
        item: valid by the route's schema. A layer may have no locale: its part is then "".
    """
    parts = []
    for member in members:
        value: Any = item
        for name in member.split("."):
            value = value.get(name, "")
        parts.append(value)
    return tuple(parts)


def request_schema(feed: str, operation: str) -> Schema:
    """The schema of a whole request body: an array of items."""
    return _list(_ITEMS[feed][operation])


def _object(required: str, /, **members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": required.split()}


def _closed(schema: Schema) -> Schema:
    return {**schema, "additionalProperties": False}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _one_of(*values: str) -> Schema:
    return {"enum": list(values)}


def _text(shortest: int = 0, longest: int | None = None) -> Schema:
    schema: Schema = {"type": "string"}
    if shortest:
        schema["minLength"] = shortest
    if longest is not None:
        schema["maxLength"] = longest
    return schema


TEXT: Final = _text()
TEXT_OR_NULL: Final[Schema] = {"type": ["string", "null"]}
NUMBER: Final[Schema] = {"type": "number"}
WHOLE: Final[Schema] = {"type": "integer"}
FLAG: Final[Schema] = {"type": "boolean"}

SOURCE: Final = _object("locale", locale=TEXT)
LAYER_SOURCE: Final = _object("layer", locale=TEXT, layer=TEXT)
META_TAGS: Final = _object("", title=TEXT, description=TEXT, keywords=_list(TEXT))


def _image(*roles: str) -> Schema:
    return _object("url", url=TEXT, label=TEXT, roles=_list(_one_of(*roles)), customRoles=_list(TEXT))


# What a product and a layer over it have in common.
_LAYER_MEMBERS: Final[dict[str, Schema]] = {
    "name": TEXT,
    "description": TEXT_OR_NULL,
    "shortDescription": TEXT_OR_NULL,
    "metaTags": META_TAGS,
    "attributes": _list(
        _object("code values", code=TEXT, values=_list(TEXT), variantReferenceId=TEXT_OR_NULL)
    ),
    "images": _list(_image("BASE", "SMALL", "THUMBNAIL", "SWATCH")),
    "links": _list(_object("type sku", type=TEXT, sku=TEXT)),
    "externalIds": _list(_object("id origin", id=TEXT, origin=TEXT)),
}
_PRODUCT_KEY: Final = {"sku": TEXT, "source": SOURCE}
_PRODUCT: Final[dict[str, Schema]] = {
    **_PRODUCT_KEY,
    **_LAYER_MEMBERS,
    "slug": TEXT,
    "status": _one_of("ENABLED", "DISABLED"),
    "visibleIn": _list(_one_of("CATALOG", "SEARCH")),
    "routes": _list(_object("path", path=TEXT, position=WHOLE)),
    "configurations": _list(
        _object(
            "attributeCode type values",
            attributeCode=TEXT,
            label=TEXT,
            defaultVariantReferenceId=TEXT_OR_NULL,
            type=_one_of("CONFIGURABLE", "SWATCH"),
            values=_list(
                _object(
                    "variantReferenceId", variantReferenceId=TEXT, label=TEXT, colorHex=TEXT, imageUrl=TEXT
                )
            ),
        )
    ),
    "bundles": _list(
        _object(
            "group items",
            group=TEXT,
            required=FLAG,
            multiSelect=FLAG,
            defaultItemSkus=_list(TEXT),
            items=_list(_object("sku", sku=TEXT, qty=NUMBER, userDefinedQty=FLAG)),
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
    "dataType": _one_of(*_DATA_TYPES, "OBJECT"),
    "visibleIn": _list(_one_of("PRODUCT_DETAIL", "PRODUCT_LISTING", "SEARCH_RESULTS", "PRODUCT_COMPARE")),
    "filterable": FLAG,
    "sortable": FLAG,
    "searchable": FLAG,
    "searchWeight": NUMBER,
    "searchTypes": _list(_one_of("AUTOCOMPLETE", "CONTAINS", "STARTS_WITH")),
}
_CATEGORY_METADATA: Final[dict[str, Schema]] = {
    **_METADATA_KEY,
    "label": TEXT,
    "dataType": _one_of(*_DATA_TYPES),
}

_CATEGORY_KEY: Final[dict[str, Schema]] = {
    "slug": {**_text(1, 1024), "pattern": "^[a-z0-9-]+(?:/[a-z0-9-]+)*$"},
    "source": SOURCE,
}
_CATEGORY: Final[dict[str, Schema]] = {
    **_CATEGORY_KEY,
    "name": _text(1, 128),
    "description": TEXT_OR_NULL,
    "families": {"type": ["array", "null"], "items": TEXT},
    "position": WHOLE,
    "metaTags": META_TAGS,
    "attributes": _list(_object("code values", code=TEXT, values=_list(TEXT))),
    "images": _list(_image("BASE", "THUMBNAIL")),
}

# As published, a book has either a currency or a parent. The prose lets a book have neither (USD) or
# both (the parent is ignored) and an update carry the name alone, so only the id is demanded.
_PRICE_BOOK: Final = _object(
    "priceBookId", priceBookId=_text(1, 64), name=_text(1), currency=_text(1, 5), parentId=_text(1, 64)
)

_PRICE_KEY: Final = {"sku": TEXT, "priceBookId": TEXT}


def _amounts(name: str, schema: Schema) -> Schema:
    """Discounts and tiers: named by one member, worth a price or a percentage."""
    kinds = [_object(f"{name} {worth}", **{name: schema, worth: NUMBER}) for worth in ("price", "percentage")]
    return _list({"anyOf": kinds})


_PRICE: Final[dict[str, Schema]] = {
    **_PRICE_KEY,
    "regular": NUMBER,
    "discounts": _amounts("code", TEXT),
    "tierPrices": _amounts("qty", NUMBER),
}

_ITEMS: Final[dict[str, dict[str, Schema]]] = {
    "products": {
        "upsert": _object("sku source name slug status", **_PRODUCT),
        "patch": _object("sku source", **_PRODUCT),
        "delete": _object("sku source", **_PRODUCT_KEY),
    },
    "product-attributes": {
        "upsert": _object("code source label dataType", **_PRODUCT_METADATA),
        "patch": _object("code source", **_PRODUCT_METADATA),
        "delete": _object("code source", **_METADATA_KEY),
    },
    "category-attributes": {
        "upsert": _object("code source label dataType", **_CATEGORY_METADATA),
        "patch": _object("code source", **_CATEGORY_METADATA),
        "delete": _object("code source", **_METADATA_KEY),
    },
    "categories": {
        "upsert": _closed(_object("slug source name", **_CATEGORY)),
        "patch": _closed(_object("slug source", **_CATEGORY)),
        "delete": _closed(_object("slug source", **_CATEGORY_KEY)),
    },
    "product-layers": {
        "upsert": _object("sku source", **_LAYER_KEY, **_LAYER_MEMBERS),
        "delete": _object("sku source", **_LAYER_KEY),
    },
    "price-books": {
        "upsert": _PRICE_BOOK,
        "patch": _PRICE_BOOK,
        "delete": _object("priceBookId", priceBookId=TEXT),
    },
    "prices": {
        "upsert": _object("sku priceBookId regular", **_PRICE),
        "patch": _object("sku priceBookId", **_PRICE),
        "delete": _object("sku priceBookId", **_PRICE_KEY),
    },
}
