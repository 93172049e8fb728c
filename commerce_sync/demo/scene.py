"""Everything the demo needs, brought up in order and taken down in the opposite one."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from commerce_sync.checks.database import ask_connector_class
from commerce_sync.demo.folder import emptied
from commerce_sync.local import stack
from commerce_sync.local.program import saying
from commerce_sync.run.prepare import prepare
from commerce_sync.run.roles import processes
from commerce_sync.run.supervise import Supervisor, environment, role_arguments
from commerce_sync.sample.database import address_of
from commerce_sync.sample.seed import fill
from producers.connectors.execute import apply
from runtime import settings as settings_module
from runtime.settings import Settings

TARGET = "optimizer"

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line chose."""

    data_dir: Path
    products: int
    seed: int
    workers: Mapping[str, int] = field(default_factory=dict)
    # Process n of the roles serves its metrics on this port + n; 0: each on one that nobody is told.
    metrics_port: int = 0
    # Settings besides, by their names in the environment.
    settings: Mapping[str, str] = field(default_factory=dict)


class Scene:
    """A running shop, stack, emulator and pipeline. Use it in a `with` block."""

    def __init__(self, options: Options, report: Report, variables: Mapping[str, str] | None = None) -> None:
        """Prepare everything but the processes.

        Args:
            variables: settings of a stack that is up already; without them the scene has one of its own.
        """
        self._options = options
        self._given = variables
        self._report = report
        self._exits = ExitStack()
        self.settings = Settings()
        self.admin_url = ""
        self.emulator_url = ""
        self.supervisor: Supervisor | None = None

    @property
    def log_dir(self) -> Path:
        return self._options.data_dir / "logs"

    def __enter__(self) -> Self:
        try:
            self._bring_up()
        except BaseException:
            self._exits.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exits.close()

    def _bring_up(self) -> None:
        variables = dict(self._given) if self._given is not None else self._start_stack()
        self.admin_url = variables["COMMERCE_SYNC_LOCAL_ADMIN_URL"]
        variables |= self._start_emulator()
        # No allowance here: the demo shows the pipeline, and says so.
        budget = f"COMMERCE_SYNC__TARGETS__{TARGET.upper()}__BUDGET__"
        for name in ("REQUESTS_PER_MINUTE", "PRODUCTS_PER_MINUTE", "PRICES_PER_MINUTE", "PRODUCTS_PER_DAY"):
            variables[budget + name] = "0"
        # A killed sink's successor waits this long for what may be under way; the emulator answers at once.
        variables.setdefault(f"COMMERCE_SYNC__TARGETS__{TARGET.upper()}__REQUEST_TIMEOUT_S", "5")
        # A small shop whose products come and go all the time would trip the delete guard.
        variables.setdefault("COMMERCE_SYNC__BUILDER__DELETE_GUARD_PERCENT", "100")
        variables.setdefault("COMMERCE_SYNC__HTTP__METRICS_PORT", "0")
        variables |= self._options.settings
        ledger = (self._options.data_dir / "ledger.db").resolve()
        variables.setdefault("COMMERCE_SYNC__LEDGER__URL", f"sqlite:///{ledger}")
        self.settings = settings_module.load(environ=variables)
        self._seed()
        apply(self.settings, ask_connector_class(self.settings), self._report)
        self._start_roles(variables)

    def _start_stack(self) -> dict[str, str]:
        data_dir = self._options.data_dir
        self._exits.enter_context(emptied(data_dir))
        self._exits.callback(stack.down, data_dir, report=self._report)
        return stack.up(data_dir, report=self._report).environment()

    def _start_emulator(self) -> dict[str, str]:
        """The emulator as a process of its own, as a service would be."""
        line, _ = self._exits.enter_context(saying("commerce_sync", ["emulator", "--port", "0", "--json"]))
        variables: dict[str, str] = json.loads(line)
        self.emulator_url = variables[f"COMMERCE_SYNC__TARGETS__{TARGET.upper()}__URL"]
        self._report(f"emulator: {self.emulator_url}")
        return variables

    def _seed(self) -> None:
        started = time.monotonic()
        address = address_of(self.admin_url, self.settings.commerce.address.database)
        counts = asyncio.run(fill(address, self._options.products, self._options.seed, lambda *_: None))
        seconds = time.monotonic() - started
        rows = sum(counts.values())
        self._report(f"sample shop: {self._options.products} products, {rows} rows, {seconds:.1f} s")

    def _start_roles(self, variables: dict[str, str]) -> None:
        wanted = processes(self.settings, (), dict(self._options.workers), "demo")
        prepare(self.settings, wanted)
        supervisor = Supervisor(
            role_arguments, environment(variables), self._options.metrics_port, self.log_dir / "roles"
        )
        self._exits.callback(supervisor.stop)
        supervisor.start(wanted)
        self.supervisor = supervisor
        for label, pid in supervisor.pids().items():
            self._report(f"role {label}: process {pid}")
