"""Which row change touches what: one table, and what it says."""

import pytest

from consumers.router.rules import RULES, Kind, Touch, touched, touched_by_ddl
from schemas.shop_config import PATHS, PATHS_OF
from schemas.tables import CAPTURED_TABLES, HASHED_COLUMNS

EVERYTHING = [Touch("everything", "product")]
EVERY_ITEM = [("everything", "product"), ("everything", "category"), ("everything", "attribute")]


def test_every_rule_is_about_a_captured_table() -> None:
    """A rule for a table that is not captured never fires."""
    assert sorted(set(RULES) - set(CAPTURED_TABLES)) == []


def test_no_rule_compares_a_column_it_cannot_see() -> None:
    """Masked columns travel as a hash: they may be compared, but never name what they touch."""
    naming = {
        (table, column.rpartition(":")[2])
        for table, rules in RULES.items()
        for rule in rules
        for _, column in (*rule.names, *rule.on_delete, *([("only", rule.only[0])] if rule.only else []))
    }

    assert sorted(naming & set(HASHED_COLUMNS)) == []


def test_a_rename_touches_both_skus() -> None:
    """The old one has to vanish, the new one to appear; and relatives show the SKU."""
    touches = touched(
        "catalog_product_entity", "u", {"entity_id": 1, "sku": "abc"}, {"entity_id": 1, "sku": "ABC"}
    )

    assert touches == [Touch("sku", "abc"), Touch("neighbours", "1"), Touch("sku", "ABC")]


def test_a_change_of_ignored_columns_touches_nothing() -> None:
    """Commerce writes updated_at with every save."""
    before = {"entity_id": 1, "sku": "a", "updated_at": 1, "created_at": 1, "has_options": 0}

    touches = touched("catalog_product_entity", "u", before, {**before, "updated_at": 2, "has_options": 1})

    assert touches == []


def test_a_change_beside_ignored_columns_counts() -> None:
    """One column that matters is enough."""
    before = {"entity_id": 1, "sku": "a", "updated_at": 1, "attribute_set_id": 4}

    touches = touched(
        "catalog_product_entity", "u", before, {**before, "updated_at": 2, "attribute_set_id": 9}
    )

    assert touches == [Touch("sku", "a")]


def test_an_update_that_changes_nothing_touches_nothing() -> None:
    """A save of equal values is no change."""
    row = {"value_id": 1, "entity_id": 7, "value": "x"}

    assert touched("catalog_product_entity_varchar", "u", row, dict(row)) == []


def test_a_deleted_product_is_also_a_reference() -> None:
    """INTERLEAVING 11: its parents' rows went by cascade, only the index knows them."""
    touches = touched("catalog_product_entity", "d", {"entity_id": 5, "sku": "S"}, None)

    assert touches == [Touch("sku", "S"), Touch("refers_to", "product:5")]


@pytest.mark.parametrize("op", ["c", "u", "r"])
def test_only_a_delete_adds_the_reference(op: str) -> None:
    """An edit of a product touches whoever refers to it by the look-up of its parents."""
    before = {"entity_id": 5, "sku": "S", "attribute_set_id": 4} if op == "u" else None

    touches = touched(
        "catalog_product_entity", op, before, {"entity_id": 5, "sku": "S", "attribute_set_id": 9}
    )

    assert touches == [Touch("sku", "S")]


