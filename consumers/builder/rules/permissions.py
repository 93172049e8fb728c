"""Who may see, see the price of, and buy what stands in a category (paid edition).

The tables are not public; their names and values are those that public documentation and tools show.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.builder.values import Website
from schemas import shop_config as config

ALLOW: Final = -1
DENY: Final = -2
# Config value that names the groups in a path beside it; another one is for everyone or for nobody.
_EVERYONE: Final = "1"
_NAMED_GROUPS: Final = "2"

# What is granted, in the order in which one needs the other: what is not seen has no price.
MEMBERS: Final = ("displayable", "priceDisplayable", "addToCartAllowed")
_PATHS: Final = (config.GRANT_VIEW, config.GRANT_PRICE, config.GRANT_CART)


@dataclass(frozen=True, slots=True)
class PermissionRow:
    """A row of magento_catalogpermissions. Website or group None: all. `grants` in the order of MEMBERS."""

    permission_id: int
    category_id: int
    website_id: int | None
    group_id: int | None
    grants: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Permissions:
    """Rows by category id and the ids of all customer groups; nothing where there is no such table."""

    rows: Mapping[int, tuple[PermissionRow, ...]] = field(default_factory=dict)
    group_ids: tuple[int, ...] = ()


def are_enabled(website: Website) -> bool:
    return config.flag(website.config, config.PERMISSIONS_ENABLED)


def granted(
    paths: Iterable[tuple[int, ...]], website: Website, group_id: int, permissions: Permissions
) -> dict[str, Any]:
    """What a group may do with what stands in these categories; one that allows it is enough.

    Args:
        paths: of the categories: ids along the tree, the category itself last.
    """
    ways = list(paths)
    members: dict[str, Any] = {}
    needed = True
    for grant, member in enumerate(MEMBERS):
        needed = needed and any(_allows(grant, path, website, group_id, permissions) for path in ways)
        members[member] = needed
    return members


def _allows(
    grant: int, path: tuple[int, ...], website: Website, group_id: int, permissions: Permissions
) -> bool:
    """The nearest category on the way up that says something decides, then the website's settings."""
    for category_id in reversed(path):
        said = [
            row
            for row in permissions.rows.get(category_id, ())
            if row.grants[grant] in {ALLOW, DENY}
            and row.website_id in {None, website.website_id}
            and row.group_id in {None, group_id}
        ]
        if said:
            # A row for one website and group says more than one for all.
            closest = max(
                said, key=lambda r: (r.website_id is not None, r.group_id is not None, r.permission_id)
            )
            return closest.grants[grant] == ALLOW
    return _is_granted_by_default(grant, website, group_id)


def _is_granted_by_default(grant: int, website: Website, group_id: int) -> bool:
    value = config.value(website.config, _PATHS[grant])
    if value == _NAMED_GROUPS:
        groups = config.value(website.config, config.groups_path(_PATHS[grant]))
        return str(group_id) in {text.strip() for text in groups.split(",")}
    return value == _EVERYONE
