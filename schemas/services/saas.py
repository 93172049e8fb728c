"""The SaaS feed ingestion service: its routes, identities, limits and items.

One route takes a feed's updates and, as items with `deleted: true`, its deletes. Schemas are JSON Schema
2020-12; unlisted members are tolerated, as in the service's own examples.
Source: the service's published description of 2024. Where it contradicts itself (a member is required and
missing in the examples, a flag is 0 or 1, an amount is a number or an object) the reading that accepts more
is taken. Nothing is published on what a delete must hold: we ask for what is required of an item and stands
in the minimal payload that the exporter keeps for deletes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.services.shapes import (
    FLAG,
    NUMBER,
    TEXT,
    WHOLE,
    Identity,
    Schema,
    amounts,
    identity_of,
    list_of,
    object_of,
    one_of,
)

ENVIRONMENT_PATH: Final = "/{environment}"
SIGNATURE_S_MAX: Final = 600  # the longest a signature may hold, as drafts of the description name it


@dataclass(frozen=True, slots=True)
class Route:
    """Where feeds are sent. `path` is followed by the environment; `items_max` is for one request.

    Two feeds share the scopes route: an item's member tells which it belongs to.
    """

    path: str
    feeds: tuple[str, ...]
    items_max: int = 500  # not published; the exporter's own batches hold 100, of prices 500


ROUTES: Final = (
    Route("/categories/v1", ("categories",)),
    Route("/metadata/v2/metadata", ("productAttributes",)),
    Route("/catalog/v2/products", ("products",)),
    Route("/products/v1/prices", ("prices",)),
    Route("/catalog/v2/product-overrides", ("productOverrides",)),
    Route("/product_variant/v2/product_variant", ("variants",)),
    Route("/scopes/v2", ("scopesWebsite", "scopesCustomerGroup")),
)
FEED_ROUTES: Final = {feed: route for route in ROUTES for feed in route.feeds}
FEEDS: Final = tuple(FEED_ROUTES)

IDENTITIES: Final[dict[str, tuple[str, ...]]] = {
    # The id, not the path: a category that moves stays the same one here.
    "categories": ("categoryId", "storeViewCode"),
    "productAttributes": ("attributeCode", "storeViewCode"),
    "products": ("sku", "storeViewCode"),
    "prices": ("sku", "websiteCode", "customerGroupCode"),
    "productOverrides": ("sku", "websiteCode", "customerGroupCode"),
    "variants": ("id",),
    "scopesWebsite": ("website.websiteCode",),
    "scopesCustomerGroup": ("customerGroup.customerGroupCode",),
}
# The member that says how new an item is. An update of a product must bring a greater one than before.
STAMPS: Final = {
    feed: "updatedAt" if feed in {"prices", "scopesWebsite", "scopesCustomerGroup"} else "modifiedAt"
    for feed in FEEDS
}


def identity(feed: str, item: Mapping[str, Any]) -> Identity:
    """What names an item at the service, be it an update or a delete."""
    return identity_of(IDENTITIES[feed], item)


def is_delete(item: Any) -> bool:
    return isinstance(item, dict) and item.get("deleted") is True


def item_schema(route: Route, operation: str) -> Schema:
    """The schema of one item; `operation` is upsert or delete."""
    return _ITEMS[route.path][operation]


def _nullable(schema: Schema) -> Schema:
    """The examples show null for members that are not required."""
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return {**schema, "type": [*types, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def _object(required: str, /, **members: Schema) -> Schema:
    names = required.split()
    return object_of(
        required,
        **{name: schema if name in names else _nullable(schema) for name, schema in members.items()},
    )


# Month, day and time stay within their ranges; whether a month has that day is not asked.
_DAY: Final = r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
_TIME: Final = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
DATE_TIME: Final[Schema] = {"type": "string", "pattern": f"^{_DAY} {_TIME}$"}
RFC_3339: Final[Schema] = {
    "type": "string",
    "pattern": rf"^{_DAY}[Tt]{_TIME}(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$",
}
_SWITCH: Final[Schema] = {"enum": [True, False, 0, 1]}
_NUMERAL: Final[Schema] = {"anyOf": [WHOLE, {"type": "string", "pattern": r"^-?\d+$"}]}
_SCOPE: Final = {"websiteCode": TEXT, "storeCode": TEXT, "storeViewCode": TEXT}
_SCOPE_NAMES: Final = "websiteCode storeCode storeViewCode"
_DELETED: Final[dict[str, Schema]] = {"deleted": FLAG}

_CATEGORY: Final[dict[str, Schema]] = {
    "categoryId": TEXT,
    **_SCOPE,
    "name": TEXT,
    "path": TEXT,
    "urlKey": TEXT,
    "urlPath": TEXT,
    "isActive": _SWITCH,
    **_DELETED,
    "modifiedAt": DATE_TIME,
    "level": WHOLE,
    "availableSortBy": list_of(TEXT),
    "breadcrumbs": list_of(
        _object(
            "",
            categoryId=TEXT,
            categoryLevel=WHOLE,
            categoryName=TEXT,
            categoryUrlKey=TEXT,
            categoryUrlPath=TEXT,
        )
    ),
    "children": list_of(TEXT),
    "createdAt": DATE_TIME,
    "defaultSortBy": TEXT,
    "description": TEXT,
    "displayMode": TEXT,
    "image": TEXT,
    "includeInMenu": _SWITCH,
    "isAnchor": _SWITCH,
    "metaDescription": TEXT,
    "metaKeywords": TEXT,
    "metaTitle": TEXT,
    "pathInStore": TEXT,
    "position": WHOLE,
    "updatedAt": DATE_TIME,
}

_METADATA: Final[dict[str, Schema]] = {
    "attributeCode": TEXT,
    "attributeType": TEXT,
    **_SCOPE,
    "dataType": TEXT,
    "label": TEXT,
    "required": FLAG,
    "modifiedAt": DATE_TIME,
    **_DELETED,
    "frontendInput": TEXT,
    "searchWeight": NUMBER,
    **dict.fromkeys(
        (
            *("global", "multi", "numeric", "systemAttribute", "unique", "usedForRules", "searchable"),
            *("sortable", "visible", "visibleInCompareList", "visibleInListing", "visibleInSearch"),
            *("filterable", "filterableInSearch"),
        ),
        FLAG,
    ),
}

_IMAGE: Final = _object("", label=TEXT, url=TEXT)
_OPTION_VALUE: Final = _object(
    "",
    colorHex=TEXT,
    customSwatchValue=TEXT,
    id=TEXT,
    imageUrl=TEXT,
    infoUrl=TEXT,
    isDefault=FLAG,
    label=TEXT,
    price=NUMBER,
    priceType=TEXT,
    qty=NUMBER,
    qtyMutability=FLAG,
    sku=TEXT,
    sortOrder=WHOLE,
)
_PRODUCT: Final[dict[str, Schema]] = {
    "sku": TEXT,
    **_SCOPE,
    "type": one_of("bundle", "configurable", "downloadable", "giftcard", "grouped", "simple", "virtual"),
    "name": TEXT,
    "url": TEXT,
    "buyable": FLAG,
    "visibility": one_of("Catalog", "Search", "Catalog, Search", "Not Visible Individually"),
    "status": one_of("Enabled", "Disabled"),
    **_DELETED,
    "createdAt": DATE_TIME,
    "updatedAt": DATE_TIME,
    "modifiedAt": DATE_TIME,
    "urlKey": TEXT,
    "description": TEXT,
    "shortDescription": TEXT,
    "image": _IMAGE,
    "images": list_of(
        _object("", resource=_object("", label=TEXT, roles=list_of(TEXT), url=TEXT), sortOrder=_NUMERAL)
    ),
    "smallImage": _IMAGE,
    "swatchImage": _IMAGE,
    "thumbnail": _IMAGE,
    "categoryData": list_of(_object("", categoryId=TEXT, categoryPath=TEXT, productPosition=WHOLE)),
    "metaDescription": TEXT,
    "metaKeyword": TEXT,
    "metaTitle": TEXT,
    "currency": TEXT,
    "inStock": FLAG,
    "links": list_of(_object("", sku=TEXT, type=TEXT)),
    "linksPurchasedSeparately": FLAG,
    "lowStock": FLAG,
    "attributes": list_of(_object("", attributeCode=TEXT, value=list_of(TEXT))),
    "optionsV2": list_of(
        _object(
            "",
            id=TEXT,
            label=TEXT,
            renderType=TEXT,
            required=FLAG,
            sortOrder=WHOLE,
            swatchType=TEXT,
            type=TEXT,
            values=list_of(_OPTION_VALUE),
        )
    ),
    "parents": list_of(_object("productType sku", productType=TEXT, sku=TEXT)),
    "shopperInputOptions": list_of(
        _object(
            "",
            fileExtension=TEXT,
            id=TEXT,
            imageSizeX=WHOLE,
            imageSizeY=WHOLE,
            label=TEXT,
            price=NUMBER,
            range=_object("", **{"from": NUMBER, "to": NUMBER}),
            renderType=TEXT,
            required=FLAG,
            sku=TEXT,
            sortOrder=WHOLE,
        )
    ),
    "taxClassId": TEXT,
    "variants": list_of(_object("", sku=TEXT)),
    "weight": NUMBER,
    "weightType": one_of("0", "1"),
    "weightUnit": TEXT,
}

_PRICE: Final[dict[str, Schema]] = {
    "sku": TEXT,
    "websiteCode": TEXT,
    "customerGroupCode": TEXT,
    "regular": {"anyOf": [NUMBER, object_of("value", value=NUMBER)]},
    "updatedAt": RFC_3339,
    "discounts": amounts("code", TEXT),
    "parents": list_of(
        _object("", sku=TEXT, type=one_of("BUNDLE_DYNAMIC", "BUNDLE_FIXED", "CONFIGURABLE", "GROUPED"))
    ),
    "type": one_of(
        *("BUNDLE_DYNAMIC", "BUNDLE_FIXED", "CONFIGURABLE", "DOWNLOADABLE", "GIFTCARD", "GROUPED", "SIMPLE")
    ),
    **_DELETED,
}

_OVERRIDE: Final[dict[str, Schema]] = {
    "sku": TEXT,
    "productId": {"type": ["string", "integer"]},
    "websiteCode": TEXT,
    "customerGroupCode": TEXT,
    **_DELETED,
    "displayable": FLAG,
    "addToCartAllowed": FLAG,
    "priceDisplayable": FLAG,
    "modifiedAt": TEXT,
}

_VARIANT: Final[dict[str, Schema]] = {
    **_DELETED,
    "id": TEXT,
    "modifiedAt": TEXT,
    "optionValues": list_of(
        _object("attributeCode uid valueIndex", attributeCode=TEXT, uid=TEXT, valueIndex=TEXT)
    ),
    "parentSku": TEXT,
    "productSku": TEXT,
}

_WEBSITE: Final[dict[str, Schema]] = {
    "website": _object(
        "websiteCode",
        websiteCode=TEXT,
        stores=list_of(_object("", storeCode=TEXT, storeViews=list_of(_object("", storeViewCode=TEXT)))),
    ),
    **_DELETED,
    "updatedAt": RFC_3339,
}
_CUSTOMER_GROUP: Final[dict[str, Schema]] = {
    "customerGroup": _object(
        "customerGroupCode", customerGroupCode=TEXT, websites=list_of(_object("", websiteCode=TEXT))
    ),
    **_DELETED,
    "updatedAt": RFC_3339,
}
# What names a website is judged as one, whatever else it holds.
_SCOPES: Final[Schema] = {
    "anyOf": [
        _object("website", **_WEBSITE),
        {**_object("customerGroup", **_CUSTOMER_GROUP), "not": {"required": ["website"]}},
    ]
}


def _operations(members: dict[str, Schema], required: str, named_by: str) -> dict[str, Schema]:
    """An update as a whole; of a delete's members only what names it."""
    names = named_by.split()
    identity_members = {name: schema for name, schema in members.items() if name in names}
    return {
        "upsert": _object(required, **members),
        "delete": _object(named_by, **identity_members),
    }


