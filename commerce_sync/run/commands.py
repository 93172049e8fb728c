"""The commands `run` and `resync`."""

import platform
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from commerce_sync.cli import Context
    from runtime.settings import Settings


@click.command()
@click.argument("roles", nargs=-1)
@click.option("--workers", default="", help="Processes of a role: builder=2,sink=1.")
@click.option(
    "--log-dir",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Write logs into files of this folder, too: collecting and transmitting, each with its errors.",
)
@click.pass_obj
def run(context: "Context", roles: tuple[str, ...], workers: str, log_dir: Path | None) -> None:
    """Run roles (router, builder, sink, clock, resync, ledger, audit) or all, each as its own process.

    A process that dies is started again; SIGTERM and Ctrl-C drain.
    Example: commerce-sync run --workers builder=2
    """
    from commerce_sync.run.prepare import prepare
    from commerce_sync.run.roles import NO_TARGET, processes
    from commerce_sync.run.supervise import Supervisor, environment, role_arguments
    from runtime import logs
    from runtime.health import require_free
    from runtime.loop import Stopper

    settings = context.settings()
    logs.configure("run", bool(context.verbose), log_dir)
    wanted = processes(settings, roles, _workers(workers), platform.node() or "host")
    first_port = settings.http.metrics_port
    for port in range(first_port, first_port + len(wanted)) if first_port else ():
        require_free(settings.http.host, port)
    stopper = Stopper()
    stopper.install()
    prepare(settings, wanted)
    supervisor = Supervisor(
        lambda process, port, in_doubt: role_arguments(process, port, in_doubt, context.config_file, log_dir),
        environment(),
        first_port,
    )
    supervisor.start(wanted)
    if not settings.targets:
        click.echo(f"warning: {NO_TARGET}", err=True)
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


