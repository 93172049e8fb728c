"""Edits of categories, attributes and scopes reach their feed topics, on the real parts."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha1
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from pipeline import Pipeline, running

from commerce_sync.local.stack import Stack
from commerce_sync.proof.feeds import feed_differences, held_items
from commerce_sync.run.quiet import await_resync
from commerce_sync.run.request import request_resync
from runtime.record import Record
from schemas.codec import decode
from schemas.entities import FEEDS, FEEDS_OF
from schemas.keys import partition_for
from schemas.records import Dirty, IndexEntry
from schemas.shop_config import DEFAULTS, TIMEZONE
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PRODUCTS = 20
PRODUCT = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = '{}' AND entity_type_id = 4)"
CATEGORY = "(SELECT attribute_id FROM eav_attribute WHERE attribute_code = '{}' AND entity_type_id = 3)"


@pytest.fixture(scope="module")
def shop(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """One pipeline for this module's tests; nothing is sent but products."""
    with running(stack, tmp_path_factory.mktemp("feeds"), PRODUCTS, {}, {}) as pipeline:
        pipeline.settle()
        yield pipeline


def on_topic(shop: Pipeline, feed: str) -> list[dict[str, Any]]:
    return list(held_items(shop.scene.settings, [feed]).values())


def set_category(code: str, category: int, value: str, store: int = 0) -> str:
    kind = "int" if value.isdigit() else "varchar"
    return (
        f"REPLACE INTO catalog_category_entity_{kind} (attribute_id, store_id, entity_id, value)"
        f" VALUES ({CATEGORY.format(code)}, {store}, {category}, '{value}')"
    )


def test_the_first_sync_fills_every_feed(shop: Pipeline) -> None:
    """What a fresh build gives, of every feed, is on its topic."""
    counts = {feed: len(on_topic(shop, feed)) for feed in FEEDS}

    assert feed_differences(shop.scene.settings) == []
    # This shop is not of the edition that has these.
    paid = {"categoryPermissions", "productOverrides"}
    assert {feed for feed, count in counts.items() if not count} == paid
    # Two websites, each with its own book and one for each of four groups.
    assert (counts["scopesWebsite"], counts["scopesCustomerGroup"], counts["priceBooks"]) == (2, 4, 10)


def test_a_renamed_category_moves_its_descendants_and_their_products(shop: Pipeline) -> None:
    """A url key is part of every path below; the old paths are taken back, the new ones are there."""
    before = {item["urlPath"] for item in on_topic(shop, "categories")}
    shop.sql(set_category("url_key", 4, "ladies"))
    shop.settle()

    paths = {item["urlPath"] for item in on_topic(shop, "categories") if item["storeViewCode"] == "default"}
    assert any(path.startswith("women/") for path in before)
    assert not any(path == "women" or path.startswith("women/") for path in paths)
    assert any(path.startswith("ladies/tops") for path in paths)
    assert feed_differences(shop.scene.settings) == []


def test_a_category_switched_off_vanishes_from_its_parent_and_hides_what_is_below(shop: Pipeline) -> None:
    """The parent lists its active children, the descendants of a top are no longer active."""
    shop.sql(set_category("is_active", 5, "0"), set_category("is_active", 4, "0"))
    shop.settle()

    items = {i["categoryId"]: i for i in on_topic(shop, "categories") if i["storeViewCode"] == "default"}
    assert "4" not in items["2"]["children"]
    assert "5" not in items["4"]["children"]
    assert {items[n]["isActive"] for n in ("4", "5", "6", "7")} == {0}
    assert feed_differences(shop.scene.settings) == []
    shop.sql(set_category("is_active", 5, "1"), set_category("is_active", 4, "1"))


def test_a_moved_category_has_its_new_place(shop: Pipeline) -> None:
    """As Commerce moves one: its own row and the paths of those below, in one transaction."""
    shop.sql(
        "UPDATE catalog_category_entity SET parent_id = 15, path = '1/2/14/15/5', level = 4"
        " WHERE entity_id = 5",
        "UPDATE catalog_category_entity SET path = CONCAT('1/2/14/15/5/', entity_id), level = 5"
        " WHERE parent_id = 5",
    )
    shop.settle()

    items = {i["categoryId"]: i for i in on_topic(shop, "categories") if i["storeViewCode"] == "default"}
    assert items["5"]["path"] == "1/2/14/15/5"
    assert "5" in items["15"]["children"]
    assert "5" not in items["4"]["children"]
    assert feed_differences(shop.scene.settings) == []


