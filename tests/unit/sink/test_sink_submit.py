"""However a service answers, a request ends as an answer with one meaning, over connections that are kept."""

import gzip
import json
import logging
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from consumers.sink.settle import Answer, settle
from consumers.sink.submit import Submitter
from runtime.settings import AuthSettings, TargetSettings

Play = Callable[[BaseHTTPRequestHandler], None]


class Service(ThreadingHTTPServer):
    """Plays one answer; keeps what it was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.play: Play = lambda handler: say(handler, 200, b"{}")
        self.token_status = 200
        self.play_token: Play | None = None
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        self.peers: set[tuple[str, int]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Service

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        self.server.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        self.server.peers.add(self.client_address)
        if self.path == "/token" and self.server.play_token is not None:
            self.server.play_token(self)
            return
        if self.path == "/token":
            token = {"access_token": f"token-{len(self.server.asked)}", "expires_in": 3600}
            say(self, self.server.token_status, json.dumps(token).encode())
            return
        self.server.play(self)

    def log_message(self, format: str, *args: object) -> None:
        """Tests say what they see."""


def say(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def service() -> Iterator[Service]:
    server = Service()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def submitter(service: Service, *, token: bool = False) -> Submitter:
    auth = AuthSettings(
        token_url=f"{service.url}/token" if token else "", client_id="me", client_secret=SecretStr("s3cret")
    )
    return Submitter(TargetSettings(url=service.url, request_timeout_s=0.5, auth=auth), "tests")


def posted(service: Service, body: bytes = b"[1]") -> Answer:
    return submitter(service).post("/v1/catalog/products", body)


def test_an_answer_comes_whole(service: Service) -> None:
    """Status, body, type, retry-after and the request id."""
    service.play = lambda handler: say(handler, 429, b"slow", Retry_After="7", X_Request_Id="r1")

    answer = posted(service)

    assert answer == Answer(429, b"slow", "application/json", "7", "r1")


def test_large_bodies_are_compressed_and_small_ones_are_not(service: Service) -> None:
    """The service takes gzip only when it is named."""
    posted(service, b"[1]")
    posted(service, b"x" * 5_000)

    (_, small, plain), (_, large, packed) = service.asked
    assert ("content-encoding" in small, plain) == (False, b"[1]")
    assert (large["content-encoding"], gzip.decompress(packed)) == ("gzip", b"x" * 5_000)


@pytest.mark.parametrize("log_payloads", [True, False])
def test_payloads_are_logged_only_when_asked_for(
    service: Service, caplog: pytest.LogCaptureFixture, log_payloads: bool
) -> None:
    """As they were before compression, with the answer's status."""
    caplog.set_level(logging.INFO)
    target = TargetSettings(url=service.url, request_timeout_s=0.5)
    body = b'[{"sku":"A"}]' + b" " * 2000
    answer = Submitter(target, "tests", log_payloads).post("/v1", body)

    told = [r.__dict__ for r in caplog.records if r.getMessage() == "payload sent"]
    assert [(t["url"], t["status"], t["payload"]) for t in told] == (
        [(service.url + "/v1", answer.status, body.decode())] if log_payloads else []
    )


def test_a_connection_is_kept(service: Service) -> None:
    """A handshake a request would cost more than the request."""
    held = submitter(service)

    for _ in range(5):
        held.post("/v1/catalog/products", b"[1]")

    assert len(service.peers) == 1


def test_a_redirect_is_not_followed(service: Service) -> None:
    """Credentials and catalog go where the configuration says, nowhere else."""
    service.play = lambda handler: say(handler, 307, b"", Location=f"{service.url}/elsewhere")

    answer = posted(service)

    assert [path for path, _, _ in service.asked] == ["/v1/catalog/products"]
    assert settle(answer, 1).decision == "ours"


def test_a_redirect_to_no_address_is_a_redirect(service: Service) -> None:
    """Nobody tries to read where it leads."""
    service.play = NO_ADDRESS

    assert settle(posted(service), 1).decision == "ours"


def test_an_endless_body_is_cut(service: Service) -> None:
    """One megabyte of it is read; it is no acceptance."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"x" * 65_536)
        except OSError:
            handler.close_connection = True

    service.play = play

    answer = posted(service)

    assert len(answer.body) == 1024 * 1024
    assert (settle(answer, 1).decision, settle(answer, 1).outcome_unknown) == ("ours", True)


def test_a_body_that_inflates_without_end_is_cut(service: Service) -> None:
    """A hundredth of a second of it is read, not the 50 MB that these 50 kB stand for."""
    bomb = gzip.compress(bytes(50_000_000))
    service.play = lambda handler: say(handler, 200, bomb, Content_Encoding="gzip")

    tracemalloc.start()
    answer = posted(service)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(answer.body) == 1024 * 1024
    assert most < 10_000_000
    assert settle(answer, 1).outcome_unknown


def drip(handler: BaseHTTPRequestHandler) -> None:
    """A byte twenty times a second for ten seconds, or until the client has had enough."""
    try:
        for _ in range(200):
            handler.wfile.write(b"x")
            time.sleep(0.05)
    except OSError:
        handler.close_connection = True


def trickle(handler: BaseHTTPRequestHandler) -> None:
    """A byte now and then: no socket ever times out."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    drip(handler)


