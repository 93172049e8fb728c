"""Adobe Commerce's tables as Open Source has them: of several versions the current one, by entity id. Pure.

Commerce keeps a row of `catalog_product_entity` for every scheduled version of a product: `row_id` is its
key, `entity_id` the product's, and it counts while `created_in <= now < updated_in` (unix seconds). Values,
links and options belong to a version: their column holds row ids, in some tables under the name that holds
entity ids in Open Source. Categories are kept the same way.

Every statement of ours is written for Open Source. Where the schema shows Commerce, the statement is given
a WITH clause that defines the tables it names as Open Source has them; a server merges such definitions
into the statement and uses the same indexes. The edition is found from the columns, never from a setting.

A table of a module that is not installed is defined the same way, as an empty one.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from schemas.tables import EAV_TYPES, OPTIONAL_TABLES

Versioned = Literal["product", "category"]

ENTITY_TABLES: Final[Mapping[Versioned, str]] = {
    "product": "catalog_product_entity",
    "category": "catalog_category_entity",
}
# Versions with what they are found by, and the moment each begins or ends next; in statements only.
VERSIONS: Final[Mapping[Versioned, str]] = {
    "product": "catalog_product_versions",
    "category": "catalog_category_versions",
}
# Children of versions to come, with the moment that version begins; in statements only.
STAGED_CHILDREN: Final = "catalog_product_staged_children"
# The end of a version that has none.
OPEN_END: Final = 2_147_483_647


@dataclass(frozen=True, slots=True)
class Link:
    """How the rows of a table name the version they belong to.

    Args:
        of: what kind of entity it is a version of.
        column: holds row ids.
        shown_as: the column of entity ids that Open Source has in its place.
    """

    of: Versioned
    column: str
    shown_as: str


_VALUE: Final = Link("product", "row_id", "entity_id")
_OWNED: Final = Link("product", "product_id", "product_id")
_PARENT: Final = Link("product", "parent_id", "parent_id")
_BUNDLE: Final = Link("product", "parent_product_id", "parent_product_id")

# Not among them, because they hold entity ids in both editions: websites, category assignments, stock, rule
# prices, url rewrites, and the other side of each link (linked_product_id, child_id, a variant's product_id).
LINKS: Final[Mapping[str, Link]] = {
    **{f"catalog_product_entity_{backend_type}": _VALUE for backend_type in (*EAV_TYPES, "gallery")},
    "catalog_product_entity_media_gallery_value": _VALUE,
    "catalog_product_entity_media_gallery_value_to_entity": _VALUE,
    "catalog_product_entity_tier_price": _VALUE,
    "catalog_product_option": _OWNED,
    "catalog_product_super_attribute": _OWNED,
    "catalog_product_link": _OWNED,
    "downloadable_link": _OWNED,
    "downloadable_sample": _OWNED,
    "catalog_product_super_link": _PARENT,
    "catalog_product_relation": _PARENT,
    "catalog_product_bundle_option": _PARENT,
    "catalog_product_bundle_option_value": _BUNDLE,
    "catalog_product_bundle_selection": _BUNDLE,
    "catalog_product_bundle_selection_price": _BUNDLE,
    **{
        f"catalog_category_entity_{backend_type}": Link("category", "row_id", "entity_id")
        for backend_type in EAV_TYPES
    },
}


@dataclass(frozen=True, slots=True)
class Edition:
    """What of a database is kept in versions; nothing in Open Source.

    Args:
        definitions: of each table that statements may name, its definition as Open Source has it, by full
            name and in an order in which each only needs those before it; `{now}` stands for the moment.
        needs: the definition that another one needs.
        links: of each table that has one, by full name.
        missing: full names of tables that are not there and are defined as empty.
    """

    definitions: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()

    @property
    def is_staged(self) -> bool:
        return bool(self.definitions.keys() - self.missing)

    def without(self, missing: Collection[str]) -> "Edition":
        """The same, of a shop that has not got these optional tables; statements find them empty."""
        empty = {table: _empty(table) for table in missing}
        return replace(self, definitions={**empty, **self.definitions}, missing=frozenset(missing))

    def statement(self, text: str, now: str) -> str:
        """A statement written for Open Source, for this edition.

        Args:
            text: begins with SELECT or WITH.
            now: SQL for the moment whose versions count, in unix seconds.
        """
        if not self.definitions:
            return text
        named = self.definitions.keys() & set(_WORD.findall(text))
        if not named:
            return text
        wanted = named | {self.needs[table] for table in named if table in self.needs}
        defined = ", ".join(
            f"{table} AS ({body.format(now=now)})"
            for table, body in self.definitions.items()
            if table in wanted
        )
        return f"WITH {defined}, {text[5:]}" if text.startswith("WITH ") else f"WITH {defined} {text}"


_WORD: Final = re.compile(r"\w+")


def edition_of(columns: Iterable[tuple[str, str]]) -> Edition:
    """Tell the edition by (table, column) of a whole database; each installation in it by its own prefix."""
    tables: dict[str, list[str]] = {}
    for table, column in columns:
        tables.setdefault(table, []).append(column)
    first: dict[str, str] = {}
    definitions: dict[str, str] = {}
    needs: dict[str, str] = {}
    links: dict[str, Link] = {}
    for of, name in ENTITY_TABLES.items():
        for entity_table, own in tables.items():
            if not entity_table.endswith(name) or not {"row_id", "created_in", "updated_in"} <= set(own):
                continue
            prefix = entity_table.removesuffix(name)
            # These read the tables themselves, so they stand before anything that takes their names.
            first[prefix + VERSIONS[of]] = _versions(of, entity_table)
            if of == "product":
                first[prefix + STAGED_CHILDREN] = _staged_children(prefix, entity_table)
            definitions[entity_table] = _current(entity_table)
            for table, link in LINKS.items():
                if link.of == of and link.column in tables.get(prefix + table, ()):
                    links[prefix + table] = link
                    needs[prefix + table] = entity_table
    definitions |= {table: _owned(table, link, tables[table], needs[table]) for table, link in links.items()}
    return Edition(first | definitions, needs, links)


def unseen(tables: Collection[str]) -> list[str]:
    """Optional tables, by full name, that an installation in a database with these tables does not show."""
    prefixes = [name.removesuffix(_ALWAYS[0]) for name in tables if name.endswith(_ALWAYS[0])]
    return [
        prefix + table
        for prefix in sorted(prefixes)
        if {prefix + name for name in _ALWAYS} <= {*tables}
        for table in OPTIONAL_TABLES
        if prefix + table not in tables
    ]


# Every installation has these; a copy of one of them is none.
_ALWAYS: Final = ("catalog_product_entity", "core_config_data", "store_website")


def _empty(table: str) -> str:
    """Numbers, whatever the columns hold: a UNION with it keeps the types of its other parts."""
    columns = next(named for name, named in OPTIONAL_TABLES.items() if table.endswith(name))
    return f"SELECT {', '.join(f'0 AS {column}' for column in columns)} LIMIT 0"


def _current(entity_table: str) -> str:
    return f"SELECT * FROM {entity_table} WHERE created_in <= {{now}} AND updated_in > {{now}}"


def _owned(table: str, link: Link, columns: Iterable[str], entity_table: str) -> str:
    others = "".join(f", o.{column}" for column in columns if column != link.column)
    return (
        f"SELECT v.entity_id AS {link.shown_as}{others} FROM {entity_table} v"
        f" JOIN {table} o ON o.{link.column} = v.row_id"
    )


def _versions(of: Versioned, entity_table: str) -> str:
    found_by = "sku" if of == "product" else "parent_id"
    return (
        f"SELECT row_id, entity_id, {found_by}, created_in,"
        " CASE WHEN created_in > {now} THEN created_in"
        f" WHEN updated_in > {{now}} AND updated_in < {OPEN_END} THEN updated_in END AS changes_s"
        f" FROM {entity_table}"
    )


def _staged_children(prefix: str, entity_table: str) -> str:
    return " UNION ALL ".join(
        f"SELECT r.{child} AS child_id, v.created_in AS changes_s FROM {prefix}{table} r"
        f" JOIN {entity_table} v ON v.row_id = r.parent_id WHERE v.created_in > {{now}}"
        for table, child in (
            ("catalog_product_relation", "child_id"),
            ("catalog_product_super_link", "product_id"),
        )
    )
