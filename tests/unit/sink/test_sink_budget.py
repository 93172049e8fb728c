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


def budget(clock: Clock, feed: str = "products", **limits: int) -> Budget:
    return Budget(BudgetSettings(**{**UNLIMITED, **limits}), feed, clock)


def granted(held: Budget, items: int, tries: int) -> int:
    """How many of some requests go at once."""
    return sum(held.take(items) == 0.0 for _ in range(tries))


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
    clock.now += 60.001

    assert min(waits) == pytest.approx(60.0)
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
    assert granted(held, 100, 1) == 1

    clock.now += 3600

    # An hour brings 41.7 of 1,000 a day.
    assert held.take(100) == pytest.approx((100 - 1000 / 24) / (1000 / 86_400))


@pytest.mark.parametrize("feed", ["prices", "priceBooks"])
def test_prices_have_an_allowance_of_their_own(feed: str) -> None:
    """50,000 a minute, outside the products' day."""
    held = budget(Clock(), feed, products_per_minute=1, products_per_day=1, prices_per_minute=50_000)

    assert granted(held, 500, 11) == 10


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
