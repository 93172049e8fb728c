"""The optimizer dialect: from a request to its answer, as the Catalog Data Ingestion API gives it."""

from collections.abc import Callable
from typing import Any, Final

import jsonschema_rs

from commerce_sync.emulator.body import Items, content_of
from commerce_sync.emulator.exchange import (
    Answer,
    Refused,
    Request,
    json_answer,
    not_found,
    token_invalid,
    token_missing,
)
from commerce_sync.emulator.limits import MinuteAllowance
from commerce_sync.emulator.optimizer_catalog import Catalog
from commerce_sync.emulator.service import (
    Condemned,
    beyond_limit,
    condemnation,
    items_of,
    pass_or_refuse,
    unserved,
    with_count,
)
from commerce_sync.emulator.storage import Storage
from commerce_sync.emulator.tokens import Tokens
from commerce_sync.emulator.validation import Finding, findings
from schemas.services.optimizer import FEEDS, PRODUCT_BYTES_MAX, ROUTES, Route, request_schema

TENANT: Final = "/demo"
_ROUTES: Final = {(TENANT + route.path, route.method): route for route in ROUTES}


def _failed(message: str, errors: list[Finding]) -> Answer:
    return json_answer(400, {"status": "FAILED", "message": message, "errors": errors})


class Optimizer:
    """The service behind `/demo`. Implements service.Service."""

    prefix = TENANT
    feeds: Final = {feed: feed for feed in FEEDS}
    refusals: Final = {
        400: _failed("Refused by a fault rule", []),
        401: token_invalid(),
        403: token_missing(),
        404: not_found(),
    }

    def __init__(
        self,
        storage: Storage,
        tokens: Tokens,
        clock: Callable[[], float],
        requests_per_minute: int = 0,
        products_per_minute: int = 0,
    ) -> None:
        self._catalog = Catalog(storage, clock)
        self._tokens = tokens
        self._requests = MinuteAllowance(requests_per_minute, clock)
        self._products = MinuteAllowance(products_per_minute, clock)
        self._validators = {
            (route.feed, route.operation): jsonschema_rs.Draft202012Validator(
                request_schema(route.feed, route.operation)
            )
            for route in ROUTES
        }

    def handle(self, request: Request, condemned: Condemned | None = None) -> Answer:
        item_count = 0
        try:
            route = _route(request)
            self._authorize(request)
            pass_or_refuse(self._requests.take())
            items = items_of(request, lambda message: _failed(message, []))
            item_count = len(items.values)
            wrong = self._findings(route, items, condemned)
            if wrong:
                raise Refused(_rejected(wrong))
            if route.feed == "products":
                pass_or_refuse(self._products.take(item_count))
        except Refused as refused:
            return with_count(refused.answer, item_count)
        identities = self._catalog.apply(route, items)
        content = {"status": "ACCEPTED", "acceptedCount": item_count}
        contents = tuple(map(content_of, items.raw))
        return json_answer(200, content, item_count=item_count, identities=identities, contents=contents)

    def _authorize(self, request: Request) -> None:
        authorization = request.headers.get("authorization", "")
        if not authorization:
            raise Refused(token_missing())
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._tokens.holds(token.strip()):
            raise Refused(token_invalid())

    def _findings(self, route: Route, items: Items, condemned: Condemned | None) -> list[Finding]:
        if len(items.values) > route.items_max:
            return beyond_limit(items, route.items_max)
        wrong = findings(self._validators[route.feed, route.operation], items.values)
        broken = {finding.item_index for finding in wrong}
        for index, item in enumerate(items.values):
            if index not in broken:
                wrong += _beyond_schema(route, index, item, items.raw[index])
                if condemned is not None and condemned(item):
                    wrong.append(condemnation(index, item))
        return sorted(wrong, key=lambda finding: finding.item_index)


def _route(request: Request) -> Route:
    route = _ROUTES.get((request.path, request.method))
    if route is not None:
        return route
    raise unserved(sorted(method for path, method in _ROUTES if path == request.path))


def _beyond_schema(route: Route, index: int, item: dict[str, Any], raw: bytes) -> list[Finding]:
    """The rules that stand in the service's prose only."""
    if route.feed != "products" or route.operation == "delete":
        return []
    wrong = []
    if len(raw) > PRODUCT_BYTES_MAX:
        message = f"product payload of {len(raw)} bytes is larger than {PRODUCT_BYTES_MAX} bytes"
        wrong.append(Finding(index, "item_size_exceeded", message, item["sku"]))
    seen: set[str] = set()
    for child in (child["sku"] for bundle in item.get("bundles", ()) for child in bundle["items"]):
        if child in seen:
            wrong.append(Finding(index, "bundles", "Duplicate SKU found in bundle items", child))
        seen.add(child)
    return wrong


def _rejected(wrong: list[Finding]) -> Answer:
    count = len({finding.item_index for finding in wrong})
    return _failed(f"Items validation failed for {count} items", wrong)
