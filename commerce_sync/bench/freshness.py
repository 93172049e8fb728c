"""How long a committed change takes to the target, beside how long it takes to Debezium's topic."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any, Final

import msgspec
import requests

from commerce_sync.bench import figures
from commerce_sync.bench.change_reader import ChangeReader
from commerce_sync.bench.figures import Change, Moments
from commerce_sync.bench.writer import Schedule, Writer, name_of, renamable
from commerce_sync.demo.scene import TARGET, Scene
from commerce_sync.emulator.request_log import Entry
from commerce_sync.proof.target import read_products
from commerce_sync.run.pace import Pace
from commerce_sync.run.quiet import await_quiet, await_resync
from commerce_sync.run.request import request_resync
from commerce_sync.sample.database import address_of
from runtime.errors import NotFine, UsageError
from runtime.kafka import read_to_end, reader
from runtime.record import Record
from schemas.entities import FEEDS
from schemas.topics import TopicNames

Report = Callable[[str], None]

# The broker compiles itself meanwhile, on the cores that everything else needs: its first seconds are half as
# fast as the later ones.
WARM_UP_S: Final = 75.0
# A million products are more than an hour's work of two cores.
SYNC_S_MAX: Final = 4 * 3600.0
ARRIVE_S_MAX: Final = 60.0
# Each change is a request or two, of the items of its store views: 300 and 1,000 are allowed a minute.
ALLOWED_CHANGES_PER_SECOND: Final = 3.0
LOOK_S: Final = 0.2
LINE_EVERY_S: Final = 5.0
_CATALOG: Final = "/catalog/"
_CHUNK_BYTES: Final = 65_536
_PRODUCT_PATHS: Final = ("/catalog/products", "/catalog/products/delete")
# Of one run: what the emulator's request log holds for sure.
CHANGES_MAX: Final = 100_000


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose. The warm-up comes before the seconds."""

    seconds: float
    changes_per_second: float

    @property
    def warm_up(self) -> int:
        return round(WARM_UP_S * self.changes_per_second)

    @property
    def changes(self) -> int:
        return self.warm_up + max(1, round(self.seconds * self.changes_per_second))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one run left: its changes and the moments of each at every place."""

    changes: list[Change]
    readable: Moments
    routed: Moments
    built: Moments
    accepted: Moments
    held: dict[str, set[str]]


def require_possible(options: Options) -> None:
    """Refuse before anything is started.

    Raises:
        UsageError: more changes than the emulator's log keeps.
    """
    if options.changes > CHANGES_MAX:
        message = (
            f"--seconds {options.seconds:g} at --changes-per-second {options.changes_per_second:g} are "
            f"{options.changes} changes; at most {CHANGES_MAX} can be followed: choose less"
        )
        raise UsageError(message)


def first_sync(scene: Scene, report: Report) -> None:
    """Bring the whole sample catalog to the target; once it is there, only what changed goes."""
    started = time.monotonic()
    requested_ms = request_resync(scene.settings, FEEDS)
    progress = await_resync(scene.settings, requested_ms, SYNC_S_MAX, teller(scene, report))
    report(f"sync: {progress.entities} entities in {time.monotonic() - started:.1f} s")


def measure(scene: Scene, options: Options, report: Report) -> dict[str, Any]:
    """Write at a steady rate, and tell when each change was where.

    Raises:
        NotFine: nothing arrives, the pipeline does not come to rest, or a role cannot run.
    """
    seen = _run(scene, options, report)
    names = {change.serial: name_of(change.serial) for change in seen.changes}
    missing = figures.lost(seen.changes, (seen.readable, seen.accepted), names, seen.held)
    counted = seen.changes[options.warm_up :]
    if len(missing) == len(seen.changes):
        message = f"none of {len(seen.changes)} changes arrived at the target; logs are in {scene.log_dir}"
        raise NotFine(message)
    ours = figures.latency(figures.since_commit(counted, seen.accepted))
    limit = figures.latency(figures.since_commit(counted, seen.readable))
    late_ms = [(change.began_s - change.due_s) * 1000 for change in counted]
    commit_ms = [(change.committed_s - change.began_s) * 1000 for change in counted]
    return {
        "name": "freshness",
        "unit": "ms",
        "ours": asdict(ours),
        "limit": asdict(limit),
        "ratio": round(ours.p50 / limit.p50, 2),
        "difference": round(ours.p50 - limit.p50, 1),
        "runs": len(counted),
        "lost": len(missing),
        "writer_late_ms": figures.percentile(late_ms, 99),
        "writer_commit_ms": figures.percentile(commit_ms, 50),
        "hops": figures.hops(
            counted,
            {
                "debezium": seen.readable,
                "router": seen.routed,
                "builder": seen.built,
                "sink": seen.accepted,
            },
        ),
        "seconds": options.seconds,
        "changes_per_second": options.changes_per_second,
    }


def _run(scene: Scene, options: Options, report: Report) -> _Seen:
    settings = scene.settings
    names = TopicNames(settings.kafka.topic_prefix)
    database = settings.commerce.address.database
    address = address_of(scene.admin_url, database)
    products = renamable(address, {sku for sku, _ in read_products(TARGET, settings.targets[TARGET])})
    if not products:
        message = "no product of the sample catalog is at the target: give more by --products"
        raise UsageError(message)
    newest = max((entry.id for entry in requests_since(scene, 0)), default=0)
    schedule = Schedule(options.changes_per_second, options.changes)
    report(
        f"{schedule.changes} changes of {len(products)} products in turn, {options.changes_per_second:g} a "
        f"second; the first {options.warm_up} are not counted"
    )
    with ExitStack() as exits:
        topic = names.change(database, f"{settings.commerce.table_prefix}catalog_product_entity_varchar")
        change_reader = ChangeReader(settings.kafka, names.group("bench"), topic)
        exits.callback(change_reader.stop)
        change_reader.start()
        writer = Writer(address, products, schedule)
        exits.callback(writer.stop)
        writer.start()
        tell = teller(scene, report)
        while not writer.done:
            tell("changes readable, of the rest", schedule.changes - len(change_reader.arrivals))
            time.sleep(LOOK_S)
        changes = writer.changes()
        _await_arrivals(change_reader, len(changes), tell)
        await_quiet(settings, ARRIVE_S_MAX, tell)
    return _Seen(
        changes,
        change_reader.arrivals,
        _written(scene, names.dirty("product"), changes, lambda record: record.key.decode()),
        _written(scene, names.feed("products"), changes, lambda r: str(msgspec.json.decode(r.key)["sku"])),
        figures.first_after(changes, _accepted(requests_since(scene, newest))),
        _held_names(scene),
    )


def _await_arrivals(change_reader: ChangeReader, changes: int, tell: Callable[[str, int], None]) -> None:
    """Wait for the last change; one that never comes is counted as lost, not waited for."""
    deadline = time.monotonic() + ARRIVE_S_MAX
    while len(change_reader.arrivals) < changes and time.monotonic() < deadline:
        tell("on the way to the change topic", changes - len(change_reader.arrivals))
        time.sleep(LOOK_S)


def requests_since(scene: Scene, since: int) -> Iterator[Entry]:
    """The service's requests about products with a greater id, oldest first."""
    return (entry for entry in sent_since(scene, since) if entry.path.endswith(_PRODUCT_PATHS))


