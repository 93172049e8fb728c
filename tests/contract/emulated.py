"""Both emulated services without a socket, so that what they raise is seen, and their credentials."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import jwt
from signing_keys import private_key, private_key_pem

from commerce_sync.emulator.exchange import Answer, Request
from commerce_sync.emulator.optimizer import Optimizer
from commerce_sync.emulator.saas import Saas
from commerce_sync.emulator.service import Service
from commerce_sync.emulator.signatures import Signatures
from commerce_sync.emulator.storage import Storage
from commerce_sync.emulator.tokens import Tokens

NOW_S = 1_800_000_000.0


@dataclass(frozen=True)
class Services:
    """What they raise would be a 500."""

    optimizer: Optimizer
    saas: Saas
    credentials: dict[str, str]

    def send(self, service: Service, path: str, body: bytes, **changed: str) -> Answer:
        """Send with credentials, unless the headers in `changed` say otherwise."""
        method = changed.pop("method", "POST")
        headers = {"content-type": "application/json", **self.credentials, **changed}
        return service.handle(Request(method, service.prefix + path, headers, body))


@contextmanager
def emulated(requests_per_minute: int = 0) -> Iterator[Services]:
    storage = Storage()
    tokens = Tokens("demo", "demo-secret", 3600, lambda: NOW_S)
    signatures = Signatures("demo", private_key().public_key(), lambda: NOW_S)
    try:
        yield Services(
            Optimizer(storage, tokens, lambda: NOW_S, requests_per_minute),
            Saas(storage, signatures, lambda: NOW_S, requests_per_minute),
            {
                "authorization": f"Bearer {tokens.issue()}",
                "x-api-key": "demo",
                "x-gw-signature": jwt.encode({"exp": int(NOW_S) + 300}, private_key_pem(), "RS256"),
            },
        )
    finally:
        storage.close()
