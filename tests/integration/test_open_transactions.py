"""State that is read while the transaction that wrote it last is still being decided, on a real broker."""

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

import runtime.kafka
from commerce_sync.local.stack import Stack
from runtime import settings as settings_module
from runtime.errors import Fault
from runtime.kafka import admin_client, read_to_end, reader, transactional_producer
from runtime.settings import KafkaSettings

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def kafka(stack: Stack) -> KafkaSettings:
    return settings_module.load(environ=stack.environment()).kafka


@pytest.fixture
def topic(kafka: KafkaSettings) -> Iterator[str]:
    name = f"open-{secrets.token_hex(4)}"
    admin = admin_client(kafka)
    admin.create_topics([NewTopic(name, 1, 1)])[name].result()
    yield name
    admin.delete_topics([name])[name].result()


@pytest.mark.parametrize(
    ("decide", "values"),
    [(Producer.commit_transaction, [b"old", b"new"]), (Producer.abort_transaction, [b"old"])],
    ids=["committed", "aborted"],
)
def test_what_is_read_ends_behind_the_transaction_at_the_end(
    kafka: KafkaSettings, topic: str, decide: Callable[[Producer, float], None], values: list[bytes]
) -> None:
    """A predecessor's offsets count before its records are seen: state without them leaves items over."""
    client = transactional_producer(kafka, topic, f"{topic}.group", topic)
    client.begin_transaction()
    client.produce(topic, key=b"key", value=b"old", partition=0)
    client.commit_transaction(10)
    client.begin_transaction()
    client.produce(topic, key=b"key", value=b"new", partition=0)
    client.flush(10)
    asker, end_reader = reader(kafka, topic), reader(kafka, topic, sees_open=True)

    def read() -> list[bytes | None]:
        return [record.value for record in read_to_end(asker, topic, [0], end_reader=end_reader)]

    with ThreadPoolExecutor(1) as pool:
        reading: Future[list[bytes | None]] = pool.submit(read)
        with pytest.raises(NotYet):
            reading.result(timeout=2)
        decide(client, 10)

        assert reading.result(timeout=20) == values
    asker.close()
    end_reader.close()


def test_a_transaction_that_nobody_decides_is_told(
    kafka: KafkaSettings, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader does not wait in silence for ever; the sentence names topic, partition and a tool."""
    monkeypatch.setattr(runtime.kafka, "OPEN_S_MAX", 2.0)
    client = transactional_producer(kafka, topic, f"{topic}.group", topic)
    client.begin_transaction()
    client.produce(topic, key=b"key", value=b"new", partition=0)
    client.flush(10)
    asker, end_reader = reader(kafka, topic), reader(kafka, topic, sees_open=True)

    with pytest.raises(
        Fault, match=rf"{topic} \[0\]: the end was not seen .* 'kafka-transactions find-hanging'"
    ):
        list(read_to_end(asker, topic, [0], end_reader=end_reader))

    client.abort_transaction(10)
    asker.close()
    end_reader.close()
