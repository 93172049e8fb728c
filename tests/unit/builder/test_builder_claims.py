"""Two categories that make one item: the lowest id owns it, and it changes hands without being taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
from builder_play import at, letters
from confluent_kafka import TopicPartition
from fake_shop import FakeShop
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers.builder.entities import Built, Entity, ReadOptions
from consumers.builder.index import PartitionIndex
from consumers.builder.stage import BuilderOptions, BuilderStage
from runtime.record import Outgoing, Record
from schemas.codec import decode
from schemas.keys import canonical_json
from schemas.records import FLOOR_KEY, Dirty, IndexEntry, Lane
from schemas.topics import TopicNames

LIVE, BULK, FEED, INDEX = (
    "cs.dirty.category",
    "cs.dirty.category.bulk",
    "cs.feed.categories",
    "cs.index.category",
)
REQUIRED = {"storeCode": "s", "websiteCode": "w", "path": "1/2", "parentId": "1", "level": 1, "position": 1}


@dataclass
class Tree:
    """Categories with the url path that each has now; None is one that cannot be built."""

    paths: dict[str, str | None] = field(default_factory=dict)
    reads: list[list[str]] = field(default_factory=list)

    def read(self, _: Any, __: ReadOptions, keys: Sequence[str]) -> "Tree":
        self.reads.append(list(keys))
        return self

    def build(self, key: str, not_before_s: int = 0) -> Built:
        if key not in self.paths:
            return Built()
        path = self.paths[key]
        if path is None:
            return Built(parked={"": "broken"})
        item = {"categoryId": key, "urlPath": path, "storeViewCode": "default", **REQUIRED}
        return Built({("categories", item_key(path)): item}, (f"category:{key}",))


@dataclass
class Play:
    """A builder of one partition of categories; `feed` is what a reader of its topic would have."""

    tree: Tree
    index: PartitionIndex
    stage: BuilderStage
    feed: dict[str, bytes] = field(default_factory=dict)

    def batch(self, *keys: str, lane: Lane = "live") -> list[Outgoing]:
        """Build these categories and commit."""
        topic = LIVE if lane == "live" else BULK
        value = msgspec.json.encode(Dirty("test"))
        outgoing = self.stage.process([Record(topic, 0, 0, key.encode(), value, {}) for key in keys])
        self.stage.committed()
        for record in outgoing:
            if record.topic == FEED:
                if record.value is None:
                    del self.feed[record.key.decode()]
                else:
                    self.feed[record.key.decode()] = record.value
        return outgoing

    def owners(self) -> dict[str, str]:
        """Whose item the feed holds for each path."""
        items = (decode("categories", value) for value in self.feed.values())
        return {item["urlPath"]: item["categoryId"] for item in items}


def item_key(path: str) -> str:
    return canonical_json({"urlPath": path, "storeViewCode": "default"}).decode()


def changes(outgoing: Sequence[Outgoing]) -> list[tuple[str, bool]]:
    """(path, written or taken back) of each feed record, in order."""
    return [
        (msgspec.json.decode(record.key)["urlPath"], record.value is not None)
        for record in outgoing
        if record.topic == FEED
    ]


def entries_of(outgoing: Sequence[Outgoing]) -> dict[str, IndexEntry]:
    return {
        record.key.decode(): msgspec.json.decode(record.value or b"{}", type=IndexEntry)
        for record in outgoing
        if record.topic == INDEX and record.key != FLOOR_KEY
    }


@pytest.fixture
def play() -> Play:
    tree = Tree()
    return restarted(tree, PartitionIndex(contested=True))


def restarted(tree: Tree, index: PartitionIndex) -> Play:
    stage = BuilderStage(
        FakeShop(position=at(1_000)),  # type: ignore[arg-type]
        TopicNames("cs"),
        BuilderOptions(ReadOptions(""), 3.0, delete_guard_percent=100),
        lambda shards: dict.fromkeys(shards, index),
        lambda: 7_000,
        entities={"category": Entity(tree.read)},
    )
    stage.assign([TopicPartition(LIVE, 0), TopicPartition(BULK, 0)])
    return Play(tree, index, stage)


def test_the_lowest_id_owns_an_item_that_two_build(play: Play) -> None:
    """In whatever order they come, and by number: 9 is lower than 10."""
    for order in (("10", "9"), ("9", "10")):
        fresh = restarted(Tree({"9": "men", "10": "men"}), PartitionIndex(contested=True))
        for key in order:
            fresh.batch(key)

        assert fresh.owners() == {"men": "9"}


def test_the_one_that_has_to_stand_back_is_told(play: Play) -> None:
    """A person sees why a category is not at the target, until it has a path of its own."""
    play.tree.paths = {"9": "men", "10": "men"}
    told = letters(play.batch("9", "10"))
    play.tree.paths["10"] = "men-2"
    mended = letters(play.batch("10"))

    (key,) = told
    assert msgspec.json.decode(key)["key"] == "10"
    assert (told[key] or "").startswith("category 9 makes this item too and has the lower id")
    assert mended == {key: None}
    assert play.owners() == {"men": "9", "men-2": "10"}


def test_when_the_owner_lets_go_the_next_one_is_built_at_once(play: Play) -> None:
    """INTERLEAVING 28: nothing is taken back, and nobody has to make the other dirty."""
    play.tree.paths = {"10": "men/tops", "20": "men/tops"}
    play.batch("10", "20")
    play.tree.paths["10"] = "men/shirts"

    outgoing = play.batch("10")

    assert sorted(changes(outgoing)) == [("men/shirts", True), ("men/tops", True)]
    assert play.owners() == {"men/shirts": "10", "men/tops": "20"}


def test_when_the_owner_is_deleted_the_next_one_is_built_at_once(play: Play) -> None:
    """Three build it: the lowest of those that are left has it."""
    play.tree.paths = {"10": "men", "20": "men", "30": "men"}
    play.batch("30", "20", "10")
    del play.tree.paths["10"]

    assert changes(play.batch("10")) == [("men", True)]
    assert play.owners() == {"men": "20"}
    del play.tree.paths["20"], play.tree.paths["30"]
    assert changes(play.batch("20", "30")) == [("men", False)]


@pytest.mark.parametrize("batches", [[("9",), ("5",)], [("5", "9")], [("9", "5")]])
def test_a_path_that_is_taken_over_is_never_taken_back(play: Play, batches: list[tuple[str, ...]]) -> None:
    """INTERLEAVING 29: 9 takes the path that 5 left; 5's late build finds 9's item and leaves it alone."""
    play.tree.paths = {"5": "sale", "9": "other"}
    play.batch("5", "9")
    play.tree.paths = {"5": "new", "9": "sale"}

    written = [change for keys in batches for change in changes(play.batch(*keys))]

    assert play.owners() == {"new": "5", "sale": "9"}
    assert ("sale", False) not in written


def test_two_that_swap_their_paths_in_one_batch_end_right(play: Play) -> None:
    """Each item is written once, with its new owner."""
    play.tree.paths = {"5": "a", "9": "b"}
    play.batch("5", "9")
    play.tree.paths = {"5": "b", "9": "a"}

    assert sorted(changes(play.batch("5", "9"))) == [("a", True), ("b", True)]
    assert play.owners() == {"a": "9", "b": "5"}


def test_a_resync_of_contested_items_sends_nothing(play: Play) -> None:
    """The second half of INTERLEAVING 28: the owner does not flip with who is built last."""
    play.tree.paths = {"10": "men", "20": "men"}
    play.batch("10", "20")

    for order in (("20",), ("10",), ("20", "10")):
        assert changes(play.batch(*order, lane="bulk")) == []


def test_a_new_owner_with_a_lower_id_takes_the_item(play: Play) -> None:
    """The former one is built with it, so that its entry does not say it has the item."""
    play.tree.paths = {"20": "men"}
    play.batch("20")
    play.tree.paths["10"] = "men"

    outgoing = play.batch("10")

    assert changes(outgoing) == [("men", True)]
    assert play.owners() == {"men": "10"}
    former = entries_of(outgoing)["20"]
    assert (former.items, former.claims) == ((), (("categories", item_key("men")),))
    assert play.tree.reads[-2:] == [["10"], ["20"]]


def test_one_that_cannot_be_built_keeps_its_item(play: Play) -> None:
    """It is parked, its item stands, and no claimant takes it meanwhile."""
    play.tree.paths = {"10": "men", "20": "men"}
    play.batch("10", "20")
    play.tree.paths["10"] = None

    assert changes(play.batch("10")) == []
    assert changes(play.batch("20")) == []
    assert play.owners() == {"men": "10"}


def test_claims_are_known_after_a_restart(play: Play) -> None:
    """They stand in the index topic, like everything a worker knows."""
    play.tree.paths = {"10": "men", "20": "men"}
    loaded = PartitionIndex(contested=True)
    for record in play.batch("10", "20"):
        if record.topic == INDEX:
            loaded.load(record.key, record.value)
    again = restarted(play.tree, loaded)
    again.feed = play.feed
    del again.tree.paths["10"]

    assert changes(again.batch("10")) == [("men", True)]
    assert again.owners() == {"men": "20"}


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["5", "9", "10"]), st.sampled_from(["a", "b", None, ""])), max_size=25)
)
def test_any_sequence_of_moves_ends_as_a_fresh_build(moves: list[tuple[str, str | None]]) -> None:
    """The empty text deletes the category; each move is built alone, the owner is always the lowest."""
    played = restarted(Tree(), PartitionIndex(contested=True))
    for key, path in moves:
        if path == "":
            played.tree.paths.pop(key, None)
        elif path is not None:
            played.tree.paths[key] = path
        played.batch(key)

    wanted: dict[str, str] = {}
    for key in sorted(played.tree.paths, key=int):
        wanted.setdefault(str(played.tree.paths[key]), key)
    assert played.owners() == wanted


def test_an_item_that_another_owns_is_not_taken_back_for_an_audit(play: Play) -> None:
    """A finding that names the wrong entity must not delete what the right one has emitted."""
    play.tree.paths = {"9": "men", "10": "men"}
    play.batch("9", "10")
    value = msgspec.json.encode(Dirty("audit", always=True, wrong=(("categories", item_key("men")),)))
    play.tree.paths = {"9": "men", "10": "women"}
    play.batch("10")
    outgoing = play.stage.process([Record(BULK, 0, 0, b"10", value, {})])

    assert changes(outgoing) == []
