"""A builder stage over a shop in memory: batches in, what it writes out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
import pytest
from confluent_kafka import TopicPartition
from fake_shop import CATALOG, FakeShop

from consumers.builder import entities
from consumers.builder.entities import ReadOptions
from consumers.builder.index import PartitionIndex
from consumers.builder.read.products import Batch
from consumers.builder.stage import BuilderOptions, BuilderStage, Shard
from runtime.record import Outgoing, Record
from schemas.codec import decode
from schemas.records import FLOOR_KEY, DeadLetter, Dirty, IndexEntry, Lane, Position
from schemas.topics import TopicNames

LIVE, BULK = "cs.dirty.product", "cs.dirty.product.bulk"
FEED, INDEX, DEAD_LETTER = "cs.feed.products", "cs.index.product", "cs.dead-letter.builder"
KEY_A = b'{"sku":"A","storeViewCode":"default"}'


def at(pos: int, server_id: int = 1) -> Position:
    return Position(server_id, "binlog.000001", pos, f"0-{server_id}-{pos}")


class Clock:
    """Milliseconds, moved by hand."""

    def __init__(self) -> None:
        self.ms = 7_000

    def __call__(self) -> int:
        return self.ms


def read_from(monkeypatch: pytest.MonkeyPatch) -> FakeShop:
    """A shop whose rows the builder reads as they are now."""
    made = FakeShop(position=at(1_000))

    def read(snapshot: Any, prefix: str, skus: Sequence[str], config: Any, media: str) -> Batch:
        return Batch(CATALOG, {sku: made.rows[sku] for sku in skus if sku in made.rows}, tuple(made.shadowed))

    monkeypatch.setattr(entities, "read_products", read)
    return made


def stage(
    shop: FakeShop,
    index: Mapping[int, PartitionIndex] | None = None,
    load: Callable[[Sequence[Shard]], Mapping[Shard, PartitionIndex]] | None = None,
    clock: Callable[[], int] = lambda: 7_000,
) -> BuilderStage:
    """A stage that holds partition 0 in both lanes."""
    held = {("product", n): of_partition for n, of_partition in (index or {0: PartitionIndex()}).items()}
    made = BuilderStage(
        shop,  # type: ignore[arg-type]
        TopicNames("cs"),
        BuilderOptions(ReadOptions(""), 3.0),
        load or (lambda shards: held),
        clock,
    )
    made.assign([TopicPartition(LIVE, 0, 0), TopicPartition(BULK, 0, 0)])
    return made


def dirty(sku: str, lane: Lane = "live", pos: int | None = None, *, refers_to: str | None = None) -> Record:
    commit_ms = None if pos is None else 5_000
    value = Dirty("test", None if pos is None else at(pos), commit_ms, refers_to)
    return Record(LIVE if lane == "live" else BULK, 0, 0, sku.encode(), msgspec.json.encode(value), {})


def built(held: BuilderStage, *records: Record) -> list[Outgoing]:
    """One batch, committed."""
    outgoing = held.process(records)
    held.committed()
    return outgoing


def names(outgoing: Sequence[Outgoing]) -> list[tuple[str, str | None]]:
    """SKU and name of each feed record, None for a tombstone, in order."""
    return [
        (
            msgspec.json.decode(record.key)["sku"],
            None if record.value is None else decode("products", record.value)["name"],
        )
        for record in outgoing
        if record.topic == FEED
    ]


def letters(outgoing: Sequence[Outgoing]) -> dict[str, str | None]:
    """Reason by key of each dead-letter record; None for one that is taken back."""
    return {
        record.key.decode(): None
        if record.value is None
        else msgspec.json.decode(record.value, type=DeadLetter).error
        for record in outgoing
        if record.topic == DEAD_LETTER
    }


def entries(outgoing: Sequence[Outgoing]) -> dict[str, IndexEntry | None]:
    """What the index is told, by entity; None where it forgets one."""
    return {
        record.key.decode(): None
        if record.value is None
        else msgspec.json.decode(record.value, type=IndexEntry)
        for record in outgoing
        if record.topic == INDEX and record.key != FLOOR_KEY
    }
