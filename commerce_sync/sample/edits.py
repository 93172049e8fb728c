"""Edits a merchant would make: each leaves the rows Commerce itself would leave, in one transaction.

An edit chooses what to change from what the database holds now, by a generator that is given to it, so it
never names a product that is gone. `apply` runs one; what it cannot do to this catalog it answers with None.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from asyncmy.connection import Connection
from asyncmy.cursors import Cursor
from asyncmy.errors import MySQLError

from commerce_sync.sample.database import insert
from commerce_sync.sample.products import invent, invent_sku
from commerce_sync.sample.scopes import STORES_OF_WEBSITE, WEBSITE_OF_STORE
from runtime.errors import UsageError

ROLES: Final = ("image", "small_image", "thumbnail")
IMPORT_PRODUCTS: Final = 200
_NEW_SHARE: Final = 4  # One in four products of an import is new.
# A foreign key names no row.
_PARENT_IS_GONE: Final = 1452


class NoCandidate(Exception):
    """Nothing in the catalog can be edited this way now."""


@dataclass(frozen=True, slots=True)
class Product:
    id: int
    sku: str
    type: str

    def __str__(self) -> str:
        return f"{self.sku} (product {self.id})"


@dataclass(slots=True)
class Shop:
    """What an edit works with: an open transaction, chance, and where attributes are kept."""

    connection: Connection
    cursor: Cursor
    random: Random
    prefix: str = ""
    # (entity type, code) -> table of the values, attribute id
    attributes: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    # While set, every edit of a product is of this one.
    chosen: Product | None = None

    async def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of a SELECT; `{p}` stands for the table prefix."""
        await self.cursor.execute(statement.replace("{p}", self.prefix), values)
        return list(await self.cursor.fetchall())

    async def change(self, statement: str, *values: Any) -> int:
        """Run a writing statement; the id it made, if any."""
        await self.cursor.execute(statement.replace("{p}", self.prefix), values)
        return int(self.cursor.lastrowid)

    async def insert(self, table: str, rows: Sequence[tuple[Any, ...]], *columns: str) -> None:
        await insert(self.cursor, self.prefix, table, rows, columns or None)


Edit = Callable[[Shop], Awaitable[str]]


async def open_shop(connection: Connection, random: Random, prefix: str = "") -> Shop:
    """Read once where attributes are kept.

    Raises:
        UsageError: the database holds no catalog.
    """
    shop = Shop(connection, connection.cursor(), random, prefix)
    try:
        rows = await shop.query(
            "SELECT t.entity_type_code, a.attribute_code, a.backend_type, a.attribute_id "
            "FROM {p}eav_attribute a JOIN {p}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
        )
        products = await shop.query("SELECT 1 FROM {p}catalog_product_entity LIMIT 1")
    except MySQLError:
        rows = products = []
    if not rows or not products:
        message = "the database holds no catalog to edit: run `commerce-sync seed` first"
        raise UsageError(message)
    for entity, code, backend, attribute_id in rows:
        shop.attributes[entity, code] = (f"{prefix}{entity}_entity_{backend}", attribute_id)
    await connection.rollback()
    return shop


async def apply(shop: Shop, edit: Edit) -> str | None:
    """Run an edit as one transaction.

    Returns:
        What was done, in a few words; None if there was nothing to do it to (then nothing was written).
    """
    # Closes the snapshot of whatever was read before.
    await shop.connection.rollback()
    try:
        description = await edit(shop)
    except NoCandidate:
        await shop.connection.rollback()
        return None
    except MySQLError as error:
        await shop.connection.rollback()
        if error.args and error.args[0] == _PARENT_IS_GONE:
            # Another editor deleted meanwhile what this one had chosen.
            return None
        raise
    await shop.connection.commit()
    return description


async def apply_any(shop: Shop) -> str:
    """Run an edit drawn by weight; draw again when there is nothing to do it to.

    Raises:
        UsageError: nothing at all can be edited any more.
    """
    for _ in range(50):
        (edit,) = shop.random.choices(tuple(EDITS), tuple(EDITS.values()))
        if description := await apply(shop, edit):
            return description
    message = "the catalog is too empty to be edited: run `commerce-sync seed --reset`"
    raise UsageError(message)


# Texts, states and attribute values


async def rename_in_store_view(shop: Shop) -> str:
    product = await _product(shop)
    store_id = _store(shop)
    name = f"{invent(shop.random, product.id).name_de} {_number(shop)}"
    await _set_value(shop, product, "name", name, store_id)
    return f"{product}: name in store view {store_id} is {name!r}"


async def change_description(shop: Shop) -> str:
    product = await _product(shop)
    text = f"<p>{invent(shop.random, product.id).description} Edition {_number(shop)}.</p>"
    await _set_value(shop, product, "description", text)
    return f"{product}: new default description"


