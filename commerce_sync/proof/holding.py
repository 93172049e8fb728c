"""What one place holds of one feed, as hashes: 17 bytes an item, whatever the items' size."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

import xxhash

# Nothing is held under a key.
NOTHING: Final = 0
_BUCKETS: Final = 256
_SHIFT: Final = 56
# A bucket is tidied when it has this many more entries than after the last time, and twice as many.
_SLACK: Final = 256


def digest(text: bytes) -> int:
    """64 bits that stand for a key or a content; never NOTHING."""
    return xxhash.xxh3_64_intdigest(text) or 1


class Holding:
    """Content digests by key digest: filled in the order of a log, then asked for item by item.

    Among ten million keys two have one digest in three of a million audits.
    """

    def __init__(self) -> None:
        self._buckets = [_Bucket() for _ in range(_BUCKETS)]

    def put(self, key: int, content: int) -> None:
        """The newest of a key counts; NOTHING takes it away."""
        self._buckets[key >> _SHIFT].put(key, content)

    def content(self, key: int) -> int:
        """What is held; the key counts as asked for."""
        return self._buckets[key >> _SHIFT].content(key)

    def never_asked(self) -> Iterator[int]:
        """Keys of what is held that nobody asked for."""
        for bucket in self._buckets:
            yield from bucket.never_asked()

    def forget_asked(self) -> None:
        """Nobody has asked for what is held now; what comes later counts as asked for."""
        for bucket in self._buckets:
            bucket.forget_asked()

    def succeed(self, before: "Holding") -> None:
        """What was asked for before, of the same place, stays asked for."""
        for bucket, former in zip(self._buckets, before._buckets, strict=True):
            bucket.succeed(former)

    def __len__(self) -> int:
        return sum(map(len, self._buckets))


class _Bucket:
    """Sorted by key up to the last tidying, in order of arrival behind it."""

    __slots__ = ("_asked", "_contents", "_keys", "_newcomer", "_tidy")

    def __init__(self) -> None:
        self._keys, self._contents = array("Q"), array("Q")
        self._asked = bytearray()
        # Whether what comes counts as asked for.
        self._newcomer = 0
        self._tidy = 0

    def put(self, key: int, content: int) -> None:
        self._keys.append(key)
        self._contents.append(content)
        if len(self._keys) > 2 * self._tidy + _SLACK:
            self._tidy_up()

    def content(self, key: int) -> int:
        place = self._place(key)
        if place is None:
            return NOTHING
        self._asked[place] = 1
        return self._contents[place]

    def never_asked(self) -> Iterator[int]:
        self._tidy_up()
        return (key for key, asked in zip(self._keys, self._asked, strict=True) if not asked)

    def forget_asked(self) -> None:
        self._tidy_up()
        self._asked = bytearray(len(self._keys))
        self._newcomer = 1

    def succeed(self, former: "_Bucket") -> None:
        self._tidy_up()
        former._tidy_up()
        known = dict(zip(former._keys, former._asked, strict=True))
        self._newcomer = former._newcomer
        self._asked = bytearray(known.get(key, self._newcomer) for key in self._keys)

    def __len__(self) -> int:
        self._tidy_up()
        return len(self._keys)

    def _place(self, key: int) -> int | None:
        self._tidy_up()
        place = bisect_left(self._keys, key)
        return place if place < len(self._keys) and self._keys[place] == key else None

    def _tidy_up(self) -> None:
        if self._tidy == len(self._keys) == len(self._asked):
            return
        asked = dict(zip(self._keys, self._asked, strict=False))
        # What was taken away and came again is another item.
        for key, content in zip(self._keys[self._tidy :], self._contents[self._tidy :], strict=True):
            if content == NOTHING:
                asked.pop(key, None)
        newest = dict(zip(self._keys, self._contents, strict=True))
        keys = sorted(key for key, content in newest.items() if content != NOTHING)
        self._keys, self._contents = array("Q", keys), array("Q", map(newest.__getitem__, keys))
        self._asked = bytearray(asked.get(key, self._newcomer) for key in keys)
        self._tidy = len(keys)
