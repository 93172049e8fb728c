"""The least that an ingestion service does: it inflates and parses each request, and accepts it.

A process of its own; its argument says how many milliseconds it lets pass before each answer, as a way there
and back would. It checks nothing and stores nothing, so that it is no brake; it notes when it took how many
items. `GET /taken` gives these notes as a JSON list of [unix seconds, items], and forgets them.
"""

import asyncio
import gzip
import sys
import time
from typing import Any, Final

import msgspec

from runtime import collector

HOST: Final = "127.0.0.1"
TAKEN: Final = "/taken"
_HEAD_END: Final = b"\r\n\r\n"


class _Connection(asyncio.Protocol):
    """Keeps a connection alive and answers one request after the other."""

    def __init__(self, taken: list[tuple[float, int]], answer_s: float) -> None:
        self._taken = taken
        self._answer_s = answer_s
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(_HEAD_END)) >= 0:
            line, headers = _head(bytes(self._received[:end]))
            until = end + len(_HEAD_END) + int(headers.get("content-length", 0))
            if len(self._received) < until:
                return
            body = bytes(self._received[end + len(_HEAD_END) : until])
            del self._received[:until]
            assert self._transport is not None
            answer = _answer(self._content(line, headers, body))
            if self._answer_s:
                asyncio.get_running_loop().call_later(self._answer_s, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _content(self, line: str, headers: dict[str, str], body: bytes) -> Any:
        if line.startswith(f"GET {TAKEN} "):
            notes = list(self._taken)
            self._taken.clear()
            return notes
        text = gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body
        items = len(msgspec.json.decode(text))
        self._taken.append((time.time(), items))
        return {"status": "ACCEPTED", "acceptedCount": items}


def _head(text: bytes) -> tuple[str, dict[str, str]]:
    line, *headers = text.decode("latin-1").split("\r\n")
    pairs = (header.partition(":") for header in headers)
    return line, {name.lower(): value.strip() for name, _, value in pairs}


def _answer(content: Any) -> bytes:
    body = msgspec.json.encode(content)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def _serve(answer_s: float) -> None:
    taken: list[tuple[float, int]] = []
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(taken, answer_s), HOST, 0)
    sys.stdout.write(f"http://{HOST}:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    collector.relax()
    asyncio.run(_serve(int(sys.argv[1]) / 1000))
