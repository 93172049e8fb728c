"""Any edits, delivered in any order and grouping, end as a fresh build: the first promise, as a property."""

from collections import defaultdict
from dataclasses import dataclass, field

import msgspec
import pytest
from builder_play import BULK, DEAD_LETTER, FEED, INDEX, LIVE, Clock, at, read_from, stage
from fake_shop import CATALOG, FakeShop
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.builder.feeds import products
from consumers.builder.index import PartitionIndex
from consumers.builder.letters import letter_key, row_part
from consumers.builder.stage import BuilderStage
from runtime.record import Outgoing, Record
from schemas.codec import encode
from schemas.keys import canonical_json
from schemas.records import Dirty

IDS = (1, 2, 3)
# Shorter than the wait before a second build, as an operator sets that one.
LAG_MS_MAX = 1_999


@dataclass(frozen=True)
class Product:
    sku: str
    name: str | None  # None: no value at all, so it cannot be built
    views: tuple[str, ...]


Rows = dict[int, Product]

PRODUCTS = st.builds(
    Product,
    st.sampled_from(("A", "A", "A", "a", "B")),
    st.sampled_from(("one", "two", "three", None)),
    st.sampled_from((("default",), ("default", "other"), ())),
)
# Where what a row change makes dirty waits: live, live after a moment (on the bulk lane's topic), or bulk.
WAYS = ("live", "live", "late", "bulk")
# One row becomes this; None deletes it.
EDIT = st.tuples(
    st.just("edit"),
    st.sampled_from(IDS),
    st.one_of(PRODUCTS, PRODUCTS, PRODUCTS, st.none()),
    st.sampled_from(WAYS),
)
# Some waiting records of a lane are handed in; whether they are committed, and how far behind the rows are.
DELIVERY = st.tuples(
    st.sampled_from(("live", "live", "bulk")),
    st.integers(1, 3),
    st.sampled_from((True, True, True, False)),
    st.sampled_from((0, 0, 700, LAG_MS_MAX)),
)
STEPS = st.one_of(
    EDIT,
    EDIT,
    DELIVERY,
    DELIVERY,
    # Two rows exchange their SKUs in one transaction.
    st.tuples(st.just("swap"), st.sampled_from(IDS), st.sampled_from(IDS)),
    st.tuples(st.just("resync")),
    st.tuples(st.just("crash")),
    st.tuples(st.just("wait"), st.sampled_from((500, 1_000, 2_000))),
)


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
        changed = [n for n in IDS if before.get(n) != rows.get(n)]
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


@settings(max_examples=300, deadline=None)
@given(steps=st.lists(STEPS, min_size=8, max_size=25))
def test_any_edits_in_any_order_and_grouping_end_as_a_fresh_build(steps: list[tuple]) -> None:
    """Renames, swaps, deletes, two rows with one SKU, broken rows, a server that is behind, crashes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        world = World(read_from(monkeypatch))
        for kind, *arguments in steps:
            if kind == "edit":
                entity_id, product, way = arguments
                rows = {n: p for n, p in world.rows.items() if n != entity_id}
                world.change(rows if product is None else {**rows, entity_id: product}, way)
            elif kind == "swap":
                one, other = (world.rows.get(n) for n in arguments)
                if one and other:
                    ids = dict(zip(arguments, (other.sku, one.sku), strict=True))
                    world.change(
                        {n: Product(ids.get(n, p.sku), p.name, p.views) for n, p in world.rows.items()}
                    )
            elif kind == "resync":
                for sku in {p.sku for p in world.rows.values()} | set(world.held._index["product", 0].keys()):
                    world.put("bulk", sku, Dirty("resync", always=True))
            elif kind == "crash":
                world.held = world.started()
            elif kind == "wait":
                world.clock.ms += arguments[0]
            else:
                world.deliver(kind, *arguments)
        world.come_to_rest()

        feed, told = expected(world.shop, world.rows, world.feed)

        assert (world.feed, world.letters) == (feed, told)
