"""The attributes of the sample catalog: those of an Open Source installation, and a few of a merchant."""

from dataclasses import dataclass
from typing import Final

from commerce_sync.sample.rows import Rows

CATEGORY_TYPE: Final = 3
PRODUCT_TYPE: Final = 4
CATEGORY_SET: Final = 3
PRODUCT_SET: Final = 4

# id, code, backend type, input, scope, then flags. `-` is no input.
_CATEGORY: Final = """
45 name varchar text store required
46 is_active int select store required source=boolean
47 description text textarea store
48 image varchar image store
49 meta_title varchar text store
50 meta_keywords text textarea store
51 meta_description text textarea store
52 display_mode varchar select store source=category_mode
53 landing_page int select store source=category_page
54 is_anchor int select global source=boolean
55 path static text global hidden
56 position static text global hidden
57 all_children text text global hidden
58 path_in_store text text global hidden
59 children text text global hidden
60 custom_design varchar select store source=theme
61 custom_design_from datetime date store
62 custom_design_to datetime date store
63 page_layout varchar select store source=category_layout
64 custom_layout_update text textarea store
65 level static text global hidden
66 children_count static text global hidden
67 available_sort_by text multiselect store source=category_sort
68 default_sort_by varchar select store source=category_sort
69 include_in_menu int select store required default=1 source=boolean
70 custom_use_parent_settings int select store source=boolean
71 custom_apply_to_products int select store source=boolean
72 filter_price_range decimal text store
118 custom_layout_update_file varchar select store source=category_layout_update
119 url_key varchar text store
120 url_path varchar text store hidden
"""
_PRODUCT: Final = """
73 name varchar text store required searchable sort listing
74 sku static text global required searchable comparable unique
75 description text textarea store searchable comparable
76 short_description text textarea store searchable comparable listing
77 price decimal price global required searchable filterable sort listing apply=priced
78 special_price decimal price global listing apply=priced
79 special_from_date datetime date website listing apply=priced
80 special_to_date datetime date website listing apply=priced
81 cost decimal price global user apply=simple,virtual,downloadable
82 weight decimal weight global apply=priced
83 manufacturer int select global searchable filterable comparable user source=table
84 meta_title varchar text store
85 meta_keyword text textarea store
86 meta_description varchar textarea store
87 image varchar media_image store listing
88 small_image varchar media_image store listing
89 thumbnail varchar media_image store listing
90 media_gallery static gallery global
91 old_id int text global hidden
92 tier_price decimal text website apply=simple,virtual,bundle,downloadable
93 color int select global searchable filterable comparable user apply=variants source=table
94 news_from_date datetime date website listing
95 news_to_date datetime date website listing
96 gallery varchar gallery global
97 status int select website searchable listing default=1 source=status
98 minimal_price decimal price store hidden apply=priced
99 visibility int select store default=4 source=visibility
100 custom_design varchar select store source=theme
101 custom_design_from datetime date store
102 custom_design_to datetime date store
103 custom_layout_update text textarea store
104 page_layout varchar select store source=layout
105 category_ids static text global
106 options_container varchar select store default=container2 source=container
107 required_options static text global listing hidden
108 has_options static text global hidden
109 image_label varchar text store listing hidden
110 small_image_label varchar text store listing hidden
111 thumbnail_label varchar text store listing hidden
112 created_at static date global required hidden
113 updated_at static date global required hidden
114 country_of_manufacture varchar select website apply=simple,bundle,grouped,configurable source=country
115 quantity_and_stock_status int select global default=1 source=stock
116 custom_layout varchar select store source=layout
117 custom_layout_update_file varchar select store source=layout_update
121 url_key varchar text store listing
122 url_path varchar text store hidden
123 msrp decimal price website listing apply=msrp
124 msrp_display_actual_price_type varchar select website listing default=0 apply=msrp source=msrp
125 price_type int - global required listing apply=bundle
126 sku_type int - global required hidden apply=bundle
127 weight_type int - global required listing hidden apply=bundle
128 price_view int select global required listing apply=bundle source=price_view
129 shipment_type int - global required listing hidden apply=bundle
130 links_purchased_separately int - global required listing hidden apply=downloadable
131 samples_title varchar - store required hidden apply=downloadable
132 links_title varchar - store required hidden apply=downloadable
133 links_exist int - global listing hidden default=0 apply=downloadable
134 gift_message_available varchar select global source=product_boolean
135 swatch_image varchar media_image store listing
136 tax_class_id int select website searchable listing default=2 apply=priced source=tax_class
137 size int select global searchable filterable comparable user front source=table
138 material text multiselect global searchable filterable comparable user front
139 eco_collection int boolean global filterable user front source=boolean
140 care text textarea store searchable user front
141 depth_cm decimal text global comparable user front
"""
_APPLY: Final = {
    "priced": "simple,virtual,bundle,downloadable,configurable",
    "variants": "simple,virtual,configurable",
    "msrp": "simple,virtual,downloadable,bundle,configurable",
}
_SCOPES: Final = {"store": 0, "global": 1, "website": 2}
_SOURCES: Final = {
    "boolean": r"Magento\Eav\Model\Entity\Attribute\Source\Boolean",
    "table": r"Magento\Eav\Model\Entity\Attribute\Source\Table",
    "product_boolean": r"Magento\Catalog\Model\Product\Attribute\Source\Boolean",
    "status": r"Magento\Catalog\Model\Product\Attribute\Source\Status",
    "visibility": r"Magento\Catalog\Model\Product\Visibility",
    "country": r"Magento\Catalog\Model\Product\Attribute\Source\Countryofmanufacture",
    "layout": r"Magento\Catalog\Model\Product\Attribute\Source\Layout",
    "layout_update": r"Magento\Catalog\Model\Product\Attribute\Source\LayoutUpdate",
    "container": r"Magento\Catalog\Model\Entity\Product\Attribute\Design\Options\Container",
    "stock": r"Magento\CatalogInventory\Model\Source\Stock",
    "msrp": r"Magento\Msrp\Model\Product\Attribute\Source\Type\Price",
    "price_view": r"Magento\Bundle\Model\Product\Attribute\Source\Price\View",
    "tax_class": r"Magento\Tax\Model\TaxClass\Source\Product",
    "theme": r"Magento\Theme\Model\Theme\Source\Theme",
    "category_mode": r"Magento\Catalog\Model\Category\Attribute\Source\Mode",
    "category_page": r"Magento\Catalog\Model\Category\Attribute\Source\Page",
    "category_layout": r"Magento\Catalog\Model\Category\Attribute\Source\Layout",
    "category_layout_update": r"Magento\Catalog\Model\Category\Attribute\Source\LayoutUpdate",
    "category_sort": r"Magento\Catalog\Model\Category\Attribute\Source\Sortby",
}
_ARRAY_BACKEND: Final = r"Magento\Eav\Model\Entity\Attribute\Backend\ArrayBackend"

