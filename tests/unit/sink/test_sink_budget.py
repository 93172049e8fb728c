"""The allowance is never overspent, and never wasted by waiting longer than needed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.sink.budget import Budget
from runtime.settings import BudgetSettings

UNLIMITED = {
    "requests_per_minute": 0,
    "products_per_minute": 0,
    "prices_per_minute": 0,
    "products_per_day": 0,
}


class Clock:
    """Time passes only when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """A budget that is asked for a request of one feed, and spent when it grants it."""

    def __init__(self, budget: Budget, feed: str) -> None:
        self.budget = budget
        self._feed = feed

    def take(self, items: int, *, bulk: bool = False) -> float:
        """Seconds to wait; 0.0 when the request went."""
        wait_s = self.budget.wait_s(self._feed, items, bulk=bulk)
        if wait_s == 0.0:
            self.budget.spend(self._feed, items)
        return wait_s


def budget(clock: Clock, feed: str = "products", **limits: int) -> Asked:
    return Asked(Budget(BudgetSettings(**{**UNLIMITED, **limits}), clock), feed)


def granted(held: Asked, items: int, tries: int, *, bulk: bool = False) -> int:
    """How many of some requests go at once."""
    return sum(held.take(items, bulk=bulk) == 0.0 for _ in range(tries))


def test_without_an_allowance_nothing_waits() -> None:
    """0 means none is kept."""
    assert granted(budget(Clock()), 1_000_000, 1_000) == 1_000


def test_requests_beyond_the_burst_come_evenly() -> None:
    """300 a minute: 100 at once, then one every 0.2 s."""
    clock = Clock()
    held = budget(clock, requests_per_minute=300)

    assert granted(held, 1, 101) == 100
    assert held.take(1) == pytest.approx(0.2)

    clock.now += 0.2001
    assert granted(held, 1, 2) == 1


def test_a_refused_request_spends_nothing() -> None:
    """All buckets are asked before any is spent: waiting for items must not eat requests."""
    clock = Clock()
    held = budget(clock, requests_per_minute=100, products_per_minute=60)
    assert held.take(60) == 0.0

    waits = [held.take(60) for _ in range(500)]
    clock.now += 60.5

    # The minute and what a request may be late at the service.
    assert min(waits) == pytest.approx(60.4)
    assert held.take(60) == 0.0
    assert granted(held, 0, 200) == 99


def test_a_request_larger_than_the_burst_goes_when_the_bucket_is_full_and_leaves_a_debt() -> None:
    """1,000 a minute lets 100 go at once; 500 in one request are paid back before the next item."""
    clock = Clock()
    held = budget(clock, products_per_minute=1000)

    assert held.take(500) == 0.0
    assert held.take(100) == pytest.approx(30.0)


def test_a_day_has_its_own_allowance() -> None:
    """INTERLEAVING 34: 100,000 a day must not go in the first 100 minutes."""
    clock = Clock()
    held = budget(clock, products_per_minute=1000, products_per_day=1000)
    assert granted(held, 75, 1, bulk=True) == 1

    clock.now += 3600

    # An hour brings 41.7 of 1,000 a day; 25 are left for live items.
    assert held.take(75, bulk=True) == pytest.approx((75 - 1000 / 24) / (1000 / 86_400))


def test_live_items_need_not_wait_for_the_day_to_pass() -> None:
    """Promise 4: half of a day's allowance goes in a busy morning, the rest evenly; bulk makes up for it."""
    clock = Clock()
    held = budget(clock, products_per_day=1000)

    assert granted(held, 10, 100) == 50
    assert held.take(10) == pytest.approx(10 / (1000 / 86_400))
    # Bulk work has a quarter of 100 less, and waits until the 400 are made up for.
    assert held.take(1, bulk=True) == pytest.approx((400 + 1 + 25) / (1000 / 86_400))


def test_live_items_never_exceed_the_day() -> None:
    """Half at once, and whatever is asked for each hour: 1,000 in the day, nearly all of them."""
    clock = Clock()
    held = budget(clock, products_per_day=1000)
    taken = 0
    for _ in range(24):
        taken += granted(held, 1, 1000)
        clock.now += 3600 - 1

    assert 970 <= taken <= 1000


@pytest.mark.parametrize("feed", ["prices", "priceBooks"])
def test_prices_have_an_allowance_of_their_own(feed: str) -> None:
    """50,000 a minute, outside the products' day."""
    held = budget(Clock(), feed, products_per_minute=1, products_per_day=1, prices_per_minute=50_000)

    assert granted(held, 500, 11) == 10


