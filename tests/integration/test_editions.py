"""Both editions of the shop's database give the same items: row ids, staged versions, a table prefix.

The pipeline here frames its feeds by a schema registry.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncmy
import commerce_edition
import msgspec
import pytest
import requests
from commerce_edition import AFTER, BEGIN
from fake_registry import any_registry

from commerce_sync.checks.database import ask_connector_class
from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from commerce_sync.proof.feeds import feed_differences, held_items
from commerce_sync.proof.fresh import Items, fresh_items
from commerce_sync.run.prepare import prepare
from commerce_sync.run.quiet import await_resync
from commerce_sync.run.request import request_resync
from commerce_sync.run.roles import processes
from commerce_sync.run.supervise import Supervisor, environment, role_arguments
from commerce_sync.sample.database import address_of, connected
from commerce_sync.sample.seed import fill
from producers.connectors.execute import apply
from runtime.kafka import read_to_end, reader
from runtime.registry import use_registry
from runtime.settings import CommerceSettings, Settings, load
from schemas import codec
from schemas.entities import FEEDS
from schemas.records import Dirty
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

PREFIX = "m2_"
PRODUCTS = 60
# What the sample catalog has nothing of.
MORE = (
    "INSERT INTO {p}catalog_product_option (product_id, type) VALUES (1, 'field'), (2, 'area')",
    (
        "INSERT INTO {p}catalog_product_option_title (option_id, store_id, title)"
        " SELECT option_id, 0, type FROM {p}catalog_product_option"
    ),
    (
        "INSERT INTO {p}catalog_product_bundle_selection_price (selection_id, parent_product_id, website_id,"
        " selection_price_type, selection_price_value)"
        " SELECT selection_id, parent_product_id, 1, 0, 7 FROM {p}catalog_product_bundle_selection"
    ),
)
MULTI_SOURCE = (
    *("inventory_source_item", "inventory_source_stock_link", "inventory_stock_sales_channel"),
    *("inventory_reservation", "inventory_source", "inventory_stock"),
)
DELETED = "deleted"
# A change of each table whose rows belong to a version.
CHANGES: Mapping[str, str] = {
    "catalog_product_entity_int": "value = 3 - value",
    "catalog_product_entity_decimal": "value = value + 1",
    "catalog_product_entity_text": "value = CONCAT(value, '!')",
    "catalog_product_entity_varchar": "value = CONCAT(value, '!')",
    "catalog_product_entity_datetime": "value = '2024-01-01 00:00:00'",
    "catalog_product_entity_media_gallery_value": "position = position + 1",
    "catalog_product_entity_media_gallery_value_to_entity": DELETED,
    "catalog_product_entity_tier_price": "qty = qty + 1",
    "catalog_product_option": "sort_order = sort_order + 1",
    "catalog_product_super_attribute": "position = position + 1",
    "catalog_product_link": DELETED,
    "catalog_product_super_link": DELETED,
    "catalog_product_relation": DELETED,
    "catalog_product_bundle_option": "position = position + 1",
    "catalog_product_bundle_option_value": "title = CONCAT(title, '!')",
    "catalog_product_bundle_selection": "position = position + 1",
    "catalog_product_bundle_selection_price": "selection_price_value = selection_price_value + 1",
    "downloadable_link": "sort_order = sort_order + 1",
    "downloadable_sample": "sort_order = sort_order + 1",
}


class Shop:
    """A sample catalog under a table prefix, read as the builder reads it."""

    def __init__(self, admin_url: str) -> None:
        self.address = address_of(admin_url, f"magento_edition_{secrets.token_hex(4)}")
        asyncio.run(fill(self.address, PRODUCTS, 1, lambda done, of: None, PREFIX))
        url = f"{admin_url.rstrip('/')}/{self.address.database}"
        self.commerce = CommerceSettings(url=url, table_prefix=PREFIX)
        self.sql(*MORE)

    def items(self) -> Items:
        return fresh_items(self.commerce)

    def run(self, act: Callable[[asyncmy.Connection, str], Awaitable[Any]]) -> Any:
        async def connect() -> Any:
            async with connected(self.address) as connection:
                return await act(connection, PREFIX)

        return asyncio.run(connect())

    def sql(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements as one transaction; what the last one finds."""

        async def execute(connection: asyncmy.Connection, prefix: str) -> list[tuple[Any, ...]]:
            async with connection.cursor() as cursor:
                for statement in statements:
                    await cursor.execute(statement.replace("{p}", prefix))
                found = list(await cursor.fetchall())
            await connection.commit()
            return found

        found: list[tuple[Any, ...]] = self.run(execute)
        return found


