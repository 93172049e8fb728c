"""A builder with its topics and a shop that has a history; and what a fresh build of that shop gives."""

from collections import defaultdict
from dataclasses import dataclass, field

import msgspec
from builder_play import BULK, DEAD_LETTER, FEED, INDEX, LIVE, Clock, at, stage
from fake_shop import CATALOG, FakeShop

from consumers.builder.feeds import products
from consumers.builder.index import PartitionIndex
from consumers.builder.letters import letter_key, row_part
from consumers.builder.stage import BuilderStage
from runtime.record import Outgoing, Record
from schemas.codec import encode
from schemas.keys import canonical_json
from schemas.records import Dirty


@dataclass(frozen=True)
class Product:
    sku: str
    name: str | None  # None: no value at all, so it cannot be built
    views: tuple[str, ...]


Rows = dict[int, Product]


@dataclass
class World:
    """A shop with a history, its builder, and the topics between them."""

    shop: FakeShop
    clock: Clock = field(default_factory=Clock)
    # The shop's rows from a time on.
    history: list[tuple[int, Rows]] = field(default_factory=lambda: [(0, {})])
    seen: int = 0
    transactions: int = 0
    waiting: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    index: list[Outgoing] = field(default_factory=list)
    feed: dict[bytes, bytes] = field(default_factory=dict)
    letters: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.held = self.started()

    def started(self) -> BuilderStage:
        """A builder that knows what is on the index topic."""
        index = PartitionIndex()
        for record in self.index:
            index.load(record.key, record.value)
        return stage(self.shop, {0: index}, clock=self.clock)

    @property
    def rows(self) -> Rows:
        return self.history[-1][1]

    def change(self, rows: Rows, way: str = "live") -> None:
        """Commit one transaction: each SKU that a changed row had or has becomes dirty."""
        before = self.rows
        changed = [n for n in before.keys() | rows.keys() if before.get(n) != rows.get(n)]
        skus = {found.sku for n in changed for found in (before.get(n), rows.get(n)) if found}
        self.transactions += 1
        self.clock.ms += 1
        self.history.append((self.clock.ms, rows))
        for sku in sorted(skus):
            lane, built_for = ("bulk", "live") if way == "late" else (way, None)
            self.put(lane, sku, Dirty("edit", at(self.transactions), self.clock.ms, lane=built_for))

    def put(self, lane: str, sku: str, dirty: Dirty) -> None:
        topic = LIVE if lane == "live" else BULK
        self.waiting[lane].append(Record(topic, 0, 0, sku.encode(), msgspec.json.encode(dirty), {}))

    def deliver(self, lane: str, count: int, committed: bool, lag_ms: int) -> None:
        """Hand some records in; rows are those of a while ago when the server that is read is behind."""
        records = self.waiting[lane][:count]
        self.look(lag_ms)
        outgoing = self.held.process(records)
        if not committed:
            # The transaction was aborted: another process starts with what was durable.
            self.held = self.started()
            return
        del self.waiting[lane][:count]
        self.held.committed()
        for record in outgoing:
            self.take(record)

    def look(self, lag_ms: int) -> None:
        """What a snapshot shows now; never less than an earlier one did."""
        until = self.clock.ms - lag_ms
        self.seen = max([self.seen, *(n for n, (since, _) in enumerate(self.history) if since <= until)])
        self.shop.blind = frozenset({1}) if lag_ms else frozenset()
        self.shop.position = None if lag_ms else at(self.transactions + 1)
        rows = self.history[self.seen if lag_ms else -1][1]
        self.seen = self.seen if lag_ms else len(self.history) - 1
        show(self.shop, rows)

    def take(self, record: Outgoing) -> None:
        if record.topic == INDEX:
            self.index.append(record)
        elif record.topic == DEAD_LETTER:
            (self.letters.discard if record.value is None else self.letters.add)(record.key)
        elif record.topic == FEED and record.value is None:
            # A tombstone is written only for what is there.
            del self.feed[record.key]
        elif record.topic == FEED:
            self.feed[record.key] = record.value or b""

    def come_to_rest(self) -> None:
        for lane in ("live", "bulk"):
            while self.waiting[lane]:
                self.deliver(lane, 2, True, 0)
        self.clock.ms += 2_000
        while self.held.overdue():
            self.deliver("live", 0, True, 0)


def show(shop: FakeShop, rows: Rows) -> None:
    """Put these rows into the shop; of several with one SKU the lowest id counts."""
    shop.rows, shop.skus, shop.shadowed = {}, {}, []
    for entity_id in sorted(rows):
        product = rows[entity_id]
        if product.sku in shop.rows:
            shop.shadowed.append((entity_id, product.sku))
        else:
            shop.sell(product.sku, product.name, entity_id, product.views)


def expected(shop: FakeShop, rows: Rows, known: dict[bytes, bytes]) -> tuple[dict[bytes, bytes], set[bytes]]:
    """A build from nothing: feed and letters. What cannot be built keeps what is known of it."""
    show(shop, rows)
    feed: dict[bytes, bytes] = {}
    told = {letter_key("product", sku, row_part(entity_id)) for entity_id, sku in shop.shadowed}
    for sku, product in shop.rows.items():
        try:
            items = products.build(product, CATALOG)
        except products.Unbuildable:
            told.add(letter_key("product", sku, ""))
            feed |= {key: value for key, value in known.items() if msgspec.json.decode(key)["sku"] == sku}
            continue
        for item in items:
            feed[canonical_json(products.identity(sku, item["storeViewCode"]))] = encode("products", item)
    return feed, told
