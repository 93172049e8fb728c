"""The command group `local`."""

import json
import shlex
from pathlib import Path

import click

from runtime.errors import NotFine, UsageError

_data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var/local"),
    show_default=True,
    help="Where data, logs and passwords of the local stack lie.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group()
def local() -> None:
    """MariaDB, Kafka and Connect on this machine, in the background.

    Example: commerce-sync local up
    """


@local.command()
@_data_dir
@_json
def up(data_dir: Path, as_json: bool) -> None:
    """Start what does not run yet, and wait until it answers.

    Example: commerce-sync local up
    """
    from commerce_sync.local import stack

    running = stack.up(data_dir, report=lambda line: click.echo(line, err=as_json))
    if as_json:
        click.echo(json.dumps(running.environment()))
        return
    place = shlex.quote(str(data_dir))
    click.echo(f'settings that reach it: eval "$(commerce-sync local env --data-dir {place})"')


@local.command()
@_data_dir
@_json
def down(data_dir: Path, as_json: bool) -> None:
    """Stop it; the data stays.

    Example: commerce-sync local down
    """
    from commerce_sync.local import stack

    stack.down(data_dir, report=lambda line: click.echo(line, err=as_json))
    if as_json:
        click.echo(json.dumps({"up": False}))


@local.command()
@_data_dir
@_json
def status(data_dir: Path, as_json: bool) -> None:
    """Show what runs; exit code 1 when something does not.

    Example: commerce-sync local status --json
    """
    from commerce_sync.local import stack

    known = stack.read(data_dir)
    answering = known.answering() if known else dict.fromkeys(stack.NAMES, False)
    servers = {
        name: {
            "up": is_up,
            "pid": known.pid(name) if known else None,
            "port": known.ports[name] if known else None,
        }
        for name, is_up in answering.items()
    }
    if as_json:
        click.echo(json.dumps({"up": all(answering.values()), "servers": servers}))
    else:
        for name, server in servers.items():
            place = f"port {server['port']}, process {server['pid']}" if server["up"] else ""
            click.echo(f"{name:<8} {'up' if server['up'] else 'not up':<7} {place}".rstrip())
    missing = [name for name, is_up in answering.items() if not is_up]
    if missing:
        message = f"not up: {', '.join(missing)}; run 'commerce-sync local up --data-dir {data_dir}'"
        raise NotFine(message)


@local.command()
@_data_dir
@_json
def env(data_dir: Path, as_json: bool) -> None:
    """Print the settings that reach it, as export lines for a shell.

    Example: eval "$(commerce-sync local env)"
    """
    from commerce_sync.local import stack

    known = stack.read(data_dir)
    if known is None:
        message = f"--data-dir {data_dir} holds no local stack: run 'commerce-sync local up' first"
        raise UsageError(message)
    values = known.environment()
    if as_json:
        click.echo(json.dumps(values))
        return
    for name, value in values.items():
        click.echo(f"export {name}={shlex.quote(value)}")
