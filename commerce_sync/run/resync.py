"""What `resync` does behind its options: ask, follow, stop, go on."""

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import click
from confluent_kafka import TopicPartition

from commerce_sync.run import by_ids, dry_run
from commerce_sync.run.complaints import complaints
from commerce_sync.run.pace import Pace
from commerce_sync.run.quiet import Report, await_resync, await_sent, await_taken
from commerce_sync.run.request import command_runs, current_runs, entities_of, request_resync
from commerce_sync.run.roles import consumption
from producers.connectors.reseed import reseed
from runtime.errors import NotFine, Unreachable, UsageError
from runtime.kafka import admin_client, raise_positions, reader
from runtime.settings import Settings
from schemas.entities import FEEDS
from schemas.records import ResyncProgress

TIMEOUT_S: Final = 30 * 24 * 3600.0
TAKEN_S_MAX: Final = 30.0
LINE_EVERY_S: Final = 2.0
STANDSTILL_S: Final = 10.0
INTERRUPTED_EXIT: Final = 130

CLEANUP_WARNING: Final = (
    "warning: --cleanup-feed forgets what was sent of {feeds}. Deletions that did not reach a target yet are "
    "lost, and items that are no longer in the shop stay there: it is for a target that was emptied or made "
    "anew. Every item is sent again."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    feeds: tuple[str, ...]
    ids: tuple[str, ...] = ()
    id_type: str = "sku"
    cleanup: bool = False
    allow_deletes: bool = False
    stop: bool = False
    go_on: bool = False
    dry_run: bool = False
    wait: bool = True
    as_json: bool = False

    @property
    def feed_option(self) -> str:
        return "--feed all" if self.feeds == FEEDS else f"--feed {','.join(self.feeds)}"

    def require_sense(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            UsageError: they do.
        """
        chosen = {
            "--stop": self.stop,
            "--continue-resync": self.go_on,
            "--by-ids": bool(self.ids),
            "--cleanup-feed": self.cleanup,
        }
        given = [name for name, is_given in chosen.items() if is_given]
        if len(given) > 1:
            message = f"{given[0]} and {given[1]} do not go together: give one of them"
            raise UsageError(message)
        if self.dry_run and (self.stop or self.go_on):
            message = f"--dry-run and {given[0]} do not go together: give one of them"
            raise UsageError(message)
        if self.id_type != "sku" and not self.ids:
            message = f"--id-type {self.id_type} says what --by-ids names: give these too"
            raise UsageError(message)


def carry_out(settings: Settings, wish: Wish) -> None:
    """Do what is asked for.

    Raises:
        NotFine: it was stopped, or there is nothing to go on with, or a cleanup runs already.
        Unreachable: the broker or the database does not answer.
        UsageError: an id names nothing.
    """
    if wish.dry_run:
        _dry_run(settings, wish)
    elif wish.stop:
        _stop(settings, wish)
    elif wish.ids:
        _send_named(settings, wish)
    else:
        _resync(settings, wish)


def _dry_run(settings: Settings, wish: Wish) -> None:
    keys = by_ids.keys_of(settings, wish.feeds, wish.ids, wish.id_type) if wish.ids else None
    found = dry_run.outcomes(settings, wish.feeds, keys)
    dry_run.report(
        settings, found, afresh=bool(keys) or wish.cleanup, forget=wish.cleanup, as_json=wish.as_json
    )


def begin_anew(settings: Settings, connector_class: str, wish: Wish) -> None:
    """Re-seed: capture goes on at the log's present end, and a resync finds what it did not see.

    Raises:
        NotFine: Connect refuses, no heartbeat comes, or the resync was stopped.
        Unreachable: Connect or the broker does not answer.
    """
    started = time.monotonic()
    # Asked before anything is deleted: where the roles' topics are not there, nobody takes the command.
    current_runs(settings)
    lost = reseed(settings, connector_class, lambda line: click.echo(line, err=True))
    _find_router_again(settings)
    # Behind the first heartbeat: what is read from here on is newer than where the connector began.
    requested_ms = request_resync(settings, wish.feeds, reason="re-seed")
    told = {"position": lost.position, "since_ms": lost.since_ms}
    if not wish.wait:
        _say(wish, {**told, "requested_ms": requested_ms}, "resync requested")
        return
    left_behind = f"the resync goes on by itself: 'commerce-sync resync {wish.feed_option} --stop' ends it"
    with following(settings, wish, left_behind) as report:
        progress = await_resync(settings, requested_ms, TIMEOUT_S, report)
    _done(wish, progress.entities, started, told)


def _find_router_again(settings: Settings) -> None:
    """A router that was away for longer than change topics are kept goes on where they begin now."""
    wanted = consumption(settings, "router")
    asker = reader(settings.kafka, f"{wanted.group}.again")
    try:
        places = [TopicPartition(topic, 0) for topic in wanted.topics]
        found = raise_positions(admin_client(settings.kafka), asker, wanted.group, places)
    except Unreachable as error:
        message = (
            f"the router's place in its topics cannot be set ({error}): where it runs, stop it, say "
            "'commerce-sync re-seed --no-wait', and start it again"
        )
        raise NotFine(message) from error
    finally:
        asker.close()
    if found:
        click.echo(f"router: {len(found)} change topics have lost what it had not read", err=True)


def _stop(settings: Settings, wish: Wish) -> None:
    entities = entities_of(wish.feeds)
    command_runs(settings, entities, "stop")
    try:
        await_taken(settings, TAKEN_S_MAX)
    except NotFine as error:
        message = (
            f"the role 'resync' did not take the stop within {TAKEN_S_MAX:.0f} s: start it "
            "('commerce-sync run resync'), it obeys then"
        )
        raise NotFine(message) from error
    runs = current_runs(settings)
    stopped = {e: runs[e] for e in entities if e in runs and runs[e].state == "stopped"}
    if wish.as_json:
        _print({"stopped": {e: {"entities": r.entities, "total": r.total} for e, r in stopped.items()}})
        return
    for entity, run in stopped.items():
        click.echo(
            f"{entity}: stopped, {run.entities} of {run.total} enumerated; 'commerce-sync resync "
            f"{wish.feed_option} --continue-resync' goes on there"
        )
    if not stopped:
        click.echo("no resync runs")


def _send_named(settings: Settings, wish: Wish) -> None:
    started = time.monotonic()
    keys = by_ids.keys_of(settings, wish.feeds, wish.ids, wish.id_type)
    by_ids.request(settings, wish.feeds, keys)
    if not wish.wait:
        _say(wish, {"feeds": list(wish.feeds), "entities": len(keys)}, "resync requested")
        return
    with following(settings, wish, "what was asked for goes on by itself") as report:
        await_sent(settings, TIMEOUT_S, report)
    _done(wish, len(keys), started)


def _resync(settings: Settings, wish: Wish) -> None:
    started = time.monotonic()
    requested_ms = _go_on(settings, wish) if wish.go_on else _ask(settings, wish)
    if not wish.wait:
        _say(wish, {"requested_ms": requested_ms}, "resync requested")
        return
    left_behind = f"the resync goes on by itself: 'commerce-sync resync {wish.feed_option} --stop' ends it"
    with following(settings, wish, left_behind) as report:
        progress = await_resync(settings, requested_ms, TIMEOUT_S, report)
    _done(wish, progress.entities, started)


def _ask(settings: Settings, wish: Wish) -> int:
    running = _of(settings, wish, {"running"})
    cleaning = [run for run in running.values() if run.cleanup]
    if cleaning and wish.cleanup:
        message = (
            f"a resync --cleanup-feed of {', '.join(cleaning[0].feeds)} is under way: wait for its end, or "
            f"end it with 'commerce-sync resync {wish.feed_option} --stop'"
        )
        raise NotFine(message)
    if wish.cleanup:
        click.echo(CLEANUP_WARNING.format(feeds=", ".join(wish.feeds)), err=True)
    for entity, run in running.items() if not wish.as_json else ():
        how = "waits for the end of" if run.cleanup else "joins, once around,"
        click.echo(f"{entity}: {how} a resync that has enumerated {run.entities} of {run.total}", err=True)
    return request_resync(settings, wish.feeds, allow_deletes=wish.allow_deletes, cleanup=wish.cleanup)


def _go_on(settings: Settings, wish: Wish) -> int:
    runs = _of(settings, wish, {"running", "stopped"})
    if not runs:
        message = (
            "there is nothing to go on with: no resync of these feeds was stopped; "
            f"'commerce-sync resync {wish.feed_option}' begins one"
        )
        raise NotFine(message)
    return command_runs(settings, runs, "continue")


def _of(settings: Settings, wish: Wish, states: set[str]) -> dict[str, ResyncProgress]:
    runs = current_runs(settings)
    return {e: runs[e] for e in entities_of(wish.feeds) if e in runs and runs[e].state in states}


@contextmanager
def following(settings: Settings, wish: Wish, left_behind: str) -> Iterator[Report]:
    """Tell how far it is, and why not; Ctrl-C leaves it alone and says what it left behind."""
    try:
        if not wish.as_json and sys.stderr.isatty():
            with bar() as report:
                yield with_reasons(report, lambda: complaints(settings))
        else:
            yield with_reasons(lines(wish.as_json), lambda: complaints(settings))
    except KeyboardInterrupt:
        click.echo(left_behind, err=True)
        raise SystemExit(INTERRUPTED_EXIT) from None


def lines(quiet: bool, clock: Callable[[], float] = time.monotonic) -> Report:
    """A line every few seconds: what is left, how fast it goes, how long it lasts."""
    pace = Pace()
    printed = clock()

    def report(stage: str, left: int) -> None:
        nonlocal printed
        now = clock()
        pace.note(stage, left, now)
        if not quiet and now - printed > LINE_EVERY_S:
            printed = now
            click.echo(pace.line(), err=True)

    return report


def with_reasons(
    report: Report, complaints: Callable[[], list[str]], clock: Callable[[], float] = time.monotonic
) -> Report:
    """Also say what roles complain of when nothing moves: a service that does not let us in is waited for.

    Args:
        complaints: of the roles, now.
    """
    known = ("", 0)
    looked = clock()
    told: set[str] = set()

    def reporting(stage: str, left: int) -> None:
        nonlocal known, looked
        report(stage, left)
        now = clock()
        if (stage, left) != known:
            known, looked = (stage, left), now
        elif now - looked > STANDSTILL_S:
            looked = now
            for complaint in complaints():
                if complaint not in told:
                    told.add(complaint)
                    click.echo(f"{stage} stands still; a role says: {complaint}", err=True)

    return reporting


@contextmanager
def bar() -> Iterator[Report]:
    """A progress bar on the terminal, one stage after the other."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    pace = Pace()
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("resync", total=None)
        of_stage = ("", 0)

        def report(stage: str, left: int) -> None:
            nonlocal of_stage
            pace.note(stage, left, time.monotonic())
            of_stage = (stage, max(left, of_stage[1] if stage == of_stage[0] else 0))
            progress.update(
                task, description=pace.line(), total=of_stage[1] or None, completed=of_stage[1] - left
            )

        yield report


def _done(wish: Wish, entities: int, started: float, told: Mapping[str, Any] | None = None) -> None:
    seconds = round(time.monotonic() - started, 1)
    result = {"feeds": list(wish.feeds), "entities": entities, "seconds": seconds, **(told or {})}
    _say(wish, result, f"resync done: {entities} entities in {seconds} s")


def _say(wish: Wish, result: dict[str, Any], sentence: str) -> None:
    if wish.as_json:
        _print(result)
    else:
        click.echo(sentence)


def _print(result: dict[str, Any]) -> None:
    click.echo(json.dumps(result))
