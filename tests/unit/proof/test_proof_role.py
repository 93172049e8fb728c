"""The role of the audit outlives what it asks, and is there only where it was asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from commerce_sync.proof import role
from commerce_sync.run.roles import ROLES, Process, processes, run
from runtime.errors import Unreachable, UsageError
from runtime.health import Health
from runtime.loop import Stopper
from runtime.settings import AuditSettings, Settings, TargetSettings

OFF = Settings(targets={"shop": TargetSettings(url="http://shop")})
ON = OFF.model_copy(update={"audit": AuditSettings(entities_per_minute=1000)})


def test_it_is_there_when_it_has_a_pace() -> None:
    """One process; by name it is refused without one."""
    assert [process.role for process in processes(ON, (), {}, "here")] == list(ROLES)
    assert [process.role for process in processes(OFF, (), {}, "here")] == [*ROLES[:-1]]
    assert processes(ON, ("audit",), {}, "here") == [Process("audit", "here-0")]
    with pytest.raises(UsageError, match=r"audit\.entities_per_minute = 0.*set it"):
        processes(OFF, ("audit",), {}, "here")


def test_what_does_not_answer_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """With one opened audit: where the round stood is not lost. Meanwhile the role is not ready."""
    health, stopper = Health(), Stopper()
    seen: list[tuple[bool, str]] = []
    answers: Iterator[float | Exception] = iter([0.0, Unreachable("the broker is away"), 0.0])

    class FakeRounds:
        def __init__(self, *_: Any) -> None: ...

        def step(self) -> float:
            seen.append(health.readiness())
            answer = next(answers, None)
            if answer is None:
                stopper.stop()
            if isinstance(answer, Exception):
                raise answer
            return answer or 0.0

    @contextmanager
    def opened(*_: Any, **__: Any) -> Iterator[None]:
        yield None

    monkeypatch.setattr(role, "opened", opened)
    monkeypatch.setattr(role, "Rounds", FakeRounds)
    monkeypatch.setattr(role, "BACKOFF_S", (0.01,))
    run(ON, Process("audit", "here-0"), health, stopper)

    assert seen == [(False, "starting"), (True, "ready"), (False, "the broker is away"), (True, "ready")]
    assert [record.message for record in caplog.records if record.levelname == "WARNING"] == ["audit put off"]
