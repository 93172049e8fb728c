"""Only what still differs when nothing is on its way is a finding, at the first place that is wrong."""

from collections import Counter

import pytest
from audit_world import World, found, key_of
from fake_target import FakeSender, refused
from sink_drive import STATUS

from commerce_sync.proof import audit as audit_module
from commerce_sync.proof import commands
from commerce_sync.proof.audit import Result
from commerce_sync.proof.through import Late
from runtime.record import Record
from schemas.keys import content_hash


@pytest.fixture
def world() -> World:
    """A shop that is in sync."""
    made = World()
    for sku in ("A", "B", "C"):
        made.sell(sku)
    made.emit("A", "B", "C")
    return made


def test_what_is_in_sync_is_equal_and_nothing_is_waited_for(world: World) -> None:
    """Three items of three products, each at two places."""
    result = world.audit().run()

    assert result.equal
    assert (result.items, result.entities, world.waits) == (3, 3, 0)


def test_each_kind_is_found_at_the_feed_topic_first(world: World) -> None:
    """An edit, a new product and a deletion that the pipeline has never seen."""
    world.sell("A", name="edited")
    world.sell("new")
    del world.items["B"]

    result = world.audit().run()

    assert found(result) == [
        ("left over", "B", "feed topic"),
        ("missing", "new", "feed topic"),
        ("stale", "A", "feed topic"),
    ]


def test_each_kind_is_found_at_the_target(world: World) -> None:
    """Statuses that say something else than the feed topic."""
    one, other, third = world.status.records
    world.status.records = [
        Record(STATUS, 0, 0, one.key, None, {}),
        Record(STATUS, 0, 1, other.key, one.value, {}),
        third,
        Record(STATUS, 0, 3, key_of("ghost")[1].encode(), one.value, {}),
    ]

    result = world.audit().run()

    assert found(result) == [
        ("left over", "ghost", "optimizer"),
        ("missing", "A", "optimizer"),
        ("stale", "B", "optimizer"),
    ]


def test_what_comes_through_meanwhile_is_no_difference(world: World) -> None:
    """It was on its way; the second look finds it."""
    world.sell("A", name="edited")
    world.on_wait = lambda: world.emit("A")

    assert world.audit().run().equal


def test_an_item_that_changes_again_is_built_again(world: World) -> None:
    """The edit between the build and the look would be a difference that is none."""
    world.sell("A", name="first")
    steps = iter(("second", "third"))

    def edit() -> None:
        if (name := next(steps, None)) is not None:
            world.sell("A", name=name)
            world.emit("A")

    world.on_wait = edit
    result = world.audit().run()

    assert result.equal
    assert world.waits == 1


def test_an_item_that_never_rests_cannot_be_judged(world: World) -> None:
    """After three looks; that is no difference, and no equality either."""
    world.sell("A", name="first")
    numbers = iter(range(100))

    def edit() -> None:
        world.sell("A", name="left behind")
        world.emit("A")
        world.sell("A", name=f"now {next(numbers)}")

    world.on_wait = edit
    result = world.audit().run()

    assert (found(result), result.late) == ([], Counter({"it keeps changing": 1}))
    assert not result.equal


@pytest.mark.parametrize(
    "late",
    [
        Late(everything="router is behind"),
        Late(built={("product", 0): "builder is behind"}),
    ],
)
def test_what_a_late_stage_holds_is_late_and_not_different(world: World, late: Late) -> None:
    """The stage is named; repairing it would be more of the same work."""
    world.sell("A", name="edited")
    world.late = late

    result = world.audit().run()

    assert (found(result), result.late.total()) == ([], 1)
    assert "is behind" in str(result.late)
    assert not result.equal


def test_a_late_sink_holds_its_own_target_alone(world: World) -> None:
    """What is wrong on the feed topic is wrong whatever the sink does."""
    world.sell("A", name="edited")
    world.status.records[1] = Record(STATUS, 0, 1, key_of("B")[1].encode(), None, {})
    world.late = Late(sent={"optimizer": {("products", 0): "sink is behind"}})

    result = world.audit().run()

    assert found(result) == [("stale", "A", "feed topic")]
    assert result.late == Counter({"sink is behind": 1})


def test_what_cannot_be_built_is_parked_and_keeps_what_it_has(world: World) -> None:
    """A broken row: its item stays as it was, known to a person."""
    world.parked["A"] = {"": "broken"}

    result = world.audit().run()

    assert result.equal
    assert result.parked["builder"] == 1


def test_what_the_target_refused_is_parked(world: World) -> None:
    """With the very content that would be sent now; another content is a difference."""
    world.drive.sender = FakeSender(refused((0, "c", "no")))
    world.sell("A", name="bad")
    world.emit("A")
    same = world.audit().run()
    world.sell("A", name="good")
    world.feed.records.append(
        Record("f", 0, 9, key_of("A")[1].encode(), b"", {"hash": content_hash(world.items["A"]).encode()})
    )
    other = world.audit().run()

    assert same.equal
    assert same.parked["optimizer"] == 1
    assert found(other) == [("stale", "A", "optimizer")]


def test_what_the_sink_cannot_say_is_parked(world: World) -> None:
    """The status has a hash of its own for it."""
    world.sell("A", name="")
    world.emit("A")

    result = world.audit().run()

    assert result.equal
    assert result.parked["optimizer"] == 1


def test_a_sample_judges_only_its_own_products(world: World) -> None:
    """The same part each time; what is not in it is not left over."""
    for number in range(200):
        world.sell(f"P{number}")
        world.emit(f"P{number}")
    result = world.audit(share=0.25).run()

    assert (result.equal, world.waits) == (True, 0)
    assert 20 < result.items < 90


def test_suspects_beyond_the_bound_are_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their names are not kept; the audit is not equal."""
    monkeypatch.setattr(audit_module, "SUSPECTS_MAX", 1)
    world.sell("A", name="edited")
    world.sell("B", name="edited")

    result = world.audit().run()

    assert (found(result), result.beyond) == ([("stale", "A", "feed topic")], 1)
    assert not result.equal


def test_what_a_scope_keeps_away_is_left_over_at_the_target(world: World) -> None:
    """The feed topic holds every scope; a target that never had it is right not to have it."""
    world.off = {key_of("A")[1].encode(), key_of("B")[1].encode()}
    world.status.records[1] = Record(STATUS, 0, 1, key_of("B")[1].encode(), None, {})

    assert found(world.audit().run()) == [("left over", "A", "optimizer")]


def test_what_cannot_be_judged_after_a_repair_is_not_called_repaired(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sink stands still: nobody knows whether what was asked for has come."""
    world.sell("A", name="edited")
    world.sell("B", name="edited")
    differing = world.audit().run()
    left = Result(findings=differing.findings[:1], late=Counter({"sink optimizer has 1 records left": 1}))

    commands._print(differing, [], left)

    assert "repaired: 0, left: 1" in capsys.readouterr().out.splitlines()
