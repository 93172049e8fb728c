"""The sample catalog on a real database: Commerce's schema, equal rows, and edits as Commerce makes them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from asyncmy.connection import Connection
from click.testing import CliRunner

from commerce_sync.cli import Context
from commerce_sync.sample import edits
from commerce_sync.sample.commands import ADMIN_VARIABLE, seed, traffic
from commerce_sync.sample.database import address_of, connected, create_database, insert
from commerce_sync.sample.ddl import TABLES, create_schema
from commerce_sync.sample.edits import EDITS, Shop, apply, apply_any, open_shop
from commerce_sync.sample.plain_sql import expected_core
from commerce_sync.sample.products import CHUNK_PRODUCTS
from commerce_sync.sample.rows import Rows
from commerce_sync.sample.seed import fill, seed_catalog
from runtime.errors import UsageError

pytestmark = pytest.mark.stack

REAL_SCHEMA = Path(__file__).parents[3] / "shared" / "data" / "commerce-schema.sql"
PREFIX = "magento_sample_test_"


class Databases:
    """Databases of these tests only; dropped at the end."""

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self.made: list[str] = []

    def url(self, name: str) -> str:
        return f"{self.admin_url.rstrip('/')}/{PREFIX}{name}"

    @asynccontextmanager
    async def empty(self, name: str) -> AsyncIterator[Connection]:
        """A connection to a database without tables."""
        await self.drop(name)
        address = address_of(self.url(name), "")
        await create_database(address)
        self.made.append(name)
        async with connected(address) as connection:
            yield connection

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[Connection]:
        async with connected(address_of(self.url(name), "")) as connection:
            yield connection

    async def drop(self, name: str) -> None:
        async with connected(address_of(self.url(name), ""), server=True) as connection:
            known = await _rows(
                connection,
                "SELECT schema_name FROM information_schema.schemata WHERE schema_name = %s",
                PREFIX + name,
            )
            if known:
                await _rows(connection, f"DROP DATABASE `{PREFIX}{name}`")

    async def seeded(self, name: str, products: int = 120) -> None:
        await self.drop(name)
        self.made.append(name)
        await fill(address_of(self.url(name), ""), products, 1, _quiet)


@pytest.fixture(scope="module")
def databases(stack: Any) -> Iterator[Databases]:
    databases = Databases(stack.environment()[ADMIN_VARIABLE])
    yield databases
    for name in set(databases.made):
        asyncio.run(databases.drop(name))


def _quiet(done: int, products: int) -> None:
    pass


async def _rows(connection: Connection, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    async with connection.cursor() as cursor:
        await cursor.execute(statement, values)
        return list(await cursor.fetchall())


async def _checksums(connection: Connection, prefix: str = "") -> dict[str, int]:
    names = ", ".join(f"`{prefix}{table}`" for table in TABLES)
    rows = await _rows(connection, f"CHECKSUM TABLE {names}")
    return {name.split(".")[1].removeprefix(prefix): checksum for name, checksum in rows}


async def _load_real_schema(connection: Connection) -> None:
    text = "\n".join(line for line in REAL_SCHEMA.read_text().splitlines() if not line.startswith("--"))
    async with connection.cursor() as cursor:
        for statement in text.split(";\n"):
            if statement.strip():
                await cursor.execute(statement.strip().rstrip(";"))


async def _columns(connection: Connection) -> set[tuple[Any, ...]]:
    rows = await _rows(
        connection,
        "SELECT table_name, ordinal_position, column_name, column_type, is_nullable, column_default, extra, "
        "character_set_name, collation_name FROM information_schema.columns WHERE table_schema = DATABASE()",
    )
    return {row for row in rows if row[0] in TABLES}


async def _unique_keys(connection: Connection) -> set[tuple[str, bool, str]]:
    """Table, is it the primary key, its columns in order."""
    rows = await _rows(
        connection,
        "SELECT table_name, MAX(index_name = 'PRIMARY'), GROUP_CONCAT(column_name ORDER BY seq_in_index) "
        "FROM information_schema.statistics WHERE table_schema = DATABASE() AND non_unique = 0 "
        "GROUP BY table_name, index_name",
    )
    return {(table, bool(primary), columns) for table, primary, columns in rows if table in TABLES}


async def _foreign_keys(connection: Connection) -> set[tuple[str, ...]]:
    rows = await _rows(
        connection,
        "SELECT k.table_name, k.column_name, k.referenced_table_name, k.referenced_column_name, "
        "r.delete_rule FROM information_schema.key_column_usage k "
        "JOIN information_schema.referential_constraints r "
        "ON r.constraint_schema = k.table_schema AND r.constraint_name = k.constraint_name "
        "AND r.table_name = k.table_name WHERE k.table_schema = DATABASE()",
    )
    return {row for row in rows if row[0] in TABLES}


@pytest.mark.skipif(not REAL_SCHEMA.exists(), reason="the real schema is not at hand")
def test_the_tables_are_those_of_a_real_installation(databases: Databases) -> None:
    """Column for column and key for key; only indexes that nothing of ours uses may be missing."""

    async def read(connection: Connection) -> tuple[Any, ...]:
        return await _columns(connection), await _unique_keys(connection), await _foreign_keys(connection)

    async def main() -> tuple[Any, ...]:
        async with databases.empty("ours") as ours, databases.empty("real") as real:
            await create_schema(ours)
            await _load_real_schema(real)
            return await read(ours), await read(real)

    ours, real = asyncio.run(main())

    assert sorted(ours[0] ^ real[0]) == []
    assert sorted(ours[1] ^ real[1]) == []
    assert sorted(ours[2] ^ real[2]) == []
    assert [len(each) > 50 for each in real] == [True] * 3


@pytest.mark.skipif(not REAL_SCHEMA.exists(), reason="the real schema is not at hand")
def test_the_catalog_fits_a_real_installation_and_is_the_same_there(databases: Databases) -> None:
    """Also with a table prefix, with one connection or two: every table has the same rows and ids."""
    products = CHUNK_PRODUCTS + 10

    async def main() -> tuple[dict[str, int], ...]:
        async with (
            databases.empty("one") as one,
            databases.empty("real") as real,
            databases.open("real") as more,
        ):
            await create_schema(one, "shop_")
            await _load_real_schema(real)
            counts = await seed_catalog(one, products, 7, _quiet, "shop_")
            assert counts == await seed_catalog(real, products, 7, _quiet, second=more)
            return counts, await _checksums(one, "shop_"), await _checksums(real)

    counts, one, real = asyncio.run(main())

    assert one == real
    assert len([checksum for checksum in one.values() if checksum]) == len(counts) == 68
    assert counts["catalog_product_entity"] == products


def test_the_load_leaves_no_row_without_its_parent(databases: Databases) -> None:
    """Foreign keys are not checked while loading, so each is asked for afterwards."""

    async def main() -> tuple[int, dict[str, int]]:
        await databases.seeded("whole", 500)
        async with databases.open("whole") as connection:
            return await _orphans(connection)

    checked, orphans = asyncio.run(main())

    assert orphans == {}
    assert checked == sum(entry.startswith("cascade") for table in TABLES.values() for entry in table.entries)


async def _orphans(connection: Connection) -> tuple[int, dict[str, int]]:
    checked = 0
    found = {}
    for table, column, parent, key, _ in sorted(await _foreign_keys(connection)):
        ((missing,),) = await _rows(
            connection,
            f"SELECT COUNT(*) FROM `{table}` c LEFT JOIN `{parent}` p ON p.`{key}` = c.`{column}` "
            f"WHERE c.`{column}` IS NOT NULL AND p.`{key}` IS NULL",
        )
        checked += 1
        if missing:
            found[f"{table}.{column}"] = missing
    return checked, found


def test_seed_refuses_a_catalog_and_empties_it_only_when_told(databases: Databases) -> None:
    """A second `seed` by mistake must not empty a shop."""
    url = databases.url("refused")
    databases.made.append("refused")
    asyncio.run(databases.drop("refused"))
    run = CliRunner()
    first = run.invoke(seed, ["--products", "20", "--url", url], obj=Context(None, 0))
    again = run.invoke(seed, ["--products", "30", "--url", url], obj=Context(None, 0))
    reset = run.invoke(seed, ["--products", "30", "--reset", "--url", url], obj=Context(None, 0))

    async def count() -> int:
        async with databases.open("refused") as connection:
            ((products,),) = await _rows(connection, "SELECT COUNT(*) FROM catalog_product_entity")
            return int(products)

    assert (first.exit_code, reset.exit_code) == (0, 0)
    assert isinstance(again.exception, UsageError)
    assert str(again.exception) == (
        "the database holds a catalog already: name another one, or give --reset to empty this one"
    )
    assert asyncio.run(count()) == 30


def test_a_seed_that_was_broken_off_is_begun_again_and_a_foreign_table_is_left_alone(
    databases: Databases,
) -> None:
    """Tables come before rows: with some tables and a row nobody knows whose they are."""
    url = databases.url("broken")
    words = ["--products", "20", "--url", url]

    async def leave(*statements: str) -> None:
        async with databases.empty("broken") as connection:
            await create_schema(connection, there=[name for name in TABLES if name != "store_website"])
            for statement in statements:
                await _rows(connection, statement)

    asyncio.run(leave())
    again = CliRunner().invoke(seed, words, obj=Context(None, 0))
    asyncio.run(leave("INSERT INTO store_website (code) VALUES ('own')", "COMMIT"))
    foreign = CliRunner().invoke(seed, [*words, "--reset"], obj=Context(None, 0))

    assert again.exit_code == 0, again.output
    assert isinstance(foreign.exception, UsageError)
    assert str(foreign.exception).startswith("the database has Commerce tables, but not ")


def test_traffic_refuses_a_database_without_a_catalog(databases: Databases) -> None:
    """The sentence says which command is missing."""

    async def main() -> None:
        async with databases.empty("bare"):
            pass

    asyncio.run(main())
    result = CliRunner().invoke(
        traffic, ["--seconds", "1", "--url", databases.url("bare")], obj=Context(None, 0)
    )

    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == "the database holds no catalog to edit: run `commerce-sync seed` first"


def _in_shop(databases: Databases, name: str, work: Callable[[Shop], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        await databases.seeded(name)
        async with databases.open(name) as connection:
            return await work(await open_shop(connection, Random(3)))

    return asyncio.run(main())


def test_every_edit_can_be_made_and_leaves_no_orphan(databases: Databases) -> None:
    """Each several times, among all the others, with the keys checked by the database and afterwards."""

    async def work(shop: Shop) -> tuple[Counter[str], dict[str, int]]:
        made: Counter[str] = Counter()
        for _ in range(5):
            for edit in EDITS:
                if edit is edits.import_products and made[edit.__name__]:
                    continue
                made[edit.__name__] += await apply(shop, edit) is not None
        return made, (await _orphans(shop.connection))[1]

    made, orphans = _in_shop(databases, "edited", work)

    assert [name for name, times in made.items() if times == 0] == []
    assert sum(made.values()) > 5 * len(EDITS) * 0.8
    assert orphans == {}


def test_equal_seeds_make_equal_edits(databases: Databases) -> None:
    """What an edit chooses depends on the rows and the generator only."""

    async def work(shop: Shop) -> tuple[list[str], Any]:
        described = [await apply_any(shop) for _ in range(150)]
        return described, await expected_core(shop.connection)

    first = _in_shop(databases, "equal", work)
    second = _in_shop(databases, "equal", work)

    assert first == second
    assert len(set(first[0])) > 140


def test_each_edit_is_one_transaction(databases: Databases) -> None:
    """Counted by the server: one commit, however many rows."""

    async def work(shop: Shop) -> list[tuple[str, int, int]]:
        counted = []
        for edit in (edits.replace_product, edits.several_on_one_product, edits.import_products):
            before = await _commits_and_products(shop)
            await apply(shop, edit)
            after = await _commits_and_products(shop)
            counted.append((edit.__name__, after[0] - before[0], after[1] - before[1]))
        return counted

    counted = _in_shop(databases, "single", work)

    assert [(name, commits) for name, commits, _ in counted] == [
        ("replace_product", 1),
        ("several_on_one_product", 1),
        ("import_products", 1),
    ]
    assert counted[0][2] == counted[1][2] == 0
    assert counted[2][2] >= 80


async def _commits_and_products(shop: Shop) -> tuple[int, int]:
    ((_, commits),) = await shop.query("SHOW SESSION STATUS LIKE 'Com_commit'")
    ((products,),) = await shop.query("SELECT COUNT(*) FROM {p}catalog_product_entity")
    return int(commits), int(products)


def test_an_edit_that_cannot_be_made_writes_nothing(databases: Databases) -> None:
    """What it had written before it found out is taken back."""

    async def half(shop: Shop) -> str:
        await shop.change("UPDATE {p}store SET name = 'half'")
        raise edits.NoCandidate

    async def work(shop: Shop) -> tuple[str | None, list[Any]]:
        description = await apply(shop, half)
        return description, await shop.query("SELECT name FROM {p}store WHERE store_id = 1")

    description, names = _in_shop(databases, "half", work)

    assert description is None
    assert names == [("Default Store View",)]


def test_an_edit_of_what_another_editor_deleted_meanwhile_is_none(databases: Databases) -> None:
    """Two of them run in the demo; the foreign key says so."""

    async def late(shop: Shop) -> str:
        table, attribute_id = shop.attributes["catalog_product", "name"]
        await shop.change("UPDATE {p}store SET name = 'half'")
        await shop.change(
            f"INSERT INTO {table} (attribute_id, store_id, entity_id, value) VALUES (%s, 0, 987654, 'x')",
            attribute_id,
        )
        return "made"

    async def work(shop: Shop) -> tuple[str | None, list[Any]]:
        description = await apply(shop, late)
        return description, await shop.query("SELECT name FROM {p}store WHERE store_id = 1")

    assert _in_shop(databases, "late", work) == (None, [("Default Store View",)])


def test_a_replaced_product_hands_its_sku_on(databases: Databases) -> None:
    """The old row is gone, the new one has another id, and the SKU's items have the new name."""

    async def work(shop: Shop) -> tuple[Any, ...]:
        before = await expected_core(shop.connection)
        ids = dict(await shop.query("SELECT sku, entity_id FROM {p}catalog_product_entity"))
        description = await apply(shop, edits.replace_product)
        after = await expected_core(shop.connection)
        sku = str(description).split(" (product ")[0]
        ((new_id,),) = await shop.query("SELECT entity_id FROM {p}catalog_product_entity WHERE sku = %s", sku)
        stock = await shop.query("SELECT COUNT(*) FROM {p}inventory_source_item WHERE sku = %s", sku)
        return sku, before, after, ids[sku], new_id, stock

    sku, before, after, old_id, new_id, stock = _in_shop(databases, "replaced", work)

    assert new_id > old_id
    assert {code for each, code in after if each == sku} == {"default", "de", "outlet"}
    assert after[sku, "default"]["slug"].endswith(f"-{new_id}")
    assert stock == [(1,)]
    assert {key for key in before if key[0] != sku} == {key for key in after if key[0] != sku}


