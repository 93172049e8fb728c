"""Hashes by key in a few bytes an item: as a dictionary would hold them."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from commerce_sync.proof.holding import NOTHING, Holding, digest

# Few keys, so that they come again, in few buckets.
KEYS = st.integers(0, 40).map(lambda n: (n % 3) << 56 | n)
STEPS = st.lists(st.tuples(st.sampled_from(["put", "ask"]), KEYS, st.integers(0, 5)))


@given(STEPS)
def test_it_holds_what_a_dictionary_would(steps: list[tuple[str, int, int]]) -> None:
    """The newest counts, NOTHING takes away, and what nobody asked for is told."""
    holding, expected, asked = Holding(), {}, set()
    for step, key, content in steps:
        if step == "put":
            holding.put(key, content)
            expected.pop(key, None)
            if content != NOTHING:
                expected[key] = content
        else:
            assert holding.content(key) == expected.get(key, NOTHING)
            if key in expected:
                asked.add(key)
        asked &= expected.keys()

    assert len(holding) == len(expected)
    assert set(holding.never_asked()) == expected.keys() - asked


def test_a_log_that_repeats_itself_takes_no_more_room_than_its_items() -> None:
    """Twenty versions of each of 20,000 items would be 6.4 MB; the items are 0.3, their buckets' slack 1."""
    tracemalloc.start()
    try:
        holding = Holding()
        keys = [digest(str(number).encode()) for number in range(20_000)]
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for version in range(1, 21):
            for key in keys:
                holding.put(key, version)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak - before < 3_000_000
    assert len(holding) == len(keys)
