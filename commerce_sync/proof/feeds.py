"""What the feed topics hold, value by value, and where that is not what a fresh build gives."""

from collections.abc import Iterable

from commerce_sync.proof.compare import compare
from commerce_sync.proof.fresh import Items, fresh_items, shown
from runtime.kafka import read_to_end, reader
from runtime.settings import Settings
from schemas.codec import decode
from schemas.entities import FEEDS, feed_partitions
from schemas.topics import TopicNames


def held_items(settings: Settings, feeds: Iterable[str] = FEEDS) -> Items:
    """What the topics of some feeds hold."""
    names = TopicNames(settings.kafka.topic_prefix)
    consumer = reader(settings.kafka, names.group("proof"))
    items: Items = {}
    try:
        for feed in feeds:
            partitions = range(feed_partitions(feed, settings.kafka.partitions))
            for record in read_to_end(consumer, names.feed(feed), partitions):
                key = (record.key.decode(), feed)
                if record.value is None:
                    items.pop(key, None)
                else:
                    items[key] = shown(decode(feed, record.value))
    finally:
        consumer.close()
    return items


def feed_differences(settings: Settings) -> list[str]:
    """Where a quiet pipeline's feed topics and a fresh build differ, a line each."""
    return [str(finding) for finding in compare(fresh_items(settings.commerce), held_items(settings))]
