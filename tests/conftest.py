"""One local stack for the whole run; tests use topic prefixes and databases of their own."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from commerce_sync.local import stack as local_stack
from commerce_sync.local.stack import Stack

# How fast examples are drawn says something of the machine, nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Names the data directory of a stack that already runs, to save its start while developing.
RUNNING_STACK = "COMMERCE_SYNC_TEST_STACK"
# Plays the same chances again; a run says in its first lines which ones it plays.
SEED_VARIABLE = "COMMERCE_SYNC_TEST_SEED"
SEED = int(os.environ.get(SEED_VARIABLE) or secrets.randbelow(1_000_000))


def pytest_report_header() -> str:
    return f"chance: {SEED_VARIABLE}={SEED}"


@pytest.fixture(scope="session")
def seed() -> int:
    """What tests that leave something to chance draw it from."""
    return SEED


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """MariaDB, Kafka and Connect; ended with the run unless they ran before."""
    if running := os.environ.get(RUNNING_STACK):
        yield local_stack.up(Path(running), report=print)
        return
    data_dir = tmp_path_factory.mktemp("stack")
    try:
        yield local_stack.up(data_dir, report=print)
    finally:
        local_stack.down(data_dir, report=print)
