"""The shop's configuration, as it counts in each scope."""

from collections.abc import Mapping

from consumers.builder.read.reader import Plan, ask
from schemas.shop_config import PATHS

# (scope, scope id, path) -> value
SavedConfig = Mapping[tuple[str, int, str], str | None]

_DEFAULT = ("default", 0)


def read_config(prefix: str) -> Plan[SavedConfig]:
    """What is saved of the paths that any item depends on."""
    rows = yield from ask(
        f"SELECT scope, scope_id, path, value FROM {prefix}core_config_data WHERE path IN %s", list(PATHS)
    )
    return {(scope, scope_id, path): value for scope, scope_id, path, value in rows}


def default_config(saved: SavedConfig, overrides: Mapping[str, str]) -> dict[str, str]:
    """Values of the default scope, by path; paths without one are left out."""
    return _effective(saved, overrides, (_DEFAULT,))


def website_config(saved: SavedConfig, overrides: Mapping[str, str], website_id: int) -> dict[str, str]:
    """Values of a website, by path: its own, else the default's."""
    return _effective(saved, overrides, (("websites", website_id), _DEFAULT))


def store_config(
    saved: SavedConfig, overrides: Mapping[str, str], store_id: int, website_id: int
) -> dict[str, str]:
    """Values of a store view, by path: its own, else its website's, else the default's."""
    return _effective(saved, overrides, (("stores", store_id), ("websites", website_id), _DEFAULT))


def _effective(
    saved: SavedConfig, overrides: Mapping[str, str], scopes: tuple[tuple[str, int], ...]
) -> dict[str, str]:
    values = {}
    for path in PATHS:
        found = next((v for scope in scopes if (v := saved.get((*scope, path))) is not None), None)
        if path in overrides:
            values[path] = overrides[path]
        elif found is not None:
            values[path] = found
    return values
