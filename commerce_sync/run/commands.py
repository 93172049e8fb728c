"""The commands `run` and `resync`."""

import json
import platform
import time
from typing import TYPE_CHECKING

import click

from runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from commerce_sync.cli import Context

RESYNC_TIMEOUT_S = 24 * 3600.0
LINE_EVERY_S = 2.0


@click.command()
@click.argument("roles", nargs=-1)
@click.option("--workers", default="", help="Processes of a role: builder=2,sink=1.")
@click.pass_obj
def run(context: "Context", roles: tuple[str, ...], workers: str) -> None:
    """Run roles (router, builder, sink, resync), all when none is named, each as its own process.

    A process that dies is started again; SIGTERM and Ctrl-C drain.
    Example: commerce-sync run --workers builder=2
    """
    from commerce_sync.run.prepare import prepare
    from commerce_sync.run.roles import processes
    from commerce_sync.run.supervise import Supervisor, environment, role_arguments
    from runtime import logs
    from runtime.health import require_free
    from runtime.loop import Stopper

    settings = context.settings()
    logs.configure("run", bool(context.verbose))
    wanted = processes(settings, roles, _workers(workers), platform.node() or "host")
    first_port = settings.http.metrics_port
    for port in range(first_port, first_port + len(wanted)) if first_port else ():
        require_free(settings.http.host, port)
    stopper = Stopper()
    stopper.install()
    prepare(settings, wanted)
    supervisor = Supervisor(
        lambda process, port, in_doubt: role_arguments(process, port, in_doubt, context.config_file),
        environment(),
        first_port,
    )
    supervisor.start(wanted)
    for label, port in supervisor.ports().items():
        click.echo(f"{label:<28} http://{settings.http.host}:{port}/metrics")
    try:
        code = supervisor.watch(stopper)
    finally:
        supervisor.stop()
    if code == UsageError.exit_code:
        message = "a role refused its settings: its line 'role ends' above names the one to correct"
        raise UsageError(message)
    raise SystemExit(code)


@click.command()
@click.option("--feed", required=True, help="A feed name, several with commas, or 'all'.")
@click.option("--allow-deletes", is_flag=True, help="Let builders pass the delete guard for an hour.")
@click.option("--no-wait", is_flag=True, help="Return as soon as the command is accepted.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.pass_obj
def resync(context: "Context", feed: str, allow_deletes: bool, no_wait: bool, as_json: bool) -> None:
    """Build every entity afresh in the bulk lane; only what changed is sent.

    Example: commerce-sync resync --feed products
    """
    from commerce_sync.run.quiet import await_resync
    from commerce_sync.run.request import request_resync
    from runtime.kafka import require_broker

    settings = context.settings()
    feeds = _feeds(feed)
    require_broker(settings.kafka)
    started = time.monotonic()
    requested_ms = request_resync(settings, feeds, allow_deletes=allow_deletes)
    if no_wait:
        click.echo(json.dumps({"requested_ms": requested_ms}) if as_json else "resync requested")
        return
    progress = await_resync(settings, requested_ms, RESYNC_TIMEOUT_S, _lines(as_json))
    seconds = round(time.monotonic() - started, 1)
    result = {"feeds": list(feeds), "entities": progress.entities, "seconds": seconds}
    click.echo(json.dumps(result) if as_json else f"resync done: {progress.entities} entities in {seconds} s")


def _lines(quiet: bool) -> "Callable[[str, int], None]":
    printed = time.monotonic()

    def report(stage: str, records: int) -> None:
        nonlocal printed
        if not quiet and time.monotonic() - printed > LINE_EVERY_S:
            printed = time.monotonic()
            click.echo(f"{stage}: {records} records left", err=True)

    return report


def _feeds(text: str) -> tuple[str, ...]:
    from schemas.entities import FEEDS

    known = {name.lower(): name for name in FEEDS}
    if text.lower() == "all":
        return tuple(known.values())
    unknown = [name for name in text.split(",") if name.strip().lower() not in known]
    if unknown:
        message = f"--feed {unknown[0]}: no such feed; known: {', '.join(known.values())}, all"
        raise UsageError(message)
    return tuple(known[name.strip().lower()] for name in text.split(","))


def _workers(text: str) -> dict[str, int]:
    try:
        pairs = [part.split("=") for part in text.split(",") if part]
        counts = {role: int(count) for role, count in pairs}
    except ValueError:
        message = f"--workers {text}: write role=count, several with commas"
        raise UsageError(message) from None
    if any(count < 1 for count in counts.values()):
        message = f"--workers {text}: a role needs at least one process"
        raise UsageError(message)
    return counts
