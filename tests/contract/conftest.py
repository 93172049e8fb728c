"""A running emulator for the tests of this folder, and the fakes by their names."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from emulator_client import Client
from saas_client import SaasClient

from commerce_sync.emulator.server import Emulator

sys.path.insert(0, str(Path(__file__).parents[1] / "fakes"))


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    with Emulator(seed=1, dialect="both") as emulator:
        yield emulator


@pytest.fixture
def client(running: Emulator) -> Iterator[Client]:
    """A client of an empty emulator that behaves."""
    client = Client(running)
    client.fetch_token()
    client.session.delete(f"{running.base_url}/_emulator/items", timeout=10)
    yield client
    client.session.delete(f"{running.base_url}/_emulator/faults", timeout=10)
    client.session.close()


@pytest.fixture
def saas(running: Emulator) -> Iterator[SaasClient]:
    """A client of the SaaS feed ingestion service, which is empty and behaves."""
    client = SaasClient(running)
    client.session.delete(f"{running.base_url}/_emulator/items", timeout=10)
    yield client
    client.session.delete(f"{running.base_url}/_emulator/faults", timeout=10)
    client.session.close()
