"""A client of the emulator that sends what it is told to."""

import gzip
import json
from dataclasses import dataclass, field
from typing import Any

import requests

from commerce_sync.emulator.server import Emulator


@dataclass
class Client:
    """Speaks to one emulator with a valid token unless headers say otherwise."""

    emulator: Emulator
    session: requests.Session = field(default_factory=requests.Session)
    token: str = ""

    def fetch_token(self, **changed: str) -> requests.Response:
        form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "demo-secret"}
        answer = self.session.post(self.emulator.token_url, data={**form, **changed}, timeout=10)
        if answer.ok:
            self.token = answer.json()["access_token"]
        return answer

    def send(
        self,
        path: str,
        items: Any = None,
        *,
        method: str = "POST",
        body: bytes | None = None,
        compressed: bool = False,
        headers: dict[str, str | None] | None = None,
        base: str | None = None,
        timeout: float = 10,
    ) -> requests.Response:
        """Send a list of items, or `body` as it is. A header of None is left out."""
        data = json.dumps(items).encode() if body is None else body
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if compressed:
            data = gzip.compress(data)
            sent["Content-Encoding"] = "gzip"
        for name, value in (headers or {}).items():
            sent.pop(name, None)
            if value is not None:
                sent[name] = value
        url = (base or self.emulator.url) + path
        return self.session.request(method, url, data=data, headers=sent, timeout=timeout)

    def items(self, feed: str) -> list[dict[str, Any]]:
        answer = self.session.get(f"{self.emulator.read_url}/{feed}", timeout=10)
        return [json.loads(line) for line in answer.content.splitlines()]

    def log(self, since: int = 0) -> list[dict[str, Any]]:
        answer = self.session.get(f"{self.emulator.base_url}/_emulator/requests?since={since}", timeout=10)
        return [json.loads(line) for line in answer.content.splitlines()]

    def last_id(self) -> int:
        entries = self.log()
        return int(entries[-1]["id"]) if entries else 0

    def faults(self, *rules: dict[str, Any]) -> None:
        answer = self.session.put(f"{self.emulator.base_url}/_emulator/faults", json=list(rules), timeout=10)
        assert answer.status_code == 200, answer.text


def product(sku: str = "24-MB01", locale: str = "default", **members: Any) -> dict[str, Any]:
    base = {"sku": sku, "source": {"locale": locale}, "name": "Bag", "slug": "bag", "status": "ENABLED"}
    return {**base, **members}
