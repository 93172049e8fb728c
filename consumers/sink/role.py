"""The sink as a process, one active for each target: its clients, its threads, what it finds at start."""

import logging
import time
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from consumers.sink.budget import Budget
from consumers.sink.commands import load
from consumers.sink.delivery import Delivery, SinkTarget
from consumers.sink.dialects.choose import dialect_of
from consumers.sink.engine import Engine
from consumers.sink.exchange import Exchange
from consumers.sink.feed import Clock, Place, Rules
from consumers.sink.fetcher import Fetcher
from consumers.sink.inbox import Inbox, Lease
from consumers.sink.journal import CLEAN, OPEN, Journal
from consumers.sink.mapper import Mapper
from consumers.sink.scanner import Scanner
from consumers.sink.submit import Submitter
from runtime.errors import UsageError
from runtime.health import Health
from runtime.kafka import group_consumer, read_to_end, reader, transactional_producer, watermarks
from runtime.loop import Stopper
from runtime.settings import Settings
from runtime.switches import EXTENDED_LOG, is_on
from schemas.controls import Address
from schemas.entities import feed_partitions
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

# How long a process may go on sending after the group has last confirmed it. A request lasts as long as
# `request_timeout_s` at most, so all of them are over before the group, which waits for both, names another.
LEASE_S: Final = 10.0


def topics(settings: Settings, target_name: str) -> list[str]:
    names = TopicNames(settings.kafka.topic_prefix)
    return [names.feed(feed) for feed in settings.targets[target_name].sent_feeds]


def run(settings: Settings, target_name: str, slot: str, health: Health, stopper: Stopper) -> None:
    """Deliver, or stand by, until told to stop."""
    if target_name not in settings.targets:
        message = f"targets.{target_name} is not configured; known: {', '.join(settings.targets) or 'none'}"
        raise UsageError(message)
    names = TopicNames(settings.kafka.topic_prefix)
    target = settings.targets[target_name]
    client_id = names.group("sink", target_name, slot)
    session_ms = round((target.request_timeout_s + LEASE_S) * 1000)
    inbox, lease = Inbox(), Lease(LEASE_S)
    group = names.group("sink", target_name)
    # Before the group is joined: a fenced predecessor can write nothing from here on.
    journal = Journal(
        transactional_producer(settings.kafka, client_id, group, topics(settings, target_name)[0]), inbox
    )
    asker = reader(settings.kafka, f"{client_id}.status")
    # What a predecessor wrote last may still be about to be seen.
    end_reader = reader(settings.kafka, f"{client_id}.ends", sees_open=True)
    budget = Budget(target.budget, time.monotonic)
    numbers = count(1)

    def take_over(places: list[TopicPartition]) -> Delivery:
        return _take_over(settings, names, target_name, budget, numbers, asker, end_reader, places)

    try:
        Engine(
            target_name,
            take_over,
            inbox,
            Scanner(
                group_consumer(settings.kafka, group, client_id, session_ms),
                names.control,
                {
                    names.feed(feed): feed_partitions(feed, settings.kafka.partitions)
                    for feed in target.sent_feeds
                },
                inbox,
                lease,
            ),
            Fetcher(reader(settings.kafka, f"{client_id}.fetch"), inbox, Mapper(dialect_of(target))),
            journal,
            Exchange(
                Submitter(target, "commerce-sync", is_on(EXTENDED_LOG)),
                inbox,
                lease,
                target.request_timeout_s,
            ),
            lease,
            health,
        ).run(stopper)
    finally:
        asker.close()
        end_reader.close()


def _take_over(
    settings: Settings,
    names: TopicNames,
    target_name: str,
    budget: Budget,
    numbers: Iterator[int],
    asker: Consumer,
    end_reader: Consumer,
    places: Sequence[TopicPartition],
) -> Delivery:
    """Everything that is known of the target, as its topics tell it now."""
    started = time.monotonic()
    target = settings.targets[target_name]
    delivery = Delivery(
        SinkTarget(
            target_name,
            dialect_of(target),
            {feed: target.batch_items_max(feed) for feed in target.sent_feeds},
            Rules(
                target.retry_s, target.request_timeout_s, target.settle_s, target.dead_letter_guard_percent
            ),
            settings.builder.delete_guard_percent,
        ),
        names,
        budget,
        Clock(time.monotonic, lambda: time.time_ns() // 1_000_000),
        numbers,
    )

    def read(topic: str, partitions: list[int]) -> Iterator[tuple[bytes, bytes | None]]:
        records = read_to_end(asker, topic, partitions, end_reader=end_reader)
        return ((record.key, record.value) for record in records)

    own = Address(target_name, target.url, target.auth.environment_id)
    clean = all(place.metadata == CLEAN for place in places)
    load(delivery, own, read_to_end(asker, names.control, [0]), clean=clean)
    for feed in target.sent_feeds:
        topic = names.feed(feed)
        mine = [
            Place(
                place.partition,
                place.offset,
                watermarks(asker, topic, place.partition)[1],
                place.metadata == CLEAN,
                "" if place.metadata in {CLEAN, OPEN} else "its position in the feed was lost or is new",
            )
            for place in places
            if place.topic == topic
        ]
        partitions = [place.partition for place in mine]
        delivery.assign(
            feed,
            mine,
            read(names.status(target_name, feed), partitions),
            read(names.dead_letter(target_name, feed), partitions),
        )
    log.info("statuses loaded", extra={"target": target_name, "seconds": time.monotonic() - started})
    return delivery
