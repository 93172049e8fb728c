"""The shop that every builder test starts from."""

import pytest
from builder_play import read_from
from fake_shop import FakeShop


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> FakeShop:
    """A shop whose rows the builder reads as they are now."""
    return read_from(monkeypatch)
