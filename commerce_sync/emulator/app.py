"""The ASGI application: request ids, the log, fault rules, the services and the control endpoints."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route as HttpRoute
from starlette.types import Message, Receive, Scope, Send

from commerce_sync.emulator.body import BODY_BYTES_MAX
from commerce_sync.emulator.exchange import Answer, Request, fault_answer, not_found, too_large
from commerce_sync.emulator.faults import Faults, Rule, parse_rules
from commerce_sync.emulator.request_log import Entry, RequestLog
from commerce_sync.emulator.service import Service, skus_of
from commerce_sync.emulator.storage import Storage
from commerce_sync.emulator.tokens import TOKEN_PATH, Tokens

_NDJSON: Final = "application/x-ndjson"
_LINES_PER_CHUNK: Final = 500


class App:
    """One process's emulator. Storage is touched only from the event loop's thread."""

    def __init__(
        self,
        *,
        services: Sequence[Service],
        tokens: Tokens,
        storage: Storage,
        faults: Faults,
        log: RequestLog,
        clock: Callable[[], float],
        drop_connection: Callable[[Any], None],
    ) -> None:
        self._services = services
        self._tokens = tokens
        self._faults = faults
        self._log = log
        self._clock = clock
        self._drop_connection = drop_connection
        self._control = control(services, storage, faults, log)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid.uuid4())

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        if scope["path"].startswith("/_emulator/"):
            await self._control(scope, receive, send_with_id)
        else:
            await self._serve(scope, receive, send_with_id, request_id)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        request = await _read(scope, receive)
        if request is None:
            return  # the client left before its request was whole
        rule = self._faults.choose(request.path, lambda: skus_of(request))
        do = rule.do
        if do.when == "before" and do.delay_ms:
            await asyncio.sleep(do.delay_ms / 1000)
        answer = self._answer(request, rule)
        # Logged at once, not when the answer leaves: the log's time is that of the acceptance.
        self._record(request, request_id, answer, dropped=do.drop is not None)
        if do.when == "after" and do.delay_ms:
            await asyncio.sleep(do.delay_ms / 1000)
        if do.drop is not None:
            self._drop_connection(scope["client"])
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        response = Response(
            answer.body, answer.status, headers=dict(answer.headers), media_type=answer.media_type
        )
        await response(scope, receive, send)

    def _answer(self, request: Request, rule: Rule) -> Answer:
        do = rule.do
        if do.drop == "before":
            return Answer(0, b"")
        service = self._service(request)
        bad = None
        if do.status is not None:
            shape = service.refusals.get(do.status) if service else None
            bad = fault_answer(do.status, do.retry_after, shape)
        if bad is not None and do.when == "before":
            return bad
        answer = self._regular_answer(request, service, rule)
        if bad is None:
            return answer
        return replace(
            bad, item_count=answer.item_count, identities=answer.identities, contents=answer.contents
        )

    def _service(self, request: Request) -> Service | None:
        return next((s for s in self._services if request.path.startswith(f"{s.prefix}/")), None)

    def _regular_answer(self, request: Request, service: Service | None, rule: Rule) -> Answer:
        if len(request.body) > BODY_BYTES_MAX:
            return too_large(BODY_BYTES_MAX)
        if request.path == TOKEN_PATH:
            return self._tokens.handle(request)
        if service is None:
            return not_found()
        sku = rule.match.sku
        condemned = (lambda item: sku is None or item.get("sku") == sku) if rule.do.invalid else None
        return service.handle(request, condemned)

    def _record(self, request: Request, request_id: str, answer: Answer, *, dropped: bool) -> None:
        entry = Entry(
            id=self._log.next_id,
            time=self._clock(),
            method=request.method,
            path=request.path,
            item_count=answer.item_count,
            status=None if dropped else answer.status,
            request_id=request_id,
            stored=answer.identities is not None,
            identities=answer.identities or (),
            contents=answer.contents,
            host=request.headers.get("host", ""),
        )
        self._log.add(entry)


async def _read(scope: Scope, receive: Receive) -> Request | None:
    """Take the whole request in; of a body that is too long only a little more than is allowed."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if len(body) <= BODY_BYTES_MAX:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], scope["path"], headers, bytes(body))


def control(services: Sequence[Service], storage: Storage, faults: Faults, log: RequestLog) -> Starlette:
    """The endpoints under /_emulator: what is held, what came in, how to misbehave."""
    feeds = _feeds(services)

    async def items(request: HttpRequest) -> Response:
        feed = request.path_params["feed"]
        if feed not in feeds:
            return _wrong(404, f"'{feed}' is no feed of the service: use one of {', '.join(feeds)}")
        return StreamingResponse(_chunks(storage.pages(feeds[feed])), media_type=_NDJSON)

    async def clear_items(_: HttpRequest) -> Response:
        storage.clear()
        return Response(status_code=204)

    async def requests(request: HttpRequest) -> Response:
        since = request.query_params.get("since", "0")
        if not since.isdecimal():
            return _wrong(400, f"since = '{since}': give the id of a request, a whole number")
        return StreamingResponse(_chunks(_grouped(log.since(int(since)))), media_type=_NDJSON)

    async def put_faults(request: HttpRequest) -> Response:
        try:
            rules = parse_rules(await request.body())
        except ValueError as error:
            return _wrong(400, f"fault rules: {error}")
        faults.replace(rules)
        return JSONResponse({"rules": len(rules)})

    async def clear_faults(_: HttpRequest) -> Response:
        faults.replace([])
        return Response(status_code=204)

    async def health(_: HttpRequest) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            HttpRoute("/_emulator/items/{feed:path}", items, methods=["GET"]),
            HttpRoute("/_emulator/items", clear_items, methods=["DELETE"]),
            HttpRoute("/_emulator/requests", requests, methods=["GET"]),
            HttpRoute("/_emulator/faults", put_faults, methods=["PUT"]),
            HttpRoute("/_emulator/faults", clear_faults, methods=["DELETE"]),
            HttpRoute("/_emulator/healthz", health, methods=["GET"]),
        ]
    )


def _feeds(services: Sequence[Service]) -> dict[str, str]:
    """Stored names by the names asked for: a service's prefix tells two of the same name apart.

    A name without a prefix is the first service's that has it.
    """
    names: dict[str, str] = {}
    for service in services:
        for name, stored in service.feeds.items():
            names.setdefault(name, stored)
            names[stored] = stored
    return names


def _wrong(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status)


def _grouped(lines: Iterable[bytes]) -> Iterable[list[bytes]]:
    everything = list(lines)
    for start in range(0, len(everything), _LINES_PER_CHUNK):
        yield everything[start : start + _LINES_PER_CHUNK]


async def _chunks(pages: Iterable[list[bytes]]) -> AsyncIterator[bytes]:
    for page in pages:
        yield b"\n".join(page) + b"\n"
        # A long answer must not keep the service from answering others.
        await asyncio.sleep(0)
