"""The sample catalog's tables are written down once and become statements."""

import re

from commerce_sync.sample.ddl import TABLES
from schemas.tables import CAPTURED_TABLES, PAID_TABLES, READ_ONLY_TABLES


def test_every_table_the_pipeline_reads_is_there() -> None:
    """The one more is what the stock items' foreign key needs."""
    wanted = {*CAPTURED_TABLES, *READ_ONLY_TABLES, "cataloginventory_stock"} - {*PAID_TABLES}

    assert set(TABLES) == wanted


def test_a_table_becomes_one_statement_with_the_prefix_on_every_name() -> None:
    """Columns are NOT NULL unless they say otherwise, and foreign keys point at prefixed tables."""
    statement = re.sub("FK_[0-9a-f]{32}", "FK_NAME", TABLES["store_group"].create_statement("m2_"))

    assert statement == (
        "CREATE TABLE `m2_store_group` (\n"
        "  `group_id` smallint UNSIGNED NOT NULL AUTO_INCREMENT,\n"
        "  `website_id` smallint UNSIGNED NOT NULL DEFAULT 0,\n"
        "  `name` varchar(255) NOT NULL,\n"
        "  `root_category_id` int UNSIGNED NOT NULL DEFAULT 0,\n"
        "  `default_store_id` smallint UNSIGNED NOT NULL DEFAULT 0,\n"
        "  `code` varchar(32) NULL,\n"
        "  PRIMARY KEY (`group_id`),\n"
        "  UNIQUE KEY (`code`),\n"
        "  KEY (`default_store_id`),\n"
        "  CONSTRAINT `FK_NAME` FOREIGN KEY (`website_id`) "
        "REFERENCES `m2_store_website` (`website_id`) ON DELETE CASCADE\n"
        ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"
    )


def test_a_default_stands_behind_null_and_before_on_update() -> None:
    """MariaDB reads the words of a timestamp column in this order only."""
    entity = TABLES["catalog_product_entity"].create_statement("")
    option = TABLES["store_website"].create_statement("")

    assert "`updated_at` timestamp NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP" in entity
    assert "`is_default` smallint UNSIGNED NULL DEFAULT 0" in option


def test_no_name_is_longer_than_the_database_takes() -> None:
    """64 letters; the longest table has 52, and Commerce allows a prefix."""
    statements = "".join(table.create_statement("magento_") for table in TABLES.values())
    names = set(re.findall("`(.*?)`", statements))
    keys = [name for name in names if name.startswith("FK_")]

    assert max(map(len, names)) == 60
    assert len(keys) == sum(
        entry.startswith("cascade") for table in TABLES.values() for entry in table.entries
    )
