"""The sink on a bad network: whatever becomes of requests and answers, the newest state stands in the end.

A real broker, the real sink in its own process, the emulated service; a proxy stands before the service.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from feed_items import PRODUCT
from tcp_proxy import Fault, Proxy, proxied

from commerce_sync.bench.feed_records import FeedWriter
from commerce_sync.bench.sink_stage import (
    NO_ALLOWANCE,
    Stage,
    TargetVariables,
    emulator,
    requests_of,
    stage,
)
from commerce_sync.local.stack import Stack
from commerce_sync.proof.target import read_products
from commerce_sync.run.roles import consumption
from commerce_sync.run.supervise import Supervisor
from runtime.kafka import admin_client, read_to_end, reader
from runtime.lag import behind, ends
from runtime.record import Outgoing
from schemas.codec import encode
from schemas.keys import canonical_json
from schemas.topics import TopicNames

pytestmark = pytest.mark.stack

TARGET = "faulty"
PRODUCTS = 40
REQUEST_TIMEOUT_S = 1.0
SETTLE_S = 2.0
# By then nobody waits for the answer to a request any more.
GIVEN_UP_S = 3 * REQUEST_TIMEOUT_S
# The last request that was given up has arrived by then, and the second send of what followed it.
LATE_ENDS_S = SETTLE_S + 2.0
_NUMBERS = count(1)


@dataclass
class Scene:
    """A sink under test, and what it must have delivered in the end."""

    stage: Stage
    proxy: Proxy
    service: TargetVariables
    supervisor: Supervisor
    writer: FeedWriter
    wanted: dict[str, int | None] = field(default_factory=dict)

    def write(self, skus: list[str], *, deleted: bool = False) -> None:
        """A new state of each product, in one go: its name says which."""
        records = []
        for sku in skus:
            self.wanted[sku] = version = None if deleted else next(_NUMBERS)
            item = PRODUCT | {"sku": sku, "storeViewCode": "default", "name": f"Version {version}"}
            key = canonical_json({"sku": sku, "storeViewCode": "default"})
            records.append(Outgoing("", 0, key, None if deleted else encode("products", item)))
        self.writer.write(records, "live")

    def held(self) -> dict[str, int]:
        """The version of each product that the service has."""
        items = read_products(TARGET, self.stage.settings.targets[TARGET])
        return {sku: int(str(item["name"]).split()[1]) for (sku, _), item in items.items()}

    def expected(self) -> dict[str, int]:
        return {sku: version for sku, version in self.wanted.items() if version is not None}

    def settled(self) -> bool:
        """Every record that is on the topic now is settled."""
        settings = self.stage.settings
        wanted = consumption(settings, "sink", TARGET)
        asker = reader(settings.kafka, "test.faults")
        try:
            until = ends(asker, [(t, n) for t in wanted.topics for n in range(settings.kafka.partitions)])
        finally:
            asker.close()
        return behind(admin_client(settings.kafka), wanted.group, until) == 0

    def parked(self) -> list[bytes]:
        """Keys in the dead-letter topic, cleared ones too."""
        names = TopicNames(self.stage.settings.kafka.topic_prefix)
        asker = reader(self.stage.settings.kafka, "test.faults")
        try:
            places = range(self.stage.settings.kafka.partitions)
            return [r.key for r in read_to_end(asker, names.dead_letter(TARGET, "products"), places)]
        finally:
            asker.close()

    def await_settled(self) -> None:
        self.stage.wait_until("all is settled", self.settled, self.supervisor, 30)


@pytest.fixture(scope="module")
def scene(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Short times; the token comes past the proxy."""
    log_dir: Path = tmp_path_factory.mktemp("faults")
    with emulator() as service, proxied(urlsplit(service["URL"]).port or 0) as proxy:
        target = {
            **service,
            **NO_ALLOWANCE,
            "URL": service["URL"].replace(str(urlsplit(service["URL"]).port), str(proxy.port)),
            "REQUEST_TIMEOUT_S": str(REQUEST_TIMEOUT_S),
            "SETTLE_S": str(SETTLE_S),
            "RETRY_S": "2",
        }
        with stage(stack, {TARGET: target}, log_dir) as stage_, stage_.sink(TARGET) as supervisor:
            writer = FeedWriter(stage_.settings.kafka)
            made = Scene(stage_, proxy, service, supervisor, writer)
            made.write([f"P{number}" for number in range(PRODUCTS)])
            made.await_settled()
            yield made


class Watcher:
    """Looks at the service all the time: what it has of a product must never become older."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.went_back: list[tuple[str, int, int]] = []
        self.looks = 0

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        newest: dict[str, int] = {}
        while not self._stop.wait(0.02):
            for sku, version in self._scene.held().items():
                if version < newest.get(sku, 0):
                    self.went_back.append((sku, newest[sku], version))
                newest[sku] = version
            self.looks += 1


def edits_under(scene: Scene, fault: Fault, rounds: int = 4) -> int:
    """Edits and deletes before and while the network is bad; how often it was met."""
    met = scene.proxy.met
    names = [f"P{number}" for number in range(PRODUCTS)]
    scene.proxy.fault = fault
    try:
        for number in range(rounds):
            scene.write(names[: PRODUCTS // 2])
            scene.write(names[number::rounds], deleted=number % 2 == 1)
            # A steady stream of edits, while requests fail: the time itself is what is tested.
            time.sleep(0.25)
        scene.stage.wait_until("the fault is met", lambda: scene.proxy.met > met, scene.supervisor, 10)
    finally:
        scene.proxy.fault = None
    return scene.proxy.met - met


@pytest.mark.parametrize("fault", ["slow", "cut", "reset", "silent", "lost"])
def test_a_bad_network_loses_nothing_and_turns_nothing_back(scene: Scene, fault: Fault) -> None:
    """Edits and deletes go on meanwhile; when it is well again the service soon has the newest of each."""
    before, process = len(requests_of(scene.service)), scene.supervisor.pids()
    with Watcher(scene) as watcher:
        met = edits_under(scene, fault)
        scene.await_settled()
    # Such an answer takes minutes: neither its items nor the thread that sent them wait for its end.
    scene.stage.wait_until(
        "no answer is waited for", lambda: scene.proxy.trickling == 0, scene.supervisor, GIVEN_UP_S
    )

    assert met > 0
    assert len(requests_of(scene.service)) > before
    assert scene.held() == scene.expected()
    assert (watcher.went_back, watcher.looks > 0) == ([], True)
    assert scene.parked() == []
    assert scene.supervisor.pids() == process, "the sink's process ended"


def test_a_request_that_arrives_after_it_was_given_up_is_put_right(scene: Scene) -> None:
    """It may bring an older state back; what was accepted since is sent once more after `settle_s`."""
    met = edits_under(scene, "late")
    scene.await_settled()
    last_late = time.time() + LATE_ENDS_S
    before = len(requests_of(scene.service))

    def sent_again() -> bool:
        return time.time() > last_late and scene.held() == scene.expected()

    scene.stage.wait_until("the newest stands", sent_again, scene.supervisor, 20)
    entries = requests_of(scene.service)[before:]

    assert met > 0
    assert any(entry.stored for entry in entries), "nothing was sent a second time"
    assert scene.parked() == []
