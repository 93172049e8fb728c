"""HTTP requests to a target, with a cached token; every way one can end becomes an Answer."""

import logging
import re
import threading
import time
from typing import Final
from urllib.parse import urlencode

import msgspec
from isal import igzip

from consumers.sink.settle import Answer
from consumers.sink.sign import Signer
from consumers.sink.transport import FAILURES, Transport
from runtime.errors import Transient
from runtime.settings import TargetSettings

log = logging.getLogger(__name__)

# Refresh ahead of expiry: a request under way must not outlive its token.
_TOKEN_MARGIN_S: Final = 300.0
# Several requests may be refused for one old token: a token younger than this is not it.
_TOKEN_YOUNG_S: Final = 1.0
_BODY_BYTES_MAX: Final = 1024 * 1024
_TOKEN_BYTES_MAX: Final = 64 * 1024
_GZIP_FROM_BYTES: Final = 1024
# What a header carries; anything else would end in the client library.
_TOKEN: Final = re.compile(r"[!-~]+")


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float | str


class Submitter:
    """Holds a target's token and a connection for each thread that sends."""

    def __init__(self, target: TargetSettings, user_agent: str, log_payloads: bool = False) -> None:
        self._target = target
        self._url = target.url.rstrip("/")
        self._user_agent = user_agent
        self._log_payloads = log_payloads
        self._local = threading.local()
        self._signer = Signer(target.auth, time.time) if target.dialect == "saas" else None
        self._token: str | None = None
        self._token_at = 0.0
        self._token_until = 0.0
        self._lock = threading.Lock()

    def forget_token(self) -> None:
        """The service refused it; the next request asks for a new one."""
        with self._lock:
            if time.monotonic() - self._token_at > _TOKEN_YOUNG_S:
                self._token = None
        if self._signer is not None:
            self._signer.forget()

    def post(self, path: str, body: bytes) -> Answer:
        """Send one body."""
        answer = self._post(path, body)
        if self._log_payloads:
            told = {"status": answer.status, "request_id": answer.request_id}
            log.info(
                "payload sent",
                extra={"url": self._url + path, **told, "payload": body.decode(errors="replace")},
            )
        return answer

    def _post(self, path: str, body: bytes) -> Answer:
        until = time.monotonic() + self._target.request_timeout_s
        try:
            headers = {"Content-Type": "application/json", **self._authorization(until)}
            left_s = _left_s(until)
        except Transient as error:
            return Answer(-1, error=str(error))
        if len(body) >= _GZIP_FROM_BYTES:
            body = igzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        try:
            reply = self._transport.post(
                self._url,
                path,
                body,
                headers,
                seconds=left_s,
                bytes_max=_BODY_BYTES_MAX,
            )
        except FAILURES as error:
            return Answer(0, error=f"no answer from {self._target.url}: {type(error).__name__}")
        return Answer(
            reply.status,
            reply.text,
            reply.headers.get("Content-Type", ""),
            reply.headers.get("Retry-After"),
            reply.headers.get("x-request-id"),
        )

    @property
    def _transport(self) -> Transport:
        transport: Transport | None = getattr(self._local, "transport", None)
        if transport is None:
            transport = self._local.transport = Transport(self._user_agent)
        return transport

    def _authorization(self, until: float) -> dict[str, str]:
        auth = self._target.auth
        if self._signer is not None:
            return self._signer.headers()
        if not auth.token_url:
            return {}
        with self._lock:
            if self._token is None or time.monotonic() >= self._token_until:
                self._fetch_token(_left_s(until))
            return {"Authorization": f"Bearer {self._token}"}

    def _fetch_token(self, seconds: float) -> None:
        auth = self._target.auth
        asked = {
            "grant_type": "client_credentials",
            "client_id": auth.client_id,
            "client_secret": auth.client_secret.get_secret_value(),
            "scope": auth.scope,
        }
        reply = None
        try:
            reply = self._transport.post(
                auth.token_url,
                "",
                urlencode(asked).encode(),
                {"Content-Type": "application/x-www-form-urlencoded"},
                seconds=seconds,
                bytes_max=_TOKEN_BYTES_MAX,
            )
            token, lifetime_s = _token(reply.text if reply.status == 200 else b"{}")
        except (*FAILURES, RecursionError) as error:
            status = f" (answered {reply.status})" if reply is not None else ""
            message = (
                f"auth.token_url = {auth.token_url}: no token{status}; check client_id and client_secret"
            )
            raise Transient(message) from error
        self._token = token
        self._token_at = time.monotonic()
        self._token_until = self._token_at + max(lifetime_s - _TOKEN_MARGIN_S, lifetime_s / 2)


def _left_s(until: float) -> float:
    """Nothing is written once a request's time is over: whoever waits for it has given it up.

    Raises:
        Transient: it is over.
    """
    left_s = until - time.monotonic()
    if left_s <= 0:
        message = "the token came too late for this request"
        raise Transient(message)
    return left_s


def _token(text: bytes) -> tuple[str, float]:
    """Token and lifetime in seconds of a token endpoint's answer.

    Raises:
        ValueError: there is none that can be used.
    """
    answer = msgspec.json.decode(text, type=_TokenAnswer)
    lifetime_s = float(answer.expires_in)
    if not _TOKEN.fullmatch(answer.access_token) or not 0 < lifetime_s < float("inf"):
        message = "token or lifetime cannot be used"
        raise ValueError(message)
    return answer.access_token, lifetime_s
