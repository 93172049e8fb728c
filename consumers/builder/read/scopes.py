"""Websites with their stores, and customer groups: all of them, there are a few."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from consumers.builder.read.config import SavedConfig, default_config, read_config, website_config
from consumers.builder.read.reader import Plan, Together, ask
from consumers.builder.scopes import GroupRows, Store, WebsiteRows
from schemas import shop_config


@dataclass(frozen=True, slots=True)
class ScopeBatch:
    """Websites and groups by id. `unnamed` are ids of websites without a code, which nothing can name."""

    websites: Mapping[int, WebsiteRows]
    groups: Mapping[int, GroupRows]
    unnamed: frozenset[int]


def read_scopes(prefix: str, overrides: Mapping[str, str]) -> Plan[ScopeBatch]:
    """Every scope but the admin's.

    Args:
        prefix: the installation's table prefix.
        overrides: values that go over core_config_data, by path.
    """
    together = Together()
    saved = together.add(read_config(prefix))
    names = together.add(
        ask(f"SELECT website_id, code, name FROM {prefix}store_website WHERE website_id <> 0")
    )
    stores = together.add(_read_stores(prefix))
    groups = together.add(ask(f"SELECT customer_group_id, customer_group_code FROM {prefix}customer_group"))
    closed = together.add(
        ask(f"SELECT customer_group_id, website_id FROM {prefix}customer_group_excluded_website")
    )
    yield from together.done()
    websites = {
        website_id: WebsiteRows(
            website_id,
            code,
            name,
            _base_currency(saved.result, overrides, website_id),
            tuple(stores.result.get(website_id, ())),
        )
        for website_id, code, name in names.result
        if code is not None
    }
    kept_out = set(closed.result)
    open_to = {
        group_id: frozenset(
            website.code for website in websites.values() if (group_id, website.website_id) not in kept_out
        )
        for group_id, _ in groups.result
    }
    return ScopeBatch(
        websites,
        {group_id: GroupRows(group_id, name, open_to[group_id]) for group_id, name in groups.result},
        frozenset(website_id for website_id, code, _ in names.result if code is None),
    )


def _read_stores(prefix: str) -> Plan[dict[int, list[Store]]]:
    """Stores by website id."""
    rows = yield from ask(
        f"SELECT g.website_id, g.group_id, g.code, s.store_id, s.code FROM {prefix}store_group g"
        f" LEFT JOIN {prefix}store s ON s.group_id = g.group_id AND s.website_id = g.website_id"
        " AND s.code IS NOT NULL"
        " WHERE g.website_id <> 0"
    )
    views: dict[tuple[int, int, str | None], dict[int, str]] = defaultdict(dict)
    for website_id, group_id, code, store_id, store_code in rows:
        of_store = views[website_id, group_id, code]
        if store_id is not None:
            of_store[store_id] = store_code
    stores: dict[int, list[Store]] = defaultdict(list)
    for (website_id, group_id, code), of_store in views.items():
        stores[website_id].append(Store(group_id, code, of_store))
    return stores


def _base_currency(saved: SavedConfig, overrides: Mapping[str, str], website_id: int) -> str:
    """A website has a currency of its own only while it has prices of its own."""
    own = website_config(saved, overrides, website_id)
    shared = shop_config.value(own, shop_config.PRICE_SCOPE) == shop_config.ONE_PRICE
    return shop_config.value(default_config(saved, overrides) if shared else own, shop_config.CURRENCY)
