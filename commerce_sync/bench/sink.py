"""How many items a second go from a feed topic to acceptance, and how much of an allowance is used.

The limit is a loop that posts the same bodies, ready and compressed, over as many kept connections. Both go
to three services in turn. The figure is taken at one that lets pass some time before it answers, as one in
another network does: 50 ms unless told, a tenth of what the exporter's connector is planned with. Beside it:
one on this machine that inflates and parses each request and does nothing else, which shows what is left when
nobody brakes; and the emulator without limits, which judges and stores every item.
"""

import gzip
import queue
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import psutil
import requests

from commerce_sync.bench import acceptor, feed_records, figures
from commerce_sync.bench.catalogs import catalog
from commerce_sync.bench.feed_records import FeedWriter
from commerce_sync.bench.figures import SinkRun
from commerce_sync.bench.processes import cpu_seconds, with_own
from commerce_sync.bench.sink_stage import (
    NO_ALLOWANCE,
    Stage,
    TargetVariables,
    emulator,
    emulator_process,
    requests_of,
    stage,
)
from commerce_sync.local.program import saying
from commerce_sync.local.stack import Stack
from consumers.builder.feeds.products import FEED
from consumers.sink.circuit import WINDOW_MAX
from consumers.sink.dialects.optimizer import OptimizerDialect
from runtime.errors import NotFine
from runtime.record import Outgoing
from runtime.settings import DIALECT_BATCH, BudgetSettings
from schemas.keys import canonical_json

Report = Callable[[str], None]

# Bulk work leaves one of the window to the next live edit.
CONCURRENCY: Final = WINDOW_MAX - 1
RUN_S_MAX: Final = 120.0
_FAR: Final = "far"
_BARE: Final = "bare"
_STRICT: Final = "strict"
_ALLOWED: Final = "allowed"
_BUDGET: Final = BudgetSettings()


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose. `minutes` under the default allowance; 0 leaves that figure out."""

    products: int
    runs: int
    answer_ms: int
    minutes: int


def measure(stack: Stack, options: Options, log_dir: Path, report: Report) -> dict[str, Any]:
    """Send a catalog again and again, ours and the limit in turn; then once under the default allowance.

    Raises:
        NotFine: it is not accepted in time, or the sink cannot run.
    """
    records = feed_records.built(catalog(stack, options.products, report), options.products)
    bodies = ready_bodies(records)
    with ExitStack() as exits:
        services: list[_Service] = [
            exits.enter_context(_accepting(_BARE, 0)),
            exits.enter_context(_accepting(_FAR, options.answer_ms)),
            exits.enter_context(_judging(_STRICT)),
        ]
        limited = exits.enter_context(emulator(*allowance_options()))
        targets = {
            _target(service, number): {**service.variables, **NO_ALLOWANCE}
            for service in services
            for number in range(options.runs)
        }
        stage_ = exits.enter_context(stage(stack, {**targets, _ALLOWED: limited}, log_dir))
        FeedWriter(stage_.settings.kafka).write(records, "bulk")
        report(f"{len(records)} items of {options.products} products are on the feed topic")
        results: dict[str, list[SinkRun]] = {}
        for number in range(options.runs):
            for service in services:
                run = _run(stage_, service, bodies, len(records), number)
                results.setdefault(service.name, []).append(run)
                report(f"{service.name}: {run.ours:.0f} items/s, limit {run.limit:.0f}")
        allowance = _under_allowance(stage_, limited, options.minutes, report) if options.minutes else None
    return {
        "name": "sink",
        "unit": "items/s",
        **figures.sink_summary(results[_FAR]),
        "answer_ms": options.answer_ms,
        "runs": options.runs,
        "items": len(records),
        "concurrency": CONCURRENCY,
        "bytes_per_item": round(sum(map(len, bodies)) / len(records)),
        "bare": figures.sink_summary(results[_BARE]),
        "strict": figures.sink_summary(results[_STRICT]),
        "allowance": allowance,
    }


def ready_bodies(records: Sequence[Outgoing]) -> list[bytes]:
    """The requests' bodies as they are on the wire."""
    dialect = OptimizerDialect()
    items = [canonical_json(dialect.payload(FEED, feed_records.item_of(record))) for record in records]
    size = DIALECT_BATCH["optimizer"][FEED]
    return [
        gzip.compress(b"[%s]" % b",".join(items[start : start + size]), compresslevel=1)
        for start in range(0, len(items), size)
    ]


class _Service(Protocol):
    """The service of both sides; `variables` reach it from a target's section."""

    name: str
    variables: TargetVariables
    process: psutil.Process

    def taken(self) -> list[tuple[float, int]]:
        """(unix seconds, items accepted) of the requests since the last call."""

    def headers(self) -> Mapping[str, str]:
        """What a request says of itself."""


def _target(service: _Service, number: int) -> str:
    """A target of each run, which knows nothing of what was sent in others."""
    return f"{service.name}{number}"


@contextmanager
def _accepting(name: str, answer_ms: int) -> Iterator[_Service]:
    with saying(acceptor.__name__, [str(answer_ms)]) as (url, pid):
        yield _Acceptor(name, url, pid)


