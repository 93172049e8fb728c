"""The command `dead-letters`: list, show, retry."""

import json
import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

from runtime.errors import NotFine
from schemas.keys import canonical_json

if TYPE_CHECKING:
    from commerce_sync.cli import Context
    from commerce_sync.dead_letters.read import Failing

LINES_MAX = 50

target_option = click.option("--target", default=None, help="Only this target.")
feed_option = click.option("--feed", default=None, help="Only this feed, in any case; or builder, router.")
class_option = click.option(
    "--class", "kind", type=click.Choice(["retryable", "attention"]), default=None, help="Only this class."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group("dead-letters")
def dead_letters() -> None:
    """Items that fail right now: refused ones wait for attention, retryable ones go again by themselves.

    Example: commerce-sync dead-letters list
    """


@dead_letters.command("list")
@target_option
@feed_option
@class_option
@click.option("--items", "each", is_flag=True, help="A line an item instead of a line a kind of error.")
@json_option
@click.pass_obj
def list_(
    context: "Context", target: str | None, feed: str | None, kind: str | None, each: bool, as_json: bool
) -> None:
    """List what fails, by kind of error: where, class, how many, why, and one key as an example.

    Example: commerce-sync dead-letters list --class attention
    """
    from commerce_sync.dead_letters.read import groups

    found = _failing(context, target, feed, kind)
    if as_json:
        shown = [_object(item) for item in found] if each else groups(found)
        click.echo(json.dumps({"failing": len(found), "items" if each else "groups": shown}, indent=2))
    elif each:
        for item in found:
            click.echo(f"{item.source}  {item.letter.kind}  {item.key}  {item.letter.error}")
    else:
        for group in groups(found):
            click.echo(
                f"{group['items']:>6}  {group['source']}  {group['class']}  {group['error']}"
                f"  (for example {group['example']})"
            )
    if not found and not as_json:
        click.echo("nothing fails")


@dead_letters.command()
@click.argument("key", required=False)
@target_option
@feed_option
@class_option
@json_option
@click.pass_obj
def show(
    context: "Context", key: str | None, target: str | None, feed: str | None, kind: str | None, as_json: bool
) -> None:
    """Show failing items with what would be sent: by key, by a member of it such as a SKU, or all that fit.

    Example: commerce-sync dead-letters show 24-MB01
    """
    from commerce_sync.dead_letters.read import current_item

    matching = [item for item in _failing(context, target, feed, kind) if key is None or _is_named(item, key)]
    if key is not None and not matching:
        message = f"no failing item has the key {key}: 'commerce-sync dead-letters list --items' shows all"
        raise NotFine(message)
    settings = context.settings()
    objects = [{**_object(item), "item": current_item(settings, item)} for item in matching]
    if as_json:
        # Amounts digit for digit, which `json` does not write.
        click.echo(msgspec.json.format(canonical_json({"items": objects}), indent=2).decode())
        return
    for shown in objects:
        item = shown.pop("item")
        for name, value in shown.items():
            click.echo(f"{name:<12} {value}")
        click.echo(f"{'item':<12} {canonical_json(item).decode()}\n")
    if not objects:
        click.echo("nothing fails")


@dead_letters.command()
@click.argument("keys", nargs=-1)
@target_option
@feed_option
@class_option
@click.option("--dry-run", is_flag=True, help="Only say which items would go again.")
@json_option
@click.pass_obj
def retry(
    context: "Context",
    keys: tuple[str, ...],
    target: str | None,
    feed: str | None,
    kind: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Send failing items again now: those named by key or SKU, or all that fit; the running sink does it.

    Example: commerce-sync dead-letters retry --feed products --class attention --dry-run
    """
    from commerce_sync.run.request import send_commands
    from schemas.records import RETRY_PREFIX, Retry

    found = [
        item
        for item in _failing(context, target, feed, kind)
        # What the builder or router parked goes again when its rows change or are resynced.
        if item.target and (not keys or any(_is_named(item, key) for key in keys))
    ]
    if keys and not found:
        message = (
            f"no failing item has the key {keys[0]}: 'commerce-sync dead-letters list --items' shows all"
        )
        raise NotFine(message)
    now_ms = time.time_ns() // 1_000_000
    commands = {}
    for where in sorted({(item.target, item.feed) for item in found}):
        chosen = tuple(item.key for item in found if (item.target, item.feed) == where) if keys else ()
        key = RETRY_PREFIX + f"{where[0]}:{where[1]}:{now_ms}".encode()
        commands[key] = msgspec.json.encode(Retry(*where, now_ms, kind, chosen))  # type: ignore[arg-type]
    if not dry_run:
        send_commands(context.settings(), commands)
    if as_json:
        items = [_object(item) for item in found]
        click.echo(json.dumps({"retried": 0 if dry_run else len(found), "items": items}, indent=2))
        return
    for item in found[:LINES_MAX]:
        click.echo(f"{item.source}  {item.letter.kind}  {item.key}")
    if len(found) > LINES_MAX:
        click.echo(f"... and {len(found) - LINES_MAX} more")
    click.echo(f"{len(found)} items {'would go' if dry_run else 'go'} again")


def _failing(context: "Context", target: str | None, feed: str | None, kind: str | None) -> "list[Failing]":
    from commerce_sync.dead_letters.read import failing
    from commerce_sync.run.commands import require_feed, require_target
    from runtime.kafka import require_broker

    settings = context.settings()
    target = require_target(settings, target)
    feed = feed if feed in {"builder", "router"} else require_feed(feed)
    require_broker(settings.kafka)
    return failing(settings, target, feed, kind)


def _is_named(item: "Failing", name: str) -> bool:
    if item.key == name:
        return True
    try:
        key = msgspec.json.decode(item.key)
    except msgspec.DecodeError:
        return False
    return isinstance(key, dict) and name in key.values()


def _object(item: "Failing") -> dict[str, Any]:
    letter = item.letter
    return {
        "target": item.target or None,
        "feed": item.feed,
        "key": item.key,
        "class": letter.kind,
        "operation": letter.operation,
        "error": letter.error,
        "attempts": letter.attempts,
        "time_ms": letter.time_ms,
        "due_ms": letter.due_ms,
        "request_id": letter.request_id,
        "record": f"{letter.topic} [{letter.partition}] {letter.offset}",
    }
