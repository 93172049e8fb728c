"""Which websites and store views a target is told of. Pure."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from schemas.controls import Scope

# What governs an item: the member of its key, and how the scope is found in it.
_BY_STORE_VIEW: Final = frozenset({"products", "productAttributes", "categories"})
_BY_WEBSITE: Final = frozenset({"prices", "priceBooks"})
_BOOK_SEPARATOR: Final = "::"


class Scopes:
    """Everything is told of but what was switched off; feeds of neither kind always are."""

    def __init__(self, scopes: Iterable[Scope] = ()) -> None:
        self._websites: set[str] = set()
        self._views: set[str] = set()
        for scope in scopes:
            self.put(scope)

    def put(self, scope: Scope) -> bool:
        """Switch a website or a store view; returns whether that changed anything."""
        # Codes of store views are unique in a shop, whatever website they belong to.
        off, code = (
            (self._websites, scope.website) if scope.store_view is None else (self._views, scope.store_view)
        )
        changed = (code in off) == scope.enabled
        (off.discard if scope.enabled else off.add)(code)
        return changed

    def tell(self, feed: str, key: bytes) -> bool:
        """True when the item of this feed record's key is to be at the target."""
        off = self._websites if feed in _BY_WEBSITE else self._views if feed in _BY_STORE_VIEW else None
        if not off:
            return True
        try:
            return _code(feed, msgspec.json.decode(key)) not in off
        except (msgspec.DecodeError, LookupError, TypeError, AttributeError):
            # It is parked when it is to be sent.
            return True


def feeds_of(scope: Scope) -> frozenset[str]:
    """The feeds that a scope governs."""
    return _BY_WEBSITE if scope.store_view is None else _BY_STORE_VIEW


def _code(feed: str, key: Any) -> str:
    if feed == "priceBooks":
        return str(key["priceBookId"].partition(_BOOK_SEPARATOR)[0])
    return str(key["websiteCode" if feed in _BY_WEBSITE else "storeViewCode"])
