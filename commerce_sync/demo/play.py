"""What happens in the demo, in order; the command line only starts it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

import requests
from confluent_kafka import TopicPartition

from commerce_sync.demo.proof import Verdict, prove
from commerce_sync.demo.scene import TARGET, Scene
from commerce_sync.demo.shop import Merchant, Traffic
from commerce_sync.run.quiet import await_quiet, await_resync
from commerce_sync.run.request import request_resync
from runtime.errors import NotFine
from runtime.kafka import poll_batch, reader, watermarks
from runtime.loop import Stopper
from schemas.entities import FEEDS
from schemas.services.optimizer import FEED_RESOURCES
from schemas.topics import TopicNames

Report = Callable[[str], None]
T = TypeVar("T")

THROUGH_S_MAX: Final = 900.0
ROUNDS: Final = 3
LINE_EVERY_S: Final = 2.0
TEND_S: Final = 0.1


def first_sync(scene: Scene, edits_per_second: float, report: Report) -> None:
    """Sync everything while edits run, until all of it is at the target."""
    started = time.monotonic()
    traffic = _traffic(scene, edits_per_second, 1)
    traffic.start()
    requested_ms = request_resync(scene.settings, FEEDS)
    tell = _every_few_seconds(lambda: report(f"first sync: {_held(scene)} items at the target"))
    progress = _tended(scene, lambda: await_resync(scene.settings, requested_ms, THROUGH_S_MAX, tell))
    edits = traffic.stop().edits
    report(
        f"first sync: {progress.entities} entities, {_held(scene)} items at the target in "
        f"{time.monotonic() - started:.1f} s, with {edits} edits meanwhile"
    )


def edit_everything(scene: Scene, edits_per_second: float, report: Report) -> None:
    """Every kind of edit, several in one transaction, while more edits run."""
    started = time.monotonic()
    traffic = _traffic(scene, edits_per_second, 2)
    traffic.start()
    done = _tended(scene, lambda: _merchant(scene).every_kind(ROUNDS))
    others = traffic.stop().edits
    for line in done[: len(done) // ROUNDS]:
        report(f"  {line}")
    seconds = time.monotonic() - started
    report(f"  {len(done)} edits of these kinds and {others} others beside them in {seconds:.1f} s")


def settle(scene: Scene, report: Report, through_s_max: float = THROUGH_S_MAX) -> None:
    """Wait until all that was committed before now is at the target or parked.

    Raises:
        NotFine: not within `through_s_max`, saying which stage has how much left.
    """
    started = time.monotonic()
    tell = _every_few_seconds(lambda: report(f"waiting for quiet: {_held(scene)} items at the target"))

    def wait() -> None:
        _await_marker(scene, through_s_max)
        await_quiet(scene.settings, through_s_max, tell)

    _tended(scene, wait)
    report(f"quiet {time.monotonic() - started:.1f} s after the last edit")


def proof(scene: Scene) -> Verdict:
    """Compare target and source; nothing may move meanwhile."""
    return prove(scene.settings, TARGET, _merchant(scene).expected())


def live(scene: Scene, edits_per_second: float, stopper: Stopper, report: Report) -> None:
    """Traffic until told to stop, a line every few seconds."""
    traffic = _traffic(scene, edits_per_second, 3)
    traffic.start()
    try:
        while not stopper.wait(LINE_EVERY_S):
            _tend(scene)
            report(
                f"{traffic.progress.edits} edits, {_held(scene)} items at the target, "
                f"{_requests(scene)} requests; last edit: {traffic.progress.newest}"
            )
    finally:
        traffic.stop()


def _traffic(scene: Scene, edits_per_second: float, seed: int) -> Traffic:
    return Traffic(scene.admin_url, scene.settings.commerce.address.database, edits_per_second, seed)


def _merchant(scene: Scene) -> Merchant:
    return Merchant(scene.admin_url, scene.settings.commerce.address.database, 7)


def _await_marker(scene: Scene, seconds: float) -> None:
    """Make one more edit and see it on its change topic: all committed before it is on topics then."""
    settings = scene.settings
    names = TopicNames(settings.kafka.topic_prefix)
    topic = names.change(settings.commerce.address.database, "catalog_product_entity_varchar")
    consumer = reader(settings.kafka, names.group("demo"))
    try:
        _, end = watermarks(consumer, topic, 0)
        consumer.assign([TopicPartition(topic, 0, end)])
        needle = _merchant(scene).mark().encode()
        deadline = time.monotonic() + seconds
        while not any(needle in (record.value or b"") for record in poll_batch(consumer, 1000, 0.5)):
            if time.monotonic() > deadline:
                message = "the last edit did not come through the connector: it is up, but does not stream"
                raise NotFine(message)
    finally:
        consumer.close()


def _tended(scene: Scene, work: Callable[[], T]) -> T:
    """Do something that takes long while roles that die are started again."""
    with ThreadPoolExecutor(1) as pool:
        future: Future[T] = pool.submit(work)
        while not future.done():
            _tend(scene)
            time.sleep(TEND_S)
        return future.result()


def _tend(scene: Scene) -> None:
    if scene.supervisor is not None and scene.supervisor.tend() is not None:
        message = f"a role cannot run with these settings; see {scene.log_dir}"
        raise NotFine(message)


def _every_few_seconds(tell: Callable[[], None]) -> Callable[[str, int], None]:
    last = time.monotonic()

    def report(_stage: str, _records: int) -> None:
        nonlocal last
        if time.monotonic() - last > LINE_EVERY_S:
            last = time.monotonic()
            tell()

    return report


def _held(scene: Scene) -> int:
    target = scene.settings.targets[TARGET]
    return sum(
        1
        for feed in target.sent_feeds
        for _ in _read(f"{target.read_url.rstrip('/')}/{FEED_RESOURCES[feed]}")
    )


def _requests(scene: Scene) -> int:
    base = scene.settings.targets[TARGET].read_url.rstrip("/").removesuffix("/items")
    return sum(1 for _ in _read(f"{base}/requests"))


def _read(url: str) -> Iterator[bytes]:
    with requests.get(url, timeout=30, stream=True) as response:
        yield from (line for line in response.iter_lines() if line)
