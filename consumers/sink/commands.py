"""What is said on the control topic to a sink: pause, retry, resend, scopes, reconciles, its address."""

import logging
from collections.abc import Iterable

import msgspec

from consumers.sink.delivery import Delivery
from runtime.record import Record
from schemas.controls import ADDRESS_PREFIX, RECONCILE_PREFIX, SCOPE_PREFIX, Address, Reconcile, Scope
from schemas.records import (
    ALLOW_DELETES_KEY,
    PAUSE_PREFIX,
    RESEND_PREFIX,
    RETRY_PREFIX,
    AllowDeletes,
    Pause,
    Resend,
    Retry,
)

log = logging.getLogger(__name__)


def load(delivery: Delivery, own: Address, records: Iterable[Record], *, clean: bool) -> None:
    """What the control topic says when partitions are taken over, before they are.

    Args:
        own: the target as it is configured.
        clean: the predecessor has told all it sent.
    """
    newest: dict[bytes, Record] = {}
    for record in records:
        # In the order of the newest: two keys may switch one store view, which moved between websites.
        newest.pop(record.key, None)
        newest[record.key] = record
        delivery.controls_end = record.offset + 1
    for record in newest.values():
        try:
            _load(delivery, own, record, clean=clean)
        except msgspec.MsgspecError:
            log.warning("control record is no command", extra={"offset": record.offset})
    delivery.settle_address(own)


def _load(delivery: Delivery, own: Address, record: Record, *, clean: bool) -> None:
    if record.value is None:
        return
    if record.key.startswith(RECONCILE_PREFIX):
        run = msgspec.json.decode(record.value, type=Reconcile)
        if run.target == own.target and run.feed in delivery.feeds:
            delivery.reconcilers[run.feed].load(run, clean=clean)
    elif record.key.startswith(RETRY_PREFIX) and not clean:
        delivery.may_have_obeyed(own.target, msgspec.json.decode(record.value, type=Retry))
    elif record.key.startswith(RESEND_PREFIX) and not clean:
        delivery.may_have_obeyed(own.target, msgspec.json.decode(record.value, type=Resend))
    elif (
        record.key.startswith((SCOPE_PREFIX, ADDRESS_PREFIX, PAUSE_PREFIX)) or record.key == ALLOW_DELETES_KEY
    ):
        _hear(delivery, own.target, record)


def apply(delivery: Delivery, target: str, records: Iterable[Record]) -> None:
    """Obey the commands among some records; what belongs to others, or cannot be read, is left alone.

    The topic is read from its beginning at each start, so commands have to be harmless the second time; what
    `load` has looked at already is left out.
    """
    for record in records:
        if record.topic != delivery.control:
            continue
        try:
            if record.key.startswith(RETRY_PREFIX) and record.value is not None:
                _retry(delivery, target, msgspec.json.decode(record.value, type=Retry))
            elif record.key.startswith(RESEND_PREFIX) and record.value is not None:
                _resend(delivery, target, msgspec.json.decode(record.value, type=Resend))
            elif record.offset >= delivery.controls_end:
                _hear(delivery, target, record)
        except msgspec.MsgspecError:
            log.warning("control record is no command", extra={"offset": record.offset})


def _hear(delivery: Delivery, target: str, record: Record) -> None:
    if record.key.startswith(RECONCILE_PREFIX):
        _reconcile(delivery, target, record)
    elif record.value is None:
        return
    elif record.key.startswith(PAUSE_PREFIX):
        _pause(delivery, target, msgspec.json.decode(record.value, type=Pause))
    elif record.key.startswith(SCOPE_PREFIX):
        scope = msgspec.json.decode(record.value, type=Scope)
        if scope.target == target:
            delivery.scope(scope)
    elif record.key.startswith(ADDRESS_PREFIX):
        address = msgspec.json.decode(record.value, type=Address)
        if address.target == target:
            delivery.known_address = address
            delivery.look_at_address()
    elif record.key == ALLOW_DELETES_KEY:
        until_ms = msgspec.json.decode(record.value, type=AllowDeletes).until_ms
        for reconciler in delivery.reconcilers.values():
            reconciler.deletes_until_ms = until_ms


def _reconcile(delivery: Delivery, target: str, record: Record) -> None:
    if record.value is not None:
        run = msgspec.json.decode(record.value, type=Reconcile)
        if run.target == target and run.feed in delivery.feeds:
            delivery.reconcilers[run.feed].ask(run)
        return
    named, feed, requested_ms = record.key.removeprefix(RECONCILE_PREFIX).decode().split(":")
    if named == target and feed in delivery.feeds:
        delivery.reconcilers[feed].cancel(int(requested_ms))


def _pause(delivery: Delivery, target: str, command: Pause) -> None:
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
