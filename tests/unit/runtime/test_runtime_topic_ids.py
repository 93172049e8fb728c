"""Topics that speak of each other's records are made anew together or not at all."""

import pytest

from runtime.errors import NotFine
from runtime.topic_ids import Family, judge
from schemas.records import RecordedTopic

INDEX, FEED, STATUS = "cs.index.product", "cs.feed.products", "cs.status.optimizer.products"
TOGETHER = Family(frozenset({INDEX, FEED, STATUS}), "")
CHANGES = Family(frozenset({"cs.change.shop.store"}), "run 'commerce-sync re-seed'")
OLD = RecordedTopic("old", 4)
NEW = RecordedTopic("new", 4)
RECORDED = {INDEX: OLD, FEED: OLD, "cs.change.shop.store": OLD}


def test_the_topics_of_the_last_start_are_fine() -> None:
    """Also beside one that is new, of a target that was added."""
    assert judge(TOGETHER, RECORDED, {INDEX: OLD, FEED: OLD, STATUS: NEW}) == set()


def test_nothing_is_known_at_the_first_start() -> None:
    """Whatever is there is right."""
    assert judge(TOGETHER, {}, {INDEX: NEW}) == set()


@pytest.mark.parametrize("actual", [NEW, RecordedTopic("old", 8), None])
def test_one_that_is_another_topic_is_refused_with_all_that_must_go(actual: RecordedTopic | None) -> None:
    """Made anew, re-partitioned or gone: its index would call everything emitted for ever."""
    found = {INDEX: OLD, **({FEED: actual} if actual else {})}
    with pytest.raises(NotFine) as caught:
        judge(TOGETHER, RECORDED, found)

    assert str(caught.value) == (
        f"{FEED}: deleted, made anew or re-partitioned since the last start, and {INDEX} still speak of the "
        f"records that were there: stop all roles, delete all of {FEED}, {INDEX}, start again, and run "
        "'commerce-sync resync --feed all', which sends everything once more"
    )


def test_all_together_they_begin_anew() -> None:
    """Nothing is left that could be wrong about them; a resync fills them."""
    assert judge(TOGETHER, RECORDED, {INDEX: NEW}) == {INDEX, FEED}


def test_a_change_topic_that_was_made_anew_is_refused_with_its_own_mend() -> None:
    """What it held and nobody read is found by a re-seed only."""
    with pytest.raises(NotFine, match="run 'commerce-sync re-seed'"):
        judge(CHANGES, RECORDED, {"cs.change.shop.store": NEW})