async def _shop_by_hand(connection: Connection, prefix: str) -> None:
    """Two categories below the store root, the second below the first; products for each rule."""
    rows = Rows()
    rows.add("store_website", 0, "admin", "Admin", 0, 0, 0)
    rows.add("store_website", 1, "base", "Base", 0, 1, 1)
    rows.add("store_group", 1, 1, "Group", 2, 1, "group")
    rows.add("store", 0, "admin", 0, 1, "Admin", 0, 1)
    rows.add("store", 1, "en", 1, 1, "English", 0, 1)
    rows.add("store", 2, "de", 1, 1, "German", 0, 0)
    for number, code in ((3, "catalog_category"), (4, "catalog_product")):
        rows.add("eav_entity_type", number, code, "model", f"{code}_entity", number, None)
    attributes: tuple[tuple[int, str], ...] = ((3, "is_active"), (3, "is_anchor"), (3, "url_key"))
    attributes += ((4, "name"), (4, "status"), (4, "url_key"), (4, "visibility"))
    for number, (entity, code) in enumerate(attributes, start=1):
        rows.add("eav_attribute", number, entity, code, None, "int", None, code, None, 0, 0, None, 0)
    active, anchor, category_key, name, status, url_key, visibility = range(1, 8)
    created = "2026-01-01"
    for path in ("1", "1/2", "1/2/3", "1/2/3/4", "1/2/3/5", "1/2/3/4/6"):
        *above, number = map(int, path.split("/"))
        parent, level = (above[-1] if above else 0), len(above)
        rows.add("catalog_category_entity", number, 3, parent, created, created, path, 1, level, 0)
    for number, key in ((3, "men"), (4, "tops"), (5, "sale"), (6, "new")):
        rows.add("catalog_category_entity_varchar", category_key, 0, number, key)
        rows.add("catalog_category_entity_int", active, 0, number, int(key != "sale"))
        rows.add("catalog_category_entity_int", anchor, 0, number, int(key == "men"))
    rows.add("catalog_category_entity_varchar", category_key, 2, 3, "herren")
    rows.add("catalog_category_entity_varchar", category_key, 2, 4, None)
    products = ((1, "A"), (2, "a"), (3, "A"), (4, "hidden"), (5, "off"), (6, "set"), (7, "nowhere"))
    for number, sku in products:
        rows.add("catalog_product_entity", number, 4, "simple", sku, 0, 0, created, created)
        rows.add("catalog_product_entity_varchar", name, 0, number, f"Name {number}")
        rows.add("catalog_product_entity_varchar", url_key, 0, number, f"key-{number}")
        rows.add("catalog_product_entity_int", status, 0, number, 2 if sku == "off" else 1)
        rows.add("catalog_product_entity_int", visibility, 0, number, 1 if sku == "hidden" else 4)
        rows.add("catalog_category_product", {"a": 5, "hidden": 6}.get(sku, 4), number, 1)
        if sku != "nowhere":
            rows.add("catalog_product_website", number, 1)
    rows.add("catalog_product_entity_varchar", name, 2, 1, None)
    rows.add("catalog_product_entity_varchar", url_key, 2, 1, "schluessel-1")
    rows.add("catalog_product_entity_int", visibility, 2, 4, 3)
    rows.add("catalog_product_entity_int", status, 2, 2, None)
    rows.add("catalog_product_relation", 6, 5)
    async with connection.cursor() as cursor:
        for table, values in rows.take().items():
            await insert(cursor, prefix, table, values)
    await connection.commit()


