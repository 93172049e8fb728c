"""The gateway before the SaaS feed ingestion service: an API key, and a JWT of who holds its private half."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from commerce_sync.emulator.exchange import Answer, json_answer
from runtime.errors import UsageError
from schemas.services.saas import SIGNATURE_S_MAX

# Clocks of two machines differ.
_LEEWAY_S: Final = 30.0


def read_public_key(file: str) -> RSAPublicKey:
    """Read the key that signatures are checked with.

    Raises:
        UsageError: the file cannot be read, or holds no RSA public key in PEM form.
    """
    try:
        key = load_pem_public_key(Path(file).read_bytes())
    except OSError as error:
        message = f"--public-key {file} cannot be read ({error.strerror}): name a PEM file"
        raise UsageError(message) from error
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, RSAPublicKey):
        message = (
            f"--public-key {file} holds no RSA public key in PEM form: "
            "make one with openssl rsa -in private.pem -pubout"
        )
        raise UsageError(message)
    return key


def key_missing() -> Answer:
    content = {
        "error": {
            "code": "Forbidden",
            "message": "Client ID is missing",
            "details": {"error_code": "403000"},
        }
    }
    return json_answer(403, content)


def key_unknown() -> Answer:
    return json_answer(403, {"error_code": "403003", "message": "Api Key is invalid"})


def signature_invalid() -> Answer:
    return json_answer(403, {"error_code": "403053", "message": "JWT is invalid"})


def environment_differs() -> Answer:
    return json_answer(403, {"error_code": "403000", "message": "Environment id differs from the path's"})


class Signatures:
    """Tells whether a request comes from the one client it knows."""

    def __init__(self, api_key: str, public_key: RSAPublicKey, clock: Callable[[], float]) -> None:
        self._api_key = api_key
        self._public_key = public_key
        self._clock = clock

    def refusal(self, headers: Mapping[str, str]) -> Answer | None:
        """The answer to a request that is not let in; None lets it in."""
        api_key = headers.get("x-api-key", "")
        if not api_key:
            return key_missing()
        if api_key != self._api_key:
            return key_unknown()
        return None if self._holds(headers.get("x-gw-signature", "")) else signature_invalid()

    def _holds(self, signature: str) -> bool:
        try:
            claims: dict[str, Any] = jwt.decode(
                signature,
                self._public_key,
                algorithms=["RS256"],
                # The time is compared with our own clock below. Whom it is for or from says nothing here.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.PyJWTError:
            return False
        expires_at = claims.get("exp")
        if not isinstance(expires_at, int | float) or isinstance(expires_at, bool):
            return False
        now_s = self._clock()
        return now_s < expires_at <= now_s + SIGNATURE_S_MAX + _LEEWAY_S
