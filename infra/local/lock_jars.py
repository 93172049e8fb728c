"""Write the jar lock: resolve infra/local/pom.xml with Maven, hash every file of its closure.

Run by `make jar-lock`; needs `mvn` and a network. A line per file: coordinate, then its sha256.
"""

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
LOCK = HERE.parent.parent / "commerce_sync" / "local" / "jars.lock"


def main() -> int:
    """Resolve, hash, write."""
    listing = HERE / "closure.tmp"
    command = [
        "mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:list",
        "-DincludeScope=runtime", "-DoutputAbsoluteArtifactFilename=true", f"-DoutputFile={listing}",
    ]  # fmt: skip
    subprocess.run(command, check=True)
    lines = []
    for line in listing.read_text(encoding="utf-8").splitlines():
        if ":/" not in line:
            continue
        group, artifact, packaging, *classifier, version, path = _fields(line)
        digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        coordinate = ":".join([group, artifact, version, packaging, *classifier])
        lines.append(f"{coordinate} {digest}")
    listing.unlink()
    LOCK.write_text("\n".join(sorted(lines)) + "\n", encoding="utf-8")
    print(f"{len(lines)} jars in {LOCK.name}")  # noqa: T201
    return 0


def _fields(line: str) -> list[str]:
    """`group:artifact:packaging[:classifier]:version:scope:/path [-- module ...]`, without the scope."""
    text = line.strip().split(" -- ")[0].strip()
    head, _, path = text.partition(":/")
    *fields, _scope = head.split(":")
    return [*fields, f"/{path}"]


if __name__ == "__main__":
    sys.exit(main())
