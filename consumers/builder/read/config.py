"""The shop's configuration, as it counts in each scope."""

from collections import defaultdict
from collections.abc import Mapping

from consumers.builder.read.reader import Plan, ask
from schemas.shop_config import PATHS

# (scope, scope id) -> path -> value
SavedConfig = Mapping[tuple[str, int], Mapping[str, str]]

_DEFAULT = ("default", 0)


def read_config(prefix: str) -> Plan[SavedConfig]:
    """What is saved of the paths that any item depends on."""
    rows = yield from ask(
        f"SELECT scope, scope_id, path, value FROM {prefix}core_config_data WHERE path IN %s", list(PATHS)
    )
    saved: dict[tuple[str, int], dict[str, str]] = defaultdict(dict)
    for scope, scope_id, path, value in rows:
        if value is not None:
            saved[scope, scope_id][path] = value
    return saved


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
    values: dict[str, str] = {}
    for scope in reversed(scopes):
        values |= saved.get(scope, {})
    return values | {path: value for path, value in overrides.items() if path in PATHS}
