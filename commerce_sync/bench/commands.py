"""The command `bench`."""

import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from runtime.errors import NotFine, UsageError

if TYPE_CHECKING:
    from commerce_sync.demo.scene import Scene
    from commerce_sync.local.stack import Stack

_data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/bench"),
    show_default=True,
    help="Emptied at the start; logs stay there.",
)
_own_stack = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Keep stack and catalogs here for the next time; without it they are temporary.",
)


@click.group()
def bench() -> None:
    """Measure the pipeline, each figure beside its limit in the same run.

    Example: commerce-sync bench freshness --json
    """


@bench.command()
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True)
@click.option(
    "--changes-per-second", type=click.FloatRange(0, min_open=True), default=50.0, show_default=True
)
@click.option("--products", type=click.IntRange(20), default=2000, show_default=True)
@click.option(
    "--allowance",
    is_flag=True,
    help="A second figure under the default allowance, at a rate that it carries.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@_data_dir
def freshness(
    seconds: float,
    changes_per_second: float,
    products: int,
    allowance: bool,
    as_json: bool,
    data_dir: Path,
) -> None:
    """How long a change takes from its COMMIT to the target, beside Debezium's own share.

    The limit is the same change, readable on Debezium's topic. Changes come at a fixed rate, however slow
    the pipeline is, and the time runs from COMMIT's return; those of the first 75 s warm the servers up. No
    allowance is kept, unless a second figure is asked for.

    Example: commerce-sync bench freshness --seconds 60 --changes-per-second 50
    """
    from dataclasses import replace

    from commerce_sync.bench.allowance import keep
    from commerce_sync.bench.freshness import (
        ALLOWED_CHANGES_PER_SECOND,
        Options,
        first_sync,
        measure,
        require_possible,
    )

    options = Options(seconds, changes_per_second)
    require_possible(options)
    with _scene(data_dir, products) as scene:
        first_sync(scene, _progress)
        result = measure(scene, options, _progress)
        if allowance:
            keep(scene)
            slow = min(changes_per_second, ALLOWED_CHANGES_PER_SECOND)
            _progress("the default allowance is kept from here on")
            result["allowance"] = measure(scene, replace(options, changes_per_second=slow), _progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_freshness_lines(result)))
    lost = sum(part["lost"] for part in _parts(result))
    if lost:
        message = f"{lost} changes did not arrive; logs are in {data_dir}/logs"
        raise NotFine(message)