@pytest.mark.parametrize(
    ("table", "row", "touches"),
    [
        ("catalog_product_entity_varchar", {"entity_id": 7, "value": "a"}, [("value", "varchar:7")]),
        (
            "catalog_product_entity_int",
            {"entity_id": 7, "value": 2},
            [("product", "7"), ("bundle_children", "7")],
        ),
        ("catalog_product_website", {"product_id": 7, "website_id": 1}, [("neighbours", "7")]),
        ("catalog_product_relation", {"parent_id": 3, "child_id": 7}, [("product", "3"), ("product", "7")]),
        ("catalog_category_product", {"entity_id": 1, "product_id": 7}, [("product", "7")]),
        ("catalog_product_entity_media_gallery", {"value_id": 9, "value": "/a.jpg"}, [("media", "9")]),
        ("catalog_product_entity_media_gallery_value_video", {"value_id": 9}, [("media", "9")]),
        ("catalog_product_link", {"link_id": 1, "product_id": 7}, [("product", "7")]),
        ("catalog_product_link_attribute_int", {"link_id": 5, "value": 1}, [("link", "5")]),
        ("catalog_product_option_title", {"option_id": 5, "title": "a"}, [("custom_option", "5")]),
        ("catalog_product_option_type_price", {"option_type_id": 5}, [("custom_choice", "5")]),
        ("catalog_product_bundle_option_value", {"parent_product_id": 7}, [("product", "7")]),
        ("catalog_product_super_attribute", {"product_id": 7}, [("neighbours", "7")]),
        ("downloadable_link_title", {"link_id": 5, "title": "a"}, [("download", "5")]),
        ("downloadable_sample_title", {"sample_id": 5, "title": "a"}, [("sample", "5")]),
        ("cataloginventory_stock_item", {"product_id": 7, "qty": 1}, [("product", "7")]),
        ("inventory_source_item", {"sku": "a", "quantity": 1}, [("spelling", "a")]),
        ("inventory_reservation", {"sku": "a", "quantity": -1}, [("spelling", "a")]),
        ("inventory_stock_sales_channel", {"code": "base", "stock_id": 1}, [("everything", "product")]),
        ("url_rewrite", {"entity_type": "product", "entity_id": 7}, [("product", "7")]),
        ("url_rewrite", {"entity_type": "category", "entity_id": 7}, []),
        ("tax_class", {"class_id": 2, "class_name": "a"}, [("refers_to", "tax_class:2")]),
        ("eav_attribute_set", {"attribute_set_id": 4}, [("refers_to", "attribute_set:4")]),
        (
            "eav_attribute_label",
            {"attribute_id": 93, "value": "a"},
            [("refers_to", "attribute:93"), ("attribute", "93")],
        ),
        (
            "catalog_category_entity",
            {"entity_id": 4, "parent_id": 2, "path": "1/2/4"},
            [("refers_to", "category:4"), ("category", "4"), ("category", "2")],
        ),
        (
            "catalog_category_entity_int",
            {"entity_id": 4, "value": 1},
            [("refers_to", "category:4"), ("category", "4")],
        ),
        ("catalog_category_entity_text", {"entity_id": 4, "value": "a"}, [("category", "4")]),
        ("eav_attribute_option", {"option_id": 8, "sort_order": 0}, [("refers_to", "option:8")]),
        ("eav_attribute_option_value", {"option_id": 8, "value": "Red"}, [("refers_to", "option:8")]),
        ("store", {"website_id": 2, "code": "de"}, [*EVERY_ITEM, ("scope", "website:2")]),
        ("store_group", {"website_id": 2, "code": "de"}, [*EVERY_ITEM, ("scope", "website:2")]),
        (
            "store_website",
            {"website_id": 2, "code": "de"},
            [*EVERY_ITEM, ("scope", "website:2"), ("refers_to", "website:*")],
        ),
        (
            "magento_catalogpermissions",
            {"permission_id": 1, "category_id": 4},
            [("refers_to", "category:4"), ("category", "4")],
        ),
        ("catalog_product_entity_tier_price", {"entity_id": 5, "value_id": 1}, [("product", "5")]),
        ("catalogrule_product_price", {"product_id": 5, "rule_price": "1"}, [("product", "5")]),
        ("customer_group_excluded_website", {"customer_group_id": 3}, [("scope", "group:3")]),
        (
            "eav_attribute",
            {"attribute_id": 93, "attribute_code": "color"},
            [("everything", "product"), ("refers_to", "attribute:93"), ("attribute", "93")],
        ),
        (
            "eav_attribute",
            {"attribute_id": 45, "attribute_code": "url_key"},
            [
                *(("everything", "product"), ("refers_to", "attribute:45"), ("attribute", "45")),
                ("everything", "category"),
            ],
        ),
        ("catalog_eav_attribute", {"attribute_id": 93}, [("refers_to", "attribute:93"), ("attribute", "93")]),
    ],
)
def test_a_new_row_touches_what_its_column_names(
    table: str, row: dict[str, object], touches: list[tuple[Kind, str]]
) -> None:
    """One example for each kind of rule; a deletion names the same."""
    expected = [Touch(*touch) for touch in touches]

    assert touched(table, "c", None, row) == expected
    assert touched(table, "d", row, None) == expected


