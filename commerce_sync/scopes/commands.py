"""The command `scopes`: list, enable, disable."""

import json
import time
from typing import TYPE_CHECKING

import click

from runtime.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commerce_sync.cli import Context
    from commerce_sync.scopes.read import Known
    from runtime.settings import Settings

TIMEOUT_S = 24 * 3600.0

target_option = click.option("--target", default=None, help="Only this target; all without it.")
wait_option = click.option("--wait", is_flag=True, help="Return when the target has followed.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def scopes() -> None:
    """Which websites (their prices and price books) and store views (the rest) a target is sent.

    Example: commerce-sync scopes list
    """


@scopes.command("list")
@target_option
@json_option
@click.pass_obj
def list_(context: "Context", target: str | None, as_json: bool) -> None:
    """List websites and store views, and whether each target is sent them.

    Example: commerce-sync scopes list --target optimizer
    """
    from commerce_sync.scopes.read import known_scopes

    settings = _ready(context, target)
    known = known_scopes(settings)
    lines = [
        {"target": name, "scope": scope, "enabled": not known.is_off(name, *_parts(scope))}
        for name in settings.targets
        if target in {None, name}
        for scope in _names(known)
    ]
    if as_json:
        click.echo(json.dumps({"scopes": lines}, indent=2))
        return
    for line in lines:
        click.echo(f"{line['target']:<16} {line['scope']:<40} {'on' if line['enabled'] else 'off'}")
    if not lines:
        click.echo("no website is known yet: 'commerce-sync resync --feed scopesWebsite' reads them")


@scopes.command()
@click.argument("scope")
@target_option
@wait_option
@json_option
@click.pass_obj
def enable(context: "Context", scope: str, target: str | None, wait: bool, as_json: bool) -> None:
    """Send a website's prices, or a store view's products, attributes and categories, (again).

    Example: commerce-sync scopes enable base/german --target optimizer
    """
    _switch(context, scope, target, enabled=True, wait=wait, as_json=as_json)


@scopes.command()
@click.argument("scope")
@target_option
@wait_option
@json_option
@click.pass_obj
def disable(context: "Context", scope: str, target: str | None, wait: bool, as_json: bool) -> None:
    """Remove a website's prices, or a store view's items, from a target; the feed topics keep them.

    Example: commerce-sync scopes disable base/german --target optimizer
    """
    _switch(context, scope, target, enabled=False, wait=wait, as_json=as_json)


def _switch(
    context: "Context", scope: str, target: str | None, *, enabled: bool, wait: bool, as_json: bool
) -> None:
    import msgspec

    from commerce_sync.run.replay import await_reconciled, runs_for
    from commerce_sync.run.request import send_commands
    from commerce_sync.run.resync import lines
    from commerce_sync.scopes.read import known_scopes
    from consumers.sink.scopes import feeds_of
    from schemas.controls import Scope, scope_key

    settings = _ready(context, target)
    website, store_view = _parts(scope)
    known = known_scopes(settings)
    if not known.has(website, store_view):
        message = f"{scope}: the shop has no such website or store view; known: {', '.join(_names(known))}"
        raise UsageError(message)
    now_ms = time.time_ns() // 1_000_000
    changes = [
        Scope(name, website, enabled, now_ms, store_view)
        for name in settings.targets
        if target in {None, name}
    ]
    reason = f"{scope} {'enabled' if enabled else 'disabled'}"
    runs = runs_for(settings, feeds_of(changes[0]), target, "differences", reason)
    # First the scopes: whoever hears of a reconcile has to know them.
    commands = {scope_key(s.target, s.website, s.store_view): msgspec.json.encode(s) for s in changes}
    send_commands(settings, {**commands, **runs})
    for change in changes:
        if not as_json:
            click.echo(f"{change.target}: {reason}")
    if wait:
        await_reconciled(settings, runs, TIMEOUT_S, lines(quiet=as_json))
    if as_json:
        targets = [change.target for change in changes]
        click.echo(json.dumps({"scope": scope, "enabled": enabled, "targets": targets, "followed": wait}))


def _ready(context: "Context", target: str | None) -> "Settings":
    from commerce_sync.run.commands import require_target
    from runtime.kafka import require_broker

    settings = context.settings()
    require_target(settings, target)
    if not settings.targets:
        message = "targets: none is configured; add [targets.NAME] with its url"
        raise UsageError(message)
    require_broker(settings.kafka)
    return settings


def _parts(scope: str) -> tuple[str, str | None]:
    website, slash, store_view = scope.partition("/")
    if not website or (slash and not store_view):
        message = f"{scope}: write WEBSITE or WEBSITE/STORE_VIEW, by their codes"
        raise UsageError(message)
    return website, store_view or None


def _names(known: "Known") -> list[str]:
    of_shop = [name for website, views in known.shop.items() for name in _of_website(website, views)]
    off = {"/".join(part for part in scope[1:] if part) for scope in known.off}
    return sorted({*of_shop, *off})


def _of_website(website: str, views: "Sequence[str]") -> list[str]:
    return [website, *(f"{website}/{view}" for view in views)]