async def toggle_status(shop: Shop) -> str:
    product = await _product(shop)
    store_id = shop.random.choice((0, 0, *WEBSITE_OF_STORE))
    current = await _value(shop, product, "status", store_id)
    status = 2 if current == 1 else 1
    await _set_value(shop, product, "status", status, store_id)
    return f"{product}: status in store view {store_id} is {status}"


async def change_visibility(shop: Shop) -> str:
    product = await _product(shop)
    store_id = shop.random.choice((0, 0, *WEBSITE_OF_STORE))
    current = await _value(shop, product, "visibility", store_id)
    visibility = shop.random.choice([each for each in (1, 2, 3, 4) if each != current])
    await _set_value(shop, product, "visibility", visibility, store_id)
    return f"{product}: visibility in store view {store_id} is {visibility}"


async def use_default_value(shop: Shop) -> str:
    """Take a store view's own name away."""
    product = await _product(shop, f"EXISTS (SELECT 1 FROM {_own_values(shop, 'name')} AND store_id > 0)")
    table, attribute_id = shop.attributes["catalog_product", "name"]
    await shop.change(
        f"DELETE FROM {table} WHERE entity_id = %s AND attribute_id = %s AND store_id > 0",
        product.id,
        attribute_id,
    )
    await _touch(shop, product)
    return f"{product}: default name in every store view"


async def change_attribute(shop: Shop) -> str:
    product = await _product(shop)
    code = shop.random.choice(("color", "manufacturer", "material", "eco_collection", "care", "depth_cm"))
    value: object
    if code == "care":
        value = f"Wash at {shop.random.randrange(20, 90)}°; don't iron"
    elif code == "depth_cm":
        value = f"{shop.random.randrange(10, 900) / 10}"
    elif code == "eco_collection":
        value = shop.random.randrange(2)
    else:
        options = await _options(shop, code)
        chosen = shop.random.sample(options, min(len(options), 2 if code == "material" else 1))
        value = ",".join(map(str, sorted(chosen)))
    await _set_value(shop, product, code, value)
    return f"{product}: {code} is {value}"


async def rename_option(shop: Shop) -> str:
    code = shop.random.choice(("color", "size", "material", "manufacturer"))
    option_id = shop.random.choice(await _options(shop, code))
    labels = await shop.query(
        "SELECT store_id, value FROM {p}eav_attribute_option_value WHERE option_id = %s", option_id
    )
    store_id = shop.random.choice([store for store, _ in labels])
    renamed = [
        (option_id, store, f"{label.split(' №')[0]} №{_number(shop)}" if store == store_id else label)
        for store, label in labels
    ]
    # Commerce replaces all labels of an option when it saves one.
    await shop.change("DELETE FROM {p}eav_attribute_option_value WHERE option_id = %s", option_id)
    await shop.insert("eav_attribute_option_value", renamed)
    return f"option {option_id} of {code}: new label in store view {store_id}"


async def change_url_key(shop: Shop) -> str:
    product = await _product(shop)
    url_key = f"{invent(shop.random, product.id).url_key}-{_number(shop)}"
    await _set_value(shop, product, "url_key", url_key)
    for store_id, own_key in await _url_keys(shop, product):
        await _move_rewrite(shop, "product", product.id, store_id, f"{own_key}.html")
    return f"{product}: url key is {url_key}"


# Prices and stock


async def change_price(shop: Shop) -> str:
    product = await _product(shop, "p.type_id NOT IN ('configurable', 'grouped')")
    price = f"{shop.random.randrange(499, 19_999) / 100:.2f}"
    await _set_value(shop, product, "price", price)
    return f"{product}: price is {price}"


async def change_special_price(shop: Shop) -> str:
    product = await _product(shop, "p.type_id IN ('simple', 'virtual', 'downloadable')")
    price = None if shop.random.random() < 0.3 else f"{shop.random.randrange(99, 4_999) / 100:.2f}"
    last_day = shop.random.choice((None, None, "2020-12-31 00:00:00", "2035-12-31 00:00:00"))
    await _set_value(shop, product, "special_price", price)
    await _set_value(shop, product, "special_to_date", last_day)
    return f"{product}: special price is {price}, until {last_day or 'further notice'}"


