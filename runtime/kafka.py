"""Kafka clients with every option that matters written out, and how failures are judged."""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from runtime.deadline import Deadline, start_over
from runtime.errors import Fault, Unreachable, UsageError
from runtime.record import Record, from_message
from runtime.settings import KafkaSettings
from schemas.topics import MESSAGE_BYTES_MAX

T = TypeVar("T")

ADMIN_TIMEOUT_S: Final = 20.0
# Answers of a broker that does not speak for a group yet, or no more: a new one's positions are being loaded.
_COORDINATOR_MOVES: Final = frozenset(
    {
        KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
    }
)
_NO_SUCH_PLACE: Final = frozenset(
    {
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    }
)
_COORDINATOR_RETRY_S: Final = 0.2
SESSION_TIMEOUT_MS: Final = 10_000
# The broker aborts a transaction that is older; an abandoned one stops readers until then.
TRANSACTION_TIMEOUT_S: Final = 30.0
# It looks for those every ten seconds.
OPEN_S_MAX: Final = TRANSACTION_TIMEOUT_S + 30
# The client library's own lines: in a role they join the log; a command, which sets up no log, says what
# failed itself and stays quiet otherwise.
_CLIENT_LOG: Final = logging.getLogger("librdkafka")
_CLIENT_LOG.addHandler(logging.NullHandler())


def _common(settings: KafkaSettings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "socket.nagle.disable": True,  # Small requests in turn: waiting to fill a packet costs 40 ms.
        "log.connection.close": False,
        "logger": _CLIENT_LOG,
        **settings.client,
    }


def admin_client(settings: KafkaSettings) -> AdminClient:
    """A short-lived client that asks.

    Raises:
        UsageError: `kafka.client` holds a property or a value that the client library does not know.
    """
    options = {
        # Every failure comes back as an exception; a dead broker would be told 20 times a second besides.
        "log_level": 2,
        **_common(settings),
        "socket.timeout.ms": int(ADMIN_TIMEOUT_S * 1000),
    }
    try:
        return AdminClient(options)
    except KafkaException as error:
        message = f"kafka.client: {error.args[0].str()}: correct its spelling or remove it"
        raise UsageError(message) from error


def require_broker(settings: KafkaSettings, timeout_s: float = 10) -> None:
    """Ask for the cluster's metadata.

    Raises:
        Unreachable: naming kafka.bootstrap_servers.
    """
    try:
        admin_client(settings).list_topics(timeout=timeout_s)
    except KafkaException as error:
        message = (
            f"kafka.bootstrap_servers = {settings.bootstrap_servers}: no broker answers "
            f"({error.args[0].str()}); start it or correct the address"
        )
        raise Unreachable(message) from error


def group_consumer(
    settings: KafkaSettings,
    group: str,
    client_id: str,
    session_timeout_ms: int = SESSION_TIMEOUT_MS,
    *,
    is_hurried: bool = True,
) -> Consumer:
    """A member of a consumer group that commits only what it was told to.

    Args:
        is_hurried: records are handed out as soon as they are there. Else the broker gathers them a moment,
            and is asked a few times a second instead of once a record.
    """
    return Consumer(
        {
            **_common(settings),
            "group.id": group,
            "client.id": client_id,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,  # Offsets go with the outcome, never by a timer.
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",  # A lost position means resync, never a silent jump.
            # A process that was killed and started again takes its partitions back at once, instead of
            # waiting until the group has noticed its death; an older one that still lives is fenced.
            "group.instance.id": client_id,
            # One worker owns partition n of every lane; cooperative-sticky splits pairs.
            "partition.assignment.strategy": "range",
            "session.timeout.ms": session_timeout_ms,
            "heartbeat.interval.ms": 2_000,
            "max.poll.interval.ms": 300_000,
            # A reader of transactions is not always woken when one ends: about one change in fifty waited the
            # whole of this time, however much there was to read.
            "fetch.wait.max.ms": 50 if is_hurried else 250,
            "fetch.min.bytes": 1 if is_hurried else 65_536,
            "fetch.queue.backoff.ms": 5,  # A full queue is drained in milliseconds, not after a second.
            "queued.max.messages.kbytes": 32_768,
            "fetch.message.max.bytes": 4_194_304,
            "topic.metadata.refresh.interval.ms": 30_000,
        }
    )


