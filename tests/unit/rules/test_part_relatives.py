"""Links, parents, and whether a composite has a child to show."""

from parts_rows import VIEW, relative

from consumers.builder.rules.links import LinkRow, links
from consumers.builder.rules.relatives import has_enabled_children, parents

ELSEWHERE = frozenset({9})


def test_links_are_those_of_three_types_to_products_of_the_website() -> None:
    """Ordered by type and SKU, not as the table has them; grouped members are no links."""
    relatives = {
        1: relative(1, "b"),
        2: relative(2, "a"),
        3: relative(3, "c", website_ids=ELSEWHERE),
    }
    rows = [
        LinkRow(n, product, kind)
        for n, (product, kind) in enumerate([(1, 1), (2, 1), (3, 1), (1, 4), (2, 5), (1, 3), (8, 1)])
    ]

    assert links(rows, relatives, VIEW) == [
        {"sku": "a", "type": "crosssell"},
        {"sku": "a", "type": "related"},
        {"sku": "b", "type": "related"},
        {"sku": "b", "type": "upsell"},
    ]


def test_parents_are_those_of_the_website_whatever_their_status() -> None:
    """A bundle of fixed price says so by its default value alone."""
    relatives = {
        1: relative(1, "set", "grouped", values={"status": {0: "2"}}),
        2: relative(2, "fixed", "bundle", values={"price_type": {0: "1"}}),
        3: relative(3, "dynamic", "bundle", values={"price_type": {0: "0", 2: "1"}}),
        4: relative(4, "far", "configurable", website_ids=ELSEWHERE),
    }

    assert parents([1, 2, 3, 4, 5], relatives, VIEW) == [
        {"sku": "dynamic", "productType": "bundle"},
        {"sku": "fixed", "productType": "bundle_fixed"},
        {"sku": "set", "productType": "grouped"},
    ]


def test_a_child_counts_when_it_is_enabled_in_the_view_and_on_its_website() -> None:
    """A NULL of the store view says that it has no status there."""
    children = {
        1: relative(1, "a", values={"status": {0: "1", 2: "2"}}),
        2: relative(2, "b", website_ids=ELSEWHERE),
        3: relative(3, "c", values={"status": {0: "1", 2: None}}),
        4: relative(4, "d", values={"status": {0: "2", 2: "1"}}),
    }

    assert has_enabled_children([1, 2, 3, 8], children, VIEW) is False
    assert has_enabled_children([1, 4], children, VIEW) is True
    assert has_enabled_children([], children, VIEW) is False