async def change_tier_prices(shop: Shop) -> str:
    """Commerce writes only the rows that differ, but a product's tiers are edited as a whole."""
    product = await _product(shop, "p.type_id IN ('simple', 'virtual', 'downloadable')")
    cents = shop.random.randrange(99, 4_999)
    # Whether for all groups, group, quantity, price, website, percentage.
    drawn = (
        (1, 0, 5, f"{cents / 100:.2f}", 0, None),
        (1, 0, 1, f"{cents / 80:.2f}", shop.random.choice((1, 2)), None),
        (0, 2, 1, 0, 0, shop.random.randrange(5, 60)),
        (0, 3, 10, f"{cents / 120:.2f}", 1, None),
    )
    tiers = shop.random.sample(drawn, shop.random.randrange(len(drawn)))
    await shop.change("DELETE FROM {p}catalog_product_entity_tier_price WHERE entity_id = %s", product.id)
    await shop.insert("catalog_product_entity_tier_price", [(product.id, *tier) for tier in tiers])
    await _touch(shop, product)
    return f"{product}: {len(tiers)} tier prices"


async def apply_catalog_rule(shop: Shop) -> str:
    """What Commerce's index of catalog rules leaves: prices of yesterday, today and tomorrow."""
    product = await _product(
        shop,
        "p.type_id IN ('simple', 'virtual', 'downloadable') AND EXISTS "
        "(SELECT 1 FROM {p}catalog_product_website w WHERE w.product_id = p.entity_id)",
    )
    price = f"{shop.random.randrange(99, 4_999) / 100:.2f}"
    groups = shop.random.sample((0, 1, 2), shop.random.randrange(3))
    dates = await shop.query(
        "SELECT CAST(UTC_DATE() - INTERVAL 1 DAY AS CHAR), CAST(UTC_DATE() AS CHAR),"
        " CAST(UTC_DATE() + INTERVAL 1 DAY AS CHAR)"
    )
    await shop.change("DELETE FROM {p}catalogrule_product_price WHERE product_id = %s", product.id)
    rows = [
        (date, group_id, product.id, price, website_id)
        for date in dates[0]
        for group_id in groups
        for website_id in await _websites(shop, product)
    ]
    await shop.insert("catalogrule_product_price", rows)
    return f"{product}: catalog rule price of groups {groups} is {price}"


async def change_stock(shop: Shop) -> str:
    product = await _product(shop, "p.type_id IN ('simple', 'virtual', 'downloadable')")
    quantity = 0 if shop.random.random() < 0.2 else shop.random.randrange(1, 400)
    in_stock = int(quantity > 0)
    await shop.change(
        "UPDATE {p}cataloginventory_stock_item SET qty = %s, is_in_stock = %s WHERE product_id = %s",
        *(quantity, in_stock, product.id),
    )
    await shop.change(
        "UPDATE {p}cataloginventory_stock_status SET qty = %s, stock_status = %s WHERE product_id = %s",
        *(quantity, in_stock, product.id),
    )
    await shop.change(
        "UPDATE {p}inventory_source_item SET quantity = %s, status = %s "
        "WHERE source_code = 'default' AND BINARY sku = BINARY %s AND sku = %s",
        *(quantity, in_stock, product.sku, product.sku),
    )
    return f"{product}: {quantity} in stock"


async def place_order(shop: Shop) -> str:
    product = await _product(shop, "p.type_id IN ('simple', 'virtual', 'downloadable')")
    order = f'{{"event_type":"order_placed","object_type":"order","object_id":"{_number(shop)}"}}'
    await shop.insert("inventory_reservation", [(1, product.sku, -1, order)])
    return f"{product}: one ordered"


# Images


async def add_image(shop: Shop) -> str:
    product = await _product(shop)
    name = await _add_image(shop, product)
    role = shop.random.choice(ROLES)
    await _set_value(shop, product, role, name)
    return f"{product}: image {name} added as {role}"


async def replace_image(shop: Shop) -> str:
    product, value_id, old_name = await _image(shop)
    name = await _add_image(shop, product)
    await shop.change("DELETE FROM {p}catalog_product_entity_media_gallery WHERE value_id = %s", value_id)
    await _change_roles(shop, product, old_name, name)
    return f"{product}: image {old_name} replaced by {name}"


async def remove_image(shop: Shop) -> str:
    product, value_id, name = await _image(shop)
    await shop.change("DELETE FROM {p}catalog_product_entity_media_gallery WHERE value_id = %s", value_id)
    await _change_roles(shop, product, name, "no_selection")
    return f"{product}: image {name} removed"


async def change_image_role(shop: Shop) -> str:
    product, _, name = await _image(shop)
    role = shop.random.choice(ROLES)
    await _set_value(shop, product, role, name)
    return f"{product}: {role} is {name}"