def test_a_deleted_group_touches_whoever_was_priced_for_it() -> None:
    """Its tier prices go by cascade; a new group has none yet."""
    row = {"customer_group_id": 3}
    both = [Touch("scope", "group:3"), Touch("refers_to", "group:*")]

    assert touched("customer_group", "c", None, row) == both
    assert touched("customer_group", "d", row, None) == [*both, Touch("refers_to", "group:3")]


def test_a_rule_price_computed_again_touches_nothing() -> None:
    """Commerce writes all of them each night, most of them as they were."""
    row = {"product_id": 5, "rule_date": 20_000, "rule_price": "9.5", "rule_product_price_id": 1}

    assert touched("catalogrule_product_price", "u", row, {**row, "rule_product_price_id": 2}) == []
    assert touched("catalogrule_product_price", "u", row, {**row, "rule_price": "9.4"}) == [
        Touch("product", "5")
    ]


def test_a_moved_row_touches_the_old_and_the_new_owner() -> None:
    """Both images are read."""
    touches = touched(
        "catalog_category_product",
        "u",
        {"product_id": 1, "category_id": 3},
        {"product_id": 2, "category_id": 3},
    )

    assert touches == [Touch("product", "1"), Touch("product", "2")]


def test_an_attribute_touches_its_configurables_only_by_its_swatches() -> None:
    """Of the many columns of catalog_eav_attribute one is shown with products."""
    row = {"attribute_id": 93, "is_searchable": 0, "additional_data": None}

    assert touched("catalog_eav_attribute", "u", row, {**row, "is_searchable": 1}) == [
        Touch("attribute", "93")
    ]
    assert touched("catalog_eav_attribute", "u", {**row, "position": 1}, {**row, "position": 2}) == []
    assert touched("catalog_eav_attribute", "u", row, {**row, "additional_data": "{}"}) == [
        Touch("refers_to", "attribute:93")
    ]


@pytest.mark.parametrize(("column", "value"), [("sku", "b"), ("type_id", "virtual"), ("required_options", 1)])
def test_what_relatives_show_of_a_product_touches_them(column: str, value: object) -> None:
    """Parents, children and link owners have the SKU, the type and the salability in their items."""
    row = {"entity_id": 5, "sku": "a", "type_id": "simple", "required_options": 0}

    touches = touched("catalog_product_entity", "u", row, {**row, column: value})

    assert Touch("neighbours", "5") in touches


def test_only_paths_that_items_show_touch_anything() -> None:
    """INTERLEAVING 30: a saved configuration page must not build the whole catalog for nothing."""
    row = {"config_id": 1, "path": "design/head/title", "value": "a"}

    assert touched("core_config_data", "u", row, {**row, "value": "b"}) == []
    for path in PATHS:
        touches = touched("core_config_data", "u", {**row, "path": path}, {**row, "path": path, "value": "b"})

        entities = {touch.value for touch in touches if touch.kind == "everything"}
        references = [touch.value for touch in touches if touch.kind == "refers_to"]
        assert entities == {e for e in ("product", "category") if path in PATHS_OF[e]}
        assert references == ([f"config:{path}"] if path in PATHS_OF["scope"] else [])


