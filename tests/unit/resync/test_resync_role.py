"""The role gives its stage what it needs to go on where a predecessor stood."""

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TopicPartition

from producers.resync import role
from producers.resync.stage import ResyncStage
from runtime.health import Health
from runtime.loop import Stopper
from runtime.settings import Settings


class Reader:
    """A client that reads; `sees_open` as it was made."""

    def __init__(self, _: object, client_id: str, *, sees_open: bool = False) -> None:
        self.sees_open = sees_open

    def close(self) -> None:
        pass


def test_where_runs_stand_is_read_behind_the_transaction_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """INTERLEAVING 9: a predecessor's positions may count a moment before its records are seen.

    The command behind them would not come again, and what it began would be nobody's.
    """
    waits: list[bool] = []

    def read_to_end(*_: object, end_reader: Reader | None = None) -> Iterator[Any]:
        waits.append(end_reader is not None and end_reader.sees_open)
        return iter(())

    def loop(stage: ResyncStage, *_: object, **__: object) -> None:
        stage.assign([TopicPartition("cs.control", 0, 5)])

    monkeypatch.setattr(role, "reader", Reader)
    monkeypatch.setattr(role, "read_to_end", read_to_end)
    monkeypatch.setattr(role.watch, "start", lambda *_: None)
    monkeypatch.setattr(role.loop, "run", loop)
    for client in ("admin_client", "group_consumer", "transactional_producer"):
        monkeypatch.setattr(role, client, lambda *_, **__: None)

    role.run(Settings(), "here-0", Health(), Stopper())

    assert waits == [True]
