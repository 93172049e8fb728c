"""The commands `status` and `items`."""

import json
from typing import TYPE_CHECKING, Any

import click
import msgspec

from runtime.errors import NotFine, UsageError
from schemas.keys import canonical_json

if TYPE_CHECKING:
    from commerce_sync.cli import Context
    from commerce_sync.ledger.gather import Report
    from runtime.settings import Settings

STATES = ("submitted", "retryable", "attention", "awaiting", "deleted", "skipped")
SHOWN_MAX = 50

target_option = click.option("--target", default=None, help="Only this target.")
feed_option = click.option("--feed", default=None, help="Only this feed, in any case.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@target_option
@feed_option
@json_option
@click.pass_obj
def status(context: "Context", target: str | None, feed: str | None, as_json: bool) -> None:
    """Tell how each feed is doing at each target: state, counts, what waits, what fails, how fast it goes.

    Exits 1 when a feed has failed, or when nobody keeps the figures.
    Example: commerce-sync status --feed products
    """
    from commerce_sync.ledger.gather import gather
    from commerce_sync.run.commands import require_feed, require_target
    from commerce_sync.run.roles import NO_TARGET

    settings = context.settings()
    report = gather(settings, require_target(settings, target), require_feed(feed))
    if as_json:
        click.echo(json.dumps(report.as_object(), indent=2))
    else:
        _print_report(report, "no target takes such a feed" if settings.targets else NO_TARGET)
    raise SystemExit(0 if report.is_fine else 1)


def _print_report(report: "Report", without_feeds: str) -> None:
    for line in table(_heading(), *_lines(report)):
        click.echo(line)
    if not report.feeds:
        click.echo(without_feeds)
    if report.ledger.note:
        click.echo(f"note: {report.ledger.note}", err=True)


def _heading() -> tuple[str, ...]:
    return (
        *("TARGET", "FEED", "STATE", "SINCE", "SOURCE", "SENT", "WILL RETRY", "ATTENTION", "WAITING"),
        *("LAG S", "LAG RECORDS", "PER MINUTE", "LAST 3 H"),
    )


def _lines(report: "Report") -> list[tuple[str, ...]]:
    from commerce_sync.ledger.gather import moment

    return [
        (
            *(f.target, f.feed, f.state, moment(f.state_ms), str(f.source_records), str(f.sent)),
            *(str(f.failed_retryable), str(f.failed_attention), str(f.waiting), f"{f.lag_s:.0f}"),
            *(str(f.lag_records), f"{f.items_per_minute:g}", str(f.last_3_hours)),
        )
        for f in report.feeds
    ]


@click.group(invoke_without_command=True)
@target_option
@feed_option
@click.option("--search", default=None, help="Part of a name or SKU, or how a member of the key begins.")
@click.option("--status", "state", type=click.Choice(STATES), default=None, help="Only items of this status.")
@click.option("--after", default="", help="Go on behind this item: what the last page called 'next'.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=SHOWN_MAX, show_default=True)
@json_option
@click.pass_context
def items(
    click_context: click.Context,
    target: str | None,
    feed: str | None,
    search: str | None,
    state: str | None,
    after: str,
    limit: int,
    as_json: bool,
) -> None:
    """List the synced items by key; what is deleted, or not for a target, only with --status.

    Example: commerce-sync items --feed products --search bag --status attention
    """
    if click_context.invoked_subcommand is not None:
        return
    settings: Settings = click_context.obj.settings()
    rows, following = _page(settings, _pairs(settings, target, feed), after, limit, state, search)
    if as_json:
        click.echo(json.dumps({"items": [_object(row) for row in rows], "next": following}, indent=2))
        return
    heading = ("TARGET", "FEED", "STATUS", "TIME", "KEY", "NAME", "TYPE", "PRICE", "QUANTITY", "ERROR")
    for line in table(heading, *(_line(row) for row in rows)):
        click.echo(line)
    if following:
        click.echo(f"more: --after '{following}'")


@items.command()
@click.argument("key")
@target_option
@feed_option
@json_option
@click.pass_obj
def show(context: "Context", key: str, target: str | None, feed: str | None, as_json: bool) -> None:
    """Show items by key, SKU or another member of the key: status, history, and the payload as last sent.

    Example: commerce-sync items show 24-MB01 --feed products
    """
    from commerce_sync.ledger.payload import payload_of
    from consumers.ledger import read
    from consumers.ledger.database import open_existing
    from runtime.kafka import reader, require_broker
    from schemas.topics import TopicNames

    settings = context.settings()
    pairs = _pairs(settings, target, feed)
    with open_existing(settings) as database:
        database.run(read.require_version)
        rows = database.run(lambda connection: read.named(connection, pairs, key, SHOWN_MAX))
        histories = database.run(lambda connection: [read.history(connection, row) for row in rows])
    if not rows:
        message = f"the ledger knows no item {key}: 'commerce-sync items --search {key}' looks for parts"
        raise NotFine(message)
    require_broker(settings.kafka)
    consumer = reader(settings.kafka, TopicNames(settings.kafka.topic_prefix).group("items"))
    try:
        found = [
            {**_object(row), "history": told, **payload_of(settings, consumer, row)}
            for row, told in zip(rows, histories, strict=True)
        ]
    finally:
        consumer.close()
    if as_json:
        click.echo(_text({"items": found}))
        return
    for shown in found:
        _print(shown)


def _print(shown: dict[str, Any]) -> None:
    from commerce_sync.ledger.gather import moment

    payload, told = shown.pop("payload"), shown.pop("history")
    as_sent, reason = shown.pop("as_sent"), shown.pop("reason")
    for name, value in shown.items():
        if value is not None:
            click.echo(f"{name:<14} {moment(value) if name.endswith('_ms') else value}")
    for one in told:
        told_of = " ".join(str(one[name]) for name in ("outcome", "request_id", "error") if one[name])
        click.echo(f"{'history':<14} {moment(one['time_ms'])} {told_of}")
    if payload is None:
        click.echo(f"{'payload':<14} none: {reason}\n")
        return
    what = "as last sent" if as_sent else "the current one, not the one last sent"
    click.echo(f"{'payload':<14} {what}\n{_text(payload)}\n")


def _text(value: Any) -> str:
    """JSON as it travels, amounts digit for digit, over several lines."""
    return msgspec.json.format(canonical_json(value), indent=2).decode()


def _page(
    settings: "Settings",
    pairs: list[tuple[str, str]],
    after: str,
    limit: int,
    state: str | None,
    search: str | None,
) -> tuple[list[dict[str, Any]], str | None]:
    """A page over targets and feeds in their order, and what the next one begins behind."""
    from consumers.ledger import read
    from consumers.ledger.database import open_existing

    start, key = _cursor(pairs, after)
    rows: list[dict[str, Any]] = []
    with open_existing(settings) as database:
        database.run(read.require_version)
        for number, (target, feed) in enumerate(pairs[start:]):
            behind = key if number == 0 else ""
            more = limit + 1 - len(rows)

            def ask(connection: Any, place: tuple[str, str, str, int] = (target, feed, behind, more)) -> Any:
                return read.page(
                    connection, *place[:2], limit=place[3], after=place[2], state=state, search=search
                )

            rows += database.run(ask)
            if len(rows) > limit:
                last = rows[limit - 1]
                return rows[:limit], f"{last['target']}/{last['feed']}/{last['item_key']}"
    return rows, None


def _cursor(pairs: list[tuple[str, str]], after: str) -> tuple[int, str]:
    if not after:
        return 0, ""
    for number, (target, feed) in enumerate(pairs):
        if after.startswith(f"{target}/{feed}/"):
            return number, after.removeprefix(f"{target}/{feed}/")
    if len(pairs) == 1:
        return 0, after
    message = f"--after {after}: write target/feed/key, as the last page ended, or choose --target and --feed"
    raise UsageError(message)


def _pairs(settings: "Settings", target: str | None, feed: str | None) -> list[tuple[str, str]]:
    from commerce_sync.ledger.gather import pairs
    from commerce_sync.run.commands import require_feed, require_target

    return pairs(settings, require_target(settings, target), require_feed(feed))


def _object(row: dict[str, Any]) -> dict[str, Any]:
    from consumers.ledger.fold import LABELS

    names = (
        *("target", "feed"),
        *("sku", "name", "type", "scope", "visibility", "price", "quantity"),
        *("partition", "feed_offset", "sent_offset", "content_hash", "sent_hash"),
        *("feed_time_ms", "commit_ms", "status_time_ms", "accepted_ms", "request_id", "error"),
    )
    return {
        "key": row["item_key"],
        "status": row["state"],
        "label": LABELS[row["state"]],
        "deleted": bool(row["deleted"]),
        **{name: row[name] for name in names},
    }


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    from commerce_sync.ledger.gather import moment
    from consumers.ledger.fold import LABELS

    label = LABELS[row["state"]] + (" (delete)" if row["deleted"] and row["state"] != "deleted" else "")
    told = (row["name"], row["type"], row["price"], row["quantity"], row["error"])
    place = (row["target"], row["feed"], label, moment(row["status_time_ms"]), row["item_key"])
    return (*place, *(str(one).replace("\n", " ") if one is not None else "" for one in told))


def table(*lines: tuple[str, ...]) -> list[str]:
    """Columns below each other, the last one as long as it is."""
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
