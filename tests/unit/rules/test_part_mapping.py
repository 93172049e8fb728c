"""Parts of an item as the optimizer's service takes them."""

from typing import Any

import jsonschema_rs
import pytest

from consumers.builder.rules.option_shape import option, option_value
from consumers.sink.dialects.optimizer import OptimizerDialect
from schemas.services.optimizer import request_schema

UPSERT = jsonschema_rs.validator_for(request_schema("products", "upsert"))
CORE: dict[str, Any] = {
    "sku": "A",
    "storeViewCode": "de",
    "name": "A",
    "urlKey": "a",
    "status": "Enabled",
    "productId": 7,
    **dict.fromkeys(("description", "shortDescription", "metaTitle", "metaDescription", "metaKeyword")),
    "visibility": "Catalog",
    "attributes": [],
    "images": [],
    "categoryData": [],
}


def payload(**members: Any) -> dict[str, Any]:
    """What is sent; always as the service's schema wants it."""
    sent = OptimizerDialect().payload("products", {**CORE, **members})
    UPSERT.validate([sent])
    return sent


def test_what_commerce_knows_beside_attributes_comes_first() -> None:
    """One JSON text; then the attributes that have a value."""
    sent = payload(
        inStock=True,
        lowStock=False,
        weight=1.5,
        weightUnit="kgs",
        attributes=[
            {"attributeCode": "color", "value": ["Red"], "variantReferenceId": "ref"},
            {"attributeCode": "care", "value": ["dry"], "variantReferenceId": None},
            {"attributeCode": "gone", "value": None, "variantReferenceId": None},
        ],
    )

    assert sent["attributes"] == [
        {
            "code": "aco_ac_attributes",
            "values": ['{"inStock":true,"lowStock":false,"weight":1.5,"weightType":"kgs"}'],
        },
        {"code": "color", "values": ["Red"], "variantReferenceId": "ref"},
        {"code": "care", "values": ["dry"]},
    ]


def test_links_and_parents_are_links() -> None:
    """The service knows no link to a grouped parent."""
    sent = payload(
        links=[{"sku": "B", "type": "related"}, {"sku": "C", "type": "crosssell"}],
        parents=[
            {"sku": "D", "productType": "bundle"},
            {"sku": "E", "productType": "bundle_fixed"},
            {"sku": "F", "productType": "configurable"},
            {"sku": "G", "productType": "grouped"},
        ],
    )

    assert sent["links"] == [
        {"type": "RELATED", "sku": "B"},
        {"type": "CROSSSELL", "sku": "C"},
        {"type": "IN_BUNDLE", "sku": "D"},
        {"type": "IN_BUNDLE", "sku": "E"},
        {"type": "VARIANT_OF", "sku": "F"},
    ]


@pytest.mark.parametrize(
    ("status", "has_children", "sent"),
    [
        ("Enabled", None, "ENABLED"),
        ("Enabled", True, "ENABLED"),
        ("Enabled", False, "DISABLED"),
        ("Disabled", True, "DISABLED"),
    ],
)
def test_a_composite_without_children_to_show_is_disabled(
    status: str, has_children: bool | None, sent: str
) -> None:
    """Products that are no composites have no children to miss."""
    assert payload(status=status, hasEnabledChildren=has_children)["status"] == sent


def test_configurable_options_are_configurations() -> None:
    """Swatches where the attribute has some; other kinds of options are not sent."""
    sent = payload(
        optionsV2=[
            option("custom_option", "5", []),
            option(
                "configurable",
                "color",
                [
                    option_value("one", label="Red", colorHex="#f00"),
                    option_value("two", label="Map", imageUrl="http://m", isDefault=True),
                ],
                label="Color",
                swatchType="{}",
            ),
            option("configurable", "size", [option_value("three", label="S")]),
        ]
    )

    assert sent["configurations"] == [
        {
            "attributeCode": "color",
            "label": "Color",
            "type": "SWATCH",
            "defaultVariantReferenceId": "two",
            "values": [
                {"variantReferenceId": "one", "label": "Red", "colorHex": "#f00"},
                {"variantReferenceId": "two", "label": "Map", "imageUrl": "http://m"},
            ],
        },
        {
            "attributeCode": "size",
            "type": "CONFIGURABLE",
            "values": [{"variantReferenceId": "three", "label": "S"}],
        },
    ]


def test_bundle_options_are_groups_and_a_sku_is_in_one_of_them() -> None:
    """The service refuses a bundle that has a SKU twice, so the first place counts."""
    sent = payload(
        optionsV2=[
            option(
                "bundle",
                "1",
                [
                    option_value("x", sku="B", qty=1.0, qtyMutability=True, isDefault=True),
                    option_value("y", sku="C", qty=2.0, qtyMutability=False, isDefault=False),
                    option_value("z", sku="B", qty=3.0, qtyMutability=True, isDefault=True),
                ],
                label="Main",
                required=True,
                renderType="radio",
            ),
            option(
                "bundle",
                "2",
                [option_value("w", sku="C", qty=1.0, qtyMutability=False, isDefault=True)],
                required=False,
                renderType="multi",
            ),
        ]
    )

    assert sent["bundles"] == [
        {
            "group": "Main",
            "required": True,
            "multiSelect": False,
            "defaultItemSkus": ["B"],
            "items": [
                {"sku": "B", "qty": 1.0, "userDefinedQty": True},
                {"sku": "C", "qty": 2.0, "userDefinedQty": False},
            ],
        },
        {"group": "2", "required": False, "multiSelect": True, "defaultItemSkus": [], "items": []},
    ]
