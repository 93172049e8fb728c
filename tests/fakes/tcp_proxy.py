"""A bad network: a TCP proxy that forwards, or does one of the things that networks do."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

# slow: an answer comes byte by byte, so that no socket times out for a minute. cut: half of an answer, then
# the end of the connection. reset: the request gets through, the connection is reset instead of an answer.
# silent: connections are taken, nothing gets through. lost: the request gets through, its answer does not.
# late: the request gets through after a while, however long its sender waits.
Fault = Literal["slow", "cut", "reset", "silent", "lost", "late"]

LATE_S: Final = 1.5
_BYTE_S: Final = 0.4
_CHUNK: Final = 65_536
_RESET: Final = struct.pack("ii", 1, 0)


class Proxy:
    """Listens at `port`. A fault holds for what passes while it is set; `met` counts that.

    `trickling` is the number of answers that come byte by byte just now, to whoever still waits for them.
    """

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.fault: Fault | None = None
        self.met = 0
        self.trickling = 0
        self._target_port = target_port

    async def serve(self, started: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        server.close()

    async def _connected(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        service, to_service = await asyncio.open_connection("127.0.0.1", self._target_port)
        ways = [
            asyncio.ensure_future(self._requests(client, to_service)),
            asyncio.ensure_future(self._answers(service, to_client)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        if self.fault == "late":
            # What is under way arrives although its sender has gone.
            await asyncio.sleep(LATE_S)
        for way in ways:
            way.cancel()
        for writer in (to_service, to_client):
            writer.close()

    async def _requests(self, client: asyncio.StreamReader, to_service: asyncio.StreamWriter) -> None:
        pending: list[asyncio.Task[None]] = []
        while data := await client.read(_CHUNK):
            if self.fault == "silent":
                self.met += 1
                continue
            if self.fault == "late":
                self.met += 1
                pending.append(asyncio.ensure_future(_after(LATE_S, to_service, data)))
            else:
                to_service.write(data)

    async def _answers(self, service: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        while data := await service.read(_CHUNK):
            if self.fault is not None:
                self.met += 1
            match self.fault:
                case "slow":
                    await self._trickle(data, to_client)
                case "cut":
                    to_client.write(data[: len(data) // 2])
                    return
                case "reset":
                    connection = to_client.get_extra_info("socket")
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                    return
                case "lost" | "silent":
                    continue
                case _:
                    to_client.write(data)

    async def _trickle(self, data: bytes, to_client: asyncio.StreamWriter) -> None:
        self.trickling += 1
        try:
            for place in range(len(data)):
                to_client.write(data[place : place + 1])
                await asyncio.sleep(_BYTE_S)
        finally:
            # Also when the client has gone.
            self.trickling -= 1


async def _after(seconds: float, writer: asyncio.StreamWriter, data: bytes) -> None:
    await asyncio.sleep(seconds)
    writer.write(data)


@contextmanager
def proxied(target_port: int) -> Iterator[Proxy]:
    """A proxy before a port of this machine, in a thread of its own."""
    proxy = Proxy(target_port)
    loop, stop, started = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    def run() -> None:
        loop.run_until_complete(proxy.serve(started, stop))
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()

    thread = threading.Thread(target=run, name="proxy", daemon=True)
    thread.start()
    assert started.wait(10)
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
