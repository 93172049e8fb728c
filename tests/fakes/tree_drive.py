"""A sink of the feeds whose items stand on each other, before a service that cascades and gives back."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from fake_target import accepted, refused
from feed_items import BASE_BOOK, CATEGORY, GROUP_BOOK, PRICE

from commerce_sync.emulator.body import Items
from commerce_sync.emulator.optimizer_catalog import Catalog
from commerce_sync.emulator.storage import Storage
from consumers.sink.budget import Budget
from consumers.sink.commands import apply, load
from consumers.sink.delivery import Delivery, Request, SinkTarget
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.feed import Clock, Place, Rules
from consumers.sink.settle import Answer
from consumers.sink.waiting import LOG_END, Fetch
from runtime.record import Record
from runtime.settings import BudgetSettings
from schemas.codec import encode
from schemas.controls import Address, Reconcile, Scope
from schemas.keys import canonical_json
from schemas.records import DeadLetter, Status
from schemas.services.optimizer import FEED_RESOURCES, ROUTES
from schemas.topics import TopicNames

FEEDS: Final = ("categories", "priceBooks", "prices")
VIEW: Final = "de"
NO_ALLOWANCE: Final = BudgetSettings(
    requests_per_minute=0, products_per_minute=0, prices_per_minute=0, products_per_day=0
)
NAMES: Final = TopicNames("cs")
ADDRESS: Final = Address("t", "https://service.example.com")
_ROUTES: Final = {
    (feed, route.operation): route
    for feed, resource in FEED_RESOURCES.items()
    for route in ROUTES
    if route.feed == resource
}

# Tests name an item by its category path, its book's id, or "SKU in book".


class Service:
    """The emulator's catalog without a socket. `bad` names are refused; `answers` are given in turn first."""

    def __init__(self) -> None:
        self.now = 0.0
        self.storage = Storage()
        self.catalog = Catalog(self.storage, lambda: self.now)
        self.bad: set[str] = set()
        self.answers: list[Answer] = []
        self.requests: list[tuple[str, str, list[str]]] = []

    def take(self, request: Request) -> Answer:
        items = msgspec.json.decode(request.body)
        names = [_name(request.feed, item) for item in items]
        self.requests.append((request.feed, request.operation, names))
        if self.answers:
            return self.answers.pop(0)
        bad = [(n, "name", "bad name") for n, name in enumerate(names) if name in self.bad]
        if bad and request.operation == "upsert":
            return refused(*bad)
        self.apply(request)
        return accepted(len(items))

    def apply(self, request: Request) -> None:
        values = msgspec.json.decode(request.body)
        raw = [msgspec.json.encode(value) for value in values]
        self.catalog.apply(_ROUTES[request.feed, request.operation], Items(values, raw))

    def gives_nothing_back(self) -> None:
        """What fell with deletes until now is gone for good."""
        for name in {name for _, _, names in self.requests for name in names}:
            self.storage.forget(msgspec.json.encode(["categories", name, VIEW]).decode())

    def held(self, feed: str) -> dict[str, str]:
        """Content (a name, an amount) by short name."""
        pages = self.storage.pages(FEED_RESOURCES[feed])
        items = [msgspec.json.decode(item) for page in pages for item in page]
        return {
            _name(feed, item): item["name"] if "name" in item else f"{item['regular']:g}" for item in items
        }

    @property
    def sent(self) -> list[tuple[str, str]]:
        """(operation, short name), one after the other."""
        return [(operation, name) for _, operation, names in self.requests for name in names]


