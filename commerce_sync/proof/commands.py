"""The command `audit`."""

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import click

from runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commerce_sync.cli import Context
    from commerce_sync.proof.audit import Audit, Finding, Report, Result

LINES_MAX = 50
LINE_EVERY_S = 2.0


@click.command()
@click.option("--feed", default="all", help="A feed name, several with commas; all without it.")
@click.option("--target", default=None, help="Only this target; all without it.")
@click.option("--repair", is_flag=True, help="Send what is needed, and look again.")
@click.option(
    "--sample", default="100%", help="Build only so many products: 500, or 5%; a part of them by SKU."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.pass_obj
def audit(
    context: "Context", feed: str, target: str | None, repair: bool, sample: str, as_json: bool
) -> None:
    """Build afresh from the source and compare by hash with the feed topics and with every target.

    Exits 0 when all is equal, else 1. `commerce-sync -v audit` shows which fields differ.
    Example: commerce-sync audit --feed products --repair
    """
    from commerce_sync.proof.open import opened
    from commerce_sync.proof.repair import Repair
    from commerce_sync.run.commands import _feeds, require_target
    from runtime import collector
    from runtime.kafka import require_broker

    # It builds as the builder does.
    collector.relax()
    settings = context.settings()
    feeds = _feeds(feed)
    target = require_target(settings, target)
    targets = [target] if target else list(settings.targets)
    require_broker(settings.kafka)
    with opened(settings, feeds, targets, _lines(as_json), _share(settings, sample)) as run:
        trusted = [name for name in targets if not settings.targets[name].read_url]
        for name in trusted if not as_json else ():
            click.echo(
                f"{name}: targets.{name}.read_url is not set: what it holds is trusted to be what it accepted"
            )
        found = run.run()
        shown = [_object(run, finding, bool(context.verbose)) for finding in found.findings[:LINES_MAX]]
        left = Repair(settings, run).run(found.findings) if repair and found.findings else None
    result = {
        **_counts(found),
        "trusted": trusted,
        "findings": shown,
        "repaired": 0 if left is None else _repaired(found, left),
        "left": None if left is None else len(left.findings),
    }
    if as_json:
        click.echo(json.dumps(result, indent=2, default=str))
    else:
        _print(found, shown, left)
    fine = found.equal if left is None else left.equal and not found.late and not found.beyond
    raise SystemExit(0 if fine else 1)


def _counts(found: "Result") -> dict[str, Any]:
    kinds = Counter(f"{finding.stage}: {finding.kind}" for finding in found.findings)
    return {
        "equal": found.equal,
        "entities": found.entities,
        "items": found.items,
        "differences": len(found.findings),
        "kinds": dict(kinds),
        "late": dict(found.late),
        "parked": {name: count for name, count in found.parked.items() if count},
        "beyond": found.beyond,
        "seconds": round(found.seconds, 1),
    }


def _repaired(found: "Result", left: "Result") -> int:
    """What could not be judged again is neither repaired nor left."""
    return len(found.findings) - len(left.findings) - left.late.total()


def _object(run: "Audit", finding: "Finding", with_fields: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "kind": finding.kind,
        "stage": finding.stage,
        "feed": finding.feed,
        "key": json.loads(finding.key),
    }
    if with_fields:
        shown["fields"] = run.fields(finding)
    return shown


def _print(found: "Result", shown: "Sequence[dict[str, Any]]", left: "Result | None") -> None:
    from commerce_sync.proof.open import lines

    for each in shown:
        key = json.dumps(each["key"], ensure_ascii=False)
        click.echo(f"{each['kind']:<9} {each['feed']} {key} at {each['stage']}")
        for name, values in each.get("fields", {}).items():
            click.echo(f"          {name}: {values['held']!r} instead of {values['wanted']!r}")
    if len(found.findings) > len(shown):
        click.echo(f"... and {len(found.findings) - len(shown)} more")
    for place, items in found.parked.items():
        if items:
            click.echo(
                f"parked    {items} items are known to fail at {place}: 'commerce-sync dead-letters list'"
            )
    for line in lines(found)[len(found.findings) :]:
        click.echo(f"late      {line}" if found.late else line)
    click.echo(
        f"{found.items} items of {found.entities} entities in {found.seconds:.1f} s: "
        + ("equal" if found.equal else f"{len(found.findings)} differ")
    )
    if left is not None:
        click.echo(f"repaired: {_repaired(found, left)}, left: {len(left.findings)}")
        for line in lines(left):
            click.echo(f"  {line}")


def _share(settings: Any, sample: str) -> float:
    """The part of the products that is built.

    Raises:
        UsageError: neither a number nor a percentage.
    """
    from commerce_sync.proof.fresh import Source
    from runtime.database import Database

    try:
        number = float(sample.removesuffix("%"))
    except ValueError:
        number = 0.0
    if number <= 0:
        message = f"--sample {sample}: write a number of products, or a percentage such as 5%"
        raise UsageError(message)
    if sample.endswith("%"):
        return min(1.0, number / 100)
    with Database(settings.commerce.read_address) as database:
        return min(1.0, number / max(1, Source(database, settings.commerce).count("product")))


def _lines(quiet: bool) -> "Report":
    """A line every few seconds: the stage, how far, how fast, how long still."""
    stage, began, printed = "", time.monotonic(), time.monotonic()

    def report(name: str, done: int, total: int) -> None:
        nonlocal stage, began, printed
        now = time.monotonic()
        if name != stage:
            stage, began = name, now
        if quiet or now - printed < LINE_EVERY_S:
            return
        printed = now
        rate = done / max(now - began, 0.001)
        left = f", {(total - done) / rate:.0f} s left" if done and total > done else ""
        click.echo(f"{name}: {done} of {total}, {rate:.0f} a second{left}" if total else name, err=True)

    return report
