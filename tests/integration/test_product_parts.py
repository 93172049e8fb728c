"""The parts of product items on a real database: SQL in, the members out, by hand from the rules."""

import asyncio
import base64
import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import jsonschema_rs
import pytest

from commerce_sync.local.stack import Stack
from commerce_sync.sample.commands import ADMIN_VARIABLE
from commerce_sync.sample.database import address_of, connected, create_database
from commerce_sync.sample.ddl import TABLES, create_schema
from consumers.builder.entities import ENTITIES, ReadOptions
from consumers.builder.feeds import products
from consumers.builder.read.products import read_products
from consumers.router.resolve import resolve
from consumers.router.rules import Kind, Touch
from consumers.sink.dialects.optimizer import OptimizerDialect
from runtime.database import Database, Query, Row, Snapshot
from schemas.codec import decode, encode
from schemas.services.optimizer import request_schema
from schemas.tables import OPTIONAL_TABLES

pytestmark = pytest.mark.stack

UPSERT = jsonschema_rs.validator_for(request_schema("products", "upsert"))
NAMES = ("A", "B", "HOODIE", "HOODIE-S", "HOODIE-M", "SET", "BOX", "FILM")

# 1 A and 2 B are simple, 3 HOODIE has the variants 4 (small) and 5 (medium, disabled), 6 SET is grouped of
# A and B, 7 BOX a bundle of A and B, 8 FILM downloadable. `base` sells from stock 1, `outlet` from stock 2.
SHOP = """
INSERT INTO store_website (website_id, code) VALUES (0, 'admin'), (1, 'base'), (2, 'outlet');
INSERT INTO store_group (group_id, website_id, name, root_category_id, code) VALUES (1, 1, 'M', 2, 'main'), (2, 2, 'O', 2, 'out');
INSERT INTO store (store_id, code, website_id, group_id, name) VALUES (0, 'admin', 0, 1, 'A'), (1, 'default', 1, 1, 'D'), (3, 'outlet', 2, 2, 'O');
INSERT INTO core_config_data (scope, scope_id, path, value) VALUES
  ('default', 0, 'web/unsecure/base_url', 'http://s/'), ('stores', 3, 'web/url/use_store', '1'),
  ('default', 0, 'currency/options/base', 'USD'), ('stores', 3, 'currency/options/base', 'EUR'),
  ('default', 0, 'general/locale/weight_unit', 'kgs'), ('default', 0, 'cataloginventory/options/stock_threshold_qty', '5');
INSERT INTO eav_entity_type (entity_type_id, entity_type_code, entity_model) VALUES (4, 'catalog_product', '');
INSERT INTO eav_attribute_set (attribute_set_id, entity_type_id, attribute_set_name) VALUES (4, 4, 'Default'), (9, 4, 'Top');
INSERT INTO tax_class (class_id, class_name, class_type) VALUES (2, 'Taxable', 'PRODUCT');
INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type, is_user_defined, frontend_label) VALUES
  (73, 4, 'name', 'varchar', 0, 'Name'), (82, 4, 'weight', 'decimal', 0, 'Weight'), (97, 4, 'status', 'int', 0, 'Status'),
  (99, 4, 'visibility', 'int', 0, 'Visibility'), (121, 4, 'url_key', 'varchar', 0, 'Key'), (125, 4, 'price_type', 'int', 0, NULL),
  (130, 4, 'links_purchased_separately', 'int', 0, NULL), (132, 4, 'links_title', 'varchar', 0, NULL),
  (136, 4, 'tax_class_id', 'int', 0, 'Tax'), (137, 4, 'size', 'int', 1, 'Size'), (90, 4, 'media_gallery', 'static', 0, NULL);
INSERT INTO catalog_eav_attribute (attribute_id, additional_data) VALUES (137, '{"swatch_input_type":"text"}');
INSERT INTO eav_attribute_label (attribute_id, store_id, value) VALUES (137, 3, 'Grösse');
INSERT INTO eav_attribute_option (option_id, attribute_id, sort_order) VALUES (11, 137, 1), (12, 137, 2);
INSERT INTO eav_attribute_option_value (option_id, store_id, value) VALUES (11, 0, 'S'), (12, 0, 'M'), (11, 3, 'Klein');
INSERT INTO eav_attribute_option_swatch (option_id, store_id, type, value) VALUES (11, 0, 1, '#111111');
INSERT INTO catalog_product_entity (entity_id, attribute_set_id, sku, type_id) VALUES
  (1, 9, 'A', 'simple'), (2, 4, 'B', 'simple'), (3, 4, 'HOODIE', 'configurable'), (4, 4, 'HOODIE-S', 'simple'),
  (5, 4, 'HOODIE-M', 'simple'), (6, 4, 'SET', 'grouped'), (7, 4, 'BOX', 'bundle'), (8, 4, 'FILM', 'downloadable');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (4, 1), (4, 2), (5, 1), (6, 1), (7, 1), (8, 1);
INSERT INTO catalog_product_entity_int (entity_id, attribute_id, store_id, value) VALUES
  (1, 97, 0, 1), (2, 97, 0, 1), (3, 97, 0, 1), (4, 97, 0, 1), (4, 97, 3, 2), (5, 97, 0, 2), (6, 97, 0, 1), (7, 97, 0, 1), (8, 97, 0, 1),
  (1, 136, 0, 2), (4, 137, 0, 11), (5, 137, 0, 12), (7, 125, 0, 1), (8, 130, 0, 1);
INSERT INTO catalog_product_entity_varchar (entity_id, attribute_id, store_id, value)
  SELECT entity_id, 73, 0, CONCAT('Name ', sku) FROM catalog_product_entity UNION ALL SELECT entity_id, 121, 0, LOWER(sku) FROM catalog_product_entity;
INSERT INTO catalog_product_entity_varchar (entity_id, attribute_id, store_id, value) VALUES (8, 132, 0, 'Files');
INSERT INTO catalog_product_entity_decimal (entity_id, attribute_id, store_id, value) VALUES (1, 82, 0, 1.25);
INSERT INTO catalog_product_relation (parent_id, child_id) VALUES (3, 4), (3, 5), (6, 1), (6, 2), (7, 1), (7, 2);
INSERT INTO catalog_product_super_link (product_id, parent_id) VALUES (4, 3), (5, 3);
INSERT INTO catalog_product_super_attribute (product_super_attribute_id, product_id, attribute_id, position) VALUES (1, 3, 137, 0);
INSERT INTO catalog_product_link_type (link_type_id, code) VALUES (1, 'relation'), (3, 'super'), (4, 'up_sell'), (5, 'cross_sell');
INSERT INTO catalog_product_link_attribute (product_link_attribute_id, link_type_id, product_link_attribute_code, data_type) VALUES
  (1, 1, 'position', 'int'), (2, 3, 'position', 'int'), (3, 3, 'qty', 'decimal');
INSERT INTO catalog_product_link (link_id, product_id, linked_product_id, link_type_id) VALUES (21, 1, 2, 1), (22, 1, 3, 5), (23, 6, 1, 3), (24, 6, 2, 3);
INSERT INTO catalog_product_link_attribute_int (product_link_attribute_id, link_id, value) VALUES (1, 21, 7), (2, 23, 2), (2, 24, 1);
INSERT INTO catalog_product_link_attribute_decimal (product_link_attribute_id, link_id, value) VALUES (3, 23, 3), (3, 24, 1);
INSERT INTO catalog_product_bundle_option (option_id, parent_id, required, position, type) VALUES (31, 7, 1, 1, 'radio');
INSERT INTO catalog_product_bundle_option_value (option_id, store_id, title, parent_product_id) VALUES (31, 0, 'Main', 7);
INSERT INTO catalog_product_bundle_selection (selection_id, option_id, parent_product_id, product_id, position, is_default, selection_price_value, selection_qty) VALUES
  (41, 31, 7, 2, 2, 0, 5, 1), (42, 31, 7, 1, 1, 1, 4, 2);
INSERT INTO catalog_product_bundle_selection_price (selection_id, website_id, selection_price_type, selection_price_value, parent_product_id) VALUES (41, 1, 1, 6, 7);
INSERT INTO catalog_product_option (option_id, product_id, type, is_require, sort_order) VALUES (51, 2, 'drop_down', 1, 1), (52, 2, 'field', 0, 2);
INSERT INTO catalog_product_option_title (option_id, store_id, title) VALUES (51, 0, 'Wrap'), (52, 0, 'Text');
INSERT INTO catalog_product_option_price (option_id, store_id, price) VALUES (52, 0, 9.5);
INSERT INTO catalog_product_option_type_value (option_type_id, option_id, sku, sort_order) VALUES (61, 51, 'wrap', 1);
INSERT INTO catalog_product_option_type_title (option_type_id, store_id, title) VALUES (61, 0, 'Paper');
INSERT INTO catalog_product_option_type_price (option_type_id, store_id, price) VALUES (61, 0, 3);
INSERT INTO downloadable_link (link_id, product_id, sort_order, number_of_downloads, sample_url, sample_type) VALUES (71, 8, 1, 5, 'http://x', 'url');
INSERT INTO downloadable_link_title (link_id, store_id, title) VALUES (71, 0, 'Part');
INSERT INTO downloadable_link_price (link_id, website_id, price) VALUES (71, 0, 2);
INSERT INTO downloadable_sample (sample_id, product_id, sample_url, sort_order) VALUES (81, 8, 'http://y', 1);
INSERT INTO downloadable_sample_title (sample_id, store_id, title) VALUES (81, 0, 'Trailer');
INSERT INTO cataloginventory_stock (stock_id, website_id, stock_name) VALUES (1, 0, 'Default');
INSERT INTO cataloginventory_stock_item (product_id, stock_id, qty, is_in_stock) VALUES (1, 1, 9, 1), (2, 1, 0, 0), (3, 1, 0, 1), (4, 1, 3, 1), (5, 1, 3, 1), (6, 1, 0, 1), (7, 1, 0, 1), (8, 1, 99, 1);
INSERT INTO inventory_source (source_code, name, enabled, country_id, postcode) VALUES ('default', 'D', 1, 'US', '0'), ('east', 'E', 1, 'US', '0'), ('shut', 'S', 0, 'US', '0');
INSERT INTO inventory_stock (stock_id, name) VALUES (1, 'Default'), (2, 'Outlet');
INSERT INTO inventory_source_stock_link (stock_id, source_code, priority) VALUES (1, 'default', 1), (2, 'east', 1), (2, 'shut', 2);
INSERT INTO inventory_stock_sales_channel (type, code, stock_id) VALUES ('website', 'base', 1), ('website', 'outlet', 2);
INSERT INTO inventory_source_item (source_code, sku, quantity, status) VALUES ('default', 'A', 9, 1), ('east', 'a', 6, 1), ('shut', 'A', 50, 1), ('east', 'HOODIE-S', 2, 1);
INSERT INTO inventory_reservation (stock_id, sku, quantity) VALUES (2, 'A', -4), (2, 'HOODIE-S', -2), (1, 'A', -9);
INSERT INTO url_rewrite (entity_type, entity_id, request_path, target_path, redirect_type, store_id) VALUES
  ('product', 1, 'a.html', 'catalog/product/view/id/1', 0, 1), ('product', 1, 'old.html', 'a.html', 301, 1), ('category', 1, 'c.html', 'x', 0, 1);
INSERT INTO catalog_product_entity_media_gallery (value_id, attribute_id, value, media_type) VALUES (91, 90, '/v.jpg', 'external-video');
INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id) VALUES (91, 1);
"""  # noqa: E501  # one statement a line reads as the tables do
VIDEOS = "catalog_product_entity_media_gallery_value_video"
VIDEO_ROW = f"INSERT INTO {VIDEOS} (value_id, store_id, provider, url) VALUES (91, 0, 'vimeo', 'http://v')"
MULTI_SOURCE = (
    *("inventory_source_item", "inventory_source_stock_link", "inventory_stock_sales_channel"),
    *("inventory_reservation", "inventory_source", "inventory_stock"),
)


