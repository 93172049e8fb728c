"""How many items a second the builder makes, beside the same SELECTs with their rows thrown away.

The limit asks them in the same round trips as the builder. Told besides: what they cost one by one, and what
they cost together with the libraries' share, which is hashing and encoding the same items ready-made.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, Final

import msgspec
import psutil
from confluent_kafka import TopicPartition

from commerce_sync.bench import figures
from commerce_sync.bench.catalogs import catalog
from commerce_sync.bench.figures import BuildRun
from commerce_sync.bench.processes import cpu_seconds
from commerce_sync.bench.selects import BareDriver, NotingDatabase, RoundTrip
from commerce_sync.local.stack import Stack
from commerce_sync.proof.fresh import pages
from consumers.builder.entities import ReadOptions
from consumers.builder.index import PartitionIndex
from consumers.builder.stage import BuilderOptions, BuilderStage, wall_clock_ms
from runtime import collector
from runtime.errors import NotFine
from runtime.record import Outgoing, Record
from runtime.settings import Settings
from schemas.codec import decode, encode
from schemas.entities import FEEDS, FEEDS_OF
from schemas.keys import content_hash, without_absent
from schemas.records import Dirty
from schemas.topics import LANES, TopicNames

PRODUCT: Final = "product"
Report = Callable[[str], None]

# Of each catalog, in batches that lie evenly in it: enough for a second or two.
PRODUCTS_MEASURED: Final = 5_000
QUERY_SIZES: Final = (1, 10, 100, 1000)
# Products looked at one by one to find those that between them ask everything: twenty families of each type.
_LOOKED_AT: Final = 320


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose. `products` are the catalogs' sizes, `batch` is products a build."""

    products: tuple[int, ...]
    batch: int
    runs: int


class Builder:
    """The builder role's own step. Its database can note what it is asked, and its index stays empty.

    So each entity's items are all new: read, built, hashed and encoded.
    """

    def __init__(self, settings: Settings) -> None:
        # As the role's process does.
        collector.relax()
        self._names = TopicNames(settings.kafka.topic_prefix)
        self._feeds = {self._names.feed(feed): feed for feed in FEEDS}
        self._prefix = settings.commerce.table_prefix
        self.address = settings.commerce.read_address
        self.database = NotingDatabase(self.address)
        options = BuilderOptions(
            ReadOptions(self._prefix, settings.commerce.config, settings.commerce.media_base_url),
            settings.builder.position_wait_s,
        )
        self._stage = BuilderStage(
            self.database, self._names, options, lambda ns: {n: PartitionIndex() for n in ns}, wall_clock_ms
        )
        self._stage.assign(
            [TopicPartition(self._names.dirty(entity, lane), 0) for entity in FEEDS_OF for lane in LANES]
        )
        self._offsets = count()

    def records(self, keys: Sequence[str], entity: str = PRODUCT) -> list[Record]:
        value = msgspec.json.encode(Dirty("bench"))
        topic = self._names.dirty(entity)
        return [Record(topic, 0, next(self._offsets), key.encode(), value, {}) for key in keys]

    def build(self, records: Sequence[Record]) -> list[Outgoing]:
        return self._stage.process(records)

    def items(self, outgoing: Sequence[Outgoing]) -> list[tuple[str, dict[str, Any]]]:
        """The items of feed records as the feeds make them, without what is absent, each with its feed."""
        return [
            (self._feeds[record.topic], without_absent(decode(self._feeds[record.topic], record.value)))
            for record in outgoing
            if record.topic in self._feeds and record.value is not None
        ]

    def asked_for(self, records: Sequence[Record]) -> list[RoundTrip]:
        """What building these entities asks of the database."""
        with self.database.noting() as noted:
            self.build(records)
        return noted

    def keys(self, entity: str) -> list[str]:
        return list(chain.from_iterable(pages(self.database, entity, self._prefix)))

    def skus(self, after: int, most: int) -> list[str]:
        """SKUs of the products behind an id, in the order of ids."""
        rows = self.database.query(
            f"SELECT sku FROM {self._prefix}catalog_product_entity WHERE entity_id > %s"
            " ORDER BY entity_id LIMIT %s",
            (after, most),
        )
        return [str(sku) for (sku,) in rows]


