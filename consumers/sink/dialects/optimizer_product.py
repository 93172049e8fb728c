"""A product as the Catalog Data Ingestion API takes it. Pure.

Source: the connector's published field mapping, and the API's own description.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from consumers.sink.dialects import lines, present, required

_IMAGE_ROLES: Final = {
    "image": "BASE",
    "small_image": "SMALL",
    "thumbnail": "THUMBNAIL",
    "swatch_image": "SWATCH",
}
_PARENT_LINKS: Final = {"configurable": "VARIANT_OF", "bundle": "IN_BUNDLE", "bundle_fixed": "IN_BUNDLE"}
_MULTIPLE: Final = frozenset({"checkbox", "multi"})
_COMMERCE_ATTRIBUTES: Final = "aco_ac_attributes"
_AS_TEXT: Final = msgspec.json.Encoder().encode
_VISIBLE_IN: Final = {"Catalog": "CATALOG", "Search": "SEARCH"}


def payload(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sku": item["sku"],
        "source": {"locale": item["storeViewCode"]},
        "name": required(item, "name"),
        "slug": required(item, "urlKey"),
        "status": _status(item),
        "description": item["description"],
        "shortDescription": item["shortDescription"],
        "visibleIn": [_VISIBLE_IN[place] for place in item["visibility"].split(", ") if place in _VISIBLE_IN],
        "metaTags": present(
            {
                "title": item["metaTitle"],
                "description": item["metaDescription"],
                "keywords": lines(item["metaKeyword"]),
            }
        ),
        "attributes": _attributes(item),
        "images": [_image(image["resource"]) for image in item["images"]],
        "routes": [
            {"path": category["categoryPath"], "position": category["productPosition"]}
            for category in item["categoryData"]
        ],
        "links": _links(item),
        "configurations": [
            _configuration(option) for option in _options(item) if option["type"] == "configurable"
        ],
        "bundles": _bundles([option for option in _options(item) if option["type"] == "bundle"]),
        "externalIds": [{"id": str(item["productId"]), "origin": "AdobeCommerce"}],
    }


def _status(item: Mapping[str, Any]) -> str:
    """A composite product without a child to show cannot be sold, whatever it says of itself."""
    return "DISABLED" if item.get("hasEnabledChildren") is False else str(item["status"]).upper()


def _attributes(item: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What Commerce knows beside attributes comes first, as one JSON text."""
    own = {
        "inStock": item.get("inStock"),
        "lowStock": item.get("lowStock"),
        "weight": item.get("weight"),
        "weightType": item.get("weightUnit"),
    }
    attributes = [{"code": _COMMERCE_ATTRIBUTES, "values": [_AS_TEXT(own).decode()]}]
    for attribute in item["attributes"]:
        if attribute["value"] is not None:
            attributes.append({"code": attribute["attributeCode"], "values": attribute["value"]})
            if attribute.get("variantReferenceId") is not None:
                attributes[-1]["variantReferenceId"] = attribute["variantReferenceId"]
    return attributes


def _options(item: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return item.get("optionsV2") or ()


def _links(item: Mapping[str, Any]) -> list[dict[str, str]]:
    """Links, then parents; kinds of parents the service knows no link for are left out."""
    return [
        *(
            {"type": link["type"].upper(), "sku": link["sku"]}
            for link in item.get("links") or ()
            if link["sku"]
        ),
        *(
            {"type": _PARENT_LINKS[parent["productType"]], "sku": parent["sku"]}
            for parent in item.get("parents") or ()
            if parent["productType"] in _PARENT_LINKS
        ),
    ]


def _configuration(option: Mapping[str, Any]) -> dict[str, Any]:
    default = next((value["id"] for value in option["values"] if value["isDefault"]), None)
    return present(
        {
            "attributeCode": option["id"],
            "label": option["label"],
            "type": "SWATCH" if option["swatchType"] else "CONFIGURABLE",
            "defaultVariantReferenceId": default,
            "values": [
                present(
                    {
                        "variantReferenceId": value["id"],
                        "label": value["label"],
                        "colorHex": value["colorHex"],
                        "imageUrl": value["imageUrl"],
                    }
                )
                for value in option["values"]
            ],
        }
    )


def _bundles(options: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Groups in their order. The service takes a SKU once in a bundle: where it is first counts."""
    seen: set[str] = set()
    bundles = []
    for option in options:
        values = _unseen(option["values"], seen)
        bundles.append(
            present(
                {
                    "group": option["label"] or option["id"],
                    "required": option["required"],
                    "multiSelect": option["renderType"] in _MULTIPLE,
                    "defaultItemSkus": [value["sku"] for value in values if value["isDefault"]],
                    "items": [
                        present(
                            {
                                "sku": value["sku"],
                                "qty": value["qty"],
                                "userDefinedQty": value["qtyMutability"],
                            }
                        )
                        for value in values
                    ],
                }
            )
        )
    return bundles


def _unseen(values: Sequence[Mapping[str, Any]], seen: set[str]) -> list[Mapping[str, Any]]:
    """Values whose SKU is not in `seen`, which takes it up; without a SKU nothing can be named."""
    found = []
    for value in values:
        if value["sku"] and value["sku"] not in seen:
            seen.add(value["sku"])
            found.append(value)
    return found


def _image(resource: Mapping[str, Any]) -> dict[str, Any]:
    roles = resource["roles"]
    return {
        "url": resource["url"],
        "label": resource["label"],
        "roles": [_IMAGE_ROLES[role] for role in roles if role in _IMAGE_ROLES],
        "customRoles": [role for role in roles if role not in _IMAGE_ROLES],
    }
