"""A partition that was paused, went away and comes back: the same cases for the fake and the real client."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.cimpl import NewTopic
from fake_kafka import FakeConsumer, FakeMessage

from commerce_sync.local.stack import Stack
from runtime import settings as settings_module
from runtime.kafka import admin_client, producer, reader, take_up
from runtime.settings import KafkaSettings

TOPIC = f"paused-partitions-{secrets.token_hex(4)}"
# Of 10 ms; a client that hands something out does so in a few.
SILENCE_POLLS = 100
RECORDS = 5
# Where reading goes on.
PLACE = TopicPartition(TOPIC, 0, 1)


@pytest.fixture(scope="module")
def kafka(stack: Stack) -> Iterator[KafkaSettings]:
    """A broker that has the topic, with five records."""
    settings = settings_module.load(environ=stack.environment()).kafka
    admin = admin_client(settings)
    admin.create_topics([NewTopic(TOPIC, 1, 1)])[TOPIC].result()
    client = producer(settings, TOPIC)
    for number in range(RECORDS):
        client.produce(TOPIC, str(number), partition=0)
    client.flush(10)
    yield settings
    admin.delete_topics([TOPIC])[TOPIC].result()


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.stack)])
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A consumer that is given partitions by hand."""
    if request.param == "fake":
        steps = [lambda _: [FakeMessage(TOPIC, n) for n in range(RECORDS)], *[lambda _: []] * SILENCE_POLLS]
        yield FakeConsumer([], *steps)
        return
    consumer = reader(request.getfixturevalue("kafka"), TOPIC)
    yield consumer
    consumer.close()


def handed_out(client: Any, wanted: int) -> list[int]:
    """Offsets in the order they come; fewer when the client is silent before."""
    offsets: list[int] = []
    silence = 0
    while len(offsets) < wanted and silence < SILENCE_POLLS:
        message = client.poll(0.01)
        silence += 1
        if message is not None and message.error() is None:
            offsets.append(message.offset())
            silence = 0
    return offsets


def comes_back_paused(client: Any) -> None:
    client.assign([TopicPartition(TOPIC, 0, 0)])
    assert handed_out(client, 1) == [0]
    client.pause([PLACE])
    client.unassign()


def test_a_pause_outlives_the_assignment(client: Any) -> None:
    """The reason for `take_up`, and what the fake has to do."""
    comes_back_paused(client)

    client.assign([PLACE])

    assert handed_out(client, 1) == []


def test_what_is_taken_up_is_read_from_its_offset_on(client: Any) -> None:
    """Whatever was paused before."""
    comes_back_paused(client)

    take_up(client, [PLACE])

    assert handed_out(client, RECORDS - 1) == list(range(1, RECORDS))
