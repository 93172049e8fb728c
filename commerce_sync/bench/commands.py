"""The command `bench`."""

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from runtime.errors import NotFine, UsageError

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
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/bench"),
    show_default=True,
    help="Emptied at the start; logs stay there.",
)
def freshness(
    seconds: float, changes_per_second: float, products: int, as_json: bool, data_dir: Path
) -> None:
    """How long a change takes from its COMMIT to the target, beside Debezium's own share.

    The limit is the same change, readable on Debezium's topic. Changes come at a fixed rate, however slow
    the pipeline is, and the time runs from COMMIT's return. No allowance is kept.

    Example: commerce-sync bench freshness --seconds 60 --changes-per-second 50
    """
    from commerce_sync.bench.freshness import Options, first_sync, measure, require_possible
    from commerce_sync.demo.scene import Options as SceneOptions
    from commerce_sync.demo.scene import Scene

    options = Options(seconds, changes_per_second)
    require_possible(options)
    # Ended from outside, everything that was started is taken down as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Scene(SceneOptions(data_dir, products, seed=1), _progress) as scene:
        _progress("no allowance is kept here: requests go as fast as the service takes them")
        first_sync(scene, _progress)
        result = measure(scene, options, _progress)
    click.echo(json.dumps(result) if as_json else "\n".join(_lines(result)))
    if result["lost"]:
        message = f"{result['lost']} of {result['runs']} changes did not arrive; logs are in {data_dir}/logs"
        raise NotFine(message)


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
    columns = ("items", "ours", "limit", "ratio", "cpu_ms_per_item", "database_cpu_ms_per_item")
    return [
        f"items a second in batches of {result['batch']} products, medians of {result['runs']} runs",
        f"{'products':>10}{'items':>9}{'ours':>8}{'limit':>8}{'ratio':>7}{'CPU ms/item':>13}{'database':>10}",
        *(
            f"{size['products']:>10}"
            + "".join(
                f"{size[name]:>{width}}" for name, width in zip(columns, (9, 8, 8, 7, 13, 10), strict=True)
            )
            for size in result["sizes"]
        ),
        f"time of an item differs by {result['spread_percent']} % between the sizes",
        "queries by products of a batch: "
        + ", ".join(f"{size}: {count}" for size, count in result["queries_per_batch"].items()),
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
