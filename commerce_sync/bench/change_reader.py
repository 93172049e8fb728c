"""When each change can be read on Debezium's topic: the limit of whatever comes after it."""

import threading
import time
from typing import Final

import msgspec
from confluent_kafka import TopicPartition

from commerce_sync.bench.writer import serial_of
from runtime.kafka import group_consumer, poll_batch, watermarks
from runtime.settings import KafkaSettings
from schemas.records import ChangeEvent

_DECODER: Final = msgspec.json.Decoder(ChangeEvent)
_POLL_S: Final = 0.2


class ChangeReader:
    """Reads a change topic from its present end in a thread, committed records only."""

    def __init__(self, settings: KafkaSettings, client_id: str, topic: str) -> None:
        self._consumer = group_consumer(settings, client_id, client_id)
        _, end = watermarks(self._consumer, topic, 0)
        self._consumer.assign([TopicPartition(topic, 0, end)])
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="change-reader", daemon=True)
        # Unix seconds of the first sight by serial number.
        self.arrivals: dict[int, float] = {}

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        self._consumer.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            # One by one, so that the time noted is that of this record.
            for record in poll_batch(self._consumer, 1, _POLL_S):
                now = time.time()
                after = _DECODER.decode(record.value).after if record.value else None
                serial = serial_of((after or {}).get("value"))
                if serial is not None:
                    self.arrivals.setdefault(serial, now)
