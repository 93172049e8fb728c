"""Who pauses nothing is told."""

import pytest
from click.testing import CliRunner

from commerce_sync.cli import cli
from commerce_sync.run.commands import require_feed
from runtime.errors import UsageError


@pytest.mark.parametrize(
    ("words", "targets", "told"),
    [
        (("pause",), "", "no target is configured, so nothing is sent: add [targets.NAME] with its url"),
        (
            ("pause", "--feed", "variants", "--target", "a"),
            "A",
            "--feed variants: target a is not sent it",
        ),
        (
            ("pause", "--feed", "products,prices"),
            "A",
            "--feed products,prices: one feed can be named here, or all",
        ),
        (("resume", "--feed", "variants"), "A", "--feed variants: no target is sent it"),
    ],
)
def test_a_pause_of_nothing_is_refused(
    words: tuple[str, ...], targets: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operator who believes that sending stopped starts the maintenance."""
    if targets:
        monkeypatch.setenv(f"COMMERCE_SYNC__TARGETS__{targets}__URL", "http://127.0.0.1:1/demo")

    done = CliRunner().invoke(cli, list(words))

    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == told


@pytest.mark.parametrize(
    ("said", "feed"), [(None, None), ("all", None), ("ALL", None), ("pricebooks", "priceBooks")]
)
def test_all_feeds_are_not_the_first_of_them(said: str | None, feed: str | None) -> None:
    """`pause --feed all` paused one."""
    assert require_feed(said) == feed
