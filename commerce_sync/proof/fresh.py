"""What a target should hold: every entity built afresh from the database and mapped for the target."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.builder.feeds import products
from consumers.builder.read.products import read_products
from consumers.sink.dialects import Dialect, Unmappable
from runtime.database import Database, Snapshot
from runtime.settings import CommerceSettings

PAGE_PRODUCTS: Final = 1_000


@dataclass(slots=True)
class Fresh:
    """Payloads by identity, and what cannot be at the target with the reason."""

    items: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    refused: dict[tuple[str, str], str] = field(default_factory=dict)
    parked: dict[str, str] = field(default_factory=dict)


def build_products(commerce: CommerceSettings, dialect: Dialect) -> Fresh:
    """Build and map all products in one snapshot.

    Raises:
        Unreachable, Transient: the database cannot be read.
    """
    fresh = Fresh()
    with Database(commerce.read_address) as database, database.snapshot() as snapshot:
        for skus in _pages(snapshot, commerce.table_prefix):
            batch = read_products(
                snapshot, commerce.table_prefix, skus, commerce.config, commerce.media_base_url
            )
            for sku, rows in batch.products.items():
                try:
                    items = products.build(rows, batch.catalog)
                except products.Unbuildable as error:
                    fresh.parked[sku] = str(error)
                    continue
                for item in items:
                    _map(fresh, dialect, item)
    return fresh


def _map(fresh: Fresh, dialect: Dialect, item: dict[str, Any]) -> None:
    identity = (item["sku"], item["storeViewCode"])
    try:
        fresh.items[identity] = dialect.payload(products.FEED, item)
    except Unmappable as error:
        fresh.refused[identity] = str(error)


def _pages(snapshot: Snapshot, prefix: str) -> Iterator[list[str]]:
    last = 0
    while True:
        rows = snapshot.query(
            f"SELECT entity_id, sku FROM {prefix}catalog_product_entity WHERE entity_id > %s"
            " ORDER BY entity_id LIMIT %s",
            (last, PAGE_PRODUCTS),
        )
        if not rows:
            return
        last = rows[-1][0]
        yield list(dict.fromkeys(str(sku) for _, sku in rows))
