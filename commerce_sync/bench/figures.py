"""From moments to figures: which sighting belongs to which change, and percentiles. Pure."""

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Final

_LABEL: Final = re.compile(r'\w+="[^"]*"')

# A moment in unix seconds by the serial number of the change it belongs to.
Moments = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Change:
    """One committed edit. Moments are unix seconds of one clock.

    Attributes:
        due_s: when the schedule wanted it.
        began_s: when the statement was sent.
        committed_s: when COMMIT had returned.
    """

    serial: int
    sku: str
    due_s: float
    began_s: float
    committed_s: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles in milliseconds, by nearest rank."""

    p50: float
    p95: float
    p99: float


def first_after(changes: Iterable[Change], sightings: Iterable[tuple[str, float]]) -> dict[int, float]:
    """The first sighting of each change's SKU from the moment the change began.

    From its begin, not from its commit's return: another process may see a change before its writer is told.
    A change that was merged into a later one of its SKU gets that one's sighting.

    Args:
        sightings: SKU and moment, in any order.

    Returns:
        Moments by serial; a change without a sighting is absent.
    """
    moments: dict[str, list[float]] = {}
    for sku, moment in sightings:
        moments.setdefault(sku, []).append(moment)
    for of_sku in moments.values():
        of_sku.sort()
    found: dict[int, float] = {}
    for change in changes:
        of_sku = moments.get(change.sku, [])
        place = bisect_left(of_sku, change.began_s)
        if place < len(of_sku):
            found[change.serial] = of_sku[place]
    return found


def lost(
    changes: Sequence[Change], seen: Sequence[Moments], names: Mapping[int, str], held: Mapping[str, set[str]]
) -> set[int]:
    """Serials that did not arrive: unseen at one of the places, or a SKU's last name is not what is held.

    Args:
        seen: moments at each place that every change must pass.
        names: what each change wrote, by serial.
        held: the names that the target's items have in the end, by SKU.
    """
    unseen = {change.serial for change in changes if not all(change.serial in place for place in seen)}
    last = {change.sku: change.serial for change in changes}
    return unseen | {serial for sku, serial in last.items() if held.get(sku) != {names[serial]}}


def since_commit(changes: Iterable[Change], arrivals: Moments) -> list[float]:
    """Milliseconds from COMMIT's return to the arrival, of the changes that arrived."""
    return [
        (arrivals[change.serial] - change.committed_s) * 1000
        for change in changes
        if change.serial in arrivals
    ]


def hops(changes: Sequence[Change], stations: Mapping[str, Moments]) -> dict[str, float]:
    """Where the time goes: the median milliseconds from each station to the next, by the next one's name.

    Args:
        stations: moments at each station, in the order of the path; the commit comes before the first.
    """
    committed = {change.serial: change.committed_s for change in changes}
    way = [("commit", committed), *stations.items()]
    return {
        name: percentile([(after[n] - before[n]) * 1000 for n in committed if n in before and n in after], 50)
        for (_, before), (name, after) in pairwise(way)
    }


