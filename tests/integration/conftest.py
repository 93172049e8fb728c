"""A second stack, for tests that kill servers or change what holds for a whole server.

Other tests, or other people, may be using the shared one.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from commerce_sync.local import stack as local_stack
from commerce_sync.local.stack import Stack

# The fakes are found by their names, as every helper beside a test is.
sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))


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
    """Up at the start of each module that uses it."""
    return local_stack.up(own_data_dir, report=print)
