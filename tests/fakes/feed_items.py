"""An item of every feed as its topic holds it, and the key of its record."""

from decimal import Decimal
from hashlib import md5, sha1
from typing import Any

GUESTS = sha1(b"0").hexdigest()
SCOPE = {"websiteCode": "base", "storeCode": "main", "storeViewCode": "de"}

ATTRIBUTE: dict[str, Any] = {
    "id": "93",
    "attributeCode": "color",
    "storeViewCode": "de",
    "storeCode": "main",
    "websiteCode": "base",
    "attributeType": "catalog_product",
    "label": "Farbe",
    "dataType": "int",
    "frontendInput": "select",
    "multi": False,
    "boolean": False,
    "numeric": False,
    "searchWeight": 5.0,
    "required": False,
    "unique": False,
    "global": True,
    "visible": True,
    "searchable": True,
    "filterable": True,
    "filterableInSearch": False,
    "visibleInCompareList": False,
    "visibleInListing": True,
    "visibleInSearch": True,
    "sortable": False,
    "usedForRules": False,
    "systemAttribute": True,
}
CATEGORY: dict[str, Any] = {
    "categoryId": "12",
    "urlPath": "men/tops-2",
    "storeViewCode": "de",
    "storeCode": "main",
    "websiteCode": "base",
    "name": "Tops",
    "urlKey": "tops-2",
    "path": "1/2/11/12",
    "parentId": "11",
    "level": 3,
    "position": 4,
    "isActive": 1,
    "includeInMenu": 1,
    "isAnchor": 0,
    "displayMode": "PRODUCTS",
    "description": None,
    "metaTitle": "Tops",
    "metaKeywords": "tops\n shirts \n\n",
    "metaDescription": None,
    "image": "https://shop.test/media/catalog/category/tops.jpg",
    "children": ["13"],
    "availableSortBy": [],
    "defaultSortBy": "position",
    "createdAt": "2024-01-15 00:00:00",
    "updatedAt": "2024-01-15 00:00:00",
}
BASE_BOOK: dict[str, Any] = {
    "priceBookId": "base",
    "websiteId": "1",
    "websiteCode": "base",
    "name": "Main Website",
    "parentId": None,
    "currency": "USD",
    "customerGroupCode": None,
}
GROUP_BOOK: dict[str, Any] = {
    "priceBookId": f"base::{GUESTS}",
    "websiteId": "1",
    "websiteCode": "base",
    "name": "NOT LOGGED IN (Main Website)",
    "parentId": "base",
    "currency": None,
    "customerGroupCode": GUESTS,
}
PRICE: dict[str, Any] = {
    "sku": "24-MB01",
    "websiteCode": "base",
    "customerGroupCode": "0",
    "productId": 1,
    "type": "SIMPLE",
    "regular": Decimal("12345678901234.123456"),
    "parents": [],
    "discounts": [
        {"code": "special_price", "price": Decimal("30.000000"), "percentage": None},
        {"code": "group", "price": None, "percentage": Decimal("10.500000")},
    ],
    "tierPrices": [{"qty": Decimal("5.0000"), "price": Decimal("28.000000"), "percentage": None}],
}
PRODUCT: dict[str, Any] = {
    "sku": "BOX",
    **SCOPE,
    "productId": 7,
    "type": "bundle_fixed",
    "name": "Box",
    "urlKey": "box",
    "status": "Enabled",
    "visibility": "Catalog, Search",
    "description": None,
    "shortDescription": "Short",
    "metaTitle": None,
    "metaKeyword": None,
    "metaDescription": None,
    "displayable": True,
    "createdAt": "2024-01-15 00:00:00",
    "updatedAt": "2024-01-16 00:00:00",
    "attributes": [
        {"attributeCode": "care", "value": None, "variantReferenceId": None},
        {"attributeCode": "color", "value": ["Red"], "variantReferenceId": "ref"},
    ],
    "categoryData": [{"categoryId": "12", "categoryPath": "men", "productPosition": 3}],
    "images": [
        {"resource": {"url": "https://shop.test/a.jpg", "label": "", "roles": ["image"]}, "sortOrder": "2"}
    ],
    "taxClassId": "no",
    "weight": 1.5,
    "weightUnit": "kgs",
    "weightType": "1",
    "currency": "USD",
    "priceView": None,
    "linksPurchasedSeparately": None,
    "inStock": True,
    "lowStock": False,
    "buyable": True,
    "hasEnabledChildren": True,
    "url": "https://shop.test/box.html",
    "urlRewrites": [{"url": "https://shop.test/box.html", "parameters": [{"name": "id", "value": "7"}]}],
    "links": [{"sku": "A", "type": "related"}],
    "parents": [{"sku": "SET", "productType": "grouped"}],
    "optionsV2": [
        {
            "id": "1",
            "label": "Bag",
            "sortOrder": 0,
            "required": True,
            "renderType": "select",
            "type": "bundle",
            "swatchType": None,
            "values": [
                {
                    "id": "v",
                    "label": "A",
                    "sku": "A",
                    "qty": 1.0,
                    "qtyMutability": False,
                    "isDefault": True,
                    "colorHex": None,
                }
            ],
        }
    ],
    "shopperInputOptions": [],
    "samples": [],
    "videos": [],
}
VARIANT: dict[str, Any] = {
    "id": md5(b"configurable/HOODIE/HOODIE-S").hexdigest(),
    "parentId": "3",
    "productId": "4",
    "parentSku": "HOODIE",
    "productSku": "HOODIE-S",
    "optionValues": [{"attributeCode": "size", "uid": "dWlk", "label": "S", "valueIndex": "155"}],
}
OVERRIDE: dict[str, Any] = {
    "sku": "A",
    "productId": "1",
    "websiteCode": "base",
    "customerGroupCode": GUESTS,
    "displayable": False,
    "priceDisplayable": False,
    "addToCartAllowed": False,
}
WEBSITE: dict[str, Any] = {
    "websiteId": "1",
    "websiteCode": "base",
    "stores": [
        {
            "storeId": "1",
            "storeCode": "main",
            "storeViews": [{"storeViewId": "1", "storeViewCode": "default"}],
        },
        {"storeId": "2", "storeCode": None, "storeViews": []},
    ],
}
GROUP: dict[str, Any] = {"customerGroupId": "0", "customerGroupCode": GUESTS, "websites": ["base", "us"]}

ITEMS: dict[str, dict[str, Any]] = {
    "products": PRODUCT,
    "productAttributes": ATTRIBUTE,
    "categories": CATEGORY,
    "prices": PRICE,
    "productOverrides": OVERRIDE,
    "variants": VARIANT,
    "scopesWebsite": WEBSITE,
    "scopesCustomerGroup": GROUP,
    "priceBooks": BASE_BOOK,
}
KEYS: dict[str, dict[str, str]] = {
    "products": {"sku": "BOX", "storeViewCode": "de"},
    "productAttributes": {"attributeCode": "color", "storeViewCode": "de"},
    "categories": {"urlPath": "men/tops-2", "storeViewCode": "de"},
    "prices": {"sku": "24-MB01", "websiteCode": "base", "customerGroupCode": "0"},
    "productOverrides": {"sku": "A", "websiteCode": "base", "customerGroupCode": GUESTS},
    "variants": {"parentSku": "HOODIE", "productSku": "HOODIE-S"},
    "scopesWebsite": {"websiteId": "1"},
    "scopesCustomerGroup": {"customerGroupId": "0"},
    "priceBooks": {"priceBookId": "base"},
}
