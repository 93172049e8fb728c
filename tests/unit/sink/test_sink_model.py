"""Whatever happens, in whatever order: at quiet the target holds the last state of every identity.

Edits, deletes, resyncs, compaction, every kind of answer, answers that are lost before or behind storing,
requests that are applied long after they were given up, restarts with and without a drain, a scope that is
switched off and on, replays, positions that are lost, items that the target loses and an audit names, retries
by hand, and a target that is another, empty one.
"""

import heapq
from typing import Any

import msgspec
import pytest
from fake_target import FakeSender, accepted, feed_record, item_key, refused
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sink_drive import ADDRESS, STATUS, Drive, sku_of

from consumers.sink import waiting
from consumers.sink.delivery import Request
from consumers.sink.feed import Rules
from consumers.sink.settle import Answer
from schemas.controls import Address, Reconcile, Scope, address_key, reconcile_key, scope_key
from schemas.records import RESEND_PREFIX, RETRY_PREFIX, Resend, ResendItem, Retry, Status

SKUS = st.sampled_from(["A", "B", "C", "D"])
# "bad" is refused by the service, "broken" makes it fail.
NAMES = st.sampled_from(["one", "two", "three", "bad", "broken"])
LANES = st.sampled_from(["live", "bulk"])
RULES = Rules(retry_s=300, request_timeout_s=30, settle_s=120, guard_percent=100)
# A proxy may keep a request that was given up for so long, and still deliver it.
STUCK_S_MAX = 100.0


class Service:
    """The target: what it holds by SKU, and requests on their way to it that nobody waits for any more."""

    def __init__(self, *, breaks: bool) -> None:
        self.breaks = breaks
        self.held: dict[str, str] = {}
        self.stuck: list[tuple[float, int, Request]] = []

    def judge(self, request: Request) -> Answer:
        """As a healthy service: all of a request, or nothing with the reasons."""
        items = msgspec.json.decode(request.body)
        if request.operation == "upsert":
            if self.breaks and any(item["name"] == "broken" for item in items):
                return Answer(500, b"oops")
            bad = [(n, "name", "bad name") for n, item in enumerate(items) if item["name"] == "bad"]
            if bad:
                return refused(*bad)
        for item in items:
            if request.operation == "delete":
                self.held.pop(item["sku"], None)
            else:
                self.held[item["sku"]] = item["name"]
        return accepted(len(items))

    def arrive(self, now: float) -> None:
        """Requests that were stuck until now are applied."""
        while self.stuck and self.stuck[0][0] <= now:
            self.judge(heapq.heappop(self.stuck)[2])


