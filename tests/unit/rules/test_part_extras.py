"""Members of one line, videos, and attributes appended outside EAV."""

import json
from decimal import Decimal
from typing import Any

import pytest
from parts_rows import VIEW, item, view

from consumers.builder.rules import extras, media
from consumers.builder.rules.stock import Inventory
from consumers.builder.values import GalleryRow, GalleryValue
from schemas import shop_config as config


def members(**values: str | None) -> dict[str, Any]:
    return extras.members(1, values, {2: "Taxable Goods"}, view(WEIGHT_UNIT="kgs", CURRENCY="EUR"))


def test_the_fixed_members_of_a_product() -> None:
    """A unit without a weight says nothing."""
    assert members(weight="1.250000", tax_class_id="2", price_view="1", links_purchased_separately="0") == {
        "taxClassId": "Taxable Goods",
        "weight": 1.25,
        "weightUnit": "kgs",
        "weightType": None,
        "currency": "EUR",
        "priceView": "as_low_as",
        "linksPurchasedSeparately": False,
    }
    assert members() == {
        "taxClassId": "no",
        "weight": None,
        "weightUnit": None,
        "weightType": None,
        "currency": "EUR",
        "priceView": None,
        "linksPurchasedSeparately": None,
    }


@pytest.mark.parametrize("class_id", ["0", "9", "", "x", None])
def test_an_unknown_tax_class_is_no(class_id: str | None) -> None:
    """Also that of a class which was deleted."""
    assert members(tax_class_id=class_id)["taxClassId"] == "no"


def test_stock_settings_are_the_products_or_the_shops() -> None:
    """A limit by customer group counts as that of all groups."""
    row = item(use_config_max_sale_qty=False, max_sale_qty=Decimal("7.0000"), use_config_backorders=False)
    settings = {config.MIN_SALE_QTY: '{"32000":2,"1":5}', config.MANAGE_STOCK: "0"}

    found = extras.attributes("Taxable", "Bag", row, Inventory(settings=settings))

    assert [attribute["attributeCode"] for attribute in found] == [
        "ac_attribute_set",
        "ac_inventory",
        "ac_tax_class",
    ]
    assert json.loads(found[1]["value"][0]) == {
        "manageStock": False,
        "cartMinQty": 2.0,
        "cartMaxQty": 7.0,
        "backorders": "0",
        "enableQtyIncrements": False,
        "qtyIncrements": 1.0,
    }
    assert extras.attributes(None, None, None, Inventory()) == []


def test_a_video_takes_each_text_from_its_store_or_the_default() -> None:
    """Pictures are no videos; a video of which nothing is said has none."""
    gallery = [
        GalleryRow(1, "/a.jpg", "external-video", {0: GalleryValue("A", 2, 0)}),
        GalleryRow(2, "/b.jpg", "external-video", {0: GalleryValue(None, 1, 1)}),
        GalleryRow(3, "/c.jpg", "image", {}),
    ]
    texts = {
        1: {0: media.VideoValue("vimeo", "http://v.example.com", "Title"), 2: media.VideoValue(title="Titel")}
    }

    assert media.videos(gallery, texts, {"image": "/a.jpg"}, VIEW) == [
        {
            "preview": {
                "url": "http://shop.example.com/media/catalog/product/b.jpg",
                "label": "",
                "roles": ["hide_from_pdp"],
            },
            "video": None,
            "sortOrder": "1",
        },
        {
            "preview": {
                "url": "http://shop.example.com/media/catalog/product/a.jpg",
                "label": "A",
                "roles": ["image"],
            },
            "video": {
                "videoProvider": "vimeo",
                "videoUrl": "http://v.example.com",
                "videoTitle": "Titel",
                "videoDescription": None,
                "videoMetadata": None,
                "mediaType": "external-video",
            },
            "sortOrder": "2",
        },
    ]
