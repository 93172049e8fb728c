"""Store views, where they stand, and the configuration that counts in each."""

from collections.abc import Mapping

from consumers.builder.read.config import read_config, store_config
from consumers.builder.read.reader import Plan, Together, ask
from consumers.builder.values import StoreView
from schemas import shop_config


def read_store_views(
    prefix: str, overrides: Mapping[str, str], media_base_url: str
) -> Plan[tuple[StoreView, ...]]:
    """All but the admin's, inactive ones too, by ascending id; a view without a code can be named nowhere.

    Args:
        media_base_url: used for every view when not empty.
    """
    together = Together()
    saved = together.add(read_config(prefix))
    rows = together.add(
        ask(
            "SELECT s.store_id, s.code, g.code, w.website_id, w.code, g.root_category_id"
            f" FROM {prefix}store s JOIN {prefix}store_group g ON g.group_id = s.group_id"
            f" JOIN {prefix}store_website w ON w.website_id = s.website_id"
            " WHERE s.store_id <> 0 AND s.code IS NOT NULL ORDER BY s.store_id"
        )
    )
    yield from together.done()
    views = []
    for store_id, code, group_code, website_id, website_code, root in rows.result:
        config = store_config(saved.result, overrides, store_id, website_id)
        media_url = media_base_url or shop_config.media_url(config)
        views.append(StoreView(store_id, code, group_code, website_id, website_code, root, media_url, config))
    return tuple(views)
