"""What Connect's answers mean, over a real socket."""

import socket
import threading
from base64 import b64encode

import pytest
from http_answers import serve

from producers.connectors.connect import Connect, ConnectorState, Refusal
from runtime.errors import NotFine, Unreachable

REBALANCE = (
    409,
    {"error_code": 409, "message": "Cannot complete request momentarily due to stale configuration"},
)


class Clock:
    """Time passes only while someone waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def client(url: str) -> Connect:
    clock = Clock()
    return Connect(url, clock=clock, wait=clock.wait)


def test_a_rebalance_is_waited_out() -> None:
    """409 says that the same request passes a moment later."""
    with serve(REBALANCE, REBALANCE, (200, {"name": "shop"})) as connect:
        config = client(connect.url).config("shop")

    assert config == {"name": "shop"}
    assert connect.requests == [("GET", "/connectors/shop/config", "")] * 3


def test_an_endless_rebalance_is_named_after_half_a_minute() -> None:
    """120 waits of 0.25 s fill the budget; one more attempt ends it."""
    with serve(*[REBALANCE] * 122) as connect:
        with pytest.raises(Unreachable, match="the worker is still rebalancing after 30 s"):
            client(connect.url).config("shop")

    assert len(connect.requests) == 122


def test_a_worker_that_dies_in_the_middle_of_its_answer_is_one_that_cannot_be_reached() -> None:
    """Half an answer is no connection error to the client library."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{")

        worker = threading.Thread(target=answer)
        worker.start()
        with pytest.raises(Unreachable, match="cannot be reached"):
            client(f"http://127.0.0.1:{server.getsockname()[1]}").config("shop")
        worker.join()


def test_user_and_password_of_the_address_are_sent_and_never_told() -> None:
    """Sentences end in logs, and the watch over the connector writes one at each outage."""
    with serve((200, {"name": "shop"}), (500, {"message": "no"})) as connect:
        worker = client(connect.url.replace("//", "//ops:s3%20cret@") + "/")
        worker.config("shop")
        with pytest.raises(NotFine) as refused:
            worker.config("shop")

    assert connect.headers[0]["authorization"] == f"Basic {b64encode(b'ops:s3 cret').decode()}"
    assert f"capture.connect_url = {connect.url}: " in str(refused.value)


def test_no_worker_at_the_address_is_one_sentence_with_the_setting() -> None:
    """Exit code 3: start it or correct the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Unreachable) as caught:
            client(url).config("shop")

    assert str(caught.value) == (
        f"capture.connect_url = {url} cannot be reached: start Kafka Connect or correct the address"
    )
    assert caught.value.exit_code == 3


def test_another_service_at_the_address_is_told_apart_from_a_missing_connector() -> None:
    """A 404 in HTML is not Connect saying that there is no such connector."""
    with (
        serve((404, "<h1>nginx</h1>")) as other,
        serve((404, {"error_code": 404, "message": "none"})) as connect,
    ):
        with pytest.raises(Unreachable, match="is answered by something else than Kafka Connect"):
            client(other.url).config("shop")
        config = client(connect.url).config("shop")

    assert config is None


def test_a_refused_configuration_says_why() -> None:
    """The worker's first line is the reason."""
    with serve((400, {"error_code": 400, "message": "Connector configuration is invalid\nmore"})) as connect:
        with pytest.raises(NotFine, match=r"answered 400 \(Connector configuration is invalid\); look at"):
            client(connect.url).put_config({"name": "shop"})


def test_validation_lists_what_the_worker_does_not_take() -> None:
    """Fields without an error are left out."""
    fields = [
        {"value": {"name": "poll.interval.ms", "errors": []}},
        {"value": {"name": "exactly.once.support", "errors": ["not enabled."]}},
    ]
    with serve((200, {"configs": fields})) as connect:
        refusals = client(connect.url).validate({"connector.class": "io.X", "name": "shop"})

    assert refusals == [Refusal("exactly.once.support", "not enabled.")]
    assert connect.requests[0][:2] == ("PUT", "/connector-plugins/io.X/config/validate")


def test_stopping_waits_until_the_task_is_gone() -> None:
    """Before that the worker refuses to touch offsets."""
    running = {"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "RUNNING"}]}
    halfway = {"connector": {"state": "STOPPED"}, "tasks": [{"id": 0, "state": "RUNNING"}]}
    stopped = {"connector": {"state": "STOPPED"}, "tasks": []}
    with serve((202, {}), (200, running), (200, halfway), (200, stopped)) as connect:
        client(connect.url).stop("a b")

    assert [request[:2] for request in connect.requests] == [
        ("PUT", "/connectors/a%20b/stop"),
        ("GET", "/connectors/a%20b/status"),
        ("GET", "/connectors/a%20b/status"),
        ("GET", "/connectors/a%20b/status"),
    ]


def test_the_first_failure_brings_its_trace() -> None:
    """A connector can be RUNNING while its task has FAILED."""
    answer = {
        "connector": {"state": "RUNNING"},
        "tasks": [{"id": 0, "state": "FAILED", "trace": "java.io.EOFException: x"}],
    }
    with serve((200, answer)) as connect:
        state = client(connect.url).state("shop")

    assert state == ConnectorState("RUNNING", ("FAILED",), "java.io.EOFException: x")
    assert state.failed
