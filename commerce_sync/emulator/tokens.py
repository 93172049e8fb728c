"""The token endpoint (OAuth client credentials, as IMS answers) and the tokens it gave out."""

import secrets
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from commerce_sync.emulator.exchange import Answer, Request, json_answer, method_not_allowed

TOKEN_PATH: Final = "/ims/token/v3"
_FORM: Final = "application/x-www-form-urlencoded"


class Tokens:
    """Gives tokens to the one client it knows and tells whether one still holds."""

    def __init__(
        self, client_id: str, client_secret: str, lifetime_s: float, clock: Callable[[], float]
    ) -> None:
        self._client = (client_id, client_secret)
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._expires_at: dict[str, float] = {}

    def handle(self, request: Request) -> Answer:
        """Answer a token request; every refusal has the shape of RFC 6749, section 5.2."""
        if request.method != "POST":
            return method_not_allowed(["POST"])
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            return _refusal(400, "invalid_request", f"the content type must be {_FORM}")
        form = parse_qs(request.body.decode("utf-8", "replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _refusal(400, "unsupported_grant_type", "grant_type must be client_credentials")
        client = (form.get("client_id", [""])[0], form.get("client_secret", [""])[0])
        if client != self._client:
            return _refusal(401, "invalid_client", "client_id or client_secret is wrong")
        content = {
            "access_token": self.issue(),
            "token_type": "bearer",
            "expires_in": int(self._lifetime_s),
        }
        return json_answer(200, content, headers={"cache-control": "no-store"})

    def issue(self) -> str:
        now_s = self._clock()
        self._expires_at = {token: end for token, end in self._expires_at.items() if end > now_s}
        token = secrets.token_urlsafe(48)
        self._expires_at[token] = now_s + self._lifetime_s
        return token

    def holds(self, token: str) -> bool:
        return self._expires_at.get(token, 0.0) > self._clock()


def _refusal(status: int, error: str, description: str) -> Answer:
    return json_answer(status, {"error": error, "error_description": description})
