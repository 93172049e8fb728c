"""`local status` and `local env` where no stack ever was, and the settings one is reached by."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from commerce_sync.local import accounts
from commerce_sync.local.commands import local
from commerce_sync.local.stack import Stack
from runtime import settings
from runtime.errors import NotFine, UsageError

PORTS = {"mariadb": 1001, "kafka": 1002, "controller": 1003, "connect": 1004}


def test_env_of_an_empty_folder_says_what_to_run_first(tmp_path: Path) -> None:
    """Exit code 2: the command line is wrong, nothing is broken."""
    result = CliRunner().invoke(local, ["env", "--data-dir", str(tmp_path)])

    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == (
        f"--data-dir {tmp_path} holds no local stack: run 'commerce-sync local up' first"
    )


def test_status_of_an_empty_folder_is_not_fine(tmp_path: Path) -> None:
    """The object is printed all the same, for scripts."""
    result = CliRunner().invoke(local, ["status", "--json", "--data-dir", str(tmp_path)])

    down = {"up": False, "pid": None, "port": None}
    assert isinstance(result.exception, NotFine)
    assert result.exception.exit_code == 1
    assert json.loads(result.stdout) == {
        "up": False,
        "servers": {"connect": down, "kafka": down, "mariadb": down},
    }


def test_down_of_a_folder_that_never_was_is_fine(tmp_path: Path) -> None:
    """And makes no folder."""
    result = CliRunner().invoke(local, ["down", "--data-dir", str(tmp_path / "none")])

    assert result.exit_code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "state", ["", "[]", "{}", '{"prefix": "x", "ports": {}, "processes": {"kafka": {}}}']
)
def test_a_state_file_of_somebody_else_is_named(tmp_path: Path, state: str) -> None:
    """Which servers it meant cannot be known, so a person has to look."""
    (tmp_path / "stack.json").write_text(state)

    results = [CliRunner().invoke(local, [verb, "--data-dir", str(tmp_path)]) for verb in ("status", "down")]

    assert [type(result.exception) for result in results] == [UsageError, UsageError]
    assert [str(result.exception).split(" (")[0] for result in results] == [
        f"{tmp_path}/stack.json cannot be read"
    ] * 2


def test_a_data_dir_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """Before anything is fetched or started."""
    (tmp_path / "file").touch()

    result = CliRunner().invoke(local, ["up", "--data-dir", str(tmp_path / "file" / "data")])

    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == (
        f"--data-dir {tmp_path}/file/data cannot be made (Not a directory): choose another"
    )


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_env_prints_settings_that_load(tmp_path: Path, option: list[str]) -> None:
    """Exactly the names of the contract, in both forms, and the settings take every value."""
    Stack(tmp_path, "commerce-sync", PORTS).save()
    password_of = accounts.passwords(tmp_path / "secrets")

    result = CliRunner().invoke(local, ["env", "--data-dir", str(tmp_path), *option])
    values = (
        json.loads(result.stdout)
        if option
        else dict(line.removeprefix("export ").split("=", 1) for line in result.stdout.splitlines())
    )
    loaded = settings.load(environ={name: value.strip("'") for name, value in values.items()})

    assert sorted(values) == [
        "COMMERCE_SYNC_LOCAL_ADMIN_URL",
        "COMMERCE_SYNC__CAPTURE__CONNECT_URL",
        "COMMERCE_SYNC__CAPTURE__PASSWORD",
        "COMMERCE_SYNC__CAPTURE__PASSWORD_PLACEHOLDER",
        "COMMERCE_SYNC__CAPTURE__USER",
        "COMMERCE_SYNC__COMMERCE__PASSWORD",
        "COMMERCE_SYNC__COMMERCE__URL",
        "COMMERCE_SYNC__KAFKA__BOOTSTRAP_SERVERS",
        "COMMERCE_SYNC__KAFKA__PARTITIONS",
        "COMMERCE_SYNC__KAFKA__REPLICATION_FACTOR",
    ]
    assert (loaded.commerce.address.user, loaded.commerce.address.port) == ("commerce_sync", 1001)
    assert loaded.commerce.address.password.get_secret_value() == password_of["commerce_sync"]
    assert loaded.capture.connect_url == "http://127.0.0.1:1004"
    assert loaded.capture.password_placeholder == (
        f"${{file:{tmp_path}/secrets/connect.properties:database.password}}"
    )
    assert (loaded.kafka.bootstrap_servers, loaded.kafka.replication_factor) == ("127.0.0.1:1002", 1)


@pytest.mark.parametrize("name", ["a,b", "a:b", "a{b"])
def test_a_folder_that_kafka_cannot_have_is_refused(tmp_path: Path, name: str) -> None:
    """Before anything is fetched or written."""
    done = CliRunner().invoke(local, ["up", "--data-dir", str(tmp_path / name)])

    assert isinstance(done.exception, UsageError)
    assert str(done.exception) == (
        f"--data-dir {tmp_path / name} holds '{name[1]}', which Kafka cannot have in a folder: choose another"
    )
    assert list(tmp_path.iterdir()) == []
