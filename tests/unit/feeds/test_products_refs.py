"""An item names every row that can change it without naming the product: a cascade leaves no other trace."""

from consumers.builder.feeds.products import refs
from consumers.builder.rows import Attribute, Catalog, CategoryRow, GalleryRow, ProductRow, ProductRows
from consumers.builder.rules.bundle import BundleOptionRow, SelectionRow
from consumers.builder.rules.links import LinkRow
from consumers.builder.rules.options import OptionRows
from consumers.builder.rules.parts import ProductParts

PRODUCT = ProductRow(1, "A", "simple", None, None)


def test_a_product_refers_to_itself_and_to_every_related_product() -> None:
    """INTERLEAVING 11: children, parents, variants, links and selections go without an event."""
    selection = SelectionRow(41, 8, 1, False, 0, None, None, False, {})
    parts = ProductParts(
        parents=(3,),
        children=(4,),
        links=(LinkRow(21, 6, 1),),
        options=OptionRows(variants=(7,), bundle=(BundleOptionRow(31, True, 1, "radio", {}, (selection,)),)),
    )

    assert refs(ProductRows(PRODUCT, children={5: {}}, parts=parts), Catalog((), {})) == tuple(
        f"product:{n}" for n in (1, 3, 4, 5, 6, 7, 8)
    )


def test_a_product_refers_to_every_category_on_the_way_up() -> None:
    """One above may show it once it is made an anchor; one that is not found may appear."""
    rows = ProductRows(PRODUCT, memberships={12: 0, 99: 0})
    catalog = Catalog((), {}, {12: CategoryRow(12, (1, 2, 5, 12), 3, {})})

    assert refs(rows, catalog) == (
        "category:1",
        "category:12",
        "category:2",
        "category:5",
        "category:99",
        "product:1",
    )


def test_a_product_refers_to_its_options_files_tax_class_and_attribute_set() -> None:
    """Labels, addresses and names of these are shown."""
    rows = ProductRows(
        PRODUCT,
        values={"color": {0: "7,8", 3: "9"}, "tax_class_id": {0: "2"}},
        gallery=(GalleryRow(30, "/a.jpg", "image", {}),),
        parts=ProductParts(attribute_set=(4, "Default")),
    )
    catalog = Catalog((), {93: Attribute(93, "color", "varchar", True, False, True)})

    assert refs(rows, catalog) == (
        "attribute_set:4",
        "media:30",
        "option:7",
        "option:8",
        "option:9",
        "product:1",
        "tax_class:2",
    )
