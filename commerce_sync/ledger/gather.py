"""How each feed is doing at each target: the ledger's counts beside the lags that Kafka tells."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient
from sqlalchemy import Connection

from consumers.ledger import read, write
from consumers.ledger.database import open_existing
from consumers.ledger.role import sources
from runtime.kafka import admin_client, reader, require_broker
from runtime.lag import Place, behind, ends
from runtime.settings import Settings
from schemas.entities import ENTITY_OF, FEEDS, partitions_of
from schemas.topics import TopicNames

# The window of the dashboards that operators know.
RECENT_MS: Final = 3 * 3_600_000
RATE_MS: Final = 5 * 60_000
# The role says every few seconds that it is at work.
SILENT_MS_MAX: Final = 30_000

State = Literal["In Progress", "Success", "Failed"]


@dataclass(frozen=True, slots=True)
class FeedStatus:
    """A feed at a target. Times are unix milliseconds, 0 means never.

    `state_ms`: of "Success" and "In Progress" the time of the last success, of "Failed" the time tried.
    `lag_records` counts records of the feed topic that the sink has not settled, `lag_s` is the age of the
    oldest edit that waits.
    """

    target: str
    feed: str
    state: State
    state_ms: int
    source_records: int
    sent: int
    failed_retryable: int
    failed_attention: int
    waiting: int
    lag_s: float
    lag_records: int
    items_per_minute: float
    last_3_hours: int


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """How old the figures are: records the ledger has not read, and when it was last at work."""

    behind_records: int
    alive_ms: int
    at_work: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything `status` shows."""

    ledger: LedgerStatus
    feeds: tuple[FeedStatus, ...]

    @property
    def is_fine(self) -> bool:
        """No feed has failed, and the figures are somebody's who is at work."""
        return self.ledger.at_work and all(feed.state != "Failed" for feed in self.feeds)

    def as_object(self) -> dict[str, Any]:
        return asdict(self)


def gather(settings: Settings, target: str | None = None, feed: str | None = None) -> Report:
    """Ask ledger and broker.

    Raises:
        Unreachable: one of them does not answer, or there is no ledger.
    """
    require_broker(settings.kafka)
    names = TopicNames(settings.kafka.topic_prefix)
    asker = reader(settings.kafka, names.group("status"))
    try:
        with open_existing(settings) as database:
            return database.run(
                lambda connection: _Look(settings, connection, admin_client(settings.kafka), asker).report(
                    pairs(settings, target, feed)
                )
            )
    finally:
        asker.close()


def pairs(settings: Settings, target: str | None = None, feed: str | None = None) -> list[tuple[str, str]]:
    """(target, feed) of what is sent, in the order of names."""
    return sorted(
        (name, sent)
        for name, found in settings.targets.items()
        for sent in found.sent_feeds
        if target in {None, name} and feed in {None, sent}
    )


class _Look:
    """One look at everything."""

    def __init__(
        self, settings: Settings, connection: Connection, admin: AdminClient, asker: Consumer
    ) -> None:
        self._settings = settings
        self._names = TopicNames(settings.kafka.topic_prefix)
        self._connection = connection
        self._admin = admin
        self._asker = asker
        self._now_ms = time.time_ns() // 1_000_000

    def report(self, wanted: Sequence[tuple[str, str]]) -> Report:
        read.require_version(self._connection)
        # First: the figures are not older than what is said of their age.
        ledger = self._ledger()
        order = {name: number for number, name in enumerate(FEEDS)}
        chosen = sorted(wanted, key=lambda pair: (pair[0], order[pair[1]]))
        return Report(ledger, tuple(self._feed(*pair) for pair in chosen))

    def _ledger(self) -> LedgerStatus:
        places = [
            place
            for topic, source in sources(self._settings).items()
            for place in self._places(topic, source.feed)
        ]
        left = behind(self._admin, self._names.group("ledger"), ends(self._asker, places))
        alive_ms = write.alive_ms(self._connection)
        at_work = is_at_work(alive_ms, self._now_ms)
        return LedgerStatus(left, alive_ms, at_work, ledger_note(left, alive_ms, self._now_ms))

    def _feed(self, target: str, feed: str) -> FeedStatus:
        counts = read.counts(self._connection, target, feed)
        done = read.activity(self._connection, target, feed, self._now_ms - RECENT_MS, self._now_ms - RATE_MS)
        until = ends(self._asker, self._places(self._names.feed(feed), feed))
        lag_records = behind(self._admin, self._names.group("sink", target), until)
        partitions = partitions_of(ENTITY_OF[feed], self._settings.kafka.partitions)
        oldest_ms = (
            read.oldest_waiting_ms(self._connection, target, feed, partitions) if counts.awaiting else None
        )
        state = state_of(counts, lag_records)
        return FeedStatus(
            target=target,
            feed=feed,
            state=state,
            state_ms=done.failed_ms if state == "Failed" else done.accepted_ms,
            source_records=counts.records,
            sent=counts.submitted,
            failed_retryable=counts.retryable,
            failed_attention=counts.attention,
            waiting=counts.awaiting,
            lag_s=0.0 if oldest_ms is None else max(0, self._now_ms - oldest_ms) / 1000,
            lag_records=lag_records,
            items_per_minute=round(done.accepted_recently * 60_000 / RATE_MS, 1),
            last_3_hours=done.accepted,
        )

    def _places(self, topic: str, feed: str) -> list[Place]:
        return [
            (topic, number)
            for number in range(partitions_of(ENTITY_OF[feed], self._settings.kafka.partitions))
        ]


def state_of(counts: read.Counts, lag_records: int) -> State:
    """In progress while anything waits; failed when something fails and nothing waits."""
    if counts.awaiting or lag_records:
        return "In Progress"
    return "Failed" if counts.retryable or counts.attention else "Success"


def is_at_work(alive_ms: int, now_ms: int) -> bool:
    """The role said so a moment ago."""
    return now_ms - alive_ms <= SILENT_MS_MAX


def ledger_note(behind_records: int, alive_ms: int, now_ms: int) -> str | None:
    """One sentence when the figures are old; None when they are fresh."""
    if not is_at_work(alive_ms, now_ms):
        since = f"since {moment(alive_ms)}" if alive_ms else "yet"
        return (
            f"the role 'ledger' has not been at work {since}: these figures are from then "
            f"({behind_records} records behind); start it with 'commerce-sync run ledger'"
        )
    if behind_records:
        return f"the ledger is {behind_records} records behind: the figures are not the newest"
    return None


def moment(time_ms: int) -> str:
    """Seconds, UTC."""
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(time_ms / 1000)) if time_ms else "never"