def measure(stack: Stack, options: Options, report: Report) -> dict[str, Any]:
    """Build parts of each catalog, ours and the limit in turn; of the first also all that is no product.

    Raises:
        NotFine: the number of queries depends on the number of products in a batch.
    """
    sizes = []
    queries: dict[str, int] = {}
    feeds: dict[str, dict[str, float]] = {}
    round_trips = 0
    for products in options.products:
        builder = Builder(catalog(stack, products, report))
        try:
            if not queries:
                queries, round_trips = _queries_by_size(builder)
                report(f"queries by products of a batch: {queries}, in {round_trips} round trips")
            batches = [
                builder.records(builder.skus(start, options.batch))
                for start in _starts(products, options.batch)
            ]
            runs = _runs(stack, builder, batches, options)
            if not feeds:
                others = [
                    _runs(stack, builder, [builder.records(builder.keys(entity), entity)], options)
                    for entity in FEEDS_OF
                    if entity != PRODUCT
                ]
                feeds = figures.feed_summary([runs, *others])
        finally:
            builder.database.close()
        size = {"products": products, **figures.build_summary(runs)}
        sizes.append(size)
        report(f"{products} products: {size['ours']} items/s, limit {size['limit']}, ratio {size['ratio']}")
    return {
        "name": "build",
        "unit": "items/s",
        **{name: sizes[-1][name] for name in ("ours", "limit", "ratio")},
        "runs": options.runs,
        "batch": options.batch,
        "queries_per_batch": queries,
        "round_trips_per_batch": round_trips,
        "sizes": sizes,
        "feeds": feeds,
        "spread_percent": figures.spread_percent([1 / size["ours"] for size in sizes]),
    }


def _starts(products: int, batch: int) -> list[int]:
    """Ids behind which the batches begin, evenly over the catalog."""
    batches = max(1, min(PRODUCTS_MEASURED, products) // batch)
    return [number * products // batches for number in range(batches)]


def _runs(
    stack: Stack, builder: Builder, batches: Sequence[Sequence[Record]], options: Options
) -> list[BuildRun]:
    """The rounds of some batches. Their pages are in memory on both sides: a first round is not counted."""
    with BareDriver(builder.address) as driver:
        asked = [builder.asked_for(batch) for batch in batches]
        for trips in asked:
            driver.ask(trips)
        server = psutil.Process(stack.pid("mariadb"))
        return [_run(builder, driver, server, batches, asked, number) for number in range(options.runs)]


def _run(
    builder: Builder,
    driver: BareDriver,
    server: psutil.Process,
    batches: Sequence[Sequence[Record]],
    asked: Sequence[Sequence[RoundTrip]],
    number: int,
) -> BuildRun:
    """Every batch once by each side, in turn; who begins changes from run to run."""
    run = BuildRun()
    for batch, trips in zip(batches, asked, strict=True):
        for ours in (True, False) if number % 2 == 0 else (False, True):
            if ours:
                _build(builder, server, batch, run)
            else:
                _ask(driver, trips, run)
    return run


def _build(builder: Builder, server: psutil.Process, batch: Sequence[Record], run: BuildRun) -> None:
    cpu_s, server_s, started = time.process_time(), cpu_seconds([server]), time.perf_counter()
    outgoing = builder.build(batch)
    run.ours_s += time.perf_counter() - started
    run.cpu_s += time.process_time() - cpu_s
    run.server_cpu_s += cpu_seconds([server]) - server_s
    items = builder.items(outgoing)
    run.items.update(feed for feed, _ in items)
    started = time.perf_counter()
    for feed, item in items:
        content_hash(item)
        encode(feed, item)
    run.libraries_s += time.perf_counter() - started


def _ask(driver: BareDriver, trips: Sequence[RoundTrip], run: BuildRun) -> None:
    alone = [(query,) for trip in trips for query in trip]
    started = time.perf_counter()
    driver.ask(trips)
    run.limit_s += time.perf_counter() - started
    started = time.perf_counter()
    driver.ask(alone)
    run.limit_alone_s += time.perf_counter() - started


def _queries_by_size(builder: Builder) -> tuple[dict[str, int], int]:
    """SELECTs of a batch by its products, and in how many round trips they are asked.

    Each batch of ten and more holds a product of every kind, found by building some alone: those that between
    them ask every SELECT. For one product it is the most that any of these asks.

    Raises:
        NotFine: they are not equally many for ten products and for more.
    """
    skus = builder.skus(0, max(QUERY_SIZES))
    alone = {
        sku: figures.numbered(_texts(builder.asked_for(builder.records([sku])))) for sku in skus[:_LOOKED_AT]
    }
    witnesses = figures.cover(alone)
    mixed = [*witnesses, *(sku for sku in skus if sku not in set(witnesses))]
    counts, trips = {"1": max(len(alone[sku]) for sku in witnesses)}, {}
    for size in QUERY_SIZES[1:]:
        asked = builder.asked_for(builder.records(mixed[:size]))
        counts[str(size)], trips[str(size)] = len(_texts(asked)), len(asked)
    if len({counts[size] for size in trips}) > 1 or len(set(trips.values())) > 1:
        message = f"queries depend on the number of products in a batch: {counts}, in {trips} round trips"
        raise NotFine(message)
    return counts, max(trips.values())


def _texts(trips: Sequence[RoundTrip]) -> list[str]:
    return [statement for trip in trips for statement, _ in trip]
