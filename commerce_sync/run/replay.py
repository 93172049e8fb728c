"""`resync --no-reindex` and `--force`: sinks send again what the feed topics hold, no database is read."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import click
import msgspec
from confluent_kafka import Consumer

from commerce_sync.run.quiet import LOOK_S, Report
from commerce_sync.run.request import send_commands
from commerce_sync.run.resync import TIMEOUT_S, Wish, carry_out, following
from runtime.errors import NotFine, UsageError
from runtime.kafka import read_to_end, reader
from runtime.lag import ends
from runtime.settings import Settings
from schemas.controls import (
    RECONCILE_PREFIX,
    Address,
    Reconcile,
    ReconcileKind,
    address_key,
    reconcile_key,
)
from schemas.entities import ENTITY_OF, FEEDS, partitions_of
from schemas.topics import TopicNames

# A reconcile reads the log again and again: its ends are asked for less often.
ENDS_EVERY_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Again:
    """Which targets send again: without `reindex` nothing else happens."""

    no_reindex: bool = False
    force: bool = False
    target: str | None = None

    @property
    def is_asked_for(self) -> bool:
        return self.no_reindex or self.force

    def require_sense(self, wish: Wish) -> None:
        """Refuse options that contradict each other.

        Raises:
            UsageError: they do.
        """
        given = "--no-reindex" if self.no_reindex else "--force"
        if self.target is not None and not self.is_asked_for:
            message = "--target: what is built goes to every target; it says where --no-reindex sends again"
            raise UsageError(message)
        others = {
            "--cleanup-feed": wish.cleanup,
            "--continue-resync": wish.go_on,
            "--dry-run": wish.dry_run,
            "--stop": wish.stop and not self.no_reindex,
            "--id-type": wish.id_type != "sku" and self.no_reindex,
        }
        refused = [name for name, is_given in others.items() if is_given]
        if self.is_asked_for and refused:
            message = f"{given} and {refused[0]} do not go together: give one of them"
            raise UsageError(message)


def carry_out_again(settings: Settings, wish: Wish, again: Again) -> None:
    """Let targets send again, and with `--force` alone build everything afresh beside it.

    Raises:
        NotFine: it was taken back, or not done in time.
        Unreachable: the broker does not answer.
        UsageError: no target sends such a feed.
    """
    started = time.monotonic()
    if wish.stop:
        keys = [key for key, run in open_reconciles(settings).items() if _is_meant(run, wish, again)]
        send_commands(settings, dict.fromkeys(keys))
        _say(wish, {"stopped": len(keys)}, f"{len(keys)} stopped; what was queued still goes")
        return
    kind: ReconcileKind = "force" if again.force else "replay"
    runs = runs_for(settings, wish.feeds, again.target, kind, "asked for by resync", wish.ids)
    commands = dict(runs)
    if again.no_reindex and again.force and wish.feeds == FEEDS and not wish.ids:
        # Everything is sent: that makes a new address the known one.
        commands |= {
            address_key(name): msgspec.json.encode(Address(name, target.url, target.auth.environment_id))
            for name, target in settings.targets.items()
            if again.target in {None, name}
        }
    send_commands(settings, commands)
    if not again.no_reindex:
        carry_out(settings, wish)
    elif not wish.wait:
        _say(wish, {"feeds": list(wish.feeds), "runs": len(runs)}, "sending again was asked for")
    if not wish.wait:
        return
    with following(
        settings, wish, "sending goes on by itself: the same command with --stop ends it"
    ) as report:
        await_reconciled(settings, runs, TIMEOUT_S, report)
    if again.no_reindex:
        seconds = round(time.monotonic() - started, 1)
        result = {"feeds": list(wish.feeds), "runs": len(runs), "seconds": seconds}
        _say(wish, result, f"everything was sent again in {seconds} s")


def runs_for(
    settings: Settings,
    feeds: Iterable[str],
    target: str | None,
    kind: ReconcileKind,
    reason: str,
    ids: Sequence[str] = (),
) -> dict[bytes, bytes]:
    """A command for each feed of each target, by key.

    Raises:
        UsageError: no target sends any of the feeds.
    """
    requested_ms = time.time_ns() // 1_000_000
    wanted = frozenset(feeds)
    runs = [
        Reconcile(name, feed, kind, requested_ms, reason, tuple(ids))
        for name, found in settings.targets.items()
        for feed in found.sent_feeds
        if target in {None, name} and feed in wanted
    ]
    if not runs:
        message = f"--feed {','.join(sorted(wanted))}: no target sends that; see targets.X.feeds"
        raise UsageError(message)
    return {reconcile_key(run): msgspec.json.encode(run) for run in runs}


def await_reconciled(
    settings: Settings, runs: Mapping[bytes, bytes], timeout_s: float, report: Report
) -> None:
    """Wait until sinks are through with these; their commands are gone then.

    Raises:
        NotFine: not within `timeout_s`.
        Unreachable: the broker does not answer.
    """
    deadline = time.monotonic() + timeout_s
    asker = _asker(settings)
    looked_at, log_ends = float("-inf"), dict[tuple[str, int], int]()
    try:
        while left := {key: run for key, run in _open(settings, asker).items() if key in runs}:
            if time.monotonic() - looked_at > ENDS_EVERY_S:
                looked_at = time.monotonic()
                log_ends = ends(asker, _places(settings, left.values()))
            records = sum(_left(settings, run, log_ends) for run in left.values())
            report("sink " + ", ".join(sorted({run.target for run in left.values()})), records)
            if time.monotonic() > deadline:
                message = (
                    f"not through within {timeout_s:.0f} s: {len(left)} feeds are left; do the sinks run?"
                )
                raise NotFine(message)
            time.sleep(LOOK_S)
    finally:
        asker.close()


def open_reconciles(settings: Settings) -> dict[bytes, Reconcile]:
    """What was asked for and is not done, by the key of its command.

    Raises:
        Unreachable: the broker does not answer.
    """
    asker = _asker(settings)
    try:
        return _open(settings, asker)
    finally:
        asker.close()


def _asker(settings: Settings) -> Consumer:
    return reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("replay"))


def _open(settings: Settings, asker: Consumer) -> dict[bytes, Reconcile]:
    found: dict[bytes, Reconcile] = {}
    for record in read_to_end(asker, TopicNames(settings.kafka.topic_prefix).control, [0]):
        if record.key.startswith(RECONCILE_PREFIX):
            found.pop(record.key, None)
            if record.value is not None:
                found[record.key] = msgspec.json.decode(record.value, type=Reconcile)
    return found


def _partitions(settings: Settings, run: Reconcile) -> range:
    return range(partitions_of(ENTITY_OF[run.feed], settings.kafka.partitions))


def _places(settings: Settings, runs: Iterable[Reconcile]) -> list[tuple[str, int]]:
    names = TopicNames(settings.kafka.topic_prefix)
    return sorted({(names.feed(run.feed), number) for run in runs for number in _partitions(settings, run)})


def _left(settings: Settings, run: Reconcile, log_ends: Mapping[tuple[str, int], int]) -> int:
    topic = TopicNames(settings.kafka.topic_prefix).feed(run.feed)
    left = {n: log_ends.get((topic, n), 0) for n in _partitions(settings, run) if n >= run.partition}
    if run.partition in left:
        left[run.partition] = max(0, left[run.partition] - run.next_offset)
    return sum(left.values())


def _is_meant(run: Reconcile, wish: Wish, again: Again) -> bool:
    return run.feed in wish.feeds and again.target in {None, run.target} and run.kind != "differences"


def _say(wish: Wish, result: dict[str, Any], sentence: str) -> None:
    click.echo(json.dumps(result) if wish.as_json else sentence)
