"""What the feed topics should hold, built afresh from the database, and what they hold."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from commerce_sync.proof.compare import compare
from consumers.builder import letters
from consumers.builder.entities import ENTITIES, ReadOptions
from producers.resync.enumerations import ENUMERATIONS
from producers.resync.stage import NUMBER_MAX
from runtime.database import Database, Snapshot
from runtime.kafka import read_to_end, reader
from runtime.settings import CommerceSettings, Settings
from schemas.codec import decode, encode
from schemas.entities import FEEDS, FEEDS_OF, feed_partitions
from schemas.keys import UNHASHED_FIELDS
from schemas.topics import TopicNames

PAGE_ENTITIES: Final = 1_000

# (record key, feed) -> the item as a reader of the topic has it, without what changes by itself.
Items = dict[tuple[str, str], dict[str, Any]]


def fresh_items(commerce: CommerceSettings, entities: Iterable[str] = tuple(FEEDS_OF)) -> Items:
    """Every item of some kinds of entity, built in one snapshot.

    Raises:
        Unreachable, Transient: the database cannot be read.
    """
    options = ReadOptions(commerce.table_prefix, commerce.config, commerce.media_base_url)
    items: Items = {}
    with Database(commerce.read_address) as database, database.snapshot() as snapshot:
        for entity in entities:
            for keys in pages(snapshot, entity, commerce.table_prefix):
                batch = ENTITIES[entity].read(snapshot, options, keys)
                for key in keys:
                    built = batch.build(key)
                    if letters.WHOLE in built.parked:
                        continue
                    for (feed, item_key), item in built.items.items():
                        # Entities come by ascending id, and the lowest owns an item.
                        items.setdefault((item_key, feed), _shown(decode(feed, encode(feed, item))))
    return items


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
                    items[key] = _shown(decode(feed, record.value))
    finally:
        consumer.close()
    return items


def feed_differences(settings: Settings) -> list[str]:
    """Where a quiet pipeline's feed topics and a fresh build differ, a line each."""
    return [str(finding) for finding in compare(fresh_items(settings.commerce), held_items(settings))]


def _shown(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in UNHASHED_FIELDS}


def pages(snapshot: Snapshot, entity: str, prefix: str) -> Iterator[list[str]]:
    """Keys of every entity of one kind, by ascending id."""
    last = 0
    while True:
        statement = ENUMERATIONS[entity].page.format(p=prefix)
        rows = snapshot.query(statement, (last, NUMBER_MAX, PAGE_ENTITIES))
        if not rows:
            return
        last = rows[-1][0]
        yield list(dict.fromkeys(str(key) for _, key in rows))