async def _image(shop: Shop) -> tuple[Product, int, str]:
    product = await _product(
        shop,
        "EXISTS (SELECT 1 FROM {p}catalog_product_entity_media_gallery_value_to_entity e "
        "WHERE e.entity_id = p.entity_id)",
    )
    images = await shop.query(
        "SELECT g.value_id, g.value FROM {p}catalog_product_entity_media_gallery g "
        "JOIN {p}catalog_product_entity_media_gallery_value_to_entity e ON e.value_id = g.value_id "
        "WHERE e.entity_id = %s AND g.media_type = 'image' ORDER BY g.value_id",
        product.id,
    )
    if not images:
        raise NoCandidate
    value_id, name = shop.random.choice(images)
    return product, value_id, name


async def _add_image(shop: Shop, product: Product) -> str:
    name = f"/n/{product.id % 10}/{product.id}_{_number(shop)}.jpg"
    _, gallery = shop.attributes["catalog_product", "media_gallery"]
    value_id = await shop.change(
        "INSERT INTO {p}catalog_product_entity_media_gallery (attribute_id, value, media_type) "
        "VALUES (%s, %s, 'image')",
        *(gallery, name),
    )
    await shop.insert("catalog_product_entity_media_gallery_value_to_entity", [(value_id, product.id)])
    label = shop.random.choice((None, "Detail", 'From "above"'))
    position = shop.random.randrange(1, 9)
    rows = [(value_id, 0, product.id, label, position, 0)]
    await shop.insert("catalog_product_entity_media_gallery_value", rows)
    await _touch(shop, product)
    return name


async def _change_roles(shop: Shop, product: Product, old_name: str, name: str) -> None:
    table, _ = shop.attributes["catalog_product", "image"]
    ids = [shop.attributes["catalog_product", code][1] for code in (*ROLES, "swatch_image")]
    await shop.change(
        f"UPDATE {table} SET value = %s WHERE entity_id = %s AND value = %s "
        "AND attribute_id IN (%s, %s, %s, %s)",
        *(name, product.id, old_name, *ids),
    )
    await _touch(shop, product)


# Websites and categories of a product


async def unassign_website(shop: Shop) -> str:
    product = await _product(
        shop, "EXISTS (SELECT 1 FROM {p}catalog_product_website w WHERE w.product_id = p.entity_id)"
    )
    website_id = shop.random.choice(await _websites(shop, product))
    await shop.change(
        "DELETE FROM {p}catalog_product_website WHERE product_id = %s AND website_id = %s",
        product.id,
        website_id,
    )
    for store_id in STORES_OF_WEBSITE[website_id]:
        await shop.change(
            "DELETE FROM {p}url_rewrite WHERE entity_type = 'product' AND entity_id = %s AND store_id = %s",
            *(product.id, store_id),
        )
    await _touch(shop, product)
    return f"{product}: taken from website {website_id}"


async def assign_website(shop: Shop) -> str:
    few = "(SELECT COUNT(*) FROM {p}catalog_product_website w WHERE w.product_id = p.entity_id) < %d"
    product = await _product(shop, few % len(STORES_OF_WEBSITE))
    assigned = await _websites(shop, product)
    website_id = shop.random.choice([each for each in STORES_OF_WEBSITE if each not in assigned])
    await shop.insert("catalog_product_website", [(product.id, website_id)])
    for store_id, url_key in await _url_keys(shop, product):
        if store_id in STORES_OF_WEBSITE[website_id]:
            await _move_rewrite(shop, "product", product.id, store_id, f"{url_key}.html")
    await _touch(shop, product)
    return f"{product}: put into website {website_id}"


async def assign_category(shop: Shop) -> str:
    product = await _product(shop)
    taken = "SELECT category_id FROM {p}catalog_category_product WHERE product_id = %s"
    free = await shop.query(
        f"SELECT entity_id FROM {{p}}catalog_category_entity WHERE level > 1 AND entity_id NOT IN ({taken}) "
        "ORDER BY entity_id",
        product.id,
    )
    if not free:
        raise NoCandidate
    (category_id,) = shop.random.choice(free)
    rows = [(category_id, product.id, shop.random.randrange(100))]
    await shop.insert("catalog_category_product", rows)
    await _touch(shop, product)
    return f"{product}: put into category {category_id}"


async def remove_category(shop: Shop) -> str:
    product = await _product(
        shop, "EXISTS (SELECT 1 FROM {p}catalog_category_product c WHERE c.product_id = p.entity_id)"
    )
    taken = await shop.query(
        "SELECT category_id FROM {p}catalog_category_product WHERE product_id = %s ORDER BY category_id",
        product.id,
    )
    if not taken:
        raise NoCandidate
    (category_id,) = shop.random.choice(taken)
    await shop.change(
        "DELETE FROM {p}catalog_category_product WHERE product_id = %s AND category_id = %s",
        *(product.id, category_id),
    )
    await _touch(shop, product)
    return f"{product}: taken from category {category_id}"


