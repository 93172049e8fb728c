"""A second database server that replicates from the first by GTID, and takes its place when that one dies."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from asyncmy.errors import MySQLError

from commerce_sync.local import processes, servers
from commerce_sync.local import stack as local_stack
from commerce_sync.local.servers import Layout
from commerce_sync.local.stack import ADMIN_VARIABLE, Stack
from commerce_sync.sample.database import address_of, connected
from runtime.settings import DatabaseAddress

WAIT_S = 20


class Twins:
    """Two servers of one history: the one that everybody talks to, and its replica."""

    def __init__(self, stack: Stack) -> None:
        """`stack` as it runs; its database keeps its port, whoever listens there."""
        self._stack = stack
        self._base = local_stack._programs(lambda _: None).mariadb
        self._port = processes.free_port()
        # Folders and server ids.
        self._first, self._replica = (stack.layout, 1), (Layout(stack.data_dir / "twin"), 2)

    def make(self) -> None:
        """The replica begins as a copy of the running server, with a log of its own."""
        pid = self._stack.pid("mariadb")
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            shutil.copytree(self._first[0].mariadb, self._replica[0].mariadb)
        finally:
            os.kill(pid, signal.SIGCONT)
        self.replicate("RESET MASTER")

    def replicate(self, *before: str) -> None:
        """Start the replica where it stands, and let it follow."""
        folder, server_id = self._replica
        self._identity = self._start(folder, server_id, self._port)
        processes.await_ready(
            "replica", self._identity, lambda: processes.answers(self._port), folder.log("mariadb"), WAIT_S
        )
        address = self._address(self._port)
        ((position,),) = ask(address, "SELECT @@gtid_binlog_pos")
        ask(
            address,
            *before,
            f"SET GLOBAL gtid_slave_pos = '{position}'",
            f"CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = {self._stack.ports['mariadb']},"
            f" MASTER_USER = '{address.user}', MASTER_PASSWORD = '{address.password.get_secret_value()}',"
            " MASTER_SSL = 0, MASTER_USE_GTID = slave_pos",
            "START SLAVE",
        )

    def cut(self, user: str) -> None:
        """Nothing more of the first server's log reaches an account's readers."""
        first = self._address(self._stack.ports["mariadb"])
        readers = "SELECT id FROM information_schema.processlist WHERE command LIKE 'Binlog Dump%'"
        ask(first, *(f"KILL {number}" for (number,) in ask(first, f"{readers} AND user = '{user}'")))

    def fail_over(self) -> None:
        """The first is killed amid writes that nobody was told of; its replica takes its place and address.

        So it is where a commit waits for the replica. What a replica never got belongs to another history.
        """
        replica = self._address(self._port)
        asyncio.run(self._kill(replica))
        ask(replica, "STOP SLAVE", "RESET SLAVE ALL")
        processes.stop(self._identity)
        self._first, self._replica = self._replica, self._first
        self._stack.identities["mariadb"] = self._start(*self._first, self._stack.ports["mariadb"])
        self._stack.save()
        local_stack._await(self._stack, "mariadb")

    async def _kill(self, replica: DatabaseAddress) -> None:
        first = self._address(self._stack.ports["mariadb"])
        with suppress(MySQLError, OSError, EOFError):
            async with connected(first, server=True) as connection, connection.cursor() as cursor:
                # Writes go on and wait; none of them is in the log.
                await cursor.execute("FLUSH TABLES WITH READ LOCK")
                await cursor.execute("SELECT @@gtid_binlog_pos")
                ((position,),) = await cursor.fetchall()
                waited = await asyncio.to_thread(
                    ask, replica, f"SELECT MASTER_GTID_WAIT('{position}', {WAIT_S})"
                )
                assert waited == [(0,)], "the replica does not follow"
                self._stack.kill_process("mariadb")

    def end(self) -> None:
        processes.kill(self._identity)

    def _start(self, folder: Layout, server_id: int, port: int) -> processes.Identity:
        options = [f"--server-id={server_id}", "--log-slave-updates"]
        # What it says of itself belongs to no history.
        return servers.start_mariadb(folder, self._base, port, "SET sql_log_bin = 0;\n", options)

    def _address(self, port: int) -> DatabaseAddress:
        address = address_of(self._stack.environment()[ADMIN_VARIABLE], "mysql")
        return address.model_copy(update={"port": port})


def ask(address: DatabaseAddress, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements; what the last one found."""

    async def run() -> list[tuple[Any, ...]]:
        async with connected(address, server=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
            return list(await cursor.fetchall())

    return asyncio.run(run())


@contextmanager
def twins(stack: Stack) -> Iterator[Twins]:
    """A replica beside a stack's database; nothing of it is left running."""
    made = Twins(stack)
    try:
        made.make()
        yield made
    finally:
        made.end()
