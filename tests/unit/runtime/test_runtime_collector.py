"""The rare search for cyclic garbage."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from runtime import collector


@pytest.fixture(autouse=True)
def _threshold_as_it_was() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


class Knot:
    """Holds itself."""

    def __init__(self) -> None:
        self.me = self


def test_cycles_are_still_found() -> None:
    """Later than by Python's own threshold, but within as many values as a few batches make."""
    collector.relax()
    knot = weakref.ref(Knot())
    kept = [[] for _ in range(1_000)]
    early = knot() is not None
    kept += [[] for _ in range(2 * collector.NEW_VALUES)]

    assert early
    assert knot() is None
