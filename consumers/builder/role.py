"""The builder as a process: its clients, its index, its stage, the loop."""

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec
from confluent_kafka import Consumer

from consumers.builder.entities import ENTITIES, ReadOptions, entity_of
from consumers.builder.index import PartitionIndex
from consumers.builder.profile import profiled
from consumers.builder.ripen import ripens_s
from consumers.builder.stage import BuilderOptions, BuilderStage, Shard, wall_clock_ms
from consumers.builder.verify import correct, newest_items
from runtime import loop
from runtime.database import Database
from runtime.errors import Fault
from runtime.health import Health
from runtime.kafka import (
    ADMIN_TIMEOUT_S,
    group_consumer,
    producer,
    read_to_end,
    reader,
    transactional_producer,
)
from runtime.settings import Settings
from runtime.switches import PROFILER, is_on
from schemas.entities import FEEDS_OF
from schemas.records import ALLOW_DELETES_KEY, AllowDeletes, Dirty
from schemas.topics import LANES, TopicNames

log = logging.getLogger(__name__)


def topics(settings: Settings) -> list[str]:
    names = TopicNames(settings.kafka.topic_prefix)
    return [names.dirty(entity, lane) for entity in FEEDS_OF for lane in LANES]


def run(
    settings: Settings, slot: str, health: Health, stopper: loop.Stopper, *, in_doubt: bool = False
) -> None:
    """Build until told to stop.

    Args:
        in_doubt: compare the index with the feed topics before building anything.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    client_id = names.group("builder", slot)
    index_reader = reader(settings.kafka, f"{client_id}.index")
    # What a predecessor wrote last may still be about to be seen.
    end_reader = reader(settings.kafka, f"{client_id}.ends", sees_open=True)

    def load_index(shards: Sequence[Shard]) -> Mapping[Shard, PartitionIndex]:
        started = time.monotonic()
        index = {
            (entity, partition): PartitionIndex(contested=ENTITIES[entity].contested)
            for entity, partition in shards
        }
        for entity in sorted({entity for entity, _ in shards}):
            partitions = [partition for of, partition in shards if of == entity]
            for record in read_to_end(index_reader, names.index(entity), partitions, end_reader=end_reader):
                index[entity, record.partition].load(record.key, record.value)
        if in_doubt:
            _check_against_feed(settings, names, index, index_reader, end_reader)
        entities = sum(len(of_partition) for of_partition in index.values())
        log.info("index loaded", extra={"entities": entities, "seconds": time.monotonic() - started})
        return index

    options = BuilderOptions(
        ReadOptions(
            settings.commerce.table_prefix, settings.commerce.config, settings.commerce.media_base_url
        ),
        settings.builder.position_wait_s,
        settings.builder.delete_guard_percent,
        int(settings.builder.echo_s * 1000),
    )

    def deletes_allowed_until_ms() -> int:
        """What an operator last said on the control topic."""
        until_ms = 0
        for record in read_to_end(index_reader, names.control, [0]):
            if record.key == ALLOW_DELETES_KEY and record.value is not None:
                until_ms = msgspec.json.decode(record.value, type=AllowDeletes).until_ms
        return until_ms

    try:
        with Database(settings.commerce.read_address) as database:
            stage = BuilderStage(
                database,
                names,
                options,
                load_index,
                wall_clock_ms,
                deletes_allowed_until_ms,
                profiled(ENTITIES) if is_on(PROFILER) else ENTITIES,
            )
            loop.run(
                stage,
                group_consumer(settings.kafka, names.group("builder"), client_id),
                transactional_producer(
                    settings.kafka, client_id, names.group("builder"), topics(settings)[0]
                ),
                topics(settings),
                batch_records_max=settings.builder.batch_entities_max,
                health=health,
                stopper=stopper,
                deferred=[names.dirty(entity, "bulk") for entity in FEEDS_OF],
                ripens_s=lambda record: ripens_s(record, wall_clock_ms()),
                overdue=stage.overdue,
                pipelined=True,
            )
    finally:
        index_reader.close()
        end_reader.close()


def _check_against_feed(
    settings: Settings,
    names: TopicNames,
    index: Mapping[Shard, PartitionIndex],
    feed_reader: Consumer,
    end_reader: Consumer,
) -> None:
    """Correct the index by the feed topics and make every entity that differed dirty."""
    client = producer(settings.kafka, names.group("builder", "check"))
    differing = 0
    value = msgspec.json.encode(Dirty(reason="index and feed differ"))
    for (entity, partition), of_partition in index.items():
        for feed in FEEDS_OF[entity]:
            records = read_to_end(feed_reader, names.feed(feed), [partition], end_reader=end_reader)
            items = newest_items(
                ((record.key, record.value, record.headers) for record in records), partial(entity_of, feed)
            )
            for key in correct(of_partition, feed, items):
                client.produce(names.dirty(entity), value=value, key=key.encode(), partition=partition)
                differing += 1
    if client.flush(ADMIN_TIMEOUT_S):
        message = (
            "entities whose index differs from the feed cannot be made dirty: the broker takes no records"
        )
        raise Fault(message)
    log.warning("index checked against the feeds", extra={"differing": differing})
