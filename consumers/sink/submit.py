"""One HTTP request to a target, with a cached token; every way it can end becomes an Answer."""

import gzip
import threading
import time
from typing import Final

import requests

from consumers.sink.settle import Answer
from consumers.sink.sign import Signer
from runtime.errors import Transient
from runtime.settings import TargetSettings

# Refresh ahead of expiry: a request under way must not outlive its token.
_TOKEN_MARGIN_S: Final = 300.0
_BODY_BYTES_MAX: Final = 1024 * 1024
_GZIP_FROM_BYTES: Final = 1024


class Submitter:
    """Holds the connection and the token of one target."""

    def __init__(self, target: TargetSettings, user_agent: str) -> None:
        self._target = target
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        self._signer = Signer(target.auth, time.time) if target.dialect == "saas" else None
        self._token: str | None = None
        self._token_until = 0.0
        self._lock = threading.Lock()

    def close(self) -> None:
        self._session.close()

    def forget_token(self) -> None:
        """The service refused it; the next request asks for a new one."""
        self._token = None
        if self._signer is not None:
            self._signer.forget()

    def post(self, path: str, body: bytes) -> Answer:
        """Send one body.

        Raises:
            Transient: no token can be had; nothing was sent.
        """
        headers = {"Content-Type": "application/json", **self._authorization()}
        if len(body) >= _GZIP_FROM_BYTES:
            body = gzip.compress(body, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        try:
            response = self._session.post(
                self._target.url.rstrip("/") + path,
                data=body,
                headers=headers,
                timeout=self._target.request_timeout_s,
                # Credentials and catalog go where the configuration says, nowhere else.
                allow_redirects=False,
                stream=True,
            )
            with response:
                text = response.raw.read(_BODY_BYTES_MAX, decode_content=True)
        except (requests.RequestException, OSError) as error:
            return Answer(0, error=f"no answer from {self._target.url}: {type(error).__name__}")
        except Exception as error:
            # urllib3 raises its own kinds while a body is read; the request itself was written.
            if type(error).__module__.startswith("urllib3"):
                return Answer(0, error=f"broken answer from {self._target.url}: {type(error).__name__}")
            raise
        return Answer(
            response.status_code,
            text,
            response.headers.get("Content-Type", ""),
            response.headers.get("Retry-After"),
            response.headers.get("x-request-id"),
        )

    def _authorization(self) -> dict[str, str]:
        auth = self._target.auth
        if self._signer is not None:
            return self._signer.headers()
        if not auth.token_url:
            return {}
        with self._lock:
            if self._token is None or time.monotonic() >= self._token_until:
                self._fetch_token()
            return {"Authorization": f"Bearer {self._token}"}

    def _fetch_token(self) -> None:
        auth = self._target.auth
        try:
            response = self._session.post(
                auth.token_url,
                data={
                    "grant_type": "client_credentials",
                    "client_id": auth.client_id,
                    "client_secret": auth.client_secret.get_secret_value(),
                    "scope": auth.scope,
                },
                timeout=self._target.request_timeout_s,
                allow_redirects=False,
            )
            answer = response.json() if response.status_code == 200 else {}
            token, lifetime_s = answer["access_token"], float(answer["expires_in"])
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            status = f" (answered {response.status_code})" if "response" in locals() else ""
            message = (
                f"auth.token_url = {auth.token_url}: no token{status}; check client_id and client_secret"
            )
            raise Transient(message, retry_after_s=5) from error
        self._token = token
        self._token_until = time.monotonic() + max(lifetime_s - _TOKEN_MARGIN_S, lifetime_s / 2)
