"""What the server's variables and grants mean, in sentences with a mend."""

import pytest

from commerce_sync.checks.verdicts import (
    Account,
    Finding,
    Grant,
    Server,
    binlog_findings,
    capture_account_findings,
    database_finding,
    parse_grants,
    read_account_findings,
)

RIGHT = {
    "log_bin": "ON",
    "binlog_format": "ROW",
    "binlog_row_image": "FULL",
    "binlog_expire_logs_seconds": "864000",
    "expire_logs_days": "10.000000",
    "log_bin_compress": "OFF",
}
MARIADB = Server("11.4.5-MariaDB-log", RIGHT)
MYSQL = Server("8.4.3", RIGHT)
USAGE = "GRANT USAGE ON *.* TO `debezium`@`%` IDENTIFIED BY PASSWORD '*0123'"
SELECTS = r"GRANT SELECT ON `magento\_%`.* TO `debezium`@`%`"
STREAMS = "GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `debezium`@`%`"
TABLES = frozenset({"catalog_product_entity", "store"})


def account(*lines: str) -> Account:
    grants, has_roles = parse_grants(lines)
    return Account("capture.user", "debezium@%", "magento_a", grants, has_roles, TABLES)


def bad(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.state, finding.sentence) for finding in findings if finding.state != "ok"]


def with_variables(**changes: str) -> Server:
    return Server(MARIADB.version, {**RIGHT, **changes})


def test_a_rightly_set_up_server_has_nothing_to_mend() -> None:
    """A line for each thing looked at."""
    findings = binlog_findings(MARIADB)

    assert [(finding.check, finding.state) for finding in findings] == [
        ("log_bin", "ok"),
        ("binlog_format", "ok"),
        ("binlog_row_image", "ok"),
        ("binlog retention", "ok"),
    ]


@pytest.mark.parametrize(("mode", "warned"), [("OFF", True), ("ON_PERMISSIVE", True), ("ON", False)])
def test_mysql_without_gtids_is_told_that_it_builds_twice(mode: str, warned: bool) -> None:
    """Its snapshots do not say where they stand, so only a GTID can be waited for."""
    findings = binlog_findings(Server(MYSQL.version, {**RIGHT, "gtid_mode": mode}))

    (told,) = [sentence for state, sentence in bad(findings) if state == "warning"] or [""]
    assert told.startswith(f"gtid_mode is {mode}") == warned
    assert ("builder.echo_s" in told) == warned


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        (
            "binlog_format",
            "MIXED",
            (
                "binlog_format is MIXED and must be ROW: write binlog_format=ROW into the server's "
                "configuration and "
                "restart it (SET GLOBAL reaches only new connections)"
            ),
        ),
        (
            "binlog_row_image",
            "MINIMAL",
            (
                "binlog_row_image is MINIMAL and must be FULL: write binlog_row_image=FULL into the server's "
                "configuration and restart it (SET GLOBAL reaches only new connections)"
            ),
        ),
        (
            "log_bin_compress",
            "ON",
            "log_bin_compress is ON, which the connector cannot read: SET GLOBAL log_bin_compress=0",
        ),
        (
            "binlog_row_value_options",
            "PARTIAL_JSON",
            (
                "binlog_row_value_options is PARTIAL_JSON, which leaves values out of the log: "
                "SET GLOBAL binlog_row_value_options=''"
            ),
        ),
        (
            "binlog_expire_logs_seconds",
            "86400",
            (
                "the server keeps its log for 1 days only, so a longer outage loses changes: "
                "SET GLOBAL binlog_expire_logs_seconds=259200 or more (expire_logs_days on old servers), "
                "in its "
                "configuration too"
            ),
        ),
    ],
)
def test_a_wrong_variable_is_named_with_its_mend(variable: str, value: str, sentence: str) -> None:
    """Only the wrong one is reported."""
    assert bad(binlog_findings(with_variables(**{variable: value}))) == [("not ok", sentence)]


def test_a_log_that_is_off_makes_the_rest_beside_the_point() -> None:
    """One sentence instead of five."""
    assert bad(binlog_findings(with_variables(log_bin="OFF", binlog_format="STATEMENT"))) == [
        (
            "not ok",
            (
                "the binary log is off: write log_bin and a server_id into the server's configuration and "
                "restart it"
            ),
        )
    ]


@pytest.mark.parametrize(
    ("seconds", "days", "state"),
    [
        ("259200", "0", "ok"),
        ("259199", "0", "not ok"),
        ("0", "0", "ok"),  # for ever
        ("0", "2", "not ok"),
        ("0", "3", "ok"),
        ("259200", "1", "ok"),  # where both exist the seconds win
    ],
)
def test_a_log_kept_for_three_days_or_for_ever_is_enough(seconds: str, days: str, state: str) -> None:
    """The limit itself is enough."""
    findings = binlog_findings(with_variables(binlog_expire_logs_seconds=seconds, expire_logs_days=days))

    assert findings[-1].state == state


def test_grants_are_read_as_the_server_prints_them() -> None:
    """Quotes, several privileges, columns, grant options and role lines."""
    grants, has_roles = parse_grants(
        [
            USAGE,
            "GRANT SELECT, INSERT (`a`, `b`), SHOW VIEW ON `ma``g`.`store` TO `u`@`%` WITH GRANT OPTION",
            "GRANT `reader` TO `u`@`%`",
        ]
    )

    assert grants == (
        Grant(frozenset({"USAGE"}), "*", "*"),
        Grant(frozenset({"SELECT", "SHOW VIEW", "GRANT OPTION"}), "ma`g", "store"),
    )
    assert has_roles


