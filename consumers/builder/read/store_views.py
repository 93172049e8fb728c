"""Store views, where they stand, and the configuration that counts in each."""

from collections.abc import Mapping, Sequence
from typing import Final

from consumers.builder.read.config import SavedConfig, read_config, store_config
from consumers.builder.read.reader import Plan, Together, ask
from consumers.builder.values import StoreView
from runtime.database import Row
from schemas import shop_config

# Websites, each with its default store view, and their store views where they stand; the admin's too.
STORES: Final = (
    "SELECT w.website_id, w.code, COALESCE(d.default_store_id, 0), s.store_id, s.code, g.group_id, g.code,"
    " g.root_category_id FROM {p}store_website w"
    " LEFT JOIN {p}store_group d ON d.group_id = w.default_group_id"
    " LEFT JOIN {p}store s ON s.website_id = w.website_id"
    " LEFT JOIN {p}store_group g ON g.group_id = s.group_id"
    " ORDER BY s.store_id"
)


def read_store_views(
    prefix: str, overrides: Mapping[str, str], media_base_url: str
) -> Plan[tuple[StoreView, ...]]:
    """All but the admin's, inactive ones too, by ascending id.

    Args:
        media_base_url: used for every view when not empty.
    """
    together = Together()
    saved = together.add(read_config(prefix))
    rows = together.add(ask(STORES.format(p=prefix)))
    yield from together.done()
    return store_views(rows.result, saved.result, overrides, media_base_url)


def store_views(
    rows: Sequence[Row], saved: SavedConfig, overrides: Mapping[str, str], media_base_url: str
) -> tuple[StoreView, ...]:
    """The store views in rows of STORES, with the configuration of each.

    One without a code can be named nowhere, nor can one of a website without a code, and one without a
    group has no categories. A group's code names nothing: without one it is empty.
    """
    views = []
    for website_id, website_code, _, store_id, code, group_id, group_code, root in rows:
        if not store_id or code is None or website_code is None or group_id is None:
            continue
        config = store_config(saved, overrides, store_id, website_id)
        media_url = shop_config.slashed(media_base_url) or shop_config.media_url(config)
        place = (group_code or "", website_id, website_code, root)
        views.append(StoreView(store_id, code, *place, media_url, config))
    return tuple(views)
