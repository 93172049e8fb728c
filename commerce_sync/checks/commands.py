"""The commands `check` and `connectors`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from runtime.errors import NotFine, Unreachable

if TYPE_CHECKING:
    from commerce_sync.checks.verdicts import Finding
    from commerce_sync.cli import Context
    from runtime.settings import Settings

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@json_option
@click.pass_obj
def check(context: "Context", as_json: bool) -> None:
    """Look whether everything is reachable and rightly set up, a line each.

    Example: commerce-sync check --json
    """
    findings = _findings(context.settings())
    if as_json:
        fine = all(finding.fine for finding in findings)
        _print_json({"fine": fine, "checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            click.echo(f"{finding.state:<12} {finding.check:<28} {finding.sentence}")
    _refuse(findings)


@click.group()
def connectors() -> None:
    """Keep the Debezium connector as the settings say.

    Example: commerce-sync connectors diff
    """


@connectors.command()
@json_option
@click.pass_obj
def diff(context: "Context", as_json: bool) -> None:
    """Show what `apply` would change; exit code 1 when anything.

    Example: commerce-sync connectors diff
    """
    from commerce_sync.checks.database import ask_connector_class
    from producers.connectors.execute import compare

    settings = context.settings()
    found = compare(settings, ask_connector_class(settings))
    if as_json:
        _print_json({"same": not found, "differences": [asdict(difference) for difference in found]})
    else:
        for difference in found:
            click.echo(str(difference))
    name = settings.capture.connector
    if found:
        message = (
            f"connector '{name}' differs from the settings in {len(found)} properties: run "
            "'commerce-sync connectors apply'"
        )
        raise NotFine(message)
    if not as_json:
        click.echo(f"connector '{name}' is as the settings say")


@connectors.command()
@json_option
@click.pass_obj
def apply(context: "Context", as_json: bool) -> None:
    """Create or change topics and connector, and wait until changes stream.

    Example: commerce-sync connectors apply
    """
    from commerce_sync.checks.database import require_database
    from producers.connectors import execute

    settings = context.settings()
    connector_class = require_database(settings)
    execute.apply(settings, connector_class, lambda line: click.echo(line, err=as_json))
    if as_json:
        _print_json({"name": settings.capture.connector, "health": "streaming"})


@connectors.command()
@json_option
@click.pass_obj
def status(context: "Context", as_json: bool) -> None:
    """Tell whether changes stream, judged by the age of the last heartbeat; exit code 1 when not.

    Example: commerce-sync connectors status --json
    """
    from producers.connectors import observe

    found = observe.status(context.settings())
    if as_json:
        _print_json(asdict(found))
    else:
        click.echo(f"connector '{found.name}': {found.health}; {found.detail}")
    if found.health != "streaming":
        message = f"connector '{found.name}' is {found.health}"
        raise NotFine(message)


@connectors.command()
@json_option
@click.pass_obj
def delete(context: "Context", as_json: bool) -> None:
    """Remove the connector; topics and binlog position stay, so `apply` goes on where it stopped.

    Example: commerce-sync connectors delete
    """
    from producers.connectors.connect import Connect

    capture = context.settings().capture
    existed = Connect(capture.connect_url).delete(capture.connector)
    if as_json:
        _print_json({"name": capture.connector, "deleted": existed})
        return
    click.echo(f"connector '{capture.connector}': {'deleted' if existed else 'there was none'}")


def _findings(settings: "Settings") -> "list[Finding]":
    from commerce_sync.checks import services
    from commerce_sync.checks.database import connector_class, look_at_database
    from commerce_sync.checks.position import capture_findings
    from commerce_sync.checks.verdicts import Finding

    findings, server = look_at_database(settings)
    findings += services.kafka_findings(settings)
    findings += services.connect_findings(settings, connector_class(server) if server else None)
    # Where Connect does not answer, its own line has said so.
    if not any(finding.check in {"kafka", "connect"} and not finding.fine for finding in findings):
        findings += capture_findings(settings, server)
    for name, target in settings.targets.items():
        findings += services.target_findings(name, target)
    if not settings.targets:
        findings.append(
            Finding("targets", "warning", "no [targets.X] is configured: nothing is sent anywhere")
        )
    return findings


def _refuse(findings: "Sequence[Finding]") -> None:
    bad = [finding for finding in findings if not finding.fine]
    if not bad:
        return
    names = ", ".join(finding.check for finding in bad)
    message = (
        bad[0].sentence if len(bad) == 1 else f"{len(bad)} of {len(findings)} checks are not fine: {names}"
    )
    if any(finding.state == "unreachable" for finding in bad):
        raise Unreachable(message)
    raise NotFine(message)


def _print_json(value: dict[str, Any]) -> None:
    click.echo(json.dumps(value, indent=2))