def test_the_oracle_follows_the_written_rules(databases: Databases) -> None:
    """
    One shop by hand. Store `de` calls category 3 `herren` and has a NULL key for 4, where the default counts.
    Product 1: NULL hides its name in `de`. 2: another SKU than 1's to bytes; its NULL status disables it but
    leaves it in the index, and its inactive category shows it without the anchor above. 3: the younger row of
    a SKU. 4: hidden, but searchable in `de`, where the anchor two levels above shows it and the category
    between, which is none, does not. 5: off. 6: its only child is off. 7: in no website.
    """

    async def main() -> Any:
        async with databases.empty("hand") as connection:
            await create_schema(connection, "x_")
            await _shop_by_hand(connection, "x_")
            return await expected_core(connection, "x_")

    expected = asyncio.run(main())

    def item(name: str | None, status: str, slug: str, visibility: int, *categories: str) -> dict[str, Any]:
        return {
            "name": name,
            "status": status,
            "slug": slug,
            "visibility": visibility,
            "categories": frozenset(categories),
        }

    assert expected == {
        ("A", "en"): item("Name 1", "ENABLED", "key-1", 4, "men", "men/tops"),
        ("A", "de"): item(None, "ENABLED", "schluessel-1", 4, "herren", "herren/tops"),
        ("a", "en"): item("Name 2", "ENABLED", "key-2", 4, "men/sale"),
        ("a", "de"): item("Name 2", "DISABLED", "key-2", 4, "herren/sale"),
        ("hidden", "en"): item("Name 4", "ENABLED", "key-4", 1),
        ("hidden", "de"): item("Name 4", "ENABLED", "key-4", 3, "herren", "herren/tops/new"),
        ("off", "en"): item("Name 5", "DISABLED", "key-5", 4),
        ("off", "de"): item("Name 5", "DISABLED", "key-5", 4),
        ("set", "en"): item("Name 6", "ENABLED", "key-6", 4),
        ("set", "de"): item("Name 6", "ENABLED", "key-6", 4),
    }
