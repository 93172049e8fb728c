"""What is built: the entities, and the feeds that are made of each. Pure."""

from collections.abc import Mapping
from typing import Final

# In the order in which a first sync goes: what others refer to comes before them.
FEEDS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "scope": ("scopesWebsite", "scopesCustomerGroup", "priceBooks"),
    "attribute": ("productAttributes",),
    "category": ("categories", "categoryPermissions"),
    "product": ("products", "inventoryStockStatus", "variants", "productOverrides", "prices"),
}
ENTITY_OF: Final[Mapping[str, str]] = {feed: entity for entity, feeds in FEEDS_OF.items() for feed in feeds}
FEEDS: Final = tuple(ENTITY_OF)

# The others are few: total order is worth more to them than parallel work.
_PARTITIONED: Final = frozenset({"product"})


def partitions_of(entity: str, partitions: int) -> int:
    """Partitions of an entity's dirty, index and feed topics, where the installation has `partitions`."""
    return partitions if entity in _PARTITIONED else 1


def feed_partitions(feed: str, partitions: int) -> int:
    """Partitions of a feed's topic, and of each target's status and dead-letter topic of that feed."""
    return partitions_of(ENTITY_OF[feed], partitions)
