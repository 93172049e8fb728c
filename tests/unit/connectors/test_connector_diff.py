"""What apply would do to a connector, shown without secrets."""

from producers.connectors.diff import Difference, differences


def test_equal_configurations_have_no_differences() -> None:
    """The order of properties means nothing."""
    assert differences({"a": "1", "b": "2"}, {"b": "2", "a": "1"}) == []


def test_each_difference_says_what_apply_would_do() -> None:
    """Added, changed and removed, in the order of their names."""
    wanted = {"poll.interval.ms": "20", "skipped.operations": "none", "same": "1"}
    actual = {"poll.interval.ms": "500", "include.query": "true", "same": "1"}

    found = differences(wanted, actual)

    assert found == [
        Difference("removed", "include.query", None, "true"),
        Difference("changed", "poll.interval.ms", "20", "500"),
        Difference("added", "skipped.operations", "none", None),
    ]
    assert [str(difference) for difference in found] == [
        "- include.query = true",
        "~ poll.interval.ms = 500 -> 20",
        "+ skipped.operations = none",
    ]


def test_a_secret_is_hidden_and_its_placeholder_is_not() -> None:
    """Someone may have put a plain password into the connector; the difference is told, the value is not."""
    found = differences(
        {"database.password": "${env:PASSWORD}", "x.sasl.jaas.config": "new"},
        {"database.password": "hunter2", "x.sasl.jaas.config": "old"},
    )

    assert found == [
        Difference("changed", "database.password", "${env:PASSWORD}", "(hidden)"),
        Difference("changed", "x.sasl.jaas.config", "(hidden)", "(hidden)"),
    ]
