"""An import in bunches, from row changes to feed records: families at the edge of two bunches go once."""

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace

import msgspec
import pytest
from builder_play import BULK, FEED, LIVE, Clock, at, read_from, stage
from change_events import change
from confluent_kafka import TopicPartition
from fake_kafka import FakeConsumer

from consumers.builder.ripen import ripens_s
from consumers.builder.stage import BuilderStage
from consumers.router.stage import RouterStage
from runtime import deferred
from runtime.record import Record
from schemas.topics import TopicNames

BUNCH, FAMILY, PARENT = 100, 16, 11
PRODUCTS = 1_600


class Import:
    """Router and builder over one shop, told of each transaction when it is committed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.clock = read_from(monkeypatch), Clock()
        shop = self.shop
        # Only its own: the rest of the process goes by the real one.
        monkeypatch.setattr(deferred, "time", SimpleNamespace(monotonic=lambda: self.clock.ms / 1000))
        consumer = FakeConsumer([])
        consumer.assign([TopicPartition(LIVE, 0), TopicPartition(BULK, 0)])
        self.lanes = deferred.Deferred(
            consumer,  # type: ignore[arg-type]
            [BULK],
            lambda record: ripens_s(record, self.clock.ms),
            500,
        )
        self.router = RouterStage(shop, TopicNames("cs"), 1, "", 3.0)  # type: ignore[arg-type]
        self.builder: BuilderStage = stage(shop, clock=self.clock)
        self.emitted: Counter[bytes] = Counter()
        # What each product's row says.
        self.values = dict.fromkeys(range(1, PRODUCTS + 1), 0)
        for product in self.values:
            shop.skus[product] = f"P{product}"
            if product % FAMILY < PARENT - 1 and (parent := product - product % FAMILY + PARENT) <= PRODUCTS:
                shop.parents[product] = [parent]
                shop.children.setdefault(parent, []).append(product)
        # A member of two families, the other one far away.
        shop.parents[1].append(PRODUCTS - PRODUCTS % FAMILY - FAMILY + PARENT)
        shop.children[shop.parents[1][1]].append(1)

    def commit(self, number: int, products: list[int]) -> None:
        """One transaction, seen by the router and by the builder at once."""
        for product in products:
            self.values[product] += 1
        for product in {*products, *(p for child in products for p in self.shop.parents.get(child, ()))}:
            family = [product, *self.shop.children.get(product, ())]
            name = "-".join(str(self.values[member]) for member in family)
            self.shop.sell(f"P{product}", name, product)
        self.shop.position = at(number + 1)
        row = {"value_id": 1, "value": 1}
        changes = [
            change(
                "catalog_product_entity_decimal",
                "u",
                {**row, "entity_id": product},
                {**row, "entity_id": product, "value": 2},
                pos=number,
                ts_ms=self.clock.ms,
            )
            for product in products
        ]
        self.take(list(self.dirty(changes)))

    def dirty(self, changes: list[Record]) -> Iterator[Record]:
        for record in self.router.process(changes):
            yield Record(record.topic, 0, 0, record.key, record.value, {}, self.clock.ms)

    def take(self, records: list[Record]) -> None:
        """A poll of the builder's loop that brings these, and polls that bring none until nothing is ripe."""
        batch = self.lanes.admit(records)
        while batch:
            outgoing = self.builder.process(batch)
            self.builder.committed()
            self.emitted.update(record.key for record in outgoing if record.topic == FEED)
            batch = self.lanes.admit([])

    def wait(self, ms: int) -> None:
        self.clock.ms += ms
        self.take([])


@pytest.mark.parametrize("gap_ms", [60, 900])
def test_an_import_in_bunches_sends_each_item_once(monkeypatch: pytest.MonkeyPatch, gap_ms: int) -> None:
    """Most children stand before their parent, one far away from it. A second in all, or fourteen."""
    world = Import(monkeypatch)
    world.clock.ms = 100_000

    for number, first in enumerate(range(1, PRODUCTS + 1, BUNCH), start=1):
        world.commit(number, list(range(first, first + BUNCH)))
        world.wait(gap_ms)
    world.wait(3_000)

    keys = {msgspec.json.decode(key)["sku"]: times for key, times in world.emitted.items()}
    assert keys == {f"P{product}": 1 for product in range(1, PRODUCTS + 1)}


def test_a_parent_that_comes_much_later_is_sent_with_its_children_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its state in between was a true one; nothing waits for what nobody knows of."""
    world = Import(monkeypatch)

    world.commit(1, list(range(1, 61)))
    world.wait(5_000)
    world.commit(2, [27])

    assert world.emitted[b'{"sku":"P27","storeViewCode":"default"}'] == 2
