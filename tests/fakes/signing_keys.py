"""Keys that sign, made once a run, and some that do not."""

from functools import cache

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)


@cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key_pem() -> str:
    return _pem(private_key())


def public_key_pem() -> str:
    public = private_key().public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def unfit_pem(kind: str) -> str:
    """Text that no RS256 signature can be made with."""
    match kind:
        case "public":
            return public_key_pem()
        case "short":
            return _pem(rsa.generate_private_key(public_exponent=65537, key_size=1024))
        case "elliptic":
            return _pem(ec.generate_private_key(ec.SECP256R1()))
        case "locked":
            return _pem(private_key(), BestAvailableEncryption(b"passphrase"))
        case _:
            return "rubbish"


def _pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, encryption: KeySerializationEncryption | None = None
) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()
