"""The Commerce tables the pipeline reads, in a compact notation, and the statements that create them.

Columns, defaults, primary, unique and foreign keys are those of a real installation (a test compares them
with one); of the other indexes only those stay that a query of ours or a foreign key can use.
"""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from asyncmy.connection import Connection

from schemas.tables import EAV_TYPES

# A name, then its lines: columns, `primary`, `unique`, `index` with their columns, and `cascade` for a
# foreign key with ON DELETE CASCADE. A column is NOT NULL unless it says `null`; `auto` is AUTO_INCREMENT.
_NOTATION: Final = """
store_website
    website_id smallint unsigned auto; code varchar(32) null; name varchar(64) null;
    sort_order smallint unsigned default 0; default_group_id smallint unsigned default 0;
    is_default smallint unsigned null default 0;
    primary website_id; unique code; index sort_order; index default_group_id;
store_group
    group_id smallint unsigned auto; website_id smallint unsigned default 0; name varchar(255);
    root_category_id int unsigned default 0; default_store_id smallint unsigned default 0;
    code varchar(32) null;
    primary group_id; unique code; index default_store_id;
    cascade website_id -> store_website.website_id;
store
    store_id smallint unsigned auto; code varchar(32) null; website_id smallint unsigned default 0;
    group_id smallint unsigned default 0; name varchar(255); sort_order smallint unsigned default 0;
    is_active smallint unsigned default 0;
    primary store_id; unique code; index is_active sort_order;
    cascade group_id -> store_group.group_id; cascade website_id -> store_website.website_id;
eav_entity_type
    entity_type_id smallint unsigned auto; entity_type_code varchar(50); entity_model varchar(255);
    attribute_model varchar(255) null; entity_table varchar(255) null;
    value_table_prefix varchar(255) null; entity_id_field varchar(255) null;
    is_data_sharing smallint unsigned default 1; data_sharing_key varchar(100) null default 'default';
    default_attribute_set_id smallint unsigned default 0; increment_model varchar(255) null;
    increment_per_store smallint unsigned default 0; increment_pad_length smallint unsigned default 8;
    increment_pad_char varchar(1) default '0'; additional_attribute_table varchar(255) null;
    entity_attribute_collection varchar(255) null;
    primary entity_type_id; index entity_type_code;
eav_attribute
    attribute_id smallint unsigned auto; entity_type_id smallint unsigned default 0;
    attribute_code varchar(255); attribute_model varchar(255) null; backend_model varchar(255) null;
    backend_type varchar(8) default 'static'; backend_table varchar(255) null;
    frontend_model varchar(255) null; frontend_input varchar(50) null; frontend_label varchar(255) null;
    frontend_class varchar(255) null; source_model varchar(255) null;
    is_required smallint unsigned default 0; is_user_defined smallint unsigned default 0;
    default_value text null; is_unique smallint unsigned default 0; note varchar(255) null;
    primary attribute_id; unique entity_type_id attribute_code;
    index frontend_input entity_type_id is_user_defined;
    cascade entity_type_id -> eav_entity_type.entity_type_id;
eav_attribute_set
    attribute_set_id smallint unsigned auto; entity_type_id smallint unsigned default 0;
    attribute_set_name varchar(255) null; sort_order smallint default 0;
    primary attribute_set_id; unique entity_type_id attribute_set_name; index entity_type_id sort_order;
    cascade entity_type_id -> eav_entity_type.entity_type_id;
eav_attribute_option
    option_id int unsigned auto; attribute_id smallint unsigned default 0;
    sort_order smallint unsigned default 0;
    primary option_id;
    cascade attribute_id -> eav_attribute.attribute_id;
eav_attribute_option_value
    value_id int unsigned auto; option_id int unsigned default 0; store_id smallint unsigned default 0;
    value varchar(255) null;
    primary value_id;
    cascade option_id -> eav_attribute_option.option_id; cascade store_id -> store.store_id;
eav_attribute_label
    attribute_label_id int unsigned auto; attribute_id smallint unsigned default 0;
    store_id smallint unsigned default 0; value varchar(255) null;
    primary attribute_label_id; index attribute_id store_id;
    cascade attribute_id -> eav_attribute.attribute_id; cascade store_id -> store.store_id;
customer_group
    customer_group_id int unsigned auto; customer_group_code varchar(32);
    tax_class_id int unsigned default 0;
    primary customer_group_id;
customer_group_excluded_website
    entity_id int unsigned auto; customer_group_id int unsigned; website_id smallint unsigned;
    primary entity_id; index customer_group_id website_id;
core_config_data
    config_id int unsigned auto; scope varchar(8) default 'default'; scope_id int default 0;
    path varchar(255) default 'general'; value text null; updated_at timestamp default now on update;
    primary config_id; unique scope scope_id path;
catalog_product_entity
    entity_id int unsigned auto; attribute_set_id smallint unsigned default 0;
    type_id varchar(32) default 'simple'; sku varchar(64); has_options smallint default 0;
    required_options smallint unsigned default 0; created_at timestamp default now;
    updated_at timestamp default now on update;
    primary entity_id; index attribute_set_id; index sku;
catalog_category_entity
    entity_id int unsigned auto; attribute_set_id smallint unsigned default 0;
    parent_id int unsigned default 0; created_at timestamp default now;
    updated_at timestamp default now on update; path varchar(255); position int; level int default 0;
    children_count int;
    primary entity_id; index level; index path;
catalog_category_product
    entity_id int auto; category_id int unsigned default 0; product_id int unsigned default 0;
    position int default 0;
    primary entity_id category_id product_id; unique category_id product_id;
    cascade product_id -> catalog_product_entity.entity_id;
    cascade category_id -> catalog_category_entity.entity_id;
catalog_product_website
    product_id int unsigned; website_id smallint unsigned;
    primary product_id website_id;
    cascade website_id -> store_website.website_id;
    cascade product_id -> catalog_product_entity.entity_id;
catalog_product_link_type
    link_type_id smallint unsigned auto; code varchar(32) null;
    primary link_type_id;
catalog_product_link
    link_id int unsigned auto; product_id int unsigned default 0;
    linked_product_id int unsigned default 0; link_type_id smallint unsigned default 0;
    primary link_id; unique link_type_id product_id linked_product_id;
    cascade linked_product_id -> catalog_product_entity.entity_id;
    cascade product_id -> catalog_product_entity.entity_id;
    cascade link_type_id -> catalog_product_link_type.link_type_id;
catalog_product_link_attribute
    product_link_attribute_id smallint unsigned auto; link_type_id smallint unsigned default 0;
    product_link_attribute_code varchar(32) null; data_type varchar(32) null;
    primary product_link_attribute_id;
    cascade link_type_id -> catalog_product_link_type.link_type_id;
catalog_product_link_attribute_decimal
    value_id int unsigned auto; product_link_attribute_id smallint unsigned null; link_id int unsigned;
    value decimal(20,6) default 0;
    primary value_id; unique product_link_attribute_id link_id;
    cascade link_id -> catalog_product_link.link_id;
    cascade product_link_attribute_id -> catalog_product_link_attribute.product_link_attribute_id;
catalog_product_link_attribute_int
    value_id int unsigned auto; product_link_attribute_id smallint unsigned null; link_id int unsigned;
    value int default 0;
    primary value_id; unique product_link_attribute_id link_id;
    cascade link_id -> catalog_product_link.link_id;
    cascade product_link_attribute_id -> catalog_product_link_attribute.product_link_attribute_id;
catalog_product_link_attribute_varchar
    value_id int unsigned auto; product_link_attribute_id smallint unsigned default 0;
    link_id int unsigned; value varchar(255) null;
    primary value_id; unique product_link_attribute_id link_id;
    cascade link_id -> catalog_product_link.link_id;
    cascade product_link_attribute_id -> catalog_product_link_attribute.product_link_attribute_id;
catalog_product_entity_tier_price
    value_id int auto; entity_id int unsigned default 0; all_groups smallint unsigned default 1;
    customer_group_id int unsigned default 0; qty decimal(12,4) default 1; value decimal(20,6) default 0;
    website_id smallint unsigned; percentage_value decimal(5,2) null;
    primary value_id; unique entity_id all_groups customer_group_id qty website_id;
    cascade customer_group_id -> customer_group.customer_group_id;
    cascade entity_id -> catalog_product_entity.entity_id; cascade website_id -> store_website.website_id;
catalog_product_entity_media_gallery
    value_id int unsigned auto; attribute_id smallint unsigned default 0; value varchar(255) null;
    media_type varchar(32) default 'image'; disabled smallint unsigned default 0;
    primary value_id;
    cascade attribute_id -> eav_attribute.attribute_id;
catalog_product_entity_media_gallery_value
    value_id int unsigned default 0; store_id smallint unsigned default 0;
    entity_id int unsigned default 0; label varchar(255) null; position int unsigned null;
    disabled smallint unsigned default 0; record_id int unsigned auto;
    primary record_id; index entity_id value_id store_id;
    cascade value_id -> catalog_product_entity_media_gallery.value_id; cascade store_id -> store.store_id;
    cascade entity_id -> catalog_product_entity.entity_id;
catalog_product_option
    option_id int unsigned auto; product_id int unsigned default 0; type varchar(50) null;
    is_require smallint default 1; sku varchar(64) null; max_characters int unsigned null;
    file_extension varchar(50) null; image_size_x smallint unsigned null;
    image_size_y smallint unsigned null; sort_order int unsigned default 0;
    primary option_id;
    cascade product_id -> catalog_product_entity.entity_id;
catalog_product_option_price
    option_price_id int unsigned auto; option_id int unsigned default 0;
    store_id smallint unsigned default 0; price decimal(20,6) default 0;
    price_type varchar(7) default 'fixed';
    primary option_price_id; unique option_id store_id;
    cascade option_id -> catalog_product_option.option_id; cascade store_id -> store.store_id;
catalog_product_option_title
    option_title_id int unsigned auto; option_id int unsigned default 0;
    store_id smallint unsigned default 0; title varchar(255) null;
    primary option_title_id; unique option_id store_id;
    cascade option_id -> catalog_product_option.option_id; cascade store_id -> store.store_id;
catalog_product_option_type_value
    option_type_id int unsigned auto; option_id int unsigned default 0; sku varchar(64) null;
    sort_order int unsigned default 0;
    primary option_type_id;
    cascade option_id -> catalog_product_option.option_id;
catalog_product_option_type_price
    option_type_price_id int unsigned auto; option_type_id int unsigned default 0;
    store_id smallint unsigned default 0; price decimal(20,6) default 0;
    price_type varchar(7) default 'fixed';
    primary option_type_price_id; unique option_type_id store_id;
    cascade option_type_id -> catalog_product_option_type_value.option_type_id;
    cascade store_id -> store.store_id;
catalog_product_option_type_title
    option_type_title_id int unsigned auto; option_type_id int unsigned default 0;
    store_id smallint unsigned default 0; title varchar(255) null;
    primary option_type_title_id; unique option_type_id store_id;
    cascade option_type_id -> catalog_product_option_type_value.option_type_id;
    cascade store_id -> store.store_id;
catalog_eav_attribute
    attribute_id smallint unsigned; frontend_input_renderer varchar(255) null;
    is_global smallint unsigned default 1; is_visible smallint unsigned default 1;
    is_searchable smallint unsigned default 0; is_filterable smallint unsigned default 0;
    is_comparable smallint unsigned default 0; is_visible_on_front smallint unsigned default 0;
    is_html_allowed_on_front smallint unsigned default 0;
    is_used_for_price_rules smallint unsigned default 0;
    is_filterable_in_search smallint unsigned default 0;
    used_in_product_listing smallint unsigned default 0; used_for_sort_by smallint unsigned default 0;
    apply_to varchar(255) null; is_visible_in_advanced_search smallint unsigned default 0;
    position int default 0; is_wysiwyg_enabled smallint unsigned default 0;
    is_used_for_promo_rules smallint unsigned default 0;
    is_required_in_admin_store smallint unsigned default 0; is_used_in_grid smallint unsigned default 0;
    is_visible_in_grid smallint unsigned default 0; is_filterable_in_grid smallint unsigned default 0;
    search_weight float default 1; additional_data text null;
    primary attribute_id; index used_for_sort_by; index used_in_product_listing;
    cascade attribute_id -> eav_attribute.attribute_id;
catalog_product_relation
    parent_id int unsigned; child_id int unsigned;
    primary parent_id child_id;
    cascade child_id -> catalog_product_entity.entity_id;
    cascade parent_id -> catalog_product_entity.entity_id;
catalog_product_entity_media_gallery_value_to_entity
    value_id int unsigned; entity_id int unsigned;
    primary value_id entity_id;
    cascade value_id -> catalog_product_entity_media_gallery.value_id;
    cascade entity_id -> catalog_product_entity.entity_id;
catalog_product_entity_media_gallery_value_video
    value_id int unsigned; store_id smallint unsigned default 0; provider varchar(32) null; url text null;
    title varchar(255) null; description text null; metadata text null;
    primary value_id store_id;
    cascade value_id -> catalog_product_entity_media_gallery.value_id; cascade store_id -> store.store_id;
eav_attribute_option_swatch
    swatch_id int unsigned auto; option_id int unsigned; store_id smallint unsigned;
    type smallint unsigned; value varchar(255) null;
    primary swatch_id; unique store_id option_id;
    cascade store_id -> store.store_id; cascade option_id -> eav_attribute_option.option_id;
catalog_product_super_attribute
    product_super_attribute_id int unsigned auto; product_id int unsigned default 0;
    attribute_id smallint unsigned default 0; position smallint unsigned default 0;
    primary product_super_attribute_id; unique product_id attribute_id;
    cascade product_id -> catalog_product_entity.entity_id;
catalog_product_super_attribute_label
    value_id int unsigned auto; product_super_attribute_id int unsigned default 0;
    store_id smallint unsigned default 0; use_default smallint unsigned null default 0;
    value varchar(255) null;
    primary value_id; unique product_super_attribute_id store_id;
    cascade product_super_attribute_id -> catalog_product_super_attribute.product_super_attribute_id;
    cascade store_id -> store.store_id;
catalog_product_super_link
    link_id int unsigned auto; product_id int unsigned default 0; parent_id int unsigned default 0;
    primary link_id; unique product_id parent_id;
    cascade product_id -> catalog_product_entity.entity_id;
    cascade parent_id -> catalog_product_entity.entity_id;
catalog_product_bundle_option
    option_id int unsigned auto; parent_id int unsigned; required smallint unsigned default 0;
    position int unsigned default 0; type varchar(255) null;
    primary option_id;
    cascade parent_id -> catalog_product_entity.entity_id;
catalog_product_bundle_option_value
    value_id int unsigned auto; option_id int unsigned; store_id smallint unsigned;
    title varchar(255) null; parent_product_id int unsigned;
    primary value_id; unique option_id parent_product_id store_id;
    cascade option_id -> catalog_product_bundle_option.option_id;
catalog_product_bundle_selection
    selection_id int unsigned auto; option_id int unsigned; parent_product_id int unsigned;
    product_id int unsigned; position int unsigned default 0; is_default smallint unsigned default 0;
    selection_price_type smallint unsigned default 0; selection_price_value decimal(12,4) default 0;
    selection_qty decimal(12,4) null; selection_can_change_qty smallint default 0;
    primary selection_id;
    cascade option_id -> catalog_product_bundle_option.option_id;
    cascade product_id -> catalog_product_entity.entity_id;
catalog_product_bundle_selection_price
    selection_id int unsigned; website_id smallint unsigned;
    selection_price_type smallint unsigned default 0; selection_price_value decimal(20,6) default 0;
    parent_product_id int unsigned;
    primary selection_id parent_product_id website_id;
    cascade website_id -> store_website.website_id;
    cascade selection_id -> catalog_product_bundle_selection.selection_id;
downloadable_link
    link_id int unsigned auto; product_id int unsigned default 0; sort_order int unsigned default 0;
    number_of_downloads int null; is_shareable smallint unsigned default 0; link_url varchar(255) null;
    link_file varchar(255) null; link_type varchar(20) null; sample_url varchar(255) null;
    sample_file varchar(255) null; sample_type varchar(20) null;
    primary link_id; index product_id sort_order;
    cascade product_id -> catalog_product_entity.entity_id;
downloadable_link_price
    price_id int unsigned auto; link_id int unsigned default 0; website_id smallint unsigned default 0;
    price decimal(20,6) default 0;
    primary price_id;
    cascade link_id -> downloadable_link.link_id; cascade website_id -> store_website.website_id;
downloadable_link_title
    title_id int unsigned auto; link_id int unsigned default 0; store_id smallint unsigned default 0;
    title varchar(255) null;
    primary title_id; unique link_id store_id;
    cascade link_id -> downloadable_link.link_id; cascade store_id -> store.store_id;
downloadable_sample
    sample_id int unsigned auto; product_id int unsigned default 0; sample_url varchar(255) null;
    sample_file varchar(255) null; sample_type varchar(20) null; sort_order int unsigned default 0;
    primary sample_id;
    cascade product_id -> catalog_product_entity.entity_id;
downloadable_sample_title
    title_id int unsigned auto; sample_id int unsigned default 0; store_id smallint unsigned default 0;
    title varchar(255) null;
    primary title_id; unique sample_id store_id;
    cascade sample_id -> downloadable_sample.sample_id; cascade store_id -> store.store_id;
cataloginventory_stock
    stock_id smallint unsigned auto; website_id smallint unsigned; stock_name varchar(255) null;
    primary stock_id; index website_id;
cataloginventory_stock_item
    item_id int unsigned auto; product_id int unsigned default 0; stock_id smallint unsigned default 0;
    qty decimal(12,4) null; min_qty decimal(12,4) default 0;
    use_config_min_qty smallint unsigned default 1; is_qty_decimal smallint unsigned default 0;
    backorders smallint unsigned default 0; use_config_backorders smallint unsigned default 1;
    min_sale_qty decimal(12,4) default 1; use_config_min_sale_qty smallint unsigned default 1;
    max_sale_qty decimal(12,4) default 0; use_config_max_sale_qty smallint unsigned default 1;
    is_in_stock smallint unsigned default 0; low_stock_date timestamp null;
    notify_stock_qty decimal(12,4) null; use_config_notify_stock_qty smallint unsigned default 1;
    manage_stock smallint unsigned default 0; use_config_manage_stock smallint unsigned default 1;
    stock_status_changed_auto smallint unsigned default 0;
    use_config_qty_increments smallint unsigned default 1; qty_increments decimal(12,4) default 0;
    use_config_enable_qty_inc smallint unsigned default 1;
    enable_qty_increments smallint unsigned default 0; is_decimal_divided smallint unsigned default 0;
    website_id smallint unsigned default 0;
    primary item_id; unique product_id stock_id; index website_id; index website_id product_id;
    cascade product_id -> catalog_product_entity.entity_id;
    cascade stock_id -> cataloginventory_stock.stock_id;
cataloginventory_stock_status
    product_id int unsigned; website_id smallint unsigned; stock_id smallint unsigned;
    qty decimal(12,4) default 0; stock_status smallint unsigned;
    primary product_id website_id stock_id; index stock_id; index website_id; index stock_status;
inventory_source
    source_code varchar(255); name varchar(255); enabled smallint unsigned default 1;
    description text null; latitude decimal(8,6) null; longitude decimal(9,6) null; country_id varchar(2);
    region_id int unsigned null; region varchar(255) null; city varchar(255) null;
    street varchar(255) null; postcode varchar(255); contact_name varchar(255) null;
    email varchar(255) null; phone varchar(255) null; fax varchar(255) null;
    use_default_carrier_config smallint unsigned default 1;
    is_pickup_location_active tinyint(1) default 0; frontend_name varchar(255) null default '';
    frontend_description text null;
    primary source_code;
inventory_source_item
    source_item_id int unsigned auto; source_code varchar(255); sku varchar(64);
    quantity decimal(12,4) default 0; status smallint unsigned default 0;
    primary source_item_id; unique source_code sku; index sku source_code quantity;
    cascade source_code -> inventory_source.source_code;
inventory_stock
    stock_id int unsigned auto; name varchar(255);
    primary stock_id;
inventory_source_stock_link
    link_id int unsigned auto; stock_id int unsigned; source_code varchar(255);
    priority smallint unsigned;
    primary link_id; unique stock_id source_code; index stock_id priority;
    cascade stock_id -> inventory_stock.stock_id; cascade source_code -> inventory_source.source_code;
inventory_stock_sales_channel
    type varchar(64); code varchar(64); stock_id int unsigned;
    primary type code;
    cascade stock_id -> inventory_stock.stock_id;
inventory_reservation
    reservation_id int unsigned auto; stock_id int unsigned; sku varchar(64);
    quantity decimal(10,4) default 0; metadata varchar(255) null;
    primary reservation_id; index stock_id sku quantity;
catalogrule_product_price
    rule_product_price_id int unsigned auto; rule_date date; customer_group_id int null;
    product_id int unsigned default 0; rule_price decimal(20,6) default 0; website_id smallint unsigned;
    latest_start_date date null; earliest_end_date date null;
    primary rule_product_price_id; unique rule_date website_id customer_group_id product_id;
    index customer_group_id; index website_id; index product_id;
tax_class
    class_id smallint auto; class_name varchar(255); class_type varchar(8) default 'CUSTOMER';
    primary class_id;
url_rewrite
    url_rewrite_id int unsigned auto; entity_type varchar(32); entity_id int unsigned;
    request_path varchar(255) null; target_path varchar(255) null;
    redirect_type smallint unsigned default 0; store_id smallint unsigned; description varchar(255) null;
    is_autogenerated smallint unsigned default 0; metadata varchar(255) null;
    primary url_rewrite_id; unique request_path store_id; index target_path; index store_id entity_id;
    index entity_id; index is_autogenerated metadata;
"""

