"""The saas dialect: from a request to its answer, as the SaaS feed ingestion service gives it."""

from collections.abc import Callable
from typing import Any, Final

import jsonschema_rs
import msgspec

from commerce_sync.emulator.body import Items, content_of, on_one_line
from commerce_sync.emulator.exchange import Answer, Refused, Request, json_answer
from commerce_sync.emulator.limits import MinuteAllowance
from commerce_sync.emulator.service import (
    Condemned,
    beyond_limit,
    condemnation,
    items_of,
    pass_or_refuse,
    unserved,
    with_count,
)
from commerce_sync.emulator.signatures import Signatures, environment_differs, signature_invalid
from commerce_sync.emulator.storage import Storage
from commerce_sync.emulator.validation import Finding, findings
from schemas.services.saas import FEEDS, ROUTES, STAMPS, Route, identity, is_delete, item_schema
from schemas.services.shapes import Identity

PREFIX: Final = "/feeds"
ENVIRONMENT: Final = "demo"
_ROUTES: Final = {f"{PREFIX}{route.path}/{ENVIRONMENT}": route for route in ROUTES}
_METHODS: Final = ["POST"]


def _failed(wrong: list[Finding], **members: str) -> Answer:
    """No item is taken."""
    return json_answer(400, {"feedItemReceivedCount": 0, "invalidFeedItems": wrong, **members})


def _unreadable(message: str) -> Answer:
    return _failed([], message=message)


class Saas:
    """The service behind `/feeds`. Implements service.Service.

    Each item is judged by itself: the good ones of a request are taken although others are refused.
    """

    prefix = PREFIX
    feeds: Final = {feed: f"saas/{feed}" for feed in FEEDS}
    refusals: Final = {400: _unreadable("Refused by a fault rule"), 403: signature_invalid()}

    def __init__(
        self,
        storage: Storage,
        signatures: Signatures,
        clock: Callable[[], float],
        requests_per_minute: int = 0,
        products_per_minute: int = 0,
    ) -> None:
        self._storage = storage
        self._signatures = signatures
        self._requests = MinuteAllowance(requests_per_minute, clock)
        self._products = MinuteAllowance(products_per_minute, clock)
        self._validators = {
            (route.path, operation): jsonschema_rs.Draft202012Validator(
                {"type": "array", "items": item_schema(route, operation)}
            )
            for route in ROUTES
            for operation in ("upsert", "delete")
        }

    def handle(self, request: Request, condemned: Condemned | None = None) -> Answer:
        item_count = 0
        try:
            route = _route(request)
            self._authorize(request)
            pass_or_refuse(self._requests.take())
            items = items_of(request, _unreadable)
            item_count = len(items.values)
            wrong = self._findings(route, items, condemned)
            refused = {finding.item_index for finding in wrong}
            if len(refused) == item_count or item_count > route.items_max:
                raise Refused(_failed(wrong))
            if "products" in route.feeds:
                pass_or_refuse(self._products.take(item_count))
        except Refused as refusal:
            return with_count(refusal.answer, item_count)
        taken = [index for index in range(item_count) if index not in refused]
        identities = self._take(route, items, taken)
        contents = tuple(_content(route, items.values[index]) for index in taken)
        content = {"feedItemReceivedCount": len(taken), "invalidFeedItems": wrong}
        return json_answer(200, content, item_count=item_count, identities=identities, contents=contents)

    def _authorize(self, request: Request) -> None:
        refusal = self._signatures.refusal(request.headers)
        if refusal is not None:
            raise Refused(refusal)
        # Some pages name this header, the description does not; when it comes it must be true.
        if request.headers.get("magento-environment-id", ENVIRONMENT) != ENVIRONMENT:
            raise Refused(environment_differs())

    def _findings(self, route: Route, items: Items, condemned: Condemned | None) -> list[Finding]:
        if len(items.values) > route.items_max:
            return beyond_limit(items, route.items_max)
        wrong = [
            *self._findings_among(route, "upsert", items, deletes=False),
            *self._findings_among(route, "delete", items, deletes=True),
        ]
        if condemned is not None:
            broken = {finding.item_index for finding in wrong}
            wrong += [
                condemnation(index, item)
                for index, item in enumerate(items.values)
                if index not in broken and condemned(item)
            ]
        return sorted(wrong, key=lambda finding: finding.item_index)

    def _findings_among(self, route: Route, operation: str, items: Items, *, deletes: bool) -> list[Finding]:
        """What is wrong with the updates, or with the deletes, by their places in the request."""
        places = [index for index, item in enumerate(items.values) if is_delete(item) == deletes]
        chosen = [items.values[index] for index in places]
        return [
            msgspec.structs.replace(finding, item_index=places[finding.item_index])
            for finding in findings(self._validators[route.path, operation], chosen)
        ]

    def _take(self, route: Route, items: Items, taken: list[int]) -> tuple[Identity, ...]:
        """Store what was found good, item by item: the last of one identity counts."""
        identities = []
        with self._storage.transaction():
            for index in taken:
                item = items.values[index]
                feed = _feed(route, item)
                name = identity(feed, item)
                identities.append(name)
                if feed == "products" and self._is_stale(feed, name, item):
                    continue
                if is_delete(item):
                    self._storage.remove(self.feeds[feed], [name])
                else:
                    self._storage.put(self.feeds[feed], [(name, on_one_line(items.raw[index]))])
        return tuple(identities)

    def _is_stale(self, feed: str, name: Identity, item: dict[str, Any]) -> bool:
        """Taken and then ignored: "To send a product update, the new value must be greater"."""
        stored = self._storage.get(self.feeds[feed], name)
        stamp = STAMPS[feed]
        return stored is not None and item[stamp] <= msgspec.json.decode(stored)[stamp]


def _content(route: Route, item: dict[str, Any]) -> str:
    """What an item says, whenever it was sent."""
    stamp = STAMPS[_feed(route, item)]
    return content_of(msgspec.json.encode({name: value for name, value in item.items() if name != stamp}))


def _route(request: Request) -> Route:
    route = _ROUTES.get(request.path)
    if route is None or request.method not in _METHODS:
        raise unserved(_METHODS if route is not None else [])
    return route


def _feed(route: Route, item: dict[str, Any]) -> str:
    """Two feeds share the scopes route; a website or a customer group tells which it is."""
    if len(route.feeds) == 1:
        return route.feeds[0]
    return "scopesWebsite" if "website" in item else "scopesCustomerGroup"
