"""`resync --no-reindex` and `--force`: who is asked for what, and what does not go together."""

import msgspec
import pytest

from commerce_sync.run.replay import Again, runs_for
from commerce_sync.run.resync import Wish
from runtime.errors import UsageError
from runtime.settings import Settings, TargetSettings
from schemas.controls import Reconcile

SETTINGS = Settings(
    targets={
        "one": TargetSettings(url="https://one.example.com", feeds=("products",)),
        "two": TargetSettings(url="https://two.example.com", feeds=("products",)),
    }
)


def asked(*feeds: str, target: str | None = None) -> list[tuple[str, str, str, tuple[str, ...]]]:
    """(target, feed, kind, ids) of each command."""
    runs = runs_for(SETTINGS, feeds, target, "replay", "a test", ("24-MB01",))
    decoded = [msgspec.json.decode(value, type=Reconcile) for value in runs.values()]
    return [(run.target, run.feed, run.kind, run.ids) for run in decoded]


def test_each_target_that_sends_a_feed_is_asked() -> None:
    """And only for feeds that it sends."""
    assert asked("products", "variants") == [
        ("one", "products", "replay", ("24-MB01",)),
        ("two", "products", "replay", ("24-MB01",)),
    ]
    assert asked("products", target="two") == [("two", "products", "replay", ("24-MB01",))]


def test_a_feed_that_nobody_sends_is_refused() -> None:
    """With the setting that says so."""
    with pytest.raises(UsageError, match=r"--feed variants: no target sends that; see targets\.X\.feeds"):
        asked("variants")


@pytest.mark.parametrize(
    ("again", "wish", "sentence"),
    [
        (Again(target="one"), Wish(("products",)), "--target: what is built goes to every target"),
        (Again(no_reindex=True), Wish(("products",), cleanup=True), "--no-reindex and --cleanup-feed"),
        (Again(no_reindex=True), Wish(("products",), dry_run=True), "--no-reindex and --dry-run"),
        (Again(no_reindex=True), Wish(("products",), go_on=True), "--no-reindex and --continue-resync"),
        (Again(no_reindex=True), Wish(("products",), ("1",), "productId"), "--no-reindex and --id-type"),
        (Again(force=True), Wish(("products",), stop=True), "--force and --stop"),
    ],
)
def test_options_that_contradict_each_other_are_refused(again: Again, wish: Wish, sentence: str) -> None:
    """In a sentence that names both."""
    with pytest.raises(UsageError, match=sentence):
        again.require_sense(wish)


@pytest.mark.parametrize(
    ("again", "wish"),
    [
        (Again(), Wish(("products",))),
        (Again(no_reindex=True, force=True, target="one"), Wish(("products",), ("24-MB01",))),
        (Again(no_reindex=True), Wish(("products",), stop=True)),
        (Again(force=True), Wish(("products",))),
    ],
)
def test_options_that_make_sense_are_taken(again: Again, wish: Wish) -> None:
    """The counterpart."""
    again.require_sense(wish)
