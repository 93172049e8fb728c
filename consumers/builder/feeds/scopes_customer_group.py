"""The `scopesCustomerGroup` feed: one item a customer group, with the websites that are open to it."""

from typing import Any, Final

from consumers.builder.scopes import GroupRows

FEED: Final = "scopesCustomerGroup"


def identity(group_id: int) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"customerGroupId": str(group_id)}


def build(group: GroupRows) -> list[dict[str, Any]]:
    """The group's item; websites by code."""
    return [
        {
            **identity(group.group_id),
            "customerGroupCode": group.hashed_id,
            "websites": sorted(group.website_codes),
        }
    ]
