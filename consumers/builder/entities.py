"""Every entity's way from keys to items: what is read for a batch, and which feeds are built of it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec

from consumers.builder import letters, scopes
from consumers.builder.diff import ItemKey
from consumers.builder.feeds import (
    categories,
    price_books,
    product_attributes,
    products,
    scopes_customer_group,
    scopes_website,
)
from consumers.builder.read.attributes import AttributeBatch, read_attributes
from consumers.builder.read.categories import CategoryBatch, read_categories
from consumers.builder.read.products import Batch as ProductRowsBatch
from consumers.builder.read.products import read_products
from consumers.builder.read.reader import Reader, carry_out
from consumers.builder.read.scopes import ScopeBatch, read_scopes
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
    person: with a reason for the whole there are no items, and those emitted before stay.
    """

    items: Mapping[ItemKey, Item] = field(default_factory=dict)
    refs: tuple[str, ...] = ()
    parked: Mapping[str, str] = field(default_factory=dict)


class Batch(Protocol):
    """The rows of some entities."""

    def build(self, key: str) -> Built:
        """One of the entities asked for; without rows there is nothing of it."""


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

    def build(self, key: str) -> Built:
        of_product = self.rows.products.get(key)
        if of_product is None:
            return Built()
        catalog = self.rows.catalog
        shadowed = [entity_id for entity_id, sku in self.rows.shadowed if sku == key]
        parked = letters.shadow_letters(key, of_product.product.entity_id, shadowed)
        try:
            items = _keyed(
                products.FEED,
                products.build(of_product, catalog),
                lambda item: products.identity(item["sku"], item["storeViewCode"]),
            )
        except products.Unbuildable as error:
            return Built(parked={letters.WHOLE: str(error), **parked})
        return Built(items, products.refs(of_product, catalog), parked)


@dataclass(frozen=True, slots=True)
class _Categories:
    rows: CategoryBatch

    def build(self, key: str) -> Built:
        of_category = self.rows.categories.get(int(key))
        if of_category is None:
            return Built()
        given = (of_category, self.rows.known, self.rows.store_views)
        return Built(
            _keyed(
                categories.FEED,
                categories.build(*given),
                lambda item: categories.identity(item["urlPath"], item["storeViewCode"]),
            ),
            categories.refs(of_category),
            categories.unplaced(*given),
        )


@dataclass(frozen=True, slots=True)
class _Attributes:
    rows: AttributeBatch

    def build(self, key: str) -> Built:
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

    def build(self, key: str) -> Built:
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
    return _Categories(carry_out(reader, plan))


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
    if "sku" in members:
        return str(members["sku"])
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
