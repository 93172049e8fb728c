"""The minutes that a dry run tells are those that the sink's own scheduler takes under the allowance."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from fake_target import accepted
from feed_items import BASE_BOOK, PRICE, PRODUCT

from commerce_sync.run.predict import Prediction
from consumers.sink.budget import Budget
from consumers.sink.delivery import Delivery, SinkTarget
from consumers.sink.dialects.choose import dialect_of
from consumers.sink.feed import Clock, Place, Rules
from runtime.record import Record
from runtime.settings import BudgetSettings, TargetSettings
from schemas.codec import decode, encode
from schemas.keys import canonical_json
from schemas.topics import TopicNames

NAMES = TopicNames("cs")
ALLOWANCE = BudgetSettings(
    requests_per_minute=60, products_per_minute=1000, prices_per_minute=2000, products_per_day=0
)
WIDE = ALLOWANCE.model_copy(update={"products_per_minute": 0, "prices_per_minute": 0})
BOOK = BASE_BOOK["priceBookId"]


def target(budget: BudgetSettings) -> TargetSettings:
    return TargetSettings(url="http://target", feeds=("products", "priceBooks", "prices"), budget=budget)


def records(products: int, prices: int) -> Iterator[Record]:
    """Bulk records of a book, its prices and some products, as the builder writes them."""
    offsets: dict[str, Iterator[int]] = {"priceBooks": count(), "products": count(), "prices": count()}

    def record(feed: str, key: dict[str, str], item: dict[str, object]) -> Record:
        value = encode(feed, item | key)
        headers = {"lane": b"bulk", "commit_ms": b"1000"}
        return Record(NAMES.feed(feed), 0, next(offsets[feed]), canonical_json(key), value, headers, 1_000)

    yield record("priceBooks", {"priceBookId": BOOK}, BASE_BOOK)
    for number in range(products):
        yield record("products", {"sku": f"sku-{number}", "storeViewCode": "de"}, PRODUCT)
    for number in range(prices):
        key = {"sku": f"sku-{number}", "websiteCode": BOOK, "customerGroupCode": "0"}
        yield record("prices", key, PRICE)


class Sink:
    """The scheduler before a service that takes everything at once; time passes when it says so."""

    def __init__(self, settings: TargetSettings, log: list[Record]) -> None:
        self.now = 1_000.0
        self.sent_at: list[float] = []
        self._log = log
        wall_ms: Callable[[], int] = lambda: round(self.now * 1000)  # noqa: E731
        batches = {feed: settings.batch_items_max(feed) for feed in settings.sent_feeds}
        self.delivery = Delivery(
            SinkTarget("t", dialect_of(settings), batches, Rules(settle_s=0)),
            NAMES,
            Budget(settings.budget, lambda: self.now),
            Clock(lambda: self.now, wall_ms),
        )
        for feed in settings.sent_feeds:
            self.delivery.assign(feed, [Place(0, 0, len(log), clean=True)])

    def run(self) -> None:
        """Send all there is."""
        self.delivery.scan(self._log)
        for feed in self.delivery.feeds:
            self.delivery.reached(NAMES.feed(feed), 0, sum(r.topic == NAMES.feed(feed) for r in self._log))
        while any(self.delivery.lag().values()):
            self._turn()
            wait_s = self.delivery.wake_s()
            self.now += wait_s or 0.0

    def _turn(self) -> None:
        for request in self.delivery.requests():
            self.sent_at.append(self.now)
            self.delivery.answered(request.number, accepted(len(request.items)))
        for fetch in self.delivery.fetches():
            wanted = [
                r for r in self._log if r.topic == fetch.topic and fetch.begin <= r.offset < fetch.until
            ]
            self.delivery.fetched(fetch, wanted, fetch.until)
        if commit := self.delivery.commit():
            self.delivery.written(commit)


@pytest.mark.parametrize(
    ("budget", "products", "prices"),
    [
        # Each feed has an allowance of its own, and goes beside the other.
        (ALLOWANCE, 2_000, 3_000),
        (ALLOWANCE, 1_000, 5_000),
        # Only requests count: one feed after the other.
        (WIDE, 5_000, 9_000),
    ],
)
def test_the_minutes_are_those_of_the_sink(budget: BudgetSettings, products: int, prices: int) -> None:
    """From the first request to the last."""
    log = list(records(products, prices))
    prediction, sink = Prediction(target(budget)), Sink(target(budget), log)
    for record in log:
        feed = record.topic.rpartition(".")[2]
        prediction.upsert(feed, record.key.decode(), None, decode(feed, record.value or b""))
    sink.run()

    real = (sink.sent_at[-1] - sink.sent_at[0]) / 60
    assert (prediction.items, prediction.requests) == (len(log), len(sink.sent_at))
    assert prediction.minutes() == pytest.approx(real, rel=0.02)
