"""One command record at a time: enumerate a page of entities, then say how far we came.

A request that comes while a run goes on takes its place: it begins where that one stands and goes once
around, so that twenty requests in a row enumerate the catalog about once.

The progress record of one page is the command for the next. Both go in one transaction with the dirty
records, so the work resumes exactly where it stopped, whoever goes on.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec
from confluent_kafka import TopicPartition

from producers.resync.enumerations import ENUMERATIONS
from runtime.database import Database
from runtime.record import Outgoing, Record
from schemas.entities import FEEDS_OF, partitions_of
from schemas.keys import partition_for
from schemas.records import RESYNC_KEYS, Dirty, ResyncProgress, newer
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

PAGE_ENTITIES: Final = 5_000
# No id is higher.
NUMBER_MAX: Final = 2**63 - 1
_DECODER: Final = msgspec.json.Decoder(ResyncProgress)

State = Literal["requested", "running", "enumerated"]


class ResyncStage:
    """Implements runtime.loop.Stage."""

    name = "resync"

    def __init__(
        self,
        database: Database,
        names: TopicNames,
        partitions: int,
        table_prefix: str,
        index_keys: Callable[[str], Iterator[bytes]],
    ) -> None:
        """Make one.

        Args:
            index_keys: the entities that the builders know, by kind of entity.
        """
        self._database = database
        self._names = names
        self._partitions = partitions
        self._prefix = table_prefix
        self._index_keys = index_keys
        # Name of the run that was asked for last, of those asked for since this process began.
        self._current: dict[bytes, int] = {}
        # Where each key's run stands, as far as that is committed.
        self._runs: dict[bytes, ResyncProgress] = {}
        self._pages: dict[bytes, ResyncProgress] = {}

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self._current, self._runs = {}, {}

    def committed(self) -> None:
        self._runs |= self._pages

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        self._pages = {}
        outgoing: list[Outgoing] = []
        # What others refer to goes first.
        commands = sorted(self._commands(records).items(), key=lambda named: _ORDER[_entity(named[0][0])])
        for (key, _), command in commands:
            entities, progress = self._page(_entity(key), command)
            self._pages[key] = progress
            outgoing += entities
            outgoing.append(Outgoing(self._names.control, 0, key, msgspec.json.encode(progress)))
        return outgoing

    def _commands(self, records: Sequence[Record]) -> Mapping[tuple[bytes, int], ResyncProgress]:
        """What to go on with, by key and name of the run; a newer request takes the place of what runs.

        After a restart it is not known which of two runs is the newer: both go on.
        """
        commands: dict[tuple[bytes, int], ResyncProgress] = {}
        runs = dict(self._runs)
        for record in records:
            if record.value is None or record.key not in RESYNC_KEYS:
                continue
            try:
                command = _DECODER.decode(record.value)
            except msgspec.MsgspecError:
                log.warning("control record is no resync", extra={"offset": record.offset})
                continue
            if command.state == "requested":
                command = runs[record.key] = _taking_over(command, runs.get(record.key))
                self._current[record.key] = command.requested_ms
                commands = {name: known for name, known in commands.items() if name[0] != record.key}
                commands[record.key, command.requested_ms] = command
            elif command.state == "running" and self._is_current(record.key, command):
                commands.setdefault((record.key, command.requested_ms), command)
        return commands

    def _is_current(self, key: bytes, command: ResyncProgress) -> bool:
        return self._current.get(key, command.requested_ms) == command.requested_ms

    def _page(self, entity: str, command: ResyncProgress) -> tuple[list[Outgoing], ResyncProgress]:
        """The next entities of a run, and where it stands behind them."""
        until = command.began if command.around else NUMBER_MAX
        rows = self._database.query(
            ENUMERATIONS[entity].page.format(p=self._prefix), (command.cursor, until, PAGE_ENTITIES)
        )
        reason = f"resync:{command.reason}" if command.reason else "resync"
        dirty = Dirty(reason, command.position, always=True)
        outgoing = [self._dirty(entity, str(key).encode(), dirty) for _, key in rows]
        cursor = int(rows[-1][0]) if rows else command.cursor
        state: State = "running"
        around = command.around
        if len(rows) < PAGE_ENTITIES and command.began and not around:
            cursor, around = 0, True
        elif len(rows) < PAGE_ENTITIES:
            # What the database no longer has is known only to the index: its deletes may have been missed.
            outgoing.extend(self._dirty(entity, key, dirty) for key in self._vanished(entity))
            state = "enumerated"
            log.info(
                "enumeration done", extra={"entity": entity, "entities": command.entities + len(outgoing)}
            )
        progress = msgspec.structs.replace(
            command, state=state, cursor=cursor, around=around, entities=command.entities + len(outgoing)
        )
        return outgoing, progress

    def _dirty(self, entity: str, key: bytes, dirty: Dirty) -> Outgoing:
        partition = partition_for(key, partitions_of(entity, self._partitions))
        return Outgoing(self._names.dirty(entity, "bulk"), partition, key, msgspec.json.encode(dirty))

    def _vanished(self, entity: str) -> Iterator[bytes]:
        """Entities of the index without a row, asked for in pages."""
        page: list[bytes] = []
        for key in self._index_keys(entity):
            page.append(key)
            if len(page) == PAGE_ENTITIES:
                yield from self._without_row(entity, page)
                page = []
        yield from self._without_row(entity, page)

    def _without_row(self, entity: str, keys: Sequence[bytes]) -> list[bytes]:
        if not keys:
            return []
        rows = self._database.query(
            ENUMERATIONS[entity].present.format(p=self._prefix), ([key.decode() for key in keys],)
        )
        present = {str(key).encode() for (key,) in rows}
        return [key for key in keys if key not in present]


def _entity(key: bytes) -> str:
    return key.decode().partition(":")[2]


_ORDER: Final = {entity: place for place, entity in enumerate(FEEDS_OF)}


def _taking_over(request: ResyncProgress, run: ResyncProgress | None) -> ResyncProgress:
    """The request as a run of its own, named later than the one it takes the place of."""
    if run is None or run.state == "enumerated":
        return request
    return msgspec.structs.replace(
        request,
        requested_ms=max(request.requested_ms, run.requested_ms + 1),
        cursor=run.cursor,
        began=run.cursor,
        position=newer(run.position, request.position),
    )