class Shop:
    """A database of these tests, with the rows above."""

    def __init__(self, admin_url: str) -> None:
        self.address = address_of(admin_url, f"magento_parts_{secrets.token_hex(4)}")
        asyncio.run(self._create())
        self.database = Database(self.address)

    async def _create(self) -> None:
        await create_database(self.address)
        async with connected(self.address) as connection:
            await create_schema(connection)
        await self._run(SHOP + VIDEO_ROW)

    def sql(self, script: str) -> None:
        asyncio.run(self._run(script))

    async def _run(self, script: str) -> None:
        async with connected(self.address) as connection, connection.cursor() as cursor:
            for statement in filter(None, map(str.strip, script.split(";\n"))):
                await cursor.execute(statement)
            await connection.commit()

    def items(self, *skus: str) -> dict[tuple[str, str], dict[str, Any]]:
        """Items as their topic holds them, by SKU and store view; the service would take each of them."""
        with self.database.snapshot() as snapshot:
            batch = read_products(snapshot, "", skus, {}, "")
        built = [i for rows in batch.products.values() for i in products.build(rows, batch.catalog)]
        held = [decode(products.FEED, encode(products.FEED, item)) for item in built]
        UPSERT.validate([OptimizerDialect().payload(products.FEED, item) for item in held])
        return {(item["sku"], item["storeViewCode"]): item for item in held}

    def close(self) -> None:
        self.database.close()
        self.sql(f"DROP DATABASE `{self.address.database}`")