class SinkMachine(RuleBasedStateMachine):
    """One sink after the other, over one log, one set of topics and one service."""

    # Bulk items that are held in memory; more wait in the log.
    bulk_items_max = waiting.BULK_ITEMS_MAX
    service_breaks = True

    def __init__(self) -> None:
        super().__init__()
        self.patched = pytest.MonkeyPatch()
        self.patched.setattr(waiting, "BULK_ITEMS_MAX", self.bulk_items_max)
        self.service = Service(breaks=self.service_breaks)
        self.address = ADDRESS
        self.drive = self.born(None)
        self.flying: list[Request] = []
        self.offset = 0
        self.latest: dict[str, str | None] = {}
        self.settled: dict[bytes, int] = {}
        self.enabled = True
        self.switched = False
        self.commands = 0

    def teardown(self) -> None:
        try:
            self.quiet()
        finally:
            self.patched.undo()

    def born(self, after: Drive | None, *, clean: bool = True, lost: str = "") -> Drive:
        return Drive(
            FakeSender(),
            items_max=3,
            rules=RULES,
            after=after,
            clean=clean,
            lost=lost,
            address=self.address,
        )

    def append(self, sku: str, name: str | None, lane: str) -> None:
        record = feed_record(sku, self.offset, deleted=name is None, lane=lane, name=name)
        self.drive.append(record)
        self.latest[sku] = name
        self.offset += 1

    @rule(sku=SKUS, name=NAMES, lane=LANES)
    def edit(self, sku: str, name: str, lane: str) -> None:
        self.append(sku, name, lane)

    @rule(sku=SKUS, lane=LANES)
    def delete(self, sku: str, lane: str) -> None:
        self.append(sku, None, lane)

    @rule(sku=SKUS, lane=LANES)
    def write_again(self, sku: str, lane: str) -> None:
        """What the builder does for a live edit whose content went out as bulk."""
        if sku in self.latest:
            self.append(sku, self.latest[sku], lane)

    @rule()
    def compact(self) -> None:
        """Only the newest record of each key stays, the tail of the log as it is."""
        newest = {record.key: offset for offset, record in sorted(self.drive.log.items())}
        for offset, record in list(self.drive.log.items()):
            if newest[record.key] != offset and offset < self.offset - 2:
                del self.drive.log[offset]

    @rule(enabled=st.booleans())
    def switch(self, enabled: bool) -> None:
        """The store view of all items, off or on; the command says that everything is to be compared."""
        self.enabled, self.switched = enabled, True
        scope = Scope("optimizer", "base", enabled, self.drive.wall_ms, "default")
        self.drive.say((scope_key("optimizer", "base", "default"), msgspec.json.encode(scope)))
        self.reconcile("differences")

    @rule(kind=st.sampled_from(["differences", "replay", "force"]))
    def reconcile(self, kind: Any) -> None:
        self.commands += 1
        run = Reconcile("optimizer", "products", kind, self.drive.wall_ms + self.commands)
        self.drive.say((reconcile_key(run), msgspec.json.encode(run)))

    @rule(sku=SKUS, vanishes=st.booleans())
    def resend(self, sku: str, vanishes: bool) -> None:
        """An audit names an item, lost at the target or not, by the newest record there is."""
        self.drive.now += 0.01
        if vanishes:
            self.service.held.pop(sku, None)
        offsets = [o for o, record in self.drive.log.items() if record.key == item_key(sku) and record.value]
        offset = max(offsets) if self.latest.get(sku) is not None else -1
        item = ResendItem(item_key(sku).decode(), 0, offset)
        command = Resend("optimizer", "products", self.drive.wall_ms, (item,))
        self.command(RESEND_PREFIX, msgspec.json.encode(command))

    @rule(kind=st.sampled_from([None, "retryable", "attention"]))
    def retry(self, kind: Any) -> None:
        self.drive.now += 0.01
        command = Retry("optimizer", "products", self.drive.wall_ms, kind)
        self.command(RETRY_PREFIX, msgspec.json.encode(command))

    def command(self, prefix: bytes, value: bytes) -> None:
        self.commands += 1
        self.drive.say((prefix + str(self.commands).encode(), value))

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """The target is another one, that holds nothing; what was on its way arrives at the old one."""
        self.confirm()
        self.address = Address("optimizer", f"{self.address.url}/x")
        self.die(data)
        self.service = Service(breaks=self.service_breaks)

    @rule()
    def confirm(self) -> None:
        if self.drive.delivery.held_back:
            self.reconcile("force")
            self.drive.say((address_key("optimizer"), msgspec.json.encode(self.address)))

    @rule()
    def scan(self) -> None:
        self.drive.scan()

    @rule()
    def send(self) -> None:
        for request in self.drive.delivery.requests():
            busy = {item.key for other in self.flying for item in other.items}
            assert not busy & {item.key for item in request.items}, "two requests for one identity in flight"
            self.flying.append(request)
        for fetch in self.drive.delivery.fetches():
            self.drive.delivery.fetched(fetch, *self.drive.read(fetch))

    @precondition(lambda self: self.flying)
    @rule(
        data=st.data(),
        how=st.sampled_from(["judge", "judge", "lose", "lose after", "stick", "stick", "busy"]),
    )
    def answer(self, data: st.DataObject, how: str) -> None:
        request = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.drive.delivery.answered(request.number, self.answer_to(request, how, data))

    def answer_to(self, request: Request, how: str, data: Any) -> Answer:
        if how == "judge":
            return self.service.judge(request)
        if how == "busy":
            # One item alone is too large only if it is, and then an operator's.
            statuses = [401, 403, 429, 503, *([413] if len(request.items) > 1 else [])]
            return Answer(data.draw(st.sampled_from(statuses)), retry_after="2")
        if how == "lose after":
            self.service.judge(request)
        if how == "stick":
            self.stick(request, data)
        return Answer(0, error="no answer")

    def stick(self, request: Request, data: Any) -> None:
        at = self.drive.now + data.draw(st.floats(0, STUCK_S_MAX))
        heapq.heappush(self.service.stuck, (at, request.number, request))

    @rule(seconds=st.sampled_from([0.1, 0.5, 3.0, 16.0, 31.0, 121.0, 301.0]))
    def pass_time(self, seconds: float) -> None:
        self.drive.now += seconds
        self.service.arrive(self.drive.now)

    @rule()
    def commit(self) -> None:
        self.write()

    def write(self) -> bool:
        """What there is to write, in one transaction; whether there was something."""
        records = self.drive.commit()
        for record in records:
            if record.topic == STATUS and record.value is not None:
                offset = msgspec.json.decode(record.value, type=Status).offset
                assert offset >= self.settled.get(record.key, -1), "a status for an older record"
                self.settled[record.key] = offset
        return bool(records)

    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        """kill -9: what was not committed did not happen, what was under way may arrive yet."""
        for request in self.flying:
            match data.draw(st.sampled_from(["never", "now", "later"])):
                case "now":
                    self.service.judge(request)
                case "later":
                    self.stick(request, data)
        self.flying = []
        self.drive = self.born(self.drive, clean=False)

    @rule(data=st.data())
    def lose_the_position(self, data: st.DataObject) -> None:
        """The group is forgotten by the broker, and the process with it."""
        self.die(data)
        self.drive.position = 0
        self.drive = self.born(self.drive, clean=False, lost="the group is gone")
        self.commit()

    @rule()
    def drain(self) -> None:
        """SIGTERM: answers are waited for, and the successor is told whether anything is open."""
        for request in self.flying:
            self.drive.delivery.answered(request.number, self.service.judge(request))
        self.flying = []
        self.commit()
        clean = not self.drive.delivery.in_doubt
        self.drive = self.born(self.drive, clean=clean)

    @invariant()
    def the_position_never_passes_a_live_record_that_nobody_knows_of(self) -> None:
        """Below it every newest record of a key has a status, or says what the one before it said."""
        newest = {record.key: record for _, record in sorted(self.drive.log.items())}
        newest = {key: record for key, record in newest.items() if record.offset < self.drive.position}
        if self.switched:
            # What is not to be at the target, and never was, needs no status.
            return
        statuses = self.drive.statuses()
        for key, record in newest.items():
            if sku_of(key) not in statuses:
                raise AssertionError(f"offset {record.offset} was committed, and no status tells of it")

    def quiet(self) -> None:
        """Everything that was under way is over, the service is well, time passes."""
        for request in self.flying:
            self.drive.delivery.answered(request.number, self.service.judge(request))
        self.confirm()
        for _ in range(80):
            self.drive.sender.judge = lambda _: None
            self.rest()
            self.drive.now += 10
            self.service.arrive(self.drive.now)
        self.rest()
        expected = {sku: name for sku, name in self.latest.items() if name is not None and self.enabled}
        failures = {"bad", "broken"} if self.service_breaks else {"bad"}
        failing = {sku for sku, name in expected.items() if name in failures}
        held = {sku: name for sku, name in self.service.held.items() if sku not in failing}

        assert held == {sku: name for sku, name in expected.items() if sku not in failing}
        assert self.enabled or self.service.held == {}
        # A service that breaks at the only item that is left takes nothing more.
        assert "broken" in expected.values() or not self.drive.delivery.reconcilers["products"].pending
        letters = self.drive.letters()
        assert set(letters) <= failing
        assert {sku for sku in failing if expected[sku] == "bad"} <= set(letters)
        assert {
            sku for sku, s in self.drive.statuses().items() if s.outcome in {"attention", "retryable"}
        } == set(letters)

    def rest(self) -> None:
        """Everything that can be done now is done."""
        self.drive.scan()
        for _ in range(1_000):
            busy = False
            for request in self.drive.delivery.requests():
                self.drive.delivery.answered(request.number, self.service.judge(request))
                busy = True
            for fetch in self.drive.delivery.fetches():
                self.drive.delivery.fetched(fetch, *self.drive.read(fetch))
                busy = True
            busy = self.write() or busy
            if not busy and self.drive.delivery.wake_s() != 0:
                return
        raise AssertionError("the sink does not come to rest")


class SmallSinkMachine(SinkMachine):
    """One that holds next to nothing: bulk work is fetched by the second position, some of it mapped.

    Items that break the service would fill what it holds, and the others wait until they are mended.
    """

    bulk_items_max = 1
    service_breaks = False


TestSinkModel = SinkMachine.TestCase
TestSinkModel.settings = settings(max_examples=200, stateful_step_count=60, deadline=None, print_blob=True)
TestSmallSinkModel = SmallSinkMachine.TestCase
TestSmallSinkModel.settings = settings(
    max_examples=100, stateful_step_count=60, deadline=None, print_blob=True
)
