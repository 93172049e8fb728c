"""What the optimizer service makes of accepted items: replace, merge, delete, cascade, give back.

Source: the operations' published prose. A deleted category takes its descendants along, a price book its
children and all their prices; creating the top again within a week brings them back as they were.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

import msgspec

from commerce_sync.emulator.body import Items, on_one_line
from commerce_sync.emulator.merge import merged
from commerce_sync.emulator.storage import Storage
from schemas.services.optimizer import DEFAULT_PRICE_BOOK, PATCH_MERGE_KEYS, Route
from schemas.services.shapes import Identity, identity_of

RESTORABLE_S: Final = 7 * 24 * 3600


class Catalog:
    """The rules between a valid request and the storage; every call is one transaction."""

    def __init__(self, storage: Storage, clock: Callable[[], float]) -> None:
        self._storage = storage
        self._clock = clock

    def apply(self, route: Route, items: Items) -> tuple[Identity, ...]:
        """Take a valid request in; the answer names its items in their order."""
        identities = tuple(identity_of(route.identity, item) for item in items.values)
        with self._storage.transaction():
            match route.operation:
                case "upsert":
                    self._upsert(route.feed, identities, items)
                case "patch":
                    self._patch(route.feed, identities, items.values)
                case _:
                    self._delete(route.feed, identities)
        return identities

    def _upsert(self, feed: str, identities: tuple[Identity, ...], items: Items) -> None:
        rows = list(zip(identities, map(on_one_line, items.raw), strict=True))
        match feed:
            case "prices":
                known = {book for _, book in identities if self._book_exists(book)}
                # Taken and then ignored, as the service does: a price never waits for its book.
                self._storage.put(feed, [row for row in rows if row[0][1] in known])
            case "price-books":
                for (book,), item in zip(identities, items.values, strict=True):
                    self._put_book(book, item)
            case "categories":
                self._storage.put(feed, rows)
                for identity in identities:
                    self._storage.dig_up(_root(feed, identity), self._clock() - RESTORABLE_S)
            case _:
                self._storage.put(feed, rows)

    def _patch(self, feed: str, identities: tuple[Identity, ...], patches: list[Any]) -> None:
        keys = PATCH_MERGE_KEYS.get(feed, {})
        for identity, patch in zip(identities, patches, strict=True):
            stored = self._storage.get(feed, identity)
            if stored is None:
                continue
            if feed == "price-books":
                self._put_book(identity[0], patch)
                continue
            item = merged(msgspec.json.decode(stored), patch, keys)
            self._storage.put(feed, [(identity, msgspec.json.encode(item))])

    def _delete(self, feed: str, identities: tuple[Identity, ...]) -> None:
        if feed in {"categories", "price-books"}:
            for identity in identities:
                self._bury_branch(feed, identity)
        self._storage.remove(feed, identities)

    def _bury_branch(self, feed: str, identity: Identity) -> None:
        exists = self._storage.get(feed, identity) is not None
        if not exists and identity != (DEFAULT_PRICE_BOOK,):
            return  # deleting something unknown is accepted and does nothing
        root, now_s = _root(feed, identity), self._clock()
        if feed == "categories":
            slug, locale = identity
            # "0" follows "/" in every encoding, so this is the range of slugs that begin with "slug/".
            below = "feed = 'categories' and first > ? and first < ? and second = ?"
            self._storage.bury(root, now_s, below, f"{slug}/", f"{slug}0", locale)
            return
        for book in self._branch(identity[0]):
            self._storage.bury(root, now_s, "feed = 'prices' and second = ?", book)
            self._storage.bury(root, now_s, "feed = 'price-books' and first = ?", book)

    def _branch(self, book: str) -> list[str]:
        """A price book and all below it, whatever circle their parents may form."""
        children: dict[str, list[str]] = {}
        for item in self._books():
            children.setdefault(item.get("parentId", ""), []).append(item["priceBookId"])
        branch = [book]
        for parent in branch:
            branch += [child for child in children.get(parent, ()) if child not in branch]
        return branch

    def _books(self) -> Iterator[dict[str, Any]]:
        for page in self._storage.pages("price-books"):
            yield from map(msgspec.json.decode, page)

    def _book_exists(self, book: str) -> bool:
        return book == DEFAULT_PRICE_BOOK or self._storage.get("price-books", (book,)) is not None

    def _put_book(self, book: str, given: dict[str, Any]) -> None:
        identity, root = (book,), _root("price-books", (book,))
        stored = self._storage.get("price-books", identity)
        item = _book(given, msgspec.json.decode(stored) if stored else None)
        original = self._storage.get_buried("price-books", identity)
        self._storage.put("price-books", [(identity, msgspec.json.encode(item))])
        if stored is None and original is not None and msgspec.json.decode(original) == item:
            self._storage.dig_up(root, self._clock() - RESTORABLE_S)
        else:
            self._storage.forget(root)


def _book(given: dict[str, Any], stored: dict[str, Any] | None) -> dict[str, Any]:
    """A book as it is kept: its place in the tree is decided once, a child has no currency of its own."""
    item = dict(given)
    if stored is None:
        is_child = "parentId" in given and "currency" not in given
        inherited = {} if is_child else {"currency": "USD"}
    else:
        is_child = "parentId" in stored
        inherited = {name: stored[name] for name in ("name", "currency", "parentId") if name in stored}
    item.pop("currency" if is_child else "parentId", None)
    if stored is not None and is_child:
        item["parentId"] = stored["parentId"]
    return {**inherited, **item}


def _root(feed: str, identity: Iterable[str]) -> str:
    return msgspec.json.encode([feed, *identity]).decode()
