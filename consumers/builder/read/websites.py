"""Websites as prices see them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from consumers.builder.read.config import SavedConfig, read_config, store_config
from consumers.builder.read.reader import Plan, Together, ask
from consumers.builder.values import Website
from runtime.database import Row

WEBSITES: Final = (
    "SELECT w.website_id, w.code, COALESCE(g.default_store_id, 0), s.store_id"
    " FROM {p}store_website w"
    " LEFT JOIN {p}store_group g ON g.group_id = w.default_group_id"
    " LEFT JOIN {p}store s ON s.website_id = w.website_id"
    " WHERE w.website_id <> 0 AND w.code IS NOT NULL"
)


def read_websites(prefix: str, overrides: Mapping[str, str]) -> Plan[tuple[Website, ...]]:
    """All but the admin website, by ascending id; those without store views too, without a code none."""
    together = Together()
    saved = together.add(read_config(prefix))
    rows = together.add(ask(WEBSITES.format(p=prefix)))
    yield from together.done()
    return websites(rows.result, saved.result, overrides)


def websites(rows: Sequence[Row], saved: SavedConfig, overrides: Mapping[str, str]) -> tuple[Website, ...]:
    """Rows of WEBSITES with the configuration of each."""
    stores: dict[tuple[int, str, int], list[int]] = defaultdict(list)
    for website_id, code, default_store_id, store_id in rows:
        stores[website_id, code, default_store_id] += [] if store_id is None else [store_id]
    return tuple(
        Website(
            website_id,
            code,
            tuple(sorted(store_ids)),
            store_config(saved, overrides, default_store_id, website_id),
        )
        for (website_id, code, default_store_id), store_ids in sorted(stores.items())
    )
