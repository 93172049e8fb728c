"""The dead letters of one feed at one target: what fails right now, once each. Pure."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import msgspec

from runtime import metrics
from runtime.record import Outgoing
from schemas.records import DeadLetter, DeadLetterKind

KINDS: Final[tuple[DeadLetterKind, ...]] = ("retryable", "attention")
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(DeadLetter)


class DeadLetters:
    """By feed record key; every change is written to their topic, and counted."""

    def __init__(self, target: str, feed: str, topic: str, write: Callable[[Outgoing], None]) -> None:
        self._topic = topic
        self._write = write
        self._letters: dict[bytes, DeadLetter] = {}
        self._counts: dict[DeadLetterKind, int] = dict.fromkeys(KINDS, 0)
        self._gauges = {kind: metrics.DEAD_LETTERS.labels(target, feed, kind) for kind in KINDS}

    def load(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """What the topic says, in its order.

        Raises:
            msgspec.MsgspecError: one cannot be read.
        """
        for key, value in records:
            if value is None:
                self._letters.pop(key, None)
            else:
                self._letters[key] = _DECODER.decode(value)
        for kind in KINDS:
            self._count(kind, sum(letter.kind == kind for letter in self._letters.values()))

    def __iter__(self) -> Iterator[tuple[bytes, DeadLetter]]:
        """Those that there are now; they may change meanwhile."""
        return iter(list(self._letters.items()))

    def get(self, key: bytes) -> DeadLetter | None:
        return self._letters.get(key)

    def failing(self, before_ms: int, kind: str | None, keys: frozenset[bytes]) -> list[bytes]:
        """Items that failed before a moment: of one class or all, those named or all."""
        return [
            key
            for key, letter in self._letters.items()
            if letter.time_ms < before_ms and kind in {None, letter.kind} and (not keys or key in keys)
        ]

    def park(self, key: bytes, letter: DeadLetter) -> None:
        """An item fails; one that did before has this letter in place of the other."""
        before = self._letters.get(key)
        if before is not None:
            self._count(before.kind, -1)
        self._letters[key] = letter
        self._count(letter.kind, 1)
        self._write(Outgoing(self._topic, letter.partition, key, _ENCODER.encode(letter)))

    def clear(self, key: bytes, partition: int) -> None:
        """An item fails no longer."""
        letter = self._letters.pop(key, None)
        if letter is not None:
            self._count(letter.kind, -1)
            self._write(Outgoing(self._topic, partition, key, None))

    def _count(self, kind: DeadLetterKind, more: int) -> None:
        self._counts[kind] += more
        self._gauges[kind].set(self._counts[kind])
