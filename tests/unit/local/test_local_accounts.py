"""The local accounts: each may do exactly what it needs."""

from pathlib import Path

from commerce_sync.local import accounts


def test_passwords_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    """A restart keeps them, or a running connector would be locked out."""
    folder = tmp_path / "secrets"

    first = accounts.passwords(folder)
    second = accounts.passwords(folder)

    assert first == second
    assert sorted(first) == ["admin", "commerce_sync", "debezium"]
    assert len(set(first.values())) == 3
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_the_grants_are_the_least_that_work() -> None:
    """The reader reads the shop; capture also follows the binlog; only the administrator writes."""
    script = accounts.statements({"admin": "a", "commerce_sync": "r", "debezium": "c"})

    assert [line for line in script.splitlines() if line.startswith("GRANT")] == [
        "GRANT ALL ON *.* TO 'admin'@'127.0.0.1' WITH GRANT OPTION;",
        "GRANT SELECT ON `magento`.* TO 'commerce_sync'@'127.0.0.1';",
        "GRANT SELECT ON `magento\\_%`.* TO 'commerce_sync'@'127.0.0.1';",
        "GRANT SELECT ON `magento`.* TO 'debezium'@'127.0.0.1';",
        "GRANT SELECT ON `magento\\_%`.* TO 'debezium'@'127.0.0.1';",
        "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO 'debezium'@'127.0.0.1';",
    ]