def _parts(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The figure without an allowance, and the one with it if it was taken."""
    return [result, *([result["allowance"]] if "allowance" in result else [])]


def _freshness_lines(result: dict[str, Any]) -> list[str]:
    """The results for people."""
    first, *second = _parts(result)
    return [
        *_lines(first),
        *(line for part in second for line in ["under the default allowance:", *_lines(part)]),
    ]


@bench.command()
@click.option("--products", default="10000,100000", show_default=True, help="Sizes of catalogs, with commas.")
@click.option(
    "--batch", type=click.IntRange(1), default=500, show_default=True, help="Products a build, as the role's."
)
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@_own_stack
def build(products: str, batch: int, runs: int, as_json: bool, data_dir: Path | None) -> None:
    """Items a second from rows to encoded feed records, beside the same SELECTs with their rows thrown away.

    Ours is the builder role's own step; the limit is the bare driver. They take turns, batch by batch.

    Example: commerce-sync bench build --products 10000,100000 --json
    """
    from commerce_sync.bench.build import Options, measure
    from commerce_sync.local import stack

    options = Options(_sizes(products), batch, runs)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _stack_dir(data_dir) as directory:
        try:
            result = measure(stack.up(directory, report=_progress, names=("mariadb",)), options, _progress)
        finally:
            stack.down(directory, report=_progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_build_lines(result)))


@bench.command(name="import")
@click.option("--products", type=click.IntRange(20), default=10_000, show_default=True)
@click.option(
    "--rows", type=click.IntRange(1, 15), default=15, show_default=True, help="Changed rows a product."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@_data_dir
def import_(products: int, rows: int, as_json: bool, data_dir: Path) -> None:
    """How often each product of an import is built, and each of its items sent; once is the limit.

    The whole pipeline runs, and no allowance is kept. Products are written in bunches of 100, table by table.

    Example: commerce-sync bench import --products 10000 --rows 15
    """
    from commerce_sync.bench.freshness import first_sync
    from commerce_sync.bench.import_run import SETTINGS, Options, measure

    with _scene(data_dir, products, SETTINGS) as scene:
        first_sync(scene, _progress)
        result = measure(scene, Options(products, rows), _progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_import_lines(result)))


def _import_lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    built, covered, parked = (result["entities"][outcome] for outcome in ("built", "covered", "parked"))
    again = {how: result[f"sent_again_{how}"] for how in ("unchanged", "changed")}
    return [
        f"{result['rows']} rows of {result['products']} products, written in {result['write_seconds']} s",
        f"at the target after {result['seconds']} s, {result['rows_per_second']} rows a second",
        f"builds per product {result['ours']}: {built} built, {covered} covered already, {parked} parked",
        f"sent per item {result['sent_per_item']}: {result['items_sent']} sent of {result['items']} items",
        f"sent again unchanged: {again['unchanged']} items, changed once more: {again['changed']}",
    ]


@bench.command()
@click.option("--products", type=click.IntRange(20), default=100_000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@_data_dir
def memory(products: int, as_json: bool, data_dir: Path) -> None:
    """How much memory each role holds, beside the same process with nothing to remember.

    The whole catalog is synced twice; then every role is started again and loads its state.

    Example: commerce-sync bench memory --products 100000
    """
    from commerce_sync.bench.memory import measure

    with _scene(data_dir, products) as scene:
        result = measure(scene, products, _progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_memory_lines(result)))


@bench.command()
@click.option("--products", type=click.IntRange(20), default=20_000, show_default=True)
@click.option(
    "--allowance-minutes",
    type=click.IntRange(0, 10),
    default=2,
    show_default=True,
    help="About how long the resync under an allowance takes; 0 leaves it out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@_data_dir
def resync(products: int, allowance_minutes: int, as_json: bool, data_dir: Path) -> None:
    """Products a second that a full resync brings to the feed topics, beside building them alone.

    First of a new catalog, then of the unchanged one, which sends nothing and is audited. At last every
    product is changed behind capture's back, and the minutes that a dry run predicts under an allowance are
    held against those that the resync takes.

    Example: commerce-sync bench resync --products 100000
    """
    from commerce_sync.bench.resync import SETTINGS, Options, measure

    with _scene(data_dir, products, SETTINGS) as scene:
        result = measure(scene, Options(products, allowance_minutes), _progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_resync_lines(result)))


def _resync_lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    rows = {"first sync": result["first_sync"], "unchanged": result["unchanged"]}
    rates = f"{result['ours']}, built alone: {result['limit']}, ratio {result['ratio']}"
    lines = [
        f"{result['products']} products, a second to the feed topics: {rates}",
        *(
            f"{name}: built in {row['build_seconds']} s, {row['products_per_second']} products a second; "
            f"{row['items_sent']} items in {row['requests']} requests, done after {row['seconds']} s"
            for name, row in rows.items()
        ),
        *(f"CPU ms of a product, {name}: {_pairs(row['cpu_ms_per_product'])}" for name, row in rows.items()),
        f"peak MB: {_pairs(result['peak'])}",
        "audit of {items} items: {differences} differ, {seconds} s, {peak} MB".format(**result["audit"]),
    ]
    allowance = result["allowance"]
    if allowance is not None:
        predicted, real = (
            f"{part['items']} items, {part['requests']} requests, {part['minutes']} minutes"
            for part in (allowance["predicted"], allowance["real"])
        )
        lines += [f"predicted {predicted}", f"real      {real}", f"ratio {allowance['ratio']}"]
    return lines


def _pairs(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(values.items()))


def _memory_lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    columns = {
        "empty": "empty",
        "first_sync": "first sync",
        "resync": "resync",
        "peak": "peak",
        "loaded": "started again",
    }
    return [
        f"resident megabytes of each role with {result['products']} products",
        f"{'':<10}" + "".join(f"{title:>15}" for title in columns.values()),
        *(
            f"{role:<10}" + "".join(f"{result[name][role]:>15}" for name in columns)
            for role in sorted(result["empty"])
        ),
    ]


@bench.command()
@click.option("--products", type=click.IntRange(20), default=10_000, show_default=True)
@click.option("--runs", type=click.IntRange(1), default=5, show_default=True)
@click.option(
    "--answer-ms",
    type=click.IntRange(1, 2000),
    default=50,
    show_default=True,
    help="What the service of the figure lets pass before each answer.",
)
@click.option(
    "--allowance-minutes",
    type=click.IntRange(0, 10),
    default=2,
    show_default=True,
    help="Under the default allowance; 0 leaves that figure out.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@_own_stack
def sink(
    products: int,
    runs: int,
    answer_ms: int,
    allowance_minutes: int,
    as_json: bool,
    data_dir: Path | None,
) -> None:
    """Items a second from the feed topic to acceptance, beside a loop that posts the same ready bodies.

    Both go to a service that answers after a while, as one in another network does; besides, to one that
    answers at once, and to the emulator, which judges and stores every item. A last run keeps the default
    allowance.

    Example: commerce-sync bench sink --products 10000 --runs 5 --json
    """
    from commerce_sync.bench.sink import Options, measure

    options = Options(products, runs, answer_ms, allowance_minutes)
    with _servers(data_dir) as (stack, log_dir):
        result = measure(stack, options, log_dir, _progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_sink_lines(result)))


def _sink_lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    rates = f"feed topic to acceptance {result['ours']} items/s, ready bodies {result['limit']} items/s"
    bare, strict = result["bare"], result["strict"]
    cpu = f"CPU of an item: {result['cpu_ms_per_item']} ms, at the service"
    lines = [
        f"{result['items']} items, medians of {result['runs']} runs, {result['concurrency']} connections",
        f"answers after {result['answer_ms']} ms: {rates}, ratio {result['ratio']}",
        f"{cpu} {result['service_cpu_ms_per_item']} ms",
        f"bare acceptor: {bare['ours']} items/s, {bare['limit']} items/s, {bare['ratio']}",
        f"strict emulator: {strict['ours']} items/s, {strict['limit']} items/s, {strict['ratio']}",
    ]
    allowance = result["allowance"]
    if allowance is not None:
        lines.append(
            f"default allowance: {allowance['items']} of {allowance['allowed']} items, "
            f"{allowance['used']} of it used, {allowance['refused_429_percent']} % answered 429"
        )
    return lines


@bench.command()
@click.option("--bulk-items", type=click.IntRange(1), default=100_000, show_default=True)
@click.option("--seconds", type=click.FloatRange(1), default=60.0, show_default=True)
@click.option(
    "--edits-per-second", type=click.FloatRange(0, 4, min_open=True), default=3.0, show_default=True
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@_own_stack
def priority(
    bulk_items: int, seconds: float, edits_per_second: float, as_json: bool, data_dir: Path | None
) -> None:
    """How long a live edit takes to acceptance while bulk work waits, beside the same without bulk work.

    Both under the default allowance, from the feed topic on. Edits come at random moments.

    Example: commerce-sync bench priority --bulk-items 100000 --seconds 60 --json
    """
    from commerce_sync.bench.priority import Options, measure

    with _servers(data_dir) as (stack, log_dir):
        result = measure(stack, Options(bulk_items, seconds, edits_per_second), log_dir, _progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_priority_lines(result)))


def _priority_lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    rows = {f"{result['bulk_items']} items wait": result["ours"], "nothing else waits": result["limit"]}
    allowance = result["allowance"]
    return [
        f"{result['runs']} live edits, {result['edits_per_second']:g} a second, milliseconds",
        f"{'':<24}{'p50':>9}{'p95':>9}{'p99':>9}",
        *(f"{name:<24}{row['p50']:>9}{row['p95']:>9}{row['p99']:>9}" for name, row in rows.items()),
        f"ratio of the p99 {result['ratio']}",
        f"{allowance['used']} of the allowance used, {allowance['refused_429_percent']} % answered 429",
    ]


@contextmanager
def _servers(data_dir: Path | None) -> Iterator[tuple["Stack", Path]]:
    """Database and broker, and a folder for logs; both are ended at the end."""
    from commerce_sync.local import stack

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with _stack_dir(data_dir) as directory:
        try:
            up = stack.up(directory, report=_progress, names=("mariadb", "kafka"))
            yield up, directory / "logs" / "roles"
        finally:
            stack.down(directory, report=_progress)


@contextmanager
def _scene(data_dir: Path, products: int, settings: Mapping[str, str] | None = None) -> Iterator["Scene"]:
    """The whole pipeline with a sample catalog of its own; all of it is taken down at the end."""
    from commerce_sync.bench.ports import free_ports
    from commerce_sync.demo.scene import Options as SceneOptions
    from commerce_sync.demo.scene import Scene

    # Ended from outside, everything that was started is taken down as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = SceneOptions(data_dir, products, 1, metrics_port=free_ports(), settings=settings or {})
    with Scene(options, _progress) as scene:
        _progress("no allowance is kept here: requests go as fast as the service takes them")
        yield scene


def _sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 20:
        message = f"--products {text}: write how many products, at least 20; several with commas"
        raise UsageError(message)
    return sizes


@contextmanager
def _stack_dir(given: Path | None) -> Iterator[Path]:
    if given is not None:
        yield given
        return
    with TemporaryDirectory(prefix="commerce-sync-bench-") as directory:
        yield Path(directory)


def _build_lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    columns = {
        "products": ("products", 10),
        "items": ("items", 8),
        "ours": ("ours", 8),
        "limit": ("limit", 8),
        "ratio": ("ratio", 7),
        "ratio_one_by_one": ("one by one", 12),
        "ratio_encoded": ("encoded", 9),
        "cpu_ms_per_item": ("CPU ms/item", 13),
        "database_cpu_ms_per_item": ("database", 10),
    }
    return [
        f"items a second in batches of {result['batch']} products, medians of {result['runs']} runs",
        "".join(f"{title:>{width}}" for title, width in columns.values()),
        *(
            "".join(f"{size[name]:>{width}}" for name, (_, width) in columns.items())
            for size in result["sizes"]
        ),
        f"time of an item differs by {result['spread_percent']} % between the sizes",
        *(f"  {feed}: {row['ours']} items/s, {row['items']} built" for feed, row in result["feeds"].items()),
        "queries by products of a batch: "
        + ", ".join(f"{size}: {count}" for size, count in result["queries_per_batch"].items()),
        f"round trips of a batch: {result['round_trips_per_batch']}",
    ]


def _progress(line: str) -> None:
    click.echo(line, err=True)


def _lines(result: dict[str, Any]) -> list[str]:
    """The result for people."""
    rows = {"commit to target": result["ours"], "commit to change topic": result["limit"]}
    hops = ", ".join(f"{name} {milliseconds}" for name, milliseconds in result["hops"].items())
    return [
        f"{result['runs']} changes, {result['changes_per_second']:g} a second, milliseconds",
        f"{'':<24}{'p50':>9}{'p95':>9}{'p99':>9}",
        *(f"{name:<24}{row['p50']:>9}{row['p95']:>9}{row['p99']:>9}" for name, row in rows.items()),
        f"ratio of the medians {result['ratio']}, difference {result['difference']}",
        f"where the median goes: {hops}",
        f"lost {result['lost']}; the writer was late by {result['writer_late_ms']} at p99",
    ]