def test_a_body_that_trickles_ends_after_the_timeout(service: Service) -> None:
    """Half a second here, the whole answer together; its thread must not hang for hours."""
    service.play = trickle
    began = time.monotonic()

    verdict = settle(posted(service), 1)

    assert (verdict.decision, verdict.outcome_unknown) == ("wait", True)
    assert time.monotonic() - began < 3


def trickle_headers(handler: BaseHTTPRequestHandler) -> None:
    """The same before the body, in one line that never ends, for twenty times the request's time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    drip(handler)


def test_headers_that_trickle_end_after_the_timeout(service: Service) -> None:
    """The thread is free again, and a new connection works at once."""
    service.play = trickle_headers
    held = submitter(service)
    began = time.monotonic()

    verdict = settle(held.post("/v1", b"[1]"), 1)
    took_s = time.monotonic() - began
    service.play = lambda handler: say(handler, 200, b"{}")
    later = held.post("/v1", b"[1]")

    assert (verdict.decision, verdict.outcome_unknown) == ("wait", True)
    assert took_s < 3
    assert later.status == 200


def test_a_proxy_of_the_environment_is_asked(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the whole address; what is excepted from it is asked directly."""
    monkeypatch.setenv("http_proxy", service.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    far = Submitter(TargetSettings(url="http://far.example/tenant", request_timeout_s=0.5), "tests")

    statuses = [far.post("/v1", b"[1]").status, submitter(service).post("/v2", b"[1]").status]

    assert statuses == [200, 200]
    assert [path for path, _, _ in service.asked] == ["http://far.example/tenant/v1", "/v2"]


def close(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


def half(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


def wrong_gzip(handler: BaseHTTPRequestHandler) -> None:
    say(handler, 200, b"no gzip at all", Content_Encoding="gzip")


def nonsense(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\x00\xff not http\r\n\r\n")
    handler.close_connection = True


def raw(text: bytes) -> Play:
    """An answer as it stands on the wire, then the end of the connection."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(text)
        handler.close_connection = True

    return play


MALFORMED = {
    "no length that holds": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\n{}"),
    "a chunk of no size": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n"),
    "a chunk that never ends": raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\na"),
    "headers without end": raw(b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 500),
    "a header without end": raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000),
    "only promises": raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 50),
    "layers of gzip": raw(
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\nContent-Encoding: "
        + b"gzip," * 20
        + b"gzip\r\n\r\n{}"
    ),
}
NO_ADDRESS = raw(
    b"HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\nLocation: http://[::\r\n\r\n"
)


@pytest.mark.parametrize(
    "play",
    [close, half, wrong_gzip, nonsense, *MALFORMED.values()],
    ids=["close", "half", "wrong gzip", "nonsense", *MALFORMED],
)
def test_a_broken_answer_leaves_the_outcome_unknown(service: Service, play: Play) -> None:
    """The request was written: the service may have taken it."""
    service.play = play

    verdict = settle(posted(service), 1)

    assert (verdict.decision, verdict.outcome_unknown) == ("wait", True)


def test_silence_ends_after_the_timeout(service: Service) -> None:
    """Half a second here."""
    gate = threading.Event()
    service.play = lambda _: gate.wait(5) and None

    verdict = settle(posted(service), 1)
    gate.set()

    assert (verdict.decision, verdict.outcome_unknown) == ("wait", True)


def test_a_service_that_is_not_there_is_waited_for(service: Service) -> None:
    """Nobody listens."""
    service.shutdown()
    service.server_close()

    assert settle(posted(service), 1).decision == "wait"


def test_a_token_is_asked_for_once_and_sent_with_every_request(service: Service) -> None:
    """Threads share it."""
    held = submitter(service, token=True)

    for _ in range(3):
        held.post("/v1/catalog/products", b"[1]")

    assert [path for path, _, _ in service.asked].count("/token") == 1
    assert {headers["authorization"] for path, headers, _ in service.asked if path != "/token"} == {
        "Bearer token-1"
    }


@pytest.mark.parametrize("status", [400, 401, 500, 302])
def test_without_a_token_nothing_is_written(service: Service, status: int) -> None:
    """The address and the status are named, the secret is not."""
    service.token_status = status
    held = submitter(service, token=True)

    answer = held.post("/v1/catalog/products", b"[1]")

    assert [path for path, _, _ in service.asked] == ["/token"]
    assert answer.status == -1
    assert f"answered {status}" in answer.error
    assert "s3cret" not in answer.error
    assert (settle(answer, 1).decision, settle(answer, 1).outcome_unknown) == ("ours", False)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"x" * 65_536)
    except OSError:
        handler.close_connection = True


def hang(handler: BaseHTTPRequestHandler) -> None:
    time.sleep(1)
    handler.close_connection = True


def token(**members: object) -> Play:
    return lambda handler: say(handler, 200, json.dumps(members).encode())


@pytest.mark.parametrize(
    "play",
    [
        close,
        half,
        wrong_gzip,
        nonsense,
        *MALFORMED.values(),
        NO_ADDRESS,
        endless,
        trickle,
        trickle_headers,
        hang,
        lambda handler: say(handler, 200, b"<html>login</html>"),
        lambda handler: say(handler, 200, b'{"access_token":"\xff","expires_in":1}'),
        lambda handler: say(handler, 200, b"[]"),
        token(access_token=None, expires_in=3600),
        token(access_token="", expires_in=3600),
        token(access_token="two\r\nlines: x", expires_in=3600),
        token(access_token="t\u00f6ken\u20ac", expires_in=3600),
        token(access_token="token"),
        token(access_token="token", expires_in="soon"),
        token(access_token="token", expires_in="nan"),
        token(access_token="token", expires_in=0),
        token(access_token="token", expires_in=-5),
    ],
)
def test_a_token_endpoint_that_fails_is_waited_for(service: Service, play: Play) -> None:
    """Nothing is written to the service, no item is to blame, and the next request asks again."""
    held = submitter(service, token=True)
    service.play_token = play

    answer = held.post("/v1/catalog/products", b"[1]")
    service.play_token = None
    later = held.post("/v1/catalog/products", b"[1]")

    assert [path for path, _, _ in service.asked] == ["/token", "/token", "/v1/catalog/products"]
    assert (answer.status, settle(answer, 1).decision) == (-1, "ours")
    assert later.status == 200


def test_a_request_ends_in_its_time_however_long_its_token_takes(service: Service) -> None:
    """The group counts on that before it names another process."""
    tokens = [b"{}", b'{"access_token":"token","expires_in":3600}']

    def slow_token(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.3)
        with suppress(OSError):
            say(handler, 200, tokens.pop(0) if len(tokens) > 1 else tokens[0])

    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.4)
        with suppress(OSError):
            say(handler, 200, b"{}")

    service.play_token, service.play = slow_token, slow
    held = submitter(service, token=True)
    started = time.monotonic()
    answers: list[tuple[float, Answer]] = []

    def post() -> None:
        answer = held.post("/v1/catalog/products", b"[1]")
        answers.append((time.monotonic() - started, answer))

    threads = [threading.Thread(target=post) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status for _, answer in answers] == [-1, -1]
    assert [path for path, _, _ in service.asked if path != "/token"] == []
    assert max(seconds for seconds, _ in answers) < 0.9


def test_a_lifetime_that_is_text_is_understood(service: Service) -> None:
    """Some token endpoints answer so."""
    service.play_token = token(access_token="token", expires_in="3600")

    assert submitter(service, token=True).post("/v1/catalog/products", b"[1]").status == 200


def test_one_refused_token_is_renewed_once_however_many_requests_it_was_in(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several in flight are refused together; the new token must not be thrown away with the old one."""
    held = submitter(service, token=True)
    held.post("/v1/catalog/products", b"[1]")
    monkeypatch.setattr("consumers.sink.submit._TOKEN_YOUNG_S", -1.0)
    held.forget_token()
    held.post("/v1/catalog/products", b"[1]")
    monkeypatch.setattr("consumers.sink.submit._TOKEN_YOUNG_S", 60.0)
    held.forget_token()
    held.post("/v1/catalog/products", b"[1]")

    assert [path for path, _, _ in service.asked].count("/token") == 2


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Of this machine's address, signed by nobody but itself, its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, SHA256())
    )
    file = tmp_path / "certificate.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + signed.public_bytes(Encoding.PEM))
    return file


def test_only_a_service_with_a_trusted_certificate_is_sent_to(
    service: Service, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom to trust beside the usual, the environment says; a deadline holds here too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    service.socket = context.wrap_socket(service.socket, server_side=True)
    target = TargetSettings(url=service.url.replace("http", "https"), request_timeout_s=0.5)

    unknown = Submitter(target, "tests").post("/v1", b"[1]")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    held = Submitter(target, "tests")
    known = [held.post("/v1", b"[1]").status for _ in range(2)]
    service.play = trickle_headers
    began = time.monotonic()
    late = held.post("/v1", b"[1]")

    assert (unknown.status, known, late.status) == (0, [200, 200], 0)
    assert "SSLError" in unknown.error
    assert time.monotonic() - began < 3
    assert [path for path, _, _ in service.asked] == ["/v1"] * 3
