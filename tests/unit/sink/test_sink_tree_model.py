"""Whatever happens to items that stand on others: at quiet the service holds what the feeds say.

Categories below categories, prices in books below books; deletes and returns of whole branches, answers that
are lost before or behind storing, requests that are applied late, restarts, books that are refused, time;
websites and a store view that are switched, replays, items that an audit names, retries by hand, and a target
that is another, empty one.
The service loses prices without a book, cascades, and gives back what fell with a delete for a week.
"""

import heapq
from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule
from tree_drive import ADDRESS, FEEDS, VIEW, Service, TreeDrive, key_of

from consumers.sink.delivery import Request
from consumers.sink.feed import Rules
from consumers.sink.settle import Answer
from schemas.controls import Address, Reconcile, Scope, address_key, reconcile_key, scope_key
from schemas.records import RESEND_PREFIX, RETRY_PREFIX, Resend, ResendItem, Retry

RULES = Rules(retry_s=300, request_timeout_s=30, settle_s=120, guard_percent=100)
# A proxy may keep a request that was given up for so long, and still deliver it.
STUCK_S_MAX = 100.0
BOOKS = ("base", "base::g", "other")
THINGS = [
    *(("categories", path) for path in ("men", "men/tops", "men/tops/new", "women", "women/tops")),
    *(("priceBooks", book) for book in BOOKS),
    *(("prices", f"{sku} in {book}") for book in BOOKS for sku in "AB"),
]
ABOVE = {("prices", f"{sku} in {book}"): book for book in BOOKS for sku in "AB"}


