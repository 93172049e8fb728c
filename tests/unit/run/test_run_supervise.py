"""Role processes run again when they die, and end when they are told to."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commerce_sync.run import supervise
from commerce_sync.run.roles import Process
from commerce_sync.run.supervise import Supervisor, environment, role_arguments
from runtime.errors import Doubt
from runtime.loop import Stopper

ONE = Process("router", "here-0")
READY = "from pathlib import Path; Path({ready!r}).open('a').write('.'); "
DRAINS = (
    "import signal, time\nasked = []\nsignal.signal(signal.SIGTERM, lambda *_: asked.append(1))\n"
    + READY
    + "\nwhile not asked: time.sleep(0.01)\nPath({drained!r}).write_text('yes')\n"
)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Supervisor]]:
    """Starts one child that runs a line of Python; restarts are quick, and nothing is left running."""
    monkeypatch.setattr(supervise, "_RESTART_S", (0.01,))
    made: list[Supervisor] = []

    def start(code: str) -> Supervisor:
        made.append(Supervisor(lambda process, port, in_doubt: ["-c", code, str(in_doubt)], environment(), 0))
        made[-1].start([ONE])
        return made[-1]

    yield start
    for supervisor in made:
        supervisor.stop()


def await_that(true: Callable[[], bool], look: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "not within 20 s"
        look()
        os.sched_yield()


def test_a_process_that_dies_is_started_again(started: Callable[[str], Supervisor], tmp_path: Path) -> None:
    """Whatever it died of, as often as it does."""
    ready = tmp_path / "ready"
    supervisor = started(READY.format(ready=str(ready)) + "raise SystemExit(1)")

    await_that(lambda: ready.exists() and len(ready.read_text()) >= 3, supervisor.tend)

    assert supervisor.tend() is None


def test_whoever_follows_a_process_in_doubt_is_told_so(
    started: Callable[[str], Supervisor], tmp_path: Path
) -> None:
    """INTERLEAVING 7: also when the one told first dies before it could check its index against the feed.

    The broker that left the transaction in doubt is mostly still away then.
    """
    told = tmp_path / "told"
    code = (
        f"import sys; told = open({str(told)!r}, 'a+'); told.write(sys.argv[1] + ' '); told.close(); "
        f"times = len(open({str(told)!r}).read().split()); "
        f"raise SystemExit({Doubt.exit_code} if times == 2 else 3)"
    )
    supervisor = started(code)

    await_that(lambda: told.exists() and len(told.read_text().split()) >= 4, supervisor.tend)

    assert told.read_text().split()[:4] == ["False", "False", "True", "True"]


def test_a_usage_error_ends_everything(started: Callable[[str], Supervisor]) -> None:
    """A wrong setting does not mend by trying again."""
    assert started("raise SystemExit(2)").watch(Stopper()) == 2


def test_being_told_to_stop_ends_the_watch_with_0(started: Callable[[str], Supervisor]) -> None:
    """Ctrl-C of `run` is no failure."""
    stopper = Stopper()
    stopper.stop()

    assert started("import time; time.sleep(60)").watch(stopper) == 0


def test_stop_drains(started: Callable[[str], Supervisor], tmp_path: Path) -> None:
    """SIGTERM first: a role ends its batch and exits 0 by itself."""
    ready, drained = tmp_path / "ready", tmp_path / "drained"
    code = DRAINS.format(ready=str(ready), drained=str(drained))
    supervisor = started(code)
    await_that(ready.exists)
    (pid,) = supervisor.pids().values()

    supervisor.stop()

    assert drained.read_text() == "yes"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert supervisor.pids() == {}


def test_a_restart_drains_and_takes_the_environment_as_it_is_now(
    started: Callable[[str], Supervisor], tmp_path: Path
) -> None:
    """Its end is no death: it is not waited for before it runs again."""
    ready, drained, told = tmp_path / "ready", tmp_path / "drained", tmp_path / "told"
    told_of = f"import os; open({str(told)!r}, 'a').write(os.environ.get('AMOUNT', 'none') + ' ')\n"
    supervisor = started(told_of + DRAINS.format(ready=str(ready), drained=str(drained)))
    await_that(ready.exists)
    before = supervisor.pids()[ONE.label]
    supervisor.environment = {**supervisor.environment, "AMOUNT": "300"}

    supervisor.restart([ONE.label])

    assert drained.exists()
    assert supervisor.pids()[ONE.label] != before
    await_that(lambda: told.read_text() == "none 300 ")


def test_a_process_that_does_not_drain_is_killed(
    started: Callable[[str], Supervisor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping never hangs."""
    monkeypatch.setattr(supervise, "_DRAIN_S", 0.1)
    ready = tmp_path / "ready"
    supervisor = started(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        + READY.format(ready=str(ready))
        + "time.sleep(60)"
    )
    await_that(ready.exists)
    (pid,) = supervisor.pids().values()

    supervisor.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_each_process_has_a_port_of_its_own() -> None:
    """Process n listens on metrics_port + n; 0 lets each take a free one."""
    supervisor = Supervisor(lambda process, port, in_doubt: ["-c", ""], environment(), 9300)
    supervisor.start([ONE, Process("sink", "here-0", "optimizer")])

    assert supervisor.ports() == {"router.here-0": 9300, "sink.optimizer.here-0": 9301}

    supervisor.stop()


def test_a_role_s_command_names_role_slot_port_target_and_configuration() -> None:
    """The supervisor's Python runs it."""
    sink = Process("sink", "here-0", "optimizer")

    assert role_arguments(sink, 9301, True, Path("a.toml")) == [
        "-m",
        "commerce_sync.run.process",
        "sink",
        "here-0",
        "9301",
        "optimizer",
        "--in-doubt",
        "--config",
        "a.toml",
    ]
    assert role_arguments(ONE, 9300, False)[2:] == ["router", "here-0", "9300"]
    assert role_arguments(ONE, 9300, False, None, Path("logs"))[5:] == ["--log-dir", "logs"]
    assert Path(sys.executable).exists()