@pytest.mark.parametrize(
    ("line", "allowed"),
    [
        (r"GRANT SELECT ON `magento\_%`.* TO `u`@`%`", True),
        ("GRANT SELECT ON `magento_a`.* TO `u`@`%`", True),
        ("GRANT SELECT ON `magento__`.* TO `u`@`%`", True),  # an unescaped _ is any one character
        (r"GRANT SELECT ON `magento\__`.* TO `u`@`%`", True),
        (r"GRANT SELECT ON `magento\_\_`.* TO `u`@`%`", False),
        ("GRANT SELECT ON `magento_a`.`store` TO `u`@`%`", True),
        ("GRANT SELECT ON `magento_%`.`store` TO `u`@`%`", False),  # no pattern where a table is named
        ("GRANT SELECT ON `magento_a`.`eav_attribute` TO `u`@`%`", False),
        ("GRANT SELECT (`store_id`) ON `magento_a`.`store` TO `u`@`%`", False),
        ("GRANT SELECT ON *.* TO `u`@`%`", True),
        ("GRANT ALL PRIVILEGES ON `magento_a`.* TO `u`@`%`", True),
        ("GRANT INSERT ON *.* TO `u`@`%`", False),
    ],
)
def test_a_grant_covers_what_the_server_would_let_through(line: str, allowed: bool) -> None:
    """Asked for SELECT on `magento_a`.`store`."""
    ((grant,), _) = parse_grants([line])

    assert grant.allows("SELECT", "magento_a", "store") is allowed


def test_a_right_for_one_database_is_none_for_the_server() -> None:
    """REPLICATION SLAVE has to stand on *.*."""
    ((grant,), _) = parse_grants(["GRANT ALL PRIVILEGES ON `%`.* TO `u`@`%`"])

    assert grant.allows("SELECT", "magento_a", "store")
    assert not grant.allows("REPLICATION SLAVE", "*", "*")


def test_the_least_grants_are_enough_for_the_capture_account() -> None:
    """SELECT on the shop, REPLICATION SLAVE and BINLOG MONITOR: nothing to say."""
    assert bad(capture_account_findings(account(USAGE, SELECTS, STREAMS), TABLES, MARIADB)) == []


@pytest.mark.parametrize(("server", "monitor"), [(MARIADB, "BINLOG MONITOR"), (MYSQL, "REPLICATION CLIENT")])
def test_missing_rights_of_the_capture_account_come_as_the_statement_that_gives_them(
    server: Server, monitor: str
) -> None:
    """In the server's own spelling, for the account as the server knows it."""
    assert bad(capture_account_findings(account(USAGE), TABLES, server)) == [
        (
            "not ok",
            (
                "capture.user: debezium@% may not read catalog_product_entity, store of 'magento_a': "
                "GRANT SELECT ON `magento_a`.* TO 'debezium'@'%'"
            ),
        ),
        (
            "not ok",
            (
                f"capture.user: debezium@% lacks REPLICATION SLAVE, {monitor}: "
                f"GRANT REPLICATION SLAVE, {monitor} ON *.* TO 'debezium'@'%'"
            ),
        ),
    ]


def test_an_account_that_can_write_is_a_warning() -> None:
    """It works, so it is fine; but the pipeline needs no such right."""
    findings = read_account_findings(
        account("GRANT SELECT, UPDATE, DELETE ON `magento_a`.* TO `u`@`%`"), TABLES
    )

    assert bad(findings) == [
        (
            "warning",
            (
                "capture.user: debezium@% may do more than it needs (DELETE, UPDATE): revoke that, the "
                "pipeline "
                "never writes"
            ),
        )
    ]
    assert all(finding.fine for finding in findings)


def test_streaming_is_more_than_the_read_account_needs() -> None:
    """The same grants are right for one account and too many for the other."""
    grants = account(USAGE, SELECTS, STREAMS)

    assert bad(read_account_findings(grants, TABLES)) == [
        (
            "warning",
            (
                "capture.user: debezium@% may do more than it needs (REPLICATION SLAVE): revoke that, "
                "the pipeline "
                "never writes"
            ),
        )
    ]


def test_reading_the_whole_server_is_a_warning() -> None:
    """Customers and other shops are none of the pipeline's business."""
    findings = read_account_findings(account("GRANT SELECT ON *.* TO `u`@`%`"), TABLES)

    assert bad(findings) == [
        (
            "warning",
            (
                "capture.user: debezium@% may read every database of the server: grant SELECT on 'magento_a' "
                "alone"
            ),
        )
    ]


def test_a_right_that_a_role_may_give_is_only_warned_about() -> None:
    """MySQL lists the role and not what it allows."""
    findings = read_account_findings(account(USAGE, "GRANT `reader`@`%` TO `debezium`@`%`"), TABLES)

    assert [(finding.state, finding.fine) for finding in findings] == [("warning", True)]
    assert findings[0].sentence.endswith("(unless a role gives it, which is not seen here)")


def test_a_database_without_products_is_no_commerce_database() -> None:
    """A wrong name or prefix is said before anything is deleted somewhere else."""
    finding = database_finding(account(USAGE), "m2_catalog_product_entity")

    assert (finding.state, finding.sentence) == (
        "not ok",
        (
            "capture.user: database 'magento_a' shows no table m2_catalog_product_entity: correct the "
            "database's name "
            "or commerce.table_prefix, or GRANT SELECT ON `magento_a`.* TO 'debezium'@'%'"
        ),
    )
