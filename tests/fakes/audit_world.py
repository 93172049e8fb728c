"""A shop, its feed topic and a target for audits: what is built, what was emitted, what was accepted."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import msgspec
from fake_target import FakeSender, feed_record, product_item
from sink_drive import STATUS, Drive

from commerce_sync.proof.audit import Audit, Result
from commerce_sync.proof.fresh import Fresh, Page
from commerce_sync.proof.holding import digest
from commerce_sync.proof.places import FeedTopic, Target
from commerce_sync.proof.through import Late
from consumers.sink.dialects.optimizer import OptimizerDialect
from runtime.record import Outgoing, Record
from runtime.settings import TargetSettings
from schemas.keys import canonical_json, content_hash
from schemas.records import Position


class FakeLog:
    """A topic: `news` hands out what was appended since."""

    def __init__(self, records: list[Record] | None = None) -> None:
        self.records: list[Record] = [] if records is None else records
        self._seen = 0

    def news(self) -> Iterator[Record]:
        news, self._seen = self.records[self._seen :], len(self.records)
        return iter(news)

    def keys_of(self, wanted: Collection[int]) -> Iterator[str]:
        return iter({r.key.decode() for r in self.records if digest(r.key) in wanted})

    def newest(self, keys: Collection[str]) -> dict[str, Record]:
        return {record.key.decode(): record for record in self.records if record.key.decode() in keys}


class World:
    """A shop, its feed topic, a target, and how far the pipeline is; `on_wait` happens meanwhile."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.parked: dict[str, dict[str, str]] = {}
        self.feed, self.status = FakeLog(), FakeLog()
        self.late = Late()
        self.on_wait: Callable[[], None] = lambda: None
        self.waits = 0
        self.built: list[list[str]] = []
        self._numbers: dict[str, int] = {}
        self.drive = Drive(FakeSender())
        self.off: set[bytes] = set()

    # The shop, as the source builds it.

    def sell(self, sku: str, **changes: Any) -> None:
        self.items[sku] = product_item(sku, **changes)
        self._numbers.setdefault(sku, len(self._numbers) + 1)

    def pages(self, entity: str, wants: Callable[[str], bool] = lambda _: True) -> Iterator[Page]:
        keys = [sku for sku in self.items if wants(sku)] if entity == "product" else []
        yield self.build(entity, keys)

    def behind(self, entity: str, number: int, entities: int) -> list[tuple[int, str]]:
        if entity != "product":
            return []
        return sorted((self._numbers[sku], sku) for sku in self.items if self._numbers[sku] > number)[
            :entities
        ]

    def build(self, entity: str, keys: Sequence[str]) -> Page:
        self.built.append(list(keys))
        return Page([self._fresh(sku) for sku in keys], Position(1, "log.1", 1))

    def _fresh(self, sku: str) -> Fresh:
        items = {} if sku in self.parked or sku not in self.items else {key_of(sku): self.items[sku]}
        return Fresh("product", sku, items, self.parked.get(sku, {}))

    def count(self, _: str) -> int:
        return len(self.items)

    # The pipeline.

    def emit(self, *skus: str) -> None:
        """As a builder would, of the items as they are; what is no longer sold is taken back."""
        for sku in skus:
            offset = len(self.feed.records)
            item = self.items.get(sku)
            made = feed_record(sku, offset, deleted=item is None)
            headers = {} if item is None else {"hash": content_hash(item).encode()}
            self.feed.records.append(
                Record(made.topic, 0, offset, made.key, made.value, {**made.headers, **headers})
            )
            if item is not None:
                made = feed_record(sku, offset, **{k: v for k, v in item.items() if k != "sku"})
            self._deliver(made)

    def _deliver(self, record: Record) -> None:
        written: list[Outgoing] = self.drive.run(record)
        for status in written:
            if status.topic == STATUS:
                offset = len(self.status.records)
                self.status.records.append(Record(STATUS, 0, offset, status.key, status.value, {}))

    def refresh(self) -> None:
        """Scopes are switched by `off`."""

    def await_passed(
        self, moment: Position | None, at_s: float, shards: Any, feeds: Any, wait_s: float
    ) -> Late:
        self.waits += 1
        self.on_wait()
        return self.late

    def audit(self, **options: Any) -> Audit:
        settings = TargetSettings(url="http://target")
        places = [
            FeedTopic(FakeLog(self.feed.records), "products"),  # type: ignore[arg-type]
            Target(
                "optimizer",
                settings,
                OptimizerDialect(),
                FakeLog(self.status.records),  # type: ignore[arg-type]
                "products",
                lambda _, key: key not in self.off,
            ),
        ]
        return Audit(self, self, {"products": places}, 1, **options)


def key_of(sku: str) -> tuple[str, str]:
    return "products", canonical_json({"sku": sku, "storeViewCode": "default"}).decode()


def found(result: Result) -> list[tuple[str, str, str]]:
    """(kind, SKU, stage), in order of the SKUs."""
    return sorted(
        (each.kind, str(msgspec.json.decode(each.key)["sku"]), each.stage) for each in result.findings
    )
