"""Every entity's way from keys to items: what is read for a batch, and which feeds are built of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final, Protocol

import msgspec

from consumers.builder import letters, scopes
from consumers.builder.diff import ItemKey
from consumers.builder.feeds import (
    categories,
    category_permissions,
    inventory_stock_status,
    price_books,
    prices,
    product_attributes,
    product_overrides,
    products,
    scopes_customer_group,
    scopes_website,
    variants,
)
from consumers.builder.read.attributes import AttributeBatch, read_attributes
from consumers.builder.read.categories import CategoryBatch, read_categories
from consumers.builder.read.installed import read_installed
from consumers.builder.read.permissions import read_permissions
from consumers.builder.read.products import Batch as ProductRowsBatch
from consumers.builder.read.products import read_products
from consumers.builder.read.reader import Reader, Together, carry_out
from consumers.builder.read.scopes import ScopeBatch, read_scopes
from consumers.builder.read.websites import read_websites
from consumers.builder.rows import Catalog, ProductRows
from consumers.builder.rules.permissions import PermissionRow, are_enabled
from consumers.builder.values import NoNumber, Website
from schemas import shop_config
from schemas.codec import decode
from schemas.keys import canonical_json

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What of the settings a read depends on."""

    table_prefix: str
    config: Mapping[str, str] = field(default_factory=dict)
    media_base_url: str = ""


@dataclass(frozen=True, slots=True)
class Built:
    """What came of one entity.

    `refs` names the rows that its items were made of. `parked` has the reason by part of what waits for a
    person: with a reason for the whole there are no items, and those emitted before stay. `due_s` is when an
    item changes next by time alone (unix seconds).
    """

    items: Mapping[ItemKey, Item] = field(default_factory=dict)
    refs: tuple[str, ...] = ()
    parked: Mapping[str, str] = field(default_factory=dict)
    due_s: int | None = None


class Batch(Protocol):
    """The rows of some entities."""

    def build(self, key: str, not_before_s: int = 0) -> Built:
        """One of the entities asked for; without rows there is nothing of it.

        Args:
            not_before_s: it is this late at least, whatever the clock of the server that was read says.
        """


def build_one(batch: Batch, key: str, not_before_s: int = 0) -> Built:
    """One entity of a batch, whatever its rows hold: what no rule foresees is this entity's trouble alone.

    It is parked with the place in the code where it failed; its neighbours go on.
    """
    try:
        return batch.build(key, not_before_s)
    except Exception as error:
        frame = extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}, line {frame.lineno}"
        reason = f"unforeseen {type(error).__name__}: {error} ({where})"
        return Built(parked={letters.WHOLE: reason[: letters.REASON_MAX]})


@dataclass(frozen=True, slots=True)
class Entity:
    """How one kind of entity is read.

    `contested`: several may build one item, and the lowest id owns it; they must have one partition.
    """

    read: Callable[[Reader, ReadOptions, Sequence[str]], Batch]
    contested: bool = True


@dataclass(frozen=True, slots=True)
class _Products:
    rows: ProductRowsBatch

    def build(self, key: str, not_before_s: int = 0) -> Built:
        of_product = self.rows.products.get(key)
        if of_product is None:
            return Built()
        catalog = self.rows.catalog
        shadowed = [entity_id for entity_id, sku in self.rows.shadowed if sku == key]
        parked = letters.shadow_letters(key, of_product.product.entity_id, shadowed)
        try:
            items = _product_items(of_product, catalog)
        except products.Unbuildable as error:
            return Built(parked={letters.WHOLE: str(error), **parked})
        priced = prices.build(of_product, catalog, max(self.rows.now_s, not_before_s))
        items |= _keyed(prices.FEED, priced.items, _of_group)
        # A name, a stock or another website's price goes on its way, whatever is wrong with this one's.
        for website_code, reason in priced.refused.items():
            parked[letters.website_part(prices.FEED, website_code)] = reason
        return Built(items, _product_refs(of_product, catalog), parked, priced.due_s)


def _product_items(rows: ProductRows, catalog: Catalog) -> dict[ItemKey, Item]:
    return {
        **_keyed(
            products.FEED,
            products.build(rows, catalog),
            lambda item: products.identity(item["sku"], item["storeViewCode"]),
        ),
        **_keyed(
            inventory_stock_status.FEED,
            inventory_stock_status.build(rows, catalog),
            lambda item: inventory_stock_status.identity(item["stockId"], item["sku"]),
        ),
        **_keyed(
            variants.FEED,
            variants.build(rows, catalog),
            lambda item: variants.identity(item["parentSku"], item["productSku"]),
        ),
        **_keyed(product_overrides.FEED, product_overrides.build(rows, catalog), _of_group),
    }


def _of_group(item: Item) -> dict[str, str]:
    return prices.identity(item["sku"], item["websiteCode"], item["customerGroupCode"])


def _product_refs(rows: ProductRows, catalog: Catalog) -> tuple[str, ...]:
    names = {*products.refs(rows, catalog), *inventory_stock_status.refs(rows, catalog)}
    names.update((*variants.refs(rows, catalog), *prices.refs(rows)))
    if any(are_enabled(website) for website in catalog.websites):
        names.update(product_overrides.refs(rows, catalog))
    return tuple(sorted(names))


