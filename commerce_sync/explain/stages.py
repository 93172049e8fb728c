"""How far every stage is with one product, asked of the broker, of Connect and of the roles."""

from collections.abc import Sequence

import msgspec
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from commerce_sync.explain.search import Search
from commerce_sync.explain.trace import Asked, Way
from commerce_sync.explain.verdict import Stages
from commerce_sync.run.complaints import complaints
from commerce_sync.run.roles import consumption
from producers.connectors.observe import status as connector_status
from runtime.errors import CommerceSyncError
from runtime.kafka import committed_offsets, read_to_end
from runtime.lag import behind, ends
from runtime.settings import Settings
from schemas.records import PAUSE_PREFIX, Pause
from schemas.topics import LANES, TopicNames


class Look:
    """Everything that is asked once for a product."""

    def __init__(self, settings: Settings, consumer: Consumer, admin: AdminClient, partition: int) -> None:
        """`partition` is the product's."""
        self._settings = settings
        self._names = TopicNames(settings.kafka.topic_prefix)
        self._consumer = consumer
        self._admin = admin
        self._partition = partition

    def stages(
        self, search: Search, sku: str, asked: Sequence[Asked], way: Way, parked: dict[str, str]
    ) -> Stages:
        """What concerns one item of the product."""
        unbuilt, before = self._unbuilt(search, sku)
        newest = asked[-1].record.timestamp_ms if asked else 0
        return Stages(
            captured=self._captured(),
            unrouted=self._unrouted(),
            unbuilt=unbuilt,
            before=before,
            built_later=way.record is not None and newest > way.record.timestamp_ms,
            parked=parked,
            paused=self._paused(way.feed),
            ahead={target: self._ahead(target, way.feed) for target in self._settings.targets},
            settled={target: self._settled(target, way.feed) for target in self._settings.targets},
            complaints=complaints(self._settings),
        )

    def _captured(self) -> str:
        try:
            found = connector_status(self._settings)
        except CommerceSyncError as error:
            return str(error)
        # One that is blind to what it missed holds nothing back either: that will never come.
        return "" if found.health in {"streaming", "drifted", "blind"} else found.detail

    def _unrouted(self) -> int:
        wanted = consumption(self._settings, "router")
        return behind(
            self._admin, wanted.group, ends(self._consumer, [(topic, 0) for topic in wanted.topics])
        )

    def _unbuilt(self, search: Search, sku: str) -> tuple[int, int]:
        """Dirty records of the product behind the builder's position, and others before the last of them."""
        own = others = before = 0
        for lane in LANES:
            topic = self._names.dirty("product", lane)
            begin = self._committed(self._names.group("builder"), topic)
            for record in search.behind(topic, self._partition, begin):
                if record.key == sku.encode():
                    own, before = own + 1, others
                else:
                    others += 1
        return own, before

    def _ahead(self, target: str, feed: str) -> int:
        if feed not in self._settings.targets[target].sent_feeds:
            return 0
        until = ends(self._consumer, [(self._names.feed(feed), self._partition)])
        return behind(self._admin, self._names.group("sink", target), until)

    def _settled(self, target: str, feed: str) -> int:
        return self._committed(self._names.group("sink", target), self._names.feed(feed))

    def _committed(self, group: str, topic: str) -> int:
        (place,) = committed_offsets(self._admin, group, [TopicPartition(topic, self._partition)])
        return max(0, place.offset)

    def _paused(self, feed: str) -> frozenset[str]:
        paused: dict[str, bool] = {}
        for record in read_to_end(self._consumer, self._names.control, [0]):
            if record.key.startswith(PAUSE_PREFIX) and record.value is not None:
                command = msgspec.json.decode(record.value, type=Pause)
                if command.feed == feed:
                    paused[command.target] = command.paused
        return frozenset(target for target, is_paused in paused.items() if is_paused)