def reader(settings: KafkaSettings, client_id: str, *, sees_open: bool = False) -> Consumer:
    """A consumer without a group's duties: it reads what it is assigned and commits nothing.

    Args:
        sees_open: records of transactions that are not decided yet are seen, too.
    """
    return Consumer(
        {
            **_common(settings),
            "group.id": f"{client_id}.reader",  # Required by the client, never used for commits.
            "client.id": client_id,
            "isolation.level": "read_uncommitted" if sees_open else "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            # How long the broker holds a request at a log's end. A reader goes from one log to the next and
            # would wait that long each time: its client asks ahead, and takes back nothing it has asked.
            "fetch.wait.max.ms": 10,
            "fetch.queue.backoff.ms": 5,
            # Read ahead of us; the usual 64 MB would be the greater part of what a small process holds.
            "queued.max.messages.kbytes": 8_192,
        }
    )


def _producer_options(settings: KafkaSettings, client_id: str) -> dict[str, Any]:
    return {
        **_common(settings),
        "client.id": client_id,
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 1,
        "compression.type": "lz4",
        "message.max.bytes": MESSAGE_BYTES_MAX,
        "queue.buffering.max.messages": 500_000,
    }


def producer(settings: KafkaSettings, client_id: str) -> Producer:
    """An idempotent producer without transactions."""
    return Producer(_producer_options(settings, client_id))


def transactional_producer(
    settings: KafkaSettings, transactional_id: str, group: str, topic: str
) -> Producer:
    """A producer whose id fences every earlier one of the same name, and ends what that one left open.

    Args:
        group: the consumer group whose offsets go with its transactions.
        topic: one that the group reads.

    Raises:
        Unreachable: no broker answers in time.
    """
    client = Producer(
        {
            **_producer_options(settings, transactional_id),
            "transactional.id": transactional_id,
            "transaction.timeout.ms": int(TRANSACTION_TIMEOUT_S * 1000),
            # A commit waits for the previous one's markers by retrying: 100 ms steps would be most of it.
            "retry.backoff.ms": 2,
            "retry.backoff.max.ms": 500,
        }
    )
    deadline = Deadline(TRANSACTION_TIMEOUT_S, start_over)
    try:
        with deadline:
            client.init_transactions(ADMIN_TIMEOUT_S)
            _drop_pending_offsets(client, settings, group, topic)
    except KafkaException as error:
        message = (
            f"kafka.bootstrap_servers = {settings.bootstrap_servers}: transactions of {transactional_id} "
            f"cannot begin ({error.args[0].str()})"
        )
        raise Unreachable(message) from error
    finally:
        deadline.close()
    return client


def _drop_pending_offsets(client: Producer, settings: KafkaSettings, group: str, topic: str) -> None:
    """Abort a transaction with an offset of the group in it.

    A broker that dies between deciding a transaction and telling so to the offsets' partition may never
    tell it afterwards (seen: Kafka 4.3.1 calls the transaction complete, its offsets stay pending). Whoever
    asks for the group's positions then waits for ever. Only another transaction of the same producer ends
    that. What the dropped offsets covered is processed again, which changes nothing.
    """
    asker = Consumer({**_common(settings), "group.id": group})
    try:
        client.begin_transaction()
        metadata = asker.consumer_group_metadata()
        client.send_offsets_to_transaction([TopicPartition(topic, 0, 0)], metadata, ADMIN_TIMEOUT_S)
        client.abort_transaction(ADMIN_TIMEOUT_S)
    finally:
        asker.close()


def take_up(consumer: Consumer, places: list[TopicPartition]) -> None:
    """Read these partitions, and no others, from their offsets on.

    The client keeps a partition paused that went away and came back: it would hand out nothing, for ever.
    """
    consumer.assign(places)
    consumer.resume(places)


