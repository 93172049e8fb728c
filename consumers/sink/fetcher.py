"""The bulk position and pointers: feed records that are read beside the scan, when they are asked for."""

import threading
from dataclasses import replace
from queue import SimpleQueue
from typing import Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumers.sink.batch import Contents
from consumers.sink.inbox import Failed, Fetched, Inbox
from consumers.sink.mapper import Mapper
from consumers.sink.waiting import LOG_END, Fetch
from runtime.errors import Fault
from runtime.fetch import near_offsets
from runtime.kafka import watermarks
from runtime.record import Record, from_message

_POLL_S: Final = 1.0
# Fewer are mapped by the scheduler sooner than by another process.
_MAPPED_MIN: Final = 100


class Fetcher:
    """Answers one fetch after the other in a thread of its own."""

    def __init__(self, consumer: Consumer, inbox: Inbox, mapper: Mapper) -> None:
        self._consumer = consumer
        self._inbox = inbox
        self._mapper = mapper
        self._asked: SimpleQueue[Fetch | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)
        self._stopping = False

    def start(self) -> None:
        self._thread.start()

    def ask(self, fetch: Fetch) -> None:
        self._asked.put(fetch)

    def stop(self) -> None:
        self._stopping = True
        self._asked.put(None)
        self._thread.join(10)

    def _run(self) -> None:
        try:
            while (fetch := self._asked.get()) is not None and not self._stopping:
                self._hand_on(self._fetched(fetch))
                if self._asked.empty():
                    # A client that stands at a log's end would ask the broker a hundred times a second.
                    self._consumer.unassign()
        except BaseException as error:
            self._inbox.put(Failed(error))
        finally:
            self._consumer.close()
            self._mapper.stop()

    def _hand_on(self, fetched: Fetched) -> None:
        """Bulk work goes on to be mapped, while the next is fetched."""
        fetch = fetched.fetch
        if fetch.sweep or fetch.offsets or len(fetched.records) < _MAPPED_MIN:
            self._inbox.put(fetched)
            return

        def then(contents: Contents) -> None:
            self._inbox.put(replace(fetched, contents=contents))

        self._mapper.map(fetch.feed, [record.value for record in fetched.records], then)

    def _fetched(self, fetch: Fetch) -> Fetched:
        if fetch.sweep:
            return self._swept(fetch)
        if not fetch.offsets:
            records, position = self._read(fetch, fetch.begin, fetch.until, fetch.records_max)
            return Fetched(fetch, records, position)
        found: list[Record] = []
        for near in near_offsets(fetch.offsets):
            found.extend(self._pointed(fetch, near[0], near[-1] + 1))
        return Fetched(fetch, found, fetch.until)

    def _pointed(self, fetch: Fetch, begin: int, until: int) -> list[Record]:
        """Records by pointer, as far as the log has them; after a loss it may be another log."""
        low, high = watermarks(self._consumer, fetch.topic, fetch.partition)
        begin, until = max(begin, low), min(until, high)
        return self._read(fetch, begin, until, until - begin)[0] if begin < until else []

    def _swept(self, fetch: Fetch) -> Fetched:
        """A part of the log that may begin before it or reach beyond its end."""
        low, high = watermarks(self._consumer, fetch.topic, fetch.partition)
        begin, until = max(fetch.begin, low), min(fetch.until, high)
        if begin >= until:
            return Fetched(fetch, [], LOG_END if fetch.until >= high else fetch.until)
        records, position = self._read(fetch, begin, until, fetch.records_max)
        return Fetched(fetch, records, LOG_END if position >= high else position)

    def _read(self, fetch: Fetch, begin: int, until: int, records_max: int) -> tuple[list[Record], int]:
        """Records of [begin, until), and the position behind the last one."""
        place = TopicPartition(fetch.topic, fetch.partition, begin)
        self._consumer.assign([place])
        records: list[Record] = []
        position = begin
        while position < until and len(records) < records_max and not self._stopping:
            first = self._consumer.poll(_POLL_S)
            for message in [first, *self._consumer.consume(records_max, 0)] if first is not None else []:
                error = message.error()
                if error is None:
                    record = from_message(message)
                    if record.offset < until and len(records) < records_max:
                        records.append(record)
                elif error.code() == KafkaError._AUTO_OFFSET_RESET or error.fatal():
                    sentence = f"{fetch.topic} [{fetch.partition}] cannot be read at {begin}: {error.str()}"
                    raise Fault(sentence)
            if len(records) >= records_max:
                return records, records[-1].offset + 1
            position = max(position, self._consumer.position([place])[0].offset)
        return records, min(position, until)
