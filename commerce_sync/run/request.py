"""Ask for resyncs by records on the control topic, stop them, and look how far they are."""

import time
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec
from confluent_kafka import Consumer

from producers.resync.runs import newest_runs
from runtime.errors import Unreachable
from runtime.kafka import producer, read_to_end, reader, watermarks
from runtime.record import Record
from runtime.settings import Settings
from schemas.entities import ENTITY_OF, FEEDS_OF
from schemas.records import ALLOW_DELETES_KEY, RESYNC_KEYS, AllowDeletes, ResyncProgress, resync_key
from schemas.topics import TopicNames

ALLOW_DELETES_MS = 3_600_000


def request_resync(
    settings: Settings,
    feeds: tuple[str, ...],
    *,
    allow_deletes: bool = False,
    cleanup: bool = False,
    reason: str = "",
) -> int:
    """Write a command for each kind of entity that the feeds are made of.

    Returns the time that names them (unix milliseconds).

    Args:
        allow_deletes: builders may pass the delete guard for an hour.
        cleanup: send every item of the feeds, and forget those that are no longer there.
        reason: stands in the log and with what is built.

    Raises:
        Unreachable: the broker does not take it.
    """
    requested_ms = time.time_ns() // 1_000_000
    commands: dict[bytes, bytes] = {}
    if allow_deletes:
        commands[ALLOW_DELETES_KEY] = msgspec.json.encode(AllowDeletes(requested_ms + ALLOW_DELETES_MS))
    for entity in entities_of(feeds):
        asked = tuple(feed for feed in feeds if ENTITY_OF[feed] == entity)
        command = ResyncProgress(asked, "requested", requested_ms, reason, cleanup=cleanup)
        commands[resync_key(entity)] = msgspec.json.encode(command)
    send_commands(settings, commands)
    return requested_ms


def command_runs(settings: Settings, entities: Iterable[str], state: Literal["stop", "continue"]) -> int:
    """Stop the runs of some kinds of entity, or let stopped ones go on where they stood.

    Returns the time that names the commands (unix milliseconds).

    Raises:
        Unreachable: the broker does not take it.
    """
    requested_ms = time.time_ns() // 1_000_000
    command = msgspec.json.encode(ResyncProgress((), state, requested_ms))
    send_commands(settings, {resync_key(entity): command for entity in entities})
    return requested_ms


def entities_of(feeds: Iterable[str]) -> list[str]:
    """The kinds of entity that feeds are made of, in the order of a first sync."""
    wanted = {ENTITY_OF[feed] for feed in feeds}
    return [entity for entity in FEEDS_OF if entity in wanted]


def current_runs(settings: Settings) -> dict[str, ResyncProgress]:
    """Where the last run of each kind of entity stands.

    Raises:
        Unreachable: the broker does not answer.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    asker = reader(settings.kafka, names.group("request"))
    try:
        runs = newest_runs(read_to_end(asker, names.control, [0]))
    finally:
        asker.close()
    return {entity: runs[key] for entity in FEEDS_OF if (key := resync_key(entity)) in runs}


def send_commands(settings: Settings, commands: Mapping[bytes, bytes | None]) -> None:
    """Write command records to the control topic, by key; None takes one back.

    Raises:
        Unreachable: the broker does not take them.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    client = producer(settings.kafka, names.group("request"))
    for key, value in commands.items():
        client.produce(names.control, key=key, value=value, partition=0)
    if client.flush(20):
        asker = reader(settings.kafka, names.group("request"))
        try:
            # Where the topic is not there, this says so.
            watermarks(asker, names.control, 0)
        finally:
            asker.close()
        message = f"kafka.bootstrap_servers = {settings.kafka.bootstrap_servers}: the command was not taken"
        raise Unreachable(message)


class Followed:
    """How far a request is, all its commands together, looked at again and again."""

    def __init__(self, asker: Consumer, names: TopicNames, requested_ms: int) -> None:
        """`asker` reads the control topic, once from its beginning and then what is new."""
        self._asker = asker
        self._topic = names.control
        self._requested_ms = requested_ms
        self._next: dict[int, int] = {}
        self._newest: dict[bytes, ResyncProgress | None] = {}

    def look(self) -> ResyncProgress | None:
        """Where it stands now; None when none of its commands has begun.

        A command that took the place of one of them counts for it.
        """
        for record in read_to_end(self._asker, self._topic, [0], self._next):
            self._next[0] = record.offset + 1
            self._take_in(record)
        return _together(list(self._newest.values()))

    def _take_in(self, record: Record) -> None:
        if record.value is None or record.key not in RESYNC_KEYS:
            return
        progress = msgspec.json.decode(record.value, type=ResyncProgress)
        if progress.is_command and progress.requested_ms == self._requested_ms:
            # What stands before the request is of other runs, whatever their clock said.
            self._newest[record.key] = None
        elif record.key not in self._newest:
            # Of a kind that was not asked for, or told before it was.
            return
        elif not progress.is_command and progress.requested_ms >= self._requested_ms:
            self._newest[record.key] = progress


def _together(runs: list[ResyncProgress | None]) -> ResyncProgress | None:
    begun = [run for run in runs if run is not None]
    if not begun:
        return None
    states = {run.state for run in begun}
    done = len(begun) == len(runs) and states == {"enumerated"}
    return msgspec.structs.replace(
        begun[-1],
        feeds=tuple(feed for run in begun for feed in run.feeds),
        state="stopped" if "stopped" in states else "enumerated" if done else "running",
        entities=sum(run.entities for run in begun),
        total=sum(max(run.total, run.entities) for run in begun),
    )
