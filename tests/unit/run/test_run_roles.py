"""Which processes are started."""

import pytest

from commerce_sync.run.roles import processes
from runtime.errors import UsageError
from runtime.settings import load

TARGET = load(environ={"COMMERCE_SYNC__TARGETS__A__URL": "https://t"})


def test_each_target_has_a_sink_of_its_own() -> None:
    """Every role that is not named otherwise has one process."""
    labels = [process.label for process in processes(TARGET, (), {"builder": 2}, "here")]

    assert labels == [
        *("router.here-0", "builder.here-0", "builder.here-1", "sink.a.here-0"),
        *("clock.here-0", "resync.here-0", "ledger.here-0"),
    ]


@pytest.mark.parametrize("role", ["sink", "ledger"])
def test_a_role_without_a_target_does_not_run_for_ever(role: str) -> None:
    """Alone it would only wait for nothing; with others those do their work."""
    with pytest.raises(UsageError, match=f"role '{role}' has nothing to do: no target is configured"):
        processes(load(environ={}), (role,), {}, "here")

    assert [process.role for process in processes(load(environ={}), ("router", role), {}, "here")] == [
        "router"
    ]
