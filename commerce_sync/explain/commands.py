"""The command `explain`."""

import json
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
import msgspec

from runtime.errors import NotFine, UsageError

if TYPE_CHECKING:
    from commerce_sync.cli import Context
    from commerce_sync.explain.trace import Step, Way
    from commerce_sync.explain.verdict import Stages
    from runtime.settings import Settings


@click.command()
@click.argument("sku")
@click.option("--store-view", default=None, help="Only the item of this store view.")
@click.option("--feed", default="products", show_default=True, help="A feed whose items name a SKU.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_obj
def explain(context: "Context", sku: str, store_view: str | None, feed: str, as_json: bool) -> None:
    """Tell the way of a product's items: row change, dirty record, build, feed record, request and answer.

    Says with each how long it took, and of what is late which stage holds it and why.
    Example: commerce-sync explain 24-MB01 --store-view default
    """
    from runtime.kafka import require_broker

    settings = context.settings()
    feed = _feed(feed)
    require_broker(settings.kafka)
    told = explained(settings, sku, feed, store_view)
    if as_json:
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for item in told["items"]:
        _print(item)
    for topic, offset in told["not_searched"].items():
        click.echo(f"{topic}: not searched before offset {offset}")


def explained(settings: "Settings", sku: str, feed: str, store_view: str | None = None) -> dict[str, Any]:
    """The ways of a product's items.

    Raises:
        NotFine: nothing is known of the SKU, neither in the shop nor on the topics.
        Unreachable: broker or database do not answer.
    """
    from commerce_sync.explain.search import Search
    from commerce_sync.explain.stages import Look
    from commerce_sync.explain.trace import Tracer
    from commerce_sync.proof.fresh import Source
    from runtime.database import Database
    from runtime.kafka import admin_client, reader
    from schemas.topics import TopicNames

    names = TopicNames(settings.kafka.topic_prefix)
    with (
        Database(settings.commerce.read_address) as database,
        closing(reader(settings.kafka, names.group("explain"))) as consumer,
    ):
        (fresh,) = Source(database, settings.commerce).build("product", [sku]).fresh
        search = Search(consumer)
        tracer = Tracer(
            search,
            names,
            settings.kafka.partitions,
            settings.commerce.address.database,
            settings.commerce.table_prefix,
            sku,
        )
        built = [key.encode() for of, key in fresh.items if of == feed]
        known = built or tracer.keys(feed)
        keys = [key for key in known if store_view is None or _view(key) == store_view]
        asked, parked = tracer.asked(), tracer.parked()
        if not keys and not asked and not parked:
            message = f"SKU '{sku}': neither the shop nor the topics know it; it is compared byte for byte"
            raise NotFine(message)
        targets = [name for name, target in settings.targets.items() if feed in target.sent_feeds]
        look = Look(settings, consumer, admin_client(settings.kafka), tracer.partition)
        ways = list(tracer.ways(feed, keys, targets))
        items = [
            _item(way, targets, look.stages(search, sku, asked, way, parked), way.key.encode() in built)
            for way in ways
        ]
    return {
        "sku": sku,
        "feed": feed,
        "items": items,
        "parked": parked,
        "newest_change": _newest(asked),
        "not_searched": search.unfinished,
    }


def _item(way: "Way", targets: Sequence[str], stages: "Stages", in_shop: bool) -> dict[str, Any]:
    from commerce_sync.explain.trace import Step
    from commerce_sync.explain.verdict import judge

    shown: dict[str, Any] = {
        "feed": way.feed,
        "key": msgspec.json.decode(way.key),
        "in_shop": in_shop,
        "steps": _steps(way.steps),
        "targets": {},
    }
    for target in targets:
        status = way.statuses.get(target)
        state, sentence = judge(way, target, stages)
        steps = way.steps
        if status is not None and way.record is not None and status.offset >= way.record.offset:
            answer = {
                "outcome": status.outcome,
                "request id": status.request_id,
                "error": status.error,
                "settles offset": status.offset,
            }
            steps = [*way.steps, Step("answer", status.time_ms, answer)]
        shown["targets"][target] = {
            "state": state,
            "why": sentence,
            "answer": _steps(steps)[len(way.steps) :],
        }
    return shown


def _steps(steps: "Sequence[Step]") -> list[dict[str, Any]]:
    """Each with the seconds since the one before it; a commit's time is known to the second."""
    shown: list[dict[str, Any]] = []
    before: int | None = None
    for step in steps:
        took = None if before is None or step.at_ms is None else round((step.at_ms - before) / 1000, 3)
        detail = {name: value for name, value in step.detail.items() if value is not None}
        shown.append({"stage": step.stage, "at": _time(step.at_ms), "seconds": took, **detail})
        before = step.at_ms or before
    return shown


def _newest(asked: "Sequence[Any]") -> dict[str, Any] | None:
    if not asked:
        return None
    newest = asked[-1]
    return {
        "reason": newest.dirty.reason,
        "at": _time(newest.record.timestamp_ms),
        "lane": newest.lane,
        "committed": _time(newest.dirty.commit_ms),
    }


def _time(at_ms: int | None) -> str | None:
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _view(key: bytes) -> str | None:
    view = msgspec.json.decode(key).get("storeViewCode")
    return None if view is None else str(view)


def _feed(name: str) -> str:
    from commerce_sync.run.commands import require_feed
    from schemas.entities import ENTITY_OF

    feed = require_feed(name)
    if feed is None or ENTITY_OF[feed] != "product":
        message = f"--feed {name}: its items name no SKU; give one of the product's feeds"
        raise UsageError(message)
    return feed


def _print(item: dict[str, Any]) -> None:
    click.echo(f"{item['feed']} {json.dumps(item['key'], ensure_ascii=False)}")
    if not item["in_shop"]:
        click.echo("  the shop has no such item now")
    for step in item["steps"]:
        _print_step(step)
    for target, told in item["targets"].items():
        for step in told["answer"]:
            _print_step({**step, "stage": f"{step['stage']} {target}"})
        click.echo(f"  {target}: {told['state']}: {told['why']}")


def _print_step(step: dict[str, Any]) -> None:
    took = "" if step["seconds"] is None else f"+{step['seconds']:.3f} s"
    rest = {name: value for name, value in step.items() if name not in {"stage", "at", "seconds"}}
    shown = ", ".join(f"{name} {value}" for name, value in rest.items())
    click.echo(f"  {step['stage']:<16} {step['at'] or 'unknown':<30} {took:>12}  {shown}")
