"""Any edits, delivered in any order and grouping, end as a fresh build: the first promise, as a property."""

import pytest
from builder_play import read_from
from builder_world import Product, World, expected
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.records import Dirty

IDS = (1, 2, 3)
# Shorter than the wait before a second build, as an operator sets that one.
LAG_MS_MAX = 1_999

PRODUCTS = st.builds(
    Product,
    st.sampled_from(("A", "A", "A", "a", "B")),
    st.sampled_from(("one", "two", "three", None)),
    st.sampled_from((("default",), ("default", "other"), ())),
)
# Where what a row change makes dirty waits: live, live after a moment (on the bulk lane's topic), or bulk.
WAYS = ("live", "live", "late", "bulk")
# One row becomes this; None deletes it.
EDIT = st.tuples(
    st.just("edit"),
    st.sampled_from(IDS),
    st.one_of(PRODUCTS, PRODUCTS, PRODUCTS, st.none()),
    st.sampled_from(WAYS),
)
# Some waiting records of a lane are handed in; whether they are committed, and how far behind the rows are.
DELIVERY = st.tuples(
    st.sampled_from(("live", "live", "bulk")),
    st.integers(1, 3),
    st.sampled_from((True, True, True, False)),
    st.sampled_from((0, 0, 700, LAG_MS_MAX)),
)
STEPS = st.one_of(
    EDIT,
    EDIT,
    DELIVERY,
    DELIVERY,
    # Two rows exchange their SKUs in one transaction.
    st.tuples(st.just("swap"), st.sampled_from(IDS), st.sampled_from(IDS)),
    st.tuples(st.just("resync")),
    st.tuples(st.just("crash")),
    st.tuples(st.just("wait"), st.sampled_from((500, 1_000, 2_000))),
)


@settings(max_examples=300, deadline=None)
@given(steps=st.lists(STEPS, min_size=8, max_size=25))
def test_any_edits_in_any_order_and_grouping_end_as_a_fresh_build(steps: list[tuple]) -> None:
    """Renames, swaps, deletes, two rows with one SKU, broken rows, a server that is behind, crashes."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        world = World(read_from(monkeypatch))
        for kind, *arguments in steps:
            if kind == "edit":
                entity_id, product, way = arguments
                rows = {n: p for n, p in world.rows.items() if n != entity_id}
                world.change(rows if product is None else {**rows, entity_id: product}, way)
            elif kind == "swap":
                one, other = (world.rows.get(n) for n in arguments)
                if one and other:
                    ids = dict(zip(arguments, (other.sku, one.sku), strict=True))
                    world.change(
                        {n: Product(ids.get(n, p.sku), p.name, p.views) for n, p in world.rows.items()}
                    )
            elif kind == "resync":
                for sku in {p.sku for p in world.rows.values()} | set(world.held._index["product", 0].keys()):
                    world.put("bulk", sku, Dirty("resync", always=True))
            elif kind == "crash":
                world.held = world.started()
            elif kind == "wait":
                world.clock.ms += arguments[0]
            else:
                world.deliver(kind, *arguments)
        world.come_to_rest()

        feed, told = expected(world.shop, world.rows, world.feed)

        assert (world.feed, world.letters) == (feed, told)
