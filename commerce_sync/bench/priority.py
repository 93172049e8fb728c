"""How long a live edit takes to acceptance while bulk work spends the allowance, beside no bulk work at all.

Both under the default allowance and at one rate of edits, which come by chance: evenly spaced ones could
always meet the same moment between two bulk requests.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any, Final

from commerce_sync.bench import feed_records, figures
from commerce_sync.bench.catalogs import catalog
from commerce_sync.bench.feed_records import FeedWriter
from commerce_sync.bench.sink import allowance_options
from commerce_sync.bench.sink_stage import Stage, TargetVariables, emulator, requests_of, stage
from commerce_sync.local.stack import Stack
from commerce_sync.run.supervise import Supervisor
from runtime.record import Outgoing
from runtime.settings import BudgetSettings

Report = Callable[[str], None]

# Products whose items are multiplied to the bulk that waits.
CATALOG: Final = 1_000
ARRIVE_S_MAX: Final = 90.0
_TARGET: Final = "limited"
_SEED: Final = 1
_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose. `seconds` with bulk work, and as many without."""

    bulk_items: int
    seconds: float
    edits_per_second: float


def measure(stack: Stack, options: Options, log_dir: Path, report: Report) -> dict[str, Any]:
    """First without bulk work, then with all of it waiting, by the same sink.

    Raises:
        NotFine: an edit is not accepted in time, or the sink cannot run.
    """
    records = feed_records.built(catalog(stack, CATALOG, report), CATALOG)
    with ExitStack() as exits:
        service = exits.enter_context(emulator(*allowance_options()))
        stage_ = exits.enter_context(stage(stack, {_TARGET: service}, log_dir))
        supervisor = exits.enter_context(stage_.sink(_TARGET))
        edits = _Edits(stage_, service, supervisor, FeedWriter(stage_.settings.kafka), records[0])
        edits.await_accepted(edits.write(1))
        report(f"{options.seconds:g} s of {options.edits_per_second:g} edits a second, nothing else waits")
        idle_ms = edits.latencies_ms(options)
        report(f"and as many while {options.bulk_items} bulk items wait")
        began_s = _load(stage_, service, supervisor, records, options.bulk_items)
        busy_ms = edits.latencies_ms(options)
        ended_s = time.time()
        entries = [entry for entry in requests_of(service) if began_s <= entry.time < ended_s]
    ours, limit = figures.latency(busy_ms), figures.latency(idle_ms)
    return {
        "name": "priority",
        "unit": "ms",
        "ours": asdict(ours),
        "limit": asdict(limit),
        # Of the slow ones: that is what a live edit must not notice.
        "ratio": figures.per(ours.p99, limit.p99),
        "runs": len(busy_ms),
        "bulk_items": options.bulk_items,
        "edits_per_second": options.edits_per_second,
        "allowance": figures.allowance_summary(
            [(entry.time, entry.item_count if entry.stored else 0, entry.status) for entry in entries],
            ended_s,
            round(BudgetSettings().products_per_minute * (ended_s - began_s) / 60),
        ),
    }


def _load(
    stage_: Stage,
    service: TargetVariables,
    supervisor: Supervisor,
    records: Sequence[Outgoing],
    items: int,
) -> float:
    """Write the bulk work and wait for its first request; when that was, in unix seconds."""
    writer = FeedWriter(stage_.settings.kafka)
    before = max(entry.id for entry in requests_of(service))
    copies = islice(_copies(records), items)
    while chunk := list(islice(copies, _CHUNK)):
        writer.write(chunk, "bulk")
        supervisor.tend()
    stage_.wait_until("bulk work goes", lambda: bool(requests_of(service, before)), supervisor, ARRIVE_S_MAX)
    return time.time()


def _copies(records: Sequence[Outgoing]) -> Iterable[Outgoing]:
    """The catalog again and again, each time of other SKUs."""
    for number in count():
        for record in records:
            yield feed_records.changed(record, sku=f"{feed_records.item_of(record)['sku']}-{number}")


class _Edits:
    """Live records, each of an item of its own, so that its acceptance is known by its SKU."""

    def __init__(
        self,
        stage_: Stage,
        service: TargetVariables,
        supervisor: Supervisor,
        writer: FeedWriter,
        record: Outgoing,
    ) -> None:
        self._stage = stage_
        self._service = service
        self._supervisor = supervisor
        self._writer = writer
        self._record = record
        self._serials = count()
        self._random = Random(_SEED)

    def write(self, edits: int, edits_per_second: float = 0) -> dict[str, float]:
        """Moments by SKU, in unix seconds, at which each was given to the broker."""
        written: dict[str, float] = {}
        due_s = time.time()
        for _ in range(edits):
            sku = f"live-{next(self._serials)}"
            record = feed_records.changed(self._record, sku=sku)
            if edits_per_second:
                due_s += self._random.expovariate(edits_per_second)
                time.sleep(max(0.0, due_s - time.time()))
            written[sku] = time.time()
            self._writer.write([record], "live")
            self._supervisor.tend()
        return written

    def latencies_ms(self, options: Options) -> list[float]:
        """From the record's writing to its acceptance."""
        written = self.write(round(options.seconds * options.edits_per_second), options.edits_per_second)
        accepted = self.await_accepted(written)
        return [(accepted[sku] - at_s) * 1000 for sku, at_s in written.items()]

    def await_accepted(self, written: dict[str, float]) -> dict[str, float]:
        """When each was accepted first."""
        accepted: dict[str, float] = {}
        seen = 0

        def all_are() -> bool:
            nonlocal seen
            for entry in requests_of(self._service, seen):
                seen = entry.id
                for sku, *_ in entry.identities:
                    accepted.setdefault(sku, entry.time)
            return all(sku in accepted for sku in written)

        self._stage.wait_until("the edits are accepted", all_are, self._supervisor, ARRIVE_S_MAX)
        return accepted
