"""What a target should hold of every feed it is sent, as the feed topics say it, and what it holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from confluent_kafka import Consumer

from commerce_sync.proof.compare import Finding, compare
from commerce_sync.proof.target import read_items
from consumers.sink.dialects import Dialect, Unmappable
from consumers.sink.dialects.choose import dialect_of
from runtime.kafka import read_to_end, reader
from runtime.settings import Settings
from schemas.codec import decode
from schemas.entities import feed_partitions
from schemas.keys import canonical_json
from schemas.services.shapes import Identity
from schemas.topics import TopicNames

Payloads = dict[Identity, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Delivered:
    """One feed at one target: what it should hold, what it holds, and keys of what cannot be said there."""

    feed: str
    wanted: Payloads
    held: Payloads
    refused: tuple[str, ...]

    @property
    def findings(self) -> list[Finding]:
        return compare(self.wanted, self.held)


def delivered(settings: Settings, target_name: str) -> Iterator[Delivered]:
    """Each feed that a target is sent; nothing may move meanwhile.

    Raises:
        UsageError: the target has no read_url.
        Unreachable: a broker or the target does not answer.
    """
    target = settings.targets[target_name]
    dialect = dialect_of(target)
    consumer = reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("proof"))
    try:
        for feed in target.sent_feeds:
            wanted, refused = _mapped(dialect, feed, _items(settings, consumer, feed))
            held = _by_identity(dialect, feed, read_items(target_name, target, feed))
            for key in refused:
                # It waits for a person, and the target keeps what it had.
                held.pop(_identity_of_key(dialect, feed, key), None)
            yield Delivered(feed, wanted, held, refused)
    finally:
        consumer.close()


def target_differences(settings: Settings, target_name: str) -> list[str]:
    """Where a target and the feed topics differ, a line each."""
    return [
        f"{feed.feed}: {finding}" for feed in delivered(settings, target_name) for finding in feed.findings
    ]


def _items(settings: Settings, consumer: Consumer, feed: str) -> dict[bytes, bytes]:
    """The newest value of each key that is not deleted."""
    topic = TopicNames(settings.kafka.topic_prefix).feed(feed)
    newest: dict[bytes, bytes] = {}
    for record in read_to_end(consumer, topic, range(feed_partitions(feed, settings.kafka.partitions))):
        if record.value is None:
            newest.pop(record.key, None)
        else:
            newest[record.key] = record.value
    return newest


def _mapped(dialect: Dialect, feed: str, items: Mapping[bytes, bytes]) -> tuple[Payloads, tuple[str, ...]]:
    payloads, refused = [], []
    for key, value in items.items():
        if not dialect.wants(feed, msgspec.json.decode(key)):
            continue
        try:
            payload = dialect.payload(feed, decode(feed, value))
        except Unmappable:
            refused.append(key.decode())
            continue
        # As a reader of JSON has it: amounts are numbers there.
        payloads.append(msgspec.json.decode(canonical_json(payload)))
    return _by_identity(dialect, feed, iter(payloads)), tuple(refused)


def _identity_of_key(dialect: Dialect, feed: str, key: str) -> Identity:
    """Empty where the key does not tell."""
    try:
        return dialect.identity(feed, dialect.delete_payload(feed, msgspec.json.decode(key)))
    except Unmappable:
        return ()


def _by_identity(dialect: Dialect, feed: str, payloads: Iterator[dict[str, Any]]) -> Payloads:
    """Without the time of sending, which is no content."""
    stamp = dialect.stamp(feed)
    unstamped = stamp.member if stamp else None
    return {
        dialect.identity(feed, payload): {k: v for k, v in payload.items() if k != unstamped}
        for payload in payloads
    }
