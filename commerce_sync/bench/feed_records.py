"""Records of the products feed as the builder writes them for a sample catalog, on a topic of their own."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from commerce_sync.bench.build import Builder
from consumers.builder.feeds.products import FEED
from runtime.kafka import producer
from runtime.record import Outgoing
from runtime.settings import KafkaSettings, Settings
from runtime.write import FLUSH_S_MAX, produce
from schemas.codec import decode, encode
from schemas.keys import canonical_json, partition_for
from schemas.records import Lane
from schemas.topics import TopicNames

_BATCH: Final = 500


def built(settings: Settings, products: int) -> list[Outgoing]:
    """Every item of the catalog's first products; topic and lane are to be chosen."""
    builder = Builder(settings)
    try:
        skus = builder.skus(0, products)
        return [
            record
            for start in range(0, len(skus), _BATCH)
            for record in builder.build(builder.records(skus[start : start + _BATCH]))
            if record.topic.endswith(f".{FEED}")
        ]
    finally:
        builder.database.close()


def item_of(record: Outgoing) -> dict[str, Any]:
    """What a record says."""
    assert record.value is not None
    return decode(FEED, record.value)


def changed(record: Outgoing, **members: Any) -> Outgoing:
    """The same item with other members; its key follows."""
    item = item_of(record) | members
    key = canonical_json({name: item[name] for name in msgspec.json.decode(record.key)})
    return replace(record, key=key, value=encode(FEED, item))


class FeedWriter:
    """Writes them in a lane, each to the partition of its SKU."""

    def __init__(self, kafka: KafkaSettings) -> None:
        names = TopicNames(kafka.topic_prefix)
        self._topic = names.feed(FEED)
        self._partitions = kafka.partitions
        self._producer = producer(kafka, names.group("bench"))

    def write(self, records: Iterable[Outgoing], lane: Lane) -> None:
        """Returns when the broker has them all."""
        for record in records:
            sku = str(msgspec.json.decode(record.key)["sku"])
            headers = (("lane", lane.encode()),)
            partition = partition_for(sku.encode(), self._partitions)
            produce(self._producer, replace(record, topic=self._topic, partition=partition, headers=headers))
        self._producer.flush(FLUSH_S_MAX)


def total(records: Sequence[Outgoing]) -> int:
    """Items, each counted once."""
    return len({record.key for record in records})
