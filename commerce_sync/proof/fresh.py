"""The catalog built afresh from the source: entities page by page, each page in a snapshot of its own.

The one fresh build there is: the audit, the dry run, the demo and the tests compare with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from consumers.builder import letters
from consumers.builder.diff import ItemKey
from consumers.builder.entities import ENTITIES, ReadOptions, build_one
from producers.resync.enumerations import ENUMERATIONS
from producers.resync.stage import NUMBER_MAX
from runtime.database import Database, Snapshot
from runtime.errors import UnreadableText
from runtime.settings import CommerceSettings
from schemas.codec import decode, encode
from schemas.entities import FEEDS_OF
from schemas.keys import UNHASHED_FIELDS
from schemas.records import EmittedItem, Position
from schemas.topics import ITEM_BYTES_MAX

PAGE_ENTITIES: Final = 1_000
# Numbers and keys are narrow: more of them at once.
ENUMERATED: Final = 20_000

# (record key, feed) -> the item as a reader of the topic has it, without what changes by itself.
Items = dict[tuple[str, str], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Fresh:
    """One entity as it is built now: its items, and reasons by part of what waits for a person."""

    entity: str
    key: str
    items: Mapping[ItemKey, dict[str, Any]]
    parked: Mapping[str, str]

    def kept_back(self, item_key: ItemKey) -> str | None:
        """Why an item stays as it was emitted, whatever that was; None when it is as it is built."""
        feed, key = item_key
        for part in (letters.WHOLE, letters.item_part(feed, key)):
            if part in self.parked:
                return self.parked[part]
        if letters.held_items(self.parked, [EmittedItem(feed, key, "", "live")]):
            return "it cannot be told"
        item = self.items.get(item_key)
        if item is None:
            return None
        try:
            size = len(encode(feed, item))
        except (TypeError, ValueError, OverflowError) as error:
            return f"the item does not fit its schema: {error}"
        return f"the item is {size} bytes long" if size > ITEM_BYTES_MAX else None


@dataclass(frozen=True, slots=True)
class Page:
    """Entities of one snapshot, and where it stands in the server's binlog where that is told."""

    fresh: Sequence[Fresh]
    position: Position | None


class Source:
    """The shop's database, read by the builder's own code."""

    def __init__(self, database: Database, commerce: CommerceSettings) -> None:
        self._database = database
        self._prefix = commerce.table_prefix
        self._options = ReadOptions(commerce.table_prefix, commerce.config, commerce.media_base_url)

    def pages(self, entity: str, wants: Callable[[str], bool] = lambda _: True) -> Iterator[Page]:
        """Every entity of a kind that `wants` names by its key, by ascending id.

        Raises:
            Unreachable, Transient: the database cannot be read.
        """
        keys_of_all = pages(self._database, entity, self._prefix, ENUMERATED)
        wanted = (key for keys in keys_of_all for key in keys if wants(key))
        while keys := list(islice(wanted, PAGE_ENTITIES)):
            yield self.build(entity, keys)

    def build(self, entity: str, keys: Sequence[str]) -> Page:
        """Some entities, in one snapshot; what has no rows is built too, and has no items."""
        try:
            return self._page(entity, keys)
        except UnreadableText:
            return self._page(entity, keys)

    def _page(self, entity: str, keys: Sequence[str]) -> Page:
        with self._database.snapshot() as snapshot:
            return Page(list(self.built(snapshot, entity, keys)), snapshot.position)

    def built(self, snapshot: Snapshot, entity: str, keys: Sequence[str]) -> Iterator[Fresh]:
        batch = ENTITIES[entity].read(snapshot, self._options, keys)
        for key in keys:
            built = build_one(batch, key)
            items = {} if letters.WHOLE in built.parked else built.items
            yield Fresh(entity, key, items, built.parked)

    def behind(self, entity: str, number: int, entities: int) -> list[tuple[int, str]]:
        """(number, key) of the next entities of a kind behind a number."""
        return behind(self._database, entity, self._prefix, number, entities)

    def count(self, entity: str) -> int:
        """How many there are about now."""
        statement = ENUMERATIONS[entity].count.format(p=self._prefix)
        return int(self._database.query(statement)[0][0])


def fresh_items(commerce: CommerceSettings, entities: Iterable[str] = tuple(FEEDS_OF)) -> Items:
    """Every item of some kinds of entity, built in one snapshot.

    Raises:
        Unreachable, Transient: the database cannot be read.
    """
    items: Items = {}
    with Database(commerce.read_address, mends_text=True) as database, database.snapshot() as snapshot:
        source = Source(database, commerce)
        for entity in entities:
            for keys in pages(snapshot, entity, commerce.table_prefix):
                for fresh in source.built(snapshot, entity, keys):
                    for (feed, key), item in fresh.items.items():
                        # Entities come by ascending id, and the lowest owns an item.
                        items.setdefault((key, feed), shown(decode(feed, encode(feed, item))))
    return items


def shown(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item without what changes by itself."""
    return {name: value for name, value in item.items() if name not in UNHASHED_FIELDS}


def pages(
    reader: Database | Snapshot, entity: str, prefix: str, entities: int = PAGE_ENTITIES
) -> Iterator[list[str]]:
    """Keys of every entity of one kind, by ascending id."""
    number = 0
    while named := behind(reader, entity, prefix, number, entities):
        number = named[-1][0]
        yield list(dict.fromkeys(key for _, key in named))


def behind(
    reader: Database | Snapshot, entity: str, prefix: str, number: int, entities: int
) -> list[tuple[int, str]]:
    """(number, key) of the next entities of one kind behind a number."""
    statement, wanted = ENUMERATIONS[entity].page.format(p=prefix), (number, NUMBER_MAX, entities)
    try:
        rows = reader.query(statement, wanted)
    except UnreadableText:
        rows = reader.query(statement, wanted)
    return [(int(found), str(key)) for found, key in rows]
