"""The sink's step: the latest state of each identity reaches the target and gets a status."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec
import xxhash
from confluent_kafka import TopicPartition

from consumers.sink.batch import Submission, batches, body
from consumers.sink.budget import Budget
from consumers.sink.dialects import Dialect, Unmappable
from consumers.sink.settle import Answer, Verdict, settle
from consumers.sink.state import TargetState, encode_status
from runtime import metrics
from runtime.errors import Transient, Waiting
from runtime.record import Outgoing, Record
from schemas.codec import UnknownSchema, decode
from schemas.keys import canonical_json
from schemas.records import DeadLetter, Lane, Outcome, Status
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

# A delete has no content: its hash is empty, and differs from every upsert's.
_DELETED_HASH: Final = ""
_OURS_WAIT_S: Final = 15.0
_BUDGET_WAIT_S_MAX: Final = 2.0


class Sender(Protocol):
    """Anything that carries one request body to the target."""

    def post(self, path: str, body: bytes) -> Answer: ...

    def forget_token(self) -> None: ...


@dataclass(frozen=True, slots=True)
class SinkTarget:
    """One target as the stage needs it."""

    name: str
    dialect: Dialect
    batch_items_max: Mapping[str, int]
    budgets: Mapping[str, Budget]


class SinkStage:
    """Implements runtime.loop.Stage for one target.

    What was settled in a batch is kept until it is committed, so that a batch which had to wait half-way
    goes on where it stopped.
    """

    name = "sink"

    def __init__(
        self,
        target: SinkTarget,
        names: TopicNames,
        sender: Sender,
        load_state: Callable[[str, Sequence[TopicPartition]], TargetState],
        now_ms: Callable[[], int],
    ) -> None:
        self._target = target
        self._names = names
        self._sender = sender
        self._load_state = load_state
        self._now_ms = now_ms
        self._feeds = {names.feed(feed): feed for feed in target.batch_items_max}
        self._states: dict[str, TargetState] = {}
        self._settled: dict[tuple[str, bytes], Status] = {}

    def assign(self, places: Sequence[TopicPartition]) -> None:
        """Load the statuses of these partitions.

        Records between the committed offset and the log's end may have been sent by whoever held the
        partition before us, so what the target holds for their identities is unknown.
        """
        self._settled = {}
        self._states = {
            feed: self._load_state(feed, [place for place in places if place.topic == topic])
            for topic, feed in self._feeds.items()
        }

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        for topic, feed in self._feeds.items():
            waiting = self._waiting(feed, [record for record in records if record.topic == topic])
            for batch in batches(waiting, self._target.batch_items_max[feed]):
                self._deliver(feed, batch)
        return [
            record
            for (feed, key), status in self._settled.items()
            for record in self._records(feed, key, status)
        ]

    def committed(self) -> None:
        for (feed, key), status in self._settled.items():
            self._states[feed].put(key, status)
        self._settled = {}

    def _waiting(self, feed: str, records: Sequence[Record]) -> list[Submission]:
        """The latest state of each identity, without what is settled already."""
        latest: dict[bytes, Record] = {}
        oldest_ms: dict[bytes, int] = {}
        lanes: dict[bytes, Lane] = {}
        for record in records:
            if record.key in latest:
                metrics.ITEMS.labels(self._target.name, feed, "superseded").inc()
            latest[record.key] = record
            if (feed, record.key) not in self._settled:
                self._states[feed].saw(record.key, record.partition, record.offset)
            commit_ms = _number(record, "commit_ms")
            oldest_ms[record.key] = min(oldest_ms.get(record.key, commit_ms), commit_ms)
            # The best lane of all versions: a live edit must not wait because bulk work came behind it.
            if record.headers.get("lane") != b"bulk":
                lanes[record.key] = "live"
        submissions = (
            self._submission(feed, record, lanes.get(key, "bulk"), oldest_ms[key])
            for key, record in latest.items()
        )
        return [submission for submission in submissions if submission is not None]

    def _submission(self, feed: str, record: Record, lane: Lane, commit_ms: int) -> Submission | None:
        state = self._states[feed]
        if (feed, record.key) in self._settled or state.is_settled(record.key, record.offset):
            return None
        submission = self._mapped(feed, record, lane, commit_ms)
        if submission is not None and state.knows(record.key, submission.hash):
            metrics.ITEMS.labels(self._target.name, feed, "unchanged").inc()
            return None
        return submission

    def _mapped(self, feed: str, record: Record, lane: Lane, commit_ms: int) -> Submission | None:
        """The item as the service takes it; one that cannot be read or said waits for attention."""
        dialect = self._target.dialect
        submission = Submission(
            key=record.key,
            operation="upsert",
            body=b"",
            hash=_DELETED_HASH,
            partition=record.partition,
            offset=record.offset,
            lane=lane,
            commit_ms=commit_ms,
        )
        if record.value is None:
            payload = dialect.delete_payload(feed, msgspec.json.decode(record.key))
            return replace(submission, operation="delete", body=canonical_json(payload))
        try:
            text = canonical_json(dialect.payload(feed, decode(feed, record.value)))
            if len(text) > dialect.item_bytes_max(feed):
                message = f"item of {len(text)} bytes, the service takes {dialect.item_bytes_max(feed)}"
                raise Unmappable(message)
        except (Unmappable, UnknownSchema) as error:
            refused = replace(submission, hash=f"unsent:{xxhash.xxh3_128_hexdigest(record.value)}")
            if not self._states[feed].knows(record.key, refused.hash):
                self._settle(feed, refused, "attention", None, str(error))
            return None
        return replace(submission, body=text, hash=xxhash.xxh3_128_hexdigest(text))

    def _deliver(self, feed: str, batch: list[Submission]) -> None:
        """Send until every item of the batch is settled.

        Raises:
            Transient: the rest has to wait; what is settled stays so.
        """
        todo = [batch]
        token_renewed = False
        while todo:
            part = todo.pop()
            verdict, request_id = self._request(feed, part)
            match verdict.decision:
                case "delivered":
                    outcome: Outcome = "deleted" if part[0].operation == "delete" else "delivered"
                    for submission in part:
                        self._settle(feed, submission, outcome, request_id)
                case "refused":
                    refused = verdict.refused or {}
                    for index, reason in refused.items():
                        self._settle(feed, part[index], "attention", request_id, reason)
                    # The others were only refused with them.
                    rest = [s for index, s in enumerate(part) if index not in refused]
                    todo.extend([rest] if rest else [])
                case "split" if len(part) > 1:
                    middle = len(part) // 2
                    todo.extend([part[middle:], part[:middle]])
                case "split":
                    self._settle(feed, part[0], "attention", request_id, verdict.reason)
                case "token" if not token_renewed:
                    token_renewed = True
                    self._sender.forget_token()
                    todo.append(part)
                case "wait":
                    raise Transient(verdict.reason, retry_after_s=verdict.retry_after_s)
                case _:
                    log.error(
                        "target cannot be used", extra={"target": self._target.name, "reason": verdict.reason}
                    )
                    raise Transient(verdict.reason, retry_after_s=_OURS_WAIT_S)

    def _request(self, feed: str, part: Sequence[Submission]) -> tuple[Verdict, str | None]:
        wait_s = self._target.budgets[feed].take(len(part))
        if wait_s > 0:
            raise Waiting("the allowance refills", retry_after_s=min(wait_s, _BUDGET_WAIT_S_MAX))
        state = self._states[feed]
        trusted = [submission.key for submission in part if not state.is_unknown(submission.key)]
        # From the first byte written until an answer is understood, nobody knows what the target holds.
        for submission in part:
            state.doubt(submission.key)
        operation = part[0].operation
        answer = self._sender.post(self._target.dialect.path(feed, operation), body(part))
        verdict = settle(answer, len(part))
        if not verdict.outcome_unknown:
            known = [s.key for s in part] if verdict.decision == "delivered" else trusted
            for key in known:
                state.trust(key)
        metrics.HTTP_REQUESTS.labels(self._target.name, feed, operation, str(answer.status or "error")).inc()
        return verdict, answer.request_id

    def _settle(
        self,
        feed: str,
        submission: Submission,
        outcome: Outcome,
        request_id: str | None,
        error: str | None = None,
    ) -> None:
        now_ms = self._now_ms()
        self._settled[feed, submission.key] = Status(
            outcome=outcome,
            hash=submission.hash,
            topic=self._names.feed(feed),
            partition=submission.partition,
            offset=submission.offset,
            time_ms=now_ms,
            request_id=request_id,
            error=error,
        )
        metrics.ITEMS.labels(self._target.name, feed, outcome).inc()
        if outcome != "attention":
            seconds = max(0.0, (now_ms - submission.commit_ms) / 1000)
            metrics.FRESHNESS.labels(self._target.name, feed, submission.lane).observe(seconds)
        else:
            log.warning(
                "item needs attention",
                extra={
                    "target": self._target.name,
                    "feed": feed,
                    "partition": submission.partition,
                    "offset": submission.offset,
                    "reason": error,
                },
            )

    def _records(self, feed: str, key: bytes, status: Status) -> list[Outgoing]:
        """The status, and the dead letter that it writes or clears."""
        target = self._target.name
        records = [Outgoing(self._names.status(target, feed), status.partition, key, encode_status(status))]
        before = self._states[feed].status(key)
        topic = self._names.dead_letter(target, feed)
        if status.outcome == "attention":
            letter = DeadLetter(
                kind="attention",
                operation="delete" if status.hash == _DELETED_HASH else "upsert",
                error=status.error or "",
                attempts=1,
                time_ms=status.time_ms,
                topic=status.topic,
                partition=status.partition,
                offset=status.offset,
                request_id=status.request_id,
            )
            records.append(Outgoing(topic, status.partition, key, msgspec.json.encode(letter)))
        elif before is not None and before.outcome == "attention":
            records.append(Outgoing(topic, status.partition, key, None))
        return records


def _number(record: Record, header: str) -> int:
    return int(record.headers.get(header, b"0") or 0) or record.timestamp_ms
