"""Websites as prices see them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from consumers.builder.read.config import SavedConfig, read_config, store_config
from consumers.builder.read.reader import Plan, Together, ask
from consumers.builder.read.store_views import STORES
from consumers.builder.values import Website
from runtime.database import Row


def read_websites(prefix: str, overrides: Mapping[str, str]) -> Plan[tuple[Website, ...]]:
    """All but the admin website, by ascending id; those without store views too, without a code none."""
    together = Together()
    saved = together.add(read_config(prefix))
    rows = together.add(ask(STORES.format(p=prefix)))
    yield from together.done()
    return websites(rows.result, saved.result, overrides)


def websites(rows: Sequence[Row], saved: SavedConfig, overrides: Mapping[str, str]) -> tuple[Website, ...]:
    """The websites in rows of STORES, with the configuration of each."""
    stores: dict[tuple[int, str, int], list[int]] = defaultdict(list)
    for website_id, code, default_store_id, store_id, *_ in rows:
        if website_id and code is not None:
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
