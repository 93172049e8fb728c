"""What reading and building cost: a line for each part of a batch, for operators who ask."""

import logging
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from consumers.builder.entities import Batch, Built, Entity, ReadOptions
from consumers.builder.read.reader import Reader

log = logging.getLogger(__name__)


def profiled(
    entities: Mapping[str, Entity], clock: Callable[[], float] = time.perf_counter
) -> Mapping[str, Entity]:
    """The same entities; each batch tells its cost: provider, entities, milliseconds, peak megabytes."""
    return {name: replace(entity, read=_reading(entity.read, clock)) for name, entity in entities.items()}


def _reading(
    read: Callable[[Reader, ReadOptions, Sequence[str]], Batch], clock: Callable[[], float]
) -> Callable[[Reader, ReadOptions, Sequence[str]], Batch]:
    def timed(reader: Reader, options: ReadOptions, keys: Sequence[str]) -> Batch:
        started = clock()
        batch = read(reader, options, keys)
        name = type(batch).__name__.strip("_")
        _tell(f"{name}::read", len(keys), clock() - started)
        return _Building(batch, name, len(keys), clock)

    return timed


class _Building:
    """Adds up what its batch's entities take, and tells after the last."""

    def __init__(self, batch: Batch, name: str, entities: int, clock: Callable[[], float]) -> None:
        self._batch = batch
        self._name = name
        self._entities = entities
        self._left = entities
        self._clock = clock
        self._seconds = 0.0

    def build(self, key: str, not_before_s: int = 0) -> Built:
        started = self._clock()
        try:
            return self._batch.build(key, not_before_s)
        finally:
            self._seconds += self._clock() - started
            self._left -= 1
            if self._left == 0:
                _tell(f"{self._name}::build", self._entities, self._seconds)


def _tell(provider: str, entities: int, seconds: float) -> None:
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    log.info("%s, %d, %d, %.1f", provider, entities, round(seconds * 1000), megabytes)
