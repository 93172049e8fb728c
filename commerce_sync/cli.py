"""The console script: every command, its options, and errors as one sentence."""

import inspect
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import ClassVar

import click
from click.exceptions import NoArgsIsHelpError

from commerce_sync.run.framing import choose_framing
from runtime import settings as settings_module
from runtime.errors import CommerceSyncError


@dataclass(slots=True)
class Context:
    """What every command gets: where the configuration is and how to print."""

    config_file: Path | None
    verbose: int

    def settings(self) -> settings_module.Settings:
        loaded = settings_module.load(self.config_file)
        choose_framing(loaded)
        return loaded


class LazyGroup(click.Group):
    """Loads a command's module only when it is used: starting a role must not import the emulator."""

    commands_at: ClassVar[dict[str, str]] = {
        "demo": "commerce_sync.demo.commands:demo",
        "local": "commerce_sync.local.commands:local",
        "seed": "commerce_sync.sample.commands:seed",
        "traffic": "commerce_sync.sample.commands:traffic",
        "emulator": "commerce_sync.emulator.commands:emulator",
        "check": "commerce_sync.checks.commands:check",
        "connectors": "commerce_sync.checks.commands:connectors",
        "run": "commerce_sync.run.commands:run",
        "resync": "commerce_sync.run.commands:resync",
        "saas:resync": "commerce_sync.run.commands:resync",
        "saascatalog:resync": "commerce_sync.run.commands:resync",
        "re-seed": "commerce_sync.run.commands:re_seed",
        "scopes": "commerce_sync.scopes.commands:scopes",
        "pause": "commerce_sync.run.commands:pause",
        "resume": "commerce_sync.run.commands:resume",
        "status": "commerce_sync.ledger.commands:status",
        "items": "commerce_sync.ledger.commands:items",
        "dead-letters": "commerce_sync.dead_letters.commands:dead_letters",
        "explain": "commerce_sync.explain.commands:explain",
        "audit": "commerce_sync.proof.commands:audit",
        "bench": "commerce_sync.bench.commands:bench",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        # What operators of the exporter have in their scripts is another name of a command in the list.
        return [name for name in self.commands_at if ":" not in name]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        place = self.commands_at.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command: click.Command = getattr(import_module(module), name)
        finish(command)
        return command


def finish(command: click.Command) -> None:
    """Give a command, and those below it, what every command has: -c and -v, and an example on a line."""
    if any(parameter.name == "config_file" for parameter in command.params):
        return
    command.params += _general_options(_take)
    text, example, words = inspect.cleandoc(command.help or "").partition("Example: ")
    if example:
        command.help = f"{text.rstrip()}\n\n\b\nExample: {' '.join(words.split())}"
    for below in command.commands.values() if isinstance(command, click.Group) else ():
        finish(below)


def _general_options(callback: Callable[..., object] | None = None) -> list[click.Parameter]:
    """-c and -v; with a callback they are handed to that instead of to the command."""
    file = click.Path(path_type=Path, dir_okay=False)
    shown, hears = "Show more; with errors, the traceback.", callback is None
    return [
        click.Option(
            ["-c", "--config", "config_file"],
            type=file,
            help=f"TOML; default: {settings_module.CONFIG_VARIABLE}, or none.",
            callback=callback,
            expose_value=hears,
        ),
        click.Option(["-v", "--verbose"], count=True, help=shown, callback=callback, expose_value=hears),
    ]


def _take(context: click.Context, option: click.Parameter, value: Path | int | None) -> None:
    """What stands behind a command wins over what stands before it."""
    if value:
        setattr(context.obj, str(option.name), value)


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]}, params=_general_options()
)
@click.version_option(package_name="commerce-sync")
@click.pass_context
def cli(context: click.Context, config_file: Path | None, verbose: int) -> None:
    """Keep a storefront's catalog equal to the Commerce database, seconds behind.

    \b
    Example: commerce-sync demo --exit-when-synced
    """
    context.obj = Context(config_file, verbose)


def main() -> None:
    """Run the command line as a process of its own."""
    # What Ctrl-C cleans up is cleaned up at the end of a session too; `run` sets a handler of its own.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command line and turn every known failure into one sentence; its exit code."""
    verbose = any(argument in {"-v", "-vv", "--verbose"} for argument in arguments)
    try:
        # Without standalone mode an exit asked for by a command comes back as a value.
        code = cli.main(list(arguments), "commerce-sync", standalone_mode=False)
    except SystemExit as ended:
        code = ended.code
    except click.Abort:
        return 130
    except NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        click.echo(f"error: {_sentence(error)}", err=True)
        return 2
    except CommerceSyncError as error:
        if verbose:
            traceback.print_exc()
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except Exception as error:
        if verbose:
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}".partition("\n")[0]
        click.echo(f"error: unforeseen {what}; 'commerce-sync -v ...' shows where it comes from", err=True)
        return 1
    return code if isinstance(code, int) else 0


def _sentence(error: click.ClickException) -> str:
    """What click found wrong with the command line, and which help to ask."""
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{message}: see '{context.command_path} --help'" if context else message