def latency(values_ms: Sequence[float]) -> Latency:
    return Latency(*(percentile(values_ms, percent) for percent in (50, 95, 99)))


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all do not exceed, to a tenth; NaN of nothing."""
    if not values:
        return math.nan
    return round(sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)], 1)


@dataclass(slots=True)
class BuildRun:
    """One round over all batches: items by feed, seconds of each side, CPU seconds of ours and of the server.

    `limit_alone_s` is the limit with a round trip for each SELECT; `libraries_s` what it takes to hash and
    encode ready-made items.
    """

    items: Counter[str] = field(default_factory=Counter)
    ours_s: float = 0.0
    limit_s: float = 0.0
    limit_alone_s: float = 0.0
    libraries_s: float = 0.0
    cpu_s: float = 0.0
    server_cpu_s: float = 0.0


def build_summary(runs: Sequence[BuildRun]) -> dict[str, float]:
    """Medians of the rounds: items a second, their ratios to the limits, and CPU milliseconds an item.

    `ratio_encoded` is to the SELECTs together with hashing and encoding.
    """
    ours_s, limit_s = median(run.ours_s for run in runs), median(run.limit_s for run in runs)
    alone_s = median(run.limit_alone_s for run in runs)
    encoded_s = median(run.limit_s + run.libraries_s for run in runs)
    items = runs[0].items.total()
    return {
        "items": items,
        "ours": round(items / ours_s),
        "limit": round(items / limit_s),
        "ratio": round(limit_s / ours_s, 2),
        "ratio_one_by_one": round(alone_s / ours_s, 2),
        "ratio_encoded": round(encoded_s / ours_s, 2),
        "cpu_ms_per_item": round(median(run.cpu_s for run in runs) / items * 1000, 3),
        "database_cpu_ms_per_item": round(median(run.server_cpu_s for run in runs) / items * 1000, 3),
    }


def feed_summary(measured: Iterable[Sequence[BuildRun]]) -> dict[str, dict[str, float]]:
    """Items of each feed, and how many a second; feeds of one entity are built together, in the same time."""
    summary: dict[str, dict[str, float]] = {}
    for runs in measured:
        ours_s = median(run.ours_s for run in runs)
        for feed, items in runs[0].items.items():
            summary[feed] = {"items": items, "ours": round(items / ours_s)}
    return summary


def spread_percent(values: Sequence[float]) -> float:
    """How much the largest exceeds the smallest, in percent of the smallest."""
    return round((max(values) / min(values) - 1) * 100, 1)


def numbered(names: Iterable[str]) -> set[tuple[str, int]]:
    """Each name with how often it came before, so that a second one is another element."""
    times: Counter[str] = Counter()
    found = set()
    for name in names:
        found.add((name, times[name]))
        times[name] += 1
    return found


def cover(sets: Mapping[str, set[tuple[str, int]]]) -> list[str]:
    """Names of few sets that together hold everything, each the one that adds most; ties in their order."""
    chosen: list[str] = []
    missing: set[tuple[str, int]] = set().union(*sets.values())
    while missing:
        best = max(sets, key=lambda name: len(sets[name] & missing))
        chosen.append(best)
        missing -= sets[best]
    return chosen


@dataclass(slots=True)
class Written:
    """What an import wrote."""

    products: int = 0
    rows: int = 0


def per(count: float, of: float) -> float:
    """`count` for each of `of`, to a hundredth."""
    return round(count / of, 2)


def metric_sum(text: str, name: str, **labels: str) -> float:
    """The sum of a counter over its series that carry these labels, from a Prometheus page."""
    wanted = {f'{label}="{value}"' for label, value in labels.items()}
    return sum(
        float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line.startswith(f"{name}{{") and wanted <= set(_LABEL.findall(line))
    )


def repeated(emitted: Iterable[tuple[bytes, bytes, int]], since_ms: int) -> int:
    """How many records from `since_ms` on say of an item what the one before said.

    Args:
        emitted: item, content hash and unix milliseconds, each item's in order.
    """
    last: dict[bytes, bytes] = {}
    count = 0
    for item, content, time_ms in emitted:
        count += time_ms >= since_ms and last.get(item) == content
        last[item] = content
    return count


@dataclass(frozen=True, slots=True)
class Sendings:
    """What a target was told.

    Attributes:
        sends: items of all requests.
        identities: items, each counted once.
        contents: different contents of each, summed.
        again_unchanged: identities that were told once more what they had been told last.
        changed: identities that were told several contents, one after the other.
    """

    sends: int = 0
    identities: int = 0
    contents: int = 0
    again_unchanged: int = 0
    changed: int = 0


def sendings(sent: Iterable[tuple[Hashable, Hashable]]) -> Sendings:
    """Count identity and content of each item sent, in order."""
    told: dict[Hashable, list[Hashable]] = {}
    for identity, content in sent:
        told.setdefault(identity, []).append(content)
    contents = [len(set(of_identity)) for of_identity in told.values()]
    return Sendings(
        sends=sum(map(len, told.values())),
        identities=len(told),
        contents=sum(contents),
        again_unchanged=sum(any(a == b for a, b in pairwise(of_identity)) for of_identity in told.values()),
        changed=sum(count > 1 for count in contents),
    )


def megabytes(count: float) -> float:
    """Bytes as megabytes of a million, to a tenth."""
    return round(count / 1e6, 1)


def peak_megabytes(status: str) -> float:
    """The most memory a process had, from its /proc/<id>/status; kB there are 1024 bytes."""
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return megabytes(int(line.split()[1]) * 1024)


def process_name(command: Sequence[str]) -> str:
    """What a process of the pipeline or its servers is called for people, from its command line."""
    words = " ".join(command)
    for part, name in _PROCESSES.items():
        if part in words:
            return name
    if _ROLE in command:
        return command[command.index(_ROLE) + 1]
    return Path(command[0]).name if command else ""


_ROLE: Final = "commerce_sync.run.process"
_PROCESSES: Final = {
    "kafka.Kafka": "kafka",
    "ConnectDistributed": "connect",
    "mariadbd": "mariadb",
    "commerce_sync emulator": "emulator",
}


@dataclass(slots=True)
class SinkRun:
    """One run of each side: items a second, and CPU milliseconds an item of the sink and of the service."""

    ours: float = 0.0
    limit: float = 0.0
    cpu_ms: float = 0.0
    service_cpu_ms: float = 0.0


def sink_summary(runs: Sequence[SinkRun]) -> dict[str, float]:
    """Medians of the runs."""
    ours, limit = median(run.ours for run in runs), median(run.limit for run in runs)
    return {
        "ours": round(ours),
        "limit": round(limit),
        "ratio": per(ours, limit),
        "cpu_ms_per_item": round(median(run.cpu_ms for run in runs), 3),
        "service_cpu_ms_per_item": round(median(run.service_cpu_ms for run in runs), 3),
    }


def allowance_summary(
    answers: Sequence[tuple[float, int, int | None]], until: float, allowed: int
) -> dict[str, float]:
    """How much of an allowance was used, and how often the service refused because of it.

    Args:
        answers: moment, items taken and status of each request.
        until: what came later is not counted.
        allowed: items in that time.
    """
    counted = [answer for answer in answers if answer[0] < until]
    items = sum(taken for _, taken, _ in counted)
    refused = sum(status == 429 for _, _, status in counted)
    return {
        "items": items,
        "allowed": allowed,
        "used": round(items / allowed, 3),
        "requests": len(counted),
        "refused_429_percent": round(100 * refused / len(counted), 2) if counted else 0.0,
    }
