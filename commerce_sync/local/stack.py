"""The local stack as a whole: bring it up, take it down, know what runs."""

import json
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from commerce_sync.local import accounts, jars, java, processes, servers
from commerce_sync.local.processes import Identity
from commerce_sync.local.servers import Layout
from runtime.errors import UsageError
from runtime.settings import ENVIRONMENT_PREFIX

Report = Callable[[str], None]

# Stopped in this order: Connect without its broker hangs.
NAMES: Final = ("connect", "kafka", "mariadb")
_TITLES: Final = {"connect": "Kafka Connect", "kafka": "Kafka", "mariadb": "MariaDB"}
ADMIN_VARIABLE: Final = "COMMERCE_SYNC_LOCAL_ADMIN_URL"
PARTITIONS: Final = 4
START_S_MAX: Final = 90.0
_STATE: Final = "stack.json"
_PORTS: Final = ("mariadb", "kafka", "controller", "connect")


@dataclass(slots=True)
class Stack:
    """The stack of one data directory. What it says of processes is read from the system each time."""

    data_dir: Path
    prefix: str
    ports: dict[str, int]
    identities: dict[str, Identity] = field(default_factory=dict)

    @property
    def layout(self) -> Layout:
        return Layout(self.data_dir)

    def pid(self, name: str) -> int | None:
        """The process id of a server that runs."""
        identity = self.identities.get(name)
        return identity.pid if identity is not None and processes.is_running(identity) else None

    def answering(self) -> dict[str, bool]:
        """Which servers run and answer."""
        answers = {
            "connect": lambda: servers.connect_answers(self.ports["connect"]),
            "kafka": lambda: processes.answers(self.ports["kafka"]),
            "mariadb": lambda: processes.answers(self.ports["mariadb"]),
        }
        return {name: self.pid(name) is not None and answers[name]() for name in NAMES}

    def environment(self) -> dict[str, str]:
        """Settings that reach the stack, by the names they have in the environment."""
        password_of = accounts.passwords(self.layout.secrets)
        at = f"127.0.0.1:{self.ports['mariadb']}"
        secret = _connect_secret(self.layout)
        values = {
            "COMMERCE__URL": f"mysql://{accounts.READER}@{at}/{accounts.DATABASE}",
            "COMMERCE__PASSWORD": password_of[accounts.READER],
            "CAPTURE__CONNECT_URL": f"http://127.0.0.1:{self.ports['connect']}",
            "CAPTURE__USER": accounts.CAPTURE,
            "CAPTURE__PASSWORD": password_of[accounts.CAPTURE],
            "CAPTURE__PASSWORD_PLACEHOLDER": f"${{file:{secret}:database.password}}",
            "KAFKA__BOOTSTRAP_SERVERS": f"127.0.0.1:{self.ports['kafka']}",
            "KAFKA__REPLICATION_FACTOR": "1",
            "KAFKA__PARTITIONS": str(PARTITIONS),
        }
        return {
            **{ENVIRONMENT_PREFIX + name: value for name, value in values.items()},
            ADMIN_VARIABLE: f"mysql://{accounts.ADMIN}:{password_of[accounts.ADMIN]}@{at}/",
        }

    def stop_process(self, name: str) -> None:
        """Ask one server to end; the others go on."""
        processes.stop(self.identities.get(name))

    def kill_process(self, name: str) -> None:
        """End one server at once, as a crash would."""
        processes.kill(self.identities.get(name))

    def start_process(self, name: str) -> None:
        """Start one server again on its port and wait until it answers."""
        _start(self, _programs(lambda _: None), name)
        _await(self, name)

    def save(self) -> None:
        """Written at once after each start, so that a killed command leaves nothing unknown."""
        state = {
            "prefix": self.prefix,
            "ports": self.ports,
            "processes": {name: asdict(identity) for name, identity in self.identities.items()},
        }
        unfinished = self.data_dir / f"{_STATE}.new"
        unfinished.write_text(json.dumps(state, indent=1), encoding="utf-8")
        unfinished.replace(self.data_dir / _STATE)


@dataclass(frozen=True, slots=True)
class _Programs:
    """What the servers are started from."""

    java: Path
    classpath: str
    mariadb: Path


def read(data_dir: Path) -> Stack | None:
    """What is known of a data directory's stack; None when there never was one.

    Raises:
        UsageError: something else than `up` wrote its state file.
    """
    try:
        state = json.loads((data_dir.absolute() / _STATE).read_text(encoding="utf-8"))
        identities = {name: Identity(**identity) for name, identity in state["processes"].items()}
        return Stack(data_dir.absolute(), state["prefix"], state["ports"], identities)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        message = (
            f"{data_dir / _STATE} cannot be read ({type(error).__name__}): end the servers started from "
            "there and delete the file, or use another --data-dir"
        )
        raise UsageError(message) from error


