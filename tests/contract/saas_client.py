"""A client of the emulated SaaS feed ingestion service that sends what it is told to."""

import gzip
import json
import time
from dataclasses import dataclass, field
from typing import Any

import jwt
import requests

from commerce_sync.emulator.server import Emulator
from schemas.services.saas import FEED_ROUTES

KEY_VARIABLE = "COMMERCE_SYNC__TARGETS__SAAS__AUTH__PRIVATE_KEY"


@dataclass
class SaasClient:
    """Signs as the emulator wants it unless headers say otherwise."""

    emulator: Emulator
    session: requests.Session = field(default_factory=requests.Session)
    environment: str = "demo"

    @property
    def private_key(self) -> str:
        return self.emulator.settings_environment()[KEY_VARIABLE]

    def signature(self, *, now_s: float | None = None, key: str | None = None, **claims: Any) -> str:
        """A JWT; `exp` is five minutes from now unless given."""
        now_s = time.time() if now_s is None else now_s
        return jwt.encode({"exp": int(now_s + 300), **claims}, key or self.private_key, "RS256")

    def send(
        self,
        feed: str,
        items: Any = None,
        *,
        body: bytes | None = None,
        compressed: bool = False,
        headers: dict[str, str | None] | None = None,
        path: str | None = None,
        method: str = "POST",
        timeout: float = 10,
    ) -> requests.Response:
        """Send a list of items to a feed's route, or `body` as it is. A header of None is left out."""
        data = json.dumps(items).encode() if body is None else body
        sent = {"Content-Type": "application/json", "x-api-key": "demo"}
        if compressed:
            data = gzip.compress(data)
            sent["Content-Encoding"] = "gzip"
        if "x-gw-signature" not in (headers or {}):
            sent["x-gw-signature"] = self.signature()
        for name, value in (headers or {}).items():
            sent.pop(name, None)
            if value is not None:
                sent[name] = value
        path = path or f"{FEED_ROUTES[feed].path}/{self.environment}"
        url = self.emulator.saas_url + path
        return self.session.request(method, url, data=data, headers=sent, timeout=timeout)

    def items(self, feed: str) -> list[dict[str, Any]]:
        answer = self.session.get(f"{self.emulator.read_url}/saas/{feed}", timeout=10)
        return [json.loads(line) for line in answer.content.splitlines()]

    def last_request(self) -> dict[str, Any]:
        answer = self.session.get(f"{self.emulator.base_url}/_emulator/requests", timeout=10)
        entry: dict[str, Any] = json.loads(answer.content.splitlines()[-1])
        return entry

    def faults(self, *rules: dict[str, Any]) -> None:
        answer = self.session.put(f"{self.emulator.base_url}/_emulator/faults", json=list(rules), timeout=10)
        assert answer.status_code == 200, answer.text
