"""Store views, where they stand, and the configuration that counts in each."""

from collections.abc import Mapping, Sequence
from typing import Final

from consumers.builder.read.config import SavedConfig, read_config, store_config
from consumers.builder.read.reader import Plan, Together, ask
from consumers.builder.values import StoreView
from runtime.database import Row
from schemas import shop_config

STORE_VIEWS: Final = (
    "SELECT s.store_id, s.code, g.code, w.website_id, w.code, g.root_category_id"
    " FROM {p}store s JOIN {p}store_group g ON g.group_id = s.group_id"
    " JOIN {p}store_website w ON w.website_id = s.website_id"
    # A view without a code can be named nowhere.
    " WHERE s.store_id <> 0 AND s.code IS NOT NULL ORDER BY s.store_id"
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
    rows = together.add(ask(STORE_VIEWS.format(p=prefix)))
    yield from together.done()
    return store_views(rows.result, saved.result, overrides, media_base_url)


def store_views(
    rows: Sequence[Row], saved: SavedConfig, overrides: Mapping[str, str], media_base_url: str
) -> tuple[StoreView, ...]:
    """Rows of STORE_VIEWS with the configuration of each."""
    views = []
    for store_id, code, group_code, website_id, website_code, root in rows:
        config = store_config(saved, overrides, store_id, website_id)
        media_url = media_base_url or shop_config.media_url(config)
        views.append(StoreView(store_id, code, group_code, website_id, website_code, root, media_url, config))
    return tuple(views)
