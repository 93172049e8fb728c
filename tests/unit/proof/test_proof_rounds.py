"""The audit that goes on and on tells what stands, at the pace it was given, and mends nothing."""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from audit_world import World, key_of
from fake_target import product_item
from prometheus_client import REGISTRY
from sink_drive import STATUS

from commerce_sync.proof import rounds as rounds_module
from commerce_sync.proof.audit import Suspect
from commerce_sync.proof.rounds import Rounds
from commerce_sync.proof.through import Late
from runtime.errors import Transient
from runtime.record import Record

RATE = 60  # A page of six, a second an entity.
WALL_S = 1_800_000_000.0


class Play:
    """Rounds over a world; the clock moves by what they wait."""

    def __init__(self, world: World, rate: int = RATE) -> None:
        self.now = 0.0
        self.rounds = Rounds(world.audit(), rate, lambda: self.now, lambda: WALL_S + self.now)

    def step(self) -> float:
        wait_s = self.rounds.step()
        self.now += wait_s
        return wait_s

    def go_round(self) -> None:
        """To the end of a round over the products."""
        before = passed_at()
        self.go_until(lambda: passed_at() > before)

    def go_until(self, true: Callable[[], bool]) -> None:
        for _ in range(1_000):
            self.step()
            if true():
                return
        pytest.fail("that never comes")

    @property
    def drift(self) -> list[tuple[str, str, str]]:
        """(kind, key, stage)."""
        return sorted((each.kind, each.key, each.stage) for each in self.rounds.drift.values())


def metric(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"commerce_sync_audit_{name}", labels)


def passed_at() -> float:
    return metric("pass_timestamp_seconds", entity="product") or 0.0


def drift_metric() -> dict[tuple[str, str, str], float]:
    """What is not 0, by feed, target and kind."""
    return {
        (sample.labels["feed"], sample.labels["target"], sample.labels["kind"]): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "commerce_sync_audit_drift_items" and sample.value
    }


def key(sku: str) -> str:
    return key_of(sku)[1]


@pytest.fixture
def world() -> World:
    """A shop of twenty products that is in sync."""
    made = World()
    for number in range(20):
        made.sell(f"P{number:02}")
        made.emit(f"P{number:02}")
    return made


def accept(world: World, sku: str, value: bytes | None) -> None:
    """Write a status as if the target had been told something else."""
    offset = len(world.status.records)
    world.status.records.append(Record(STATUS, 0, offset, key(sku).encode(), value, {}))


def test_a_round_over_what_is_in_sync_finds_nothing(world: World) -> None:
    """Every product is built once, and the time of the pass is told."""
    play = Play(world)
    began = passed_at()
    play.go_round()

    assert (play.drift, drift_metric(), world.waits) == ([], {}, 0)
    assert sorted(sku for page in world.built for sku in page) == list(world.items)
    assert began == WALL_S
    assert passed_at() > WALL_S
    assert metric("progress_ratio", entity="product") == 1.0
    assert metric("drift_items", feed="products", target="optimizer", kind="missing") == 0.0


def test_it_goes_no_faster_than_it_may(world: World) -> None:
    """Small pages, and every build is paid for, those of second looks too."""
    world.sell("P03", name="edited")
    play = Play(world)
    play.go_round()
    began, waited = len(world.built), play.now
    play.go_round()

    builds = [len(page) for page in world.built[began:]]
    assert max(builds) == RATE // rounds_module.PAGES_PER_MINUTE
    # Twenty of the round, and the one that differs.
    assert play.now - waited >= 21 * 60 / RATE
    assert play.now - waited < 21 * 60 / RATE + 2 * rounds_module.PAUSE_S


class OneCategoryOf500:
    """An audit of five hundred categories; it looks at one, which differs for a moment."""

    places: ClassVar = {"categories": ()}
    suspect = Suspect("categories", "{}", None)

    def begin(self, _: str) -> int:
        return 500

    def look_on(self, _: str, number: int, *__: Any) -> tuple[list[tuple[int, str]], list[Suspect]]:
        return ([], []) if number else ([(1, "1")], [self.suspect])

    def left_over(self, _: str) -> Iterator[Suspect]:
        return iter(())

    def confirm(self, *_: Any) -> None:
        """It is equal."""


def test_a_second_look_at_a_category_is_paid_as_all_of_them() -> None:
    """Any of them may own its path, so all are built."""
    rounds = Rounds(OneCategoryOf500(), RATE, lambda: 0.0)  # type: ignore[arg-type]
    waits = [rounds.step() for _ in range(4)]

    assert waits == [0.0, 60 / RATE, 0.0, 500 * 60 / RATE + rounds_module.PAUSE_S]


def test_progress_is_told(world: World) -> None:
    """Six of twenty after the first page."""
    play = Play(world)
    play.step()
    play.step()

    assert metric("progress_ratio", entity="product") == 6 / 20


def test_each_kind_is_told_by_feed_and_place(world: World) -> None:
    """At the feed topic, or at the target where the topic is right."""
    world.sell("P01", name="edited")
    del world.items["P02"]
    world.sell("new")
    accept(world, "P05", None)
    accept(world, "ghost", world.status.records[0].value)
    play = Play(world)
    play.go_round()

    assert play.drift == [
        ("left over", key("P02"), "feed topic"),
        ("left over", key("ghost"), "optimizer"),
        ("missing", key("P05"), "optimizer"),
        ("missing", key("new"), "feed topic"),
        ("stale", key("P01"), "feed topic"),
    ]
    assert drift_metric() == {
        ("products", "feed topic", "left over"): 1,
        ("products", "feed topic", "missing"): 1,
        ("products", "feed topic", "stale"): 1,
        ("products", "optimizer", "left over"): 1,
        ("products", "optimizer", "missing"): 1,
    }