@pytest.mark.parametrize(
    ("table", "column", "value", "touches"),
    [
        ("store_website", "name", "b", [("scope", "website:2")]),
        ("store_website", "sort_order", 1, []),
        ("store", "name", "b", []),
        ("store", "is_active", 0, []),
        ("store_group", "name", "b", []),
        ("store_group", "root_category_id", 3, EVERY_ITEM),
        ("customer_group", "tax_class_id", 4, []),
        ("customer_group", "customer_group_code", "b", [("refers_to", "group:*")]),
        ("catalog_category_entity", "position", 4, [("category", "7")]),
        ("catalog_category_entity", "children_count", 4, []),
        (
            "catalog_category_entity",
            "parent_id",
            5,
            [("refers_to", "category:7"), ("category", "7"), ("category", "1"), ("category", "5")],
        ),
        ("eav_attribute_label", "attribute_label_id", 5, []),
        ("eav_attribute", "note", "b", []),
        ("eav_attribute", "backend_model", "b", []),
        ("eav_attribute", "is_unique", 1, [("attribute", "93")]),
        ("eav_attribute", "frontend_label", "b", [("refers_to", "attribute:93"), ("attribute", "93")]),
    ],
)
def test_an_update_touches_only_what_shows_the_column(
    table: str, column: str, value: object, touches: list[tuple[Kind, str]]
) -> None:
    """A change that can alter no item produces nothing."""
    row = {
        "website_id": 2,
        "customer_group_id": 3,
        "entity_id": 7,
        "attribute_id": 93,
        "parent_id": 1,
        column: "a",
    }
    row |= {"parent_id": 1} if column == "parent_id" else {}

    assert touched(table, "u", row, {**row, column: value}) == [Touch(*touch) for touch in touches]


def test_a_truncated_table_touches_everything_that_had_rows_in_it() -> None:
    """INTERLEAVING 12: there is no row event; a table without a rule matters to nobody."""
    assert touched("catalog_product_website", "t", None, None) == EVERYTHING
    assert touched("catalogrule_product_price_replica", "t", None, None) == []
    assert touched("customer_group_excluded_website", "t", None, None) == [Touch("everything", "scope")]
    assert touched("customer_group", "t", None, None) == [
        Touch("everything", "scope"),
        Touch("everything", "product"),
    ]
    assert touched("catalog_category_entity", "t", None, None) == [
        Touch("everything", "category"),
        Touch("everything", "product"),
    ]


@pytest.mark.parametrize("op", ["c", "u", "d", "t"])
def test_a_table_without_a_rule_touches_nothing(op: str) -> None:
    """Rows of replica tables alone make nothing dirty."""
    row = {"entity_id": 1}

    assert touched("catalogrule_product_price_replica", op, row, {"entity_id": 2}) == []


@pytest.mark.parametrize(
    "ddl",
    [
        "RENAME TABLE catalog_product_website TO old, other_replica TO catalog_product_website",
        "rename table `magento`.`x` to `magento`.`catalog_product_website`",
        "RENAME TABLES catalog_product_website TO y",
        "TRUNCATE TABLE catalog_product_website",
        "TRUNCATE catalog_product_website",
        "DROP TABLE IF EXISTS catalog_product_website",
        "DROP TABLES catalog_product_website",
        "ALTER TABLE tmp RENAME TO catalog_product_website",
        "ALTER TABLE tmp RENAME catalog_product_website",
        "ALTER TABLE tmp\n  RENAME AS catalog_product_website",
        "/* app */ /* two */ TRUNCATE TABLE catalog_product_website",
        "  \n RENAME TABLE a TO catalog_product_website",
    ],
)
def test_ddl_that_moves_rows_touches_everything(ddl: str) -> None:
    """INTERLEAVING 12: Commerce swaps tables by RENAME, which gives no row event."""
    assert touched_by_ddl(ddl, "") == EVERYTHING


@pytest.mark.parametrize(
    "ddl",
    [
        "ALTER TABLE catalog_product_website ADD COLUMN x int",
        "CREATE TABLE catalog_product_website (x int)",
        "RENAME TABLE catalogrule_product_price_replica TO catalogrule_product_price_old",
        "RENAME TABLE catalog_product_website_replica TO catalog_product_website_tmp",
        "TRUNCATE TABLE catalogrule_product_price_replica",
        "TRUNCATE TABLE sales_order",
        "DROP TABLE session",
        "",
    ],
)
def test_other_ddl_touches_nothing(ddl: str) -> None:
    """A table's name has to stand there whole: swaps between replicas alone move nothing."""
    assert touched_by_ddl(ddl, "") == []


def test_ddl_is_compared_with_the_table_prefix() -> None:
    """`m2_store` is ours, `store` is another application's."""
    assert touched_by_ddl("TRUNCATE TABLE m2_catalog_product_website", "m2_") == EVERYTHING
    assert touched_by_ddl("TRUNCATE TABLE catalog_product_website", "m2_") == []