# Categories


async def change_category_url_key(shop: Shop) -> str:
    category_id, path = await _category(shop)
    url_key = f"{shop.random.choice(('trend', 'season', 'picks', 'all'))}-{_number(shop)}"
    await _set_category_value(shop, category_id, "url_key", url_key)
    await _rewrite_categories(shop, path)
    return f"category {category_id}: url key is {url_key}"


async def toggle_category(shop: Shop) -> str:
    category_id, _ = await _category(shop)
    table, attribute_id = shop.attributes["catalog_category", "is_active"]
    ((active,),) = await shop.query(
        f"SELECT value FROM {table} WHERE entity_id = %s AND attribute_id = %s AND store_id = 0",
        *(category_id, attribute_id),
    )
    await _set_category_value(shop, category_id, "is_active", 1 - active)
    return f"category {category_id}: {'inactive' if active else 'active'}"


async def move_category(shop: Shop) -> str:
    category_id, path = await _category(shop)
    root = path.split("/")[1]
    old_parent = path.rsplit("/", 1)[0]
    rows = await shop.query(
        "SELECT path FROM {p}catalog_category_entity WHERE path LIKE %s AND level < 4 ORDER BY entity_id",
        f"1/{root}%",
    )
    parents = [each for (each,) in rows if each != old_parent and not f"{each}/".startswith(f"{path}/")]
    if not parents:
        raise NoCandidate
    parent = shop.random.choice(parents)
    await _move_subtree(shop, category_id, path, parent)
    await _rewrite_categories(shop, f"{parent}/{category_id}")
    return f"category {category_id}: moved from {old_parent} to {parent}"


async def _move_subtree(shop: Shop, category_id: int, path: str, parent: str) -> None:
    ((size,),) = await shop.query(
        "SELECT COUNT(*) FROM {p}catalog_category_entity WHERE path = %s OR path LIKE %s", path, f"{path}/%"
    )
    for line, sign in ((path.split("/")[:-1], -1), (parent.split("/"), 1)):
        for ancestor in line:
            await shop.change(
                "UPDATE {p}catalog_category_entity SET children_count = children_count + %s "
                "WHERE entity_id = %s",
                *(sign * size, ancestor),
            )
    new_path = f"{parent}/{category_id}"
    deeper = new_path.count("/") - path.count("/")
    await shop.change(
        "UPDATE {p}catalog_category_entity SET path = CONCAT(%s, SUBSTRING(path, %s)), level = level + %s, "
        "updated_at = NOW() WHERE path = %s OR path LIKE %s",
        *(new_path, len(path) + 1, deeper, path, f"{path}/%"),
    )
    await shop.change(
        "UPDATE {p}catalog_category_entity SET parent_id = %s WHERE entity_id = %s",
        *(parent.rsplit("/", 1)[-1], category_id),
    )


async def _category(shop: Shop) -> tuple[int, str]:
    """A category below the first level; those above touch half the catalog."""
    rows = await shop.query(
        "SELECT entity_id, path FROM {p}catalog_category_entity WHERE level > 2 ORDER BY entity_id"
    )
    if not rows:
        raise NoCandidate
    category_id, path = shop.random.choice(rows)
    return category_id, path


async def _rewrite_categories(shop: Shop, path: str) -> None:
    """Give a category and all below it the url paths that their url keys now make."""
    subtree = await shop.query(
        "SELECT entity_id, path FROM {p}catalog_category_entity WHERE path = %s OR path LIKE %s "
        "ORDER BY level, entity_id",
        *(path, f"{path}/%"),
    )
    stores = await shop.query(
        "SELECT s.store_id FROM {p}store s JOIN {p}store_group g ON g.group_id = s.group_id "
        "WHERE s.store_id > 0 AND g.root_category_id = %s",
        path.split("/")[1],
    )
    for category_id, category_path in subtree:
        await _set_category_value(shop, category_id, "url_path", await _url_path(shop, category_path, 0))
        for (store_id,) in stores:
            url_path = await _url_path(shop, category_path, store_id)
            await _move_rewrite(shop, "category", category_id, store_id, f"{url_path}.html")


async def _url_path(shop: Shop, path: str, store_id: int) -> str:
    line = path.split("/")[2:]
    table, attribute_id = shop.attributes["catalog_category", "url_key"]
    rows = await shop.query(
        f"SELECT entity_id, value FROM {table} WHERE attribute_id = %s AND store_id IN (0, %s) "
        f"AND entity_id IN ({', '.join(line)}) AND value IS NOT NULL ORDER BY store_id",
        *(attribute_id, store_id),
    )
    keys = dict(rows)
    return "/".join(keys[int(each)] for each in line if int(each) in keys)


