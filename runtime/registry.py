"""A schema registry over REST: what the schemas of the feeds are called there."""

import logging
from typing import Any, Final

import requests

from runtime.errors import NotFine, Transient
from schemas import codec
from schemas.topics import TopicNames

log = logging.getLogger(__name__)

_TIMEOUT_S: Final = (5.0, 20.0)
_JSON: Final = "application/vnd.schemaregistry.v1+json"
_MAGIC: Final = b"\x00"


class Registry:
    """Implements schemas.codec.Framing: a zero byte, then the schema's id, four bytes, big-endian.

    Subjects are named after the topics (`<topic>-value`), and a subject takes only schemas that read what was
    written before. Any service that speaks the API of Confluent's will do (Apicurio, Karapace). User and
    password may stand in the URL.
    """

    def __init__(self, url: str, names: TopicNames) -> None:
        self._url = url.rstrip("/")
        self._names = names
        self._session = requests.Session()

    def header(self, feed: str, schema: str) -> bytes:
        """Register the schema of a feed, or find that it is there.

        Raises:
            NotFine: the registry refuses it, or us.
            Transient: it does not answer.
        """
        subject = f"{self._names.feed(feed)}-value"
        self._ask("PUT", f"/config/{subject}", {"compatibility": "BACKWARD"})
        schema_id = int(self._ask("POST", f"/subjects/{subject}/versions", {"schema": schema})["id"])
        log.info("schema registered", extra={"feed": feed, "subject": subject, "schema_id": schema_id})
        return _MAGIC + schema_id.to_bytes(4, "big")

    def writer_schema(self, schema_id: int) -> str | None:
        """The schema of this id; None when there is none.

        Raises:
            NotFine, Transient: as `header`.
        """
        answer = self._ask("GET", f"/schemas/ids/{schema_id}", None, absent=True)
        return None if answer is None else str(answer["schema"])

    def _ask(self, method: str, path: str, body: Any, *, absent: bool = False) -> Any:
        where = f"kafka.schema_registry_url: {method} {path}"
        try:
            answer = self._session.request(
                method, self._url + path, json=body, headers={"Content-Type": _JSON}, timeout=_TIMEOUT_S
            )
        except requests.RequestException as error:
            # The library's own words hold the address, and that may hold a password.
            raise Transient(f"{where}: no answer ({type(error).__name__})") from None
        if absent and answer.status_code == 404:
            return None
        if answer.status_code == 409:
            message = (
                f"{where}: the schema cannot read what was written with the one before ({_said(answer)})"
            )
            raise NotFine(message)
        if answer.status_code >= 500 or answer.status_code in {408, 429}:
            raise Transient(f"{where}: answered {answer.status_code} ({_said(answer)})")
        if answer.status_code != 200:
            message = f"{where}: answered {answer.status_code} ({_said(answer)}); correct address or account"
            raise NotFine(message)
        try:
            return answer.json()
        except ValueError:
            message = f"{where}: what answers there is no schema registry; correct the address"
            raise NotFine(message) from None


def use_registry(url: str, names: TopicNames) -> None:
    """Frame what this process writes, and read what others wrote, by a registry; without a URL by none."""
    codec.use(Registry(url, names) if url else None)


def _said(answer: requests.Response) -> str:
    try:
        return str(answer.json().get("message", ""))[:300]
    except (ValueError, AttributeError):
        return answer.reason
