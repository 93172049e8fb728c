"""What a target speaks, pure: item in, request parts out; answer in, verdicts out."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from consumers.sink.settle import Answer, Verdict
from schemas.services.shapes import Identity

Members = Mapping[str, Any]


class Stamp(NamedTuple):
    """A member that holds the time of sending, UTC, in a form of strftime. No part of the content."""

    member: str
    form: str


class Dialect(Protocol):
    """One ingestion service's language. A *payload* is an item as the service takes it."""

    def wants(self, feed: str, key: Members) -> bool:
        """False for a feed record's key that the service is never told of, be it there or deleted."""

    def payload(self, feed: str, item: Members) -> dict[str, Any]:
        """The item as the service takes it, without its stamp.

        Raises:
            Unmappable: the service would refuse it; the reason names the member.
        """

    def delete_members(self, feed: str, payload: Members) -> dict[str, Any]:
        """What a delete of this payload must say and the feed record's key does not tell.

        It is kept with the item's status; where it is empty, the key alone is enough.
        """

    def delete_needs_members(self, feed: str) -> bool:
        """False where the key alone is always enough."""

    def delete_payload(self, feed: str, key: Members, members: Members | None = None) -> dict[str, Any]:
        """What names the item of a feed record's key in a delete.

        Args:
            members: `delete_members` of the payload that the target was given last under this key.

        Raises:
            Unmappable: the service needs more to delete the item than is known of it.
        """

    def identity(self, feed: str, payload: Members) -> Identity:
        """What names a payload, a delete's too, at the service: order is kept among equal ones."""

    def feed_key(self, feed: str, payload: Members) -> dict[str, Any] | None:
        """The feed record's key of a payload that the service holds; None where the payload does not tell."""

    def identity_moves(self, feed: str) -> bool:
        """True where one identity at the service can come under another key of the feed, or a key bring
        another identity than before.

        The tombstone of the key it left must not delete what another key has brought since; what no key
        brings any more has to be deleted.
        """

    def stands_below(self, feed: str) -> bool:
        """False where nothing stands above any item of a feed."""

    def above(self, feed: str, key: Members) -> Sequence[tuple[str, bytes]]:
        """Feeds and record keys of what an item stands below, nearest first.

        The delete of any of them deletes the item at the service; created again soon, it brings it back.
        """

    def below(self, feed: str) -> Sequence[str]:
        """Feeds whose items may stand below an item of this one."""

    def stands_on(self, feed: str) -> bool:
        """True where an item is lost unless the service has what is above it."""

    def stamp(self, feed: str) -> Stamp | None:
        """What a payload says of when it is sent; None: nothing.

        A service that asks for it may ignore what is no newer, by whole seconds, than what it holds: the
        next content of an identity needs a later second than the last.
        """

    def path(self, feed: str, operation: str) -> str:
        """Path below the target's URL; `operation` is upsert or delete."""

    def item_bytes_max(self, feed: str) -> int:
        """Largest JSON text of one item."""

    def judge(self, answer: Answer, items: int) -> Verdict:
        """What an answer to a request of `items` items means for each of them."""


class Unmappable(ValueError):
    """The item cannot be said in this dialect; it waits for attention until its content changes."""


def required(item: Members, member: str) -> str:
    """Read a text the service insists on.

    Raises:
        Unmappable: it is absent or empty.
    """
    value = item[member]
    if not value:
        message = f"{member} is missing, the service needs it: set it in the shop"
        raise Unmappable(message)
    return str(value)


def present(members: Members) -> dict[str, Any]:
    """Members that have a value."""
    return {name: value for name, value in members.items() if value is not None}


def lines(text: str | None) -> list[str] | None:
    """Keywords as the shop keeps them: one a line; None stays None."""
    return None if text is None else [line.strip() for line in text.splitlines() if line.strip()]


def amounts(given: Sequence[Members], named_by: str) -> list[dict[str, Any]]:
    """Discounts or tiers as services take them: each worth a price or a percentage.

    Raises:
        Unmappable: one is worth neither.
    """
    for amount in given:
        if amount["price"] is None and amount["percentage"] is None:
            message = (
                f"{named_by} {amount[named_by]} has neither a price nor a percentage: save the price again"
            )
            raise Unmappable(message)
    return [present(amount) for amount in given]
