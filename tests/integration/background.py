"""Edits beside a test, by a merchant who comes back when the database was away."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from asyncmy.errors import MySQLError
from pipeline import Pipeline

from commerce_sync.sample.database import address_of, connected
from commerce_sync.sample.edits import open_shop
from commerce_sync.sample.traffic import Progress, drive, wait_for
from runtime.errors import CommerceSyncError
from runtime.settings import DatabaseAddress

# What a connection says when its server was killed: the driver's own, the system's, or an end in mid-answer.
AWAY = (MySQLError, CommerceSyncError, OSError, EOFError)


class Edits:
    """Counts what was edited, and how often the database was away."""

    def __init__(self, address: DatabaseAddress, edits_per_second: float, seed: int) -> None:
        self._address = address
        self._rate = edits_per_second
        self._random = Random(seed)
        self._stopped = threading.Event()
        self._before = 0
        self._now = 0
        self.interruptions = 0

    @property
    def made(self) -> int:
        return self._before + self._now

    def stop(self) -> None:
        self._stopped.set()

    def run(self) -> None:
        """Until stopped; the edit under way is finished."""
        while not self._stopped.is_set():
            try:
                asyncio.run(self._connected())
            except AWAY:
                self.interruptions += 1
                self._stopped.wait(0.1)

    async def _connected(self) -> None:
        self._before, self._now = self.made, 0
        stop = asyncio.Event()

        def note(progress: Progress) -> None:
            self._now = progress.edits
            if self._stopped.is_set():
                stop.set()

        async with connected(self._address) as connection:
            shop = await open_shop(connection, self._random)
            await drive(shop, self._rate, note, stop, clock=time.monotonic, wait=wait_for)


@contextmanager
def editing(path: Pipeline, edits_per_second: float, seed: int) -> Iterator[Edits]:
    """Edits of every kind for as long as the block runs."""
    edits = Edits(address_of(path.scene.admin_url, path.database), edits_per_second, seed)
    thread = threading.Thread(target=edits.run, name="edits", daemon=True)
    thread.start()
    try:
        yield edits
    finally:
        edits.stop()
        thread.join(30)
    assert not thread.is_alive(), "an edit does not end"
