"""Ask for a resync by a record on the control topic, and look how far it is."""

import time
from collections.abc import Mapping

import msgspec

from producers.resync.stage import KEY_PREFIX
from runtime.errors import Unreachable
from runtime.kafka import producer, read_to_end, reader
from runtime.settings import Settings
from schemas.records import ALLOW_DELETES_KEY, AllowDeletes, ResyncProgress
from schemas.topics import TopicNames

ALLOW_DELETES_MS = 3_600_000


def request_resync(settings: Settings, feeds: tuple[str, ...], *, allow_deletes: bool = False) -> int:
    """Write the command; returns the time that names it (unix milliseconds).

    Args:
        allow_deletes: builders may pass the delete guard for an hour.

    Raises:
        Unreachable: the broker does not take it.
    """
    requested_ms = time.time_ns() // 1_000_000
    command = ResyncProgress(feeds=feeds, state="requested", requested_ms=requested_ms)
    commands = {KEY_PREFIX + feed.encode(): msgspec.json.encode(command) for feed in feeds}
    if allow_deletes:
        allowed = msgspec.json.encode(AllowDeletes(requested_ms + ALLOW_DELETES_MS))
        commands = {ALLOW_DELETES_KEY: allowed, **commands}
    send_commands(settings, commands)
    return requested_ms


def send_commands(settings: Settings, commands: Mapping[bytes, bytes]) -> None:
    """Write command records to the control topic, by key.

    Raises:
        Unreachable: the broker does not take them.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    client = producer(settings.kafka, names.group("request"))
    for key, value in commands.items():
        client.produce(names.control, key=key, value=value, partition=0)
    if client.flush(20):
        message = f"kafka.bootstrap_servers = {settings.kafka.bootstrap_servers}: the command was not taken"
        raise Unreachable(message)


def resync_progress(settings: Settings, requested_ms: int) -> ResyncProgress | None:
    """The newest progress record of a request, or of one that took its place; None when none is there yet."""
    names = TopicNames(settings.kafka.topic_prefix)
    asker = reader(settings.kafka, names.group("request"))
    newest: ResyncProgress | None = None
    try:
        for record in read_to_end(asker, names.control, [0]):
            if record.value is None or not record.key.startswith(KEY_PREFIX):
                continue
            progress = msgspec.json.decode(record.value, type=ResyncProgress)
            if progress.state == "requested" and progress.requested_ms == requested_ms:
                # What stands before the request is of other runs, whatever their clock said.
                newest = None
            elif progress.state != "requested" and progress.requested_ms >= requested_ms:
                newest = progress
    finally:
        asker.close()
    return newest
