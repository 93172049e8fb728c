"""Statuses, dead letters and positions, written beside the sending, one transaction after the other."""

import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any, Final

from confluent_kafka import Producer, TopicPartition

from consumers.sink.delivery import Commit
from consumers.sink.inbox import Failed, Inbox, Written
from runtime.deadline import Deadline, start_over
from runtime.kafka import TRANSACTION_TIMEOUT_S
from runtime.record import Outgoing
from runtime.write import transact

# Kept with each committed position: whether its holder may have left requests of unknown outcome behind.
OPEN: Final = "open"
CLEAN: Final = "clean"


class Journal:
    """A thread that writes; what came while it did goes into the next transaction.

    The group metadata is that of one assignment: the broker refuses what a replaced process writes.
    """

    def __init__(self, producer: Producer, inbox: Inbox) -> None:
        self._producer = producer
        self._inbox = inbox
        # The client's own time limits do not hold when a broker dies in the middle.
        self._deadline = Deadline(TRANSACTION_TIMEOUT_S + 5, start_over)
        self._jobs: SimpleQueue[tuple[Commit, Any] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def write(self, commit: Commit, group: Any) -> None:
        """Write soon; the inbox is told when it is durable."""
        self._jobs.put((commit, group))

    def mark(
        self,
        positions: dict[tuple[str, int], int],
        mark: str,
        group: Any,
        records: Sequence[Outgoing] = (),
    ) -> None:
        """Say with all positions whether requests are under way. Only while nothing else is written.

        Raises:
            Doubt: nobody knows whether that is durable.
        """
        with self._deadline:
            transact(self._producer, records, _places(positions, mark), group)

    def stop(self) -> None:
        self._jobs.put(None)
        self._thread.join(30)
        self._deadline.close()

    def _run(self) -> None:
        try:
            while (job := self._jobs.get()) is not None:
                commit, group = job
                with self._deadline:
                    transact(self._producer, commit.records, _places(commit.offsets, OPEN), group)
                self._inbox.put(Written(commit))
        except BaseException as error:
            self._inbox.put(Failed(error))


def _places(positions: dict[tuple[str, int], int], mark: str) -> list[TopicPartition]:
    return [
        TopicPartition(topic, partition, offset, mark) for (topic, partition), offset in positions.items()
    ]
