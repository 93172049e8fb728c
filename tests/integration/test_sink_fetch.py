"""Feed records read beside the scan, on a real broker: ranges, pointers, gaps, aborted transactions."""

import secrets
import time
from collections.abc import Iterator

import pytest
from confluent_kafka.cimpl import NewTopic
from fake_target import feed_record

from commerce_sync.local.stack import Stack
from consumers.sink.batch import Contents
from consumers.sink.dialects.optimizer import OptimizerDialect
from consumers.sink.fetcher import Fetcher
from consumers.sink.inbox import Fetched, Inbox
from consumers.sink.mapper import Mapper
from consumers.sink.mapping import content
from consumers.sink.waiting import Fetch
from runtime import settings as settings_module
from runtime.kafka import admin_client, producer, read_to_end, reader, transactional_producer
from runtime.settings import KafkaSettings

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def kafka(stack: Stack) -> KafkaSettings:
    return settings_module.load(environ=stack.environment()).kafka


@pytest.fixture(scope="module")
def topic(kafka: KafkaSettings) -> Iterator[str]:
    """Offsets 0-9, marker 10, aborted 11-12, marker 13, 14-1013, marker 1014."""
    name = f"fetch-{secrets.token_hex(4)}"
    admin = admin_client(kafka)
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    client = transactional_producer(kafka, name, f"{name}.group", name)
    for count, keep in ((10, True), (2, False), (1_000, True)):
        client.begin_transaction()
        for number in range(count):
            client.produce(name, key=b"key", value=f"{count}-{number}".encode(), partition=0)
        client.flush(10)
        if keep:
            client.commit_transaction(10)
        else:
            client.abort_transaction(10)
    yield name
    admin.delete_topics([name])[name].result()


@pytest.fixture(scope="module")
def tombstones(kafka: KafkaSettings) -> Iterator[str]:
    """Six records; every second one is a tombstone, or has an empty value."""
    name = f"tombstones-{secrets.token_hex(4)}"
    admin = admin_client(kafka)
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    client = producer(kafka, name)
    for value in (None, b"1", b"", b"3", None, b"5"):
        client.produce(name, key=b"key", value=value, partition=0)
    client.flush(10)
    yield name
    admin.delete_topics([name])[name].result()


@pytest.fixture(scope="module")
def fetcher(kafka: KafkaSettings, topic: str) -> Iterator[tuple[Fetcher, Inbox]]:
    inbox = Inbox()
    held = Fetcher(reader(kafka, f"{topic}.reader"), inbox, Mapper(OptimizerDialect()))
    held.start()
    yield held, inbox
    held.stop()


def fetched(fetcher: tuple[Fetcher, Inbox], fetch: Fetch) -> tuple[list[int], int]:
    """Offsets that came, and the position behind them."""
    held, inbox = fetcher
    held.ask(fetch)
    event = inbox.get(timeout=20)
    assert isinstance(event, Fetched)
    assert event.fetch is fetch
    return [record.offset for record in event.records], event.next_offset


@pytest.mark.parametrize("begin", range(6))
def test_a_tombstone_that_comes_first_is_read_as_any_other(
    kafka: KafkaSettings, fetcher: tuple[Fetcher, Inbox], tombstones: str, begin: int
) -> None:
    """The client's messages count as false when their value is empty: a delete would be passed unseen."""
    consumer = reader(kafka, f"{tombstones}.reader")
    try:
        read = [record.offset for record in read_to_end(consumer, tombstones, [0], {0: begin})]
    finally:
        consumer.close()

    assert read == [*range(begin, 6)]
    assert fetched(fetcher, Fetch("products", tombstones, 0, begin, 6)) == (read, 6)


def test_a_range_ends_where_it_was_asked_to_end(fetcher: tuple[Fetcher, Inbox], topic: str) -> None:
    """What lies behind is left, markers and what was aborted are passed."""
    assert fetched(fetcher, Fetch("products", topic, 0, 5, 16)) == ([5, 6, 7, 8, 9, 14, 15], 16)


def test_a_range_of_markers_alone_is_passed(fetcher: tuple[Fetcher, Inbox], topic: str) -> None:
    """Or the bulk position would stand before them for ever."""
    assert fetched(fetcher, Fetch("products", topic, 0, 10, 14)) == ([], 14)


def test_a_long_range_comes_in_pieces(fetcher: tuple[Fetcher, Inbox], topic: str) -> None:
    """The next fetch begins behind the last record."""
    offsets, position = fetched(fetcher, Fetch("products", topic, 0, 14, 1_014, records_max=300))

    assert (offsets, position) == (list(range(14, 314)), 314)


def test_pointers_are_found_wherever_they_are(fetcher: tuple[Fetcher, Inbox], topic: str) -> None:
    """Near and far ones; what was aborted is not there."""
    wanted = (0, 3, 11, 900, 1_013)

    offsets, _ = fetched(fetcher, Fetch("products", topic, 0, 0, 1_014, wanted))

    assert [offset for offset in offsets if offset in wanted] == [0, 3, 900, 1_013]
    assert len(offsets) < 200


def test_bulk_work_comes_mapped(fetcher: tuple[Fetcher, Inbox], kafka: KafkaSettings, topic: str) -> None:
    """By a process of its own, from the broker's bytes to the service's."""
    name, (held, inbox) = f"{topic}-items", fetcher
    records = [feed_record(f"sku-{number}", number) for number in range(120)]
    admin = admin_client(kafka)
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    client = producer(kafka, name)
    for record in records:
        client.produce(name, key=record.key, value=record.value, partition=0)
    client.flush(10)

    contents: Contents = ()
    deadline = time.monotonic() + 20
    while not contents and time.monotonic() < deadline:
        # Before the process is there, items come as they are.
        held.ask(Fetch("products", name, 0, 0, 120))
        event = inbox.get(timeout=20)
        assert isinstance(event, Fetched)
        contents = event.contents
    admin.delete_topics([name])[name].result()

    dialect = OptimizerDialect()
    assert list(contents) == [content(dialect, "products", record.value or b"") for record in records]
