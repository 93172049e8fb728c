"""The resync role as a process: its clients, its stage, the loop."""

from collections.abc import Iterator

from producers.connectors import watch
from producers.resync.stage import ResyncStage
from runtime import loop
from runtime.database import Database
from runtime.health import Health
from runtime.kafka import (
    admin_client,
    group_consumer,
    read_to_end,
    reader,
    transactional_producer,
    watermarks,
)
from runtime.lag import behind, ends
from runtime.settings import Settings
from schemas.entities import partitions_of
from schemas.records import FLOOR_KEY
from schemas.topics import TopicNames


def topics(settings: Settings) -> list[str]:
    return [TopicNames(settings.kafka.topic_prefix).control]


def run(settings: Settings, slot: str, health: Health, stopper: loop.Stopper) -> None:
    """Expand commands until told to stop."""
    names = TopicNames(settings.kafka.topic_prefix)
    client_id = names.group("resync", slot)
    index_reader = reader(settings.kafka, f"{client_id}.index")
    # Where a predecessor's runs stand may still be about to be seen when its positions count already.
    end_reader = reader(settings.kafka, f"{client_id}.ends", sees_open=True)
    admin = admin_client(settings.kafka)

    def index_keys(entity: str) -> Iterator[bytes]:
        alive: set[bytes] = set()
        partitions = range(partitions_of(entity, settings.kafka.partitions))
        for record in read_to_end(index_reader, names.index(entity), partitions):
            if record.key != FLOOR_KEY:
                (alive.discard if record.value is None else alive.add)(record.key)
        yield from sorted(alive)

    def waiting(entity: str) -> int:
        topic = names.dirty(entity, "bulk")
        partitions = range(partitions_of(entity, settings.kafka.partitions))
        until = ends(index_reader, [(topic, partition) for partition in partitions])
        return behind(admin, names.group("builder"), until)

    watch.start(settings, stopper)
    try:
        with Database(settings.commerce.read_address) as database:
            stage = ResyncStage(
                database,
                names,
                settings.kafka.partitions,
                settings.commerce.table_prefix,
                index_keys,
                lambda: read_to_end(index_reader, names.control, [0], end_reader=end_reader),
                waiting,
                lambda: watermarks(index_reader, names.change_prefix, 0)[1],
                settings.builder.position_wait_s,
            )
            loop.run(
                stage,
                group_consumer(settings.kafka, names.group("resync"), client_id, is_hurried=False),
                transactional_producer(settings.kafka, client_id, names.group("resync"), names.control),
                topics(settings),
                batch_records_max=100,
                health=health,
                stopper=stopper,
                overdue=stage.overdue,
            )
    finally:
        index_reader.close()
        end_reader.close()
