"""The `categoryPermissions` feed (paid edition): the permissions set at a category, row by row."""

from collections.abc import Iterable
from typing import Any, Final

from consumers.builder.feeds.prices import group_code
from consumers.builder.rules.permissions import ALLOW, DENY, MEMBERS, PermissionRow
from consumers.builder.values import Website

FEED: Final = "categoryPermissions"

_SAYS: Final = {ALLOW: True, DENY: False}


def identity(permission_id: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"permissionId": permission_id}


def build(rows: Iterable[PermissionRow], websites: Iterable[Website]) -> list[dict[str, Any]]:
    """All items of one category, by permission id; a row of a website that is gone is left out."""
    codes = {website.website_id: website.code for website in websites}
    return [
        {
            **identity(str(row.permission_id)),
            "categoryId": str(row.category_id),
            "websiteCode": None if row.website_id is None else codes[row.website_id],
            "customerGroupCode": None if row.group_id is None else group_code(row.group_id),
            **{member: _SAYS.get(grant) for member, grant in zip(MEMBERS, row.grants, strict=True)},
        }
        for row in sorted(rows, key=lambda row: row.permission_id)
        if row.website_id is None or row.website_id in codes
    ]