# The life of a product


async def create_product(shop: Shop) -> str:
    product = await _create(shop, None)
    return f"{product}: new"


async def change_sku(shop: Shop) -> str:
    product = await _product(shop)
    sku = shop.random.choice((product.sku.swapcase(), f"{product.sku[:50]}-{_number(shop)}"))
    if sku == product.sku:
        raise NoCandidate
    await _require_free_sku(shop, sku, product.id)
    await _rename(shop, product.id, product.sku, sku)
    return f"{product}: SKU is now {sku}"


async def swap_skus(shop: Shop) -> str:
    """Two products, each with the other's SKU."""
    one, other = await _products(shop, 2)
    aside = await _new_sku(shop, one)
    await _rename(shop, one.id, one.sku, aside)
    await _rename(shop, other.id, other.sku, one.sku)
    await _rename(shop, one.id, aside, other.sku)
    return f"{one} and {other}: SKUs swapped"


async def hand_skus_on(shop: Shop) -> str:
    """One product gets a new SKU, the next one the SKU that became free, and so on."""
    products = await _products(shop, 3)
    free = await _new_sku(shop, products[0])
    for product in products:
        await _rename(shop, product.id, product.sku, free)
        free = product.sku
    return f"{', '.join(map(str, products))}: SKUs handed on, {free} is free"


async def _rename(shop: Shop, product_id: int, sku: str, new_sku: str) -> None:
    await shop.change(
        "UPDATE {p}catalog_product_entity SET sku = %s, updated_at = NOW() WHERE entity_id = %s",
        *(new_sku, product_id),
    )
    await shop.change("UPDATE {p}inventory_source_item SET sku = %s WHERE sku = %s", new_sku, sku)


async def _new_sku(shop: Shop, product: Product) -> str:
    sku = f"{product.sku[:50]}-{_number(shop)}"
    await _require_free_sku(shop, sku, product.id)
    return sku


async def _products(shop: Shop, count: int) -> list[Product]:
    """Different products."""
    rows = await shop.query(
        "SELECT entity_id, sku, type_id FROM {p}catalog_product_entity ORDER BY entity_id"
    )
    if len(rows) < count:
        raise NoCandidate
    return [Product(*row) for row in shop.random.sample(rows, count)]


async def delete_product(shop: Shop) -> str:
    product = await _product(shop)
    await _delete(shop, product)
    return f"{product}: deleted"


async def replace_product(shop: Shop) -> str:
    """Delete a product and create another one under its SKU, so that no moment shows neither."""
    product = await _product(shop)
    await _delete(shop, product)
    successor = await _create(shop, product.sku)
    return f"{product}: deleted, {successor} has its SKU"


async def _delete(shop: Shop, product: Product) -> None:
    await shop.change(
        "DELETE FROM {p}url_rewrite WHERE entity_type = 'product' AND entity_id = %s", product.id
    )
    await shop.change("DELETE FROM {p}inventory_source_item WHERE sku = %s", product.sku)
    await shop.change("DELETE FROM {p}cataloginventory_stock_status WHERE product_id = %s", product.id)
    # The foreign keys take the rest away, unseen by the binary log.
    await shop.change("DELETE FROM {p}catalog_product_entity WHERE entity_id = %s", product.id)


async def _create(shop: Shop, sku: str | None) -> Product:
    """A simple product with everything that makes it sellable."""
    random = shop.random
    attribute_set = await shop.query(
        "SELECT default_attribute_set_id FROM {p}eav_entity_type WHERE entity_type_code = 'catalog_product'"
    )
    if sku is None:
        sku = f"{invent_sku(random, _number(shop))}-n"
        await _require_free_sku(shop, sku, 0)
    product_id = await shop.change(
        "INSERT INTO {p}catalog_product_entity (attribute_set_id, type_id, sku) VALUES (%s, 'simple', %s)",
        *(attribute_set[0][0], sku),
    )
    product = Product(product_id, sku, "simple")
    await _describe(shop, product)
    await _place(shop, product)
    return product


async def _describe(shop: Shop, product: Product) -> None:
    text = invent(shop.random, product.id)
    values: dict[str, Any] = {
        "name": text.name,
        "url_key": text.url_key,
        "description": text.description,
        "price": f"{text.price_cents / 100:.2f}",
        "weight": "1.5",
        "status": 1,
        "visibility": 4,
        "tax_class_id": 2,
    }
    for code, value in values.items():
        await _set_value(shop, product, code, value, touch=False)
    name = await _add_image(shop, product)
    for role in ROLES:
        await _set_value(shop, product, role, name, touch=False)