def sent_since(scene: Scene, since: int) -> Iterator[Entry]:
    """The service's requests about any feed with a greater id, oldest first."""
    base = scene.settings.targets[TARGET].read_url.rstrip("/").removesuffix("/items")
    with requests.get(f"{base}/requests", params={"since": since}, timeout=60, stream=True) as response:
        lines = (line for line in response.iter_lines(_CHUNK_BYTES) if line)
        entries = (msgspec.json.decode(line, type=Entry) for line in lines)
        yield from (entry for entry in entries if _CATALOG in entry.path)


def newest_request(scene: Scene) -> int:
    """The id of the last one; 0 when there was none."""
    return max((entry.id for entry in sent_since(scene, 0)), default=0)


def _accepted(entries: Iterator[Entry]) -> Iterator[tuple[str, float]]:
    return ((identity[0], entry.time) for entry in entries if entry.stored for identity in entry.identities)


def _written(
    scene: Scene, topic: str, changes: list[Change], sku_of: Callable[[Record], str]
) -> dict[int, float]:
    """When a role wrote each change's record; read after the run, so that nothing is disturbed."""
    client = reader(scene.settings.kafka, TopicNames(scene.settings.kafka.topic_prefix).group("bench"))
    try:
        records = read_to_end(client, topic, range(scene.settings.kafka.partitions))
        # Whole milliseconds, cut off: a record of the commit's own millisecond must not be too early.
        sightings = [(sku_of(record), (record.timestamp_ms + 1) / 1000) for record in records if record.key]
    finally:
        client.close()
    return figures.first_after(changes, sightings)


def _held_names(scene: Scene) -> dict[str, set[str]]:
    held: dict[str, set[str]] = {}
    for (sku, _), item in read_products(TARGET, scene.settings.targets[TARGET]).items():
        held.setdefault(sku, set()).add(item["name"])
    return held


def teller(scene: Scene, report: Report) -> Callable[[str, int], None]:
    """A line every few seconds with rate and time left, and a look at the roles each time."""
    pace, told = Pace(), time.monotonic()

    def tell(stage: str, records: int) -> None:
        nonlocal told
        if scene.supervisor is not None and scene.supervisor.tend() is not None:
            message = f"a role cannot run with these settings; see {scene.log_dir}"
            raise NotFine(message)
        pace.note(stage, records, time.monotonic())
        if time.monotonic() - told > LINE_EVERY_S:
            told = time.monotonic()
            report(pace.line())

    return tell
