"""A block that takes too long ends the process, one that does not is left alone."""

import threading

from runtime.deadline import Deadline

LOOK_S = 0.001


def test_a_block_that_takes_too_long_is_told() -> None:
    """From another thread: the one inside may be held in a call that nothing interrupts."""
    told = threading.Event()
    deadline = Deadline(0.01, told.set, LOOK_S)

    with deadline:
        late = told.wait(10)
    deadline.close()

    assert late


def test_a_block_that_was_left_in_time_is_forgotten() -> None:
    """What comes between two blocks may take as long as it likes."""
    told = threading.Event()
    deadline = Deadline(0.05, told.set, LOOK_S)

    with deadline:
        pass
    late = told.wait(0.2)
    deadline.close()

    assert not late
