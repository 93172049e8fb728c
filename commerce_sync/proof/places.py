"""The places that should hold a feed's items, its topic and every target, as digests of what they hold."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol

import msgspec
from confluent_kafka import Consumer

from commerce_sync.proof.fresh import shown
from commerce_sync.proof.holding import NOTHING, Holding, digest
from commerce_sync.proof.target import read_items
from consumers.sink.batch import Submission
from consumers.sink.dialects import Dialect, Unmappable
from consumers.sink.mapping import DELETED_HASH, Unsendable, submission
from consumers.sink.waiting import Entry
from runtime.kafka import read_to_end
from runtime.record import Record
from runtime.settings import TargetSettings
from schemas.codec import decode, encode
from schemas.keys import canonical_json, content_hash
from schemas.records import Status

Item = Mapping[str, Any]
Kind = Literal["missing", "stale", "left over"]

FEED_TOPIC: Final = "feed topic"
# What stands before the digested hash of content that a target refused or that waits for a retry.
_PARKED: Final = b"parked:"
# The only member of a made-up key: of what is held under a name that no feed record could have.
NAMELESS: Final = "identity"
_STATUS: Final = msgspec.json.Decoder(Status)


def difference(wanted: int, held: int) -> Kind | None:
    """Compare two digests; NOTHING stands for no item."""
    if wanted == held:
        return None
    if held == NOTHING:
        return "missing"
    return "left over" if wanted == NOTHING else "stale"


class Place(Protocol):
    """Where the items of one feed should be."""

    name: str
    feed: str

    def refresh(self) -> Collection[bytes]:
        """Take in what is new; the keys it is about, as far as the place tells. At first everything is new,
        and no key is named: a set of all would be most of the memory.
        """

    def judge(self, key: str, item: Item | None) -> Kind | None:
        """Compare an item as it is built now (None: there is none) with what is held under its key."""

    def never_asked(self) -> Iterator[str]:
        """Keys of what is held that `judge` was not asked about; reads the place once more if any are."""

    def forget_asked(self) -> None:
        """Begin anew: `judge` was not asked about anything that is held now."""

    def shown(self, key: str, item: Item | None) -> tuple[Item | None, Item | None]:
        """The item as it should be held, and as it is; None where there is none or nobody can tell."""


class Log:
    """A compacted topic: all of it first, then what is new."""

    def __init__(self, consumer: Consumer, topic: str, partitions: int) -> None:
        self._consumer = consumer
        self._topic = topic
        self._partitions = range(partitions)
        self._next: dict[int, int] = {}

    def news(self) -> Iterator[Record]:
        for record in read_to_end(self._consumer, self._topic, self._partitions, self._next):
            self._next[record.partition] = record.offset + 1
            yield record

    def keys_of(self, wanted: Collection[int]) -> Iterator[str]:
        """Keys by their digests, from the whole log."""
        found: set[bytes] = set()
        for record in read_to_end(self._consumer, self._topic, self._partitions) if wanted else ():
            if record.key not in found and digest(record.key) in wanted:
                found.add(record.key)
                yield record.key.decode(errors="replace")

    def newest(self, keys: Collection[str]) -> dict[str, Record]:
        """The newest record of some keys, from the whole log; tombstones too."""
        wanted = {key.encode() for key in keys}
        return {
            record.key.decode(): record
            for record in (read_to_end(self._consumer, self._topic, self._partitions) if wanted else ())
            if record.key in wanted
        }


class FeedTopic:
    """What was emitted."""

    name = FEED_TOPIC

    def __init__(self, log: Log, feed: str) -> None:
        self.feed = feed
        self._log = log
        self._held = Holding()
        self._was_read = False

    def refresh(self) -> Collection[bytes]:
        changed = set()
        for record in self._log.news():
            content = NOTHING if record.value is None else digest(record.headers.get("hash", b""))
            self._held.put(digest(record.key), content)
            if self._was_read:
                changed.add(record.key)
        self._was_read = True
        return changed

    def judge(self, key: str, item: Item | None) -> Kind | None:
        wanted = NOTHING if item is None else digest(content_hash(item).encode())
        return difference(wanted, self._held.content(digest(key.encode())))

    def never_asked(self) -> Iterator[str]:
        return self._log.keys_of(set(self._held.never_asked()))

    def forget_asked(self) -> None:
        self._held.forget_asked()

    def newest(self, keys: Collection[str]) -> dict[str, Record]:
        """Feed records of some keys."""
        return self._log.newest(keys)

    def shown(self, key: str, item: Item | None) -> tuple[Item | None, Item | None]:
        record = self.newest([key]).get(key)
        held = None if record is None or record.value is None else decode(self.feed, record.value)
        return (
            None if item is None else shown(decode(self.feed, encode(self.feed, dict(item)))),
            None if held is None else shown(held),
        )


class Target:
    """What a target has accepted, by its statuses; or what it holds, where that can be read.

    An item that the target refused, or that waits for its retry, is known to fail: `parked` counts those.
    """

    def __init__(
        self,
        name: str,
        settings: TargetSettings,
        dialect: Dialect,
        log: Log,
        feed: str,
        tells: Callable[[str, bytes], bool] = lambda *_: True,
    ) -> None:
        """`tells`: is an item, by its feed and key, to be at this target, by the scopes switched on there."""
        self.name = name
        self._tells = tells
        self.feed = feed
        self.parked: set[str] = set()
        self._settings = settings
        self._dialect = dialect
        self._log = log
        self._statuses = Holding()
        self._was_read = False
        self._held: Holding | None = None
        # What is left over at the target under no key of ours, by the key it would have.
        self._named: dict[str, Item] = {}

    def refresh(self) -> Collection[bytes]:
        changed = set()
        for record in self._log.news():
            self._statuses.put(digest(record.key), _settled(record.value))
            if self._was_read:
                changed.add(record.key)
        self._was_read = True
        if self._settings.read_url:
            held = Holding()
            for item in self._items():
                held.put(self._identity(item), self._content(item))
            if self._held is not None:
                held.succeed(self._held)
            self._held = held
        return changed

    def judge(self, key: str, item: Item | None) -> Kind | None:
        sent = self._sent(key, item)
        settled = self._statuses.content(digest(key.encode()))
        held = (
            settled if self._held is None else self._held.content(sent.identity or self._named_identity(key))
        )
        self.parked.discard(key)
        if settled != NOTHING and settled == digest(_PARKED + sent.hash.encode()):
            self.parked.add(key)
            return None
        return difference(sent.content, held)

    def never_asked(self) -> Iterator[str]:
        if self._held is None:
            yield from self._log.keys_of(set(self._statuses.never_asked()))
            return
        left = set(self._held.never_asked())
        for item in self._items() if left else ():
            if self._identity(item) in left:
                identity = self._dialect.identity(self.feed, item)
                name = self._dialect.feed_key(self.feed, item) or {NAMELESS: identity}
                key = canonical_json(name).decode()
                self._named[key] = item
                yield key

    def forget_asked(self) -> None:
        for holding in (self._statuses, self._held):
            if holding is not None:
                holding.forget_asked()

    def shown(self, key: str, item: Item | None) -> tuple[Item | None, Item | None]:
        """The payload that should be held, and the one that is, where that can be read."""
        wanted = None if item is None else msgspec.json.decode(self._submission(key, item).body)
        if not self._settings.read_url:
            return wanted, None
        identity = self._sent(key, item).identity or self._named_identity(key)
        held = next((held for held in self._items() if self._identity(held) == identity), None)
        return wanted, held

    @property
    def is_read(self) -> bool:
        """What is held was read from the target itself."""
        return bool(self._settings.read_url)

    def delete_members(self, key: str) -> str:
        """What a delete of something left over has to say besides its key, as JSON text."""
        item = self._named.get(key)
        members = {} if item is None else self._dialect.delete_members(self.feed, item)
        return canonical_json(members).decode() if members else ""

    def _sent(self, key: str, item: Item | None) -> "Sent":
        """What the target then holds, and what the sink calls it."""
        wanted = item is not None and self._tells(self.feed, key.encode())
        if item is None or not wanted or not self._dialect.wants(self.feed, msgspec.json.decode(key)):
            return Sent(DELETED_HASH)
        try:
            ready = self._submission(key, item)
        except Unsendable as error:
            return Sent(error.submission.hash)
        if self._held is None:
            return Sent(ready.hash, digest(ready.hash.encode()))
        payload = msgspec.json.decode(ready.body)
        return Sent(ready.hash, self._content(payload), self._identity(payload))

    def _submission(self, key: str, item: Item) -> Submission:
        """What the sink would send of an item, made by the sink's own code.

        Raises:
            Unsendable: the sink would not send it.
        """
        record = Record(self.feed, 0, 0, key.encode(), encode(self.feed, dict(item)), {})
        entry = Entry(record.key, 0, 0, 0, "bulk", 0, False, 0, record)
        return submission(self._dialect, self.feed, entry)

    def _named_identity(self, key: str) -> int:
        """Of what should not be held: under the name it was found, or the one that its delete would say."""
        payload = self._named.get(key)
        if payload is None:
            try:
                payload = self._dialect.delete_payload(self.feed, msgspec.json.decode(key))
            except (Unmappable, LookupError, TypeError):
                return NOTHING
        return self._identity(payload)

    def _items(self) -> Iterator[Item]:
        return read_items(self.name, self._settings, self.feed)

    def _identity(self, payload: Item) -> int:
        return digest(canonical_json(self._dialect.identity(self.feed, payload)))

    def _content(self, payload: Item) -> int:
        """Of a payload as JSON readers have it, without the time of its sending."""
        stamp = self._dialect.stamp(self.feed)
        return digest(
            canonical_json({k: v for k, v in payload.items() if stamp is None or k != stamp.member})
        )


class Sent(NamedTuple):
    """What the sink makes of an item: its hash, the content a target then holds, and under which identity."""

    hash: str
    content: int = NOTHING
    identity: int = NOTHING


def _settled(value: bytes | None) -> int:
    """Digest of what a status says that the target has accepted, or refused."""
    if value is None:
        return NOTHING
    status = _STATUS.decode(value)
    if status.outcome in {"retryable", "attention"}:
        return digest(_PARKED + status.hash.encode())
    return NOTHING if status.outcome == "deleted" else digest(status.hash.encode())
