"""Topics exist as the catalogue says: made when missing, settings mended, wrong partition counts refused."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaError, KafkaException, TopicPartition

# These names are the documented ones, though the package does not mark them as exported.
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    OffsetSpec,
    ResourceType,
)
from confluent_kafka.cimpl import NewTopic

from runtime.errors import NotFine, Unreachable, UsageError
from schemas.topics import Topic

REQUEST_S_MAX: Final = 30.0
LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class TopicChanges:
    """What `ensure_topics` had to do: names, sorted."""

    created: list[str]
    altered: list[str]


def ensure_topics(admin: AdminClient, topics: Sequence[Topic], replication_factor: int) -> TopicChanges:
    """Make the topics exist as described, and return when they can be used.

    Nothing is created when any existing topic has another partition count: half an installation helps nobody.

    Raises:
        NotFine: an existing topic has another partition count, or the broker refuses a topic.
        UsageError: the cluster has fewer brokers than `replication_factor`.
        Unreachable: the broker stops answering.
    """
    try:
        existing = admin.list_topics(timeout=REQUEST_S_MAX).topics
        _refuse_other_partition_counts(
            topics, {name: len(topic.partitions) for name, topic in existing.items()}
        )
        created = _create(
            admin, [topic for topic in topics if topic.name not in existing], replication_factor
        )
        altered = _alter(admin, [topic for topic in topics if topic.name in existing])
        _await_usable(admin, [topic for topic in topics if topic.name in created])
    except KafkaException as error:
        message = f"kafka.bootstrap_servers: the broker did not do as asked: {error.args[0]}"
        raise Unreachable(message) from error
    return TopicChanges(sorted(created), sorted(altered))


def _refuse_other_partition_counts(topics: Sequence[Topic], partitions: dict[str, int]) -> None:
    wrong = [
        f"{topic.name} has {partitions[topic.name]} partitions and {topic.partitions} are wanted"
        for topic in topics
        if partitions.get(topic.name, topic.partitions) != topic.partitions
    ]
    if wrong:
        message = (
            f"{'; '.join(wrong)}: set kafka.partitions to what the topics were made with, or delete these "
            "topics (their records are lost), run this again and then 'commerce-sync resync --feed all'"
        )
        raise NotFine(message)


def _create(admin: AdminClient, missing: Sequence[Topic], replication_factor: int) -> set[str]:
    if not missing:
        return set()
    futures = admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, replication_factor, config=topic.config)
            for topic in missing
        ],
        # The controller's answer waits until the brokers know the topic.
        operation_timeout=REQUEST_S_MAX,
        request_timeout=REQUEST_S_MAX,
    )
    for name, future in futures.items():
        try:
            future.result()
        except KafkaException as error:
            _judge_creation(name, replication_factor, error)
    return set(futures)


def _judge_creation(name: str, replication_factor: int, error: KafkaException) -> None:
    reason = error.args[0]
    if reason.code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return  # another process of ours was faster
    if reason.code() == KafkaError.INVALID_REPLICATION_FACTOR:
        message = (
            f"kafka.replication_factor = {replication_factor} is more than the cluster has brokers: "
            f"set it to their number or less ({reason.str()})"
        )
        raise UsageError(message) from error
    if reason.code() in {KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError.REQUEST_TIMED_OUT}:
        raise error
    message = f"topic {name} cannot be created: {reason.str()}; allow it for the account in kafka.client"
    raise NotFine(message) from error


def _alter(admin: AdminClient, existing: Sequence[Topic]) -> set[str]:
    if not existing:
        return set()
    resources = {topic.name: ConfigResource(ResourceType.TOPIC, topic.name) for topic in existing}
    answers = admin.describe_configs(list(resources.values()), request_timeout=REQUEST_S_MAX)
    actual = {resource.name: future.result() for resource, future in answers.items()}
    changes = []
    for topic in existing:
        entries = [
            ConfigEntry(
                name,
                value,
                source=ConfigSource.DYNAMIC_TOPIC_CONFIG,
                incremental_operation=AlterConfigOpType.SET,
            )
            for name, value in topic.config.items()
            if name not in actual[topic.name] or actual[topic.name][name].value != value
        ]
        if entries:
            changes.append(ConfigResource(ResourceType.TOPIC, topic.name, incremental_configs=entries))
    if not changes:
        return set()
    for future in admin.incremental_alter_configs(changes, request_timeout=REQUEST_S_MAX).values():
        future.result()
    return {change.name for change in changes}


def _await_usable(admin: AdminClient, created: Sequence[Topic]) -> None:
    """Ask each partition's leader for an offset: metadata names leaders before they have opened the log."""
    deadline = time.monotonic() + REQUEST_S_MAX
    waiting = {
        TopicPartition(topic.name, partition) for topic in created for partition in range(topic.partitions)
    }
    while waiting:
        earliest = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        answers = admin.list_offsets(dict.fromkeys(waiting, earliest), request_timeout=REQUEST_S_MAX)
        failures = {place: future.exception() for place, future in answers.items()}
        waiting = {place for place, failure in failures.items() if failure is not None}
        if waiting and time.monotonic() > deadline:
            place = min(waiting)
            message = (
                f"topic {place.topic} [{place.partition}] cannot be used {REQUEST_S_MAX:.0f} s after it was "
                f"made ({failures[place]}): look at the brokers in kafka.bootstrap_servers"
            )
            raise Unreachable(message)
        if waiting:
            # A broker has several answers for a partition it has not opened yet; each passes. The client
            # asks the leaders it knows of, and learns of new ones only when it is made to look.
            time.sleep(LOOK_S)
            admin.list_topics(timeout=REQUEST_S_MAX)
