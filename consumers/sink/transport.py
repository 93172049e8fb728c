"""Bodies go out over a kept connection, whole answers come back, all of it before a deadline.

`requests` finds the way: proxies, certificates and the kept connections are its own. Going that way is left
to urllib3 below it, which costs a third of the processor time.
"""

import http.client
import io
import socket
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

CONNECT_S_MAX: Final = 10.0
# What a request of ours can end with instead of an answer.
FAILURES: Final = (requests.RequestException, HTTPError, OSError, ValueError)


class Reply(NamedTuple):
    """An HTTP answer; its body is cut where the caller wanted no more."""

    status: int
    headers: Mapping[str, str]
    text: bytes


class _Way(NamedTuple):
    """Connections to an address, what stands before its paths, and what a proxy before it is told.

    A proxy is asked for the whole address; of an encrypted one it is told when the connection is made.
    """

    pool: HTTPConnectionPool
    begin: str
    headers: Mapping[str, str]


class Transport:
    """The connections of one thread; redirects are not followed."""

    def __init__(self, user_agent: str) -> None:
        self._session = requests.Session()
        self._session.headers["User-Agent"] = user_agent
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter())
        self._ways: dict[str, _Way] = {}

    def post(
        self,
        url: str,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        seconds: float,
        bytes_max: int,
    ) -> Reply:
        """Send one body to a path below an address that is asked often.

        Raises:
            FAILURES: there is no whole answer within `seconds`, or it is none.
        """
        way = self._ways.get(url)
        if way is None:
            way = self._ways[url] = self._way(url)
        response = way.pool.urlopen(
            "POST",
            way.begin.removesuffix("/") + path if path else way.begin,
            body=body,
            headers={**way.headers, **headers},
            timeout=Timeout(seconds, min(CONNECT_S_MAX, seconds), seconds),
            retries=False,
            redirect=False,
            # A proxy is asked for another host than its own.
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            text = bytearray()
            while len(text) < bytes_max and (piece := response.read1(bytes_max, decode_content=True)):
                text += piece
        finally:
            # Of an answer that was not read to its end the connection is closed.
            response.close()
        return Reply(response.status, response.headers, bytes(text[:bytes_max]))

    def _way(self, url: str) -> _Way:
        """The way that `requests` would go, by environment and configuration."""
        session = self._session
        prepared = session.prepare_request(requests.Request("POST", url))
        chosen = session.merge_environment_settings(url, {}, None, None, None)
        way = cast("_Adapter", session.get_adapter(url)).way(prepared, **chosen)
        return way._replace(headers={"User-Agent": str(session.headers["User-Agent"]), **way.headers})


class _Adapter(HTTPAdapter):
    """Whose connections keep the deadline, and which tells the way instead of going it."""

    def way(
        self, request: requests.PreparedRequest, *, verify: Any, proxies: Any, cert: Any, **_: Any
    ) -> _Way:
        pool = self.get_connection_with_tls_context(request, verify, proxies, cert)
        assert isinstance(pool, HTTPConnectionPool)
        self.cert_verify(pool, request.url, verify, cert)  # type: ignore[no-untyped-call]
        told = pool.proxy_headers if pool.scheme == "http" else {}
        return _Way(pool, self.request_url(request, proxies), dict(told))

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        manager: ProxyManager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Reader(io.RawIOBase):
    """A socket's bytes, until the deadline: its own timeout would start over with each byte."""

    def __init__(self, connection: socket.socket, file: io.RawIOBase, until: float) -> None:
        self._connection = connection
        self._file = file
        self._until = until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left_s = self._until - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        # Its connection has just set the time that is left.
        until = time.monotonic() + (sock.gettimeout() or 0.0)
        self.fp = io.BufferedReader(_Reader(sock, self.fp.detach(), until))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Final[dict[str, Any]] = {"http": _Pool, "https": _SecurePool}
