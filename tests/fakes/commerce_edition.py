"""Makes the tables of a sample shop those of Adobe Commerce: row ids, and versions that are not current.

What the paid edition's tables look like is told by open code that serves both editions; their definitions
are not public.
"""

from collections.abc import Sequence
from typing import Any, Final

from asyncmy.connection import Connection
from asyncmy.cursors import Cursor

OPEN_END: Final = 2_147_483_647
SEQUENCES: Final = {
    "catalog_product_entity": "sequence_product",
    "catalog_category_entity": "sequence_catalog_category",
}
# Tables whose rows belong to a version: the column that names it in Open Source, and in Commerce.
LINKED: Final = {
    "catalog_product_entity": {
        **{
            f"catalog_product_entity_{name}": ("entity_id", "row_id")
            for name in (
                *("int", "decimal", "text", "varchar", "datetime", "gallery", "tier_price"),
                *("media_gallery_value", "media_gallery_value_to_entity"),
            )
        },
        "catalog_product_option": ("product_id", "product_id"),
        "catalog_product_super_attribute": ("product_id", "product_id"),
        "catalog_product_super_link": ("parent_id", "parent_id"),
        "catalog_product_relation": ("parent_id", "parent_id"),
        "catalog_product_link": ("product_id", "product_id"),
        "catalog_product_bundle_option": ("parent_id", "parent_id"),
        "catalog_product_bundle_option_value": ("parent_product_id", "parent_product_id"),
        "catalog_product_bundle_selection": ("parent_product_id", "parent_product_id"),
        "catalog_product_bundle_selection_price": ("parent_product_id", "parent_product_id"),
        "downloadable_link": ("product_id", "product_id"),
        "downloadable_sample": ("product_id", "product_id"),
    },
    "catalog_category_entity": {
        f"catalog_category_entity_{name}": ("entity_id", "row_id")
        for name in ("int", "decimal", "text", "varchar", "datetime")
    },
}
# Current versions begin and end here once there are others.
BEGIN, END = 1_000_000_000, 2_000_000_000
# Row ids of the versions before and after lie so much higher.
BEFORE, AFTER = 1_000_000, 2_000_000
# What another version's rows say instead.
_OTHERS: Final = {
    "varchar": "CONCAT('not ', `{}`)",
    "mediumtext": "CONCAT('not ', `{}`)",
    "text": "CONCAT('not ', `{}`)",
    "int": "`{}` + 1",
    "smallint": "`{}` + 1",
    "decimal": "`{}` + 1",
}
_TOLD: Final = ("value", "selection_price_value")
_CHILDREN: Final = ("child_id", "linked_product_id")


async def convert(connection: Connection, prefix: str = "") -> None:
    """In place. An entity's row id is another entity's id, so whoever takes one for the other is wrong."""
    async with connection.cursor() as cursor:
        await cursor.execute("SET foreign_key_checks = 0")
        for entity_table, tables in LINKED.items():
            highest = await _versioned(cursor, prefix + entity_table)
            sequence = prefix + SEQUENCES[entity_table]
            await cursor.execute(
                f"CREATE TABLE {sequence} (sequence_value INT UNSIGNED AUTO_INCREMENT PRIMARY KEY)"
            )
            await cursor.execute(f"INSERT INTO {sequence} SELECT entity_id FROM {prefix}{entity_table}")
            await cursor.execute(
                f"ALTER TABLE {prefix}{entity_table} ADD FOREIGN KEY (entity_id)"
                f" REFERENCES {sequence} (sequence_value) ON DELETE CASCADE"
            )
            for table, (before, after) in tables.items():
                await _linked(cursor, prefix + table, before, after, highest, prefix + entity_table)
        await connection.commit()
        await cursor.execute("SET foreign_key_checks = 1")


