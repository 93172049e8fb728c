"""Items that stand on others: price books before their prices, deletes that take others along.

The service is the emulator's catalog: it loses prices without a book, cascades, and gives back for a week.
"""

from operator import attrgetter
from typing import Any

import msgspec
import pytest
from tree_drive import FEEDS, Service, TreeDrive, key_of

from consumers.sink import waiting
from consumers.sink.feed import Rules
from consumers.sink.settle import Answer
from consumers.sink.tree import GRACE_S
from schemas.controls import Address, Reconcile, address_key, reconcile_key
from schemas.records import RESEND_PREFIX, Resend, ResendItem

DAY_S = 24 * 3600.0
GROUP = "base::g1"
LOST = Answer(0, error="lost")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def sink(service: Service) -> TreeDrive:
    return TreeDrive(service)


def put(sink: TreeDrive, feed: str, *names: str) -> None:
    for name in names:
        sink.put(feed, name)


def tombstones(sink: TreeDrive, feed: str, *names: str) -> None:
    for name in names:
        sink.tombstone(feed, name)


def test_a_feed_of_which_too_much_waits_holds_no_other(
    sink: TreeDrive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody would hear of an edit of a category because prices cannot go."""
    monkeypatch.setattr(waiting, "LIVE_ITEMS_MAX", 2)
    put(sink, "prices", "A in base", "B in base")
    put(sink, "categories", "men")

    sink.scan()

    assert sink.delivery.full == {"cs.feed.prices"}


# Price books before prices.


def test_a_price_goes_as_soon_as_its_book_and_that_ones_parent_are_delivered(
    service: Service, sink: TreeDrive
) -> None:
    """Not before; one behind the other."""
    put(sink, "prices", f"A in {GROUP}", "A in base")
    sink.run()
    before = service.sent

    put(sink, "priceBooks", GROUP, "base")
    sink.run()

    assert before == []
    assert service.requests == [
        ("priceBooks", "upsert", ["base"]),
        ("prices", "upsert", ["A in base"]),
        ("priceBooks", "upsert", [GROUP]),
        ("prices", "upsert", [f"A in {GROUP}"]),
    ]
    assert service.held("prices") == {"A in base": "1", f"A in {GROUP}": "1"}


def test_a_price_waits_while_its_book_is_under_way(service: Service, sink: TreeDrive) -> None:
    put(sink, "priceBooks", "base")
    put(sink, "prices", "A in base")
    sink.scan()

    books = sink.fly()
    nothing = sink.fly()
    sink.land(books)
    prices = sink.fly()

    assert [request.feed for request in books] == ["priceBooks"]
    assert nothing == []
    assert [request.feed for request in prices] == ["prices"]


def test_prices_of_a_book_that_does_not_come_are_set_aside_and_hold_up_nobody(
    service: Service, sink: TreeDrive
) -> None:
    """The service refuses the book: others' prices go, these wait where a person sees them."""
    service.bad = {"other"}
    put(sink, "priceBooks", "base", "other")
    put(sink, "prices", "A in other", "A in base")

    sink.run()
    at_once = sink.outcomes("prices")
    sink.pass_time(GRACE_S)

    assert at_once == {"A in base": "delivered"}
    assert sink.outcomes("prices") == {"A in base": "delivered", "A in other": "retryable"}
    letter = sink.letters("prices")["A in other"]
    assert (letter.kind, letter.error, letter.due_ms) == ("retryable", "waits for price book other", None)
    assert sink.positions["prices"] == 2


def test_set_aside_prices_are_not_tried_by_time(service: Service, sink: TreeDrive) -> None:
    """They could only be set aside again."""
    put(sink, "prices", "A in base")
    sink.run()
    sink.pass_time(GRACE_S)
    written = dict(sink.topics)

    sink.pass_time(1_000, step=100)

    assert sink.topics == written
    assert service.sent == []


@pytest.mark.parametrize("restarted", [False, True])
def test_set_aside_prices_go_as_soon_as_their_book_is_delivered(
    service: Service, sink: TreeDrive, restarted: bool
) -> None:
    """Also in another process."""
    put(sink, "prices", f"A in {GROUP}", "B in base")
    sink.run()
    sink.pass_time(GRACE_S)
    if restarted:
        sink = TreeDrive(service, after=sink)
        sink.run()

    put(sink, "priceBooks", "base", GROUP)
    sink.run()
    if restarted:
        # What a dead letter is about may have been under way when its process ended.
        sink.pass_time(30)

    assert service.held("prices") == {f"A in {GROUP}": "1", "B in base": "1"}
    assert sink.letters("prices") == {}


def test_prices_are_released_although_their_book_came_while_nobody_was_there(
    service: Service, sink: TreeDrive
) -> None:
    """The book's status was written, and the process died before the prices went."""
    put(sink, "prices", "A in base")
    sink.run()
    sink.pass_time(GRACE_S)
    put(sink, "priceBooks", "base")
    sink.scan()
    sink.land(sink.fly())
    sink.commit()

    successor = TreeDrive(service, after=sink, clean=False)
    successor.pass_time(40)

    assert service.held("prices") == {"A in base": "1"}
    assert successor.letters("prices") == {}


def test_many_prices_without_a_book_do_not_stop_the_feed(service: Service) -> None:
    """The guard is for items that fail; these only wait."""
    sink = TreeDrive(service, rules=Rules(guard_percent=10))
    put(sink, "prices", *(f"{n} in nowhere" for n in range(300)))
    sink.run()
    sink.pass_time(GRACE_S)

    put(sink, "priceBooks", "base")
    put(sink, "prices", "A in base")
    sink.run()

    assert len(sink.letters("prices")) == 300
    assert service.held("prices") == {"A in base": "1"}
    assert sink.delivery.complaints == []


def test_a_book_whose_change_is_refused_still_carries_its_prices(service: Service, sink: TreeDrive) -> None:
    """The service goes on holding what it had."""
    put(sink, "priceBooks", "base")
    sink.run()
    service.bad = {"base"}
    sink.put("priceBooks", "base", "refused")
    sink.run()

    put(sink, "prices", "A in base")
    sink.run()

    assert sink.outcomes("priceBooks") == {"base": "attention"}
    assert service.held("prices") == {"A in base": "1"}


def force_all(sink: TreeDrive, address: Address) -> None:
    """What `resync --feed all --no-reindex --force` says."""
    sink.now += 1
    runs = [Reconcile("t", feed, "force", sink.wall_ms) for feed in FEEDS]
    commands = [(reconcile_key(run), msgspec.json.encode(run)) for run in runs]
    sink.say(*commands, (address_key("t"), msgspec.json.encode(address)))


def land_in_the_worst_order(sink: TreeDrive) -> None:
    """Of all that may be under way at once, prices arrive first."""
    flying = []
    for _ in range(10):
        flying += sink.fly()
        sink.commit()
    sink.land(sorted(flying, key=attrgetter("feed"), reverse=True))


def test_at_a_new_address_prices_wait_for_their_books_though_statuses_say_delivered(
    sink: TreeDrive,
) -> None:
    """They were accepted elsewhere; here a price without its book is lost."""
    put(sink, "priceBooks", "base")
    put(sink, "prices", "A in base", "B in base")
    sink.run()
    elsewhere, address = Service(), Address("t", "https://other.example.com")
    moved = TreeDrive(elsewhere, after=sink, address=address)
    put(moved, "prices", "C in base")
    moved.run()
    force_all(moved, address)
    moved.commit()
    land_in_the_worst_order(moved)
    moved.pass_time(30)

    assert elsewhere.held("prices") == {"A in base": "1", "B in base": "1", "C in base": "1"}


def test_at_a_new_address_prices_wait_for_books_of_the_run_that_names_all(sink: TreeDrive) -> None:
    """Before the address was confirmed somebody asked for one book by its name; that run ends first."""
    put(sink, "priceBooks", "base", "us")
    put(sink, "prices", "A in base", "A in us")
    sink.run()
    sink.pass_time(400)
    elsewhere, address = Service(), Address("t", "https://other.example.com")
    moved = TreeDrive(elsewhere, after=sink, address=address)
    one = Reconcile("t", "priceBooks", "force", moved.wall_ms, ids=("us",))
    moved.say((reconcile_key(one), msgspec.json.encode(one)))
    moved.run()
    moved.now += 1
    force_all(moved, address)
    flying = []
    for _ in range(10):
        requests = moved.fly()
        moved.land(request for request in requests if request.items[0].key == key_of("priceBooks", "us"))
        flying += [request for request in requests if request.items[0].key != key_of("priceBooks", "us")]
        moved.commit()
        moved.now += 5
    moved.land(sorted(flying, key=attrgetter("feed"), reverse=True))
    moved.pass_time(300)

    assert elsewhere.held("prices") == {"A in base": "1", "A in us": "1"}


def test_at_a_new_address_that_refuses_a_book_its_prices_wait_visibly(sink: TreeDrive) -> None:
    """Also over a restart; what the old address held of the book says nothing."""
    put(sink, "priceBooks", "base")
    put(sink, "prices", "A in base")
    sink.run()
    elsewhere, address = Service(), Address("t", "https://other.example.com")
    elsewhere.bad = {"base"}
    moved = TreeDrive(elsewhere, after=sink, address=address)
    force_all(moved, address)
    moved.commit()
    moved = TreeDrive(elsewhere, after=moved, address=address, clean=False)
    moved.pass_time(60)
    waits = moved.letters("prices")["A in base"].error
    elsewhere.bad = set()
    moved.delivery.retry("priceBooks", moved.wall_ms, None, [])
    moved.run()

    assert waits == "waits for price book base"
    assert elsewhere.held("prices") == {"A in base": "1"}


@pytest.mark.parametrize("ends", ["accepted", "cancelled"])
def test_set_aside_prices_go_when_their_book_is_believed_again(
    service: Service, sink: TreeDrive, ends: str
) -> None:
    """It goes by force, and nobody believes its status until it is accepted, or the run is called off."""
    put(sink, "priceBooks", "base")
    sink.pass_time(300)
    run = Reconcile("t", "priceBooks", "force", sink.wall_ms)
    sink.delivery.pause("priceBooks", True)
    sink.delivery.reconcilers["priceBooks"].ask(run)
    put(sink, "prices", "A in base")
    sink.scan()
    sink.fly()
    sink.now += 2 * GRACE_S
    sink.fly()
    sink.commit()
    waits = sink.letters("prices")["A in base"].error
    if ends == "cancelled":
        sink.delivery.reconcilers["priceBooks"].cancel(run.requested_ms)
    sink.delivery.pause("priceBooks", False)
    sink.run()

    assert waits == "waits for price book base"
    assert service.held("prices") == {"A in base": "1"}
    assert sink.letters("prices") == {}


@pytest.mark.parametrize(("kind", "ids"), [("replay", ()), ("force", ("us",)), ("differences", ())])
def test_prices_do_not_wait_for_books_that_go_again_at_the_same_address(
    service: Service, sink: TreeDrive, kind: Any, ids: tuple[str, ...]
) -> None:
    """The service holds them: only where all are sent by force it may be another one."""
    put(sink, "priceBooks", "base", "us")
    sink.pass_time(300)
    sink.delivery.pause("priceBooks", True)
    sink.delivery.reconcilers["priceBooks"].ask(Reconcile("t", "priceBooks", kind, sink.wall_ms, ids=ids))

    put(sink, "prices", "A in base")
    sink.run()

    assert service.held("prices") == {"A in base": "1"}


def test_a_book_that_an_audit_names_goes_before_its_prices(sink: TreeDrive) -> None:
    """It may be gone from the target, and its prices with it."""
    put(sink, "priceBooks", "base")
    put(sink, "prices", "A in base")
    sink.run()
    sink.pass_time(400)
    emptied = sink.service = Service()
    for feed, name in (("prices", "A in base"), ("priceBooks", "base")):
        item = ResendItem(key_of(feed, name).decode(), 0, 0)
        sink.say(
            (RESEND_PREFIX + feed.encode(), msgspec.json.encode(Resend("t", feed, sink.wall_ms, (item,))))
        )
    land_in_the_worst_order(sink)
    sink.pass_time(30)
    held = emptied.held("prices")
    sink.pass_time(400)

    assert held == {"A in base": "1"}
    # The second price is because the service may not have had its book yet.
    assert [name for _, name in emptied.sent] == ["base", "A in base", "A in base"]


def test_prices_go_at_once_where_somebody_else_keeps_the_books(service: Service) -> None:
    sink = TreeDrive(service, feeds=("prices",))
    put(sink, "prices", "A in main")

    sink.run()

    assert service.held("prices") == {"A in main": "1"}


@pytest.mark.parametrize("restarted", [False, True])
def test_prices_sent_soon_after_their_books_creation_go_once_more(
    service: Service, sink: TreeDrive, restarted: bool
) -> None:
    """The service takes a book and makes it later; a price that came in between is lost there."""
    put(sink, "priceBooks", "base")
    sink.run()
    if restarted:
        sink = TreeDrive(service, after=sink)
    sink.pass_time(100)
    put(sink, "prices", "A in base")
    sink.run()
    sink.pass_time(21)
    put(sink, "prices", "B in base")
    sink.pass_time(300)

    assert service.sent == [("upsert", "base"), *[("upsert", "A in base")] * 2, ("upsert", "B in base")]


# Deletes that take others along.


def test_nothing_below_is_sent_while_a_delete_above_is_not_settled(service: Service, sink: TreeDrive) -> None:
    put(sink, "categories", "men", "men/tops")
    sink.run()
    tombstones(sink, "categories", "men")
    sink.scan()
    deletes = sink.fly()
    sink.put("categories", "men/tops", "new")
    sink.put("categories", "mention", "other")
    sink.scan()

    meanwhile = [item.key for request in sink.fly() for item in request.items]
    sink.land(deletes)
    sink.run()

    assert [request.operation for request in deletes] == ["delete"]
    assert [b"mention" in key for key in meanwhile] == [True]
    assert service.held("categories")["men/tops"] == "new"


def test_a_delete_waits_for_requests_below_it(service: Service, sink: TreeDrive) -> None:
    """An upsert that is applied behind it would stay."""
    put(sink, "priceBooks", "base")
    sink.run()
    put(sink, "prices", "A in base")
    sink.scan()
    prices = sink.fly()
    tombstones(sink, "priceBooks", "base")
    sink.scan()

    meanwhile = sink.fly()
    sink.land(prices)
    sink.pass_time(1)

    assert meanwhile == []
    assert service.sent == [("upsert", "base"), ("upsert", "A in base"), ("delete", "base")]


def test_a_delete_settles_what_is_below_and_its_own_deletes_need_no_request(
    service: Service, sink: TreeDrive
) -> None:
    put(sink, "priceBooks", "base", GROUP)
    put(sink, "prices", "A in base", f"A in {GROUP}")
    sink.pass_time(300)

    tombstones(sink, "priceBooks", "base")
    sink.run()
    outcomes = sink.outcomes("priceBooks") | sink.outcomes("prices")
    tombstones(sink, "priceBooks", GROUP)
    tombstones(sink, "prices", "A in base", f"A in {GROUP}")
    sink.pass_time(400)

    assert set(outcomes.values()) == {"deleted"}
    assert [name for operation, name in service.sent if operation == "delete"] == ["base"]
    assert service.held("prices") == service.held("priceBooks") == {}


def test_a_delete_below_is_sent_where_nobody_knows_that_the_item_fell(
    service: Service, sink: TreeDrive
) -> None:
    """What stood above was never there, as far as we know: the service may not have taken anything along."""
    put(sink, "categories", "men/tops")
    sink.run()

    tombstones(sink, "categories", "men")
    sink.run()
    tombstones(sink, "categories", "men/tops")
    sink.run()

    assert service.held("categories") == {}
    assert sink.outcomes("categories") == {"men": "deleted", "men/tops": "deleted"}


@pytest.mark.parametrize("restarted", [False, True])
def test_what_fell_with_a_delete_and_is_not_deleted_comes_back_by_itself(
    service: Service, sink: TreeDrive, restarted: bool
) -> None:
    """Its own record says that it is there, and no record of it may come."""
    put(sink, "categories", "men", "men/tops")
    sink.run()
    tombstones(sink, "categories", "men")
    sink.run()
    fallen = service.held("categories")
    if restarted:
        sink = TreeDrive(service, after=sink)

    sink.pass_time(130)

    assert fallen == {}
    assert service.held("categories") == {"men/tops": "1"}
    assert sink.outcomes("categories") == {"men": "deleted", "men/tops": "delivered"}


@pytest.mark.parametrize("restarted", [False, True])
def test_what_fell_comes_back_though_its_record_was_written_anew(
    service: Service, sink: TreeDrive, restarted: bool
) -> None:
    """With the same content, which is not sent; the record that was sent is compacted away."""
    put(sink, "categories", "men", "men/tops")
    sink.run()
    put(sink, "categories", "men/tops")
    sink.run()
    del sink.logs["categories"][1]
    tombstones(sink, "categories", "men")
    sink.run()
    if restarted:
        sink = TreeDrive(service, after=sink)

    sink.pass_time(130)

    assert service.sent.count(("upsert", "men/tops")) == 2
    assert service.held("categories") == {"men/tops": "1"}


def test_what_fell_while_its_second_send_was_due_comes_back_all_the_same(
    service: Service, sink: TreeDrive
) -> None:
    """It was accepted behind a lost answer; what goes again is what its record says, no delete."""
    put(sink, "categories", "men")
    sink.run()
    service.answers = [LOST]
    put(sink, "categories", "men/tops")
    sink.pass_time(20)
    due = sink.statuses("categories")["men/tops"].again_ms
    tombstones(sink, "categories", "men")

    sink.pass_time(300)

    assert due is not None
    assert service.held("categories") == {"men/tops": "1"}
    assert sink.outcomes("categories") == {"men": "deleted", "men/tops": "delivered"}


@pytest.mark.parametrize("deleted", [False, True])
def test_what_fell_and_is_named_by_an_audit_goes_as_the_feed_has_it(
    service: Service, sink: TreeDrive, deleted: bool
) -> None:
    """Its status says that it is gone from the target, not that it should be."""
    put(sink, "categories", "men", "men/tops")
    sink.run()
    tombstones(sink, "categories", "men")
    sink.run()
    sink.now += 5
    if deleted:
        sink.logs["categories"].pop(1)
    item = ResendItem(key_of("categories", "men/tops").decode(), 0, -1 if deleted else 1)
    value = msgspec.json.encode(Resend("t", "categories", sink.wall_ms, (item,)))

    sink.say((RESEND_PREFIX + b"1", value))
    sink.pass_time(300)

    assert service.held("categories") == ({} if deleted else {"men/tops": "1"})
    assert sink.outcomes("categories")["men/tops"] == ("deleted" if deleted else "delivered")


def test_what_fell_and_came_back_still_goes_a_second_time(service: Service, sink: TreeDrive) -> None:
    """A request that was lost before may arrive behind the return of what stands above."""
    put(sink, "categories", "men")
    sink.run()
    service.answers = [LOST]
    sink.put("categories", "men/tops", "old")
    sink.scan()
    lost = sink.fly()
    sink.land(lost)
    sink.put("categories", "men/tops", "new")
    sink.pass_time(40)
    tombstones(sink, "categories", "men")
    sink.pass_time(1)
    put(sink, "categories", "men")
    sink.pass_time(1)
    before = service.held("categories")

    service.apply(lost[0])
    sink.pass_time(300)

    assert before == {"men": "1", "men/tops": "new"}
    assert service.held("categories") == {"men": "1", "men/tops": "new"}


@pytest.mark.parametrize("restarted", [False, True])
def test_what_must_not_come_back_with_its_parent_is_deleted_again(
    service: Service, sink: TreeDrive, restarted: bool
) -> None:
    """The service restores a week's deletes as they were, and one of them is still deleted here."""
    put(sink, "categories", "men", "men/tops", "men/shirts")
    sink.run()
    tombstones(sink, "categories", "men", "men/tops", "men/shirts")
    sink.run()
    sink.pass_time(6 * DAY_S, step=DAY_S)
    if restarted:
        sink = TreeDrive(service, after=sink)

    put(sink, "categories", "men")
    sink.put("categories", "men/shirts", "new")
    sink.pass_time(1)

    assert service.held("categories") == {"men": "1", "men/shirts": "new"}


def test_it_is_deleted_again_although_the_process_dies_in_between(service: Service, sink: TreeDrive) -> None:
    """The parent's status was written, the deletes had not gone."""
    put(sink, "priceBooks", "base")
    put(sink, "prices", "A in base")
    sink.run()
    tombstones(sink, "priceBooks", "base")
    tombstones(sink, "prices", "A in base")
    sink.run()
    put(sink, "priceBooks", "base")
    sink.scan()
    sink.land(sink.fly())
    sink.commit()
    restored = service.held("prices")

    successor = TreeDrive(service, after=sink, clean=False)
    successor.pass_time(40)

    assert restored == {"A in base": "1"}
    assert service.held("prices") == {}


def test_it_is_deleted_again_although_the_return_was_refused_at_first(
    service: Service, sink: TreeDrive
) -> None:
    """What the parent's status says then is that it failed, no more that it was deleted."""
    put(sink, "categories", "men", "men/tops")
    sink.run()
    tombstones(sink, "categories", "men", "men/tops")
    sink.run()
    service.bad = {"men"}
    put(sink, "categories", "men")
    sink.run()
    failed = sink.outcomes("categories")["men"]
    service.bad = set()

    sink.put("categories", "men", "mended")
    sink.run()

    assert failed == "attention"
    assert service.held("categories") == {"men": "mended"}


def test_a_delete_that_waits_while_its_parent_returns_is_not_taken_as_done(
    service: Service, sink: TreeDrive
) -> None:
    """The tombstone below comes between the parent's delete and its return."""
    put(sink, "categories", "men", "men/tops")
    sink.run()
    tombstones(sink, "categories", "men")
    sink.run()
    put(sink, "categories", "men")
    sink.scan()
    returns = sink.fly()
    tombstones(sink, "categories", "men/tops")
    sink.scan()
    sink.fly()
    sink.land(returns)
    restored = service.held("categories")
    sink.pass_time(10)

    assert restored == {"men": "1", "men/tops": "1"}
    assert service.held("categories") == {"men": "1"}


def test_what_was_sent_behind_a_lost_delete_goes_once_more(service: Service, sink: TreeDrive) -> None:
    """The lost request may take effect late, and take along what came since."""
    put(sink, "categories", "men", "men/tops")
    sink.run()
    service.answers = [LOST]
    tombstones(sink, "categories", "men")
    sink.scan()
    lost = sink.fly()
    sink.land(lost)
    put(sink, "categories", "men")
    sink.put("categories", "men/tops", "new")
    sink.pass_time(40)
    before = service.held("categories")
    service.apply(lost[0])
    service.gives_nothing_back()

    sink.pass_time(300)

    assert before == {"men": "1", "men/tops": "new"}
    assert service.held("categories") == {"men": "1", "men/tops": "new"}


def test_deletes_are_remembered_as_long_as_they_can_be_undone(service: Service, sink: TreeDrive) -> None:
    """Eight days; then the topic need not hold them."""
    put(sink, "categories", "men")
    sink.run()
    tombstones(sink, "categories", "men")
    sink.run()
    sink.pass_time(7.9 * DAY_S, step=DAY_S / 10)
    remembered = sink.outcomes("categories")
    sink.pass_time(0.2 * DAY_S, step=DAY_S / 10)

    assert remembered == {"men": "deleted"}
    assert sink.outcomes("categories") == {}
    put(sink, "categories", "men")
    sink.run()
    assert service.held("categories") == {"men": "1"}


def test_what_became_of_fallen_items_while_their_website_was_off_is_told_when_it_is_on(
    service: Service, sink: TreeDrive
) -> None:
    """Their records meant nothing to the target then; the book brings back prices that are gone by now."""
    put(sink, "priceBooks", "base")
    put(sink, "prices", "deleted in base", "changed in base", "same in base")
    sink.run()
    sink.switch("base", enabled=False)
    while_off = service.held("prices")
    tombstones(sink, "prices", "deleted in base")
    sink.put("prices", "changed in base", "2")
    sink.run()
    requests = len(service.requests)

    sink.switch("base", enabled=True)
    at_once = service.held("prices")
    sink.pass_time(300)

    wanted = {"changed in base": "2", "same in base": "1"}
    assert while_off == {}
    assert (at_once, service.held("prices")) == (wanted, wanted)
    assert ("upsert", "deleted in base") not in [
        (operation, name) for _, operation, names in service.requests[requests:] for name in names
    ]


# What the service has no name for.


LONG = f"{'w' * 30}::g{'1' * 39}"


@pytest.mark.parametrize(
    ("feed", "name"), [("categories", "Men_Tops"), ("priceBooks", LONG), ("prices", f"A in {LONG}")]
)
@pytest.mark.parametrize("clean", [True, False])
def test_what_could_never_be_sent_leaves_no_dead_letter_when_it_is_gone(
    service: Service, sink: TreeDrive, feed: str, name: str, clean: bool
) -> None:
    """The url key or website code was corrected, as the letter asks: the old name needs no delete."""
    put(sink, feed, name)
    sink.run()
    parked = sink.outcomes(feed)
    tombstones(sink, feed, name)

    successor = TreeDrive(service, after=sink, clean=clean)
    successor.run()

    assert parked == {name: "attention"}
    assert successor.outcomes(feed) == {name: "deleted"}
    assert (successor.letters(feed), service.requests) == ({}, [])