class TreeMachine(RuleBasedStateMachine):
    """One sink after the other, over one set of topics and one service."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        self.address = ADDRESS
        self.drive = self.born(None)
        self.flying: list[Request] = []
        self.stuck: list[tuple[float, int, Request]] = []
        self.latest: dict[tuple[str, str], str | None] = {}
        self.off: set[str] = set()
        self.commands = 0

    def born(self, after: TreeDrive | None, *, clean: bool = True) -> TreeDrive:
        return TreeDrive(
            self.service, rules=RULES, items_max=3, after=after, clean=clean, address=self.address
        )

    @rule(
        thing=st.sampled_from(THINGS),
        content=st.sampled_from(["1", "2", "3"]),
        lane=st.sampled_from(["live", "bulk"]),
    )
    def edit(self, thing: tuple[str, str], content: str, lane: str) -> None:
        self.drive.put(*thing, content, lane=lane)
        self.latest[thing] = content

    @rule(thing=st.sampled_from(THINGS), lane=st.sampled_from(["live", "bulk"]))
    def delete(self, thing: tuple[str, str], lane: str) -> None:
        self.drive.tombstone(*thing, lane=lane)
        self.latest[thing] = None

    @rule(root=st.sampled_from([thing for thing in THINGS if thing[0] != "prices"]), alive=st.booleans())
    def branch(self, root: tuple[str, str], alive: bool) -> None:
        """A whole branch goes or comes, its items in the order of the feeds."""
        for thing in THINGS:
            if thing == root or self.is_below(thing, root):
                if alive:
                    self.edit(thing, "1", "live")
                else:
                    self.delete(thing, "live")

    @staticmethod
    def is_below(thing: tuple[str, str], root: tuple[str, str]) -> bool:
        if root[0] == "categories":
            return thing[0] == "categories" and thing[1].startswith(f"{root[1]}/")
        book = ABOVE.get(thing, thing[1] if thing[0] == "priceBooks" else "")
        return book == root[1] or book.startswith(f"{root[1]}::")

    @rule(name=st.sampled_from(["base", "other", "men"]))
    def refuse(self, name: str) -> None:
        """From now on the service refuses it, or takes it again."""
        self.service.bad ^= {name}

    @rule(code=st.sampled_from(["base", "other", VIEW]), enabled=st.booleans())
    def switch(self, code: str, enabled: bool) -> None:
        """A website with its books and prices, or the store view of all categories, off or on."""
        (self.off.discard if enabled else self.off.add)(code)
        scope = ("base", VIEW) if code == VIEW else (code, None)
        value = msgspec.json.encode(Scope("t", scope[0], enabled, self.drive.wall_ms, scope[1]))
        feeds = ["categories"] if code == VIEW else ["priceBooks", "prices"]
        self.drive.say((scope_key("t", *scope), value), *self.reconciles(feeds, "differences"))

    @rule(feed=st.sampled_from(FEEDS), kind=st.sampled_from(["differences", "replay", "force"]))
    def reconcile(self, feed: str, kind: Any) -> None:
        self.drive.say(*self.reconciles([feed], kind))

    def reconciles(self, feeds: Any, kind: Any) -> list[tuple[bytes, bytes]]:
        self.commands += 1
        runs = [Reconcile("t", feed, kind, self.drive.wall_ms + self.commands) for feed in feeds]
        return [(reconcile_key(run), msgspec.json.encode(run)) for run in runs]

    @rule(thing=st.sampled_from(THINGS))
    def resend(self, thing: tuple[str, str]) -> None:
        """An audit names an item by the newest record there is."""
        self.drive.now += 0.01
        feed, key = thing[0], key_of(*thing)
        offsets = [o for o, record in self.drive.logs[feed].items() if record.key == key]
        offset = max(offsets) if self.latest.get(thing) is not None else -1
        command = Resend("t", feed, self.drive.wall_ms, (ResendItem(key.decode(), 0, offset),))
        self.command(RESEND_PREFIX, msgspec.json.encode(command))

    @rule(feed=st.sampled_from(FEEDS))
    def retry(self, feed: str) -> None:
        self.drive.now += 0.01
        self.command(RETRY_PREFIX, msgspec.json.encode(Retry("t", feed, self.drive.wall_ms)))

    def command(self, prefix: bytes, value: bytes) -> None:
        self.commands += 1
        self.drive.say((prefix + str(self.commands).encode(), value))

    @rule()
    def move(self) -> None:
        """The target is another one, that holds nothing; what is on its way arrives at the old one."""
        self.confirm()
        self.address = Address("t", f"{self.address.url}/x")
        bad = self.service.bad
        self.service, self.flying, self.stuck = Service(), [], []
        self.service.bad = bad
        self.drive = self.born(self.drive, clean=False)

    @rule()
    def confirm(self) -> None:
        if self.drive.delivery.held_back:
            address = (address_key("t"), msgspec.json.encode(self.address))
            self.drive.say(*self.reconciles(FEEDS, "force"), address)

    @rule()
    def scan(self) -> None:
        self.drive.scan()

    @rule()
    def send(self) -> None:
        for request in self.drive.fly():
            busy = {(other.feed, item.key) for other in self.flying for item in other.items}
            assert not busy & {(request.feed, item.key) for item in request.items}, "two for one identity"
            self.flying.append(request)

    @precondition(lambda self: self.flying)
    @rule(data=st.data(), how=st.sampled_from(["judge", "judge", "lose", "lose after", "stick", "busy"]))
    def answer(self, data: st.DataObject, how: str) -> None:
        request = self.flying.pop(data.draw(st.integers(0, len(self.flying) - 1)))
        self.drive.delivery.answered(request.number, self.answer_to(request, how, data))

    def answer_to(self, request: Request, how: str, data: Any) -> Answer:
        if how == "judge":
            return self.judge(request)
        if how == "busy":
            return Answer(data.draw(st.sampled_from([401, 413, 429])), retry_after="2")
        if how == "lose after":
            self.judge(request)
        if how == "stick":
            self.stick(request, data)
        return Answer(0, error="no answer")

    def judge(self, request: Request) -> Answer:
        self.service.now = self.drive.now
        return self.service.take(request)

    def stick(self, request: Request, data: Any) -> None:
        at = self.drive.now + data.draw(st.floats(0, STUCK_S_MAX))
        heapq.heappush(self.stuck, (at, request.number, request))

    def arrive(self) -> None:
        while self.stuck and self.stuck[0][0] <= self.drive.now:
            self.judge(heapq.heappop(self.stuck)[2])

    @rule(seconds=st.sampled_from([0.1, 3.0, 16.0, 31.0, 121.0, 301.0]))
    def pass_time(self, seconds: float) -> None:
        self.drive.now += seconds
        self.arrive()

    @rule(days=st.sampled_from([3, 6, 9]))
    def pass_days(self, days: int) -> None:
        """Nothing is under way any more after so long, and a sink that runs has done what was due."""
        self.land()
        self.quiet()
        self.drive.now += days * 24 * 3600.0
        self.quiet()

    @rule()
    def commit(self) -> None:
        self.drive.commit()

    @rule(data=st.data())
    def die(self, data: st.DataObject) -> None:
        for request in self.flying:
            match data.draw(st.sampled_from(["never", "now", "later"])):
                case "now":
                    self.judge(request)
                case "later":
                    self.stick(request, data)
        self.flying = []
        self.drive = self.born(self.drive, clean=False)

    @rule()
    def drain(self) -> None:
        self.land()
        self.drive.commit()
        clean = not self.drive.delivery.in_doubt
        self.drive = self.born(self.drive, clean=clean)

    def land(self) -> None:
        self.drive.land(self.flying)
        self.flying = []

    def quiet(self) -> None:
        """Enough time for everything that goes again by itself."""
        for _ in range(60):
            self.drive.run()
            self.drive.now += 10
            self.arrive()
        self.drive.run()

    def teardown(self) -> None:
        self.land()
        self.confirm()
        self.quiet()
        self.service.bad = set()
        for feed in FEEDS:
            # What was refused goes again when somebody says so.
            self.drive.delivery.retry(feed, self.drive.wall_ms + 1, "attention", [])
            self.quiet()
        for feed in FEEDS:
            alive = {name for (of, name), content in self.latest.items() if of == feed and content}
            alive = {name for name in alive if self.scope_of((feed, name)) not in self.off}
            wanted = {name for name in alive if self.stands((feed, name))}
            letters = self.drive.letters(feed)
            outcomes = self.drive.outcomes(feed)

            assert self.service.held(feed) == {name: self.latest[feed, name] for name in wanted}, feed
            assert set(letters) == alive - wanted
            assert {name for name, outcome in outcomes.items() if outcome == "retryable"} == set(letters)
            assert all(letter.error.startswith("waits for price book") for letter in letters.values())

    @staticmethod
    def scope_of(thing: tuple[str, str]) -> str:
        book = ABOVE.get(thing, thing[1])
        return VIEW if thing[0] == "categories" else book.partition("::")[0]

    def stands(self, thing: tuple[str, str]) -> bool:
        """Prices and child books need what is above them."""
        book = ABOVE.get(thing, thing[1] if thing[0] == "priceBooks" else "")
        tops = {book, book.partition("::")[0]} - {thing[1]} if book else set()
        return all(self.latest.get(("priceBooks", top)) is not None for top in tops)


TestSinkTreeModel = TreeMachine.TestCase
TestSinkTreeModel.settings = settings(max_examples=60, stateful_step_count=50, deadline=None, print_blob=True)
