"""Which edition a database is, and what becomes of a statement."""

from commerce_sync.sample.ddl import TABLES
from schemas.edition import Edition, edition_of, unseen
from schemas.tables import OPTIONAL_TABLES

OPEN_SOURCE = [
    ("catalog_product_entity", "entity_id"),
    ("catalog_product_entity", "sku"),
    ("catalog_product_entity_int", "entity_id"),
    ("catalog_product_entity_int", "value"),
]
VERSIONED = ("row_id", "entity_id", "created_in", "updated_in", "sku")
COMMERCE = [
    *(("m2_catalog_product_entity", column) for column in VERSIONED),
    *(("m2_catalog_product_entity_int", column) for column in ("value_id", "row_id", "value")),
    *(("m2_catalog_product_link", column) for column in ("link_id", "product_id", "linked_product_id")),
    ("m2_store", "store_id"),
]
CURRENT = (
    "m2_catalog_product_entity AS"
    " (SELECT * FROM m2_catalog_product_entity WHERE created_in <= 9 AND updated_in > 9)"
)
VALUES = (
    "m2_catalog_product_entity_int AS (SELECT v.entity_id AS entity_id, o.value_id, o.value"
    " FROM m2_catalog_product_entity v JOIN m2_catalog_product_entity_int o ON o.row_id = v.row_id)"
)


def test_open_source_is_left_as_it_is() -> None:
    """Also where some other table has a column of that name."""
    text = "SELECT value FROM catalog_product_entity_int WHERE entity_id IN %s"
    edition = edition_of([*OPEN_SOURCE, ("salesrule", "row_id")])

    assert edition == Edition()
    assert not edition.is_staged
    assert edition.statement(text, "9") == text


def test_tables_of_versions_are_defined_as_open_source_has_them() -> None:
    """Only those that the statement names, and the entity's own before them."""
    edition = edition_of(COMMERCE)

    assert edition.statement("SELECT value FROM m2_catalog_product_entity_int", "9") == (
        f"WITH {CURRENT}, {VALUES} SELECT value FROM m2_catalog_product_entity_int"
    )
    assert edition.statement("SELECT sku FROM m2_catalog_product_entity", "9") == (
        f"WITH {CURRENT} SELECT sku FROM m2_catalog_product_entity"
    )
    assert edition.statement("SELECT 1 FROM m2_store", "9") == "SELECT 1 FROM m2_store"


def test_a_column_that_keeps_its_name_holds_entity_ids_again() -> None:
    """The other end of a link is an entity's id in both editions."""
    statement = edition_of(COMMERCE).statement("SELECT * FROM m2_catalog_product_link", "9")

    assert (
        "m2_catalog_product_link AS (SELECT v.entity_id AS product_id, o.link_id, o.linked_product_id"
        " FROM m2_catalog_product_entity v JOIN m2_catalog_product_link o ON o.product_id = v.row_id)"
    ) in statement


def test_another_installation_in_the_same_database_stays_as_it_is() -> None:
    """The edition is told for each prefix."""
    edition = edition_of([*OPEN_SOURCE, *COMMERCE])

    text = "SELECT value FROM catalog_product_entity_int"
    assert edition.statement(text, "9") == text
    assert edition.links.keys() == {"m2_catalog_product_entity_int", "m2_catalog_product_link"}


def test_a_statement_with_definitions_of_its_own_keeps_them() -> None:
    """They may use the tables too."""
    text = "WITH some AS (SELECT sku FROM m2_catalog_product_entity) SELECT * FROM some"

    assert edition_of(COMMERCE).statement(text, "9") == (
        f"WITH {CURRENT}, some AS (SELECT sku FROM m2_catalog_product_entity) SELECT * FROM some"
    )


def test_an_optional_table_that_is_missing_is_an_empty_one() -> None:
    """A shop without a module has no rows of it; both editions, and all else is as it was."""
    missing = ["m2_customer_group_excluded_website"]
    text = "SELECT website_id FROM m2_customer_group_excluded_website"
    other = "SELECT value FROM m2_catalog_product_entity_int"

    for edition in (Edition(), edition_of(COMMERCE)):
        lacking = edition.without(missing)
        assert lacking.statement(text, "9") == (
            "WITH m2_customer_group_excluded_website AS"
            " (SELECT 0 AS customer_group_id, 0 AS website_id LIMIT 0)"
            " SELECT website_id FROM m2_customer_group_excluded_website"
        )
        assert lacking.statement(other, "9") == edition.statement(other, "9")
        assert lacking.is_staged == edition.is_staged
        assert edition.without([]) == edition


def test_optional_tables_are_missed_in_each_installation() -> None:
    """Not beside a copy of some table, which is no installation; and they have the columns that are named."""
    always = ("catalog_product_entity", "core_config_data", "store_website")
    tables = {*always, *OPTIONAL_TABLES, "old_catalog_product_entity"} - {"downloadable_link"}
    second = {f"m2_{table}" for table in (*always, *OPTIONAL_TABLES)} - {"m2_eav_attribute_option_swatch"}

    assert unseen(tables | second) == ["downloadable_link", "m2_eav_attribute_option_swatch"]
    assert {
        (table, column)
        for table, columns in OPTIONAL_TABLES.items()
        for column in columns
        if column not in {entry.split()[0] for entry in TABLES[table].entries}
    } == set()