class TreeDrive:
    """Three feeds of one partition each; a new one over the same topics is a restart."""

    def __init__(
        self,
        service: Service,
        *,
        after: "TreeDrive | None" = None,
        clean: bool = True,
        rules: Rules | None = None,
        feeds: Iterable[str] = FEEDS,
        items_max: int = 100,
        address: Address = ADDRESS,
    ) -> None:
        self.service = service
        self.feeds = tuple(feeds)
        self.now = after.now if after else 1_000.0
        self.logs: dict[str, dict[int, Record]] = after.logs if after else {feed: {} for feed in self.feeds}
        self.topics: dict[tuple[str, bytes], bytes] = after.topics if after else {}
        self.positions: dict[str, int] = after.positions if after else dict.fromkeys(self.feeds, 0)
        self.scanned = dict(self.positions)
        self.delivery = Delivery(
            SinkTarget("t", OptimizerDialect(), dict.fromkeys(self.feeds, items_max), rules or Rules()),
            NAMES,
            Budget(NO_ALLOWANCE, lambda: self.now),
            Clock(lambda: self.now, lambda: self.wall_ms),
        )
        self.controls = after.controls if after else 0
        self.unheard = self._control_records()
        load(self.delivery, address, self._control_records(), clean=clean)
        for feed in self.feeds:
            self.delivery.assign(
                feed,
                [Place(0, self.positions[feed], self.end(feed), clean)],
                self._held(NAMES.status("t", feed)),
                self._held(NAMES.dead_letter("t", feed)),
            )

    @property
    def wall_ms(self) -> int:
        return 5_000_000 + round((self.now - 1_000.0) * 1000)

    def end(self, feed: str) -> int:
        return max(self.logs[feed], default=-1) + 1

    def _held(self, topic: str) -> list[tuple[bytes, bytes | None]]:
        return [(key, value) for (name, key), value in self.topics.items() if name == topic]

    def _control_records(self) -> list[Record]:
        held = enumerate(self._held(NAMES.control))
        return [Record(NAMES.control, 0, place, key, value, {}, self.wall_ms) for place, (key, value) in held]

    def say(self, *commands: tuple[bytes, bytes | None]) -> None:
        """What an operator writes on the control topic, and the sink hears."""
        for key, value in commands:
            self._keep(NAMES.control, key, value)
        self._hear(commands)

    def _hear(self, commands: Iterable[tuple[bytes, bytes | None]]) -> None:
        records = []
        for key, value in commands:
            self.controls += 1
            records.append(Record(NAMES.control, 0, 1_000 + self.controls, key, value, {}, self.wall_ms))
        apply(self.delivery, "t", records)

    def _keep(self, topic: str, key: bytes, value: bytes | None) -> None:
        if value is None:
            self.topics.pop((topic, key), None)
        else:
            self.topics[topic, key] = value

    # What lands on the topics.

    def put(self, feed: str, name: str, content: str = "1", *, lane: str = "live") -> None:
        self._append(feed, name, encode(feed, _item(feed, name, content)), lane)

    def tombstone(self, feed: str, name: str, *, lane: str = "live") -> None:
        self._append(feed, name, None, lane)

    def _append(self, feed: str, name: str, value: bytes | None, lane: str) -> None:
        offset = self.end(feed)
        self.logs[feed][offset] = Record(
            topic=NAMES.feed(feed),
            partition=0,
            offset=offset,
            key=key_of(feed, name),
            value=value,
            headers={"lane": lane.encode(), "commit_ms": b"1000"},
            timestamp_ms=1_000,
        )

    # What the sink does.

    def scan(self) -> None:
        for feed in self.feeds:
            log = self.logs[feed]
            self.delivery.scan([log[offset] for offset in sorted(log) if offset >= self.scanned[feed]])
            self.delivery.reached(NAMES.feed(feed), 0, self.end(feed))
            self.scanned[feed] = self.end(feed)
        # Commands of earlier days are read again beside the feeds, at the worst behind them.
        apply(self.delivery, "t", self.unheard)
        self.unheard = []

    def turn(self) -> bool:
        self.service.now = self.now
        busy = False
        for request in self.delivery.requests():
            self.delivery.answered(request.number, self.answer(request))
            busy = True
        return self.fetch() or busy or self.delivery.wake_s() == 0

    def answer(self, request: Request) -> Answer:
        return self.service.take(request)

    def fetch(self) -> bool:
        """Read what is asked for; False when nothing is."""
        fetches = list(self.delivery.fetches())
        for fetch in fetches:
            self.delivery.fetched(fetch, *self.read(fetch))
        return bool(fetches)

    def read(self, fetch: Fetch) -> tuple[list[Record], int]:
        log = self.logs[fetch.feed]
        if fetch.offsets:
            return [log[offset] for offset in fetch.offsets if offset in log], fetch.until
        found = [log[offset] for offset in sorted(log) if fetch.begin <= offset < fetch.until]
        ends = fetch.sweep and fetch.until >= self.end(fetch.feed)
        return found, LOG_END if ends else fetch.until

    def switch(self, website: str, enabled: bool) -> None:
        """As the command says it; the feeds that it governs are compared, the books first."""
        self.now += 1
        self.delivery.scope(Scope("t", website, enabled, self.wall_ms))
        for feed in ("priceBooks", "prices"):
            self.delivery.reconcilers[feed].ask(Reconcile("t", feed, "differences", self.wall_ms))
            self.run()

    def commit(self) -> bool:
        """Write what there is to write; False when there is nothing."""
        commit = self.delivery.commit()
        if commit is None:
            return False
        for record in commit.records:
            self._keep(record.topic, record.key, record.value)
        for (topic, _), offset in commit.offsets.items():
            self.positions[topic.rpartition(".")[2]] = offset
        self.delivery.written(commit)
        # The topic is read by ourselves, too.
        self._hear([(r.key, r.value) for r in commit.records if r.topic == NAMES.control])
        return True

    def run(self) -> None:
        """Everything that can be done without time passing."""
        self.scan()
        for _ in range(1_000):
            busy = self.turn()
            if not (self.commit() or busy):
                return
        raise AssertionError("the sink does not come to rest")

    def pass_time(self, seconds: float, step: float = 10.0) -> None:
        """Time goes by in steps."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + step)
            self.run()

    def fly(self) -> list[Request]:
        """Requests that are written and not answered yet."""
        self.service.now = self.now
        requests = list(self.delivery.requests())
        self.fetch()
        return requests

    def land(self, requests: Iterable[Request]) -> None:
        for request in requests:
            self.delivery.answered(request.number, self.service.take(request))

    # What people see.

    def statuses(self, feed: str) -> Mapping[str, Status]:
        held = self._held(NAMES.status("t", feed))
        return {name_of(feed, key): msgspec.json.decode(value, type=Status) for key, value in held if value}

    def outcomes(self, feed: str) -> dict[str, str]:
        return {name: status.outcome for name, status in self.statuses(feed).items()}

    def letters(self, feed: str) -> Mapping[str, DeadLetter]:
        held = self._held(NAMES.dead_letter("t", feed))
        return {name_of(feed, key): msgspec.json.decode(v, type=DeadLetter) for key, v in held if v}


def key_of(feed: str, name: str) -> bytes:
    match feed:
        case "categories":
            return canonical_json({"urlPath": name, "storeViewCode": VIEW})
        case "priceBooks":
            return canonical_json({"priceBookId": name})
        case _:
            return canonical_json(_price_key(name))


def name_of(feed: str, key: bytes) -> str:
    members: dict[str, str] = msgspec.json.decode(key)
    if feed == "prices":
        group = members["customerGroupCode"]
        book = members["websiteCode"] + ("" if group == "0" else f"::{group}")
        return f"{members['sku']} in {book}"
    return members["urlPath"] if feed == "categories" else members["priceBookId"]


def _price_key(name: str) -> dict[str, str]:
    sku, _, book = name.partition(" in ")
    website, _, group = book.partition("::")
    return {"sku": sku, "websiteCode": website, "customerGroupCode": group or "0"}


def _item(feed: str, name: str, content: str) -> dict[str, Any]:
    match feed:
        case "categories":
            return {**CATEGORY, "urlPath": name, "storeViewCode": VIEW, "name": content}
        case "priceBooks" if "::" in name:
            website, _, group = name.partition("::")
            members = {"priceBookId": name, "parentId": website, "customerGroupCode": group}
            return {**GROUP_BOOK, **members, "websiteCode": website, "name": content}
        case "priceBooks":
            return {**BASE_BOOK, "priceBookId": name, "websiteCode": name, "name": content}
        case _:
            return {**PRICE, **_price_key(name), "regular": PRICE["regular"].__class__(content)}


def _name(feed: str, item: Mapping[str, Any]) -> str:
    match feed:
        case "categories":
            return str(item["slug"])
        case "priceBooks":
            return str(item["priceBookId"])
        case _:
            return f"{item['sku']} in {item['priceBookId']}"