_ENTITY_TYPES: Final = (
    (1, "customer", r"Magento\Customer\Model\ResourceModel\Customer", "customer_entity"),
    (2, "customer_address", r"Magento\Customer\Model\ResourceModel\Address", "customer_address_entity"),
    (3, "catalog_category", r"Magento\Catalog\Model\ResourceModel\Category", "catalog_category_entity"),
    (4, "catalog_product", r"Magento\Catalog\Model\ResourceModel\Product", "catalog_product_entity"),
    (5, "order", r"Magento\Sales\Model\ResourceModel\Order", "sales_order"),
    (6, "invoice", r"Magento\Sales\Model\ResourceModel\Order\Invoice", "sales_invoice"),
    (7, "creditmemo", r"Magento\Sales\Model\ResourceModel\Order\Creditmemo", "sales_creditmemo"),
    (8, "shipment", r"Magento\Sales\Model\ResourceModel\Order\Shipment", "sales_shipment"),
)
_LABELS_DE: Final = {
    "name": "Name",
    "description": "Beschreibung",
    "price": "Preis",
    "color": "Farbe",
    "size": "Größe",
    "material": "Material",
    "manufacturer": "Hersteller",
    "eco_collection": "Öko-Kollektion",
    "care": "Pflegehinweise",
    "depth_cm": "Tiefe (cm)",
}
_SWATCH_INPUT: Final = {"color": "visual", "size": "text"}

COLORS: Final = (
    ("Black", "Schwarz", "#000000"),
    ("Blue", "Blau", "#1857f7"),
    ("Brown", "Braun", "#945454"),
    ("Gray", "Grau", "#8f8f8f"),
    ("Green", "Grün", "#53a828"),
    ("Orange", "Orange", "#eb6703"),
    ("Purple", "Violett", "#ef3dff"),
    ("Red", "Rot", "#ff0000"),
    ("White", "Weiß", "#ffffff"),
    ("Yellow", "Gelb", "#ffd500"),
)
SIZES: Final = ("XS", "S", "M", "L", "XL", "XXL")
MATERIALS: Final = (
    ("Cotton", "Baumwolle"),
    ("Wool", "Wolle"),
    ("Fleece", "Fleece"),
    ("Hemp", "Hanf"),
    ("Organic Cotton", "Bio-Baumwolle"),
    ("Polyester", "Polyester"),
    ("Leather", "Leder"),
    ('Mesh 3" wide', 'Netz 3" breit'),
)
MANUFACTURERS: Final = ("Aperture & Sons", "Bjørn", "Cárdenas", "Delta <Active>", "Eiger", "Ferro")


