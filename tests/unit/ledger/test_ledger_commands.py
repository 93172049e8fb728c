"""What `status` and `items` say, and of what."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from commerce_sync.cli import Context
from commerce_sync.ledger import gather as gathering
from commerce_sync.ledger.commands import _cursor, status, table
from commerce_sync.ledger.gather import (
    FeedStatus,
    LedgerStatus,
    Report,
    State,
    ledger_note,
    moment,
    pairs,
    state_of,
)
from commerce_sync.run.roles import processes
from consumers.ledger.database import ledger_url, open_ledger
from consumers.ledger.read import Counts
from consumers.ledger.role import sources
from runtime.errors import UsageError
from runtime.settings import LedgerSettings, Settings, TargetSettings, load

NOW_MS = 1_800_000_000_000
PAIRS = [("a", "prices"), ("a", "products"), ("b", "products")]


@pytest.mark.parametrize(
    ("counts", "lag", "state"),
    [
        (Counts(records=9, submitted=9), 0, "Success"),
        (Counts(), 0, "Success"),
        (Counts(records=9, submitted=8, awaiting=1), 0, "In Progress"),
        (Counts(records=9, submitted=9), 1, "In Progress"),
        (Counts(records=9, submitted=8, retryable=1), 0, "Failed"),
        (Counts(records=9, submitted=8, attention=1), 0, "Failed"),
        (Counts(records=9, submitted=7, attention=1, awaiting=1), 0, "In Progress"),
    ],
)
def test_the_state_of_a_feed(counts: Counts, lag: int, state: str) -> None:
    """What waits comes before what fails."""
    assert state_of(counts, lag) == state


def test_old_figures_are_called_old() -> None:
    """The role does not run; it runs and is behind; it is where it should be; it never ran."""
    assert ledger_note(0, NOW_MS - 30_000, NOW_MS) is None
    assert ledger_note(7, NOW_MS, NOW_MS) == (
        "the ledger is 7 records behind: the figures are not the newest"
    )
    assert "not been at work since 2027-01-15 07:59:29Z" in (ledger_note(7, NOW_MS - 31_000, NOW_MS) or "")
    assert "not been at work yet" in (ledger_note(7, 0, NOW_MS) or "")


def feed_status(state: State) -> FeedStatus:
    return FeedStatus("shop", "products", state, NOW_MS, 9, 8, 0, 0, 0, 0.0, 0, 0.0, 0)


@pytest.mark.parametrize(
    ("states", "at_work", "code"),
    [
        (["Success", "In Progress"], True, 0),
        ([], True, 0),
        (["Success", "Failed"], True, 1),
        (["Success"], False, 1),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_status_exits_1_when_a_feed_has_failed_or_nobody_keeps_the_figures(
    monkeypatch: pytest.MonkeyPatch, states: list[State], at_work: bool, code: int, arguments: list[str]
) -> None:
    """A script that goes on only when all is fine; what is under way is no failure."""
    report = Report(LedgerStatus(0, NOW_MS, at_work, None), tuple(map(feed_status, states)))
    monkeypatch.setattr(gathering, "gather", lambda *_: report)
    result = CliRunner().invoke(status, arguments, obj=Context(None, 0))

    assert result.exit_code == code
    if arguments:
        assert [feed["state"] for feed in json.loads(result.stdout)["feeds"]] == states


def test_moments() -> None:
    """UTC, by the second."""
    assert [moment(0), moment(NOW_MS)] == ["never", "2027-01-15 08:00:00Z"]


def test_a_page_goes_on_where_the_last_one_ended() -> None:
    """A key alone is enough where there is one feed."""
    key = '{"sku":"a/products/b"}'

    assert _cursor(PAIRS, "") == (0, "")
    assert _cursor(PAIRS, f"a/products/{key}") == (1, key)
    assert _cursor(PAIRS[:1], key) == (0, key)
    with pytest.raises(UsageError, match="write target/feed/key"):
        _cursor(PAIRS, key)


def test_columns_stand_below_each_other() -> None:
    """As wide as their widest cell; nothing behind the last one."""
    assert table(("A", "B", "C"), ("long", "", "x y")) == ["A     B  C", "long     x y"]


def shop(**targets: TargetSettings) -> Settings:
    return Settings(targets=targets)


def test_topics_of_what_targets_take_and_nothing_else() -> None:
    """A feed that two targets take is read once."""
    settings = shop(
        a=TargetSettings(url="http://a", feeds=("products",)),
        b=TargetSettings(url="http://b", feeds=("products",)),
    )
    told = {
        topic: (source.feed, source.targets, source.statuses) for topic, source in sources(settings).items()
    }

    assert told == {
        "commerce-sync.feed.products": ("products", ("a", "b"), False),
        "commerce-sync.status.a.products": ("products", ("a",), True),
        "commerce-sync.status.b.products": ("products", ("b",), True),
    }
    assert pairs(settings, feed="products") == [("a", "products"), ("b", "products")]


def test_without_a_target_there_is_no_ledger() -> None:
    """It would have no topic."""
    assert [p.role for p in processes(shop(), ("router", "ledger"), {}, "here")] == ["router"]


@pytest.mark.parametrize("url", ["oracle://u@h/d", "sqlite://", "postgresql://host", "var/ledger.db"])
def test_an_address_nobody_can_use_is_refused(url: str) -> None:
    """In a sentence that shows how it is written."""
    with pytest.raises(UsageError, match=r"ledger\.url = .*: write sqlite:///file"):
        load(environ={"COMMERCE_SYNC__LEDGER__URL": url})


def test_the_ledger_is_never_in_the_shops_database() -> None:
    """Nothing is written there."""
    commerce = "mysql://reader@db:3306/magento"
    settings = load(
        environ={
            "COMMERCE_SYNC__COMMERCE__URL": commerce,
            "COMMERCE_SYNC__LEDGER__URL": "mariadb://writer@db/magento",
        }
    )

    with pytest.raises(UsageError, match="the shop's own database"):
        ledger_url(settings)


def test_the_password_may_come_by_itself() -> None:
    """And is not shown."""
    settings = Settings(ledger=LedgerSettings(url="postgresql://u@h/d", password="s3cret"))

    assert ledger_url(settings).render_as_string(hide_password=False) == "postgresql+psycopg://u:s3cret@h/d"
    assert "s3cret" not in repr(settings)


def test_a_folder_that_cannot_be_made_ends_the_role(tmp_path: Path) -> None:
    """Exit code 2, so that `run` ends too; trying again would not mend it."""
    (tmp_path / "file").touch()
    url = f"sqlite:///{tmp_path}/file/ledger.db"

    with pytest.raises(UsageError) as told:
        open_ledger(load(environ={"COMMERCE_SYNC__LEDGER__URL": url}))

    assert str(told.value) == (
        f"ledger.url = {url}: its folder cannot be made (File exists): name another file"
    )
