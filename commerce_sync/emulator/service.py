"""What every emulated service is to the application, and the steps of a request they share."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from commerce_sync.emulator.body import (
    BODY_BYTES_MAX,
    BodyTooLarge,
    BodyUnreadable,
    Items,
    inflate,
    read_items,
)
from commerce_sync.emulator.exchange import (
    Answer,
    Refused,
    Request,
    method_not_allowed,
    not_found,
    too_large,
    too_many_requests,
    unsupported_media_type,
)
from commerce_sync.emulator.validation import Finding

Condemned = Callable[[Any], bool]


class Service(Protocol):
    """One ingestion service behind one path; nothing of it knows a socket."""

    @property
    def prefix(self) -> str:
        """First segment of every path it serves, with its slash: /demo."""

    @property
    def feeds(self) -> Mapping[str, str]:
        """Its feeds by name, each with the name it is stored under."""

    @property
    def refusals(self) -> Mapping[int, Answer]:
        """What it answers with a status, where it has a shape of its own; fault rules use it."""

    def handle(self, request: Request, condemned: Condemned | None = None) -> Answer:
        """Judge a request and store what is good of it before answering.

        Args:
            condemned: says of an item whether a fault rule wants it refused.
        """


def items_of(request: Request, unreadable: Callable[[str], Answer]) -> Items:
    """Read a request's items, at least one.

    Args:
        unreadable: makes the service's answer to a body that holds no items.

    Raises:
        Refused: with the answer to give.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(unsupported_media_type("Content-Type must be application/json"))
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise Refused(unsupported_media_type("Content-Encoding must be gzip or absent"))
    try:
        items = read_items(inflate(request.body) if encoding == "gzip" else request.body)
    except BodyTooLarge as error:
        raise Refused(too_large(BODY_BYTES_MAX)) from error
    except BodyUnreadable as error:
        raise Refused(unreadable(str(error))) from error
    if not items.values:
        raise Refused(unreadable("Request body holds no items"))
    return items


def skus_of(request: Request) -> frozenset[str]:
    """The SKUs a request names, if it can be read at all."""
    try:
        values = items_of(request, lambda _: not_found()).values
    except Refused:
        return frozenset()
    return frozenset(str(item["sku"]) for item in values if isinstance(item, dict) and "sku" in item)


def beyond_limit(items: Items, items_max: int) -> list[Finding]:
    """A finding for each item past what one request may hold."""
    message = f"items limit exceeded: at most {items_max} items in one request"
    beyond = range(items_max, len(items.values))
    return [Finding(index, "items_limit_exceeded", message) for index in beyond]


def condemnation(index: int, item: Any) -> Finding:
    """What a fault rule finds wrong with an item."""
    return Finding(index, "sku", "refused by a fault rule", str(item.get("sku", "")))


def pass_or_refuse(retry_after_s: int | None) -> None:
    """Go on when an allowance granted, else answer 429."""
    if retry_after_s is not None:
        raise Refused(too_many_requests(retry_after_s))


def unserved(allowed: list[str]) -> Refused:
    """The refusal of a path, or of a method where others are allowed."""
    return Refused(method_not_allowed(allowed) if allowed else not_found())


def with_count(answer: Answer, item_count: int) -> Answer:
    """A refusal as the log tells it: so many items came, none was taken."""
    return replace(answer, item_count=item_count, identities=None)