@dataclass(frozen=True, slots=True)
class Attribute:
    """One line of the tables above."""

    id: int
    entity_type_id: int
    code: str
    backend: str
    input: str | None
    scope: str
    flags: frozenset[str]
    extra: dict[str, str]


def _parse(text: str, entity_type_id: int) -> dict[str, Attribute]:
    attributes = {}
    for line in text.split("\n")[1:-1]:
        number, code, backend, frontend_input, scope, *words = line.split()
        extra = dict(word.split("=") for word in words if "=" in word)
        flags = frozenset(word for word in words if "=" not in word)
        shown = None if frontend_input == "-" else frontend_input
        attributes[code] = Attribute(int(number), entity_type_id, code, backend, shown, scope, flags, extra)
    return attributes


CATEGORY_ATTRIBUTES: Final = _parse(_CATEGORY, CATEGORY_TYPE)
PRODUCT_ATTRIBUTES: Final = _parse(_PRODUCT, PRODUCT_TYPE)

# Options are numbered through: colors first, then sizes, materials and manufacturers.
OPTION_IDS: Final = {
    "color": range(1, 1 + len(COLORS)),
    "size": range(11, 11 + len(SIZES)),
    "material": range(17, 17 + len(MATERIALS)),
    "manufacturer": range(25, 25 + len(MANUFACTURERS)),
}


def add_attributes(rows: Rows) -> None:
    """Entity types, attribute sets, attributes, their labels, options and swatches."""
    _add_types(rows)
    for attribute in (*CATEGORY_ATTRIBUTES.values(), *PRODUCT_ATTRIBUTES.values()):
        _add_attribute(rows, attribute)
    for code, label in _LABELS_DE.items():
        rows.add("eav_attribute_label", PRODUCT_ATTRIBUTES[code].id, 2, label)
    _add_options(rows)


def _add_types(rows: Rows) -> None:
    for number, code, model, table in _ENTITY_TYPES:
        additional = "catalog_eav_attribute" if code.startswith("catalog_") else None
        rows.add("eav_entity_type", number, code, model, table, number, additional)
        rows.add("eav_attribute_set", number, number, "Default", 1)
    rows.add("eav_attribute_set", 9, PRODUCT_TYPE, "Apparel", 2)


def _add_attribute(rows: Rows, attribute: Attribute) -> None:
    flags = attribute.flags
    rows.add(
        "eav_attribute",
        attribute.id,
        attribute.entity_type_id,
        attribute.code,
        _ARRAY_BACKEND if attribute.input == "multiselect" else None,
        attribute.backend,
        attribute.input,
        attribute.code.replace("_", " ").title(),
        _SOURCES.get(attribute.extra.get("source", "")),
        "required" in flags,
        "user" in flags,
        attribute.extra.get("default"),
        "unique" in flags,
    )
    apply_to = attribute.extra.get("apply")
    rows.add(
        "catalog_eav_attribute",
        attribute.id,
        _SCOPES[attribute.scope],
        "hidden" not in flags,
        "searchable" in flags,
        "filterable" in flags,
        "comparable" in flags,
        "front" in flags,
        "filterable" in flags,
        "listing" in flags,
        "sort" in flags,
        _APPLY.get(apply_to, apply_to) if apply_to else None,
        _swatch_settings(attribute.code) if attribute.entity_type_id == PRODUCT_TYPE else None,
    )


def _swatch_settings(code: str) -> str | None:
    kind = _SWATCH_INPUT.get(code)
    return kind and (
        f'{{"swatch_input_type":"{kind}","update_product_preview_image":"1","use_product_image_for_swatch":"0"}}'
    )


def _add_options(rows: Rows) -> None:
    labels: dict[str, list[tuple[str, str | None]]] = {
        "color": [(english, german) for english, german, _ in COLORS],
        "size": [(size, None) for size in SIZES],
        "material": list(MATERIALS),
        "manufacturer": [(name, None) for name in MANUFACTURERS],
    }
    for code, names in labels.items():
        for position, (option_id, (english, german)) in enumerate(zip(OPTION_IDS[code], names, strict=True)):
            rows.add("eav_attribute_option", option_id, PRODUCT_ATTRIBUTES[code].id, position)
            rows.add("eav_attribute_option_value", option_id, 0, english)
            if german:
                rows.add("eav_attribute_option_value", option_id, 2, german)
    for option_id, (_, _, rgb) in zip(OPTION_IDS["color"], COLORS, strict=True):
        rows.add("eav_attribute_option_swatch", option_id, 0, 1, rgb)
    for option_id, size in zip(OPTION_IDS["size"], SIZES, strict=True):
        rows.add("eav_attribute_option_swatch", option_id, 0, 0, size)
