"""Commands and what runs: enumerate a page of entities of each run, then say how far it came.

A request that comes while a run goes on takes its place: it begins where that one stands and goes once
around, so that twenty requests in a row enumerate the catalog about once.

A page's progress record goes in one transaction with its dirty records, so the work resumes exactly where
it stopped, whoever goes on. Pages wait while builders are behind: a resync that is stopped then stops soon.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Literal

import msgspec
from confluent_kafka import TopicPartition

from producers.resync.enumerations import ENUMERATIONS
from producers.resync.runs import decode, newest_runs, next_run, obey
from runtime.database import Database
from runtime.record import Outgoing, Record
from schemas.entities import FEEDS_OF, partitions_of
from schemas.keys import partition_for
from schemas.records import Dirty, ResyncProgress
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

PAGE_ENTITIES: Final = 5_000
# Bulk records that wait for builders while the next page may still be written.
WAITING_MAX: Final = 2 * PAGE_ENTITIES
# No id is higher.
NUMBER_MAX: Final = 2**63 - 1

State = Literal["running", "enumerated"]


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
        control: Callable[[], Iterable[Record]] = lambda: (),
        waiting: Callable[[str], int] = lambda entity: 0,
        log_end: Callable[[], int] = lambda: 0,
        position_wait_s: float = 10,
    ) -> None:
        """Make one.

        Args:
            index_keys: the entities that the builders know, by kind of entity.
            control: the control topic's records, from its beginning.
            waiting: records of a kind's bulk lane that the builders have still to settle.
            log_end: where the schema-change topic ends.
            position_wait_s: how long rows as new as the change behind a run are waited for.
        """
        self._database = database
        self._names = names
        self._partitions = partitions
        self._prefix = table_prefix
        self._index_keys = index_keys
        self._control = control
        self._waiting = waiting
        self._log_end = log_end
        self._wait_s = position_wait_s
        # Where each kind's run stands, as far as that is committed.
        self._runs: dict[bytes, ResyncProgress] = {}
        self._next: dict[bytes, ResyncProgress] = {}

    def assign(self, places: Sequence[TopicPartition]) -> None:
        self._runs = newest_runs(self._control()) if places else {}
        self._next = dict(self._runs)

    def committed(self) -> None:
        self._runs = dict(self._next)

    def overdue(self) -> bool:
        """True when a run that waited for the builders may go on."""
        return any(run.state == "running" and self._has_room(key) for key, run in self._runs.items())

    def process(self, records: Sequence[Record]) -> list[Outgoing]:
        runs = dict(self._runs)
        for record in records:
            self._take_in(record, runs)
        outgoing: list[Outgoing] = []
        # What others refer to goes first.
        for key in sorted(runs, key=lambda key: _ORDER[_entity(key)]):
            if runs[key].state == "running" and self._has_room(key):
                entities, runs[key] = self._page(_entity(key), runs[key])
                outgoing += entities
            if runs[key] != self._runs.get(key):
                outgoing.append(Outgoing(self._names.control, 0, key, msgspec.json.encode(runs[key])))
        self._next = runs
        return outgoing

    def _take_in(self, record: Record, runs: dict[bytes, ResyncProgress]) -> None:
        try:
            command = decode(record)
        except msgspec.MsgspecError:
            log.warning("control record is no resync", extra={"offset": record.offset})
            return
        # What is no command was written here, or read when this process began.
        if command is not None and command.is_command:
            run = obey(command, runs.get(record.key))
            if run is not None:
                runs[record.key] = run

    def _has_room(self, key: bytes) -> bool:
        return self._waiting(_entity(key)) <= WAITING_MAX

    def _page(self, entity: str, run: ResyncProgress) -> tuple[list[Outgoing], ResyncProgress]:
        """The next entities of a run, and where it stands behind them."""
        run = run if run.entities else self._counted(entity, run)
        until = run.began if run.around else NUMBER_MAX
        # An entity that a replica does not show yet was made before the change, and might be built before it.
        cover = [] if run.position is None else [run.position]
        with self._database.snapshot(cover, self._wait_s) as snapshot:
            rows = snapshot.query(
                ENUMERATIONS[entity].page.format(p=self._prefix), (run.cursor, until, PAGE_ENTITIES)
            )
        dirty = _dirty_of(run)
        outgoing = [self._dirty(entity, str(key).encode(), dirty) for _, key in rows]
        cursor = int(rows[-1][0]) if rows else run.cursor
        state: State = "running"
        around = run.around
        if len(rows) < PAGE_ENTITIES and run.began and not around:
            cursor, around = 0, True
        elif len(rows) < PAGE_ENTITIES:
            # What the database no longer has is known only to the index: its deletes may have been missed.
            rowless = dict.fromkeys([*self._to_come(entity), *self._vanished(entity)])
            outgoing.extend(self._dirty(entity, key, dirty) for key in rowless)
            state = "enumerated"
            log.info("enumeration done", extra={"entity": entity, "entities": run.entities + len(outgoing)})
        run = msgspec.structs.replace(
            run, state=state, cursor=cursor, around=around, entities=run.entities + len(outgoing)
        )
        if state == "enumerated":
            run = msgspec.structs.replace(run, compared_to=run.log_end)
            return outgoing, next_run(run) or run
        return outgoing, run

    def _counted(self, entity: str, run: ResyncProgress) -> ResyncProgress:
        """A run that begins: how much there is to do, and what capture had told of by then."""
        ((total,),) = self._database.query(ENUMERATIONS[entity].count.format(p=self._prefix))
        return msgspec.structs.replace(run, total=int(total), log_end=self._log_end())

    def _dirty(self, entity: str, key: bytes, dirty: Dirty) -> Outgoing:
        partition = partition_for(key, partitions_of(entity, self._partitions))
        return Outgoing(self._names.dirty(entity, "bulk"), partition, key, msgspec.json.encode(dirty))

    def _to_come(self, entity: str) -> list[bytes]:
        """Entities that have no row today: a build notes when their first version begins."""
        statement = ENUMERATIONS[entity].to_come
        if statement is None or not self._database.edition.is_staged:
            return []
        return [str(key).encode() for (key,) in self._database.query(statement.format(p=self._prefix))]

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


def _dirty_of(run: ResyncProgress) -> Dirty:
    reason = f"resync:{run.reason}" if run.reason else "resync"
    afresh = run.feeds if run.cleanup else ()
    return Dirty(reason, run.position, always=True, afresh=afresh, forget=run.cleanup)


_ORDER: Final = {entity: place for place, entity in enumerate(FEEDS_OF)}
