"""A running pipeline as tests use it: statements in, what the service holds out."""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import requests
from prometheus_client.parser import text_string_to_metric_families

from commerce_sync import cli
from commerce_sync.demo import play
from commerce_sync.demo.scene import TARGET, Options, Scene
from commerce_sync.ledger.gather import FeedStatus, gather
from commerce_sync.local.stack import Stack
from commerce_sync.proof.open import lines, opened
from commerce_sync.proof.target import read_products
from commerce_sync.run.framing import choose_framing
from commerce_sync.sample.database import address_of, connected
from runtime.kafka import read_to_end, reader, watermarks
from runtime.record import Record
from schemas import codec
from schemas.entities import ENTITY_OF, FEEDS, partitions_of
from schemas.keys import partition_for
from schemas.records import DeadLetter, Status
from schemas.topics import TopicNames

# Less than a test may take: what fails to settle says which stage has how much left.
SETTLED_S_MAX = 240


@dataclass(frozen=True)
class Said:
    """What a command printed."""

    out: str
    err: str

    def json(self) -> Any:
        """The one object that `--json` prints."""
        return msgspec.json.decode(self.out)


@dataclass
class Pipeline:
    """The running pipeline and what tests do with it."""

    scene: Scene

    def sql(self, *statements: str) -> None:
        """Run statements as one transaction."""

        async def run() -> None:
            async with connected(address_of(self.scene.admin_url, self.database)) as connection:
                async with connection.cursor() as cursor:
                    for statement in statements:
                        await cursor.execute(statement)
                await connection.commit()

        asyncio.run(run())

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What a SELECT finds."""

        async def run() -> list[tuple[Any, ...]]:
            async with connected(address_of(self.scene.admin_url, self.database)) as connection:
                async with connection.cursor() as cursor:
                    await cursor.execute(statement)
                    return list(await cursor.fetchall())

        return asyncio.run(run())

    def emitted(self, sku: str) -> list[Record]:
        """Every record of a product on the feed topic, in order, tombstones included."""
        names = TopicNames(self.scene.settings.kafka.topic_prefix)
        partition = partition_for(sku.encode(), self.scene.settings.kafka.partitions)
        return [
            record
            for record in self.topic(names.feed("products"), [partition])
            if msgspec.json.decode(record.key)["sku"] == sku
        ]

    def topic(self, name: str, partitions: Sequence[int] | None = None) -> list[Record]:
        """Every record of a topic."""
        consumer = reader(self.scene.settings.kafka, "test.topic")
        try:
            wanted = range(self.scene.settings.kafka.partitions) if partitions is None else partitions
            return list(read_to_end(consumer, name, wanted))
        finally:
            consumer.close()

    @property
    def database(self) -> str:
        return self.scene.settings.commerce.address.database

    def settle(self) -> None:
        """Wait until all that was committed is through."""
        play.settle(self.scene, lambda _: None, SETTLED_S_MAX)

    def rest(self) -> None:
        """Settle, and wait until nothing accepted has yet to go a second time: no request comes by itself.

        An answer that was lost in an earlier test, or on a busy machine, makes one `settle_s` later.
        """
        self.settle()
        self.wait_until("no second send is owed", lambda: not self._owes())

    def _owes(self) -> bool:
        names = TopicNames(self.scene.settings.kafka.topic_prefix)
        newest: dict[tuple[str, bytes], bytes | None] = {}
        for feed in self.scene.settings.targets[TARGET].sent_feeds:
            places = range(partitions_of(ENTITY_OF[feed], self.scene.settings.kafka.partitions))
            for record in self.topic(names.status(TARGET, feed), places):
                newest[feed, record.key] = record.value
        statuses = [msgspec.json.decode(value, type=Status) for value in newest.values() if value is not None]
        return any(s.again_ms and s.outcome in {"delivered", "deleted"} for s in statuses)

    def held(self) -> dict[tuple[str, str], dict[str, Any]]:
        return read_products(TARGET, self.scene.settings.targets[TARGET])

    def product_ids(self) -> list[int]:
        """Ids of the products at the target, in their order."""
        return sorted({int(item["externalIds"][0]["id"]) for item in self.held().values()})

    def requests_made(self) -> list[dict[str, Any]]:
        """The service's log of catalog requests."""
        lines = requests.get(f"{self._control}/requests", timeout=10).text.splitlines()
        return [r for r in map(msgspec.json.decode, lines) if "/catalog/" in r["path"]]

    def put_faults(self, *rules: dict[str, Any]) -> None:
        requests.put(f"{self._control}/faults", json=list(rules), timeout=10).raise_for_status()

    def clear_faults(self) -> None:
        requests.delete(f"{self._control}/faults", timeout=10).raise_for_status()

    def differences(self) -> list[str]:
        """Where a fresh build, the feed topics and what the targets hold differ, of every feed."""
        settings = self.scene.settings
        with opened(settings, FEEDS, tuple(settings.targets)) as audit:
            return lines(audit.run())

    def ledger(self) -> FeedStatus:
        """What the ledger tells of the products, once it has read and settled all there is."""
        found: list[FeedStatus] = []

        def is_quiet() -> bool:
            report = gather(self.scene.settings, TARGET, "products")
            found[:] = report.feeds
            return report.ledger.note is None and not found[0].waiting

        self.wait_until("the ledger has read everything", is_quiet)
        return found[0]

    def command(self, *words: str, code: int = 0) -> Said:
        """Type a command with the pipeline's settings, while roles that die are started again.

        Args:
            code: what it has to end with.
        """
        assert self.scene.supervisor is not None
        environment = self.scene.supervisor.environment
        settings = {name: value for name, value in environment.items() if name.startswith("COMMERCE_SYNC")}
        out, err = StringIO(), StringIO()

        def run() -> int:
            with patch.dict(os.environ, settings), redirect_stdout(out), redirect_stderr(err):
                return cli.run(words)

        ended = play._tended(self.scene, run)
        assert ended == code, out.getvalue() + err.getvalue()
        return Said(out.getvalue(), err.getvalue())

    def dead_letters(self, *topic: str) -> dict[str, DeadLetter]:
        """What is parked right now, by key."""
        names = TopicNames(self.scene.settings.kafka.topic_prefix)
        consumer = reader(self.scene.settings.kafka, "test.dead-letters")
        parked: dict[str, DeadLetter] = {}
        try:
            places = range(self.scene.settings.kafka.partitions)
            for record in read_to_end(consumer, names.dead_letter(*topic), places):
                if record.value is None:
                    parked.pop(record.key.decode(), None)
                else:
                    parked[record.key.decode()] = msgspec.json.decode(record.value, type=DeadLetter)
        finally:
            consumer.close()
        return parked

    def ends(self, feeds: Iterable[str]) -> dict[tuple[str, int], int]:
        """Where the topics of some feeds end, by feed and partition."""
        names = TopicNames(self.scene.settings.kafka.topic_prefix)
        consumer = reader(self.scene.settings.kafka, "test.ends")
        partitions = self.scene.settings.kafka.partitions
        try:
            return {
                (feed, n): watermarks(consumer, names.feed(feed), n)[1]
                for feed in feeds
                for n in range(partitions_of(ENTITY_OF[feed], partitions))
            }
        finally:
            consumer.close()

    def written(self, feeds: Iterable[str], since: Mapping[tuple[str, int], int]) -> list[tuple[str, str]]:
        """(feed, key) of the records behind these ends."""
        names = TopicNames(self.scene.settings.kafka.topic_prefix)
        consumer = reader(self.scene.settings.kafka, "test.written")
        try:
            return [
                (feed, record.key.decode())
                for feed in feeds
                for record in read_to_end(consumer, names.feed(feed), [n for of, n in since if of == feed])
                if record.offset >= since[feed, record.partition]
            ]
        finally:
            consumer.close()

    def kill(self, role: str) -> None:
        """SIGKILL the first process of a role."""
        self.send(role, signal.SIGKILL)

    def send(self, role: str, number: signal.Signals) -> int:
        """Send a signal to the first process of a role; its id."""
        pids = self.scene.supervisor.pids()
        label = min(label for label in pids if label.split(".")[0] == role)
        os.kill(pids[label], number)
        return pids[label]

    @contextmanager
    def frozen(self, role: str) -> Iterator[None]:
        """The first process of a role stands still meanwhile; no longer than its session lasts."""
        pid = self.send(role, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def metric(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """What all roles tell under a sample's full name, summed by the values of these labels."""
        found: dict[tuple[str, ...], float] = {}
        for port in self.scene.supervisor.ports().values():
            text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name == name:
                        key = tuple(sample.labels[label] for label in labels)
                        found[key] = found.get(key, 0.0) + sample.value
        return found

    def wait_until(self, what: str, true: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            self.scene.supervisor.tend()
            time.sleep(0.05)

    def tend_for(self, seconds: float) -> None:
        """Let time pass while roles that ended are started again."""
        until = time.monotonic() + seconds
        self.wait_until("the pause is over", lambda: time.monotonic() >= until)

    @property
    def _control(self) -> str:
        return self.scene.settings.targets[TARGET].read_url.rstrip("/").removesuffix("/items")


@contextmanager
def running(
    stack: Stack,
    data_dir: Path,
    products: int,
    overrides: Mapping[str, str],
    workers: Mapping[str, int],
    metrics_port: int = 0,
) -> Iterator[Pipeline]:
    """A shop, its pipeline and its service, synced once; topics, connector and database of its own."""
    run = secrets.token_hex(4)
    variables = stack.environment()
    server = variables["COMMERCE_SYNC__COMMERCE__URL"].rpartition("/")[0]
    variables["COMMERCE_SYNC__COMMERCE__URL"] = f"{server}/magento_path_{run}"
    variables["COMMERCE_SYNC__KAFKA__TOPIC_PREFIX"] = f"path-{run}"
    variables["COMMERCE_SYNC__CAPTURE__CONNECTOR"] = f"path-{run}"
    # Behind a test that kills, what is owed goes soon, not amid a later test that counts.
    variables[f"COMMERCE_SYNC__TARGETS__{TARGET.upper()}__SETTLE_S"] = "4"
    variables |= overrides
    with Scene(Options(data_dir, products, 1, workers, metrics_port), print, variables) as scene:
        try:
            # What this process reads of the topics is framed as the roles frame it.
            choose_framing(scene.settings)
            play.first_sync(scene, 5, print)
            pipeline = Pipeline(scene)
            # The last edits beside the first sync may delete what a test would choose.
            pipeline.settle()
            yield pipeline
        finally:
            codec.use(None)
            requests.delete(f"{scene.settings.capture.connect_url}/connectors/path-{run}", timeout=10)
