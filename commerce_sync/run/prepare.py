"""What must stand before a role starts: topics, and a position for every consumer group."""

from confluent_kafka import TopicPartition

from commerce_sync.checks.database import require_database
from commerce_sync.run.roles import READS_DATABASE, Process, consumption
from runtime import topic_ids
from runtime.kafka import admin_client, commit_beginnings, reader, require_broker
from runtime.settings import Settings
from runtime.topic_ids import Family
from runtime.topics import ensure_topics
from schemas.entities import FEEDS_OF
from schemas.tables import CAPTURED_TABLES
from schemas.topics import LANES, Topic, TopicNames, connector_topics, pipeline_topics

_RE_SEED = "what it held and nobody read is lost: run 'commerce-sync re-seed'"


def prepare(settings: Settings, processes: list[Process]) -> None:
    """Create missing topics and commit the beginning for groups that have no position yet.

    Raises:
        Unreachable: no broker or no database answers.
        NotFine: the database, its log or an account is not right, a topic has another partition count, or
            was made anew alone.
        UsageError: `kafka.client` or `kafka.replication_factor` is wrong.
    """
    require_broker(settings.kafka)
    # Here and not in the roles: once running they wait for a database that goes away and comes back.
    if any(process.role in READS_DATABASE for process in processes):
        require_database(settings)
    admin = admin_client(settings.kafka)
    topics = all_topics(settings)
    families = topic_families(settings)
    topic_ids.require_same(settings.kafka, families)
    ensure_topics(admin, topics, settings.kafka.replication_factor)
    topic_ids.record(settings.kafka, families)
    partitions = {topic.name: topic.partitions for topic in topics}
    asker = reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("prepare"))
    try:
        for role, target in sorted({(process.role, process.target) for process in processes}):
            wanted = consumption(settings, role, target)
            places = [
                TopicPartition(topic, partition)
                for topic in wanted.topics
                for partition in range(partitions[topic])
            ]
            if places:
                commit_beginnings(admin, asker, wanted.group, places)
    finally:
        asker.close()


def topic_families(settings: Settings) -> list[Family]:
    """Topics that are of use only together: all of one kind of entity, and each change topic by itself."""
    names = TopicNames(settings.kafka.topic_prefix)
    address = settings.commerce.address
    families = []
    for entity, feeds in FEEDS_OF.items():
        topics = {names.index(entity), *(names.dirty(entity, lane) for lane in LANES)}
        topics |= {names.feed(feed) for feed in feeds}
        for target, of_target in settings.targets.items():
            sent = [feed for feed in of_target.sent_feeds if feed in feeds]
            topics |= {names.status(target, feed) for feed in sent}
            topics |= {names.dead_letter(target, feed) for feed in sent}
        families.append(Family(frozenset(topics), ""))
    changes = (names.change(address.database, settings.commerce.table_prefix + t) for t in CAPTURED_TABLES)
    return [*families, *(Family(frozenset({change}), _RE_SEED) for change in changes)]


def all_topics(settings: Settings) -> list[Topic]:
    """Every topic of the installation, the connector's included."""
    names = TopicNames(settings.kafka.topic_prefix)
    pairs = [(name, feed) for name, target in settings.targets.items() for feed in target.sent_feeds]
    return [
        *connector_topics(names, settings.commerce.address.database, settings.commerce.table_prefix),
        *pipeline_topics(names, settings.kafka.partitions, pairs),
    ]