def test_what_comes_through_meanwhile_is_no_difference(world: World) -> None:
    """It was on its way when it was looked at."""
    world.sell("P01", name="edited")
    world.on_wait = lambda: world.emit("P01")
    play = Play(world)
    play.go_round()

    assert (play.drift, drift_metric()) == ([], {})


def test_what_a_late_stage_holds_is_told_when_it_is_no_longer_late(world: World) -> None:
    """Neither difference nor equal until then; no other round is needed to find it again."""
    world.sell("P01", name="edited")
    world.late = Late(everything="router is behind")
    play = Play(world)
    play.go_round()
    late = play.drift
    world.late = Late()
    play.step()
    play.now += rounds_module.CHECK_EVERY_S
    play.step()

    assert (late, play.drift) == ([], [("stale", key("P01"), "feed topic")])


def test_a_difference_stands_until_it_is_seen_to_be_gone(world: World) -> None:
    """A pipeline that is late says nothing of it; and nobody but its builder and sink mends it."""
    accept(world, "P05", None)
    play = Play(world)
    play.go_round()
    records = len(world.feed.records), len(world.status.records)
    world.late = Late(everything="router is behind")
    play.go_round()
    while_late = play.drift
    world.late = Late()
    unmended = len(world.feed.records), len(world.status.records)
    accept(world, "P05", next(r.value for r in world.status.records if r.key == key("P05").encode()))
    play.go_round()

    assert while_late == [("missing", key("P05"), "optimizer")]
    assert unmended == records
    assert (play.drift, drift_metric()) == ([], {})


def test_a_difference_is_looked_at_again_every_minute(world: World) -> None:
    """A round over a large catalog takes hours."""
    for number in range(20, 400):
        world.sell(f"P{number:02}")
        world.emit(f"P{number:02}")
    world.sell("P01", name="edited")
    play = Play(world)
    play.go_until(lambda: bool(play.drift))
    found_s = play.now
    world.emit("P01")
    play.go_until(lambda: not play.drift)

    assert found_s < 2 * rounds_module.CHECK_EVERY_S
    assert play.now - found_s < 2 * rounds_module.CHECK_EVERY_S
    assert passed_at() == WALL_S


def test_what_comes_during_a_round_is_not_taken_for_left_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may belong to a page that was passed before it came; the next round is sure."""
    monkeypatch.setattr(rounds_module, "CHECK_EVERY_S", 2.0)
    world.sell("P01", name="edited")
    play = Play(world)
    play.step()
    play.step()
    offset = len(world.feed.records)
    world.feed.records.append(Record("f", 0, offset, key("late").encode(), b"", {"hash": b"h"}))
    play.go_round()
    first = play.drift
    play.go_round()

    assert first == [("stale", key("P01"), "feed topic")]
    assert play.drift == [("left over", key("late"), "feed topic"), *first]


def test_what_is_left_over_is_found_in_any_round(world: World) -> None:
    """That it was asked for in an earlier one does not hide it."""
    play = Play(world)
    play.go_round()
    del world.items["P07"]
    play.go_round()

    assert play.drift == [("left over", key("P07"), "feed topic")]


def test_a_failure_costs_one_step_and_not_the_round(world: World) -> None:
    """The same page is built again, and nothing is left out."""
    play = Play(world)
    play.step()
    play.step()
    build = world.build

    def fail(*_: Any) -> Any:
        world.build = build  # type: ignore[method-assign]
        message = "the database is away"
        raise Transient(message)

    world.build = fail  # type: ignore[method-assign, assignment]
    world.sell("P19", name="edited")

    with pytest.raises(Transient):
        play.step()
    play.go_round()
    assert play.drift == [("stale", key("P19"), "feed topic")]
    assert [sku for page in world.built[:4] for sku in page] == sorted(world.items)


def test_many_differences_are_found_a_part_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded memory: names are kept of so many, and each is looked at again in its turn."""
    monkeypatch.setattr(rounds_module, "OPEN_MAX", 3)
    monkeypatch.setattr(rounds_module, "AGAIN_MAX", 2)
    monkeypatch.setattr(rounds_module, "DRIFT_MAX", 8)
    for sku in world.items:
        world.items[sku] = product_item(sku, name="edited")
    play = Play(world)
    for _ in range(5):
        play.go_round()
    assert len(play.drift) == 8

    world.emit(*world.items)
    for _ in range(5):
        play.go_round()
    assert play.drift == []


def test_many_differences_do_not_keep_a_round_from_its_end(world: World) -> None:
    """Looking at them again takes half of what may be built at most."""
    for number in range(200):
        world.sell(f"wrong {number:03}")
    play = Play(world)
    play.go_round()
    began = play.now
    play.go_round()

    assert len(play.drift) == 200
    assert play.now - began < 2.5 * 220 * 60 / RATE


def test_new_differences_are_logged_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """With the first of them by name; that they are still there is what the metric is for."""
    world.sell("P01", name="edited")
    world.sell("P02", name="edited")
    play = Play(world)
    play.go_round()
    play.go_round()

    (line,) = [record for record in caplog.records if record.message == "items differ"]
    assert line.__dict__["new"] == 2
    assert line.__dict__["first"] == [f"stale: products {key(sku)} at feed topic" for sku in ("P01", "P02")]
