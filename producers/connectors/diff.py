"""Wanted against actual connector configuration, as a list of differences without secrets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from producers.connectors.declare import is_placeholder

HIDDEN: Final = "(hidden)"
_SECRET_NAME: Final = re.compile(
    r"password|secret|token|jaas|credential|keystore\.key|keystore\.cert", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Difference:
    """One property: `kind` says what `apply` would do to it. An absent value is None."""

    kind: Literal["added", "removed", "changed"]
    name: str
    wanted: str | None
    actual: str | None

    def __str__(self) -> str:
        if self.kind == "added":
            return f"+ {self.name} = {self.wanted}"
        if self.kind == "removed":
            return f"- {self.name} = {self.actual}"
        return f"~ {self.name} = {self.actual} -> {self.wanted}"


def differences(wanted: Mapping[str, str], actual: Mapping[str, str]) -> list[Difference]:
    """List what `apply` would change, by name. Placeholders are shown, values that may be secret are not."""
    found = []
    for name in sorted(wanted.keys() | actual.keys()):
        before, after = actual.get(name), wanted.get(name)
        if before == after:
            continue
        kind: Literal["added", "removed", "changed"] = "changed"
        if before is None:
            kind = "added"
        elif after is None:
            kind = "removed"
        found.append(Difference(kind, name, _shown(name, after), _shown(name, before)))
    return found


def _shown(name: str, value: str | None) -> str | None:
    if value is None or is_placeholder(value) or not _SECRET_NAME.search(name):
        return value
    return HIDDEN
