"""What the options of a resync mean together, and what it says while it goes on."""

import pytest
from click import Context
from click.testing import CliRunner

from commerce_sync.cli import cli
from commerce_sync.run.by_ids import _entity, _questions
from commerce_sync.run.pace import Pace, duration
from commerce_sync.run.resync import STANDSTILL_S, Wish, following, lines, with_reasons
from runtime.errors import UsageError
from runtime.settings import Settings

FEEDS = ("products",)


def test_what_is_left_gets_less_at_a_rate_and_ends_in_a_time() -> None:
    """Of one stage; the next one begins anew."""
    pace = Pace()
    pace.note("builder", 1_000, 0.0)
    first = pace.line()
    pace.note("builder", 400, 6.0)
    second = pace.line()
    pace.note("sink optimizer", 90, 7.0)

    assert first == "builder: 1000 records left"
    assert second == "builder: 400 records left, 100 a second, 4 s to go"
    assert pace.line() == "sink optimizer: 90 records left"


def test_the_rate_is_that_of_the_last_half_minute() -> None:
    """An allowance that is used up shows at once."""
    pace = Pace()
    for second in range(60):
        pace.note("sink", 1_000 - min(second, 20) * 10, float(second))

    assert pace.per_second == 0.0
    assert pace.line() == "sink: 800 records left"


@pytest.mark.parametrize(
    ("seconds", "text"), [(3.4, "3 s"), (60, "1 min 00 s"), (754, "12 min 34 s"), (7_500, "2 h 05 min")]
)
def test_a_duration_is_read_by_people(seconds: float, text: str) -> None:
    """Two units at most."""
    assert duration(seconds) == text


def test_lines_come_every_few_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    """However often it is looked; none where a program reads."""
    times = iter([0.0, 0.0, 1.0, 3.0, 0.0, 3.0])
    report = lines(False, lambda: next(times))
    for left in (100, 90, 70):
        report("builder", left)
    quiet = lines(True, lambda: next(times))
    quiet("builder", 5)

    assert capsys.readouterr().err == "builder: 70 records left, 10 a second, 7 s to go\n"


def test_a_wait_that_stands_still_says_what_roles_complain_of(capsys: pytest.CaptureFixture[str]) -> None:
    """A service that does not let us in would otherwise be waited for without a word; each reason once."""
    clock, seen = [0.0], list[int]()
    refused = ["products: targets.main answers 401: correct targets.main.auth"]
    report = with_reasons(lambda stage, left: seen.append(left), lambda: refused, lambda: clock[0])
    for clock[0], left in ((0, 90), (STANDSTILL_S, 80), (2 * STANDSTILL_S, 80)):
        report("sink main", left)
    moving = capsys.readouterr().err
    for clock[0] in (2 * STANDSTILL_S + 1, 3 * STANDSTILL_S + 2, 4 * STANDSTILL_S + 3):
        report("sink main", 80)

    assert moving == ""
    assert capsys.readouterr().err == f"sink main stands still; a role says: {refused[0]}\n"
    assert seen == [90, 80, 80, 80, 80, 80]


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish(FEEDS, stop=True, go_on=True), "--stop and --continue-resync"),
        (Wish(FEEDS, ids=("a",), cleanup=True), "--by-ids and --cleanup-feed"),
        (Wish(FEEDS, stop=True, dry_run=True), "--dry-run and --stop"),
        (Wish(FEEDS, id_type="productId"), "--id-type productId"),
    ],
)
def test_options_that_contradict_each_other_are_refused(wish: Wish, words: str) -> None:
    """In a sentence that names them."""
    with pytest.raises(UsageError, match=words):
        wish.require_sense()


@pytest.mark.parametrize("ids", ["", " , "])
def test_a_list_of_ids_that_is_empty_does_not_mean_all(ids: str) -> None:
    """A script whose variable is empty would send the whole catalog again."""
    result = CliRunner().invoke(
        cli, ["resync", "--feed", "products", "--no-reindex", "--stop", f"--by-ids={ids}"]
    )

    assert str(result.exception) == (
        f"--by-ids '{ids}': names nothing; give ids with commas, or leave it out to mean all"
    )


def test_ids_name_entities_of_one_kind() -> None:
    """A product's id is no category's; the few scopes are resynced whole."""
    assert _entity(("products", "prices")) == "product"
    for feeds in (("products", "categories"), ("priceBooks",)):
        with pytest.raises(UsageError, match="--by-ids"):
            _entity(feeds)


def test_an_id_is_compared_with_a_column_of_its_own_kind() -> None:
    """The text '12abc' equals the number 12 in SQL."""
    asked = _questions("attribute", ["12", "color", "12abc"], "sku")

    assert [wanted for _, wanted in asked] == [["12"], ["color", "12abc"]]
    assert [wanted for _, wanted in _questions("product", ["7", "x"], "productId")] == [["7"]]
    assert [wanted for _, wanted in _questions("product", ["7", "x"], "sku")] == [["7", "x"]]


def test_ctrl_c_leaves_a_resync_running_and_says_how_to_end_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A script must not take it for done."""
    with pytest.raises(SystemExit) as ended, following(Settings(), Wish(FEEDS), "it goes on: --stop ends it"):
        raise KeyboardInterrupt

    assert ended.value.code == 130
    assert capsys.readouterr().err == "it goes on: --stop ends it\n"


@pytest.mark.parametrize("name", ["resync", "saas:resync", "saascatalog:resync"])
def test_the_exporters_names_of_the_command_are_taken(name: str) -> None:
    """In its spelling of the option too; the list shows one of them."""
    result = CliRunner().invoke(cli, [name, "--feed=products", "--stop", "--cleanup-feed"])

    assert str(result.exception) == "--stop and --cleanup-feed do not go together: give one of them"
    assert [listed for listed in cli.list_commands(Context(cli)) if "resync" in listed] == ["resync"]