def poll_batch(consumer: Consumer, records_max: int, timeout_s: float, gather_s: float = 0.0) -> list[Record]:
    """Wait for one record, then take what else is there; `consume` alone would wait out its timeout.

    Args:
        gather_s: how long others are waited for behind the first.

    Raises:
        Fault: the position is gone or the client is fenced; only a person or a restart helps.
    """
    first = consumer.poll(timeout_s)
    if first is None:
        return []
    messages = [first, *consumer.consume(records_max - 1, gather_s)] if records_max > 1 else [first]
    return [from_message(message) for message in messages if not passing(message)]


def passing(message: Message) -> bool:
    """True for an error that the client mends itself; records are False.

    Raises:
        Fault: the position is gone or the client is fenced. The client says so once and is silent ever after.
    """
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._AUTO_OFFSET_RESET:
        sentence = (
            f"{message.topic()} [{message.partition()}]: the committed position no longer exists; "
            "run 'commerce-sync re-seed' for change topics or 'commerce-sync resync --feed all' for others"
        )
        raise Fault(sentence)
    # In a message only the code says so; `fatal()` is for errors of other calls.
    if error.code() == KafkaError._FATAL or error.fatal():
        sentence = f"Kafka client cannot go on: {error.str()}"
        raise Fault(sentence)
    # Everything else is retried by the client itself (broker down, leader moved).
    return True


def read_to_end(
    consumer: Consumer,
    topic: str,
    partitions: Iterable[int],
    since: Mapping[int, int] | None = None,
    *,
    end_reader: Consumer | None = None,
) -> Iterator[Record]:
    """All committed records of some partitions, from the beginning to the end as it is now.

    Ends only when each partition's end was seen, so what is yielded is complete.

    Args:
        since: offsets to begin at instead, by partition.
        end_reader: who is asked for the ends. With a reader that sees open transactions those at the logs'
            ends are waited for: a transaction that its producer has committed, and whose offsets count, ends
            on each partition a moment later (seen: 30 ms), and is not seen before.

    Raises:
        Unreachable: the broker does not answer.
        Fault: a transaction that is waited for stays open longer than the broker lets any.
    """
    open_until: dict[int, int] = {}
    assignment = []
    for partition in partitions:
        _, end = watermarks(end_reader or consumer, topic, partition)
        begin = (since or {}).get(partition, OFFSET_BEGINNING)
        if end > max(begin, 0):
            open_until[partition] = end
            assignment.append(TopicPartition(topic, partition, begin))
    if not assignment:
        return
    consumer.assign(assignment)
    deadline = time.monotonic() + OPEN_S_MAX
    try:
        while open_until:
            first = consumer.poll(1.0)
            for message in [first, *consumer.consume(5_000, 0)] if first is not None else []:
                error = message.error()
                if error is None:
                    yield from_message(message)
                elif error.code() != KafkaError._PARTITION_EOF:
                    passing(message)
            if first is not None and first.error() is None:
                deadline = time.monotonic() + OPEN_S_MAX
            elif end_reader is not None and time.monotonic() > deadline:
                sentence = (
                    f"{topic} {sorted(open_until)}: the end was not seen for {OPEN_S_MAX:.0f} s; the broker "
                    "does not answer, or a transaction stays open: try 'kafka-transactions find-hanging'"
                )
                raise Fault(sentence)
            # The position passes control records too, which are never handed out.
            for place in consumer.position([TopicPartition(topic, partition) for partition in open_until]):
                if place.offset >= open_until[place.partition]:
                    del open_until[place.partition]
    finally:
        consumer.unassign()


def watermarks(consumer: Consumer, topic: str, partition: int) -> tuple[int, int]:
    """First and next offset of a partition's log.

    Raises:
        Unreachable: the broker does not answer, or the topic does not exist.
    """
    deadline = time.monotonic() + ADMIN_TIMEOUT_S
    while True:
        try:
            low, high = consumer.get_watermark_offsets(TopicPartition(topic, partition), ADMIN_TIMEOUT_S)
        except (KafkaException, TypeError) as error:
            # A topic that was made a moment ago may not have found its leader yet.
            if _electing(error) and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            raise Unreachable(_offsets_not_told(topic, partition, error)) from error
        return low, high


def _electing(error: Exception) -> bool:
    return _code(error) in {KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE}


