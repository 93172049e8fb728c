"""One database for all cases."""

from collections.abc import Iterator

import pytest
from shop import Shop

from commerce_sync.local.stack import Stack
from commerce_sync.sample.commands import ADMIN_VARIABLE


@pytest.fixture(scope="session")
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack.environment()[ADMIN_VARIABLE])
    yield shop
    shop.close()
