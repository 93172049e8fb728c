"""The `priceBooks` feed: a base book for each website, and below it a book for each customer group."""

from collections.abc import Iterable
from typing import Any, Final

from consumers.builder.scopes import GroupRows, WebsiteRows

FEED: Final = "priceBooks"


def identity(price_book_id: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"priceBookId": price_book_id}


def build(website: WebsiteRows, groups: Iterable[GroupRows]) -> list[dict[str, Any]]:
    """The website's books: the base first, then the groups' by ascending id.

    A group that is kept out of the website has a book too: nothing keeps prices of it out of the catalog,
    and a price without its book is lost at the target.
    """
    # A book needs a name; the column may be empty.
    name = website.name or website.code
    base = _book(website, website.code, name, currency=website.base_currency)
    return [
        base,
        *(_child(website, name, group) for group in sorted(groups, key=lambda group: group.group_id)),
    ]


def _child(website: WebsiteRows, name: str, group: GroupRows) -> dict[str, Any]:
    return _book(
        website,
        f"{website.code}::{group.hashed_id}",
        f"{group.name} ({name})",
        parentId=website.code,
        customerGroupCode=group.hashed_id,
    )


def _book(website: WebsiteRows, price_book_id: str, name: str, **members: str) -> dict[str, Any]:
    return {
        **identity(price_book_id),
        "websiteId": str(website.website_id),
        "websiteCode": website.code,
        "name": name,
        "parentId": None,
        "currency": None,
        "customerGroupCode": None,
        **members,
    }
