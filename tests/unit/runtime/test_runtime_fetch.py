"""Records are read by their places, several in one go."""

from runtime.fetch import NEAR_OFFSETS, near_offsets


def test_records_that_lie_near_each_other_are_read_together() -> None:
    """A long way between two is not read through."""
    far = 3 + NEAR_OFFSETS + 1

    assert list(near_offsets([1, 2, 3, far, far + NEAR_OFFSETS])) == [[1, 2, 3], [far, far + NEAR_OFFSETS]]
    assert list(near_offsets([])) == []
