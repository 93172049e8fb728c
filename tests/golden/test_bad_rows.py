"""Rows that a shop should not have: built as the rules say, and every other item stays as it is."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from cases import FOLDER, statements
from shop import Shop

from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from commerce_sync.proof.fresh import Items, pages
from consumers.builder.entities import ENTITIES, ReadOptions
from runtime.errors import UnreadableText
from schemas.codec import decode, encode
from schemas.entities import FEEDS_OF
from schemas.topics import ITEM_BYTES_MAX

pytestmark = pytest.mark.stack

# Two products that are alike, in one category and on one website.
PRODUCTS = """
INSERT INTO catalog_product_entity (entity_id, sku, type_id) VALUES
    (1, 'GOOD', 'simple'), (2, 'BAD', 'simple');
INSERT INTO catalog_product_website (product_id, website_id) VALUES (1, 1), (2, 1);
INSERT INTO catalog_category_product (product_id, category_id) VALUES (1, 5), (2, 5);
INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES
    (@status, 0, 1, 1), (@visibility, 0, 1, 4), (@color, 0, 1, 41),
    (@status, 0, 2, 1), (@visibility, 0, 2, 4);
INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES
    (@name, 0, 1, 'Good'), (@name, 0, 2, 'Bad');
INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES
    (@price, 0, 1, 10), (@price, 0, 2, 10)
