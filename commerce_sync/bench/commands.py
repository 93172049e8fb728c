"""The command `bench`."""

import json
import signal
from pathlib import Path
from typing import Any

import click

from runtime.errors import NotFine


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
