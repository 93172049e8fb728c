"""The category tree of the sample catalog: two store roots with three levels below each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from commerce_sync.sample.attributes import CATEGORY_ATTRIBUTES, CATEGORY_SET
from commerce_sync.sample.rows import Rows
from commerce_sync.sample.scopes import CREATED, ROOT_CATEGORY

_BASE: Final = ("Women", "Men", "Gear", "Sale")
_OUTLET: Final = ("Last Season", "Clearance")
_SECOND: Final = ("Tops", "Bottoms", "Accessories")
_THIRD: Final = ("New Arrivals", 'Best "Value" Picks')
# Commerce counts all categories below one, not only its children.
_BELOW_TOP: Final = len(_SECOND) * (1 + len(_THIRD))
_GERMAN: Final = {
    "Women": "Damen",
    "Men": "Herren",
    "Gear": "Ausrüstung",
    "Tops": "Oberteile",
    "Bottoms": "Hosen & Röcke",
    "Accessories": "Zubehör",
    "New Arrivals": "Neu eingetroffen",
}
_KEYS_DE: Final = {"Women": "damen", "Tops": "oberteile", "New Arrivals": "neu"}


@dataclass(frozen=True, slots=True)
class Category:
    """A category as the generator knows it; `path` as in the database, `ancestors` without the roots."""

    id: int
    parent_id: int
    path: str
    level: int
    position: int
    name: str
    children: int
    ancestors: tuple["Category", ...]
    stores: tuple[int, ...]

    @property
    def url_key(self) -> str:
        return "-".join(word for word in self.name.lower().replace('"', " ").split() if word)

    @property
    def url_key_de(self) -> str | None:
        return _KEYS_DE.get(self.name)

    def url_path(self, store_id: int) -> str:
        line = (*self.ancestors, self)
        return "/".join((store_id == 2 and each.url_key_de) or each.url_key for each in line)


def categories() -> list[Category]:
    """All categories below the store roots, parents first."""
    number = max(ROOT_CATEGORY.values())
    made = []
    for root, tops, stores in ((2, _BASE, (1, 2)), (3, _OUTLET, (3,))):
        for category in _below(root, tops, stores, number):
            made.append(category)
            number = category.id
    return made


def _below(root: int, tops: tuple[str, ...], stores: tuple[int, ...], last_id: int) -> Iterator[Category]:
    number = last_id

    def make(parent: Category | None, name: str, position: int, children: int) -> Category:
        nonlocal number
        number += 1
        path = f"{parent.path if parent else f'1/{root}'}/{number}"
        ancestors = (*parent.ancestors, parent) if parent else ()
        parent_id = parent.id if parent else root
        return Category(
            number, parent_id, path, 2 + len(ancestors), position, name, children, ancestors, stores
        )

    for top_position, top_name in enumerate(tops, start=1):
        top = make(None, top_name, top_position, _BELOW_TOP)
        yield top
        for second_position, second_name in enumerate(_SECOND, start=1):
            second = make(top, second_name, second_position, len(_THIRD))
            yield second
            for third_position, third_name in enumerate(_THIRD, start=1):
                yield make(second, third_name, third_position, 0)


def add_categories(rows: Rows) -> None:
    """The absolute root, the store roots, and the tree with names, keys, states and rewrites."""
    below_base, below_outlet = (len(tops) * (1 + _BELOW_TOP) for tops in (_BASE, _OUTLET))
    for number, parent, path, children, name in (
        (1, 0, "1", 2 + below_base + below_outlet, "Root Catalog"),
        (2, 1, "1/2", below_base, "Default Category"),
        (3, 1, "1/3", below_outlet, "Outlet Root"),
    ):
        level = path.count("/")
        rows.add(
            "catalog_category_entity",
            *(number, CATEGORY_SET, parent, CREATED, CREATED, path, max(number - 1, 0), level, children),
        )
        _add_value(rows, "name", number, 0, name)
    for root in ROOT_CATEGORY.values():
        _add_value(rows, "is_active", root, 0, 1)
        _add_value(rows, "is_anchor", root, 0, 1)
        _add_value(rows, "include_in_menu", root, 0, 1)
    for category in categories():
        _add_category(rows, category)


def _add_category(rows: Rows, category: Category) -> None:
    number = category.id
    rows.add(
        "catalog_category_entity",
        *(number, CATEGORY_SET, category.parent_id, CREATED, CREATED, category.path),
        *(category.position, category.level, category.children),
    )
    _add_value(rows, "name", number, 0, category.name)
    _add_value(rows, "url_key", number, 0, category.url_key)
    _add_value(rows, "url_path", number, 0, category.url_path(0))
    _add_value(rows, "include_in_menu", number, 0, 1)
    _add_value(rows, "display_mode", number, 0, "PRODUCTS")
    # Some are inactive everywhere, some in one store view; leaves and every fifth are no anchors.
    _add_value(rows, "is_active", number, 0, 0 if number % 13 == 0 else 1)
    if number % 17 == 0:
        _add_value(rows, "is_active", number, category.stores[-1], 0)
    _add_value(rows, "is_anchor", number, 0, int(category.children > 0 and number % 5 != 0))
    if number % 4 == 0:
        _add_value(rows, "description", number, 0, f"<p>All about <b>{category.name}</b></p>")
    if 2 in category.stores:
        _add_german(rows, category)
    for store_id in category.stores:
        path = category.url_path(store_id) + ".html"
        rows.add(
            "url_rewrite", "category", number, path, f"catalog/category/view/id/{number}", 0, store_id, 1
        )


def _add_german(rows: Rows, category: Category) -> None:
    if category.name in _GERMAN:
        _add_value(rows, "name", category.id, 2, _GERMAN[category.name])
    if category.url_key_de:
        _add_value(rows, "url_key", category.id, 2, category.url_key_de)
    if category.url_path(2) != category.url_path(0):
        _add_value(rows, "url_path", category.id, 2, category.url_path(2))


def _add_value(rows: Rows, code: str, category_id: int, store_id: int, value: object) -> None:
    attribute = CATEGORY_ATTRIBUTES[code]
    rows.add(f"catalog_category_entity_{attribute.backend}", attribute.id, store_id, category_id, value)
