"""Topics are those of the last start: what was deleted and made again under a name is another topic.

Consumers would begin such a topic anew as if nothing had happened, while others still say what it held: an
index that calls everything emitted, statuses that settle records which are yet to come.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from runtime.errors import NotFine, Unreachable
from runtime.kafka import ADMIN_TIMEOUT_S, admin_client, producer, read_to_end, reader
from runtime.settings import KafkaSettings
from schemas.records import TOPICS_KEY, RecordedTopic, RecordedTopics
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

_NAMED_MAX: Final = 3
_DECODER: Final = msgspec.json.Decoder(RecordedTopics)


@dataclass(frozen=True, slots=True)
class Family:
    """Topics that speak of each other's records. `mend` says what to do when one was made anew alone."""

    topics: frozenset[str]
    mend: str


def require_same(kafka: KafkaSettings, families: Collection[Family]) -> None:
    """Refuse topics that are not those of the last start, unless all that belong together are new.

    Raises:
        NotFine: some were deleted or made anew and others, which speak of their records, were not.
        Unreachable: the broker does not answer.
    """
    admin = admin_client(kafka)
    recorded = _recorded(admin, kafka)
    names = {topic for family in families for topic in family.topics}
    actual = _actual(admin, names & recorded.keys())
    for family in families:
        changed = judge(family, recorded, actual)
        if changed:
            log.warning(
                "topics made anew: run 'commerce-sync resync --feed all'", extra={"topics": sorted(changed)}
            )


def record(kafka: KafkaSettings, families: Collection[Family]) -> None:
    """Write down which topics these are, for the next start; they exist.

    Raises:
        Unreachable: the broker does not answer.
    """
    admin = admin_client(kafka)
    recorded = _recorded(admin, kafka)
    now = recorded | _actual(admin, {topic for family in families for topic in family.topics})
    if now != recorded:
        _write(kafka, now)


def forget(kafka: KafkaSettings, topics: Collection[str]) -> None:
    """Whatever these topics are at the next start is right.

    Raises:
        Unreachable: the broker does not answer.
    """
    recorded = _recorded(admin_client(kafka), kafka)
    kept = {name: topic for name, topic in recorded.items() if name not in topics}
    if kept != recorded:
        _write(kafka, kept)


def judge(
    family: Family, recorded: Mapping[str, RecordedTopic], actual: Mapping[str, RecordedTopic]
) -> set[str]:
    """Topics of a family that were made anew or are gone: none, or all that were recorded.

    Raises:
        NotFine: some, but not all.
    """
    known = family.topics & recorded.keys()
    changed = {name for name in known if actual.get(name) != recorded[name]}
    same = known - changed
    if not changed or (not same and not family.mend):
        return changed
    if family.mend:
        message = f"{_listed(changed)}: deleted, or made anew since the last start; {family.mend}"
        raise NotFine(message)
    message = (
        f"{_listed(changed)}: deleted, made anew or re-partitioned since the last start, and {_listed(same)} "
        "still speak of the records that were there: stop all roles, delete all of "
        f"{', '.join(sorted(known))}, start again, and run 'commerce-sync resync --feed all', which sends "
        "everything once more"
    )
    raise NotFine(message)


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_NAMED_MAX])
    return f"{shown} and {len(names) - _NAMED_MAX} more" if len(names) > _NAMED_MAX else shown


def _recorded(admin: AdminClient, kafka: KafkaSettings) -> dict[str, RecordedTopic]:
    names = TopicNames(kafka.topic_prefix)
    if not _actual(admin, {names.control}):
        return {}
    asker = reader(kafka, names.group("topics"))
    topics: dict[str, RecordedTopic] = {}
    try:
        for found in read_to_end(asker, names.control, [0]):
            if found.key == TOPICS_KEY and found.value is not None:
                topics = _DECODER.decode(found.value).topics
    finally:
        asker.close()
    return topics


def _actual(admin: AdminClient, names: Collection[str]) -> dict[str, RecordedTopic]:
    """Those of the topics that exist."""
    try:
        existing = [name for name in admin.list_topics(timeout=ADMIN_TIMEOUT_S).topics if name in names]
        if not existing:
            return {}
        answers = admin.describe_topics(TopicCollection(existing), request_timeout=ADMIN_TIMEOUT_S)
        found = {name: future.result(ADMIN_TIMEOUT_S) for name, future in answers.items()}
    except (KafkaException, TimeoutError) as error:
        reason = error.args[0].str() if isinstance(error, KafkaException) else "no answer in time"
        message = f"kafka.bootstrap_servers: the broker does not describe topics ({reason})"
        raise Unreachable(message) from error
    return {name: RecordedTopic(str(topic.topic_id), len(topic.partitions)) for name, topic in found.items()}


def _write(kafka: KafkaSettings, topics: Mapping[str, RecordedTopic]) -> None:
    names = TopicNames(kafka.topic_prefix)
    client = producer(kafka, names.group("topics"))
    client.produce(
        names.control, key=TOPICS_KEY, value=msgspec.json.encode(RecordedTopics(dict(topics))), partition=0
    )
    if client.flush(ADMIN_TIMEOUT_S):
        message = f"kafka.bootstrap_servers = {kafka.bootstrap_servers}: {names.control} takes no record"
        raise Unreachable(message)
