"""What a target holds is compared with what it should hold, item by item."""

from commerce_sync.proof.compare import Finding, compare


def test_equal_holdings_have_no_findings() -> None:
    """Order of members does not matter."""
    assert compare({("A", "de"): {"x": 1, "y": 2}}, {("A", "de"): {"y": 2, "x": 1}}) == []


def test_every_difference_is_told_with_its_kind_in_the_order_of_identities() -> None:
    """Missing, stale with its members, left over."""
    wanted = {("D", "de"): {"x": 1}, ("A", "de"): {}, ("C", "de"): {"x": 1, "y": 2, "same": 0}}
    held = {("B", "de"): {}, ("C", "de"): {"x": 9, "z": None, "same": 0}, ("D", "de"): {"x": 1}}

    findings = compare(wanted, held)

    assert findings == [
        Finding("missing", ("A", "de")),
        Finding("left over", ("B", "de")),
        Finding("stale", ("C", "de"), ("x", "y", "z")),
    ]
    assert [str(finding) for finding in findings] == [
        "missing: A in de",
        "left over: B in de",
        "stale: C in de (x, y, z)",
    ]


def test_an_absent_member_is_not_an_empty_one() -> None:
    """None is a value that was sent."""
    assert compare({("A", "de"): {"x": None}}, {("A", "de"): {}}) == [Finding("stale", ("A", "de"), ("x",))]
