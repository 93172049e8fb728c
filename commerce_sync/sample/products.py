"""The sample catalog's products: invented texts, and the rows Commerce would hold for each product type.

Products come in families of 16, so that the children of a composite product are always made before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Any, Final

from commerce_sync.sample.attributes import OPTION_IDS, PRODUCT_ATTRIBUTES, PRODUCT_SET, SIZES, add_attributes
from commerce_sync.sample.rows import Row, Rows
from commerce_sync.sample.scopes import (
    CREATED,
    GROUPED_POSITION,
    GROUPED_QUANTITY,
    LINK_TYPES,
    WEBSITE_OF_STORE,
    add_scopes,
)
from commerce_sync.sample.tree import Category, add_categories, categories

CHUNK_PRODUCTS: Final = 1000

FAMILY: Final = (
    *(("simple",) * 5),
    *("virtual", "downloadable"),
    *(("variant",) * 4),
    *("configurable", "grouped", "bundle", "simple", "simple"),
)
_ENABLED: Final = 1
_DISABLED: Final = 2
_NOT_VISIBLE: Final = 1
_EVERYWHERE: Final = 4

_ADJECTIVES: Final = (
    *("Airy", "Bold", "Classic", "Daring", "Earthy", "Fine", "Gentle", "Heavy"),
    *("Iconic", "Light", "Modern", "Noble", "Plain", "Rugged", "Smooth", "Warm"),
)
_NOUNS: Final = (
    *("Backpack", "Belt", "Duffle", "Hoodie", "Jacket", "Leggings", "Mat", "Mug"),
    *("Pant", "Poster", "Shirt", "Short", "Tank", "Tee", "Tote", "Watch"),
)
_NOUNS_DE: Final = (
    *("Rucksack", "Gürtel", "Reisetasche", "Kapuzenpulli", "Jacke", "Leggings", "Matte", "Becher"),
    *("Hose", "Poster", "Hemd", "Kurze Hose", "Trägertop", "T-Shirt", "Tragetasche", "Uhr"),
)
_ENDINGS: Final = (' 15"', " & Friends", " <b>Pro</b>", " O'Neil", " – édition spéciale", " 100% ™")
_ODD_SKUS: Final = (
    *("A/B {}", "Ünï-{}", "Mixed Case {}", "x&y <{}>"),
    *("日本-{}", '24-"{}"\'s', "dot.{}_under", "a+b={}%", "back\\slash {}"),
)
_SENTENCES: Final = (
    *("Made to last.", "Fits every day of the week.", "Soft outside, strong inside."),
    *("Wash it, wear it, repeat.", "A favourite since the first season.", "Designed in a small workshop."),
)


@dataclass(frozen=True, slots=True)
class Invention:
    """What an invented product is called. `url_key` is unlike every other number's."""

    name: str
    name_de: str
    url_key: str
    description: str
    price_cents: int


def invent(random: Random, number: int) -> Invention:
    """Texts and a price for the product with this number."""
    noun = random.randrange(len(_NOUNS))
    adjective = random.choice(_ADJECTIVES)
    ending = random.choice(_ENDINGS) if random.random() < 0.05 else ""
    sentences = " ".join(random.sample(_SENTENCES, 3))
    return Invention(
        name=f"{adjective} {_NOUNS[noun]} {number}{ending}",
        name_de=f"{_NOUNS_DE[noun]} „{adjective}“ Nr. {number}",
        url_key=f"{adjective}-{_NOUNS[noun]}-{number}".lower(),
        description=f"<p>{adjective} {_NOUNS[noun].lower()}. {sentences}</p><ul><li>No. {number}</li></ul>",
        price_cents=random.randrange(499, 19_999),
    )


def invent_sku(random: Random, number: int) -> str:
    """A SKU unlike every other number's, also to a comparison that ignores case and accents."""
    if random.random() < 0.04:
        return random.choice(_ODD_SKUS).format(number)
    return f"24-{random.choice(('MB', 'UG', 'WG', 'WB', 'Mt'))}{number:02}"


