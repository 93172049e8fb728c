"""The shop's websites and store views as the feeds tell them, and which of them are switched off."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from confluent_kafka import Consumer

from runtime.kafka import read_to_end, reader
from runtime.settings import Settings
from schemas.codec import decode
from schemas.controls import SCOPE_PREFIX, Scope
from schemas.entities import ENTITY_OF, partitions_of
from schemas.topics import TopicNames

_FEED: Final = "scopesWebsite"


@dataclass(frozen=True, slots=True)
class Known:
    """`shop`: websites with their store views; `off`: (target, website, store view or None)."""

    shop: dict[str, tuple[str, ...]]
    off: frozenset[tuple[str, str, str | None]]

    def is_off(self, target: str, website: str, store_view: str | None) -> bool:
        """A store view is known by its code, whatever website it belonged to when it was switched."""
        return any(
            store_view == view and (store_view is not None or website == code)
            for name, code, view in self.off
            if name == target
        )

    def has(self, website: str, store_view: str | None) -> bool:
        """True for what the shop has, and for what is switched off although it has it no more."""
        of_shop = website in self.shop and (store_view is None or store_view in self.shop[website])
        return of_shop or any(scope[1:] == (website, store_view) for scope in self.off)


def known_scopes(settings: Settings) -> Known:
    """What the topics say now.

    Raises:
        Unreachable: the broker does not answer, or the topics do not exist yet.
    """
    names = TopicNames(settings.kafka.topic_prefix)
    asker = reader(settings.kafka, names.group("scopes"))
    items: dict[bytes, bytes] = {}
    try:
        partitions = range(partitions_of(ENTITY_OF[_FEED], settings.kafka.partitions))
        for record in read_to_end(asker, names.feed(_FEED), partitions):
            items.pop(record.key, None)
            if record.value is not None:
                items[record.key] = record.value
        scopes = switched(asker, names)
    finally:
        asker.close()
    shop = dict(_website(decode(_FEED, value)) for value in items.values())
    off = {(s.target, s.website, s.store_view) for s in scopes if not s.enabled}
    return Known(dict(sorted(shop.items())), frozenset(off))


def switched(consumer: Consumer, names: TopicNames) -> list[Scope]:
    """Every scope that was ever switched at a target, as it is now."""
    scopes: dict[tuple[str, str | None, str], Scope] = {}
    for record in read_to_end(consumer, names.control, [0]):
        if record.key.startswith(SCOPE_PREFIX) and record.value is not None:
            scope = msgspec.json.decode(record.value, type=Scope)
            scopes[scope.target, scope.store_view, "" if scope.store_view else scope.website] = scope
    return list(scopes.values())


def _website(item: Any) -> tuple[str, tuple[str, ...]]:
    views = [view["storeViewCode"] for store in item["stores"] for view in store["storeViews"]]
    return item["websiteCode"], tuple(views)
