"""A shop's database in memory: it answers the look-ups of the router, the builder and the resync."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from consumers.builder.rows import Attribute, Catalog, ProductRow, ProductRows, StoreView
from runtime.errors import BehindFloor, Transient
from schemas.edition import Edition, Versioned
from schemas.records import Position

Row = tuple[Any, ...]

CATALOG = Catalog(
    store_views=(
        StoreView(1, "default", "main", 1, "base", 2, "https://shop/media/"),
        StoreView(2, "other", "second", 2, "second", 2, "https://shop/media/"),
    ),
    attributes={1: Attribute(1, "name", "varchar", False, False, False)},
)


class FakeSnapshot:
    """One moment of the shop."""

    def __init__(self, shop: "FakeShop") -> None:
        self._shop = shop
        self.position = shop.position
        self.blind = shop.blind
        self.edition = shop.edition

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._shop.query(statement, parameters)

    def query_all(self, queries: Sequence[tuple[str, Sequence[Any]]]) -> list[list[Row]]:
        return [self.query(*query) for query in queries]


class FakeShop:
    """Products by id, their parents and media; keeps what snapshots were asked to cover."""

    def __init__(self, skus: dict[int, str] | None = None, position: Position | None = None) -> None:
        self.skus = dict(skus or {})
        self.position = position
        self.parents: dict[int, list[int]] = {}
        self.children: dict[int, list[int]] = {}
        # Bundles by the ids of what they sell.
        self.bundles: dict[int, list[int]] = {}
        self.products_of_media: dict[int, list[int]] = {}
        self.options_of_attribute: dict[int, list[int]] = {}
        self.rows: dict[str, ProductRows] = {}
        self.covers: list[tuple[list[Position], float]] = []
        self.floors: list[list[Position]] = []
        self.not_before_s: list[int] = []
        self.statements: list[str] = []
        self.away = False
        # Servers whose positions this one cannot be compared with.
        self.blind: frozenset[int] = frozenset()
        self.behind = False
        # Rows whose SKU a lower id has.
        self.shadowed: list[tuple[int, str]] = []
        self.edition = Edition()
        self.forgotten = 0
        # SKUs by entity id of products that only versions to come have.
        self.staged: dict[int, str] = {}
        # When another version begins to count, by kind and entity id.
        self.changes_s: dict[tuple[str, int], int] = {}
        # Entity ids by row id, of staged versions.
        self.versions: dict[Versioned, dict[int, int]] = {"product": {}, "category": {}}

    @contextmanager
    def snapshot(
        self,
        cover: Sequence[Position] = (),
        wait_s: float = 10,
        *,
        floors: Sequence[Position] = (),
        not_before_s: int = 0,
    ) -> Iterator[FakeSnapshot]:
        if self.away:
            raise Transient("the database is away")
        if self.behind and floors:
            raise BehindFloor("the replica is behind")
        self.covers.append((list(cover), wait_s))
        self.floors.append(list(floors))
        self.not_before_s.append(not_before_s)
        yield FakeSnapshot(self)

    def forget_edition(self) -> None:
        """It is looked for again, and is as it was."""
        self.forgotten += 1

    def query(self, statement: str, parameters: Sequence[Any] = ()) -> list[Row]:
        self.statements.append(statement)
        if "_versions WHERE row_id" in statement:
            (ids,) = parameters
            of_rows = self.versions["product" if "product" in statement else "category"]
            return [(int(i), of_rows[int(i)]) for i in ids if int(i) in of_rows]
        if statement.startswith("SELECT COUNT(*)"):
            return [(len(self.skus),)]
        if "created_in > UNIX_TIMESTAMP()" in statement:
            return [(sku,) for sku in self.staged.values()]
        if "changes_s IS NOT NULL" in statement:
            return self._next_versions(statement, parameters[0])
        if "> %s AND" in statement:
            cursor, until, limit = parameters
            return sorted((i, sku) for i, sku in self.skus.items() if cursor < i <= until)[:limit]
        if "MIN(option_id)" in statement:
            (ids,) = parameters
            return [(int(i), min(of)) for i in ids if (of := self.options_of_attribute.get(int(i)))]
        if "b.type_id = 'bundle'" in statement:
            return []
        if "media_gallery_value_to_entity" in statement:
            (ids,) = parameters
            return [(int(i), product) for i in ids for product in self.products_of_media.get(int(i), [])]
        if "linked_product_id IN" in statement and "child_id IN" not in statement:
            ids = parameters[0]
            return [(int(i), self.skus[child]) for i in ids for child in self.children.get(int(i), [])]
        if "UNION ALL" in statement:
            ids = parameters[0]
            own = [(int(i), self.skus[int(i)], 1) for i in ids if int(i) in self.skus]
            parents = self.parents if "a.backend_type" not in statement else {}
            if "a.backend_type = 'varchar'" in statement:
                parents = self.bundles
            return [*own, *((int(i), self.skus[p], 0) for i in ids for p in parents.get(int(i), []))]
        if "WHERE sku IN" in statement:
            (skus,) = parameters
            # The column compares without case.
            wanted = {sku.lower() for sku in skus}
            return [(sku,) for sku in self.skus.values() if sku.lower() in wanted]
        raise AssertionError(f"unexpected statement: {statement}")

    def _next_versions(self, statement: str, wanted: Sequence[Any]) -> list[Row]:
        kind = "product" if "product" in statement else "category"
        if " sku IN" in statement:
            named = {
                entity_id: sku for entity_id, sku in {**self.skus, **self.staged}.items() if sku in wanted
            }
            return [(named[i], at) for (of, i), at in self.changes_s.items() if of == kind and i in named]
        if " entity_id IN" not in statement:
            return []
        return [(i, at) for (of, i), at in self.changes_s.items() if of == kind and i in wanted]

    def sell(
        self, sku: str, name: str | None, entity_id: int = 1, views: Sequence[str] = ("default",)
    ) -> None:
        """Put a product on sale in these store views; it replaces the one with this SKU."""
        self.skus[entity_id] = sku
        values = {} if name is None else {"name": {0: name}, "status": {0: "1"}, "visibility": {0: "4"}}
        websites = frozenset(view.website_id for view in CATALOG.store_views if view.code in views)
        self.rows[sku] = ProductRows(
            ProductRow(entity_id, sku, "simple", None, None), values, website_ids=websites
        )

    def name(self, sku: str, store_id: int, name: str) -> None:
        """Give a product another name in one store view."""
        rows = self.rows[sku]
        values = {**rows.values, "name": {**rows.values["name"], store_id: name}}
        self.rows[sku] = replace(rows, values=values)

    def break_rows(self, sku: str, entity_id: int = 1) -> None:
        """A product without any attribute value cannot be built."""
        self.sell(sku, None, entity_id)