@pytest.fixture(scope="module")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    yield shop
    shop.sql(f"DROP DATABASE `{shop.address.database}`")


@pytest.fixture(scope="module")
def open_source(shop: Shop) -> Items:
    """Every item before the tables become those of the other edition."""
    return shop.items()


@pytest.fixture(scope="module")
def commerce(shop: Shop, open_source: Items) -> Shop:
    """The same shop in the paid edition, each product and category with three versions."""
    shop.run(commerce_edition.convert)
    shop.run(commerce_edition.add_versions)
    return shop


def test_a_catalog_gives_the_same_items_in_both_editions(open_source: Items, commerce: Shop) -> None:
    """Nothing of a version that is over, or to come, is in any item of any feed."""
    items = commerce.items()

    assert {feed for _, feed in items} >= {"products", "prices", "categories", "variants"}
    assert items == open_source


@dataclass
class Flow:
    """Capture, router, builder and resync over the shop of the paid edition; nothing is sent."""

    shop: Shop
    settings: Settings
    supervisor: Supervisor

    def wait_until(self, what: str, true: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            assert self.supervisor.tend() is None
            time.sleep(0.02)

    def settle(self) -> None:
        """What a fresh build gives, of every feed, is on its topic."""
        differences: list[str] = []

        def equal() -> bool:
            differences[:] = feed_differences(self.settings)
            return not differences

        try:
            self.wait_until("the feeds are a fresh build", equal)
        except AssertionError:
            print("\n".join(differences[:10]))
            raise

    def held(self, feed: str) -> list[dict[str, Any]]:
        return list(held_items(self.settings, [feed]).values())

    def marked(self) -> set[tuple[str, str]]:
        """(reason, SKU) of every dirty record so far."""
        names = TopicNames(self.settings.kafka.topic_prefix)
        asker = reader(self.settings.kafka, "test.editions")
        try:
            return {
                (msgspec.json.decode(record.value or b"", type=Dirty).reason, record.key.decode())
                for record in read_to_end(
                    asker, names.dirty("product"), range(self.settings.kafka.partitions)
                )
            }
        finally:
            asker.close()


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """Its address."""
    with any_registry() as url:
        yield url
    codec.use(None)


@pytest.fixture(scope="module")
def path(
    stack: Stack, commerce: Shop, registry: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flow]:
    """Multi-source inventory is not installed in this shop."""
    tables = ", ".join(f"{{p}}{table}" for table in MULTI_SOURCE)
    commerce.sql("SET foreign_key_checks = 0", f"DROP TABLE {tables}")
    run = commerce.address.database.rpartition("_")[2]
    variables = stack.environment()
    server = variables["COMMERCE_SYNC__COMMERCE__URL"].rpartition("/")[0]
    variables |= {
        "COMMERCE_SYNC__COMMERCE__URL": f"{server}/{commerce.address.database}",
        "COMMERCE_SYNC__COMMERCE__TABLE_PREFIX": PREFIX,
        "COMMERCE_SYNC__KAFKA__TOPIC_PREFIX": f"edition-{run}",
        "COMMERCE_SYNC__CAPTURE__CONNECTOR": f"edition-{run}",
        "COMMERCE_SYNC__KAFKA__SCHEMA_REGISTRY_URL": registry,
        "COMMERCE_SYNC__HTTP__METRICS_PORT": "0",
        "COMMERCE_SYNC__BUILDER__DELETE_GUARD_PERCENT": "100",
    }
    settings = load(environ=variables)
    use_registry(registry, TopicNames(settings.kafka.topic_prefix))
    log_dir: Path = tmp_path_factory.mktemp("edition")
    supervisor = Supervisor(role_arguments, environment(variables), 0, log_dir)
    try:
        apply(settings, ask_connector_class(settings), print)
        wanted = processes(settings, ("router", "builder", "clock", "resync"), {}, "edition")
        prepare(settings, wanted)
        supervisor.start(wanted)
        await_resync(settings, request_resync(settings, FEEDS), 60, lambda *_: None)
        path = Flow(commerce, settings, supervisor)
        path.settle()
        yield path
    finally:
        supervisor.stop()
        requests.delete(f"{settings.capture.connect_url}/connectors/edition-{run}", timeout=10)


def test_every_feed_is_built_under_a_prefix_without_multi_source_inventory(path: Flow) -> None:
    """The first sync went through the resync role; the one stock is the default one."""
    counts = {feed: len(path.held(feed)) for feed in FEEDS}

    assert {feed for feed, count in counts.items() if not count} == {
        "categoryPermissions",
        "productOverrides",
    }
    assert {item["stockId"] for item in path.held("inventoryStockStatus")} == {"1"}
    assert counts["inventoryStockStatus"] > PRODUCTS / 2


def test_every_value_begins_with_an_id_of_the_registry(path: Flow) -> None:
    """A zero byte, then four for the id: what any client of a registry reads."""
    names = TopicNames(path.settings.kafka.topic_prefix)
    asker = reader(path.settings.kafka, "test.editions")
    try:
        partitions = range(path.settings.kafka.partitions)
        values = [record.value or b"" for record in read_to_end(asker, names.feed("products"), partitions)]
    finally:
        asker.close()

    assert {value[:1] for value in values} == {b"\x00"}


def test_a_change_of_any_table_of_versions_reaches_its_product(path: Flow) -> None:
    """Told by row ids, each of which is another product's id too."""
    entity = "{p}catalog_product_entity"
    for table, change in CHANGES.items():
        column = commerce_edition.LINKED["catalog_product_entity"][table][1]
        found = path.shop.sql(
            f"SELECT o.{column}, e.sku FROM {{p}}{table} o JOIN {entity} e ON e.row_id = o.{column}"
            f" WHERE e.created_in = {BEGIN} LIMIT 1"
        )
        assert found, f"the sample has no row of {table}"
        ((row_id, sku),) = found
        if change == DELETED:
            path.shop.sql(f"DELETE FROM {{p}}{table} WHERE {column} = {row_id} LIMIT 1")
        else:
            path.shop.sql(f"UPDATE {{p}}{table} SET {change} WHERE {column} = {row_id}")
        expected = (f"{table}:{'d' if change == DELETED else 'u'}", sku)
        path.wait_until(f"{table} marks {sku}", lambda expected=expected: expected in path.marked())  # type: ignore[misc]


def take_over(path: Flow, product: int, category: int, in_s: int) -> str:
    """Let the versions to come of both begin so many seconds from now; the product's SKU."""
    moment = f"UNIX_TIMESTAMP() + {in_s}"
    for table, number in (("catalog_product_entity", product), ("catalog_category_entity", category)):
        path.shop.sql(
            f"UPDATE {{p}}{table} SET updated_in = {moment}"
            f" WHERE entity_id = {number} AND created_in = {BEGIN}",
            f"UPDATE {{p}}{table} SET created_in = {moment} WHERE entity_id = {number} AND row_id > {AFTER}",
        )
    ((sku,),) = path.shop.sql(
        f"SELECT DISTINCT sku FROM {{p}}catalog_product_entity WHERE entity_id = {product}"
    )
    return str(sku)


def names_of(path: Flow, sku: str, category: str) -> set[str]:
    """First words of what is shown of both."""
    items = [item for item in path.held("products") if item["sku"] == sku]
    items += [item for item in path.held("categories") if item["categoryId"] == category]
    return {item["name"].partition(" ")[0] for item in items}


def test_a_version_that_takes_over_by_its_rows_is_built_from(path: Flow) -> None:
    """As Commerce ends a version and begins the next; its new and its former children follow."""
    sku = take_over(path, 5, 4, 0)

    path.wait_until("names are those of the next versions", lambda: names_of(path, sku, "4") == {"not"})


# A product of this SKU, and a category below the first root, that begin so many seconds from now.
NEW_PRODUCT = (
    "INSERT INTO {p}sequence_product VALUES ({id})",
    (
        "INSERT INTO {p}catalog_product_entity (row_id, entity_id, attribute_set_id, sku, created_in)"
        " VALUES ({id} + 5000000, {id}, 4, '{sku}', UNIX_TIMESTAMP() + {in_s})"
    ),
    "INSERT INTO {p}catalog_product_website (product_id, website_id) VALUES ({id}, 1)",
    (
        "INSERT INTO {p}catalog_product_entity_int (attribute_id, store_id, row_id, value)"
        " SELECT attribute_id, 0, {id} + 5000000, 1 FROM {p}eav_attribute"
        " WHERE entity_type_id = 4 AND attribute_code IN ('status', 'visibility')"
    ),
)
NEW_CATEGORY = (
    "INSERT INTO {p}sequence_catalog_category VALUES ({id})",
    (
        "INSERT INTO {p}catalog_category_entity (row_id, entity_id, parent_id, path, position, level,"
        " children_count, created_in)"
        " VALUES ({id} + 5000000, {id}, 2, '1/2/{id}', 9, 2, 0, UNIX_TIMESTAMP() + {in_s})"
    ),
    (
        "INSERT INTO {p}catalog_category_entity_varchar (attribute_id, store_id, row_id, value)"
        " SELECT attribute_id, 0, {id} + 5000000, 'soon' FROM {p}eav_attribute"
        " WHERE entity_type_id = 3 AND attribute_code IN ('name', 'url_key')"
    ),
    (
        "INSERT INTO {p}catalog_category_entity_int (attribute_id, store_id, row_id, value)"
        " SELECT attribute_id, 0, {id} + 5000000, 1 FROM {p}eav_attribute"
        " WHERE entity_type_id = 3 AND attribute_code = 'is_active'"
    ),
)


def add(
    path: Flow, statements: tuple[str, ...], number: int, in_s: int, sku: str = "", *, log: int = 1
) -> None:
    """What begins later; with `log` 0 capture does not see it."""
    filled = (s.replace("{id}", str(number)).replace("{in_s}", str(in_s)) for s in statements)
    path.shop.sql(f"SET sql_log_bin = {log}", *(s.replace("{sku}", sku) for s in filled))


def begun(path: Flow) -> set[str]:
    """What has an item of that which begins later, and whether the category above lists it."""
    skus = {item["sku"] for item in path.held("products")}
    categories = {item["categoryId"]: item for item in path.held("categories")}
    above = {"below 2"} if "901" in categories["2"]["children"] else set()
    return above | (skus | categories.keys()) & {"SEEN", "UNSEEN", "901"}


def test_a_version_that_begins_by_time_is_built_from(path: Flow) -> None:
    """No row is written at that moment; children that the version to come alone has follow too.

    So do what has no version before: a product and a category that were seen as they were written, and a
    product that only a resync could find.
    """
    add(path, NEW_PRODUCT, 902, 9, "UNSEEN", log=0)
    add(path, NEW_PRODUCT, 901, 8, "SEEN")
    add(path, NEW_CATEGORY, 901, 8)
    sku = take_over(path, 8, 5, 8)
    await_resync(path.settings, request_resync(path.settings, ("products",)), 60, lambda *_: None)
    before = names_of(path, sku, "5"), begun(path)

    path.wait_until("names are those of the next versions", lambda: names_of(path, sku, "5") == {"not"})
    path.wait_until("what is new has begun", lambda: begun(path) == {"SEEN", "UNSEEN", "901", "below 2"})
    assert "not" not in before[0]
    assert before[1] == set()
    assert {("due", name) for name in (sku, "SEEN", "UNSEEN")} <= path.marked()


def test_an_attribute_added_while_running_is_on_items(path: Flow) -> None:
    """A custom attribute of the merchant, with its first value."""
    ((row_id, sku),) = path.shop.sql(
        f"SELECT row_id, sku FROM {{p}}catalog_product_entity WHERE entity_id = 6 AND created_in = {BEGIN}"
    )
    path.shop.sql(
        "INSERT INTO {p}eav_attribute (attribute_id, entity_type_id, attribute_code, backend_type,"
        " is_user_defined) VALUES (960, 4, 'grain', 'varchar', 1)",
        "INSERT INTO {p}catalog_eav_attribute (attribute_id) VALUES (960)",
        "INSERT INTO {p}catalog_product_entity_varchar (attribute_id, store_id, row_id, value)"
        f" VALUES (960, 0, {row_id}, 'fine')",
    )
    grain = {"attributeCode": "grain", "value": ["fine"]}

    def shown() -> bool:
        items = [item for item in path.held("products") if item["sku"] == sku]
        return bool(items) and all(
            grain in [{name: a[name] for name in grain} for a in item["attributes"]] for item in items
        )

    path.wait_until("the item has the attribute", shown)


def test_a_product_that_goes_with_its_id_takes_its_items_along(path: Flow) -> None:
    """Nothing but the row of the sequence is in the log: the rest goes by cascade."""
    ((sku,),) = path.shop.sql("SELECT DISTINCT sku FROM {p}catalog_product_entity WHERE entity_id = 9")
    assert any(item["sku"] == sku for item in path.held("products"))
    path.shop.sql("DELETE FROM {p}sequence_product WHERE sequence_value = 9")

    path.wait_until("its items are gone", lambda: all(i["sku"] != sku for i in path.held("products")))


def test_after_all_of_it_every_feed_is_a_fresh_build(path: Flow) -> None:
    """Whoever refers to what was changed above has followed."""
    path.settle()
