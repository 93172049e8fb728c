"""The ledger as a process: its clients, its stage, the loop."""

import time
from typing import Any, Final

from confluent_kafka import TopicPartition

from consumers.ledger.database import open_ledger
from consumers.ledger.fold import Map, Source
from consumers.ledger.stage import LedgerStage
from consumers.ledger.write import Place
from consumers.sink.dialects.choose import dialect_of
from runtime import loop
from runtime.health import Health
from runtime.kafka import (
    admin_client,
    committed_offsets,
    group_consumer,
    producer,
    require_broker,
    watermarks,
)
from runtime.kafka import reader as plain_reader
from runtime.settings import Settings
from runtime.switches import PERSIST_FEED, is_on
from runtime.write import repeatable
from schemas.entities import ENTITY_OF, FEEDS, partitions_of
from schemas.keys import canonical_json
from schemas.topics import TopicNames

BATCH_RECORDS_MAX: Final = 5_000
# People read it: a record at a time would cost as much as the rest of the pipeline.
GATHER_S: Final = 0.25


def topics(settings: Settings) -> list[str]:
    """Every feed that a target takes, and every target's statuses."""
    return list(sources(settings))


def sources(settings: Settings) -> dict[str, Source]:
    """What each topic tells."""
    names = TopicNames(settings.kafka.topic_prefix)
    takers = {
        feed: tuple(name for name, target in settings.targets.items() if feed in target.sent_feeds)
        for feed in FEEDS
    }
    return {
        **{names.feed(feed): Source(feed, targets) for feed, targets in takers.items() if targets},
        **{
            names.status(target, feed): Source(feed, (target,), statuses=True)
            for feed, targets in takers.items()
            for target in targets
        },
    }


def run(settings: Settings, slot: str, health: Health, stopper: loop.Stopper) -> None:
    """Keep the ledger until told to stop."""
    names = TopicNames(settings.kafka.topic_prefix)
    client_id = names.group("ledger", slot)
    require_broker(settings.kafka)
    asker = plain_reader(settings.kafka, f"{client_id}.asker")
    admin = admin_client(settings.kafka)

    def settled(target: str) -> dict[Place, int]:
        feeds = {names.feed(feed): feed for feed in settings.targets[target].sent_feeds}
        places = [
            TopicPartition(topic, number)
            for topic, feed in feeds.items()
            for number in range(partitions_of(ENTITY_OF[feed], settings.kafka.partitions))
        ]
        committed = committed_offsets(admin, names.group("sink", target), places)
        return {(feeds[p.topic], p.partition): p.offset for p in committed if p.offset >= 0}

    try:
        with open_ledger(settings) as database:
            stage = LedgerStage(
                database,
                sources(settings),
                lambda topic, number: watermarks(asker, topic, number),
                settled,
                lambda: time.time_ns() // 1_000_000,
                payloads(settings) if is_on(PERSIST_FEED) else None,
            )
            loop.run(
                stage,
                group_consumer(settings.kafka, names.group("ledger"), client_id, is_hurried=False),
                # Nothing is produced; the loop commits what the ledger holds already, for people to see.
                producer(settings.kafka, client_id),
                topics(settings),
                batch_records_max=BATCH_RECORDS_MAX,
                gather_s=GATHER_S,
                health=health,
                stopper=stopper,
                overdue=lambda: stage.overdue,
                write=repeatable,
            )
    finally:
        asker.close()


def payloads(settings: Settings) -> Map:
    """Items as each target takes them, as JSON text."""
    dialects = {name: dialect_of(target) for name, target in settings.targets.items()}

    def payload(target: str, feed: str, item: dict[str, Any]) -> str | None:
        try:
            return canonical_json(dialects[target].payload(feed, item)).decode()
        except (ValueError, LookupError, TypeError):
            # The sink says in its status why it cannot be sent.
            return None

    return payload
