"""Where an item stands is told by the first stage that holds it, with what a person can do."""

from dataclasses import replace

import pytest

from commerce_sync.explain.trace import Way, names_product
from commerce_sync.explain.verdict import Stages, judge
from runtime.record import Record
from schemas.records import DeadLetter, Status

KEY = '{"sku":"A","storeViewCode":"default"}'
QUIET = Stages(ahead={"t": 0})


def way(
    offset: int, status: Status | None = None, letter: DeadLetter | None = None, *, value: bytes | None = b"x"
) -> Way:
    record = Record("feed", 0, offset, KEY.encode(), value, {}, 1_000)
    return Way(
        "products",
        KEY,
        record=record,
        statuses={} if status is None else {"t": status},
        letters={} if letter is None else {"t": letter},
    )


def status(offset: int, outcome: str = "delivered", error: str | None = None) -> Status:
    return Status(outcome, "h", "feed", 0, offset, 2_000, "request-1", error)  # type: ignore[arg-type]


def letter(kind: str, attempts: int = 3) -> DeadLetter:
    return DeadLetter(kind, "upsert", "no good", attempts, 2_000, "feed", 0, 7)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("told", "state", "words"),
    [
        (way(7, status(7)), "delivered", "newest state"),
        (way(7, status(9)), "delivered", "newer state than the record found"),
        (way(7, status(7, "deleted"), value=None), "deleted", "taken the delete"),
        (way(7, status(7, "attention"), letter("attention")), "parked", "waits for attention: no good"),
        (way(7, status(7, "retryable"), letter("retryable")), "parked", "goes again by itself: no good"),
        (way(7), "waiting", "nothing was sent before"),
        (way(7, status(5)), "waiting", "before it: delivered"),
        (way(7, status(5), value=None), "waiting", "the delete waits"),
        (Way("products", KEY), "absent", "no such item"),
    ],
)
def test_a_quiet_pipeline_tells_by_status_and_letter(told: Way, state: str, words: str) -> None:
    """The status settles up to its offset; what is newer waits in the sink."""
    found, sentence = judge(told, "t", QUIET)

    assert found == state
    assert words in sentence


@pytest.mark.parametrize(
    ("stages", "state", "words"),
    [
        (replace(QUIET, captured="it is STOPPED"), "waiting", "it is STOPPED"),
        (
            replace(QUIET, unbuilt=2, before=40),
            "waiting",
            "2 changes of this product still to build, 40 records",
        ),
        (replace(QUIET, unrouted=5), "waiting", "the router has 5 change records left"),
        (replace(QUIET, unrouted=5, complaints=["no database"]), "waiting", "a role says: no database"),
        (replace(QUIET, parked={"": "broken row"}), "parked", "broken row"),
        (replace(QUIET, built_later=True), "unchanged", "changed nothing of this item"),
    ],
)
def test_the_first_stage_that_holds_something_is_named(stages: Stages, state: str, words: str) -> None:
    """Whatever the target has accepted: something newer may be on its way."""
    found, sentence = judge(way(7, status(7)), "t", stages)

    assert found == state
    assert words in sentence


def test_a_pause_and_a_complaint_say_why_a_sink_holds_an_item() -> None:
    """A pause is the operator's own word; else roles are quoted."""
    _, paused = judge(way(7), "t", replace(QUIET, paused=frozenset({"t"})))
    _, open_circuit = judge(way(7), "t", replace(QUIET, complaints=["products: no answer"]))

    assert "commerce-sync resume" in paused
    assert "a role says: products: no answer" in open_circuit


def test_a_variant_is_of_its_child() -> None:
    """As the builder speaks for it."""
    assert names_product(b'{"parentSku":"P","productSku":"A"}', "A")
    assert not names_product(b'{"parentSku":"A","productSku":"B"}', "A")
    assert not names_product(b"torn", "A")


@pytest.mark.parametrize(
    ("told", "settled", "state", "words"),
    [
        (way(7, status(5)), 8, "unchanged", "judged before: delivered"),
        (way(7), 8, "absent", "not told of it"),
        (way(7, status(5)), 7, "waiting", "before it: delivered"),
    ],
)
def test_what_needed_no_request_is_told_by_the_position(
    told: Way, settled: int, state: str, words: str
) -> None:
    """Such a record leaves no status; the target's position is past it."""
    found, sentence = judge(told, "t", replace(QUIET, settled={"t": settled}))

    assert found == state
    assert words in sentence
