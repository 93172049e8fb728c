"""A sink without broker, threads or time: a log to scan, a target that answers, topics to write to."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import msgspec

from consumers.sink.batch import Contents
from consumers.sink.budget import Budget
from consumers.sink.commands import apply, load
from consumers.sink.delivery import Delivery, Request, SinkTarget
from consumers.sink.dialects import Dialect
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.feed import Clock, Place, Rules
from consumers.sink.mapping import content_if_readable
from consumers.sink.settle import Answer
from consumers.sink.waiting import LOG_END, Fetch
from runtime.record import Outgoing, Record
from runtime.settings import BudgetSettings
from schemas.controls import Address, address_key
from schemas.records import DeadLetter, Status
from schemas.topics import TopicNames

NO_ALLOWANCE = BudgetSettings(requests_per_minute=0, products_per_minute=0, products_per_day=0)
FEED = "cs.feed.products"
STATUS = "cs.status.optimizer.products"
CONTROL = "cs.control"
ADDRESS = Address("optimizer", "https://service.example.com")
LETTER = "cs.dead-letter.optimizer.products"


class Sender(Protocol):
    """What stands for the target."""

    def post(self, path: str, body: bytes) -> Answer: ...

    def forget_token(self) -> None: ...


class Drive:
    """One sink of the products feed, partition 0. A new one over the same topics is a restart.

    `log` is the feed topic by offset, `topics` the newest committed value of each key, `position` the
    committed offset, `clean` what was marked with it.
    """

    def __init__(
        self,
        sender: Sender,
        *,
        items_max: int = 100,
        allowance: BudgetSettings = NO_ALLOWANCE,
        rules: Rules | None = None,
        after: "Drive | None" = None,
        statuses: Iterable[tuple[bytes, bytes]] = (),
        clean: bool = True,
        dialect: Dialect | None = None,
        address: Address = ADDRESS,
        lost: str = "",
    ) -> None:
        self.sender = sender
        self.now = after.now if after else 1_000.0
        self.log: dict[int, Record] = after.log if after else {}
        self.topics: dict[tuple[str, bytes], bytes] = (
            after.topics if after else {(STATUS, key): value for key, value in statuses}
        )
        if after is None:
            self.topics[CONTROL, address_key("optimizer")] = msgspec.json.encode(ADDRESS)
        self.position = after.position if after else 0
        self.scanned = self.position
        self.end = max(self.log, default=-1) + 1
        for _, value in statuses:
            self.end = max(self.end, msgspec.json.decode(value, type=Status).offset + 1)
        self.delivery = Delivery(
            SinkTarget("optimizer", dialect or OptimizerDialect(), {"products": items_max}, rules or Rules()),
            TopicNames("cs"),
            Budget(allowance, lambda: self.now),
            Clock(lambda: self.now, lambda: self.wall_ms),
        )
        self.controls = after.controls if after else 0
        self.unheard = self._control_records()
        load(self.delivery, address, self._control_records(), clean=clean)
        self.delivery.assign(
            "products",
            [Place(0, self.position, self.end, clean, lost)],
            self._held(STATUS),
            self._held(LETTER),
        )

    def _control_records(self) -> list[Record]:
        held = enumerate(self._held(CONTROL))
        return [Record(CONTROL, 0, offset, key, value, {}, self.wall_ms) for offset, (key, value) in held]

    def say(self, *commands: tuple[bytes, bytes | None]) -> None:
        """What an operator writes on the control topic, and the sink hears."""
        records = []
        for key, value in commands:
            if value is None:
                self.topics.pop((CONTROL, key), None)
            else:
                self.topics[CONTROL, key] = value
            self.controls += 1
            records.append(Record(CONTROL, 0, 1_000 + self.controls, key, value, {}, self.wall_ms))
        apply(self.delivery, "optimizer", records)

    @property
    def wall_ms(self) -> int:
        return 5_000 + round((self.now - 1_000.0) * 1000)

    def _held(self, topic: str) -> list[tuple[bytes, bytes | None]]:
        return [(key, value) for (name, key), value in self.topics.items() if name == topic]

    def append(self, *records: Record) -> None:
        for record in records:
            self.log[record.offset] = record
        self.end = max(self.end, max(self.log, default=-1) + 1)

    def scan(self) -> None:
        """Read the log to its end."""
        records = [record for offset, record in sorted(self.log.items()) if offset >= self.scanned]
        self.delivery.scan(records)
        self.delivery.reached(FEED, 0, self.end)
        self.scanned = self.end
        # Commands of earlier days are read again beside the feeds, at the worst behind them.
        apply(self.delivery, "optimizer", self.unheard)
        self.unheard = []

    def turn(self) -> bool:
        """Send what may go now, answer it, fetch what is asked for; False when nothing happened."""
        busy = False
        for request in self.delivery.requests():
            self.delivery.answered(request.number, self.answer(request))
            busy = True
        for fetch in self.delivery.fetches():
            self.delivery.fetched(fetch, *self.read(fetch))
            busy = True
        return busy or self.delivery.wake_s() == 0

    def answer(self, request: Request) -> Answer:
        if request.renew_token:
            self.sender.forget_token()
        return self.sender.post(request.path, request.body)

    def read(self, fetch: Fetch) -> tuple[list[Record], int, Contents]:
        """As the fetcher reads: what is still in the log; of bulk work every second record is mapped."""
        records, next_offset = self._read(fetch)
        if fetch.sweep or fetch.offsets:
            return records, next_offset, ()
        dialect = self.delivery.target.dialect
        values = [record.value if record.offset % 2 == 0 else None for record in records]
        return records, next_offset, [content_if_readable(dialect, "products", value) for value in values]

    def _read(self, fetch: Fetch) -> tuple[list[Record], int]:
        if fetch.offsets:
            return [self.log[offset] for offset in fetch.offsets if offset in self.log], fetch.until
        if fetch.sweep:
            records = [self.log[o] for o in sorted(self.log) if fetch.begin <= o < fetch.until]
            taken = records[: fetch.records_max]
            if len(taken) < len(records):
                return taken, taken[-1].offset + 1
            return taken, fetch.until if fetch.until < self.end else LOG_END
        wanted = [self.log[o] for o in sorted(self.log) if fetch.begin <= o < fetch.until]
        taken = wanted[: fetch.records_max]
        return taken, taken[-1].offset + 1 if len(taken) < len(wanted) else fetch.until

    def commit(self) -> list[Outgoing]:
        """Write what there is to write; returns it."""
        commit = self.delivery.commit()
        if commit is None:
            return []
        for record in commit.records:
            if record.value is None:
                self.topics.pop((record.topic, record.key), None)
            else:
                self.topics[record.topic, record.key] = record.value
        self.position = commit.offsets.get((FEED, 0), self.position)
        self.delivery.written(commit)
        # The topic is read by ourselves, too.
        own = [record for record in commit.records if record.topic == CONTROL]
        apply(
            self.delivery,
            "optimizer",
            [Record(r.topic, 0, 1_000_000, r.key, r.value, {}, self.wall_ms) for r in own],
        )
        return commit.records

    def run(self, *records: Record) -> list[Outgoing]:
        """Take records in and do all that can be done without time passing; returns what was written."""
        self.append(*records)
        self.scan()
        written = []
        for _ in range(1_000):
            busy = self.turn()
            news = self.commit()
            written.extend(news)
            if not (busy or news):
                return written
        raise AssertionError("the sink does not come to rest")

    def pass_time(self, seconds: float) -> list[Outgoing]:
        self.now += seconds
        return self.run()

    def statuses(self) -> Mapping[str, Status]:
        return {sku_of(key): msgspec.json.decode(v, type=Status) for key, v in self._held(STATUS) if v}

    def letters(self) -> Mapping[str, DeadLetter]:
        return {sku_of(key): msgspec.json.decode(v, type=DeadLetter) for key, v in self._held(LETTER) if v}


def sku_of(key: bytes) -> str:
    decoded: dict[str, Any] = msgspec.json.decode(key)
    return str(decoded["sku"])
