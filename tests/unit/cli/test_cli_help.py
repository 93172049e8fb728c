"""What every command has: help with an example that can be pasted; -c and -v on either side of its name."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from commerce_sync.cli import cli
from runtime.errors import UsageError


def commands(
    group: click.Group, words: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with the words that call it."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


COMMANDS = dict(commands(cli))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_an_example_that_can_be_pasted(words: tuple[str, ...]) -> None:
    """One line, of this command, with options that it has."""
    shown = CliRunner().invoke(cli, [*words, "--help"], terminal_width=80).output

    (line,) = [line.strip() for line in shown.splitlines() if line.strip().startswith("Example: ")]
    example = line.removeprefix("Example: ").removeprefix('eval "$(').removesuffix(')"')
    said = shlex.split(example)[1:]
    assert tuple(said[: len(words)]) == words
    COMMANDS[words].make_context("", said[len(words) :], resilient_parsing=False)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_paragraphs_of_a_help_begin_at_one_place(words: tuple[str, ...]) -> None:
    """Those behind the first are not set in by where their text stands in the code."""
    shown = CliRunner().invoke(cli, [*words, "--help"], terminal_width=80).output
    told = shown.partition("Options:")[0].splitlines()[1:]

    assert {len(line) - len(line.lstrip()) for line in told if line} == {2}


@pytest.mark.parametrize("words", [("status",), ("connectors", "diff"), ("items", "show", "24-MB01")])
def test_the_configuration_may_be_named_before_and_behind_a_command(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """What stands behind wins."""
    before, behind = tmp_path / "before.toml", tmp_path / "behind.toml"

    told = [
        str(CliRunner().invoke(cli, list(arguments)).exception)
        for arguments in (
            ("-c", str(before), *words),
            (*words, "--config", str(behind)),
            ("-c", str(before), *words, "-v", "-c", str(behind)),
        )
    ]

    assert told == [
        f"--config {file} cannot be read: No such file or directory" for file in (before, behind, behind)
    ]


def test_the_configuration_may_be_named_behind_a_group(tmp_path: Path) -> None:
    """As in `connectors -c shop.toml diff`."""
    file = tmp_path / "none.toml"

    done = CliRunner().invoke(cli, ["connectors", "-c", str(file), "diff"])

    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == f"--config {file} cannot be read: No such file or directory"


@pytest.mark.parametrize(
    "words", [w for w, c in COMMANDS.items() if not isinstance(c, click.Group)], ids=" ".join
)
def test_what_a_command_tells_can_be_told_as_json(words: tuple[str, ...]) -> None:
    """But for `run`, which tells by its log."""
    options = {name for parameter in COMMANDS[words].params for name in parameter.opts}

    assert ("--json" in options) == (words != ("run",))
