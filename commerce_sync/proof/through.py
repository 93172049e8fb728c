"""Has the pipeline passed a moment? Asked for the partitions of some entities, for a bounded time."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from confluent_kafka import Consumer

from commerce_sync.proof.control import Control
from commerce_sync.run.roles import consumption
from producers.connectors.connect import Connect
from producers.connectors.observe import last_heartbeat_s
from runtime.errors import CommerceSyncError
from runtime.kafka import admin_client
from runtime.lag import Place, behind, ends
from runtime.settings import Settings
from schemas.entities import FEEDS_OF, partitions_of
from schemas.records import Position
from schemas.topics import LANES, TopicNames

LOOK_S: Final = 0.2

# Kind of entity and partition; feed and partition.
Shard = tuple[str, int]


@dataclass(slots=True)
class Late:
    """What has not passed yet, and the sentence that says so.

    `everything` holds all entities; the others hold those of some partitions, at the builder or a target.
    """

    everything: str = ""
    built: dict[Shard, str] = field(default_factory=dict)
    sent: dict[str, dict[Shard, str]] = field(default_factory=dict)


class Path:
    """The stages from the database to the targets."""

    def __init__(self, settings: Settings, asker: Consumer, control: Control) -> None:
        """`asker` is only asked for offsets."""
        self._settings = settings
        self._control = control
        self._names = TopicNames(settings.kafka.topic_prefix)
        self._admin = admin_client(settings.kafka)
        self._asker = asker

    def refresh(self) -> None:
        """Take in what was switched at the targets."""
        self._control.refresh()

    def await_passed(
        self,
        moment: Position | None,
        at_s: float,
        shards: Collection[Shard],
        feeds: Collection[str],
        wait_s: float,
    ) -> Late:
        """Wait until what was committed before a moment is at every target or parked.

        Args:
            moment: where the source's log stood then; None: nobody knows, `at_s` has to do.
            at_s: the same moment by the clock.
            shards: partitions of the entities that matter.
            feeds: those of their feeds that matter.
        """
        deadline = time.monotonic() + wait_s
        late = Late()
        late.everything = self._capture(moment, at_s, deadline)
        for role in ("router", "resync"):
            late.everything = late.everything or self._role(role, deadline)
        if late.everything:
            return late
        # Twice: a builder may make bulk work of its own behind the first look.
        for _ in range(2):
            late.built = self._through(
                self._names.group("builder"),
                "builder",
                {
                    (entity, n): [(self._names.dirty(entity, lane), n) for lane in LANES]
                    for entity, n in shards
                },
                deadline,
            )
        for target, settings in self._settings.targets.items():
            places = {
                (feed, n): [(self._names.feed(feed), n)]
                for feed in feeds
                for entity, n in shards
                if feed in FEEDS_OF[entity] and feed in settings.sent_feeds
            }
            late.sent[target] = self._compared(target, places, deadline) | self._through(
                self._names.group("sink", target), f"sink {target}", places, deadline
            )
        return late

    def _compared(self, target: str, places: Collection[Shard], deadline: float) -> dict[Shard, str]:
        """Wait until a sink has found what its target is to be sent; where it has not."""
        left: list[Shard] = []

        def found() -> bool:
            self._control.refresh()
            left[:] = [place for place in places if self._control.is_comparing(target, place[0])]
            return not left

        _await(found, deadline)
        return {
            (feed, n): f"sink {target} still compares {feed} with what was accepted: see its log"
            for feed, n in left
        }

    def _capture(self, moment: Position | None, at_s: float, deadline: float) -> str:
        """Wait for the connector; a sentence when it is late."""
        connect = Connect(self._settings.capture.connect_url)
        name = self._settings.capture.connector

        def passed() -> bool:
            if moment is None or self._settings.commerce.replica_url:
                heartbeat_s = last_heartbeat_s(self._settings.kafka, self._names)
                return heartbeat_s is not None and heartbeat_s > at_s
            reached = [_position(entry["offset"], moment.server_id) for entry in connect.offsets(name)]
            return any(position is not None and position.reaches(moment) for position in reached)

        sentence = f"connector '{name}' has not read the log that far: see 'commerce-sync connectors status'"
        try:
            return "" if _await(passed, deadline) else sentence
        except CommerceSyncError as error:
            return str(error)

    def _role(self, role: str, deadline: float) -> str:
        wanted = consumption(self._settings, role)
        kafka = self._settings.kafka
        counts = {
            self._names.dirty(entity, lane): partitions_of(entity, kafka.partitions)
            for entity in FEEDS_OF
            for lane in LANES
        }
        places = [(topic, n) for topic in wanted.topics for n in range(counts.get(topic, 1))]
        return self._through(wanted.group, role, {(role, 0): places}, deadline).get((role, 0), "")

    def _through(
        self, group: str, stage: str, places: dict[Shard, list[Place]], deadline: float
    ) -> dict[Shard, str]:
        """Wait until a group has settled what is in some places now; what it has not."""
        until = {shard: ends(self._asker, wanted) for shard, wanted in places.items()}
        left: dict[Shard, int] = {}

        def passed() -> bool:
            nonlocal left
            open_still = left or dict.fromkeys(until, 1)
            counted = {shard: behind(self._admin, group, until[shard]) for shard in open_still}
            left = {shard: records for shard, records in counted.items() if records}
            return not left

        _await(passed, deadline)
        return {
            shard: f"{stage} has {records} records of partition {shard[1]} left: see its /readyz"
            for shard, records in left.items()
        }


def _await(passed: Callable[[], bool], deadline: float) -> bool:
    """True as soon as it has passed; it is asked at least once."""
    while not passed():
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_S)
    return True


def _position(offset: Any, server_id: int) -> Position | None:
    """Where a connector stands, as Debezium writes it."""
    if not isinstance(offset, dict) or "file" not in offset:
        return None
    return Position(server_id, str(offset["file"]), int(offset.get("pos", 0)))