def again_options(command: "Callable[..., None]") -> "Callable[..., None]":
    """What makes targets send again what they have."""
    options = (
        click.option("--no-reindex", is_flag=True, help="Send every current item again; build nothing."),
        click.option("--force", is_flag=True, help="Send also what is unchanged or waits for attention."),
        click.option("--target", default=None, help="With --no-reindex or --force: only this target."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@click.option("--feed", required=True, help="A feed name, several with commas, or 'all'.")
@click.option("--by-ids", default=None, help="Only these, with commas; they are sent though unchanged.")
@click.option(
    "--id-type",
    type=click.Choice(["sku", "productId"]),
    default="sku",
    help="What --by-ids names of products.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be sent and how long it takes; send nothing.")
@click.option("--cleanup-feed", is_flag=True, help="Forget what was sent, and send everything again.")
@click.option("--continue-resync", is_flag=True, help="Go on where a stopped one stood.")
@click.option("--stop", is_flag=True, help="End a running one.")
@again_options
@click.option("--allow-deletes", is_flag=True, help="Let builders pass the delete guard for an hour.")
@click.option("--wait/--no-wait", default=True, help="Wait for the end, or return when it is accepted.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.pass_obj
def resync(
    context: "Context",
    feed: str,
    by_ids: str | None,
    id_type: str,
    dry_run: bool,
    cleanup_feed: bool,
    continue_resync: bool,
    stop: bool,
    no_reindex: bool,
    force: bool,
    target: str | None,
    allow_deletes: bool,
    wait: bool,
    as_json: bool,
) -> None:
    """Build every entity afresh in the bulk lane; only what changed is sent. Ctrl-C leaves it running.

    Example: commerce-sync resync --feed products --by-ids 24-MB01,24-MB02
    """
    from commerce_sync.run.replay import Again, carry_out_again
    from commerce_sync.run.resync import Wish, carry_out
    from runtime.kafka import require_broker

    wish = Wish(
        _feeds(feed),
        _ids(by_ids),
        id_type,
        cleanup=cleanup_feed,
        allow_deletes=allow_deletes,
        stop=stop,
        go_on=continue_resync,
        dry_run=dry_run,
        wait=wait,
        as_json=as_json,
    )
    wish.require_sense()
    again = Again(no_reindex, force, target)
    again.require_sense(wish)
    settings = context.settings()
    require_target(settings, target)
    require_broker(settings.kafka)
    if again.is_asked_for:
        carry_out_again(settings, wish, again)
    else:
        carry_out(settings, wish)


@click.command("re-seed")
@click.option("--wait/--no-wait", default=True, help="Wait for the resync's end, or return when it begins.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.pass_obj
def re_seed(context: "Context", wait: bool, as_json: bool) -> None:
    """Begin capture anew at the log's present end and resync everything, after its position was lost.

    Example: commerce-sync re-seed
    """
    from commerce_sync.checks.database import require_database
    from commerce_sync.run.resync import Wish, begin_anew
    from runtime.kafka import require_broker

    settings = context.settings()
    require_broker(settings.kafka)
    begin_anew(settings, require_database(settings), Wish(_feeds("all"), wait=wait, as_json=as_json))


@click.command()
@click.option("--target", default=None, help="Only this target; all without it.")
@click.option("--feed", default=None, help="Only this feed; all of the target without it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.pass_obj
def pause(context: "Context", target: str | None, feed: str | None, as_json: bool) -> None:
    """Stop sending, for maintenance of a service; what changes meanwhile waits.

    Example: commerce-sync pause --target optimizer --feed products
    """
    _set_paused(context, target, feed, paused=True, as_json=as_json)


@click.command()
@click.option("--target", default=None, help="Only this target; all without it.")
@click.option("--feed", default=None, help="Only this feed; all of the target without it.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.pass_obj
def resume(context: "Context", target: str | None, feed: str | None, as_json: bool) -> None:
    """Go on sending after `pause`.

    Example: commerce-sync resume --target optimizer --feed products
    """
    _set_paused(context, target, feed, paused=False, as_json=as_json)


def _set_paused(
    context: "Context", target: str | None, feed: str | None, *, paused: bool, as_json: bool
) -> None:
    import msgspec

    from commerce_sync.run.request import send_commands
    from commerce_sync.run.roles import NO_TARGET
    from runtime.kafka import require_broker
    from schemas.records import PAUSE_PREFIX, Pause

    settings = context.settings()
    target, feed = require_target(settings, target), require_feed(feed)
    now_ms = time.time_ns() // 1_000_000
    places = [
        (name, sent)
        for name, found in settings.targets.items()
        for sent in found.sent_feeds
        if target in {None, name} and feed in {None, sent}
    ]
    commands: dict[bytes, bytes | None] = {
        PAUSE_PREFIX + f"{name}:{sent}".encode(): msgspec.json.encode(Pause(name, sent, paused, now_ms))
        for name, sent in places
    }
    if not commands:
        message = f"--feed {feed}: no target is sent it" if settings.targets else NO_TARGET
        raise UsageError(message if target is None else f"--feed {feed}: target {target} is not sent it")
    require_broker(settings.kafka)
    send_commands(settings, commands)
    if as_json:
        feeds = [{"target": name, "feed": sent, "paused": paused} for name, sent in places]
        click.echo(msgspec.json.encode({"feeds": feeds}).decode())
        return
    for name, sent in places:
        click.echo(f"{name} {sent}: {'paused' if paused else 'goes on'}")


def require_target(settings: "Settings", target: str | None) -> str | None:
    """A configured target, or None for all.

    Raises:
        UsageError: there is no such target.
    """
    if target is not None and target not in settings.targets:
        message = f"--target {target}: not configured; known: {', '.join(settings.targets) or 'none'}"
        raise UsageError(message)
    return target


def require_feed(feed: str | None) -> str | None:
    """A feed by its name in any case, or None for all.

    Raises:
        UsageError: there is no such feed, or several are named.
    """
    if feed is None or feed.lower() == "all":
        return None
    found = _feeds(feed)
    if len(found) > 1:
        message = f"--feed {feed}: one feed can be named here, or all"
        raise UsageError(message)
    return found[0]


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


def _ids(text: str | None) -> tuple[str, ...]:
    """Without any given, all are meant; a list that is empty is a script's mistake, and is not all."""
    ids = tuple(name for given in (text or "").split(",") if (name := given.strip()))
    if text is not None and not ids:
        message = f"--by-ids '{text}': names nothing; give ids with commas, or leave it out to mean all"
        raise UsageError(message)
    return ids


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