def test_a_deleted_category_takes_its_items_along(shop: Pipeline) -> None:
    """A new one under the same path is there at once, with its own id."""
    (gone,) = [
        item
        for item in on_topic(shop, "categories")
        if item["categoryId"] == "40" and item["storeViewCode"] == "default"
    ] or [None]
    assert gone is not None
    shop.sql(
        "DELETE FROM catalog_category_entity WHERE entity_id = 40",
        "INSERT INTO catalog_category_entity (entity_id, attribute_set_id, parent_id, path, position, level,"
        f" children_count) VALUES (900, 3, {gone['parentId']},"
        f" '{gone['path'].rpartition('/')[0]}/900', 9, {gone['level']}, 0)",
        set_category("url_key", 900, gone["urlKey"]),
        set_category("is_active", 900, "1"),
    )
    shop.settle()

    (item,) = [
        item
        for item in on_topic(shop, "categories")
        if item["urlPath"] == gone["urlPath"] and item["storeViewCode"] == "default"
    ]
    assert item["categoryId"] == "900"
    assert feed_differences(shop.scene.settings) == []


def test_two_categories_with_one_path_are_one_item_and_a_letter(shop: Pipeline) -> None:
    """INTERLEAVING 28: the lower id has it, the other is told; when the first goes, the second is there."""
    shop.sql(set_category("url_key", 24, "men"), set_category("url_key", 14, "men"))
    shop.settle()
    told = shop.dead_letters("builder")
    first = {i["categoryId"] for i in on_topic(shop, "categories") if i["urlPath"] == "men"}
    shop.sql(set_category("url_key", 14, "gents"))
    shop.settle()

    second = {i["categoryId"] for i in on_topic(shop, "categories") if i["urlPath"] == "men"}
    assert any("category 14 makes this item too" in letter.error for letter in told.values())
    assert (first, second) == ({"14"}, {"24"})
    assert not any("makes this item too" in letter.error for letter in shop.dead_letters("builder").values())
    assert feed_differences(shop.scene.settings) == []


def test_an_attribute_of_the_merchant_comes_changes_and_goes(shop: Pipeline) -> None:
    """Added while the pipeline runs; labels go by cascade with it."""
    shop.sql(
        "INSERT INTO eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type,"
        " frontend_label, is_user_defined) VALUES (950, 4, 'finish', 'varchar', 'Finish', 1)",
        "INSERT INTO catalog_eav_attribute (attribute_id) VALUES (950)",
    )
    shop.settle()
    made = {i["storeViewCode"]: i["label"] for i in on_topic(shop, "productAttributes") if i["id"] == "950"}
    shop.sql(
        "INSERT INTO eav_attribute_label (attribute_id, store_id, value) VALUES (950, 2, 'Oberfläche')",
        "UPDATE catalog_eav_attribute SET is_searchable = 1 WHERE attribute_id = 950",
    )
    shop.settle()
    changed = [i for i in on_topic(shop, "productAttributes") if i["id"] == "950"]
    shop.sql("DELETE FROM eav_attribute WHERE attribute_id = 950")
    shop.settle()

    assert made == {"default": "Finish", "de": "Finish", "outlet": "Finish"}
    assert {i["storeViewCode"]: i["label"] for i in changed} == {**made, "de": "Oberfläche"}
    assert all(i["searchable"] for i in changed)
    assert not [i for i in on_topic(shop, "productAttributes") if i["id"] == "950"]
    assert feed_differences(shop.scene.settings) == []


def test_a_new_customer_group_has_a_book_on_every_website(shop: Pipeline) -> None:
    """And its scope; without any website's row having changed."""
    shop.sql(
        "INSERT INTO customer_group (customer_group_id, customer_group_code) VALUES (9, 'VIP')",
        "INSERT INTO customer_group_excluded_website (customer_group_id, website_id) VALUES (9, 2)",
    )
    shop.settle()

    hashed = sha1(b"9", usedforsecurity=False).hexdigest()
    books = {i["priceBookId"]: i["name"] for i in on_topic(shop, "priceBooks") if hashed in i["priceBookId"]}
    (group,) = [i for i in on_topic(shop, "scopesCustomerGroup") if i["customerGroupId"] == "9"]
    assert books == {f"base::{hashed}": "VIP (Main Website)", f"outlet::{hashed}": "VIP (Outlet)"}
    assert group["websites"] == ["base"]
    assert feed_differences(shop.scene.settings) == []


