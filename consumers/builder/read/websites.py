"""Websites as prices see them."""

from collections import defaultdict
from collections.abc import Mapping

from consumers.builder.read.config import read_config, store_config
from consumers.builder.read.reader import Plan, Together, ask
from consumers.builder.values import Website


def read_websites(prefix: str, overrides: Mapping[str, str]) -> Plan[tuple[Website, ...]]:
    """All but the admin website, by ascending id; those without store views too, without a code none."""
    together = Together()
    saved = together.add(read_config(prefix))
    rows = together.add(
        ask(
            "SELECT w.website_id, w.code, COALESCE(g.default_store_id, 0), s.store_id"
            f" FROM {prefix}store_website w"
            f" LEFT JOIN {prefix}store_group g ON g.group_id = w.default_group_id"
            f" LEFT JOIN {prefix}store s ON s.website_id = w.website_id"
            " WHERE w.website_id <> 0 AND w.code IS NOT NULL"
        )
    )
    yield from together.done()
    stores: dict[tuple[int, str, int], list[int]] = defaultdict(list)
    for website_id, code, default_store_id, store_id in rows.result:
        stores[website_id, code, default_store_id] += [] if store_id is None else [store_id]
    return tuple(
        Website(
            website_id,
            code,
            tuple(sorted(store_ids)),
            store_config(saved.result, overrides, default_store_id, website_id),
        )
        for (website_id, code, default_store_id), store_ids in sorted(stores.items())
    )
