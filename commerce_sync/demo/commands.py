"""The command `demo`."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

from runtime.errors import NotFine, UsageError


@click.command()
@click.option("--products", type=click.IntRange(20), default=500, show_default=True)
@click.option("--edits-per-second", type=click.FloatRange(0, min_open=True), default=10.0, show_default=True)
@click.option("--exit-when-synced", is_flag=True, help="Sync, edit, prove, and exit 0 when equal, else 1.")
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds give equal shops.")
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/demo"),
    show_default=True,
    help="Emptied at the start; logs stay there.",
)
@click.option("--json", "as_json", is_flag=True, help="With --exit-when-synced: print what was proved so.")
def demo(
    products: int, edits_per_second: float, exit_when_synced: bool, seed: int, data_dir: Path, as_json: bool
) -> None:
    """Run the whole pipeline on this machine: stack, sample shop, emulator, roles, live edits.

    Example: commerce-sync demo --exit-when-synced --products 2000
    """
    from commerce_sync.demo import play
    from commerce_sync.demo.proof import shown
    from commerce_sync.demo.scene import Options, Scene
    from runtime.loop import Stopper

    if as_json and not exit_when_synced:
        raise UsageError("--json tells what --exit-when-synced proves: give both")
    stopper = Stopper()
    # The object is all that stands on standard output.
    report = partial(click.echo, err=as_json)
    with Scene(Options(data_dir, products, seed), report) as scene:
        report("no allowance is kept here: requests go as fast as the service takes them")
        play.first_sync(scene, edits_per_second, report)
        if not exit_when_synced:
            report("live edits until Ctrl-C")
            stopper.install()
            play.live(scene, edits_per_second, stopper, report)
            return
        report("edits of every kind:")
        play.edit_everything(scene, edits_per_second, report)
        play.settle(scene, report)
        verdict = play.proof(scene)
    if as_json:
        click.echo(json.dumps({"equal": verdict.equal, **asdict(verdict)}))
    report(
        f"proved: {verdict.held} products at the target; a fresh build gives {verdict.fresh} items of every "
        f"feed, plain SQL {verdict.plain} ({verdict.refused} cannot be sent, {verdict.parked} parked)"
    )
    for line in shown(verdict.differences):
        report(f"  {line}")
    report(f"differences: {len(verdict.differences)}")
    if not verdict.equal:
        message = (
            f"target and source differ in {len(verdict.differences)} places; logs are in {data_dir}/logs"
        )
        raise NotFine(message)