_ITEMS: Final[dict[str, dict[str, Schema]]] = {
    "/categories/v1": _operations(
        _CATEGORY,
        f"categoryId {_SCOPE_NAMES} name path urlKey isActive modifiedAt",
        f"categoryId {_SCOPE_NAMES} modifiedAt",
    ),
    "/metadata/v2/metadata": _operations(
        _METADATA,
        f"attributeCode attributeType {_SCOPE_NAMES} dataType label required",
        f"attributeCode attributeType {_SCOPE_NAMES}",
    ),
    "/catalog/v2/products": _operations(
        _PRODUCT,
        f"sku {_SCOPE_NAMES} type name url buyable visibility status createdAt modifiedAt",
        f"sku {_SCOPE_NAMES} modifiedAt",
    ),
    "/products/v1/prices": _operations(
        _PRICE,
        "sku websiteCode customerGroupCode regular updatedAt",
        "sku websiteCode customerGroupCode updatedAt",
    ),
    "/catalog/v2/product-overrides": _operations(
        _OVERRIDE,
        "sku customerGroupCode websiteCode displayable deleted",
        "sku customerGroupCode websiteCode",
    ),
    "/product_variant/v2/product_variant": _operations(
        _VARIANT, "id optionValues deleted", "id optionValues"
    ),
    "/scopes/v2": {"upsert": _SCOPES, "delete": _SCOPES},
}
