"""Bulk work is mapped by another process: the same, or left to the scheduler; it never outlives its sink."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import SimpleQueue

import psutil
import pytest
from fake_registry import FakeRegistry, serving
from fake_target import FakeSender, feed_record
from sink_drive import Drive

from consumers.sink import waiting
from consumers.sink.batch import Content, Contents
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.mapper import ANSWER_S_MAX, Mapper
from consumers.sink.mapping import content
from runtime.registry import use_registry
from schemas import codec
from schemas.topics import TopicNames

DIALECT = OptimizerDialect()
WAIT_S = 30.0


@contextmanager
def started(answer_s_max: float = ANSWER_S_MAX) -> Iterator[Mapper]:
    """One whose process is there."""
    held = Mapper(DIALECT, answer_s_max)
    try:
        deadline = time.monotonic() + WAIT_S
        while not mapped(held, values(1)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield held
    finally:
        held.stop()


@pytest.fixture
def mapper() -> Iterator[Mapper]:
    with started() as held:
        yield held


def mapped(mapper: Mapper, values: Sequence[bytes | None]) -> Contents:
    answers: SimpleQueue[Contents] = SimpleQueue()
    mapper.map("products", values, answers.put)
    return answers.get(timeout=WAIT_S)


def values(count: int) -> list[bytes | None]:
    return [feed_record(f"sku-{n}", n, name=f"Näme {n}").value for n in range(count)]


def children() -> list[psutil.Process]:
    """Those that map; Python has one more that minds what processes share."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]


def test_it_gives_what_the_scheduler_would_make_of_it(mapper: Mapper) -> None:
    """Body, hash and all; tombstones and what nobody can read are the scheduler's."""
    good = values(3)

    given = mapped(mapper, [*good, None, b"no avro", feed_record("bad", 9, name=None).value])

    assert given[:3] == [content(DIALECT, "products", value or b"") for value in good]
    assert list(given[3:]) == [None, None, None]


def test_answers_come_in_the_order_of_the_questions(mapper: Mapper) -> None:
    answers: SimpleQueue[tuple[int, Contents]] = SimpleQueue()
    for number in range(20):
        mapper.map("products", values(1 + number), lambda given, n=number: answers.put((n, given)))  # type: ignore[misc]

    came = [answers.get(timeout=WAIT_S) for _ in range(20)]

    assert [(number, len(given)) for number, given in came] == [(n, 1 + n) for n in range(20)]


def test_it_reads_what_a_registry_has_the_schema_of() -> None:
    """The process asks the same registry as the sink."""
    with serving(FakeRegistry()) as url:
        use_registry(url, TopicNames("cs"))
        try:
            value = feed_record("A", 0).value

            with started() as mapper:
                (given,) = mapped(mapper, [value])

            assert value is not None
            assert value[:1] == b"\x00"
            assert given == content(DIALECT, "products", value)
        finally:
            codec.use(None)


def test_when_it_dies_the_scheduler_maps_everything(mapper: Mapper) -> None:
    """What was asked last is answered too, with nothing."""
    (child,) = children()
    child.kill()
    child.wait(WAIT_S)

    assert [list(mapped(mapper, values(2))) for _ in range(3)] == [[], [], []]


def test_one_that_hangs_is_killed() -> None:
    """Bulk work would wait for it; so would a sink that ends."""
    with started(answer_s_max=0.5) as mapper:
        (child,) = children()
        child.suspend()

        assert [list(mapped(mapper, values(2))) for _ in range(2)] == [[], []]
        child.wait(WAIT_S)


def test_one_that_hangs_does_not_keep_its_sink_from_ending() -> None:
    with started(answer_s_max=0.5) as mapper:
        (child,) = children()
        child.suspend()
        answers: SimpleQueue[Contents] = SimpleQueue()
        mapper.map("products", values(2), answers.put)

        mapper.stop()

        assert answers.get(timeout=WAIT_S) == ()
        assert not child.is_running()


def test_it_ends_with_its_sink(mapper: Mapper) -> None:
    (child,) = children()

    mapper.stop()

    assert not child.is_running()


def test_nobody_waits_for_it_to_start() -> None:
    """Items go meanwhile."""
    held = Mapper(DIALECT)
    try:
        assert mapped(held, values(1)) == ()
    finally:
        held.stop()


_SINK = """
import signal, time
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.mapper import Mapper
if __name__ == "__main__":
    mapper, answers = Mapper(OptimizerDialect()), []
    while not any(answers):
        mapper.map("products", [b""], answers.append)
        time.sleep(0.05)
    print("mapped", flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_does_not_outlive_a_sink_that_is_killed(number: signal.Signals) -> None:
    """Nobody tells it then."""
    with subprocess.Popen([sys.executable, "-c", _SINK], stdout=subprocess.PIPE) as sink:
        assert sink.stdout is not None
        assert sink.stdout.readline() == b"mapped\n"
        below = psutil.Process(sink.pid).children(recursive=True)
        os.kill(sink.pid, number)
        sink.wait(WAIT_S)

    _, alive = psutil.wait_procs(below, timeout=WAIT_S)

    assert below
    assert alive == []


# What the scheduler does with it.


def test_what_came_mapped_is_sent_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    """Body and hash are not made again."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 0)
    held = Drive(FakeSender())
    record = feed_record("A", 0, lane="bulk")
    held.append(record)
    held.scan()
    (fetch,) = held.delivery.fetches()

    held.delivery.fetched(fetch, [record], 1, [Content(b'{"sku":"A","mapped":"ahead"}', "hash", (), "")])
    (request,) = held.delivery.requests()

    assert request.body == b'[{"sku":"A","mapped":"ahead"}]'
    assert request.items[0].hash == "hash"


def test_a_newer_version_is_not_sent_as_the_older_was_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes by the scan, which maps nothing ahead."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 0)
    held = Drive(FakeSender())
    record = feed_record("A", 0, lane="bulk", name="old")
    held.append(record)
    held.scan()
    (fetch,) = held.delivery.fetches()
    held.delivery.fetched(fetch, [record], 1, [content(DIALECT, "products", record.value or b"")])
    held.append(feed_record("A", 1, lane="live", name="new"))
    held.scan()

    (request,) = held.delivery.requests()

    assert b'"new"' in request.body


@pytest.mark.parametrize(("is_mapped", "takes_more"), [(False, True), (True, False)])
def test_what_came_mapped_is_counted_with_what_waits_in_memory(
    monkeypatch: pytest.MonkeyPatch, is_mapped: bool, takes_more: bool
) -> None:
    """A record and what was made of it: more is taken up below half of what memory allows."""
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 0)
    record = feed_record("A", 0, lane="bulk")
    value = record.value or b""
    held = Drive(FakeSender())
    held.append(record)
    held.scan()
    (fetch,) = held.delivery.fetches()
    monkeypatch.setattr(waiting, "BULK_ITEMS_MAX", 10)
    monkeypatch.setattr(waiting, "RECORD_BYTES_MAX", 2 * len(value))

    held.delivery.fetched(fetch, [record], 1, [content(DIALECT, "products", value)] if is_mapped else [])

    assert held.delivery.feed("products").waiting.takes_bulk is takes_more
