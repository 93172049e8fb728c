"""An audit with the clients it needs, and its findings as lines."""

from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager

from confluent_kafka import Consumer

from commerce_sync.proof.audit import LAG_S_MAX, Audit, Report, Result
from commerce_sync.proof.control import Control
from commerce_sync.proof.fresh import Source
from commerce_sync.proof.places import FeedTopic, Log, Place, Target
from commerce_sync.proof.through import Path
from consumers.sink.dialects.choose import dialect_of
from runtime.database import Database
from runtime.kafka import reader
from runtime.settings import Settings
from schemas.entities import ENTITY_OF, partitions_of
from schemas.topics import TopicNames


@contextmanager
def opened(
    settings: Settings,
    feeds: Collection[str],
    targets: Collection[str],
    report: Report = lambda *_: None,
    share: float = 1.0,
    lag_s_max: float = LAG_S_MAX,
) -> Iterator[Audit]:
    """An audit of some feeds and targets; it can be asked as long as the block lasts."""
    names = TopicNames(settings.kafka.topic_prefix)
    with (
        Database(settings.commerce.read_address) as database,
        closing(reader(settings.kafka, names.group("audit"))) as consumer,
    ):
        control = Control(Log(consumer, names.control, 1))
        control.refresh()
        places = {feed: list(_places(settings, names, consumer, feed, targets, control)) for feed in feeds}
        source, path = Source(database, settings.commerce), Path(settings, consumer, control)
        yield Audit(source, path, places, settings.kafka.partitions, report, share, lag_s_max)


def _places(
    settings: Settings,
    names: TopicNames,
    consumer: Consumer,
    feed: str,
    targets: Collection[str],
    control: Control,
) -> Iterator[Place]:
    partitions = partitions_of(ENTITY_OF[feed], settings.kafka.partitions)
    yield FeedTopic(Log(consumer, names.feed(feed), partitions), feed)
    for name, target in settings.targets.items():
        if name in targets and feed in target.sent_feeds:
            log = Log(consumer, names.status(name, feed), partitions)
            yield Target(name, target, dialect_of(target), log, feed, control.tells(name))


def lines(result: Result) -> list[str]:
    """What was found, a line each."""
    return [
        *(f"{each.kind}: {each.feed} {each.key} at {each.stage}" for each in result.findings),
        *(f"{items} items cannot be judged: {reason}" for reason, items in result.late.items()),
        *([f"{result.beyond} more items differed and were not looked at again"] if result.beyond else []),
    ]
