"""Options of every kind of product, each written out whole once."""

import base64
from decimal import Decimal
from typing import Any

from parts_rows import VIEW, relative

from consumers.builder.rules import bundle, configurable, custom_options, downloadable, grouped
from consumers.builder.rules.links import LinkRow

# Members an option value can have; absent ones are None.
NOTHING = dict.fromkeys(
    (
        *("label", "sortOrder", "isDefault", "colorHex", "imageUrl", "customSwatchValue"),
        *("qtyMutability", "qty", "infoUrl", "sku", "price", "priceType"),
    )
)


def uid(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def value(value_id: str, **members: Any) -> dict[str, Any]:
    return {"id": value_id, **NOTHING, **members}


def test_a_custom_option_to_choose_from() -> None:
    """Titles and prices of the store view replace the default's one by one."""
    row = custom_options.CustomOptionRow(
        *(5, "drop_down", True, None, None, None, None, None, 2),
        titles={0: "Wrap", 2: "Papier"},
        choices=(
            custom_options.ChoiceRow(8, "b", 1, {0: "Box"}, {0: (Decimal("5.000000"), "percent")}),
            custom_options.ChoiceRow(
                7, "a", 1, {0: "Paper", 2: None}, {0: (Decimal("3.50"), "fixed"), 2: (Decimal("4.25"), None)}
            ),
        ),
    )

    assert custom_options.selectable([row], VIEW) == [
        {
            "id": "5",
            "type": "custom_option",
            "label": "Papier",
            "sortOrder": 2,
            "required": True,
            "renderType": "drop_down",
            "swatchType": None,
            "values": [
                value(
                    uid("custom-option/5/7"),
                    label="Paper",
                    sortOrder=1,
                    sku="a",
                    price=4.25,
                    priceType="fixed",
                    isDefault=False,
                ),
                value(
                    uid("custom-option/5/8"),
                    label="Box",
                    sortOrder=1,
                    sku="b",
                    price=5.0,
                    priceType="percent",
                    isDefault=False,
                ),
            ],
        }
    ]
    assert custom_options.entered([row], VIEW) == []


def test_a_custom_option_to_fill_in() -> None:
    """It has no values; what may be entered stands beside it."""
    row = custom_options.CustomOptionRow(
        5, "field", False, "engraving", 20, None, 0, 0, 3, {0: "Text"}, {0: (Decimal("9.50"), "fixed")}
    )

    assert custom_options.selectable([row], VIEW) == []
    assert custom_options.entered([row], VIEW) == [
        {
            "id": uid("custom-option/5"),
            "label": "Text",
            "sortOrder": 3,
            "required": False,
            "renderType": "field",
            "price": 9.5,
            "fileExtension": None,
            "sku": "engraving",
            "range": {"from": None, "to": 20.0},
            "imageSizeX": 0,
            "imageSizeY": 0,
        }
    ]


def test_a_custom_option_without_default_title_is_not_shown() -> None:
    """A title of the store view alone is none."""
    titles = [{}, {0: None}, {2: "Papier"}]
    rows = [
        custom_options.CustomOptionRow(n, kind, False, None, None, None, None, None, 0, title)
        for n, title in enumerate(titles)
        for kind in ("radio", "area")
    ]

    assert custom_options.selectable(rows, VIEW) == []
    assert custom_options.entered(rows, VIEW) == []


def test_downloads_are_one_option_and_one_attribute() -> None:
    """Prices of the website come first, quantities are how often a file may be fetched."""
    rows = [
        downloadable.DownloadRow(4, 2, 0, False, {0: "Two"}, {0: Decimal(2)}),
        downloadable.DownloadRow(3, 1, 5, True, {0: "One", 2: "Eins"}, {0: Decimal(1), 1: Decimal("1.5")}),
    ]
    samples = downloadable.samples([downloadable.SampleRow(6, 1, {0: "Trailer"})], VIEW)

    options = downloadable.links(rows, 7, "Files", VIEW)

    sample_url = "http://shop.example.com/downloadable/download/linkSample/link_id/3"
    trailer_url = "http://shop.example.com/downloadable/download/sample/sample_id/6"
    one = value(uid("downloadable/3"), label="Eins", sortOrder=1, price=1.5, qty=5.0, infoUrl=sample_url)
    two = value(uid("downloadable/4"), label="Two", sortOrder=2, price=2.0, qty=0.0)
    assert [(option["id"], option["label"], option["values"]) for option in options] == [
        ("link:7", "Files", [one, two])
    ]
    assert samples == [{"resource": {"url": trailer_url, "label": "Trailer", "roles": []}, "sortOrder": "1"}]
    assert downloadable.attribute(options, samples, True) == {
        "attributeCode": "ac_downloadable",
        "value": [
            '{"purchase_separately":true,"samples":[{"label":"Trailer","url":"' + trailer_url + '"}],'
            '"links":[{"uid":"' + uid("downloadable/3") + '","label":"Eins","price":1.5,'
            '"number_of_downloads":5,"sample_url":"' + sample_url + '"},'
            '{"uid":"' + uid("downloadable/4") + '","label":"Two","price":2.0,"number_of_downloads":0,'
            '"sample_url":null}]}'
        ],
    }


def test_members_of_a_grouped_product_stand_in_their_positions() -> None:
    """Links of other types are no members; the shopper decides how many."""
    relatives = {1: relative(1, "a"), 2: relative(2, "b")}
    rows = [
        LinkRow(11, 1, 3, 2, Decimal("1.0000")),
        LinkRow(12, 2, 3, 1, None),
        LinkRow(13, 1, 1, 0, None),
    ]

    (option,) = grouped.members(rows, 9, relatives)

    assert (option["id"], option["type"]) == ("9", "grouped")
    assert option["values"] == [
        value("2", sku="b", sortOrder=1, qtyMutability=True),
        value("1", sku="a", qty=1.0, sortOrder=2, qtyMutability=True),
    ]


def test_a_bundle_option_and_its_selections() -> None:
    """The website's price replaces the selection's, its kind too; the child's name is the label."""
    relatives = {
        1: relative(1, "a", values={"name": {0: "A", 2: "Ä"}}),
        2: relative(2, "b", website_ids=frozenset()),
    }
    row = bundle.BundleOptionRow(
        *(4, True, 1, "checkbox", {0: "Extras"}),
        (
            bundle.SelectionRow(
                8, 2, 1, False, 0, Decimal(3), Decimal("2.0000"), False, {9: (1, Decimal(7))}
            ),
            bundle.SelectionRow(7, 1, 1, True, 0, Decimal(3), Decimal("1.5"), True, {1: (1, Decimal("2.5"))}),
        ),
    )

    (option,) = bundle.options([row], relatives, VIEW)

    assert {name: member for name, member in option.items() if name != "values"} == {
        "id": "4",
        "type": "bundle",
        "label": "Extras",
        "sortOrder": 1,
        "required": True,
        "renderType": "checkbox",
        "swatchType": None,
    }
    assert option["values"] == [
        value(
            uid("bundle/4/7/1"),
            sku="a",
            label="Ä",
            qty=1.5,
            qtyMutability=True,
            priceType="percent",
            price=2.5,
            isDefault=True,
            sortOrder=1,
        ),
        value(
            uid("bundle/4/8/2"),
            sku="b",
            label="Name of b",
            qty=2.0,
            qtyMutability=False,
            priceType="fixed",
            price=3.0,
            isDefault=False,
            sortOrder=1,
        ),
    ]


COLOR = configurable.SuperAttributeRow(
    93, "color", 1, "Color", '{"swatch_input_type":"visual"}', {2: "Farbe"}
)
SIZE = configurable.SuperAttributeRow(137, "size", 0, "Size")
CHOICES = {
    1: configurable.ChoiceRow(1, 2, {0: "Black", 2: "Schwarz"}, {0: (1, "#000000")}),
    2: configurable.ChoiceRow(2, 1, {0: "Check"}, {0: (1, "#ffffff"), 2: (2, "/c.png")}),
    3: configurable.ChoiceRow(3, 0, {0: "S"}, {0: (0, "S")}),
    4: configurable.ChoiceRow(4, 3, {0: "Red"}, {0: (7, "special")}),
}


def test_a_configurable_offers_what_its_children_are() -> None:
    """A child disabled in the store view offers nothing; one without a status still does."""
    chosen = {1: {93: 1, 137: 3}, 2: {93: 2, 137: 3}, 3: {93: 4}, 4: {93: 99}}
    relatives = {
        1: relative(1, "a"),
        2: relative(2, "b", website_ids=frozenset()),
        3: relative(3, "c", values={"status": {0: "1", 2: "2"}}),
        4: relative(4, "d", values={"status": {0: "1", 2: None}}),
    }

    options = configurable.options([COLOR, SIZE], [1, 2, 3, 4], chosen, CHOICES, relatives, VIEW)

    assert [(o["id"], o["label"], o["sortOrder"], o["swatchType"]) for o in options] == [
        ("size", "Size", 0, None),
        ("color", "Farbe", 1, '{"swatch_input_type":"visual"}'),
    ]
    assert options[0]["values"] == [value(uid("configurable/137/3"), label="S", sortOrder=0)]
    assert options[1]["values"] == [
        value(
            uid("configurable/93/2"),
            label="Check",
            sortOrder=1,
            imageUrl="http://shop.example.com/media/attribute/swatch/c.png",
        ),
        value(uid("configurable/93/1"), label="Schwarz", sortOrder=2, colorHex="#000000"),
    ]


def test_a_swatch_of_another_kind_is_passed_on() -> None:
    """Kinds of other modules are not ours to read."""
    (option,) = configurable.options([COLOR], [3], {3: {93: 4}}, CHOICES, {3: relative(3, "c")}, VIEW)

    assert option["values"] == [
        value(uid("configurable/93/4"), label="Red", sortOrder=3, customSwatchValue="special")
    ]


def test_a_variant_names_the_values_of_its_parents_options() -> None:
    """Parents of another website offer nothing here."""
    relatives = {
        8: relative(8, "P", "configurable"),
        9: relative(9, "Q", "configurable", website_ids=frozenset({2})),
    }
    chosen = {1: {93: 1, 137: 3}}

    here = configurable.variant_references([(8, (COLOR,)), (9, (SIZE,))], 1, chosen, relatives, VIEW)

    assert here == {"color": uid("configurable/93/1")}