@dataclass(frozen=True, slots=True)
class _Categories:
    rows: CategoryBatch
    permissions: Mapping[int, tuple[PermissionRow, ...]]
    websites: tuple[Website, ...]

    def build(self, key: str, not_before_s: int = 0) -> Built:
        of_category = self.rows.categories.get(int(key))
        if of_category is None:
            return Built()
        given = (of_category, self.rows.known, self.rows.store_views)
        permissions = _keyed(
            category_permissions.FEED,
            category_permissions.build(self.permissions.get(int(key), ()), self.websites),
            lambda item: category_permissions.identity(item["permissionId"]),
        )
        try:
            items = categories.build(*given)
        except NoNumber as error:
            return Built(parked={letters.WHOLE: str(error)})
        return Built(
            permissions
            | _keyed(
                categories.FEED,
                items,
                lambda item: categories.identity(item["urlPath"], item["storeViewCode"]),
            ),
            categories.refs(of_category),
            categories.unplaced(*given),
        )


@dataclass(frozen=True, slots=True)
class _Attributes:
    rows: AttributeBatch

    def build(self, key: str, not_before_s: int = 0) -> Built:
        of_attribute = self.rows.attributes.get(int(key))
        if of_attribute is None:
            return Built()
        items = _keyed(
            product_attributes.FEED,
            product_attributes.build(of_attribute, self.rows.store_views),
            lambda item: product_attributes.identity(item["attributeCode"], item["storeViewCode"]),
        )
        return Built(items, (f"attribute:{key}",))


@dataclass(frozen=True, slots=True)
class _Scopes:
    rows: ScopeBatch

    def build(self, key: str, not_before_s: int = 0) -> Built:
        kind, _, number = key.partition(":")
        return self._website(int(number)) if f"{kind}:" == scopes.WEBSITE else self._group(int(number))

    def _website(self, website_id: int) -> Built:
        if website_id in self.rows.unnamed:
            return Built(parked={letters.WHOLE: f"website {website_id} has no code: give it one"})
        website = self.rows.websites.get(website_id)
        if website is None:
            return Built()
        website_item = _keyed(
            scopes_website.FEED, scopes_website.build(website), lambda _: scopes_website.identity(website_id)
        )
        books = _keyed(
            price_books.FEED,
            price_books.build(website, self.rows.groups.values()),
            lambda item: price_books.identity(item["priceBookId"]),
        )
        return Built(website_item | books, _WEBSITE_REFS)

    def _group(self, group_id: int) -> Built:
        group = self.rows.groups.get(group_id)
        if group is None:
            return Built()
        items = _keyed(
            scopes_customer_group.FEED,
            scopes_customer_group.build(group),
            lambda _: scopes_customer_group.identity(group_id),
        )
        return Built(items, (scopes.EVERY_WEBSITE,))


_WEBSITE_REFS: Final = tuple(
    sorted(
        (
            scopes.EVERY_GROUP,
            scopes.CONFIG + shop_config.CURRENCY,
            scopes.CONFIG + shop_config.PRICE_SCOPE,
        )
    )
)


def _keyed(
    feed: str, items: Iterable[Item], identity: Callable[[Item], dict[str, str]]
) -> dict[ItemKey, Item]:
    return {(feed, canonical_json(identity(item)).decode()): item for item in items}


def _read_products(reader: Reader, options: ReadOptions, keys: Sequence[str]) -> Batch:
    rows = read_products(reader, options.table_prefix, keys, options.config, options.media_base_url)
    return _Products(rows)


def _numbers(keys: Sequence[str]) -> list[int]:
    return sorted({int(key) for key in keys})


def _read_categories(reader: Reader, options: ReadOptions, keys: Sequence[str]) -> Batch:
    plan = read_categories(options.table_prefix, _numbers(keys), options.config, options.media_base_url)
    if not carry_out(reader, read_installed(options.table_prefix)).permissions:
        return _Categories(carry_out(reader, plan), {}, ())
    together = Together()
    rows = together.add(plan)
    permissions = together.add(read_permissions(options.table_prefix, _numbers(keys)))
    websites = together.add(read_websites(options.table_prefix, options.config))
    carry_out(reader, together.done())
    return _Categories(rows.result, permissions.result.rows, websites.result)


def _read_attributes(reader: Reader, options: ReadOptions, keys: Sequence[str]) -> Batch:
    plan = read_attributes(options.table_prefix, _numbers(keys), options.config, options.media_base_url)
    return _Attributes(carry_out(reader, plan))


def _read_scopes(reader: Reader, options: ReadOptions, _: Sequence[str]) -> Batch:
    return _Scopes(carry_out(reader, read_scopes(options.table_prefix, options.config)))


ENTITIES: Final[Mapping[str, Entity]] = {
    "scope": Entity(_read_scopes),
    "attribute": Entity(_read_attributes),
    "category": Entity(_read_categories),
    "product": Entity(_read_products, contested=False),
}


def entity_of(feed: str, key: bytes, value: bytes) -> str:
    """The entity whose builder speaks for a feed record.

    Args:
        key: of the record; it names a product's items.
        value: of the record; the others' items say in it what they were built from.
    """
    members = msgspec.json.decode(key)
    for name in ("sku", "productSku"):
        if name in members:
            return str(members[name])
    item = decode(feed, value)
    for member, prefix in _ENTITY_MEMBERS:
        if member in item:
            return f"{prefix}{item[member]}"
    message = f"an item of {feed} names no entity"
    raise ValueError(message)


_ENTITY_MEMBERS: Final = (
    ("categoryId", ""),
    ("id", ""),
    ("websiteId", scopes.WEBSITE),
    ("customerGroupId", scopes.GROUP),
)
