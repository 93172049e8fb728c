"""What tests on the real stack share: a second stack, and what a test that fails tells and leaves behind."""

import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from commerce_sync.local import stack as local_stack
from commerce_sync.local.stack import Stack

# The fakes are found by their names, as every helper beside a test is.
sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))

from pipeline import Pipeline

# What a failure shows of each log.
LOG_LINES = 12


@pytest.fixture(scope="session")
def own_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Whatever state a module leaves its servers in, none outlives the run."""
    data_dir = tmp_path_factory.mktemp("a büro")
    try:
        yield data_dir
    finally:
        local_stack.down(data_dir, report=print)


@pytest.fixture(scope="module")
def own_stack(own_data_dir: Path) -> Stack:
    """For tests that kill servers or change what holds for a whole server: others may use the shared one.

    Up at the start of each module that uses it.
    """
    return local_stack.up(own_data_dir, report=print)


@pytest.fixture(autouse=True)
def faults_end_with_their_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """One that fails amid them would leave them to every test behind it, and none of those would settle."""
    yield
    path = request.node.funcargs.get("path")
    if isinstance(path, Pipeline):
        path.clear_faults()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure shows what roles and servers said last: their files are gone when CI is over."""
    report = yield
    if report.failed:
        for log in _logs(item.funcargs):
            with log.open(errors="replace") as file:
                report.sections.append((f"end of {log.name}", "".join(file.readlines()[-LOG_LINES:])))
    return report


def _logs(fixtures: dict[str, object]) -> Iterator[Path]:
    if isinstance(path := fixtures.get("path"), Pipeline):
        yield from sorted(path.scene.log_dir.rglob("*.log"))
    for name in ("stack", "own_stack"):
        if isinstance(stack := fixtures.get(name), Stack):
            yield from (log for server in local_stack.NAMES if (log := stack.layout.log(server)).exists())