def test_feeds_share_the_requests_of_a_target() -> None:
    """INTERLEAVING 34: 100 requests at once are 100 for all feeds together."""
    held = budget(Clock(), requests_per_minute=300)
    assert granted(held, 1, 60) == 60

    assert granted(Asked(held.budget, "categories"), 1, 100) == 40


def test_bulk_leaves_a_rest_for_the_live_edit_that_comes_next() -> None:
    """Promise 4: a quarter of the burst."""
    held = budget(Clock(), requests_per_minute=300)

    assert granted(held, 1, 200, bulk=True) == 75
    assert granted(held, 1, 200) == 25


def test_live_items_go_in_smaller_requests_rather_than_wait_for_a_full_one() -> None:
    """100 at once; 30 of 40 that come behind 70 go now."""
    held = budget(Clock(), products_per_minute=1000)
    held.take(70)

    assert held.budget.affordable("products", 40) == 30


def test_bulk_alone_uses_nearly_all_of_the_allowance_and_no_minute_more_than_it() -> None:
    """An hour of full requests under the default allowance; the service may begin its minutes anywhere."""
    clock = Clock()
    held = budget(clock, requests_per_minute=300, products_per_minute=1000)
    size = held.budget.portion("products", 100)
    began_at, sent = clock.now, []
    while clock.now < began_at + 3600:
        wait_s = held.take(size, bulk=True)
        if wait_s:
            clock.now += wait_s
        else:
            sent.append(clock.now)

    assert len(sent) * size >= 0.98 * 60_000
    assert all(size * sum(begin <= at < begin + 60 for at in sent) <= 1000 for begin in sent)


@settings(max_examples=100, deadline=None)
@given(
    rate=st.integers(1, 2_000),
    steps=st.lists(st.tuples(st.floats(0, 90), st.integers(1, 300)), min_size=1, max_size=60),
)
def test_no_window_ever_holds_more_than_its_share_and_one_burst(
    rate: int, steps: list[tuple[float, int]]
) -> None:
    """Whatever is asked when: items of any window <= rate x window + burst + what one request may owe."""
    clock = Clock()
    held = budget(clock, products_per_minute=rate)
    burst = max(rate * 0.1, min(rate, 100))
    taken: list[tuple[float, int]] = []
    for pause_s, items in steps:
        clock.now += pause_s
        if held.take(items) == 0.0:
            taken.append((clock.now, items))

    for first, (begin, _) in enumerate(taken):
        for last in range(first, len(taken)):
            window = taken[first : last + 1]
            owed = max(0.0, window[-1][1] - burst)
            allowed = rate * (taken[last][0] - begin) / 60 + burst + owed
            assert sum(items for _, items in window) <= allowed + 1e-6


def test_what_an_earlier_process_spent_in_the_day_is_not_spent_again() -> None:
    """960 of 1,000 went 23 and 2 hours ago: 40 may go, and more when the older ones are a day old."""
    clock = Clock()
    held = Budget(BudgetSettings(**{**UNLIMITED, "products_per_day": 1_000}), clock)

    held.recover("products", [(23 * 3600.0, 400), (2 * 3600.0, 560)])

    assert held.affordable("products", 1_000) == 40
    clock.now += 3_900
    assert held.affordable("products", 1_000) == 440


def test_an_earlier_spending_is_not_counted_twice() -> None:
    """A process that becomes the active one again knows its own better than its statuses tell."""
    clock = Clock()
    held = Budget(BudgetSettings(**{**UNLIMITED, "products_per_day": 200}), clock)
    held.spend("products", 100)
    clock.now += 12 * 3600
    held.spend("products", 100)

    held.recover("products", [(12 * 3600.0, 90), (0.0, 90)])

    assert held.affordable("products", 200) == 0
    clock.now += 12 * 3600 + 300
    assert held.affordable("products", 200) == 100


def test_the_burst_of_an_earlier_process_is_not_granted_anew() -> None:
    """100 may go at once; they went a moment before the restart."""
    clock = Clock()
    held = Budget(BudgetSettings(**{**UNLIMITED, "products_per_minute": 600}), clock)

    held.recover("products", [(0.0, 100)])

    assert held.wait_s("products", 60) == pytest.approx(6, abs=0.5)
