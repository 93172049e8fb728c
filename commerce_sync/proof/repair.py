"""What an audit found is mended by those whose work it is: builders write again, sinks send again."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from commerce_sync.proof.audit import Audit, Finding, Result, Suspect
from commerce_sync.proof.places import FEED_TOPIC, NAMELESS, Target
from commerce_sync.run.request import send_commands
from runtime.errors import Unreachable
from runtime.kafka import producer
from runtime.settings import Settings
from schemas.entities import partitions_of
from schemas.keys import partition_for
from schemas.records import RESEND_PREFIX, Dirty, Resend, ResendItem
from schemas.topics import TopicNames

REASON: Final = "audit"
ITEMS_MAX: Final = 1_000
# Without any item being mended for so long, waiting is given up.
PATIENCE_S: Final = 30.0
LOOK_S: Final = 0.5


class Repair:
    """Asks once for each finding of a stage, and looks until nothing is left or nothing can be asked for."""

    def __init__(self, settings: Settings, audit: Audit, patience_s: float = PATIENCE_S) -> None:
        self._settings = settings
        self._names = TopicNames(settings.kafka.topic_prefix)
        self._audit = audit
        self._patience_s = patience_s
        self._asked: set[tuple[str, str, str]] = set()

    def run(self, findings: Sequence[Finding]) -> Result:
        """Mend; what is left, judged anew, is the result's.

        Raises:
            Unreachable: the broker does not take what is asked for.
        """
        left = Result(findings=list(findings))
        while self._ask(left.findings):
            self._await_mended([finding.suspect for finding in left.findings])
            suspects = [finding.suspect for finding in left.findings]
            left = Result()
            self._audit.confirm(suspects, left)
        return left

    def _await_mended(self, suspects: Sequence[Suspect]) -> None:
        """Until none differs, or none has become equal for a while."""
        deadline = time.monotonic() + self._patience_s
        while (differing := self._audit.differing(suspects)) and time.monotonic() < deadline:
            if len(differing) < len(suspects):
                deadline = time.monotonic() + self._patience_s
            suspects = differing
            time.sleep(LOOK_S)

    def _ask(self, findings: Iterable[Finding]) -> int:
        """Ask for what was not asked for yet."""
        new = [f for f in findings if (f.stage, f.feed, f.key) not in self._asked and is_mendable(f)]
        self._asked.update((f.stage, f.feed, f.key) for f in new)
        self._make_dirty([finding.suspect for finding in new if finding.stage == FEED_TOPIC])
        sent: dict[tuple[str, str], list[Finding]] = defaultdict(list)
        for finding in new:
            if finding.stage != FEED_TOPIC:
                sent[finding.stage, finding.feed].append(finding)
        for (target, feed), of_feed in sent.items():
            self._send_again(target, feed, of_feed)
        return len(new)

    def _make_dirty(self, suspects: Iterable[Suspect]) -> None:
        """One record an entity, in bulk, whatever its last build has seen."""
        wrong: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
        for suspect in suspects:
            if suspect.entity_key is not None:
                wrong[suspect.entity, suspect.entity_key].append((suspect.feed, suspect.key))
        client = producer(self._settings.kafka, self._names.group(REASON))
        for (entity, key), items in wrong.items():
            value = msgspec.json.encode(Dirty(REASON, always=True, wrong=tuple(items)))
            partition = partition_for(key.encode(), partitions_of(entity, self._settings.kafka.partitions))
            client.produce(
                self._names.dirty(entity, "bulk"), value=value, key=key.encode(), partition=partition
            )
        if client.flush(20):
            message = (
                f"kafka.bootstrap_servers = {self._settings.kafka.bootstrap_servers}: a record was not taken"
            )
            raise Unreachable(message)

    def _send_again(self, target: str, feed: str, findings: Sequence[Finding]) -> None:
        now_ms = time.time_ns() // 1_000_000
        items = tuple(self._items(target, feed, findings))
        commands = {
            RESEND_PREFIX + f"{target}:{feed}:{now_ms}:{start}".encode(): msgspec.json.encode(
                Resend(target, feed, now_ms, items[start : start + ITEMS_MAX])
            )
            for start in range(0, len(items), ITEMS_MAX)
        }
        send_commands(self._settings, commands)

    def _items(self, target: str, feed: str, findings: Sequence[Finding]) -> Iterator[ResendItem]:
        (place,) = (
            place for place in self._audit.places[feed] if isinstance(place, Target) and place.name == target
        )
        newest = self._audit.newest(feed, [finding.key for finding in findings])
        for finding in findings:
            record = newest.get(finding.key)
            if record is None or record.value is None:
                partition = self._audit.partition(finding.suspect)
                yield ResendItem(finding.key, partition, -1, place.delete_members(finding.key))
            else:
                yield ResendItem(finding.key, record.partition, record.offset)


def is_mendable(finding: Finding) -> bool:
    """False for what no builder and no sink has a name for."""
    if finding.stage == FEED_TOPIC:
        return finding.suspect.entity_key is not None
    return NAMELESS not in msgspec.json.decode(finding.key)
