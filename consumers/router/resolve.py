"""Ids become SKUs: one indexed query per kind and batch, in a snapshot that has seen the batch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from consumers.router.rules import Kind, Touch

Groups = Mapping[str, frozenset[str]]

# Kinds whose value is a row's id, and the query for (id, id of the product that owns the row).
_OWNERS: Final[Mapping[Kind, str]] = {
    "media": (
        "SELECT value_id, entity_id FROM {p}catalog_product_entity_media_gallery_value_to_entity"
        " WHERE value_id IN %s"
    ),
    "link": "SELECT link_id, product_id FROM {p}catalog_product_link WHERE link_id IN %s",
    "custom_option": "SELECT option_id, product_id FROM {p}catalog_product_option WHERE option_id IN %s",
    "custom_choice": (
        "SELECT v.option_type_id, o.product_id FROM {p}catalog_product_option_type_value v"
        " JOIN {p}catalog_product_option o ON o.option_id = v.option_id WHERE v.option_type_id IN %s"
    ),
    "download": "SELECT link_id, product_id FROM {p}downloadable_link WHERE link_id IN %s",
    "sample": "SELECT sample_id, product_id FROM {p}downloadable_sample WHERE sample_id IN %s",
}
# Of each: the id asked for, a SKU, and whether that is the product's own.
_OWN: Final = "SELECT entity_id, sku, 1 FROM {p}catalog_product_entity WHERE entity_id IN %s"
_BUNDLES: Final = (
    "SELECT b.product_id, p.sku, 0 FROM {p}catalog_product_bundle_selection b"
    " JOIN {p}catalog_product_entity p ON p.entity_id = b.parent_product_id WHERE b.product_id IN %s"
)
_OTHER_PARENTS: Final = (
    (
        "SELECT r.child_id, p.sku, 0 FROM {p}catalog_product_relation r"
        " JOIN {p}catalog_product_entity p ON p.entity_id = r.parent_id WHERE r.child_id IN %s"
    ),
    (
        "SELECT s.product_id, p.sku, 0 FROM {p}catalog_product_super_link s"
        " JOIN {p}catalog_product_entity p ON p.entity_id = s.parent_id WHERE s.product_id IN %s"
    ),
    (
        "SELECT l.linked_product_id, p.sku, 0 FROM {p}catalog_product_link l"
        " JOIN {p}catalog_product_entity p ON p.entity_id = l.product_id"
        " WHERE l.link_type_id = 3 AND l.linked_product_id IN %s"
    ),
)
# A composite's options, status and stock depend on its children. Commerce keeps the relation beside the three
# tables that say it again; a row in any of them is enough.
_FAMILY: Final = " UNION ALL ".join((_OWN, _BUNDLES, *_OTHER_PARENTS))
# True where one of these attributes of products keeps its values in this type of table.
_KEPT: Final = (
    " AND EXISTS(SELECT 1 FROM {p}eav_attribute a"
    " JOIN {p}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
    " WHERE t.entity_type_code = 'catalog_product' AND a.attribute_code IN (CODES)"
    " AND a.backend_type = 'TYPE')"
)
# Of another product's values a bundle shows the name, and every parent depends on these two.
_STATES: Final = "'status', 'price_type'"
_SHOWING: Final = " UNION ALL ".join(
    (
        _OWN,
        _BUNDLES + _KEPT.replace("CODES", f"'name', {_STATES}"),
        *(parents + _KEPT.replace("CODES", _STATES) for parents in _OTHER_PARENTS),
    )
)
# Those who show the product's SKU, type or website beside its parents: its children, its variants and who
# links to it.
_NEIGHBOURS: Final = (
    "SELECT r.parent_id, p.sku FROM {p}catalog_product_relation r"
    " JOIN {p}catalog_product_entity p ON p.entity_id = r.child_id WHERE r.parent_id IN %s"
    " UNION ALL SELECT s.parent_id, p.sku FROM {p}catalog_product_super_link s"
    " JOIN {p}catalog_product_entity p ON p.entity_id = s.product_id WHERE s.parent_id IN %s"
    " UNION ALL SELECT l.linked_product_id, p.sku FROM {p}catalog_product_link l"
    " JOIN {p}catalog_product_entity p ON p.entity_id = l.product_id WHERE l.linked_product_id IN %s"
)
# Children show whether their bundle's price is fixed, which is a value like any other.
_BUNDLE_CHILDREN: Final = (
    "SELECT r.parent_id, p.sku FROM {p}catalog_product_entity b"
    " JOIN {p}catalog_product_relation r ON r.parent_id = b.entity_id"
    " JOIN {p}catalog_product_entity p ON p.entity_id = r.child_id"
    " WHERE b.type_id = 'bundle' AND b.entity_id IN %s"
)
_FIRST_OPTIONS: Final = (
    "SELECT attribute_id, MIN(option_id) FROM {p}eav_attribute_option WHERE attribute_id IN %s"
    " GROUP BY attribute_id"
)
# The column compares as its collation does, so equal spellings are found here, not told apart.
_SPELLINGS: Final = "SELECT sku, entity_id FROM {p}catalog_product_entity WHERE sku IN %s"


class Reader(Protocol):
    """Anything that runs a SELECT inside one consistent view."""

    def query(self, statement: str, parameters: Any = ()) -> list[tuple[Any, ...]]: ...


@dataclass(frozen=True, slots=True)
class Resolved:
    """What was found; ids that name no row are absent.

    Args:
        family: SKUs by product id: the product's own and those of its parents. own: only the product's.
        showing: SKUs by `type:product id`: the product's own and those of parents that show such values.
        neighbours, bundle_children: further SKUs by product id.
        owners: product ids by a row's id (or by a spelling of a SKU), by kind.
        whole_attributes: ids of attributes that got their first option with this batch, or have none left.
    """

    family: Groups = field(default_factory=dict)
    own: Groups = field(default_factory=dict)
    showing: Groups = field(default_factory=dict)
    neighbours: Groups = field(default_factory=dict)
    bundle_children: Groups = field(default_factory=dict)
    owners: Mapping[Kind, Groups] = field(default_factory=dict)
    whole_attributes: frozenset[str] = frozenset()

    def is_everything(self, touch: Touch) -> bool:
        """True when the whole catalog is dirty."""
        return touch.kind == "everything" or (
            touch.kind == "options_of" and touch.value in self.whole_attributes
        )

    def is_missing(self, touch: Touch) -> bool:
        """True when the row that would name the entity was not found: it is gone, or not visible yet."""
        if touch.kind not in _NAMED_BY_A_ROW:
            return False
        found = self.entities(touch)
        return not found or any(is_reference for _, is_reference in found)

    def entities(self, touch: Touch) -> list[tuple[str, bool]]:
        """(SKU, False) for each entity touched, or (reference, True) for whoever refers to a vanished row."""
        if touch.kind == "sku":
            return [(touch.value, False)]
        if touch.kind == "options_of":
            return []
        if touch.kind == "refers_to":
            return [(touch.value, True)]
        if touch.kind == "product":
            return self._of_product(touch.value)
        if touch.kind == "value":
            return _or_reference(_product_of(touch), self.showing.get(touch.value))
        if touch.kind == "neighbours":
            others = sorted(self.neighbours.get(touch.value, ()))
            return [*self._of_product(touch.value), *((sku, False) for sku in others)]
        if touch.kind == "bundle_children":
            return [(sku, False) for sku in sorted(self.bundle_children.get(touch.value, ()))]
        products = self.owners.get(touch.kind, {}).get(touch.value)
        if not products and touch.kind == "media":
            # A file's rows go by cascade with it: only the index knows who showed it.
            return [(f"media:{touch.value}", True)]
        return [entity for product in sorted(products or ()) for entity in self._of_product(product)]

    def is_relative(self, touch: Touch, sku: str) -> bool:
        """True when the row is another product's, and this one only shows something of it."""
        if touch.kind == "sku":
            return False
        products = self.owners.get(touch.kind, {}).get(touch.value, frozenset({_product_of(touch)}))
        return touch.kind == "bundle_children" or not any(sku in self.own.get(p, ()) for p in products)

    def _of_product(self, product_id: str) -> list[tuple[str, bool]]:
        return _or_reference(product_id, self.family.get(product_id))