def up(
    data_dir: Path, *, report: Report, prefix: str = "commerce-sync", names: Collection[str] = NAMES
) -> Stack:
    """Have the servers running and answering; what runs already is left alone.

    Args:
        prefix: of the Connect worker's own topics.
        names: the servers needed; Connect needs Kafka.

    Raises:
        UsageError: another machine, no Java, a missing library, a port that somebody else took, a data
            directory that cannot be used.
        Unreachable: the jars cannot be fetched.
        NotFine: a server does not start; its log is quoted.
    """
    data_dir = data_dir.absolute()
    servers.require_platform()
    _require_plain(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"--data-dir {data_dir} cannot be made ({error.strerror}): choose another"
        raise UsageError(message) from error
    with processes.alone(data_dir / ".lock"):
        stack = read(data_dir) or Stack(data_dir, prefix, {name: processes.free_port() for name in _PORTS})
        answering = stack.answering()
        if all(answering[name] for name in names):
            report("the local stack is up already")
            return stack
        programs = _programs(report)
        running_before = {name for name in NAMES if stack.pid(name)}
        try:
            _bring_up(stack, programs, names, report)
        except BaseException:
            # Ctrl-C or a failure: end what this command started, and only that.
            for name in NAMES:
                if name not in running_before:
                    processes.stop(stack.identities.get(name), 5)
            raise
        return stack


def _require_plain(data_dir: Path) -> None:
    """Kafka and Connect part lists of folders at commas, and a placeholder at colons and braces."""
    if found := sorted(set(",:{}").intersection(str(data_dir))):
        message = (
            f"--data-dir {data_dir} holds '{found[0]}', which Kafka cannot have in a folder: choose another"
        )
        raise UsageError(message)


def down(data_dir: Path, *, report: Report) -> None:
    """Stop what runs, in the order that works; the data stays."""
    data_dir = data_dir.absolute()
    if not data_dir.exists():
        return
    with processes.alone(data_dir / ".lock"):
        stack = read(data_dir)
        for name in NAMES if stack else ():
            if stack is not None and stack.pid(name):
                report(f"stopping {name}")
                stack.stop_process(name)


def _programs(report: Report) -> _Programs:
    runtime = java.find()
    cache = jars.cache_folder()
    paths = jars.ensure(cache / "jars", report)
    classpath = ":".join(str(path) for path in paths if not path.name.startswith(servers.MARIADB_ARTIFACT))
    with processes.alone(cache / "jars" / ".lock"):
        mariadb = servers.unpack_mariadb(paths, cache)
    return _Programs(runtime, classpath, mariadb)


def _bring_up(stack: Stack, programs: _Programs, names: Collection[str], report: Report) -> None:
    password_of = accounts.passwords(stack.layout.secrets)
    _connect_secret(stack.layout, password_of[accounts.CAPTURE])
    # Database and broker do not know of each other; Connect needs its broker.
    for together in (("mariadb", "kafka"), ("connect",)):
        wanted = [name for name in together if name in names]
        for name in wanted:
            _start(stack, programs, name)
        for name in wanted:
            _await(stack, name)
            report(f"{_TITLES[name]} on 127.0.0.1:{stack.ports[name]}")


def _start(stack: Stack, programs: _Programs, name: str) -> None:
    if stack.pid(name):
        return
    for port in (name, "controller") if name == "kafka" else (name,):
        if processes.is_taken(stack.ports[port]):
            message = (
                f"port {stack.ports[port]}, kept for {port} in {stack.data_dir / _STATE}, is taken by "
                "another program: end that one, or use another --data-dir"
            )
            raise UsageError(message)
    layout, ports = stack.layout, stack.ports
    if name == "mariadb":
        identity = servers.start_mariadb(
            layout,
            programs.mariadb,
            ports["mariadb"],
            accounts.statements(accounts.passwords(layout.secrets)),
        )
    elif name == "kafka":
        identity = servers.start_kafka(
            layout, programs.java, programs.classpath, ports["kafka"], ports["controller"]
        )
    else:
        identity = servers.start_connect(
            layout, programs.java, programs.classpath, ports["connect"], ports["kafka"], stack.prefix
        )
    stack.identities[name] = identity
    stack.save()


def _await(stack: Stack, name: str) -> None:
    port = stack.ports[name]

    def ready() -> bool:
        return servers.connect_answers(port) if name == "connect" else processes.answers(port)

    processes.await_ready(name, stack.identities[name], ready, stack.layout.log(name), START_S_MAX)


def _connect_secret(layout: Layout, password: str | None = None) -> Path:
    """The file the Connect worker's config provider reads the capture password from."""
    path = layout.secrets / "connect.properties"
    if password is not None:
        path.touch(mode=0o600)
        path.write_text(f"database.password={password}\n", encoding="utf-8")
    return path