def test_a_website_that_comes_changes_and_goes(shop: Pipeline) -> None:
    """With its store and view: every category and attribute has items there, all of them go with it."""
    shop.sql(
        "INSERT INTO store_website (website_id, code, name) VALUES (5, 'popup', 'Popup')",
        "INSERT INTO store_group (group_id, website_id, name, root_category_id, default_store_id, code)"
        " VALUES (5, 5, 'Popup', 3, 5, 'popup_store')",
        "INSERT INTO store (store_id, code, website_id, group_id, name, is_active)"
        " VALUES (5, 'popup', 5, 5, 'Popup', 1)",
    )
    shop.settle()
    views = [
        {i["storeViewCode"] for i in on_topic(shop, feed)} for feed in ("categories", "productAttributes")
    ]
    differences = feed_differences(shop.scene.settings)
    shop.sql("UPDATE store_website SET code = 'popup2' WHERE website_id = 5")
    shop.settle()
    renamed = {i["priceBookId"].split("::")[0] for i in on_topic(shop, "priceBooks")}
    differences += feed_differences(shop.scene.settings)
    # The store and its view go by cascade.
    shop.sql("DELETE FROM store_website WHERE website_id = 5")
    shop.settle()

    assert all("popup" in found for found in views)
    assert renamed == {"base", "outlet", "popup2"}
    assert "popup" not in {i["storeViewCode"] for i in on_topic(shop, "categories")}
    assert differences + feed_differences(shop.scene.settings) == []


def test_a_currency_counts_once_prices_are_the_websites_own(shop: Pipeline) -> None:
    """Configuration that only price books show touches only them."""
    config = "INSERT INTO core_config_data (scope, scope_id, path, value) VALUES ('{}', {}, '{}', '{}')"
    shop.sql(config.format("websites", 2, "currency/options/base", "EUR"))
    shop.settle()
    shared = {i["priceBookId"]: i["currency"] for i in on_topic(shop, "priceBooks") if i["currency"]}
    shop.sql("UPDATE core_config_data SET value = '1' WHERE path = 'catalog/price/scope'")
    shop.settle()

    own = {i["priceBookId"]: i["currency"] for i in on_topic(shop, "priceBooks") if i["currency"]}
    assert (shared, own) == ({"base": "USD", "outlet": "USD"}, {"base": "USD", "outlet": "EUR"})
    assert feed_differences(shop.scene.settings) == []


def test_a_resync_of_everything_heals_what_was_lost_and_repeats_nothing(shop: Pipeline) -> None:
    """Entities of all kinds are enumerated; of an unchanged shop nothing is written."""
    shop.settle()
    before = shop.ends(FEEDS)

    requested_ms = request_resync(shop.scene.settings, FEEDS)
    progress = await_resync(shop.scene.settings, requested_ms, 60, lambda *_: None)

    assert shop.written(FEEDS, before) == []
    assert set(progress.feeds) == set(FEEDS)
    assert progress.entities > sum(len(feeds) for feeds in FEEDS_OF.values())


def test_a_special_price_begins_and_ends_by_itself(shop: Pipeline) -> None:
    """No row is written when its moments come, and neither is early by the database's clock."""
    sku = plain_product(shop)
    begins_s, ends_s = built_before_it_begins(shop, sku)
    written = len(price_records(shop, sku))

    def both() -> bool:
        return len(price_records(shop, sku)) >= written + 2

    shop.wait_until("the price has begun and ended", both)
    began, ended = price_records(shop, sku)[written:]

    assert (discounts(began), discounts(ended)) == ([{"code": "special_price", "price": 1}], [])
    assert [record.headers["reason"] for record in (began, ended)] == [b"due", b"due"]
    assert [int(record.headers["commit_ms"]) for record in (began, ended)] == [
        begins_s * 1000,
        ends_s * 1000,
    ]
    # Database and builder have one machine's clock here.
    assert int(began.headers["built_ms"]) >= begins_s * 1000
    assert int(ended.headers["built_ms"]) >= ends_s * 1000
    assert feed_differences(shop.scene.settings) == []


def test_a_special_price_that_began_while_the_clock_was_away_is_not_missed(shop: Pipeline) -> None:
    """Killed before the moment, started again behind it; and what it called before is not called again."""
    sku = plain_product(shop)
    shop.settle()
    shop.kill("clock")
    begins_s, _ = built_before_it_begins(shop, sku, lasts_s=86_400)
    written = len(price_records(shop, sku))
    # Nobody tends the roles here, so the clock stays away.
    while database_s(shop) <= begins_s:
        time.sleep(0.1)
    meanwhile = price_records(shop, sku)[written:]
    shop.wait_until("the price has begun", lambda: len(price_records(shop, sku)) > written)

    (began,) = price_records(shop, sku)[written:]
    assert meanwhile == []
    assert (discounts(began), began.headers["reason"]) == ([{"code": "special_price", "price": 1}], b"due")
    calls = [
        (record.key, dirty.due_s)
        for record in shop.topic(TopicNames(shop.scene.settings.kafka.topic_prefix).dirty("product"))
        if (dirty := msgspec.json.decode(record.value or b"", type=Dirty)).due_s is not None
    ]
    assert (sku.encode(), begins_s) in calls
    assert len(calls) == len(set(calls)) >= 3


