"""The optimizer dialect: from a request to its answer, as the Catalog Data Ingestion API gives it."""

from collections.abc import Callable
from typing import Any, Final

import jsonschema_rs

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
    gateway_answer,
    json_answer,
    method_not_allowed,
    not_found,
    token_invalid,
    token_missing,
    too_large,
    too_many_requests,
)
from commerce_sync.emulator.limits import MinuteAllowance
from commerce_sync.emulator.optimizer_catalog import Catalog
from commerce_sync.emulator.storage import Storage
from commerce_sync.emulator.tokens import Tokens
from commerce_sync.emulator.validation import Finding, findings
from schemas.services.optimizer import PRODUCT_BYTES_MAX, ROUTES, Route, request_schema

TENANT: Final = "/demo"
_ROUTES: Final = {(TENANT + route.path, route.method): route for route in ROUTES}


class Optimizer:
    """The service behind `/demo`. `handle` is the whole of it; nothing here knows a socket."""

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

    def handle(self, request: Request, condemned: Callable[[Any], bool] | None = None) -> Answer:
        """Judge a request and, when it is good, store its items before answering.

        Args:
            condemned: says of an item whether a fault rule wants it refused.
        """
        item_count = 0
        try:
            route = _route(request)
            self._authorize(request)
            _pass_or_refuse(self._requests.take())
            items = _items(request)
            item_count = len(items.values)
            wrong = self._findings(route, items, condemned)
            if wrong:
                raise Refused(_rejected(wrong))
            if route.feed == "products":
                _pass_or_refuse(self._products.take(item_count))
        except Refused as refused:
            return _with_count(refused.answer, item_count)
        identities = self._catalog.apply(route, items)
        content = {"status": "ACCEPTED", "acceptedCount": item_count}
        return json_answer(200, content, item_count=item_count, identities=identities)

    def skus(self, request: Request) -> frozenset[str]:
        """The SKUs a request names, if it can be read at all."""
        try:
            values = _items(request).values
        except Refused:
            return frozenset()
        return frozenset(str(item["sku"]) for item in values if isinstance(item, dict) and "sku" in item)

    def _authorize(self, request: Request) -> None:
        authorization = request.headers.get("authorization", "")
        if not authorization:
            raise Refused(token_missing())
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not self._tokens.holds(token.strip()):
            raise Refused(token_invalid())

    def _findings(self, route: Route, items: Items, condemned: Callable[[Any], bool] | None) -> list[Finding]:
        if len(items.values) > route.items_max:
            message = f"items limit exceeded: at most {route.items_max} items in one request"
            beyond = range(route.items_max, len(items.values))
            return [Finding(index, "items_limit_exceeded", message) for index in beyond]
        wrong = findings(self._validators[route.feed, route.operation], items.values)
        broken = {finding.item_index for finding in wrong}
        for index, item in enumerate(items.values):
            if index not in broken:
                wrong += _beyond_schema(route, index, item, items.raw[index])
                if condemned is not None and condemned(item):
                    wrong.append(Finding(index, "sku", "refused by a fault rule", str(item.get("sku", ""))))
        return sorted(wrong, key=lambda finding: finding.item_index)


def _route(request: Request) -> Route:
    route = _ROUTES.get((request.path, request.method))
    if route is not None:
        return route
    allowed = sorted(method for path, method in _ROUTES if path == request.path)
    raise Refused(method_not_allowed(allowed) if allowed else not_found())


def _pass_or_refuse(retry_after_s: int | None) -> None:
    if retry_after_s is not None:
        raise Refused(too_many_requests(retry_after_s))


def _items(request: Request) -> Items:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused(_unsupported("Content-Type must be application/json"))
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise Refused(_unsupported("Content-Encoding must be gzip or absent"))
    try:
        items = read_items(inflate(request.body) if encoding == "gzip" else request.body)
    except BodyTooLarge as error:
        raise Refused(too_large(BODY_BYTES_MAX)) from error
    except BodyUnreadable as error:
        raise Refused(_failed(str(error), [])) from error
    if not items.values:
        raise Refused(_failed("Request body holds no items", []))
    return items


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


def _failed(message: str, errors: list[Finding]) -> Answer:
    return json_answer(400, {"status": "FAILED", "message": message, "errors": errors})


def _unsupported(message: str) -> Answer:
    return gateway_answer(415, "ErrUnsupportedMediaType", "415000", message)


def _with_count(answer: Answer, item_count: int) -> Answer:
    return Answer(answer.status, answer.body, answer.media_type, answer.headers, item_count)
