"""Hashes by key in a few bytes an item: as a dictionary would hold them."""

import tracemalloc

from hypothesis import example, given
from hypothesis import strategies as st

from commerce_sync.proof.holding import NOTHING, Holding, digest

# Few keys, so that they come again, in few buckets.
KEYS = st.integers(0, 40).map(lambda n: (n % 3) << 56 | n)
STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "ask", "forget asked", "succeed"]), KEYS, st.integers(0, 5))
)


def read_anew(items: dict[int, int], before: Holding) -> Holding:
    holding = Holding()
    for key, content in items.items():
        holding.put(key, content)
    holding.succeed(before)
    return holding


@given(STEPS)
@example([("put", 1, 1), ("ask", 1, 0), ("put", 1, NOTHING), ("put", 1, 2)])
def test_it_holds_what_a_dictionary_would(steps: list[tuple[str, int, int]]) -> None:
    """The newest counts, NOTHING takes away, and what nobody asked for is told.

    Of what was there when asking began anew: what came later counts as asked for.
    """
    holding, expected, asked, began_anew = Holding(), {}, set(), False
    for step, key, content in steps:
        known = set(expected)
        if step == "put":
            holding.put(key, content)
            expected[key] = content
        elif step == "forget asked":
            holding.forget_asked()
            asked, began_anew = set(), True
        elif step == "succeed":
            # The same place, read once more; this key came or changed meanwhile.
            expected[key] = content
            holding = read_anew(expected, holding)
        else:
            assert holding.content(key) == expected.get(key, NOTHING)
            asked.add(key)
        expected = {key: content for key, content in expected.items() if content != NOTHING}
        asked = (asked | (expected.keys() - known if began_anew else set())) & expected.keys()

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