def plain_product(shop: Pipeline) -> str:
    """A simple product of the first website without dates or special price."""
    found = shop.rows(
        "SELECT p.sku FROM catalog_product_entity p JOIN catalog_product_website w"
        " ON w.product_id = p.entity_id AND w.website_id = 1"
        f" WHERE p.type_id = 'simple' AND NOT EXISTS (SELECT 1 FROM catalog_product_entity_decimal v"
        f" WHERE v.entity_id = p.entity_id AND v.attribute_id = {PRODUCT.format('special_price')})"
        " AND NOT EXISTS (SELECT 1 FROM catalogrule_product_price r WHERE r.product_id = p.entity_id)"
        " AND 1 = (SELECT COUNT(*) FROM catalog_product_website o WHERE o.product_id = p.entity_id)"
        " ORDER BY p.entity_id LIMIT 1"
    )
    return str(found[0][0])


def built_before_it_begins(shop: Pipeline, sku: str, lasts_s: int = 0) -> tuple[int, int]:
    """Write a special price that a builder knows of before it begins; (begins, ends).

    How long that takes depends on what else the machine does: a builder that comes late finds it begun.
    """
    for lead_s in (3, 10, 30):
        begins_s = database_s(shop) + lead_s
        ends_s = begins_s + (lasts_s or 2 * lead_s)
        shop.sql(*special_price(sku, begins_s, ends_s))
        while database_s(shop) < begins_s:
            if due_s(shop, sku) == begins_s and database_s(shop) < begins_s - 1:
                return begins_s, ends_s
    raise AssertionError("no build within 30 s")


def due_s(shop: Pipeline, sku: str) -> int | None:
    """What the index says of a product."""
    settings = shop.scene.settings
    partition = partition_for(sku.encode(), settings.kafka.partitions)
    records = shop.topic(TopicNames(settings.kafka.topic_prefix).index("product"), [partition])
    entries = [record.value for record in records if record.key == sku.encode()]
    return msgspec.json.decode(entries[-1] or b"{}", type=IndexEntry).due_s if entries else None


def special_price(sku: str, begins_s: int, ends_s: int) -> list[str]:
    """Its last day counts to the end, so what is written is a day less."""
    product = f"(SELECT entity_id FROM catalog_product_entity WHERE sku = '{sku}')"
    zone = ZoneInfo(DEFAULTS[TIMEZONE])
    begins = datetime.fromtimestamp(begins_s, zone)
    ends = datetime.fromtimestamp(ends_s, zone) - timedelta(days=1)
    return [
        f"REPLACE INTO catalog_product_entity_{kind} (attribute_id, store_id, entity_id, value)"
        f" VALUES ({PRODUCT.format(code)}, 0, {product}, '{value}')"
        for kind, code, value in (
            ("decimal", "special_price", "1"),
            ("datetime", "special_from_date", f"{begins:%Y-%m-%d %H:%M:%S}"),
            ("datetime", "special_to_date", f"{ends:%Y-%m-%d %H:%M:%S}"),
        )
    ]


def database_s(shop: Pipeline) -> int:
    ((now_s,),) = shop.rows("SELECT UNIX_TIMESTAMP()")
    return int(now_s)


def price_records(shop: Pipeline, sku: str) -> list[Record]:
    """Every record of a product's price for all groups, in order."""
    settings = shop.scene.settings
    partition = partition_for(sku.encode(), settings.kafka.partitions)
    records = shop.topic(TopicNames(settings.kafka.topic_prefix).feed("prices"), [partition])
    wanted = {"sku": sku, "websiteCode": "base", "customerGroupCode": "0"}
    return [record for record in records if msgspec.json.decode(record.key) == wanted]


def discounts(record: Record) -> list[dict[str, Any]]:
    assert record.value is not None
    return [
        {name: value for name, value in discount.items() if value is not None}
        for discount in decode("prices", record.value)["discounts"]
    ]


def test_a_killed_builder_loses_nothing_of_any_feed(shop: Pipeline) -> None:
    """Started again it reads every index and goes on; the feeds are as a fresh build."""
    shop.sql(set_category("url_key", 4, "women"))
    shop.kill("builder")
    shop.sql(
        set_category("url_key", 14, "men-again"),
        "UPDATE customer_group SET customer_group_code = 'Resellers' WHERE customer_group_id = 2",
        "UPDATE eav_attribute SET frontend_label = 'Colour' WHERE attribute_id = 93",
    )
    shop.settle()

    assert feed_differences(shop.scene.settings) == []
