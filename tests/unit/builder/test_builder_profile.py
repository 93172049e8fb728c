"""What a batch cost, a line for reading and a line for building."""

import logging
import re
from collections.abc import Sequence

import pytest

from consumers.builder.entities import Built, Entity
from consumers.builder.profile import profiled


class Rows:
    """A batch whose third entity cannot be built."""

    def build(self, key: str, not_before_s: int = 0) -> Built:
        if key == "c":
            raise ValueError(key)
        return Built(refs=(key,))


def test_each_batch_tells_provider_entities_milliseconds_and_megabytes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The clock gives a quarter of a second a look; what is built is what it was."""
    seconds = iter(n / 4 for n in range(100))

    def read(reader: object, options: object, keys: Sequence[str]) -> Rows:
        return Rows()

    entity = profiled({"product": Entity(read, contested=False)}, lambda: next(seconds))["product"]
    caplog.set_level(logging.INFO)
    batch = entity.read(None, None, ["a", "b", "c"])  # type: ignore[arg-type]
    built = [batch.build("a"), batch.build("b")]
    with pytest.raises(ValueError, match="c"):
        batch.build("c")

    assert not entity.contested
    assert [one.refs for one in built] == [("a",), ("b",)]
    told = [record.getMessage() for record in caplog.records]
    assert [line.rpartition(", ")[0] for line in told] == ["Rows::read, 3, 250", "Rows::build, 3, 750"]
    assert all(re.fullmatch(r"\d+\.\d", line.rpartition(", ")[2]) for line in told)
