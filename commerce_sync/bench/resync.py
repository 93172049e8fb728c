"""A full resync: products a second to the feed topics, what it sends of an unchanged catalog, its minutes.

The limit reads, builds and hashes products in one process and throws them away. The minutes are those that a
dry run predicts under an allowance, beside those that the same resync takes then.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

import psutil

from commerce_sync.bench import figures
from commerce_sync.bench.allowance import await_silence, keep
from commerce_sync.bench.freshness import SYNC_S_MAX, newest_request, sent_since, teller
from commerce_sync.bench.memory import await_ready, peak
from commerce_sync.bench.processes import cpu_seconds, with_own
from commerce_sync.demo.scene import TARGET, Scene
from commerce_sync.proof.fresh import PAGE_ENTITIES, Source
from commerce_sync.run.dry_run import foretell, outcomes
from commerce_sync.run.predict import Prediction
from commerce_sync.run.quiet import await_built, await_sent
from commerce_sync.run.request import request_resync
from commerce_sync.sample.database import address_of, connected
from commerce_sync.sample.edits import open_shop
from producers.connectors.connect import Connect
from runtime import collector
from runtime.database import Database
from runtime.kafka import reader
from runtime.lag import ends
from runtime.settings import ENVIRONMENT_PREFIX, BudgetSettings, Settings
from schemas.entities import FEEDS, feed_partitions
from schemas.keys import content_hash
from schemas.topics import TopicNames

Report = Callable[[str], None]

# Prices go once more so long after their book's creation; the emulator is never that late.
SETTLE_S: Final = 5
SETTINGS: Final = {f"{ENVIRONMENT_PREFIX}TARGETS__{TARGET.upper()}__SETTLE_S": str(SETTLE_S)}
# As many products are built for the limit: ten or twenty seconds.
LIMIT_PRODUCTS: Final = 20_000
_LOOK_S: Final = 0.1
_CHANGED: Final = {"name": "CONCAT(value, ' *')", "price": "value + 1"}


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose. Without `allowance_minutes` no prediction is tried."""

    products: int
    allowance_minutes: int


def measure(scene: Scene, options: Options, report: Report) -> dict[str, Any]:
    """Sync everything, resync and audit it unchanged, and if asked for resync it with every product changed.

    Raises:
        NotFine: a role does not become ready, or the pipeline does not come to rest.
    """
    await_ready(scene)
    first = _resync(scene, options, "first sync", report)
    await_silence(scene, SETTLE_S + 1)
    unchanged = _resync(scene, options, "resync of an unchanged catalog", report)
    peaks = peak(scene)
    audit = _audit(scene, report)
    limit = _limit(scene.settings, options)
    report(f"built alone, nothing written: {limit:.0f} products a second")
    ours = unchanged["products_per_second"]
    return {
        "name": "resync",
        "unit": "products a second to the feed topics",
        "ours": ours,
        "limit": round(limit),
        "ratio": figures.per(ours, limit),
        "runs": 1,
        "products": options.products,
        "first_sync": first,
        "unchanged": unchanged,
        "peak": peaks,
        "audit": audit,
        "allowance": _under_allowance(scene, options, report) if options.allowance_minutes else None,
    }


def _resync(scene: Scene, options: Options, name: str, report: Report) -> dict[str, Any]:
    """One resync of everything, until it is at the target."""
    newest = newest_request(scene)
    with _processor_time() as cpu_s:
        started = time.monotonic()
        requested_ms = request_resync(scene.settings, FEEDS)
        progress = await_built(scene.settings, requested_ms, SYNC_S_MAX, teller(scene, report))
        build_s = time.monotonic() - started
        await_sent(scene.settings, SYNC_S_MAX, teller(scene, report))
        seconds = time.monotonic() - started
    sent = list(sent_since(scene, newest))
    items = sum(entry.item_count for entry in sent)
    report(
        f"{name}: {progress.entities} entities to the feed topics in {build_s:.1f} s, {items} items in "
        f"{len(sent)} requests, at the target after {seconds:.1f} s"
    )
    return {
        "entities": progress.entities,
        "build_seconds": round(build_s, 1),
        "products_per_second": round(options.products / build_s),
        "seconds": round(seconds, 1),
        "items_sent": items,
        "requests": len(sent),
        "cpu_ms_per_product": {
            process: round(spent * 1000 / options.products, 2) for process, spent in cpu_s.items()
        },
    }


@contextmanager
def _processor_time() -> Iterator[dict[str, float]]:
    """Seconds that each process we started, and we ourselves, spent in the block; filled at its end."""
    spent: dict[str, float] = {}
    us = psutil.Process()

    def seconds(process: psutil.Process) -> float:
        return cpu_seconds([us] if process == us else with_own(process))

    before = {process: seconds(process) for process in (us, *us.children())}
    yield spent
    for process, seconds_before in before.items():
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            name = "bench" if process == us else figures.process_name(process.cmdline())
            spent[name] = spent.get(name, 0.0) + seconds(process) - seconds_before