@pytest.fixture
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    yield shop
    shop.close()


def uid(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def said(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its absent members."""
    return {name: value for name, value in record.items() if value is not None}


def test_a_shop_without_the_tables_of_some_modules_is_one_without_their_rows(shop: Shop) -> None:
    """Its products and scopes are built and its changes routed; a module that is installed later counts."""
    free = "SET FOREIGN_KEY_CHECKS = 0;\n"
    shop.sql(free + ";\n".join(f"DELETE FROM {name}" for name in OPTIONAL_TABLES))
    without_rows = shop.items(*NAMES)
    shop.sql(free + ";\n".join(f"DROP TABLE {name}" for name in OPTIONAL_TABLES))
    shop.database.close()
    shop.database = Database(shop.address)
    without_tables = shop.items(*NAMES)
    with shop.database.snapshot() as snapshot:
        found = resolve(snapshot, "", (Touch("product", "1"), Touch("value", "int:4")))
        scopes = ENTITIES["scope"].read(snapshot, ReadOptions(""), ("group:1", "website:1"))
    shop.sql(f"{TABLES[VIDEOS].create_statement('')};\n{VIDEO_ROW}")
    with_videos = shop.items("A")

    assert without_tables == without_rows
    assert ("http://v" in str(without_tables), "http://v" in str(with_videos)) == (False, True)
    assert found
    assert scopes.build("website:1").items


def test_a_simple_product_with_everything_around_it(shop: Shop) -> None:
    """Members of one line, links, parents, stock, address and video, each store view its own."""
    items = shop.items("A")

    base, outlet = items["A", "default"], items["A", "outlet"]
    attributes = {a["attributeCode"]: a["value"] for a in base["attributes"]}
    assert (base["taxClassId"], base["weight"], base["weightUnit"]) == ("Taxable", 1.25, "kgs")
    assert (base["currency"], outlet["currency"]) == ("USD", "EUR")
    assert attributes["ac_attribute_set"] == ["Top"]
    assert attributes["ac_tax_class"] == ["Taxable"]
    assert attributes["ac_inventory"] == [
        (
            '{"manageStock":true,"cartMinQty":1.0,"cartMaxQty":10000.0,"backorders":"0",'
            '"enableQtyIncrements":false,"qtyIncrements":1.0}'
        )
    ]
    assert base["links"] == [{"sku": "HOODIE", "type": "crosssell"}, {"sku": "B", "type": "related"}]
    assert outlet["links"] == [{"sku": "HOODIE", "type": "crosssell"}]
    assert base["parents"] == [
        {"sku": "BOX", "productType": "bundle_fixed"},
        {"sku": "SET", "productType": "grouped"},
    ]
    assert outlet["parents"] == []
    assert (base["url"], outlet["url"]) == (
        "http://s/a.html",
        "http://s/outlet/catalog/product/view/id/1/s/a/",
    )
    assert base["urlRewrites"] == [
        {"url": "http://s/a.html", "parameters": [{"name": "id", "value": "1"}]},
        {"url": "http://s/old.html", "parameters": []},
    ]
    assert outlet["urlRewrites"] == []
    assert [said(video["video"]) for video in base["videos"]] == [
        {"videoProvider": "vimeo", "videoUrl": "http://v", "mediaType": "external-video"}
    ]


def test_stock_of_a_website_is_that_of_its_sources(shop: Shop) -> None:
    """Stock 1 by the stock item, stock 2 by enabled sources less reservations; composites by children."""
    items = shop.items(*NAMES)

    assert {key: (item["inStock"], item["lowStock"]) for key, item in items.items()} == {
        ("A", "default"): (True, False),
        # 6 in the east, 4 reserved; the source that is shut does not count.
        ("A", "outlet"): (True, False),
        ("B", "default"): (False, True),
        # The index keeps no quantity of composites in the default stock.
        ("HOODIE", "default"): (True, True),
        # Both pieces of its one variant there are reserved.
        ("HOODIE", "outlet"): (False, True),
        ("HOODIE-S", "default"): (True, True),
        ("HOODIE-S", "outlet"): (False, True),
        # Disabled in every store: no row in the index.
        ("HOODIE-M", "default"): (False, True),
        ("SET", "default"): (True, True),
        ("BOX", "default"): (True, True),
        ("FILM", "default"): (True, False),
    }


def test_a_shop_without_multi_source_inventory_has_one_stock(shop: Shop) -> None:
    """A missing table is no error."""
    shop.sql("SET foreign_key_checks = 0;\n" + ";\n".join(f"DROP TABLE {name}" for name in MULTI_SOURCE))

    items = shop.items("A", "HOODIE-S")

    assert {key: item["inStock"] for key, item in items.items()} == {
        ("A", "default"): True,
        ("A", "outlet"): True,
        ("HOODIE-S", "default"): True,
        ("HOODIE-S", "outlet"): True,
    }


def test_a_configurable_and_its_variants(shop: Shop) -> None:
    """Disabled children offer nothing; a variant's attribute names the parent's value."""
    items = shop.items("HOODIE", "HOODIE-S", "HOODIE-M")

    (option,) = items["HOODIE", "default"]["optionsV2"]
    (elsewhere,) = items["HOODIE", "outlet"]["optionsV2"]
    references = {
        key: {a["attributeCode"]: a["variantReferenceId"] for a in item["attributes"]}.get("size")
        for key, item in items.items()
    }
    assert (option["id"], option["label"], option["swatchType"]) == (
        "size",
        "Size",
        '{"swatch_input_type":"text"}',
    )
    assert [said(value) for value in option["values"]] == [
        {"id": uid("configurable/137/11"), "label": "S", "sortOrder": 1, "colorHex": "#111111"}
    ]
    assert (elsewhere["label"], elsewhere["values"]) == ("Grösse", [])
    assert items["HOODIE", "default"]["hasEnabledChildren"] is True
    assert items["HOODIE", "outlet"]["hasEnabledChildren"] is False
    assert references == {
        ("HOODIE", "default"): None,
        ("HOODIE", "outlet"): None,
        ("HOODIE-S", "default"): uid("configurable/137/11"),
        ("HOODIE-S", "outlet"): uid("configurable/137/11"),
        ("HOODIE-M", "default"): uid("configurable/137/12"),
    }


def test_a_grouped_product_and_a_bundle(shop: Shop) -> None:
    """Members and selections in their positions, with their own or the website's price."""
    items = shop.items("SET", "BOX")

    (members,) = items["SET", "default"]["optionsV2"]
    (selections,) = items["BOX", "default"]["optionsV2"]
    assert (members["id"], members["type"]) == ("6", "grouped")
    assert [said(value) for value in members["values"]] == [
        {"id": "2", "sku": "B", "qty": 1.0, "sortOrder": 1, "qtyMutability": True},
        {"id": "1", "sku": "A", "qty": 3.0, "sortOrder": 2, "qtyMutability": True},
    ]
    assert (selections["id"], selections["label"], selections["required"]) == ("31", "Main", True)
    assert [said(value) for value in selections["values"]] == [
        {
            "id": uid("bundle/31/42/2"),
            "label": "Name A",
            "sortOrder": 1,
            "isDefault": True,
            "sku": "A",
            "qtyMutability": False,
            "qty": 2.0,
            "price": 4.0,
            "priceType": "fixed",
        },
        {
            "id": uid("bundle/31/41/1"),
            "label": "Name B",
            "sortOrder": 2,
            "isDefault": False,
            "sku": "B",
            "qtyMutability": False,
            "qty": 1.0,
            "price": 6.0,
            "priceType": "percent",
        },
    ]


def test_custom_options_and_downloads(shop: Shop) -> None:
    """What to choose, what to fill in, what to fetch."""
    items = shop.items("B", "FILM")

    (wrap,) = items["B", "default"]["optionsV2"]
    (text,) = items["B", "default"]["shopperInputOptions"]
    (files,) = items["FILM", "default"]["optionsV2"]
    assert [said(value) for value in wrap["values"]] == [
        {
            "id": uid("custom-option/51/61"),
            "label": "Paper",
            "sortOrder": 1,
            "isDefault": False,
            "sku": "wrap",
            "price": 3.0,
            "priceType": "fixed",
        }
    ]
    assert (text["id"], text["label"], text["price"]) == (uid("custom-option/52"), "Text", 9.5)
    assert (files["id"], files["label"]) == ("link:8", "Files")
    assert [said(value) for value in files["values"]] == [
        {
            "id": uid("downloadable/71"),
            "label": "Part",
            "sortOrder": 1,
            "qty": 5.0,
            "price": 2.0,
            "infoUrl": "http://s/downloadable/download/linkSample/link_id/71",
        }
    ]
    assert [sample["resource"]["label"] for sample in items["FILM", "default"]["samples"]] == ["Trailer"]
    assert items["FILM", "default"]["linksPurchasedSeparately"] is True


class Counting:
    """Counts the queries of a snapshot, and its round trips."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self.queries = 0
        self.trips = 0

    def query_all(self, queries: Sequence[Query]) -> list[list[Row]]:
        self.trips += 1
        self.queries += len(queries)
        return self._snapshot.query_all(queries)


def test_more_products_are_read_with_no_more_queries(shop: Shop) -> None:
    """Twelve copies of each product, with what belongs to them, cost what one costs."""
    with shop.database.snapshot() as snapshot:
        few = Counting(snapshot)
        read_products(few, "", NAMES, {}, "")
    for n in range(1, 13):
        shop.sql(
            "INSERT INTO catalog_product_entity (entity_id, sku, type_id)"
            f" SELECT entity_id + {n}00, CONCAT(sku, '-{n}'), type_id FROM catalog_product_entity"
            " WHERE entity_id < 100;\n"
            "INSERT INTO catalog_product_relation SELECT parent_id + "
            f"{n}00, child_id + {n}00 FROM catalog_product_relation WHERE parent_id < 100"
        )
    with shop.database.snapshot() as snapshot:
        many = Counting(snapshot)
        read_products(many, "", [*NAMES, *(f"{s}-{n}" for s in NAMES for n in range(1, 13))], {}, "")

    assert (many.queries, many.trips) == (few.queries, few.trips)
    assert few.trips <= 7


@pytest.mark.parametrize(
    ("kind", "value", "skus"),
    [
        ("product", "2", {"B", "SET", "BOX"}),
        ("product", "5", {"HOODIE-M", "HOODIE"}),
        ("value", "varchar:2", {"B", "BOX"}),
        ("value", "text:2", {"B"}),
        ("value", "decimal:5", {"HOODIE-M"}),
        ("value", "int:2", {"B", "SET", "BOX"}),
        ("neighbours", "3", {"HOODIE", "HOODIE-S", "HOODIE-M", "A"}),
        ("neighbours", "2", {"B", "SET", "BOX", "A"}),
        ("bundle_children", "7", {"A", "B"}),
        ("bundle_children", "6", set()),
        ("spelling", "hoodie-s", {"HOODIE-S", "HOODIE"}),
        ("spelling", "FILM", {"FILM"}),
        ("spelling", "nothing", set()),
        ("media", "91", {"A", "SET", "BOX"}),
        ("link", "23", {"SET"}),
        ("custom_option", "51", {"B", "SET", "BOX"}),
        ("custom_choice", "61", {"B", "SET", "BOX"}),
        ("download", "71", {"FILM"}),
        ("sample", "81", {"FILM"}),
        ("sample", "99", set()),
    ],
)
def test_a_row_is_traced_to_the_products_that_show_it(
    shop: Shop, kind: Kind, value: str, skus: set[str]
) -> None:
    """Each kind of look-up, with the parents of what it finds."""
    touch = Touch(kind, value)

    with shop.database.snapshot() as snapshot:
        found = resolve(snapshot, "", [touch]).entities(touch)

    assert {sku for sku, is_reference in found if not is_reference} == skus
    assert [name for name, is_reference in found if is_reference] == []


@pytest.mark.parametrize(
    ("kind", "value", "reference"),
    [
        ("product", "77", "product:77"),
        ("value", "varchar:77", "product:77"),
        ("media", "77", "media:77"),
    ],
)
def test_an_id_of_no_row_is_asked_of_the_index(shop: Shop, kind: Kind, value: str, reference: str) -> None:
    """Its rows went by cascade, without an event."""
    touch = Touch(kind, value)

    with shop.database.snapshot() as snapshot:
        assert resolve(snapshot, "", [touch]).entities(touch) == [(reference, True)]


def test_an_item_names_every_row_that_can_change_it(shop: Shop) -> None:
    """Parents, children, link targets, options, attributes, tax class, set and pictures."""
    with shop.database.snapshot() as snapshot:
        batch = read_products(snapshot, "", ["A", "HOODIE"], {}, "")

    assert {sku: products.refs(rows, batch.catalog) for sku, rows in batch.products.items()} == {
        "A": (
            *("attribute_set:9", "media:91", "product:1", "product:2", "product:3"),
            *("product:6", "product:7", "tax_class:2"),
        ),
        "HOODIE": (
            *("attribute:137", "attribute_set:4", "option:11", "option:12"),
            *("product:3", "product:4", "product:5"),
        ),
    }