@contextmanager
def _judging(name: str) -> Iterator[_Service]:
    with emulator_process() as (variables, pid):
        yield _Emulator(name, variables, pid)


def _run(stage_: Stage, service: _Service, bodies: Sequence[bytes], items: int, number: int) -> SinkRun:
    """Each side once; who begins changes from run to run."""
    run = SinkRun()
    for ours in (True, False) if number % 2 == 0 else (False, True):
        if ours:
            _ours(stage_, service, number, items, run)
        else:
            began = time.perf_counter()
            _post(service, bodies)
            run.limit = items / (time.perf_counter() - began)
            service.taken()
    return run


def _ours(stage_: Stage, service: _Service, number: int, items: int, run: SinkRun) -> None:
    """A sink that starts with the whole topic before it; the time counts from its first acceptance on."""
    notes: list[tuple[float, int]] = []
    cpu: dict[str, float] = {}

    def through() -> bool:
        notes.extend(service.taken())
        if notes and not cpu:
            cpu["sink"], cpu["service"] = cpu_seconds(with_own(process)), cpu_seconds([service.process])
        return sum(count for _, count in notes) >= items

    with stage_.sink(_target(service, number)) as supervisor:
        process = psutil.Process(next(iter(supervisor.pids().values())))
        stage_.wait_until("the catalog is accepted", through, supervisor, RUN_S_MAX)
        counted = items - notes[0][1]
        run.ours = counted / (notes[-1][0] - notes[0][0])
        run.cpu_ms = (cpu_seconds(with_own(process)) - cpu["sink"]) / counted * 1000
        run.service_cpu_ms = (cpu_seconds([service.process]) - cpu["service"]) / counted * 1000


class _Acceptor:
    """Implements _Service."""

    def __init__(self, name: str, url: str, pid: int) -> None:
        self.name = name
        self.variables: TargetVariables = {"URL": url}
        self.process = psutil.Process(pid)

    def taken(self) -> list[tuple[float, int]]:
        page = requests.get(self.variables["URL"] + acceptor.TAKEN, timeout=10)
        return [(moment, count) for moment, count in page.json()]

    def headers(self) -> Mapping[str, str]:
        return {}


class _Emulator:
    """Implements _Service."""

    def __init__(self, name: str, variables: TargetVariables, pid: int) -> None:
        self.name = name
        self.variables = variables
        self.process = psutil.Process(pid)
        self._seen = 0

    def taken(self) -> list[tuple[float, int]]:
        entries = requests_of(self.variables, self._seen)
        self._seen = entries[-1].id if entries else self._seen
        return [(entry.time, len(entry.identities)) for entry in entries]

    def headers(self) -> Mapping[str, str]:
        told = {
            "grant_type": "client_credentials",
            "client_id": self.variables["AUTH__CLIENT_ID"],
            "client_secret": self.variables["AUTH__CLIENT_SECRET"],
        }
        answer = requests.post(self.variables["AUTH__TOKEN_URL"], data=told, timeout=10)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def _post(service: _Service, bodies: Sequence[bytes]) -> None:
    """Post every body once, over as many kept connections as the sink has.

    Raises:
        NotFine: one was refused.
    """
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for body in bodies:
        waiting.put(body)
    url = urlsplit(service.variables["URL"])
    path = url.path + OptimizerDialect().path(FEED, "upsert")
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip", **service.headers()}

    def post() -> None:
        connection = HTTPConnection(url.netloc, timeout=10)
        try:
            while True:
                connection.request("POST", path, waiting.get_nowait(), headers)
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 200:
                    message = f"{service.name} answered {answer.status}: {text[:200]!r}"
                    raise NotFine(message)
        except queue.Empty:
            connection.close()

    with ThreadPoolExecutor(CONCURRENCY) as pool:
        for posted in [pool.submit(post) for _ in range(CONCURRENCY)]:
            posted.result()


def allowance_options() -> list[str]:
    """An emulator that refuses what exceeds the default allowance."""
    return [
        *("--requests-per-minute", str(_BUDGET.requests_per_minute)),
        *("--products-per-minute", str(_BUDGET.products_per_minute)),
    ]


def _under_allowance(
    stage_: Stage, service: TargetVariables, minutes: int, report: Report
) -> Mapping[str, float]:
    """Whole minutes from the first acceptance on, with more waiting than they allow."""
    report(f"{minutes} minutes under the default allowance")

    def over() -> bool:
        entries = requests_of(service)
        return bool(entries) and time.time() > entries[0].time + minutes * 60

    with stage_.sink(_ALLOWED) as supervisor:
        stage_.wait_until("the minutes are over", over, supervisor, minutes * 60 + RUN_S_MAX)
    entries = requests_of(service)
    until = entries[0].time + minutes * 60
    return figures.allowance_summary(
        [(entry.time, entry.item_count if entry.stored else 0, entry.status) for entry in entries],
        until,
        _BUDGET.products_per_minute * minutes,
    )
