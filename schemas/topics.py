"""Every topic's name, partition count and settings: one catalogue, pure.

Names are a contract (dots between parts, the prefix first); settings are written out because a broker's
defaults differ from one installation to the next.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from schemas.entities import FEEDS, FEEDS_OF, feed_partitions, partitions_of
from schemas.tables import CAPTURED_TABLES

DAY_MS: Final = 24 * 3600 * 1000
LANES: Final = ("live", "bulk")


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it must exist: `config` holds broker setting names and values as text."""

    name: str
    partitions: int
    config: dict[str, str]


# Big enough for any item: a product may hold 200 kB, a batch several of them.
MESSAGE_BYTES_MAX: Final = 8 * 1024 * 1024
# What an item's value may hold of it: key, headers and the batch around them need the rest.
ITEM_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 64 * 1024
_LIMIT: Final = {"max.message.bytes": str(MESSAGE_BYTES_MAX)}
_QUEUE: Final = {"cleanup.policy": "delete", "retention.ms": str(7 * DAY_MS), **_LIMIT}
# Tombstones outlive the longest outage of a reader that we promise to heal without a reconcile, twice.
TOMBSTONES_MS: Final = 7 * DAY_MS
_STATE: Final = {
    "cleanup.policy": "compact",
    "delete.retention.ms": str(TOMBSTONES_MS),
    # The active segment is never compacted: without a limit a quiet topic is never compacted at all.
    "segment.ms": str(DAY_MS),
    "max.compaction.lag.ms": str(7 * DAY_MS),
    **_LIMIT,
}
_FOREVER: Final = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1", **_LIMIT}


@dataclass(frozen=True, slots=True)
class TopicNames:
    """Names of all topics of one installation, from its prefix."""

    prefix: str

    @property
    def change_prefix(self) -> str:
        """Debezium's `topic.prefix`; also the name of the schema-change topic."""
        return f"{self.prefix}.change"

    def change(self, database: str, table: str) -> str:
        return f"{self.change_prefix}.{database}.{table}"

    @property
    def heartbeat(self) -> str:
        return f"__debezium-heartbeat.{self.change_prefix}"

    @property
    def schema_history(self) -> str:
        return f"{self.prefix}.schema-history"

    def dirty(self, entity: str, lane: str = "live") -> str:
        suffix = "" if lane == "live" else f".{lane}"
        return f"{self.prefix}.dirty.{entity}{suffix}"

    def index(self, entity: str) -> str:
        return f"{self.prefix}.index.{entity}"

    def feed(self, feed: str) -> str:
        return f"{self.prefix}.feed.{feed}"

    def status(self, target: str, feed: str) -> str:
        return f"{self.prefix}.status.{target}.{feed}"

    def dead_letter(self, *parts: str) -> str:
        """`dead_letter("builder")`, `dead_letter("router")` or `dead_letter(target, feed)`."""
        return ".".join((f"{self.prefix}.dead-letter", *parts))

    @property
    def control(self) -> str:
        return f"{self.prefix}.control"

    def group(self, *parts: str) -> str:
        """Consumer group and transactional ids share the installation's prefix."""
        return ".".join((self.prefix, *parts))


def connector_topics(names: TopicNames, database: str, table_prefix: str) -> list[Topic]:
    """What the connector needs before it starts.

    Without the heartbeat topic a connector says RUNNING and delivers nothing; a change topic that appears
    with its first row makes its consumer wait for discovery.
    """
    changes = [
        Topic(names.change(database, table_prefix + table), 1, dict(_QUEUE)) for table in CAPTURED_TABLES
    ]
    return [
        *changes,
        Topic(names.change_prefix, 1, dict(_QUEUE)),
        Topic(names.heartbeat, 1, {**_QUEUE, "retention.ms": str(DAY_MS)}),
        Topic(names.schema_history, 1, dict(_FOREVER)),
    ]


def pipeline_topics(
    names: TopicNames, partitions: int, target_feeds: Iterable[tuple[str, str]]
) -> list[Topic]:
    """What the roles need; `target_feeds` lists (target, feed)."""
    pairs = list(target_feeds)

    def of_entity(entity: str) -> int:
        return partitions_of(entity, partitions)

    def of_feed(feed: str) -> int:
        return feed_partitions(feed, partitions)

    return [
        *(
            Topic(names.dirty(entity, lane), of_entity(entity), dict(_QUEUE))
            for entity in FEEDS_OF
            for lane in LANES
        ),
        *(Topic(names.index(entity), of_entity(entity), dict(_STATE)) for entity in FEEDS_OF),
        *(Topic(names.feed(feed), of_feed(feed), dict(_STATE)) for feed in FEEDS),
        *(Topic(names.status(target, feed), of_feed(feed), dict(_STATE)) for target, feed in pairs),
        *(Topic(names.dead_letter(target, feed), of_feed(feed), dict(_STATE)) for target, feed in pairs),
        Topic(names.dead_letter("router"), 1, dict(_STATE)),
        Topic(names.dead_letter("builder"), partitions, dict(_STATE)),
        Topic(names.control, 1, dict(_STATE)),
    ]
