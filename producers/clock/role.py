"""The clock as a process: its clients, its stage, the loop."""

import time
from collections.abc import Iterable

from producers.clock.stage import ClockStage
from runtime import loop
from runtime.database import Database
from runtime.health import Health
from runtime.kafka import group_consumer, producer, read_to_end, reader, require_broker
from runtime.record import Record
from runtime.settings import Settings
from runtime.write import repeatable
from schemas.entities import FEEDS_OF
from schemas.topics import TopicNames

BATCH_RECORDS_MAX = 5_000
# Moments are whole seconds.
GATHER_S = 0.25


def topics(settings: Settings) -> list[str]:
    """The index of every kind of entity."""
    names = TopicNames(settings.kafka.topic_prefix)
    return [names.index(entity) for entity in FEEDS_OF]


def run(settings: Settings, slot: str, health: Health, stopper: loop.Stopper) -> None:
    """Call what is due until told to stop."""
    names = TopicNames(settings.kafka.topic_prefix)
    client_id = names.group("clock", slot)
    require_broker(settings.kafka)
    index_reader = reader(settings.kafka, f"{client_id}.index")

    def read_index(topic: str, partition: int) -> Iterable[Record]:
        return read_to_end(index_reader, topic, [partition])

    try:
        with Database(settings.commerce.read_address) as database:
            stage = ClockStage(database, names, read_index, time.monotonic)
            loop.run(
                stage,
                group_consumer(settings.kafka, names.group("clock"), client_id, is_hurried=False),
                producer(settings.kafka, client_id),
                topics(settings),
                batch_records_max=BATCH_RECORDS_MAX,
                gather_s=GATHER_S,
                health=health,
                stopper=stopper,
                overdue=stage.overdue,
                # A call that comes twice is a build that changes nothing.
                write=repeatable,
            )
    finally:
        index_reader.close()
