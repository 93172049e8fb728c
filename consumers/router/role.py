"""The router as a process: its clients, its stage, the loop."""

from consumers.router.rules import RULES
from consumers.router.stage import RouterStage
from runtime import loop
from runtime.database import Database
from runtime.health import Health
from runtime.kafka import group_consumer, producer, require_broker
from runtime.settings import Settings
from runtime.write import repeatable
from schemas.topics import TopicNames

BATCH_RECORDS_MAX = 5_000


def topics(settings: Settings) -> list[str]:
    """Change topics of every table with a rule, and the schema changes."""
    names = TopicNames(settings.kafka.topic_prefix)
    database, prefix = settings.commerce.address.database, settings.commerce.table_prefix
    return [names.change_prefix, *(names.change(database, prefix + table) for table in RULES)]


def run(settings: Settings, slot: str, health: Health, stopper: loop.Stopper) -> None:
    """Route until told to stop."""
    names = TopicNames(settings.kafka.topic_prefix)
    # Its clients alone would wait for a broker in silence.
    require_broker(settings.kafka)
    with Database(settings.commerce.read_address) as database:
        stage = RouterStage(
            database,
            names,
            settings.kafka.partitions,
            settings.commerce.table_prefix,
            settings.builder.position_wait_s,
            settings.builder.echo_s,
        )
        loop.run(
            stage,
            group_consumer(settings.kafka, names.group("router"), names.group("router", slot)),
            producer(settings.kafka, names.group("router", slot)),
            topics(settings),
            batch_records_max=BATCH_RECORDS_MAX,
            health=health,
            stopper=stopper,
            # A dirty record that comes twice, or late, is built from the rows as they are then.
            write=repeatable,
        )
