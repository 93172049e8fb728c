"""What lets a request in at the SaaS feed ingestion service: its API key and a fresh signature."""

from collections.abc import Callable
from typing import Final

import jwt

from runtime.settings import AuthSettings

# The service's own samples sign for five minutes, and ten are the most.
SIGNATURE_S: Final = 300.0
# A request under way must not outlive its signature.
_MARGIN_S: Final = 120.0


class Signer:
    """Signs once for many requests; a signature says only until when it holds."""

    def __init__(self, auth: AuthSettings, clock: Callable[[], float]) -> None:
        """`clock` gives unix seconds."""
        self._auth = auth
        self._clock = clock
        # Together, for several threads send: a signature must not be taken for another's time.
        self._signed = ("", 0.0)

    def headers(self) -> dict[str, str]:
        signature, until_s = self._signed
        now_s = self._clock()
        # A clock that was set back must not keep a signature in use that holds too long.
        if not now_s + _MARGIN_S < until_s <= now_s + SIGNATURE_S:
            until_s = now_s + SIGNATURE_S
            private_key = self._auth.private_key.get_secret_value()
            signature = jwt.encode({"exp": int(until_s)}, private_key, "RS256")
            self._signed = (signature, until_s)
        return {
            "x-api-key": self._auth.api_key,
            "x-gw-signature": signature,
            "Magento-Environment-Id": self._auth.environment_id,
        }

    def forget(self) -> None:
        """The service refused the signature; the next request signs anew."""
        self._signed = ("", 0.0)
