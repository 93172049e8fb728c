"""The jars of the lock, fetched on first use and checked at each."""

import hashlib
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from commerce_sync.local.processes import alone
from runtime.errors import Unreachable

Report = Callable[[str], None]
# Fetches one jar to where it belongs below the folder; may leave anything there when it fails.
Fetch = Callable[["Jar", Path], None]

_WORKERS: Final = 8
_FETCH_TIMEOUT_S: Final = 60
# A name server or a repository that does not answer for a moment is no reason to give up on 110 jars.
RETRY_WAITS_S: Final = (1, 3, 9, 20)


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of the lock."""

    group: str
    artifact: str
    version: str
    packaging: str
    classifier: str
    sha256: str

    @property
    def path(self) -> Path:
        """Where a Maven repository keeps it."""
        suffix = f"-{self.classifier}" if self.classifier else ""
        folder = Path(*self.group.split("."), self.artifact, self.version)
        return folder / f"{self.artifact}-{self.version}{suffix}.{self.packaging}"


def locked() -> list[Jar]:
    """The lock's jars, in its order."""
    text = files("commerce_sync.local").joinpath("jars.lock").read_text(encoding="utf-8")
    return [_parse(line) for line in text.splitlines() if line]


def _parse(line: str) -> Jar:
    coordinate, sha256 = line.split()
    group, artifact, version, packaging, *classifier = coordinate.split(":")
    return Jar(group, artifact, version, packaging, "".join(classifier), sha256)


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Our own cache: no other program's files are taken for ours."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/tmp")) / ".cache"
    return Path(base) / "commerce-sync"


def ensure(folder: Path, report: Report, fetch: Fetch | None = None) -> list[Path]:
    """Have every jar of the lock below `folder`, each with the sha256 of the lock.

    Args:
        fetch: how one jar is fetched; by default from the public Maven repository.

    Raises:
        Unreachable: a jar cannot be fetched, or what comes has another sha256.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jars = locked()
    with alone(folder / ".lock"), ThreadPoolExecutor(_WORKERS) as pool:
        wrong = [
            jar
            for jar, fine in zip(jars, pool.map(lambda jar: _is_right(jar, folder), jars), strict=True)
            if not fine
        ]
        if wrong:
            report(f"fetching {len(wrong)} of {len(jars)} jars, once")
            take = fetch or _from_maven
            for done, _ in enumerate(pool.map(lambda jar: _replace(jar, folder, take), wrong), 1):
                if done % 20 == 0:
                    report(f"fetched {done} of {len(wrong)} jars")
    return [folder / jar.path for jar in jars]


def _is_right(jar: Jar, folder: Path) -> bool:
    try:
        with (folder / jar.path).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def _replace(jar: Jar, folder: Path, fetch: Fetch) -> None:
    for wait_s in (*RETRY_WAITS_S, None):
        # The fetcher takes any file that is there for a good one.
        (folder / jar.path).unlink(missing_ok=True)
        try:
            fetch(jar, folder)
            break
        except Exception as error:
            (folder / jar.path).unlink(missing_ok=True)
            if wait_s is None:
                message = (
                    f"{jar.group}:{jar.artifact}:{jar.version} cannot be fetched ({error}): the first start "
                    "needs the public Maven repository, later ones work without a network"
                )
                raise Unreachable(message) from error
            time.sleep(wait_s)
    if not _is_right(jar, folder):
        (folder / jar.path).unlink(missing_ok=True)
        message = (
            f"{jar.group}:{jar.artifact}:{jar.version} came with another sha256 than the lock's: something "
            "between here and the repository changes files; nothing was started"
        )
        raise Unreachable(message)


def _from_maven(jar: Jar, folder: Path) -> None:
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=folder, local_repos=[], timeout=_FETCH_TIMEOUT_S)
    component = context.project(jar.group, jar.artifact).at_version(jar.version)
    component.artifact(jar.classifier, jar.packaging).resolve()
