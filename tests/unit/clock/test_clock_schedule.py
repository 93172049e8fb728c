"""The nearest moments are kept, each is called once, and those left out come when it is their turn."""

from hypothesis import given
from hypothesis import strategies as st

from producers.clock.schedule import Name, Schedule


def name(number: int) -> Name:
    return ("product", number % 3, str(number).encode())


def due(schedule: Schedule, now_s: int) -> list[str]:
    return sorted(key.decode() for _, _, key in schedule.due(now_s, 100))


def test_an_entity_is_due_when_its_moment_has_come_and_not_before() -> None:
    """To the second."""
    schedule = Schedule()
    schedule.note(name(1), 100)
    schedule.note(name(2), 101)

    assert schedule.next_s() == 100
    assert [due(schedule, now_s) for now_s in (99, 100, 101)] == [[], ["1"], ["1", "2"]]


def test_a_moment_that_was_called_is_not_called_again_until_a_build_gives_another() -> None:
    """The builder may need a while, and the index may be read again meanwhile."""
    schedule = Schedule()
    schedule.note(name(1), 100)
    schedule.called(schedule.due(100, 9))
    schedule.note(name(1), 100)
    before = schedule.next_s()
    schedule.note(name(1), 200)

    assert before is None
    assert (due(schedule, 150), due(schedule, 200)) == ([], ["1"])


def test_a_moment_that_is_taken_back_is_not_called() -> None:
    """The price was removed, or moved away and back."""
    schedule = Schedule()
    for due_s in (100, 300, 100):
        schedule.note(name(1), due_s)
    schedule.note(name(2), 50)
    schedule.note(name(2), None)

    assert schedule.next_s() == 100
    assert due(schedule, 100) == ["1"]
    assert len(schedule.due(300, 9)) == 1


def test_so_many_are_called_at_once_and_no_more() -> None:
    """The rest follows in the next turn."""
    schedule = Schedule()
    for number in range(20):
        schedule.note(name(number), 10)
    first = schedule.due(10, 8)
    schedule.called(first)

    assert len(first) == 8
    assert not first.keys() & schedule.due(10, 99).keys()


def test_what_was_left_out_is_asked_for_when_it_has_come_and_all_nearer_is_built() -> None:
    """Memory is bounded; nothing is called twice because it was read again too early."""
    schedule = Schedule(kept_max=2)
    for number in range(1, 6):
        schedule.note(name(number), number * 10)
    asked = [schedule.wants_more(now_s) for now_s in (29, 60)]
    schedule.called(schedule.due(60, 99))
    while_building = schedule.wants_more(60), schedule.next_s()
    for number in (1, 2, 3, 4):
        schedule.note(name(number), None)

    assert asked == [False, False]
    assert while_building == (False, None)
    assert schedule.next_s() == 30
    assert (schedule.wants_more(29), schedule.wants_more(30)) == (False, True)


@given(
    st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(1, 60)), max_size=60),
    st.integers(1, 6),
)
def test_every_moment_is_called_once_it_has_come_however_few_are_kept(
    noted: list[tuple[int, int | None]], kept_max: int
) -> None:
    """As by a list of all of them: builds answer at once and give no further moment."""
    index = {name(number): due_s for number, due_s in noted}
    schedule = Schedule(kept_max)
    for number, due_s in noted:
        schedule.note(name(number), due_s)
    called: dict[Name, int] = {}
    for now_s in range(61):
        for _ in range(20):
            if schedule.wants_more(now_s):
                schedule = Schedule(kept_max)
                for one, due_s in index.items():
                    schedule.note(one, due_s)
            for one, due_s in schedule.due(now_s, 3).items():
                assert due_s == index[one]
                assert due_s <= now_s
                called[one] = now_s
                schedule.called([one])
                index[one] = None
                schedule.note(one, None)

    assert called == {name(number): due_s for number, due_s in dict(noted).items() if due_s is not None}