"""
SHOP = [text for part in PRODUCTS.split(";\n") if (text := part.strip())]
DEFAULT = '{"sku":"BAD","storeViewCode":"default"}'
PRICE = '{"customerGroupCode":"0","sku":"BAD","websiteCode":"base"}'


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    """One of its own: tables change their character set here."""
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    yield shop
    shop.close()


def outcome(shop: Shop, *lines: str) -> tuple[Items, dict[str, str]]:
    """Every item of a shop that has these rows too, as its topic holds it, and what is parked."""
    shop.hold(statements(FOLDER / "base.sql"), SHOP, list(lines))
    items: Items = {}
    parked: dict[str, str] = {}
    with shop.database.snapshot() as snapshot:
        for entity in FEEDS_OF:
            for keys in pages(snapshot, entity, ""):
                batch = ENTITIES[entity].read(snapshot, ReadOptions(""), keys)
                for key in keys:
                    built = batch.build(key)
                    parked |= {f"{entity} {key} {part}".strip(): why for part, why in built.parked.items()}
                    for (feed, name), item in built.items.items():
                        items.setdefault((name, feed), decode(feed, encode(feed, item)))
    return items, parked


@pytest.fixture(scope="module")
def good(shop: Shop) -> tuple[Items, dict[str, str]]:
    """The shop without any bad row."""
    return outcome(shop)


def said(good: tuple[Items, Mapping[str, str]], items: Items) -> dict[tuple[str, str], dict[str, Any]]:
    """What the items that are not as they were say otherwise; a new one says all of it."""
    assert good[0].keys() <= items.keys()
    return {
        name: {
            member: value
            for member, value in item.items()
            if name not in good[0] or good[0][name].get(member) != value
        }
        for name, item in items.items()
        if item != good[0].get(name)
    }


def test_rows_of_nothing_are_passed_over(shop: Shop, good: tuple[Items, dict[str, str]]) -> None:
    """Of a product, an attribute, a store, a website or a category that is not there; an option is its id."""
    items, parked = outcome(
        shop,
        "SET foreign_key_checks = 0",
        "INSERT INTO catalog_product_entity_varchar (attribute_id, store_id, entity_id, value) VALUES"
        " (@name, 0, 99, 'nobody'), (9999, 0, 2, 'nothing'), (@name, 77, 2, 'nowhere')",
        "INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value) VALUES"
        " (@color, 0, 2, 4711)",
        "INSERT INTO catalog_product_website (product_id, website_id) VALUES (99, 1), (2, 88)",
        "INSERT INTO catalog_category_product (product_id, category_id) VALUES (99, 5), (2, 999)",
        "INSERT INTO catalog_product_relation (parent_id, child_id) VALUES (98, 2)",
        "INSERT INTO catalog_product_link (product_id, linked_product_id, link_type_id) VALUES (2, 99, 1)",
        "INSERT INTO catalog_product_entity_media_gallery_value_to_entity (value_id, entity_id)"
        " VALUES (9, 2)",
        "INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES"
        " (@category_name, 0, 999, 'nobody')",
        "SET foreign_key_checks = 1",
    )

    assert said(good, items) == {
        (DEFAULT, "products"): {
            "attributes": [{"attributeCode": "color", "value": ["4711"], "variantReferenceId": None}]
        }
    }
    assert parked == good[1]


def test_a_path_with_a_gap_or_a_cycle_is_read_as_it_stands(
    shop: Shop, good: tuple[Items, dict[str, str]]
) -> None:
    """What stands in it and has a url key is part of the url path; no other category changes."""
    items, parked = outcome(
        shop,
        "INSERT INTO catalog_category_entity (entity_id, parent_id, path, position, level, children_count)"
        " VALUES (30, 31, '1/2/31/30', 1, 3, 0), (31, 30, '1/2/30/31', 1, 3, 0),"
        " (32, 99, '1/2/99/32', 1, 3, 0), (33, 33, '1/2/33/33', 1, 3, 0), (34, 2, '', 1, 2, 0),"
        " (35, 2, 'x/y', 1, 2, 0)",
        "INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value) VALUES"
        " (@category_url_key, 0, 30, 'a'), (@category_url_key, 0, 31, 'b'), (@category_url_key, 0, 32, 'c'),"
        " (@category_url_key, 0, 33, 'd'), (@category_url_key, 0, 34, 'e'), (@category_url_key, 0, 35, 'f')",
        "INSERT INTO catalog_category_product (product_id, category_id) VALUES"
        " (2, 30), (2, 32), (2, 33), (2, 34), (2, 35)",
    )
    told = said(good, items)
    categories = {
        item["categoryId"]: item["urlPath"] for (_, feed), item in told.items() if feed == "categories"
    }
    (product,) = (item for (_, feed), item in told.items() if feed != "categories")

    assert categories == {"30": "b/a", "31": "a/b", "32": "c", "33": "d/d"}
    assert {part["categoryId"]: part["categoryPath"] for part in product.pop("categoryData")} == {
        "3": "gear",
        "5": "gear/bags/backpacks",
        "30": "b/a",
        "32": "c",
        "33": "d/d",
    }
    assert product == {}
    assert parked == good[1]


def test_a_zero_date_is_a_value_as_it_stands_but_no_time_and_ends_no_price(
    shop: Shop, good: tuple[Items, dict[str, str]]
) -> None:
    """It is no date to compare with, and none that a service would take as a time."""
    zero = "0000-00-00 00:00:00"
    items, parked = outcome(
        shop,
        "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
        "UPDATE catalog_product_entity SET created_at = 0, updated_at = 0 WHERE entity_id = 2",
        "UPDATE catalog_category_entity SET created_at = 0, updated_at = 0 WHERE entity_id = 7",
        "INSERT INTO catalog_product_entity_datetime (attribute_id, store_id, entity_id, value) VALUES"
        f" (@news_from_date, 0, 2, '{zero}'), (@released, 0, 2, '{zero}'),"
        f" (@special_from_date, 0, 2, '{zero}'), (@special_to_date, 0, 2, '{zero}')",
    )

    assert said(good, items) == {
        ('{"storeViewCode":"default","urlPath":"sale"}', "categories"): {
            "createdAt": None,
            "updatedAt": None,
        },
        (DEFAULT, "products"): {
            "createdAt": None,
            "updatedAt": None,
            "attributes": [
                {"attributeCode": code, "value": [zero], "variantReferenceId": None}
                for code in ("news_from_date", "released")
            ],
        },
    }
    assert parked == good[1]


def test_an_absurd_price_is_told_digit_for_digit(shop: Shop, good: tuple[Items, dict[str, str]]) -> None:
    """Whether it is one is for the merchant to say; no other item changes."""
    items, parked = outcome(
        shop,
        "UPDATE catalog_product_entity_decimal SET value = -5 WHERE entity_id = 2",
        "INSERT INTO catalog_product_entity_decimal (attribute_id, store_id, entity_id, value) VALUES"
        " (@special_price, 0, 2, 99999999999999.999999)",
    )
    told = said(good, items)

    assert told.keys() == {(PRICE, "prices")}
    assert told[PRICE, "prices"]["regular"] == Decimal("-5")
    assert parked == good[1]


def test_a_flag_of_a_category_that_is_no_number_parks_that_category(
    shop: Shop, good: tuple[Items, dict[str, str]]
) -> None:
    """An attribute that was given another type may hold any text; the categories below it go on."""
    items, parked = outcome(
        shop,
        "UPDATE eav_attribute SET backend_type = 'varchar' WHERE attribute_id = @category_include_in_menu",
        "INSERT INTO catalog_category_entity_varchar (attribute_id, store_id, entity_id, value)"
        " SELECT attribute_id, store_id, entity_id, IF(entity_id = 4, 'yes', value)"
        " FROM catalog_category_entity_int WHERE attribute_id = @category_include_in_menu",
    )

    assert good[0].keys() - items.keys() == {
        ('{"storeViewCode":"default","urlPath":"gear/bags"}', "categories")
    }
    assert items == {name: item for name, item in good[0].items() if name in items}
    assert parked == {**good[1], "category 4": "include_in_menu 'yes' of category 4 is no number"}


def test_an_attribute_of_an_unknown_type_has_an_item_and_no_values(
    shop: Shop, good: tuple[Items, dict[str, str]]
) -> None:
    """There is no table to look for them; an unknown way of entering them is no hindrance."""
    items, parked = outcome(
        shop,
        "INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type,"
        " frontend_input, is_user_defined) VALUES (970, 4, 'odd', 'blob', 'hologram', 1),"
        " (971, 4, 'odder', 'int', 'hologram', 1)",
        "INSERT INTO catalog_eav_attribute (attribute_id) VALUES (970), (971)",
        "INSERT INTO catalog_product_entity_int (attribute_id, store_id, entity_id, value)"
        " VALUES (971, 0, 2, 5)",
    )
    told = said(good, items)
    attributes = {
        (item["attributeCode"], item["dataType"], item["frontendInput"])
        for (_, feed), item in told.items()
        if feed == "productAttributes"
    }

    assert attributes == {("odd", "blob", "hologram"), ("odder", "int", "hologram")}
    assert {name: item for name, item in told.items() if name[1] != "productAttributes"} == {
        (DEFAULT, "products"): {
            "attributes": [{"attributeCode": "odder", "value": ["5"], "variantReferenceId": None}]
        }
    }
    assert parked == good[1]


def test_a_description_of_five_megabytes_is_an_item_that_a_record_holds(
    shop: Shop, good: tuple[Items, dict[str, str]]
) -> None:
    """Read, built and encoded; a longer one is parked by the builder."""
    items, parked = outcome(
        shop,
        "INSERT INTO catalog_product_entity_text (attribute_id, store_id, entity_id, value) VALUES"
        " (@description, 0, 2, REPEAT('ä', 2621440))",
    )

    assert said(good, items) == {(DEFAULT, "products"): {"description": "ä" * 2_621_440}}
    assert 5 * 1024 * 1024 < len(encode("products", items[DEFAULT, "products"])) < ITEM_BYTES_MAX
    assert parked == good[1]


def test_a_column_of_another_character_set_is_read_as_text(
    shop: Shop, good: tuple[Items, dict[str, str]]
) -> None:
    """Old installations have latin1; bytes that are no text in UTF-8, and those that are none at all."""
    table = "catalog_product_entity_varchar"
    shop.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET latin1")
    try:
        items, parked = outcome(
            shop,
            f"UPDATE {table} SET value = CONVERT(UNHEX('4DFC6C6C657281FF') USING latin1) WHERE entity_id = 2",
        )
    finally:
        shop.execute(f"DELETE FROM {table}", f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4")

    assert said(good, items) == {(DEFAULT, "products"): {"name": "Müller\x81ÿ"}}
    assert parked == good[1]


def test_text_that_is_no_utf_8_is_read_and_mended(shop: Shop, good: tuple[Items, dict[str, str]]) -> None:
    """Two halves of a character, as another program wrote them, are one; a single one is none.

    The first read of it fails and is done again; other text stays as it is.
    """
    update = (
        "UPDATE catalog_product_entity_varchar SET value = CONVERT(UNHEX('{}') USING utf8mb4)"
        " WHERE entity_id = 2"
    )
    rows = (update.format("4DC3BC20EDA0BDEDB88020EDA0BD21"),)
    with pytest.raises(UnreadableText, match=r"a text is no UTF-8 .+; it is read anew"):
        outcome(shop, *rows)

    items, parked = outcome(shop, *rows)

    assert said(good, items) == {(DEFAULT, "products"): {"name": "Mü \U0001f600 \ufffd!"}}
    assert parked == good[1]
