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


def target(token_url: str, url: str = "http://catalog") -> TargetSettings:
    auth = {"token_url": token_url, "client_id": "me", "client_secret": "hush", "scope": "a,b"}
    return TargetSettings.model_validate({"url": url, "auth": auth if token_url else {}})


A_TOKEN = (200, {"access_token": "t"})


@pytest.mark.parametrize(
    ("answer", "state", "sentence"),
    [
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


@pytest.mark.parametrize(
    ("status", "state", "sentence"),
    [
        (400, "ok", "{url} answers, and takes the token"),
        (
            401,
            "not ok",
            (
                "targets.main: the service refuses the token (401): correct auth.scope, or let the account "
                "into this tenant"
            ),
        ),
        (404, "not ok", "targets.main.url = {url} answers 404: correct it, the tenant in it included"),
        (307, "not ok", "targets.main.url = {url} answers 307: correct it, the tenant in it included"),
        (502, "unreachable", "targets.main.url = {url} answers 502: try again later"),
    ],
)
def test_a_request_without_items_tries_the_address_and_the_token(
    status: int, state: str, sentence: str
) -> None:
    """Nothing is sent that a service could take."""
    with serve(A_TOKEN, (status, {})) as endpoint:
        url = f"{endpoint.url}/tenant"
        findings = target_findings("main", target(endpoint.url, url))

    assert findings == [Finding("target main", state, sentence.format(url=url))]  # type: ignore[arg-type]
    assert endpoint.requests[1] == ("POST", "/tenant/v1/catalog/products/metadata", "[]")
    assert endpoint.headers[1]["authorization"] == "Bearer t"


def test_a_service_that_does_not_answer_is_unreachable_though_there_is_a_token() -> None:
    """Nothing would be sent, so this must not be called fine."""
    with socket.socket() as taken, serve(A_TOKEN) as endpoint:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        (finding,) = target_findings("main", target(endpoint.url, url))

    assert (finding.state, finding.sentence) == (
        "unreachable",
        (
            f"targets.main.url = {url} cannot be reached (ConnectionError): correct the address or open the "
            "way to it"
        ),
    )


def test_a_target_without_a_token_endpoint_is_asked_all_the_same() -> None:
    """Where it takes that, it is said; where not, that is said."""
    with serve((400, {}), (401, {})) as endpoint:
        (taken,) = target_findings("main", target("", endpoint.url))
        (refused,) = target_findings("main", target("", endpoint.url))

    assert (taken.state, taken.sentence) == (
        "warning",
        "targets.main.auth.token_url is empty: requests are sent without a token",
    )
    assert refused.state == "not ok"


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
        (400, "ok", "{url} answers, and takes the key and the signature"),
        (200, "ok", "{url} answers, and takes the key and the signature"),
        (
            403,
            "not ok",
            (
                "targets.main: the service refuses the key and the signature (403): correct auth.api_key, "
                "auth.private_key or this machine's clock"
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
