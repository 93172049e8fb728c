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
        self._signature = ""
        self._until_s = 0.0

    def headers(self) -> dict[str, str]:
        now_s = self._clock()
        # A clock that was set back must not keep a signature in use that holds too long.
        if not now_s + _MARGIN_S < self._until_s <= now_s + SIGNATURE_S:
            self._until_s = now_s + SIGNATURE_S
            claims = {"exp": int(self._until_s)}
            self._signature = jwt.encode(claims, self._auth.private_key.get_secret_value(), "RS256")
        return {
            "x-api-key": self._auth.api_key,
            "x-gw-signature": self._signature,
            "Magento-Environment-Id": self._auth.environment_id,
        }

    def forget(self) -> None:
        """The service refused the signature; the next request signs anew."""
        self._until_s = 0.0
