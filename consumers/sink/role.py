"""The sink as a process, one a target: its clients, its statuses, its stage, the loop."""

import logging
import time
from collections.abc import Sequence

from confluent_kafka import TopicPartition

from consumers.sink.budget import Budget
from consumers.sink.dialects.choose import dialect_of
from consumers.sink.stage import SinkStage, SinkTarget
from consumers.sink.state import TargetState
from consumers.sink.submit import Submitter
from runtime import loop
from runtime.errors import UsageError
from runtime.health import Health
from runtime.kafka import group_consumer, read_to_end, reader, transactional_producer, watermarks
from runtime.settings import Settings
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

BATCH_RECORDS_MAX = 1_000


def topics(settings: Settings, target_name: str) -> list[str]:
    names = TopicNames(settings.kafka.topic_prefix)
    return [names.feed(feed) for feed in settings.targets[target_name].sent_feeds]


def run(settings: Settings, target_name: str, slot: str, health: Health, stopper: loop.Stopper) -> None:
    """Deliver until told to stop."""
    if target_name not in settings.targets:
        message = f"targets.{target_name} is not configured; known: {', '.join(settings.targets) or 'none'}"
        raise UsageError(message)
    names = TopicNames(settings.kafka.topic_prefix)
    target = settings.targets[target_name]
    client_id = names.group("sink", target_name, slot)
    status_reader = reader(settings.kafka, f"{client_id}.status")
    submitter = Submitter(target, "commerce-sync")

    def load_state(feed: str, places: Sequence[TopicPartition]) -> TargetState:
        started = time.monotonic()
        partitions = [place.partition for place in places]
        records = read_to_end(status_reader, names.status(target_name, feed), partitions)
        state = TargetState((record.key, record.value) for record in records)
        _doubt_unsettled(state, names.feed(feed), places)
        log.info("statuses loaded", extra={"feed": feed, "seconds": time.monotonic() - started})
        return state

    def _doubt_unsettled(state: TargetState, topic: str, places: Sequence[TopicPartition]) -> None:
        """Whoever held these partitions may have sent anything from the committed offset on."""
        for place in places:
            _, end = watermarks(status_reader, topic, place.partition)
            state.doubt_below(place.partition, end)

    try:
        loop.run(
            SinkStage(
                SinkTarget(
                    target_name,
                    dialect_of(target),
                    {feed: target.batch_items_max(feed) for feed in target.sent_feeds},
                    {feed: Budget(target.budget, feed, time.monotonic) for feed in target.sent_feeds},
                ),
                names,
                submitter,
                load_state,
                lambda: time.time_ns() // 1_000_000,
            ),
            group_consumer(settings.kafka, names.group("sink", target_name), client_id),
            transactional_producer(
                settings.kafka, client_id, names.group("sink", target_name), topics(settings, target_name)[0]
            ),
            topics(settings, target_name),
            batch_records_max=BATCH_RECORDS_MAX,
            health=health,
            stopper=stopper,
        )
    finally:
        submitter.close()
        status_reader.close()
