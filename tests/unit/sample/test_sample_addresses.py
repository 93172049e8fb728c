"""Which database the sample catalog goes to."""

import pytest
from click.testing import CliRunner

from commerce_sync.cli import Context
from commerce_sync.sample.commands import ADMIN_VARIABLE, seed
from commerce_sync.sample.database import address_of
from runtime.errors import Unreachable, UsageError


def test_an_admin_address_takes_the_database_of_the_settings_unless_it_names_one() -> None:
    """The local stack's admin address ends with a slash."""
    without = address_of("mysql://admin:p%40ss@127.0.0.1:3307/", "magento")
    named = address_of("mysql://admin:p@127.0.0.1:3307/other", "magento")

    assert (without.user, without.password.get_secret_value(), without.port) == ("admin", "p@ss", 3307)
    assert (without.database, named.database) == ("magento", "other")


def test_an_address_of_another_kind_is_refused() -> None:
    """The sentence names the option and what to write."""
    with pytest.raises(UsageError, match=r"--url .* 'postgresql' is no known scheme: write mysql://"):
        address_of("postgresql://admin@localhost/", "magento")


def test_seed_without_an_account_that_may_write_says_which_one_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The read account of the settings is never tried: it may not write."""
    monkeypatch.delenv(ADMIN_VARIABLE, raising=False)
    result = CliRunner().invoke(seed, [], obj=Context(None, 0))

    assert isinstance(result.exception, UsageError)
    assert str(result.exception).startswith(f"neither --url nor {ADMIN_VARIABLE} is given: name an account")


def test_a_database_that_does_not_answer_is_named() -> None:
    """Port 1 is closed everywhere."""
    result = CliRunner().invoke(seed, ["--url", "mysql://admin:p@127.0.0.1:1/shop"], obj=Context(None, 0))

    assert isinstance(result.exception, Unreachable)
    assert str(result.exception).startswith("the database shop at 127.0.0.1:1 cannot be used as admin (")
