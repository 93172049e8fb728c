"""How many requests go at once, whether any goes, and when so many items fail that none is to go."""

import pytest

from consumers.sink.circuit import OURS_S, PROBE_S, WINDOW_MAX, Circuit, Guard, Window


def opened(now: float = 0.0) -> Circuit:
    """Three failures in a row."""
    circuit = Circuit()
    for _ in range(3):
        circuit.failed(now, "503")
    return circuit


def test_three_failures_in_a_row_open_it_and_one_success_closes_it() -> None:
    circuit = Circuit()
    circuit.failed(0, "503")
    circuit.failed(0, "503")
    circuit.succeeded()
    circuit.failed(0, "503")
    closed = circuit.is_open

    circuit.failed(0, "503")
    circuit.failed(0, "504")

    assert (closed, circuit.is_open, circuit.reason) == (False, True, "504")
    assert circuit.succeeded()
    assert not circuit.succeeded()
    assert circuit.permits(0) == "all"


def test_one_probe_at_a_time_goes_when_its_time_has_come() -> None:
    """What it tells is waited for, however long that takes."""
    circuit = opened()

    early, due = circuit.permits(PROBE_S[0] - 0.01), circuit.permits(PROBE_S[0])
    circuit.probing()
    beside = circuit.permits(1_000)
    circuit.passed()

    assert (early, due, beside, circuit.permits(1_000)) == ("none", "probe", "none", "probe")


def test_probes_come_more_and_more_slowly() -> None:
    """Only their own failures count: those of requests under way when it opened do not."""
    circuit = opened()
    circuit.failed(0, "503")
    circuit.failed(0, "503")
    waits = []
    for _ in range(8):
        now = circuit.probe_at
        circuit.probing()
        circuit.failed(now, "503")
        waits.append(circuit.probe_at - now)

    assert waits == [1, 2, 5, 10, 20, 30, 30, 30]


def test_what_is_about_us_opens_it_at_once() -> None:
    circuit = Circuit()

    circuit.refused_us(100, "401")

    assert (circuit.permits(100 + OURS_S - 1), circuit.permits(100 + OURS_S)) == ("none", "probe")


def test_the_window_widens_by_one_a_round_and_halves() -> None:
    """Never beyond its limit, never below one; bulk leaves one request for a live edit."""
    window = Window()
    start = window.size
    for _ in range(start):
        window.widen()
    wider = window.size
    for _ in range(100):
        window.widen()
    widest = (window.size, window.bulk_size)
    window.narrow()
    half = window.size
    for _ in range(10):
        window.narrow()

    assert (start, wider) == (4, 4)
    assert widest == (WINDOW_MAX, WINDOW_MAX - 1)
    assert half == WINDOW_MAX // 2
    assert (window.size, window.bulk_size) == (1, 1)


def judged(guard: Guard, *runs: tuple[int, bool]) -> Guard:
    for times, parked in runs:
        for _ in range(times):
            guard.judged(parked)
    return guard


@pytest.mark.parametrize(
    ("runs", "trips"),
    [
        ([(199, True)], False),
        ([(200, True)], True),
        ([(100, False), (100, True)], False),
        ([(99, False), (101, True)], True),
        # The last thousand alone.
        ([(1_000, True), (500, False)], False),
        ([(1_000, False), (501, True)], True),
        ([(5_000, True), (1_000, False), (500, True)], False),
    ],
)
def test_the_guard_trips_when_more_than_its_share_failed(runs: list[tuple[int, bool]], trips: bool) -> None:
    """Of the last thousand, of two hundred at least."""
    assert judged(Guard(50), *runs).trips is trips


def test_a_guard_that_forgot_begins_anew() -> None:
    guard = judged(Guard(50), (1_000, True))

    guard.forget()

    assert not guard.trips
    assert not judged(guard, (199, True)).trips
    assert judged(guard, (1, True)).trips
    assert guard.reason.startswith("200 of the last 200 items failed")
