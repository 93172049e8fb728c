"""Of an identity at the service that moved between keys of the feed, only the newest key speaks. Pure.

A category is known by its id there and by its path here: its old path's tombstone must not delete what the
new path has brought, whichever of the two comes first.
"""

from schemas.services.shapes import Identity


class Claims:
    """Which key has an identity, and which one speaks for it just now. The empty identity is nobody's."""

    def __init__(self) -> None:
        self._owners: dict[Identity, tuple[int, bytes]] = {}
        self._speaking: dict[Identity, bytes] = {}
        self._spoken_for: dict[bytes, Identity] = {}

    def claim(self, identity: Identity, key: bytes, offset: int) -> None:
        """An item of this key has the identity, unless a later record gave it to another."""
        if identity and (offset, key) > self._owners.get(identity, (-1, b"")):
            self._owners[identity] = (offset, key)

    def owner(self, identity: Identity, key: bytes) -> bytes:
        """The key that has the identity; the one that asks when no other is known."""
        return self._owners.get(identity, (-1, key))[1]

    def enter(self, identity: Identity, key: bytes) -> bool:
        """Begin to speak for an identity, and no more for another; False while another key does."""
        if self._spoken_for.get(key) != identity:
            self.leave(key)
        if self._speaking.setdefault(identity, key) != key:
            return False
        self._spoken_for[key] = identity
        return True

    def leave(self, key: bytes) -> None:
        """What this key had to say is settled."""
        identity = self._spoken_for.pop(key, ())
        self._speaking.pop(identity, None)
