"""What the target may hold under each key, as a delete must say it. Pure."""

from collections.abc import Iterable


class Given:
    """Delete members (JSON text) of what was sent, or may have been sent, and no status tells yet."""

    def __init__(self) -> None:
        self._members: dict[bytes, tuple[str, ...]] = {}
        self._cleared: dict[bytes, str] = {}

    def add(self, key: bytes, members: str) -> None:
        """This is, or may be, on its way to the target; the newest comes last."""
        if self._cleared.get(key) == members:
            del self._cleared[key]
        known = self._members.get(key, ())
        if members and known[-1:] != (members,):
            self._members[key] = (*(text for text in known if text != members), members)

    def clear(self, key: bytes, members: str) -> None:
        """The target holds none of this any more, whatever the status says."""
        self._cleared[key] = members
        left = tuple(text for text in self._members.pop(key, ()) if text != members)
        if left:
            self._members[key] = left

    def is_cleared(self, key: bytes, members: str) -> bool:
        return self._cleared.get(key) == members

    def was_cleared(self, key: bytes) -> bool:
        """True while the status tells of what is there no more."""
        return key in self._cleared

    @property
    def has_cleared(self) -> bool:
        """True while any status does."""
        return bool(self._cleared)

    def settled(self, key: bytes) -> None:
        """The item's status tells all."""
        self._members.pop(key, None)
        self._cleared.pop(key, None)

    def newest(self, key: bytes) -> str:
        return next(reversed(self._members.get(key, ())), "")

    def all(self, key: bytes) -> Iterable[str]:
        return self._members.get(key, ())

    def __contains__(self, key: bytes) -> bool:
        return key in self._members
