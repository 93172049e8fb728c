"""The newest record is found from the end backwards, and what was not looked at is said."""

from collections.abc import Iterable, Iterator, Mapping

import pytest

from commerce_sync.explain import search as search_module
from commerce_sync.explain.search import Search
from runtime.record import Record


class FakeLog:
    """A partition by offset; compaction leaves gaps. Counts the records that were handed out."""

    def __init__(self, records: Mapping[int, bytes], end: int) -> None:
        self.records = records
        self.end = end
        self.read = 0

    def watermarks(self, _: object, topic: str, partition: int) -> tuple[int, int]:
        return 0, self.end

    def read_to_end(
        self, _: object, topic: str, partitions: Iterable[int], since: Mapping[int, int]
    ) -> Iterator[Record]:
        for offset, key in sorted(self.records.items()):
            if offset >= since[0]:
                self.read += 1
                yield Record(topic, 0, offset, key, b"v", {})


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> FakeLog:
    """10,000 records; A is written at 3, 400 and 9,000."""
    made = FakeLog({n: b"A" if n in {3, 400, 9_000} else b"%d" % n for n in range(10_000)}, 10_000)
    monkeypatch.setattr(search_module, "watermarks", made.watermarks)
    monkeypatch.setattr(search_module, "read_to_end", made.read_to_end)
    return made


def test_the_newest_of_each_key_is_found(log: FakeLog) -> None:
    """Also when one is far behind the other."""
    found = Search(None).newest("t", 0, [b"A", b"7"])  # type: ignore[arg-type]

    assert {key: record.offset for key, record in found.items()} == {b"A": 9_000, b"7": 7}


def test_what_is_near_the_end_costs_no_reading_of_the_rest(log: FakeLog) -> None:
    """One stretch."""
    assert Search(None).newest("t", 0, [b"9999"])[b"9999"].offset == 9_999  # type: ignore[arg-type]
    assert log.read <= 1_000


def test_a_search_before_an_offset_finds_what_was_newest_then(log: FakeLog) -> None:
    """As it was when a build was made."""
    found = Search(None).last("t", 0, lambda record: record.key == b"A", until=9_000)  # type: ignore[arg-type]

    assert found is not None
    assert found.offset == 400


def test_effort_is_bounded_and_what_was_left_out_is_said(log: FakeLog) -> None:
    """Nothing before offset 8,000 was looked at."""
    search = Search(None, offsets_max=2_000)  # type: ignore[arg-type]

    assert search.newest("t", 0, [b"400"]) == {}
    assert search.unfinished == {"t": 8_000}
    assert log.read < 4_000