def _audit(scene: Scene, report: Report) -> dict[str, Any]:
    """Compare everything with a fresh build, as the command does it; `peak` in megabytes."""
    assert scene.supervisor is not None
    command = [sys.executable, "-m", "commerce_sync", "audit", "--json"]
    answer, most = scene.log_dir / "audit.json", 0.0
    with answer.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, env=dict(scene.supervisor.environment))
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
                most = max(most, figures.peak_megabytes(status))
            except (OSError, ValueError):
                # It ended between the two looks, and has no memory any more.
                continue
            time.sleep(_LOOK_S)
    found = json.loads(answer.read_bytes())
    told = {name: found[name] for name in ("items", "differences", "seconds")} | {"peak": most}
    report(
        f"audit: {told['items']} items, {told['differences']} differ, {told['seconds']} s, {most} MB at most"
    )
    return told


def _limit(settings: Settings, options: Options) -> float:
    """Products a second, read, built and hashed in this process."""
    # As the builder does.
    collector.relax()
    pages = min(LIMIT_PRODUCTS, options.products) // PAGE_ENTITIES or 1
    built = 0
    with Database(settings.commerce.read_address) as database:
        started = time.monotonic()
        for page in islice(Source(database, settings.commerce).pages("product"), pages):
            for fresh in page.fresh:
                for item in fresh.items.values():
                    content_hash(item)
            built += len(page.fresh)
        return built / (time.monotonic() - started)


def _under_allowance(scene: Scene, options: Options, report: Report) -> dict[str, Any]:
    """Predict and take the minutes of a resync that finds the name and the price of every product changed.

    Capture stands still meanwhile: the changes wait for the resync alone.
    """
    connect = Connect(scene.settings.capture.connect_url)
    connect.stop(scene.settings.capture.connector)
    try:
        rows = asyncio.run(_change_all(scene))
        report(f"{rows} rows of names and prices changed; what they need is predicted")
        allowance = _allowance(scene.settings, options.allowance_minutes)
        predicted = _predicted(scene.settings, allowance)
        minutes = predicted.minutes()
        report(f"predicted: {predicted.items} items, {predicted.requests} requests, {minutes:.2f} minutes")
        keep(scene, allowance)
        newest = newest_request(scene)
        requested_ms = request_resync(scene.settings, FEEDS)
        await_built(scene.settings, requested_ms, SYNC_S_MAX, teller(scene, report))
        await_sent(scene.settings, SYNC_S_MAX, teller(scene, report))
        sent = list(sent_since(scene, newest))
    finally:
        connect.resume(scene.settings.capture.connector)
    real = (sent[-1].time - sent[0].time) / 60
    report(f"real: {sum(entry.item_count for entry in sent)} items, {len(sent)} requests, {real:.2f} minutes")
    return {
        **allowance.model_dump(),
        "predicted": {
            "items": predicted.items,
            "requests": predicted.requests,
            "minutes": round(minutes, 3),
        },
        "real": {
            "items": sum(entry.item_count for entry in sent),
            "requests": len(sent),
            "minutes": round(real, 3),
        },
        "ratio": round(minutes / real, 3),
    }


async def _change_all(scene: Scene) -> int:
    """Change the name and the price of every product, in every store view that has its own; counts rows."""
    address = address_of(scene.admin_url, scene.settings.commerce.address.database)
    rows = 0
    async with connected(address) as connection:
        shop = await open_shop(connection, Random(0))
        for code, value in _CHANGED.items():
            table, attribute_id = shop.attributes["catalog_product", code]
            await shop.change(f"UPDATE {table} SET value = {value} WHERE attribute_id = %s", attribute_id)
            rows += int(str(shop.cursor.rowcount))
        await connection.commit()
    return rows


def _allowance(settings: Settings, minutes: int) -> BudgetSettings:
    """So much that the items of either feed take about that long."""
    return BudgetSettings(
        products_per_minute=_records(settings, "products") // minutes + 1,
        prices_per_minute=_records(settings, "prices") // minutes + 1,
        products_per_day=0,
    )


def _records(settings: Settings, feed: str) -> int:
    """Offsets of a feed's topic: after one sync about as many as it has items."""
    topic = TopicNames(settings.kafka.topic_prefix).feed(feed)
    asker = reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("bench"))
    try:
        return sum(
            ends(
                asker, [(topic, n) for n in range(feed_partitions(feed, settings.kafka.partitions))]
            ).values()
        )
    finally:
        asker.close()


def _predicted(settings: Settings, allowance: BudgetSettings) -> Prediction:
    """What `resync --feed all --dry-run` tells."""
    prediction = Prediction(settings.targets[TARGET].model_copy(update={"budget": allowance}))
    for outcome in outcomes(settings, FEEDS, None):
        foretell(prediction, outcome, afresh=False, forget=False)
    return prediction