async def _place(shop: Shop, product: Product) -> None:
    quantity = shop.random.randrange(400)
    in_stock = int(quantity > 0)
    await shop.insert("catalog_product_website", [(product.id, website) for website in STORES_OF_WEBSITE])
    await shop.insert("cataloginventory_stock_item", [(product.id, 1, quantity, in_stock, 0, 1)])
    await shop.insert("cataloginventory_stock_status", [(product.id, 0, 1, quantity, in_stock)])
    await shop.insert("inventory_source_item", [("default", product.sku, quantity, in_stock)])
    for store_id, url_key in await _url_keys(shop, product):
        await _move_rewrite(shop, "product", product.id, store_id, f"{url_key}.html")
    category_id, _ = await _category(shop)
    await shop.insert("catalog_category_product", [(category_id, product.id, 0)])


async def _require_free_sku(shop: Shop, sku: str, product_id: int) -> None:
    """Commerce compares SKUs as the table's collation does."""
    taken = await shop.query(
        "SELECT 1 FROM {p}catalog_product_entity WHERE sku = %s AND entity_id <> %s", sku, product_id
    )
    if taken:
        raise NoCandidate


# More than one


async def several_on_one_product(shop: Shop) -> str:
    product = shop.chosen = await _product(shop, "p.type_id = 'simple'")
    edits: list[Edit] = [change_price, rename_in_store_view, change_description, toggle_status]
    edits += [change_visibility, change_attribute, change_stock, assign_category, add_image]
    chosen = shop.random.sample(edits, 4)
    try:
        for edit in chosen:
            await edit(shop)
    finally:
        shop.chosen = None
    return f"{product}: {', '.join(edit.__name__ for edit in chosen)}"


async def several_products(shop: Shop) -> str:
    edits: list[Edit] = [change_price, rename_in_store_view, change_stock, create_product, delete_product]
    edits += [change_sku, unassign_website, assign_category, toggle_status]
    done = [await edit(shop) for edit in shop.random.sample(edits, 3)]
    return "; ".join(done)


