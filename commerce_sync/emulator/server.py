"""The emulator as a running server: in this process, on a thread of its own."""

import random
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Literal, Self

import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from uvicorn.protocols.http.h11_impl import H11Protocol

from commerce_sync.emulator.app import App
from commerce_sync.emulator.faults import Faults
from commerce_sync.emulator.optimizer import TENANT, Optimizer
from commerce_sync.emulator.request_log import RequestLog
from commerce_sync.emulator.saas import ENVIRONMENT, PREFIX, Saas
from commerce_sync.emulator.service import Service
from commerce_sync.emulator.signatures import Signatures, read_public_key
from commerce_sync.emulator.storage import Storage
from commerce_sync.emulator.tokens import TOKEN_PATH, Tokens
from runtime.errors import Unreachable, UsageError
from runtime.settings import ENVIRONMENT_PREFIX

HOST: Final = "127.0.0.1"
START_S_MAX: Final = 10.0
TOKEN_LIFETIME_S: Final = 24 * 3600.0


Dialect = Literal["optimizer", "saas", "both"]


class Emulator:
    """The ingestion services at `url` (optimizer) and `saas_url`.

    The addresses hold from the first `start` on. `stop` and `start` again is an outage: address and
    items stay, connections are lost. Use it in a `with` block, or `close` it at the end.
    """

    def __init__(
        self,
        port: int = 0,
        database: str = ":memory:",
        *,
        dialect: Dialect = "optimizer",
        client_id: str = "demo",
        client_secret: str = "demo-secret",
        token_lifetime_s: float = TOKEN_LIFETIME_S,
        api_key: str = "demo",
        public_key_file: str | None = None,
        requests_per_minute: int = 0,
        products_per_minute: int = 0,
        clock: Callable[[], float] = time.time,
        seed: int | None = None,
    ) -> None:
        """Prepare everything but the socket.

        Args:
            port: 0 takes a free one at the first start and keeps it.
            database: file to hold the items in; ":memory:" forgets them at `close`.
            dialect: which services to serve.
            public_key_file: PEM; checks the signatures at the saas service. Without it a pair of keys is
                made, whose private half `settings_environment` gives.
            requests_per_minute, products_per_minute: 429 beyond, for each service; 0 means no limit.
            seed: of the fault rules' chance.

        Raises:
            UsageError: `database` cannot be written, or the public key cannot be read.
        """
        self._dialect = dialect
        self._api_key = api_key
        self._private_key = ""
        self._client = (client_id, client_secret)
        self._port = port
        self._storage = Storage(database)
        tokens = Tokens(client_id, client_secret, token_lifetime_s, clock)
        allowances = (requests_per_minute, products_per_minute)
        services: list[Service] = []
        if self.serves("optimizer"):
            services.append(Optimizer(self._storage, tokens, clock, *allowances))
        if self.serves("saas"):
            signatures = Signatures(api_key, self._public_key(public_key_file), clock)
            services.append(Saas(self._storage, signatures, clock, *allowances))
        self._app = App(
            services=services,
            tokens=tokens,
            storage=self._storage,
            faults=Faults(random.Random(seed)),
            log=RequestLog(),
            clock=clock,
            drop_connection=self._drop_connection,
        )
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self._port}"

    @property
    def url(self) -> str:
        """The tenant's address: what a target's `url` is set to."""
        return self.base_url + TENANT

    @property
    def token_url(self) -> str:
        return self.base_url + TOKEN_PATH

    @property
    def saas_url(self) -> str:
        """What the `url` of a saas target is set to; routes and the environment follow it."""
        return self.base_url + PREFIX

    @property
    def read_url(self) -> str:
        """Where `/{feed}` gives the items held now."""
        return f"{self.base_url}/_emulator/items"

    def serves(self, dialect: Dialect) -> bool:
        return self._dialect in {dialect, "both"}

    def settings_environment(self) -> dict[str, str]:
        """The environment that points targets of the pipeline here, each named after its dialect."""
        optimizer = self._optimizer_settings() if self.serves("optimizer") else {}
        return optimizer | (self._saas_settings() if self.serves("saas") else {})

    def _optimizer_settings(self) -> dict[str, str]:
        target = f"{ENVIRONMENT_PREFIX}TARGETS__OPTIMIZER__"
        return {
            f"{target}URL": self.url,
            f"{target}AUTH__TOKEN_URL": self.token_url,
            f"{target}AUTH__CLIENT_ID": self._client[0],
            f"{target}AUTH__CLIENT_SECRET": self._client[1],
            f"{target}READ_URL": self.read_url,
        }

    def _saas_settings(self) -> dict[str, str]:
        """The private key only if it was made here: else whoever has it knows it."""
        target = f"{ENVIRONMENT_PREFIX}TARGETS__SAAS__"
        private_key = {f"{target}AUTH__PRIVATE_KEY": self._private_key} if self._private_key else {}
        return {
            f"{target}DIALECT": "saas",
            f"{target}URL": self.saas_url,
            f"{target}AUTH__API_KEY": self._api_key,
            **private_key,
            f"{target}AUTH__ENVIRONMENT_ID": ENVIRONMENT,
            f"{target}READ_URL": f"{self.read_url}/saas",
        }

    def _public_key(self, file: str | None) -> rsa.RSAPublicKey:
        if file is not None:
            return read_public_key(file)
        private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._private_key = pem.decode()
        return private_key.public_key()

    def start(self) -> Self:
        """Listen; requests are served when this returns.

        Raises:
            UsageError: the port is taken.
            Unreachable: the server did not come up.
        """
        listener = _listener(self._port)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._app,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="error",
            # Longer than clients keep idle connections: the close must not race with their next request.
            timeout_keep_alive=300,
            # A delayed answer does not hold up the end.
            timeout_graceful_shutdown=1,
            server_header=False,
        )
        self._server = _Server(config)
        self._thread = threading.Thread(
            target=self._server.run, args=([listener],), name="emulator", daemon=True
        )
        self._thread.start()
        if not self._server.ready.wait(START_S_MAX):
            message = f"the emulator on port {self._port} did not start within {START_S_MAX:.0f} s"
            raise Unreachable(message)
        return self

    def stop(self) -> None:
        """Stop listening and close every connection. Does nothing when stopped."""
        if self._server is None or self._thread is None:
            return
        self._server.should_exit = True
        self._thread.join()
        self._server = self._thread = None

    def close(self) -> None:
        self.stop()
        self._storage.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _drop_connection(self, client: Any) -> None:
        """Close the connection of a client (its address and port) without another byte."""
        if self._server is None:
            return
        for connection in list(self._server.server_state.connections):
            if isinstance(connection, H11Protocol) and connection.client == client:
                connection.transport.abort()


class _Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A second start may follow while connections of the first still wait for their end.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it; without it small answers wait 40 ms for an acknowledgement.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        message = (
            f"--port {port} cannot be listened on ({error.strerror}): choose another, or 0 for a free one"
        )
        raise UsageError(message) from error
    return listener