def _product_of(touch: Touch) -> str:
    """The id that the touch names; a value's stands behind its type."""
    return touch.value.rpartition(":")[2]


def _or_reference(product_id: str, skus: Iterable[str] | None) -> list[tuple[str, bool]]:
    return [(sku, False) for sku in sorted(skus)] if skus else [(f"product:{product_id}", True)]


DIRECT: Final[frozenset[Kind]] = frozenset({"category", "attribute", "scope"})
NEED_NO_QUERY: Final[frozenset[Kind]] = DIRECT | {"sku", "refers_to", "everything"}
_NAMED_BY_A_ROW: Final[frozenset[Kind]] = frozenset({"product", "value", "neighbours", *_OWNERS})


def resolve(reader: Reader, prefix: str, touches: Iterable[Touch]) -> Resolved:
    """Look up every id of a batch.

    Args:
        prefix: the installation's table prefix.
    """
    values: dict[Kind, set[str]] = {}
    for touch in touches:
        values.setdefault(touch.kind, set()).add(touch.value)

    def rows(statement: str, wanted: Iterable[str]) -> list[tuple[Any, ...]]:
        ids = sorted(wanted)
        if not ids:
            return []
        return reader.query(statement.format(p=prefix), (ids,) * statement.count("%s"))

    def groups(statement: str, wanted: Iterable[str]) -> dict[str, frozenset[str]]:
        return _grouped(rows(statement, wanted))

    owners: dict[Kind, Groups] = {
        kind: groups(statement, values.get(kind, ())) for kind, statement in _OWNERS.items()
    }
    spelled = values.get("spelling", set())
    owners["spelling"] = _by_spelling(spelled, groups(_SPELLINGS, spelled))
    neighbours = values.get("neighbours", set())
    attributes = values.get("options_of", set())
    first_options = groups(_FIRST_OPTIONS, attributes)
    options = {value.removeprefix("option:") for value in values.get("refers_to", ())}
    owned = {product for found in owners.values() for products in found.values() for product in products}
    family = rows(_FAMILY, {*values.get("product", ()), *neighbours, *owned})
    showing = {
        backend_type: rows(_SHOWING.replace("TYPE", backend_type), ids)
        for backend_type, ids in _by_type(values.get("value", ())).items()
    }
    return Resolved(
        _grouped(family),
        _grouped(row for found in (family, *showing.values()) for row in found if row[2]),
        _grouped((f"{of}:{row[0]}", row[1]) for of, found in showing.items() for row in found),
        groups(_NEIGHBOURS, neighbours),
        groups(_BUNDLE_CHILDREN, values.get("bundle_children", ())),
        owners,
        frozenset(
            attribute
            for attribute in attributes
            if attribute not in first_options or first_options[attribute] & options
        ),
    )


def _by_type(values: Iterable[str]) -> dict[str, set[str]]:
    """Product ids by the type of their values."""
    ids: dict[str, set[str]] = {}
    for value in values:
        backend_type, _, product_id = value.partition(":")
        ids.setdefault(backend_type, set()).add(product_id)
    return ids


def _by_spelling(spelled: set[str], found: Groups) -> dict[str, frozenset[str]]:
    """Products by the spelling asked for.

    Which of the found SKUs the database held equal to a spelling only its collation knows; those that
    were not asked for byte for byte are few, and count for every spelling.
    """
    others = frozenset(
        product for sku, products in found.items() if sku not in spelled for product in products
    )
    return {name: found.get(name, frozenset()) | others for name in spelled}


def _grouped(rows: Iterable[tuple[Any, ...]]) -> dict[str, frozenset[str]]:
    groups: dict[str, set[str]] = {}
    for name, value, *_ in rows:
        groups.setdefault(str(name), set()).add(str(value))
    return {name: frozenset(values) for name, values in groups.items()}
