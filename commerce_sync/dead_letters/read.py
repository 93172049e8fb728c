"""Dead letters of all topics, as they are now."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from runtime.errors import NotFine
from runtime.fetch import record_at
from runtime.kafka import read_to_end, reader
from runtime.settings import Settings
from schemas.codec import decode
from schemas.entities import feed_partitions
from schemas.records import DeadLetter
from schemas.topics import TopicNames

# What differs between two errors of one kind: quoted values, numbers, ids.
_VARIABLE: Final = re.compile(r"'[^']*'|\"[^\"]*\"|\b[0-9a-f]{16,}\b|\d+")


@dataclass(frozen=True, slots=True)
class Failing:
    """One failing item. `target` and `feed` name where; what the router or builder parked has no target."""

    target: str
    feed: str
    key: str
    letter: DeadLetter

    @property
    def source(self) -> str:
        return f"{self.target}/{self.feed}" if self.target else self.feed

    @property
    def signature(self) -> str:
        """The error without what is particular to the item."""
        return _VARIABLE.sub("…", self.letter.error)


def failing(
    settings: Settings, target: str | None = None, feed: str | None = None, kind: str | None = None
) -> list[Failing]:
    """All failing items that fit, oldest first.

    Raises:
        Unreachable: no broker answers, or a topic does not exist yet.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    consumer = reader(settings.kafka, names.group("dead-letters"))
    try:
        found = [
            item
            for place in _places(settings)
            if target in {None, place[0]} and feed in {None, place[1]}
            for item in _read(settings, names, consumer, *place)
            if kind in {None, item.letter.kind}
        ]
    finally:
        consumer.close()
    return sorted(found, key=lambda item: (item.letter.time_ms, item.source, item.key))


def groups(items: Iterable[Failing]) -> list[dict[str, Any]]:
    """Items by where they fail, class and kind of error, the most frequent first."""
    grouped: dict[tuple[str, str, str], list[Failing]] = {}
    for item in items:
        grouped.setdefault((item.source, item.letter.kind, item.signature), []).append(item)
    return [
        {
            "source": source,
            "class": kind,
            "error": signature,
            "items": len(members),
            "since_ms": min(member.letter.time_ms for member in members),
            "example": members[0].key,
        }
        for (source, kind, signature), members in sorted(grouped.items(), key=lambda pair: -len(pair[1]))
    ]


def current_item(settings: Settings, item: Failing) -> dict[str, Any] | None:
    """The feed item that fails; None for a delete, and when a newer record has replaced it.

    Raises:
        NotFine: the record cannot be read.
    """
    letter = item.letter
    if letter.operation == "delete" or not item.target:
        return None
    consumer = reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("dead-letters"))
    try:
        record = record_at(consumer, letter.topic, letter.partition, letter.offset)
        return None if record is None or record.value is None else decode(item.feed, record.value)
    except (ValueError, LookupError, TypeError, EOFError) as error:
        reason = str(error) or type(error).__name__
        sentence = f"{letter.topic} [{letter.partition}] {letter.offset}: {reason}"
        raise NotFine(sentence) from error
    finally:
        consumer.close()


def _places(settings: Settings) -> list[tuple[str, str]]:
    sent = [(name, feed) for name, target in settings.targets.items() for feed in target.sent_feeds]
    return [*sent, ("", "builder"), ("", "router")]


def _read(settings: Settings, names: TopicNames, consumer: Any, target: str, feed: str) -> Iterator[Failing]:
    topic = names.dead_letter(*(part for part in (target, feed) if part))
    partitions = 1 if feed == "router" else settings.kafka.partitions
    if target:
        partitions = feed_partitions(feed, settings.kafka.partitions)
    newest: dict[bytes, bytes] = {}
    for record in read_to_end(consumer, topic, range(partitions)):
        if record.value is None:
            newest.pop(record.key, None)
        else:
            newest[record.key] = record.value
    for key, value in newest.items():
        yield Failing(target, feed, key.decode(errors="replace"), msgspec.json.decode(value, type=DeadLetter))
