"""Where the shop's database is looked for."""

import pytest

from runtime.database import Database
from runtime.errors import Transient
from runtime.settings import parse_database_url


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")])
def test_an_address_of_either_kind_is_asked_at(host: str, told: str) -> None:
    """Whatever stands in the password; a role that cannot read an address would die at each start."""
    address = parse_database_url(f"mysql://reader:p%40%2F%3A%25@{host}:1/shop")

    with Database(address) as database, pytest.raises(Transient, match=f"reader@{told}:1 does not answer"):
        database.query("SELECT 1")