# One table per backend type; `gallery` is the same with a position.
_VALUES_NOTATION: Final = """
catalog_{entity}_entity_{backend}
    value_id int auto; attribute_id smallint unsigned default 0; store_id smallint unsigned default 0;
    entity_id int unsigned default 0; {columns};
    primary value_id; unique entity_id attribute_id store_id;
    cascade attribute_id -> eav_attribute.attribute_id;
    cascade entity_id -> catalog_{entity}_entity.entity_id; cascade store_id -> store.store_id;
"""
_VALUE_COLUMNS: Final = {
    "int": "value int null",
    "decimal": "value decimal(20,6) null",
    "text": "value mediumtext null",
    "varchar": "value varchar(255) null",
    "datetime": "value datetime null",
}
_PHRASES: Final = {
    "auto": "AUTO_INCREMENT",
    "unsigned": "UNSIGNED",
    "default": "DEFAULT",
    "now": "CURRENT_TIMESTAMP",
    "on": "ON",
    "update": "UPDATE CURRENT_TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the notation gives it: its lines without the name."""

    name: str
    entries: tuple[str, ...]

    def create_statement(self, prefix: str) -> str:
        lines = ",\n  ".join(self._definition(entry, prefix) for entry in self.entries)
        return (
            f"CREATE TABLE `{prefix}{self.name}` (\n  {lines}\n) "
            "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci"
        )

    def _definition(self, entry: str, prefix: str) -> str:
        first, *rest = entry.split()
        if first == "primary":
            return f"PRIMARY KEY ({_names(rest)})"
        if first == "unique":
            return f"UNIQUE KEY ({_names(rest)})"
        if first == "index":
            return f"KEY ({_names(rest)})"
        if first == "cascade":
            return self._foreign_key(rest[0], rest[2], prefix)
        return f"`{first}` {_column(rest)}"

    def _foreign_key(self, column: str, target: str, prefix: str) -> str:
        table, key = target.split(".")
        # The database's own name for it, table and number, is too long for the longest tables with a prefix.
        name = hashlib.sha256(f"{prefix}{self.name}.{column}".encode()).hexdigest()[:32]
        return (
            f"CONSTRAINT `FK_{name}` FOREIGN KEY (`{column}`) "
            f"REFERENCES `{prefix}{table}` (`{key}`) ON DELETE CASCADE"
        )


async def create_schema(connection: Connection, prefix: str = "", there: Collection[str] = ()) -> None:
    """Create every table in the connection's database but those that are `there`, by their bare names."""
    async with connection.cursor() as cursor:
        # Tables name each other in both directions of any order.
        await cursor.execute("SET SESSION foreign_key_checks = 0")
        for name, table in TABLES.items():
            if name not in there:
                await cursor.execute(table.create_statement(prefix))
        await cursor.execute("SET SESSION foreign_key_checks = 1")


def _names(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _column(words: list[str]) -> str:
    """Words of the notation to a column definition; NULL stands before DEFAULT, as a timestamp needs it."""
    nullable = "NULL" if "null" in words else "NOT NULL"
    words = [word for word in words if word != "null"]
    kind = [words.pop(0)]
    if words[:1] == ["unsigned"]:
        kind.append(words.pop(0))
    return " ".join(
        [_PHRASES.get(word, word) for word in kind] + [nullable] + [_PHRASES.get(w, w) for w in words]
    )


def _notation() -> Iterator[str]:
    yield _NOTATION
    for entity in ("product", "category"):
        for backend in EAV_TYPES:
            yield _VALUES_NOTATION.format(entity=entity, backend=backend, columns=_VALUE_COLUMNS[backend])
    columns = "position int default 0; " + _VALUE_COLUMNS["varchar"]
    yield _VALUES_NOTATION.format(entity="product", backend="gallery", columns=columns)


def _tables() -> dict[str, Table]:
    entries: dict[str, list[str]] = {}
    name = ""
    for line in "".join(_notation()).splitlines():
        if line.startswith(" "):
            entries[name] += [entry.strip() for entry in line.split(";") if entry.strip()]
        elif line:
            name = line
            entries[name] = []
    # Rule prices are rebuilt in the replica, which is then renamed to the live name.
    entries["catalogrule_product_price_replica"] = entries["catalogrule_product_price"]
    return {name: Table(name, tuple(lines)) for name, lines in entries.items()}


TABLES: Final = _tables()
