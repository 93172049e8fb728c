"""Websites and customer groups as rows of a batch: plain data between the queries and the feeds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1

# Entity keys begin with these; the id follows.
WEBSITE = "website:"
GROUP = "group:"
# References: to the set of all websites, of all customer groups, and to a configuration path.
EVERY_WEBSITE = "website:*"
EVERY_GROUP = "group:*"
CONFIG = "config:"


@dataclass(frozen=True, slots=True)
class Store:
    """A store of a website, which Commerce calls a store group; views by id with their codes."""

    group_id: int
    code: str | None
    views: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebsiteRows:
    """A website; the admin website (id 0) never is one. `base_currency` is what its prices are in."""

    website_id: int
    code: str
    name: str | None
    base_currency: str
    stores: tuple[Store, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupRows:
    """A customer group; `website_codes` are those it is not kept out of."""

    group_id: int
    name: str
    website_codes: frozenset[str] = frozenset()

    @property
    def hashed_id(self) -> str:
        """How targets name the group: lower-case hex SHA-1 of the decimal id."""
        return sha1(str(self.group_id).encode(), usedforsecurity=False).hexdigest()
