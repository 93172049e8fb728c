"""One item per feed with every member it may have."""

from typing import Any

from schemas.services.optimizer import Route

META_TAGS = {"title": "Bags", "description": "All bags", "keywords": ["bag", "gear"]}
ATTRIBUTE = {"code": "color", "values": ["Red"], "variantReferenceId": "ref-1"}
IMAGE = {"url": "https://shop.test/a.jpg", "label": "Front", "roles": ["BASE"], "customRoles": ["hover"]}

FULL_ITEMS: dict[str, dict[str, Any]] = {
    "products": {
        "sku": "24-MB01",
        "source": {"locale": "default"},
        "name": "Bag",
        "slug": "bag",
        "description": "Long",
        "shortDescription": "Short",
        "status": "ENABLED",
        "visibleIn": ["CATALOG", "SEARCH"],
        "metaTags": META_TAGS,
        "attributes": [ATTRIBUTE],
        "images": [IMAGE],
        "links": [{"type": "VARIANT_OF", "sku": "24-MB00"}],
        "routes": [{"path": "gear/bags", "position": 3}],
        "configurations": [
            {
                "attributeCode": "color",
                "label": "Color",
                "defaultVariantReferenceId": "ref-1",
                "type": "SWATCH",
                "values": [
                    {
                        "variantReferenceId": "ref-1",
                        "label": "Red",
                        "colorHex": "#ff0000",
                        "imageUrl": "https://shop.test/red.png",
                    }
                ],
            }
        ],
        "bundles": [
            {
                "group": "Strap",
                "required": True,
                "multiSelect": False,
                "defaultItemSkus": ["24-ST01"],
                "items": [{"sku": "24-ST01", "qty": 1, "userDefinedQty": False}],
            }
        ],
        "externalIds": [{"id": "1", "origin": "AdobeCommerce"}],
    },
    "product-attributes": {
        "code": "color",
        "source": {"locale": "default"},
        "label": "Color",
        "dataType": "TEXT",
        "visibleIn": ["PRODUCT_DETAIL", "PRODUCT_COMPARE"],
        "filterable": True,
        "sortable": False,
        "searchable": True,
        "searchWeight": 1.5,
        "searchTypes": ["AUTOCOMPLETE"],
    },
    "category-attributes": {
        "code": "season",
        "source": {"locale": "default"},
        "label": "Season",
        "dataType": "TEXT",
    },
    "categories": {
        "slug": "gear/bags",
        "source": {"locale": "default"},
        "name": "Bags",
        "description": "All bags",
        "families": ["top_menu"],
        "position": 2,
        "metaTags": META_TAGS,
        "attributes": [{"code": "season", "values": ["summer"]}],
        "images": [{**IMAGE, "roles": ["THUMBNAIL"]}],
    },
    "product-layers": {
        "sku": "24-MB01",
        "source": {"locale": "default", "layer": "seo"},
        "name": "Bag",
        "description": "Long",
        "shortDescription": "Short",
        "metaTags": META_TAGS,
        "attributes": [ATTRIBUTE],
        "images": [IMAGE],
        "links": [{"type": "RELATED", "sku": "24-MB02"}],
        "externalIds": [{"id": "1", "origin": "AdobeCommerce"}],
    },
    "price-books": {"priceBookId": "base", "name": "Main", "currency": "USD", "parentId": "top"},
    "prices": {
        "sku": "24-MB01",
        "priceBookId": "base",
        "regular": 19.9,
        "discounts": [{"code": "special_price", "price": 15}, {"code": "group", "percentage": 10.5}],
        "tierPrices": [{"qty": 5, "price": 14}, {"qty": 10, "percentage": 20}],
    },
}


def example(route: Route) -> dict[str, Any]:
    """The fullest item the operation takes: a category's delete allows nothing beside the identity."""
    item = FULL_ITEMS[route.feed]
    if route.feed == "categories" and route.operation == "delete":
        return {"slug": item["slug"], "source": item["source"]}
    return item