async def import_products(shop: Shop) -> str:
    """A file of products: some new, the others with a new price and name."""
    first = await _product(shop)
    known = await shop.query(
        "SELECT entity_id, sku, type_id FROM {p}catalog_product_entity WHERE entity_id >= %s "
        "ORDER BY entity_id LIMIT %s",
        *(first.id, IMPORT_PRODUCTS - IMPORT_PRODUCTS // _NEW_SHARE),
    )
    for row in known:
        product = Product(*row)
        text = invent(shop.random, product.id)
        await _set_value(shop, product, "name", f"{text.name} {_number(shop)}", touch=False)
        await _set_value(shop, product, "price", f"{text.price_cents / 100:.2f}")
    for _ in range(IMPORT_PRODUCTS - len(known)):
        await _create(shop, None)
    return f"{IMPORT_PRODUCTS} products imported, {IMPORT_PRODUCTS - len(known)} of them new"


# What edits share


async def _product(shop: Shop, condition: str = "TRUE") -> Product:
    """A product that is there now: the next one at or after a random id, else the first."""
    if shop.chosen:
        return shop.chosen
    ((highest,),) = await shop.query("SELECT COALESCE(MAX(entity_id), 0) FROM {p}catalog_product_entity")
    start = shop.random.randint(1, max(int(highest), 1))
    for least in (start, 0):
        rows = await shop.query(
            "SELECT p.entity_id, p.sku, p.type_id FROM {p}catalog_product_entity p "
            f"WHERE p.entity_id >= %s AND {condition} ORDER BY p.entity_id LIMIT 1",
            least,
        )
        if rows:
            return Product(*rows[0])
    raise NoCandidate


def _store(shop: Shop) -> int:
    return shop.random.choice(tuple(WEBSITE_OF_STORE))


def _number(shop: Shop) -> int:
    return shop.random.randrange(1, 10_000_000)


async def _value(shop: Shop, product: Product, code: str, store_id: int) -> Any:
    """What the store view shows: its own row, else the default's."""
    table, attribute_id = shop.attributes["catalog_product", code]
    rows = await shop.query(
        f"SELECT value FROM {table} WHERE entity_id = %s AND attribute_id = %s AND store_id IN (0, %s) "
        "ORDER BY store_id DESC LIMIT 1",
        *(product.id, attribute_id, store_id),
    )
    return rows[0][0] if rows else None


async def _set_value(
    shop: Shop, product: Product, code: str, value: Any, store_id: int = 0, *, touch: bool = True
) -> None:
    table, attribute_id = shop.attributes["catalog_product", code]
    await _put(shop, table, attribute_id, store_id, product.id, value)
    if touch:
        await _touch(shop, product)


async def _set_category_value(shop: Shop, category_id: int, code: str, value: Any) -> None:
    table, attribute_id = shop.attributes["catalog_category", code]
    await _put(shop, table, attribute_id, 0, category_id, value)
    await shop.change(
        "UPDATE {p}catalog_category_entity SET updated_at = NOW() WHERE entity_id = %s", category_id
    )


async def _put(shop: Shop, table: str, attribute_id: int, store_id: int, entity_id: int, value: Any) -> None:
    await shop.change(
        f"INSERT INTO {table} (attribute_id, store_id, entity_id, value) VALUES (%s, %s, %s, %s) "
        "ON DUPLICATE KEY UPDATE value = VALUES(value)",
        *(attribute_id, store_id, entity_id, value),
    )


async def _touch(shop: Shop, product: Product) -> None:
    await shop.change(
        "UPDATE {p}catalog_product_entity SET updated_at = NOW() WHERE entity_id = %s", product.id
    )


def _own_values(shop: Shop, code: str) -> str:
    table, attribute_id = shop.attributes["catalog_product", code]
    return f"{table} v WHERE v.entity_id = p.entity_id AND v.attribute_id = {attribute_id}"


async def _websites(shop: Shop, product: Product) -> list[int]:
    rows = await shop.query(
        "SELECT website_id FROM {p}catalog_product_website WHERE product_id = %s ORDER BY website_id",
        product.id,
    )
    return [website_id for (website_id,) in rows]


async def _options(shop: Shop, code: str) -> list[int]:
    _, attribute_id = shop.attributes["catalog_product", code]
    rows = await shop.query(
        "SELECT option_id FROM {p}eav_attribute_option WHERE attribute_id = %s ORDER BY option_id",
        attribute_id,
    )
    if not rows:
        raise NoCandidate
    return [option_id for (option_id,) in rows]


async def _url_keys(shop: Shop, product: Product) -> list[tuple[int, str]]:
    """Store views that show the product, each with its url key there."""
    if await _value(shop, product, "visibility", 0) == 1:
        return []
    stores = [store for website in await _websites(shop, product) for store in STORES_OF_WEBSITE[website]]
    keys = [(store, await _value(shop, product, "url_key", store)) for store in stores]
    return [(store, key) for store, key in keys if key]


async def _move_rewrite(shop: Shop, kind: str, entity_id: int, store_id: int, path: str) -> None:
    """Let a page be at `path`, with a redirect from where it was, as Commerce does by default."""
    target = f"catalog/{kind}/view/id/{entity_id}"
    taken = await shop.query(
        "SELECT url_rewrite_id, entity_type, entity_id, redirect_type FROM {p}url_rewrite "
        "WHERE request_path = %s AND store_id = %s",
        *(path, store_id),
    )
    for rewrite_id, other_kind, other_id, redirect in taken:
        if (other_kind, other_id, redirect) == (kind, entity_id, 0):
            return
        if not redirect:
            raise NoCandidate
        await shop.change("DELETE FROM {p}url_rewrite WHERE url_rewrite_id = %s", rewrite_id)
    current = await shop.query(
        "SELECT url_rewrite_id, request_path FROM {p}url_rewrite WHERE entity_type = %s AND entity_id = %s "
        "AND store_id = %s AND redirect_type = 0",
        *(kind, entity_id, store_id),
    )
    if not current:
        await shop.insert("url_rewrite", [(kind, entity_id, path, target, 0, store_id, 1)])
        return
    rewrite_id, old_path = current[0]
    await shop.change(
        "UPDATE {p}url_rewrite SET request_path = %s WHERE url_rewrite_id = %s", path, rewrite_id
    )
    await shop.insert("url_rewrite", [(kind, entity_id, old_path, path, 301, store_id, 0)])


# How often each happens in a working shop; products come faster than they go.
EDITS: Final[dict[Edit, float]] = {
    change_stock: 16,
    change_price: 14,
    rename_in_store_view: 10,
    place_order: 8,
    change_attribute: 8,
    change_description: 6,
    toggle_status: 6,
    assign_category: 5,
    remove_category: 4,
    change_special_price: 4,
    change_tier_prices: 2,
    apply_catalog_rule: 2,
    create_product: 4,
    change_url_key: 3,
    change_visibility: 3,
    add_image: 3,
    several_on_one_product: 3,
    replace_image: 2,
    remove_image: 2,
    change_image_role: 2,
    use_default_value: 2,
    unassign_website: 2,
    assign_website: 2,
    change_sku: 2,
    swap_skus: 0.5,
    hand_skus_on: 0.5,
    delete_product: 2,
    several_products: 2,
    replace_product: 1,
    rename_option: 1,
    change_category_url_key: 1,
    toggle_category: 1,
    move_category: 0.5,
    import_products: 0.2,
}
