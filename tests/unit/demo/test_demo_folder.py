"""A demo empties its folder: only its own, and only when nobody else is in it."""

from pathlib import Path

import pytest

from commerce_sync.demo.folder import emptied
from runtime.errors import UsageError


def left_by_a_demo(folder: Path) -> None:
    with emptied(folder):
        (folder / "mariadb" / "magento").mkdir(parents=True)
        (folder / "mariadb" / "magento" / "rows").touch()
        (folder / "ledger.db").touch()


def test_what_the_last_demo_left_is_gone(tmp_path: Path) -> None:
    """A link's target is not its."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    folder = tmp_path / "demo"
    left_by_a_demo(folder)
    (folder / "link").symlink_to(elsewhere)

    with emptied(folder):
        names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))

    assert names == []
    assert (elsewhere / "kept").exists()


def test_a_second_demo_leaves_the_first_alone(tmp_path: Path) -> None:
    """It would stop the servers of the first and remove their data."""
    with emptied(tmp_path):
        (tmp_path / "mariadb").mkdir()
        with pytest.raises(UsageError) as told, emptied(tmp_path):
            pass
        still_there = (tmp_path / "mariadb").exists()

    assert str(told.value) == (
        f"--data-dir {tmp_path} is in use: end the demo or benchmark there, or choose another"
    )
    assert still_there


def test_a_folder_of_somebody_else_is_not_emptied(tmp_path: Path) -> None:
    """As `--data-dir .` in a home directory."""
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(UsageError) as told, emptied(tmp_path):
        pass

    assert str(told.value) == (
        f"--data-dir {tmp_path} holds 'thesis.txt', which no demo made, and would be emptied: "
        "choose a folder that is empty or not there"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """With the cause."""
    (tmp_path / "file").touch()

    with pytest.raises(UsageError, match=r"cannot be made \(Not a directory\): choose another"):
        with emptied(tmp_path / "file" / "demo"):
            pass