def chunks(products: int, seed: int, today: date) -> Iterator[tuple[int, dict[str, list[Row]]]]:
    """The whole sample catalog: how many products are made so far, and the rows of this chunk by table.

    Equal arguments give equal rows. The first chunk holds everything that is no product.

    Args:
        today: catalog rules have prices for this day and those beside it, as a shop's own index has, so that
            they count in every time zone.
    """
    rows = Rows()
    add_scopes(rows)
    add_attributes(rows)
    add_categories(rows)
    yield 0, rows.take()
    writer = _Writer(rows, Random(seed), today)
    for number in range(1, products + 1):
        writer.add(number)
        if number % CHUNK_PRODUCTS == 0 or number == products:
            yield number, rows.take()


@dataclass(frozen=True, slots=True)
class _Product:
    """A product being written."""

    number: int
    kind: str
    sku: str
    text: Invention
    websites: tuple[int, ...]
    stores: tuple[int, ...]


class _Writer:
    """Writes products one after the other; what has chance in it takes it from one generator."""

    def __init__(self, rows: Rows, random: Random, today: date) -> None:
        self._rule_dates = [(today + timedelta(days=days)).isoformat() for days in (-1, 0, 1)]
        self._rows = rows
        self._random = random
        tree = categories()
        self._base = [category for category in tree if 1 in category.stores]
        self._outlet = [category for category in tree if 3 in category.stores]
        self._family_sku = ""
        self._family_websites: tuple[int, ...] = ()

    def add(self, number: int) -> None:
        place = (number - 1) % len(FAMILY)
        first = number - place
        if place == 0:
            self._family_sku = f"MH{first:05}"
            self._family_websites = self._draw_websites()
        kind = FAMILY[place]
        product = self._product(number, kind, place)
        self._add_entity(product)
        self._add_texts(product)
        self._add_states(product, disabled=kind == "variant" and first % 160 == 1)
        self._add_images(product)
        self._add_assignments(product)
        self._add_stock(product)
        if kind in {"configurable", "grouped", "bundle", "downloadable"}:
            getattr(self, f"_add_{kind}")(product, first)
        if kind == "variant":
            self._add_variant_values(product, place - FAMILY.index("variant"))
        if kind not in {"grouped", "variant"}:
            self._add_merchandising(product)
        if kind not in {"configurable", "grouped"}:
            self._add_prices(product)

    # Identity

    def _draw_websites(self) -> tuple[int, ...]:
        chance = self._random.random()
        if chance < 0.60:
            return (1,)
        if chance < 0.88:
            return (1, 2)
        return (2,) if chance < 0.99 else ()

    def _product(self, number: int, kind: str, place: int) -> _Product:
        text = invent(self._random, number)
        sku = invent_sku(self._random, number)
        if kind == "configurable":
            sku = self._family_sku
        elif kind == "variant":
            size, color = divmod(place - FAMILY.index("variant"), 2)
            sku = f"{self._family_sku}-{SIZES[1 + size]}-{('Black', 'Blue')[color]}"
        websites = self._family_websites
        if kind not in {"configurable", "variant"}:
            websites = self._draw_websites()
        stores = tuple(store for store, website in WEBSITE_OF_STORE.items() if website in websites)
        return _Product(number, kind, sku, text, websites, stores)

    def _add_entity(self, product: _Product) -> None:
        type_id = "simple" if product.kind == "variant" else product.kind
        has_options = product.kind in {"configurable", "bundle", "downloadable"}
        if product.kind == "simple" and self._random.random() < 0.04:
            has_options = True
            self._add_custom_options(product)
        self._rows.add(
            "catalog_product_entity",
            *(product.number, PRODUCT_SET, type_id, product.sku, int(has_options)),
            *(int(product.kind in {"configurable", "bundle"}), CREATED, CREATED),
        )

    def _value(self, code: str, product: _Product, value: Any, store_id: int = 0) -> None:
        table, attribute_id = _PLACES[code]
        self._rows.tables[table].append((attribute_id, store_id, product.number, value))

    # Texts and states, with what store views change about them

    def _add_texts(self, product: _Product) -> None:
        text, random = product.text, self._random
        self._value("name", product, text.name)
        self._value("url_key", product, text.url_key)
        self._value("description", product, text.description)
        if random.random() < 0.3:
            self._value("short_description", product, f"<p>{text.name}</p>")
        if random.random() < 0.15:
            self._value("meta_title", product, text.name)
            self._value("meta_keyword", product, "sample\ncatalog, keywords")
        if random.random() < 0.1:
            self._value("care", product, "Machine wash cold; don't bleach")
        if 2 in product.stores:
            self._add_german_texts(product)
        if 3 in product.stores and random.random() < 0.1:
            self._value("name", product, f"OUTLET {text.name}", 3)
        if product.kind != "variant":
            self._add_rewrites(product)

    def _add_german_texts(self, product: _Product) -> None:
        text, random = product.text, self._random
        if random.random() < 0.3:
            self._value("name", product, text.name_de, 2)
        if random.random() < 0.08:
            self._value("description", product, f"<p>{text.name_de}: natürlich „gut“.</p>", 2)
        elif random.random() < 0.02:
            # A store view's NULL is a value too: it hides the default.
            self._value("description", product, None, 2)
        if random.random() < 0.02:
            self._value("meta_title", product, None, 2)

    def _add_rewrites(self, product: _Product) -> None:
        target = f"catalog/product/view/id/{product.number}"
        for store_id in product.stores:
            url_key = product.text.url_key
            if store_id == 2 and self._random.random() < 0.1:
                url_key += "-de"
                self._value("url_key", product, url_key, 2)
            path = f"{url_key}.html"
            self._rows.add("url_rewrite", "product", product.number, path, target, 0, store_id, 1)
            if self._random.random() < 0.01:
                old_path = f"old-{url_key}.html"
                self._rows.add("url_rewrite", "product", product.number, old_path, path, 301, store_id, 0)

    def _add_states(self, product: _Product, *, disabled: bool) -> None:
        random = self._random
        disabled = disabled or random.random() < 0.03
        self._value("status", product, _DISABLED if disabled else _ENABLED)
        visibility = _EVERYWHERE if random.random() < 0.93 else random.choice((1, 2, 3))
        self._value("visibility", product, _NOT_VISIBLE if product.kind == "variant" else visibility)
        self._value("tax_class_id", product, random.choice((2, 2, 2, 4, 0)))
        for store_id in product.stores:
            if random.random() < 0.03:
                self._value("status", product, _ENABLED if disabled else _DISABLED, store_id)
            elif random.random() < 0.002:
                self._value("status", product, None, store_id)
            if random.random() < 0.02:
                self._value("visibility", product, random.choice((1, 2, 3, 4)), store_id)
        if random.random() < 0.2:
            self._value("eco_collection", product, random.randrange(2))
        if random.random() < 0.2:
            chosen = sorted(random.sample(OPTION_IDS["material"], random.randrange(1, 4)))
            self._value("material", product, ",".join(map(str, chosen)))
        if product.kind in {"simple", "configurable"}:
            if random.random() < 0.3:
                self._value("manufacturer", product, random.choice(OPTION_IDS["manufacturer"]))
            if random.random() < 0.2:
                self._value("depth_cm", product, f"{random.randrange(10, 900) / 10}")
            if random.random() < 0.05:
                self._value("news_from_date", product, "2026-01-01 00:00:00")
                self._value("news_to_date", product, "2026-12-31 00:00:00")
        if product.kind == "simple" and random.random() < 0.4:
            self._value("color", product, random.choice(OPTION_IDS["color"]))

    # Images

    def _add_images(self, product: _Product) -> None:
        random, number = self._random, product.number
        for position in range(1, random.choice((1, 1, 1, 2, 3)) + 1):
            name = f"/s/{number % 10}/{product.text.url_key}_{position}.jpg"
            value_id = self._add_medium(product, name, position, "image")
            if position == 1:
                for role in ("image", "small_image", "thumbnail"):
                    self._value(role, product, name)
                if product.kind == "variant":
                    self._value("swatch_image", product, name)
            elif 2 in product.stores and random.random() < 0.1:
                values = (value_id, 2, number, f"Bild {position}", position, 0)
                self._rows.add("catalog_product_entity_media_gallery_value", *values)
        if 2 in product.stores and random.random() < 0.05:
            self._value("image_label", product, f"„{product.text.name_de}“", 2)
        if number % 40 == 3:
            self._add_video(product)

    def _add_medium(self, product: _Product, name: str, position: int, media_type: str) -> int:
        rows, random = self._rows, self._random
        value_id = rows.next_id("catalog_product_entity_media_gallery")
        gallery = PRODUCT_ATTRIBUTES["media_gallery"].id
        label = f'View {position} of "{product.text.name}"' if random.random() < 0.3 else None
        hidden = int(position > 1 and random.random() < 0.05)
        rows.add("catalog_product_entity_media_gallery", value_id, gallery, name, media_type)
        rows.add("catalog_product_entity_media_gallery_value_to_entity", value_id, product.number)
        values = (value_id, 0, product.number, label, position, hidden)
        rows.add("catalog_product_entity_media_gallery_value", *values)
        return value_id

    def _add_video(self, product: _Product) -> None:
        name = f"/v/{product.number % 10}/{product.text.url_key}_video.jpg"
        value_id = self._add_medium(product, name, 9, "external-video")
        url = f"https://videos.example.com/watch?v={product.number}"
        texts = ("How it's made", "A <em>short</em> film", None)
        self._rows.add("catalog_product_entity_media_gallery_value_video", value_id, 0, "vimeo", url, *texts)

    # Where the product is

    def _add_assignments(self, product: _Product) -> None:
        random, number = self._random, product.number
        for website_id in product.websites:
            self._rows.add("catalog_product_website", number, website_id)
        chosen: list[Category] = []
        if 1 in product.websites and random.random() < 0.98:
            chosen += random.sample(self._base, random.choice((1, 1, 2, 3)))
        if 2 in product.websites:
            chosen.append(random.choice(self._outlet))
        if product.kind == "variant" and random.random() < 0.5:
            chosen = []
        for category in chosen:
            self._rows.add("catalog_category_product", category.id, number, random.randrange(100))
        if number % 97 == 0:
            self._rows.add("catalog_category_product", 2, number, 0)

    def _add_stock(self, product: _Product) -> None:
        random, number = self._random, product.number
        composite = product.kind in {"configurable", "grouped", "bundle"}
        quantity = 0 if composite or random.random() < 0.08 else random.randrange(1, 400)
        in_stock = int(composite or quantity > 0)
        managed = (0, 0) if random.random() < 0.02 else (0, 1)
        self._rows.add("cataloginventory_stock_item", number, 1, quantity, in_stock, *managed)
        self._rows.add("cataloginventory_stock_status", number, 0, 1, quantity, in_stock)
        if composite:
            return
        self._rows.add("inventory_source_item", "default", product.sku, quantity, in_stock)
        if 2 in product.websites:
            outlet = random.randrange(50)
            self._rows.add("inventory_source_item", "outlet-warehouse", product.sku, outlet, int(outlet > 0))
        if number % 50 == 1:
            order = f'{{"event_type":"order_placed","object_type":"order","object_id":"{number}"}}'
            self._rows.add("inventory_reservation", 1, product.sku, -1, order)
            if 2 in product.websites:
                self._rows.add("inventory_reservation", 2, product.sku, -2, order)

    # Prices

    def _add_prices(self, product: _Product) -> None:
        random, cents = self._random, product.text.price_cents
        self._value("price", product, _money(cents))
        if product.kind in {"simple", "variant"}:
            self._value("weight", product, f"{random.randrange(1, 90) / 10}")
        if product.kind == "bundle":
            if product.number % 3 == 0:
                # Of bundles it is a percentage.
                self._value("special_price", product, "85")
            return
        if product.number % 40 == 7:
            self._value("special_price", product, _money(cents * 7 // 10))
            self._value("special_from_date", product, "2035-01-01 00:00:00")
        elif random.random() < 0.1:
            self._value("special_price", product, _money(cents * 8 // 10))
            self._value("special_from_date", product, "2026-01-01 00:00:00")
            if random.random() < 0.5:
                self._value("special_to_date", product, random.choice(("2026-01-31", "2035-12-31")))
        if random.random() < 0.08:
            rows, table = self._rows, "catalog_product_entity_tier_price"
            rows.add(table, product.number, 1, 0, 5, _money(cents * 9 // 10), 0, None)
            rows.add(table, product.number, 0, 2, 1, 0, 0, 15)
            if 2 in product.websites:
                rows.add(table, product.number, 0, 3, 1, _money(cents * 8 // 10), 2, None)
                rows.add(table, product.number, 1, 0, 1, _money(cents * 19 // 20), 2, None)
        if random.random() < 0.04:
            self._add_rule_prices(product)

    def _add_rule_prices(self, product: _Product) -> None:
        price = _money(product.text.price_cents * 9 // 10)
        for day in self._rule_dates:
            for group_id in (0, 1):
                for website_id in product.websites:
                    values = (day, group_id, product.number, price, website_id)
                    self._rows.add("catalogrule_product_price", *values)
                    self._rows.add("catalogrule_product_price_replica", *values)

    # Options and links

    def _add_custom_options(self, product: _Product) -> None:
        rows = self._rows
        for position, kind in enumerate(("drop_down", "field"), start=1):
            option_id = rows.next_id("catalog_product_option")
            rows.add("catalog_product_option", option_id, product.number, kind, 0, None, position)
            title = {"drop_down": "Gift wrap", "field": 'Engraving ("max. 20")'}[kind]
            rows.add("catalog_product_option_title", option_id, 0, title)
            if kind == "field":
                rows.add("catalog_product_option_price", option_id, 0, "9.50", "fixed")
                continue
            rows.add("catalog_product_option_title", option_id, 2, "Geschenkpapier")
            for place, (label, price, price_type) in enumerate(
                (("Paper", 3, "fixed"), ("Box", 5, "percent"))
            ):
                value_id = rows.next_id("catalog_product_option_type_value")
                rows.add("catalog_product_option_type_value", value_id, option_id, f"wrap-{place}", place)
                rows.add("catalog_product_option_type_title", value_id, 0, label)
                rows.add("catalog_product_option_type_price", value_id, 0, price, price_type)

    def _add_merchandising(self, product: _Product) -> None:
        """Related, upsell and crosssell links to products made before."""
        if product.number < 20 or self._random.random() > 0.4:
            return
        for kind in ("related", "upsell", "crosssell"):
            if self._random.random() < 0.6:
                other = self._random.randrange(1, product.number)
                self._link(product, other, LINK_TYPES[kind])

    def _link(self, product: _Product, other: int, link_type: int) -> int:
        link_id = self._rows.next_id("catalog_product_link")
        self._rows.add("catalog_product_link", link_id, product.number, other, link_type)
        return link_id

    # Composite types; `first` is the number of the family's first product

    def _add_variant_values(self, product: _Product, place: int) -> None:
        size, color = divmod(place, 2)
        self._value("size", product, OPTION_IDS["size"][1 + size])
        self._value("color", product, OPTION_IDS["color"][color])

    def _add_configurable(self, product: _Product, first: int) -> None:
        rows = self._rows
        for position, code in enumerate(("size", "color")):
            super_id = rows.next_id("catalog_product_super_attribute")
            attribute_id = PRODUCT_ATTRIBUTES[code].id
            rows.add("catalog_product_super_attribute", super_id, product.number, attribute_id, position)
            rows.add("catalog_product_super_attribute_label", super_id, 0, 1, code.title())
        for child in self._members(first, "variant"):
            rows.add("catalog_product_super_link", child, product.number)
            rows.add("catalog_product_relation", product.number, child)

    def _add_grouped(self, product: _Product, first: int) -> None:
        for position, child in enumerate((first, first + 1, first + 2)):
            link_id = self._link(product, child, LINK_TYPES["grouped"])
            self._rows.add("catalog_product_link_attribute_int", GROUPED_POSITION, link_id, position)
            self._rows.add("catalog_product_link_attribute_decimal", GROUPED_QUANTITY, link_id, position + 1)
            self._rows.add("catalog_product_relation", product.number, child)

    def _add_bundle(self, product: _Product, first: int) -> None:
        rows = self._rows
        fixed = self._random.randrange(2)
        codes = ("price_type", "sku_type", "weight_type", "price_view", "shipment_type")
        for code, value in zip(codes, (fixed, fixed, fixed, 0, 0), strict=True):
            self._value(code, product, value)
        parts = (
            ("Main part", "radio", 1, (first, first + 1)),
            ("Extras", "checkbox", 0, (first + 3, first + 4)),
        )
        for position, (title, kind, required, children) in enumerate(parts, start=1):
            option_id = rows.next_id("catalog_product_bundle_option")
            rows.add("catalog_product_bundle_option", option_id, product.number, required, position, kind)
            rows.add("catalog_product_bundle_option_value", option_id, 0, title, product.number)
            for place, child in enumerate(children):
                self._add_selection(product, option_id, child, place, fixed)
        for child in (first, first + 1, first + 3, first + 4):
            rows.add("catalog_product_relation", product.number, child)

    def _add_selection(self, product: _Product, option_id: int, child: int, place: int, fixed: int) -> None:
        selection_id = self._rows.next_id("catalog_product_bundle_selection")
        self._rows.add(
            "catalog_product_bundle_selection",
            *(selection_id, option_id, product.number, child, place + 1, int(place == 0)),
            *(0, 5 * fixed, 1 + place, place),
        )
        if fixed and 2 in product.websites:
            price = (selection_id, 2, 0, 4, product.number)
            self._rows.add("catalog_product_bundle_selection_price", *price)

    def _add_downloadable(self, product: _Product, first: int) -> None:
        rows = self._rows
        self._value("links_purchased_separately", product, 1)
        self._value("links_exist", product, 1)
        self._value("links_title", product, "Downloads")
        self._value("samples_title", product, "Trailers")
        for position in (1, 2):
            link_id = rows.next_id("downloadable_link")
            url = f"https://files.example.com/{product.number}/{position}.mp4"
            sample = (f"{url}.sample", "url") if position == 1 else (None, None)
            rows.add("downloadable_link", link_id, product.number, position, 0, url, "url", *sample)
            rows.add("downloadable_link_title", link_id, 0, f"Part {position}")
            rows.add("downloadable_link_price", link_id, 0, position)
        sample_id = rows.next_id("downloadable_sample")
        url = f"https://files.example.com/{product.number}/trailer.mp4"
        rows.add("downloadable_sample", sample_id, product.number, url, "url", 1)
        rows.add("downloadable_sample_title", sample_id, 0, "Trailer")

    def _members(self, first: int, kind: str) -> list[int]:
        return [first + place for place, each in enumerate(FAMILY) if each == kind]


def _money(cents: int) -> str:
    return f"{cents / 100:.2f}"


_PLACES: Final = {
    code: (f"catalog_product_entity_{attribute.backend}", attribute.id)
    for code, attribute in PRODUCT_ATTRIBUTES.items()
}
