"""An import through the whole pipeline: how often a product is built, and how often an item is sent."""

import asyncio
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import requests

from commerce_sync.bench import figures
from commerce_sync.bench.figures import Written
from commerce_sync.bench.import_writer import write_import
from commerce_sync.demo import play
from commerce_sync.demo.scene import TARGET, Scene
from commerce_sync.emulator.request_log import Entry
from commerce_sync.sample.database import address_of, connected
from consumers.builder.feeds.products import FEED
from runtime.errors import NotFine
from runtime.kafka import read_to_end, reader
from runtime.settings import ENVIRONMENT_PREFIX
from schemas.topics import TopicNames

Report = Callable[[str], None]

# Prices of new books go a second time after that, by rule: not here, where what goes twice is counted.
SETTINGS: Final = {f"{ENVIRONMENT_PREFIX}TARGETS__{TARGET.upper()}__SETTLE_S": "0"}
_TEND_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose. `rows` are changed rows a product."""

    products: int
    rows: int


def measure(scene: Scene, options: Options, report: Report) -> dict[str, Any]:
    """Import, wait until all of it is at the target, and count.

    Raises:
        NotFine: the pipeline does not come to rest, or a role cannot run.
    """
    newest = max((entry.id for entry in _requests_since(scene, 0)), default=0)
    before = _entities(scene)
    began_ms = time.time_ns() // 1_000_000
    started = time.monotonic()
    written = _import(scene, options, report)
    written_s = time.monotonic() - started
    report(f"{written.rows} rows of {written.products} products written in {written_s:.1f} s")
    play.settle(scene, report)
    seconds = time.monotonic() - started
    entities = {outcome: count - before[outcome] for outcome, count in _entities(scene).items()}
    sent = figures.sendings(_sent(_requests_since(scene, newest)))
    return {
        "name": "import",
        "unit": "builds per product",
        "ours": figures.per(entities["built"], written.products),
        # Each product has to be built once.
        "limit": 1.0,
        "ratio": figures.per(entities["built"], written.products),
        "runs": 1,
        "products": written.products,
        "rows": written.rows,
        "entities": entities,
        "items_sent": sent.sends,
        "items": sent.identities,
        "contents": sent.contents,
        "sent_per_item": figures.per(sent.sends, sent.identities) if sent.identities else None,
        "sent_again_unchanged": sent.again_unchanged,
        "sent_again_changed": sent.changed,
        "emitted_again_unchanged": figures.repeated(_emitted(scene), began_ms),
        "write_seconds": round(written_s, 1),
        "seconds": round(seconds, 1),
        "rows_per_second": round(written.rows / seconds),
        "items_per_second": round(sent.sends / seconds),
    }


def _requests_since(scene: Scene, since: int) -> Iterator[Entry]:
    """The service's requests with a greater id, oldest first."""
    base = scene.settings.targets[TARGET].read_url.rstrip("/").removesuffix("/items")
    with requests.get(f"{base}/requests", params={"since": since}, timeout=60, stream=True) as response:
        yield from (msgspec.json.decode(line, type=Entry) for line in response.iter_lines() if line)


def _sent(entries: Iterable[Entry]) -> Iterator[tuple[Hashable, Hashable]]:
    """Identity and content of each item taken; a delete is a content too."""
    for entry in entries:
        resource = entry.path.removesuffix("/delete")
        for identity, content in zip(entry.identities, entry.contents, strict=True):
            yield (resource, identity), (entry.path, content)


def _import(scene: Scene, options: Options, report: Report) -> Written:
    """Write in a thread and keep the roles running meanwhile."""
    address = address_of(scene.admin_url, scene.settings.commerce.address.database)

    async def write() -> Written:
        async with connected(address) as connection:
            return await write_import(connection, options.products, options.rows)

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(asyncio.run, write())
        while not writing.done():
            if scene.supervisor is not None and scene.supervisor.tend() is not None:
                message = f"a role cannot run with these settings; see {scene.log_dir}"
                raise NotFine(message)
            time.sleep(_TEND_S)
        return writing.result()


def _emitted(scene: Scene) -> Iterator[tuple[bytes, bytes, int]]:
    """Item, content hash and time of every record of the feed, in the order of each partition."""
    kafka = scene.settings.kafka
    names = TopicNames(kafka.topic_prefix)
    client = reader(kafka, names.group("bench"))
    try:
        for record in read_to_end(client, names.feed(FEED), range(kafka.partitions)):
            yield record.key, record.headers.get("hash", b""), record.timestamp_ms
    finally:
        client.close()


def _entities(scene: Scene) -> dict[str, int]:
    """Entities through the builders so far, by outcome."""
    assert scene.supervisor is not None
    counts = dict.fromkeys(("built", "covered", "parked"), 0)
    for label, port in scene.supervisor.ports().items():
        if label.startswith("builder"):
            page = requests.get(f"http://{scene.settings.http.host}:{port}/metrics", timeout=10).text
            for outcome in counts:
                counts[outcome] += int(
                    figures.metric_sum(
                        page, "commerce_sync_entities_built_total", entity="product", outcome=outcome
                    )
                )
    return counts
