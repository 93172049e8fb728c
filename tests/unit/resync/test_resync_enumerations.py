"""Statements that enumerate entities, asked of a small database."""

import sqlite3

from producers.resync.enumerations import ENUMERATIONS

NOW_S = 1_000
# Row id, entity id, SKU, begin and end of each version.
VERSIONS = (
    (1, 1, "A", 1, 2_000),
    (2, 1, "A", 2_000, 9_000),
    (3, 2, "B", 1, 2_000),
    (4, 2, "renamed", 2_000, 9_000),
    (5, 3, "C", 1, 2_000),
    (6, 3, "c", 2_000, 9_000),
    (7, 4, "new", 2_000, 9_000),
    (8, 5, "NEW", 2_000, 9_000),
    (9, 6, "gone", 1, 500),
)


def test_a_version_to_come_may_have_another_sku() -> None:
    """Nobody else knows of it: the product would vanish when the version begins, and not come back."""
    shop = sqlite3.connect(":memory:")
    columns = "row_id, entity_id, sku TEXT COLLATE NOCASE, created_in, updated_in"
    shop.execute(f"CREATE TABLE catalog_product_versions ({columns})")
    shop.executemany("INSERT INTO catalog_product_versions VALUES (?, ?, ?, ?, ?)", VERSIONS)
    shop.execute(
        "CREATE VIEW catalog_product_entity AS SELECT * FROM catalog_product_versions"
        f" WHERE created_in <= {NOW_S} AND updated_in > {NOW_S}"
    )
    statement = ENUMERATIONS["product"].to_come
    assert statement is not None
    found = shop.execute(statement.format(p="").replace("UNIX_TIMESTAMP()", str(NOW_S))).fetchall()
    shop.close()

    assert sorted(found) == [("NEW",), ("c",), ("new",), ("renamed",)]
