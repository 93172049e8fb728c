"""The jars that are used are the ones of the lock, byte for byte."""

import hashlib
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from commerce_sync.local import jars
from commerce_sync.local.jars import Jar
from runtime.errors import Unreachable

POM = Path(__file__).parents[3] / "infra" / "local" / "pom.xml"
CONTENT = b"what the lock means"
JAR = Jar("org.example", "thing", "1.0", "jar", "", hashlib.sha256(CONTENT).hexdigest())
OTHER = Jar("org.example", "other", "2.0", "jar", "linux", hashlib.sha256(b"other").hexdigest())
BYTES = {JAR: CONTENT, OTHER: b"other"}


class Repository:
    """Writes what it was given for each jar and remembers who asked."""

    def __init__(self, contents: dict[Jar, bytes]) -> None:
        self.contents = contents
        self.asked: list[str] = []

    def __call__(self, jar: Jar, folder: Path) -> None:
        self.asked.append(jar.artifact)
        path = folder / jar.path
        # As the real fetcher: it must never find an old file in its way.
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.contents[jar])


@pytest.fixture
def two_jars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "locked", lambda: [JAR, OTHER])
    monkeypatch.setattr(jars, "RETRY_WAITS_S", (0, 0))


def quiet(_: str) -> None:
    """Progress is for people."""


@pytest.mark.usefixtures("two_jars")
def test_an_empty_cache_is_filled_and_then_left_alone(tmp_path: Path) -> None:
    """The second use fetches nothing."""
    repository = Repository(BYTES)

    first = jars.ensure(tmp_path, quiet, repository)
    second = jars.ensure(tmp_path, quiet, repository)

    assert (
        first
        == second
        == [
            tmp_path / "org/example/thing/1.0/thing-1.0.jar",
            tmp_path / "org/example/other/2.0/other-2.0-linux.jar",
        ]
    )
    assert [path.read_bytes() for path in second] == [CONTENT, b"other"]
    assert sorted(repository.asked) == ["other", "thing"]


@pytest.mark.usefixtures("two_jars")
@pytest.mark.parametrize("damage", [b"", CONTENT[:-1], CONTENT + b"\0"])
def test_a_damaged_jar_is_fetched_again(tmp_path: Path, damage: bytes) -> None:
    """Empty, cut short or grown: only the damaged file is replaced."""
    jars.ensure(tmp_path, quiet, Repository(BYTES))
    (tmp_path / JAR.path).write_bytes(damage)
    repository = Repository(BYTES)

    jars.ensure(tmp_path, quiet, repository)

    assert repository.asked == ["thing"]
    assert (tmp_path / JAR.path).read_bytes() == CONTENT


@pytest.mark.usefixtures("two_jars")
def test_a_jar_that_comes_changed_is_refused_and_not_kept(tmp_path: Path) -> None:
    """Another file under the right name is never used, and the next try starts clean."""
    repository = Repository({**BYTES, JAR: b"changed on the way"})

    with pytest.raises(Unreachable, match=r"^org\.example:thing:1\.0 came with another sha256") as refusal:
        jars.ensure(tmp_path, quiet, repository)

    assert refusal.value.exit_code == 3
    assert not (tmp_path / JAR.path).exists()


@pytest.mark.usefixtures("two_jars")
def test_a_repository_that_fails_for_a_moment_is_asked_again(tmp_path: Path) -> None:
    """A name that cannot be resolved once must not cost the whole start."""
    repository = Repository(BYTES)
    failures = [OSError("temporary failure in name resolution"), OSError("connection reset")]

    def shaky(jar: Jar, folder: Path) -> None:
        if jar == JAR and failures:
            raise failures.pop()
        repository(jar, folder)

    jars.ensure(tmp_path, quiet, shaky)

    assert (tmp_path / JAR.path).read_bytes() == CONTENT
    assert failures == []


@pytest.mark.usefixtures("two_jars")
def test_a_fetch_that_breaks_off_leaves_no_file(tmp_path: Path) -> None:
    """The sentence names the jar and carries the cause."""

    def break_off(jar: Jar, folder: Path) -> None:
        path = folder / jar.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT[:3])
        raise ConnectionError("connection lost")

    with pytest.raises(Unreachable, match=r"^org\.example:\S+ cannot be fetched \(connection lost\)"):
        jars.ensure(tmp_path, quiet, break_off)

    assert not (tmp_path / JAR.path).exists()


@pytest.mark.usefixtures("two_jars")
def test_progress_is_said_only_when_something_is_fetched(tmp_path: Path) -> None:
    """A warm start is silent about jars."""
    cold: list[str] = []
    warm: list[str] = []

    jars.ensure(tmp_path, cold.append, Repository(BYTES))
    jars.ensure(tmp_path, warm.append, Repository(BYTES))

    assert cold == ["fetching 2 of 2 jars, once"]
    assert warm == []


def test_the_lock_names_each_jar_once_with_a_whole_checksum() -> None:
    """Every line reads; no file is named twice."""
    lock = jars.locked()

    paths = [jar.path for jar in lock]
    assert len(paths) == len(set(paths)) > 0
    assert [jar for jar in lock if not re.fullmatch("[0-9a-f]{64}", jar.sha256)] == []
    assert {jar.packaging for jar in lock} == {"jar"}


def test_the_lock_was_made_from_the_pom() -> None:
    """Each direct dependency stands in the lock at the version the pom asks for."""
    space = {"m": "http://maven.apache.org/POM/4.0.0"}
    pom = ElementTree.parse(POM).getroot()
    values = {
        item.tag.removeprefix(f"{{{space['m']}}}"): item.text or ""
        for item in pom.findall("m:properties/*", space)
    }

    wanted = {
        tuple(
            re.sub(r"\$\{(.+?)\}", lambda name: values[name[1]], item.findtext(f"m:{part}", "", space))
            for part in ("groupId", "artifactId", "version")
        )
        for item in pom.findall("m:dependencies/m:dependency", space)
    }

    assert len(wanted) == 8
    assert wanted - {(jar.group, jar.artifact, jar.version) for jar in jars.locked()} == set()


def test_the_cache_follows_the_desktop_convention() -> None:
    """XDG_CACHE_HOME first, else .cache in the home."""
    assert jars.cache_folder({"XDG_CACHE_HOME": "/c", "HOME": "/h"}) == Path("/c/commerce-sync")
    assert jars.cache_folder({"XDG_CACHE_HOME": "", "HOME": "/h"}) == Path("/h/.cache/commerce-sync")