def _offsets_not_told(topic: str, partition: int, error: Exception) -> str:
    if _code(error) in _NO_SUCH_PLACE:
        return (
            f"topic {topic} has no partition {partition}: the first 'commerce-sync run' makes what is missing"
        )
    cause = error.args[0] if error.args else error
    reason = cause.str() if isinstance(cause, KafkaError) else cause
    return f"{topic} [{partition}]: the broker does not tell its offsets ({reason})"


def _code(error: Exception) -> int | None:
    cause = error.args[0] if error.args else None
    return cause.code() if isinstance(cause, KafkaError) else None


def commit_beginnings(
    admin: AdminClient, consumer: Consumer, group: str, partitions: list[TopicPartition]
) -> int:
    """Give a group a position where it has none: the log's beginning. Returns how many were set.

    With `auto.offset.reset=error` a new group would otherwise have nowhere to start. `consumer` is only
    asked for offsets.

    Raises:
        Unreachable: the broker does not tell or take offsets.
    """
    _await_coordinators(consumer, group, partitions)
    known = committed_offsets(admin, group, partitions)
    missing = [place for place in known if place.offset < 0]
    if not missing:
        return 0
    begin = [
        TopicPartition(place.topic, place.partition, watermarks(consumer, place.topic, place.partition)[0])
        for place in missing
    ]
    _set_positions(admin, group, begin)
    return len(begin)


def raise_positions(
    admin: AdminClient, consumer: Consumer, group: str, partitions: list[TopicPartition]
) -> list[TopicPartition]:
    """Set positions that the log no longer holds to its beginning; returns those that were.

    Whatever stood in between was never read: something must make good for it. The group must have no
    members.

    Raises:
        Unreachable: the broker does not tell or take offsets.
    """
    lost = []
    for place in committed_offsets(admin, group, partitions):
        low, _ = watermarks(consumer, place.topic, place.partition)
        if 0 <= place.offset < low:
            lost.append(TopicPartition(place.topic, place.partition, low))
    if lost:
        _set_positions(admin, group, lost)
    return lost


def _set_positions(admin: AdminClient, group: str, places: list[TopicPartition]) -> None:
    wanted = [ConsumerGroupTopicPartitions(group, places)]
    _of_coordinator(group, lambda: admin.alter_consumer_group_offsets(wanted)[group].result(ADMIN_TIMEOUT_S))


def _await_coordinators(consumer: Consumer, group: str, partitions: list[TopicPartition]) -> None:
    """Have the broker make its topic of positions, which a new one lacks until somebody asks in a group.

    The admin client (librdkafka 2.x) ends the process at the answer that a group has no coordinator yet.
    """
    _of_coordinator(group, lambda: consumer.committed(partitions[:1], ADMIN_TIMEOUT_S))


def committed_offsets(
    admin: AdminClient, group: str, partitions: list[TopicPartition]
) -> list[TopicPartition]:
    """The next offset a group has to settle in each partition, negative where it has none.

    Raises:
        Unreachable: the broker does not tell.
    """
    asked = [ConsumerGroupTopicPartitions(group, partitions)]
    answer = _of_coordinator(
        group, lambda: admin.list_consumer_group_offsets(asked)[group].result(ADMIN_TIMEOUT_S)
    )
    places: list[TopicPartition] = answer.topic_partitions
    return places


def _of_coordinator(group: str, ask: Callable[[], T]) -> T:
    """What a group's coordinator answers; asked again while the group is still being given one.

    Raises:
        Unreachable: it refuses, or nothing came in time.
    """
    deadline = time.monotonic() + ADMIN_TIMEOUT_S
    while True:
        try:
            return ask()
        except (KafkaException, TimeoutError) as error:
            if _code(error) not in _COORDINATOR_MOVES or time.monotonic() >= deadline:
                raise _group_failure(group, error) from error
        time.sleep(_COORDINATOR_RETRY_S)


def _group_failure(group: str, error: KafkaException | TimeoutError) -> Unreachable:
    reason = error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
    return Unreachable(
        f"kafka.bootstrap_servers: the broker does not tell or take offsets of group {group} ({reason}); "
        "look at its log, and allow the group for the account in kafka.client"
    )
