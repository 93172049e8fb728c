"""A request to the SaaS feed ingestion service says who sends it, and proves it for a short while."""

import jwt
import pytest
from http_answers import serve
from signing_keys import private_key_pem, public_key_pem

from consumers.sink.dialects import Stamp
from consumers.sink.sign import Signer
from consumers.sink.stamp import stamped
from consumers.sink.submit import Submitter
from runtime.settings import AuthSettings, TargetSettings

NOW_S = 1_800_000_000.0
AUTH = AuthSettings.model_validate(
    {"api_key": "public", "private_key": private_key_pem(), "environment_id": "space-1"}
)


class Clock:
    """Unix seconds, moved by hand."""

    def __init__(self) -> None:
        self.now_s = NOW_S

    def __call__(self) -> float:
        return self.now_s


def claims(headers: dict[str, str]) -> dict[str, object]:
    options = {"verify_exp": False}
    return jwt.decode(headers["x-gw-signature"], public_key_pem(), ["RS256"], options)  # type: ignore[arg-type]


def test_a_request_names_its_key_and_environment_and_is_signed_for_five_minutes() -> None:
    headers = Signer(AUTH, Clock()).headers()

    assert headers.keys() == {"x-api-key", "x-gw-signature", "Magento-Environment-Id"}
    assert (headers["x-api-key"], headers["Magento-Environment-Id"]) == ("public", "space-1")
    assert claims(headers) == {"exp": NOW_S + 300}
    assert jwt.get_unverified_header(headers["x-gw-signature"])["alg"] == "RS256"


def test_a_signature_serves_until_a_request_could_outlive_it() -> None:
    """Signing takes as long as sending; two minutes before its end it is made anew."""
    clock = Clock()
    signer = Signer(AUTH, clock)
    ends = []

    for clock.now_s in (NOW_S, NOW_S + 179, NOW_S + 180, NOW_S + 190):
        ends.append(claims(signer.headers())["exp"])

    assert ends == [NOW_S + 300, NOW_S + 300, NOW_S + 480, NOW_S + 480]


def test_a_clock_set_back_does_not_keep_a_signature_that_holds_too_long() -> None:
    clock = Clock()
    signer = Signer(AUTH, clock)
    signer.headers()

    clock.now_s -= 3600

    assert claims(signer.headers()) == {"exp": NOW_S - 3600 + 300}


def test_a_refused_signature_is_made_anew() -> None:
    clock = Clock()
    signer = Signer(AUTH, clock)
    signer.headers()

    clock.now_s += 1
    signer.forget()

    assert claims(signer.headers()) == {"exp": NOW_S + 301}


def test_a_submitter_sends_signed_requests_and_forgets_a_refused_signature(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr("consumers.sink.submit.time.time", clock)
    with serve((403, {}), (200, {}), (200, {})) as endpoint:
        target = TargetSettings.model_validate({"dialect": "saas", "url": endpoint.url, "auth": AUTH})
        submitter = Submitter(target, "test")
        for forget in (True, False, False):
            submitter.post("/catalog/v2/products/space-1", b"[]")
            clock.now_s += 1
            if forget:
                submitter.forget_token()

    assert {headers["x-api-key"] for headers in endpoint.headers} == {"public"}
    assert [claims(headers)["exp"] for headers in endpoint.headers] == [NOW_S + 300, NOW_S + 301, NOW_S + 301]
    assert "authorization" not in endpoint.headers[0]


def test_the_time_of_sending_stands_before_the_other_members() -> None:
    """The text behind it, which is what is hashed, stays as it was."""
    stamp = Stamp("modifiedAt", "%Y-%m-%d %H:%M:%S")

    assert stamped(
        b'{"sku":"A"}', stamp, NOW_S
    ) == b'{"modifiedAt": "2027-01-15 08:00:00","sku":"A"}'.replace(b": ", b":")
    assert stamped(b'{"sku":"A"}', None, NOW_S) == b'{"sku":"A"}'