async def _versioned(cursor: Cursor, table: str) -> int:
    """The entity's own table; its highest id."""
    keys = await _rows(
        cursor,
        "SELECT DISTINCT table_name, constraint_name FROM information_schema.key_column_usage"
        " WHERE table_schema = DATABASE() AND referenced_table_name = %s",
        table,
    )
    for referring, key in keys:
        await cursor.execute(f"ALTER TABLE `{referring}` DROP FOREIGN KEY `{key}`")
    ((highest,),) = await _rows(cursor, f"SELECT COALESCE(MAX(entity_id), 0) FROM {table}")
    await cursor.execute(
        f"ALTER TABLE {table} MODIFY entity_id INT UNSIGNED NOT NULL, DROP PRIMARY KEY,"
        " ADD row_id INT UNSIGNED FIRST, ADD created_in BIGINT UNSIGNED NOT NULL DEFAULT 1,"
        f" ADD updated_in BIGINT UNSIGNED NOT NULL DEFAULT {OPEN_END},"
        " ADD KEY (entity_id, created_in, updated_in)"
    )
    await cursor.execute(f"UPDATE {table} SET row_id = {highest + 1} - entity_id")
    await cursor.execute(
        f"ALTER TABLE {table} MODIFY row_id INT UNSIGNED NOT NULL AUTO_INCREMENT, ADD PRIMARY KEY (row_id)"
    )
    return int(highest)


async def _linked(
    cursor: Cursor, table: str, before: str, after: str, highest: int, entity_table: str
) -> None:
    if before != after:
        await cursor.execute(f"ALTER TABLE {table} RENAME COLUMN {before} TO {after}")
    # In two steps: on the way there no row id may be that of another row.
    await cursor.execute(f"UPDATE {table} SET {after} = {BEFORE + highest + 1} - {after}")
    await cursor.execute(f"UPDATE {table} SET {after} = {after} - {BEFORE}")
    await cursor.execute(
        f"ALTER TABLE {table} ADD FOREIGN KEY ({after}) REFERENCES {entity_table} (row_id) ON DELETE CASCADE"
    )


async def add_versions(connection: Connection, prefix: str = "") -> None:
    """Every entity gets a version that is over and one to come, with rows that say otherwise."""
    async with connection.cursor() as cursor:
        await cursor.execute("SET foreign_key_checks = 0")
        for name in LINKED:
            table = prefix + name
            columns = [c for c, _, _ in await _columns(cursor, table) if c not in _VERSION_COLUMNS]
            copied = ", ".join(columns)
            await cursor.execute(f"UPDATE {table} SET created_in = {BEGIN}, updated_in = {END}")
            for offset, begin, end in ((BEFORE, 1, BEGIN), (AFTER, END, OPEN_END)):
                await cursor.execute(
                    f"INSERT INTO {table} (row_id, created_in, updated_in, {copied})"
                    f" SELECT row_id + {offset}, {begin}, {end}, {copied} FROM {table}"
                    f" WHERE created_in = {BEGIN}"
                )
        for name, (_, column) in {name: pair for of in LINKED.values() for name, pair in of.items()}.items():
            columns_of = await _columns(cursor, prefix + name)
            for offset in (BEFORE, AFTER):
                await _copy_rows(cursor, prefix + name, column, offset, columns_of)
        await connection.commit()
        await cursor.execute("SET foreign_key_checks = 1")


_VERSION_COLUMNS: Final = ("row_id", "created_in", "updated_in")


async def _copy_rows(
    cursor: Cursor, table: str, link_column: str, offset: int, columns: Sequence[tuple[str, str, str]]
) -> None:
    copied = {column: f"`{column}`" for column, _, extra in columns if "auto_increment" not in extra}
    for column, kind, _ in columns:
        if column in _TOLD and kind in _OTHERS:
            copied[column] = _OTHERS[kind].format(column)
        if column in _CHILDREN:
            copied[column] = f"`{column}` % 7 + 1"
    copied[link_column] = f"`{link_column}` + {offset}"
    names = ", ".join(f"`{column}`" for column in copied)
    # Two children may become one.
    await cursor.execute(
        f"INSERT IGNORE INTO {table} ({names}) SELECT {', '.join(copied.values())} FROM {table}"
        f" WHERE `{link_column}` < {BEFORE}"
    )


async def _columns(cursor: Cursor, table: str) -> list[tuple[str, str, str]]:
    return await _rows(
        cursor,
        "SELECT column_name, data_type, extra FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND table_name = %s ORDER BY ordinal_position",
        table,
    )


async def _rows(cursor: Cursor, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    await cursor.execute(statement, values)
    return list(await cursor.fetchall())
