"""A target's credentials are tried, over a real socket."""

import socket
from urllib.parse import parse_qs

import jwt
import pytest
from http_answers import serve
from signing_keys import private_key_pem, public_key_pem

from commerce_sync.checks.services import target_findings
from commerce_sync.checks.verdicts import Finding
from runtime.settings import TargetSettings


def target(token_url: str) -> TargetSettings:
    auth = {"token_url": token_url, "client_id": "me", "client_secret": "hush", "scope": "a,b"}
    return TargetSettings.model_validate({"url": "http://catalog", "auth": auth})


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
        ((200, {"access_token": "t"}), "ok", "the credentials give a token"),
        (
            (401, {"error": "invalid_client"}),
            "not ok",
            (
                "targets.main.auth: the token endpoint refuses these credentials (401): correct client_id, "
                "client_secret or scope"
            ),
        ),
        ((503, {}), "unreachable", "targets.main.auth.token_url = {url} answers 503: try again later"),
        (
            (404, "<h1>"),
            "not ok",
            "targets.main.auth.token_url = {url} gives no token (404): correct the address",
        ),
        (
            (200, "<h1>"),
            "not ok",
            "targets.main.auth.token_url = {url} gives no token (200): correct the address",
        ),
    ],
)
def test_the_answer_to_a_token_request_is_judged(
    answer: tuple[int, object], state: str, sentence: str
) -> None:
    """Who is to blame decides: the credentials, the address, or nobody for now."""
    with serve(answer) as endpoint:
        findings = target_findings("main", target(endpoint.url))

    assert findings == [Finding("target main", state, sentence.format(url=endpoint.url))]  # type: ignore[arg-type]
    assert parse_qs(endpoint.requests[0][2]) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["hush"],
        "scope": ["a,b"],
    }


def test_no_endpoint_at_the_address_is_unreachable() -> None:
    """The sentence names the setting, and never the secret."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        (finding,) = target_findings("main", target(url))

    assert finding.state == "unreachable"
    assert finding.sentence == (
        f"targets.main.auth.token_url = {url} cannot be reached (ConnectionError): correct the address "
        "or open "
        "the way to it"
    )


def saas_target(url: str) -> TargetSettings:
    auth = {"api_key": "public", "private_key": private_key_pem(), "environment_id": "space-1"}
    return TargetSettings.model_validate({"dialect": "saas", "url": url, "auth": auth})


@pytest.mark.parametrize(
    ("status", "state", "sentence"),
    [
        (400, "ok", "the key and the signature are taken"),
        (200, "ok", "the key and the signature are taken"),
        (
            403,
            "not ok",
            (
                "targets.main.auth: the service refuses the key or the signature (403): correct api_key, "
                "private_key or this machine's clock"
            ),
        ),
        (404, "not ok", "targets.main.url = {url} answers 404: correct it, or auth.environment_id"),
        (503, "unreachable", "targets.main.url = {url} answers 503: try again later"),
    ],
)
def test_a_signed_request_without_items_tries_the_key(status: int, state: str, sentence: str) -> None:
    """Nothing is sent that a service could take."""
    with serve((status, {})) as endpoint:
        findings = target_findings("main", saas_target(endpoint.url))

    assert findings == [Finding("target main", state, sentence.format(url=endpoint.url))]  # type: ignore[arg-type]
    assert endpoint.requests == [("POST", "/scopes/v2/space-1", "[]")]
    headers = endpoint.headers[0]
    assert headers["x-api-key"] == "public"
    assert set(jwt.decode(headers["x-gw-signature"], public_key_pem(), ["RS256"])) == {"exp"}
