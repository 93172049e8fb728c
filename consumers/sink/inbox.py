"""What happened beside the scheduler's thread, in order."""

import threading
from dataclasses import dataclass, field
from queue import Queue
from typing import Any

from confluent_kafka import TopicPartition

from consumers.sink.batch import Contents
from consumers.sink.delivery import Commit
from consumers.sink.settle import Answer
from consumers.sink.waiting import Fetch
from runtime.record import Record


@dataclass(frozen=True, slots=True)
class Assigned:
    """This process is the active one: committed places of all feeds, and who we are in the group."""

    places: list[TopicPartition]
    group: Any
    done: threading.Event


@dataclass(frozen=True, slots=True)
class Revoked:
    """Another process is to be the active one; it waits for `done`."""

    done: threading.Event


@dataclass(frozen=True, slots=True)
class Scanned:
    records: list[Record]


@dataclass(frozen=True, slots=True)
class Reached:
    """Where reading stands, past transaction markers."""

    places: list[TopicPartition]


@dataclass(frozen=True, slots=True)
class Fetched:
    fetch: Fetch
    records: list[Record]
    next_offset: int
    contents: Contents = ()


@dataclass(frozen=True, slots=True)
class Answered:
    number: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Written:
    commit: Commit


@dataclass(frozen=True, slots=True)
class Failed:
    """A thread cannot go on."""

    error: BaseException


Event = Assigned | Revoked | Scanned | Reached | Fetched | Answered | Written | Failed
# No SimpleQueue: before Python 3.13 its wait never ends when a signal is handled beyond the end of its time.
Inbox = Queue[Event]


@dataclass(slots=True)
class Lease:
    """Proof that this process is still the active one: when the group last agreed, by the monotonic clock."""

    seconds: float
    proven_at: float = field(default=float("-inf"))

    def holds(self, now: float) -> bool:
        return now - self.proven_at < self.seconds
