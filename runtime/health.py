"""/metrics, /healthz and /readyz of a role, served beside its loop."""

import socket
import threading
import time
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from runtime.errors import UsageError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


PORT_MAX: Final = 65535


class Health:
    """What a loop tells about itself; read by the HTTP thread."""

    def __init__(self, stale_s: float = 60) -> None:
        self._stale_s = stale_s
        self._turned_at = time.monotonic()
        self._not_ready: str | None = "starting"

    def turned(self) -> None:
        """The loop came round."""
        self._turned_at = time.monotonic()

    def ready(self) -> None:
        self._not_ready = None

    def not_ready(self, reason: str) -> None:
        self._not_ready = reason

    def alive(self) -> tuple[bool, str]:
        age_s = time.monotonic() - self._turned_at
        return age_s <= self._stale_s, f"loop turned {age_s:.1f} s ago"

    def readiness(self) -> tuple[bool, str]:
        return self._not_ready is None, self._not_ready or "ready"


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True
    # The supervisor gives a port to one process; two on one port would hide each other.
    allow_reuse_port = False


class _QuietHandler(WSGIRequestHandler):
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a scrape every few seconds is no event."""


def serve(health: Health, host: str, port: int) -> Callable[[], None]:
    """Listen in a thread; returns what stops it. Port 0 takes a free one.

    Raises:
        UsageError: the port is taken.
    """
    metrics = make_wsgi_app()

    def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            answer: Iterable[bytes] = metrics(environ, start_response)
            return answer
        check = {"/healthz": health.alive, "/readyz": health.readiness}.get(path)
        if check is None:
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"try /metrics, /healthz or /readyz\n"]
        fine, text = check()
        status = "200 OK" if fine else "503 Service Unavailable"
        start_response(status, [("Content-Type", "text/plain")])
        return [text.encode() + b"\n"]

    try:
        server = make_server(host, port, application, server_class=_Server, handler_class=_QuietHandler)
    except OSError as error:
        raise _unusable(host, port, error) from error
    threading.Thread(target=server.serve_forever, daemon=True, name="health").start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


def require_free(host: str, port: int) -> None:
    """Find out before a process is started for it; port 0 is always free.

    Raises:
        UsageError: somebody listens there, or host and port are none of this machine's.
    """
    try:
        if port > PORT_MAX:
            # Unlike bind, the resolver takes it for a smaller one.
            raise OverflowError
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as probe:
            # As the server does: a port that only has closing connections is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, OverflowError) as error:
        raise _unusable(host, port, error) from error


def _unusable(host: str, port: int, error: OSError | OverflowError) -> UsageError:
    reason = error.strerror if isinstance(error, OSError) else "no such port"
    return UsageError(
        f"http.metrics_port: {host}:{port} cannot be used ({reason}): choose free ones; "
        "process n listens on http.metrics_port + n"
    )
