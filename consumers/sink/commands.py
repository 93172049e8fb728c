"""What operators say on the control topic to a sink: pause, resume, retry, resend."""

import logging
from collections.abc import Iterable

import msgspec

from consumers.sink.delivery import Delivery
from runtime.record import Record
from schemas.records import PAUSE_PREFIX, RESEND_PREFIX, RETRY_PREFIX, Pause, Resend, Retry

log = logging.getLogger(__name__)


def apply(delivery: Delivery, target: str, records: Iterable[Record]) -> None:
    """Obey the commands among some records; what belongs to others, or cannot be read, is left alone.

    The topic is read from its beginning at each start, so commands have to be harmless the second time.
    """
    for record in records:
        try:
            if record.key.startswith(PAUSE_PREFIX):
                _pause(delivery, target, record)
            elif record.key.startswith(RETRY_PREFIX) and record.value is not None:
                _retry(delivery, target, msgspec.json.decode(record.value, type=Retry))
            elif record.key.startswith(RESEND_PREFIX) and record.value is not None:
                _resend(delivery, target, msgspec.json.decode(record.value, type=Resend))
        except msgspec.MsgspecError:
            log.warning("control record is no command", extra={"offset": record.offset})


def _pause(delivery: Delivery, target: str, record: Record) -> None:
    if record.value is not None:
        command = msgspec.json.decode(record.value, type=Pause)
        if command.target == target and command.feed in delivery.feeds:
            delivery.pause(command.feed, command.paused)
            log.info("feed paused" if command.paused else "feed resumed", extra={"feed": command.feed})


def _retry(delivery: Delivery, target: str, command: Retry) -> None:
    if command.target == target and command.feed in delivery.feeds:
        keys = [key.encode() for key in command.keys]
        delivery.retry(command.feed, command.requested_ms, command.kind, keys)


def _resend(delivery: Delivery, target: str, command: Resend) -> None:
    if command.target == target and command.feed in delivery.feeds:
        delivery.resend(command.feed, command.requested_ms, command.items)
