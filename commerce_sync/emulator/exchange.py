"""One HTTP request and its answer as values, with the answers every service shares."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from schemas.services.shapes import Identity

JSON: Final = "application/json;charset=UTF-8"
HTML: Final = "text/html;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Request:
    """What came in. `path` is whole, header names are lower case, `body` is as it was on the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out, and what the request log tells about it.

    `identities` names what was taken into the store, in the order of the request; None: nothing was.
    `contents` has a hash of each.
    """

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    item_count: int = 0
    identities: tuple[Identity, ...] | None = None
    contents: tuple[str, ...] = ()


class Refused(Exception):
    """Ends the handling of a request with an answer that takes nothing."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def json_answer(status: int, content: Any, **members: Any) -> Answer:
    return Answer(status, msgspec.json.encode(content), **members)


def gateway_answer(status: int, title: str, code: str, message: str, **members: Any) -> Answer:
    """The shape of the API gateway in front of the services: all members are strings, the status too."""
    content = {"title": title, "status": str(status), "error_code": code, "message": message}
    return json_answer(status, content, **members)


def token_missing() -> Answer:
    return gateway_answer(403, "ErrMissingOauthToken", "403010", "Oauth token is missing")


def token_invalid() -> Answer:
    return gateway_answer(401, "ErrInvalidOauthToken", "401013", "Oauth token is not valid")


def not_found() -> Answer:
    return gateway_answer(404, "ErrNotFound", "404000", "Nothing is served under this path")


def method_not_allowed(allowed: list[str]) -> Answer:
    message = f"Only {', '.join(allowed)} is served under this path"
    return gateway_answer(
        405, "ErrMethodNotAllowed", "405000", message, headers={"allow": ", ".join(allowed)}
    )


def too_large(bytes_max: int) -> Answer:
    return gateway_answer(413, "ErrPayloadTooLarge", "413000", f"The body is larger than {bytes_max} bytes")


def too_many_requests(retry_after_s: int) -> Answer:
    return Answer(429, b"Too many requests", HTML, {"retry-after": str(retry_after_s)})


def unsupported_media_type(message: str) -> Answer:
    return gateway_answer(415, "ErrUnsupportedMediaType", "415000", message)


def fault_answer(status: int, retry_after_s: int | None, shape: Answer | None) -> Answer:
    """The answer of a fault rule: `shape` where the service has one for the status, else a gateway's page."""
    if shape is None:
        body = b"" if status in {204, 304} else f"Fault rule: {status}".encode()
        shape = Answer(status, body, HTML)
    return shape if retry_after_s is None else replace(shape, headers={"retry-after": str(retry_after_s)})
