"""How the entities of a database are enumerated: (number, key) behind a number, and which keys have a row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.edition import ENTITY_TABLES, VERSIONS, Versioned


@dataclass(frozen=True, slots=True)
class Enumeration:
    """Some statements; `{p}` stands for the table prefix.

    Args:
        count: how many entities there are.
        page: (number, key) of the entities whose number is in ]%s, %s], in ascending order, at most %s.
        present: those of some keys that have a row.
        to_come: keys that no current version has and one to come has (Adobe Commerce), perhaps several
            times; None: there are none.
    """

    count: str
    page: str
    present: str
    to_come: str | None = None


def _to_come(of: Versioned, key: str) -> str:
    return (
        f"SELECT v.{key} FROM {{p}}{VERSIONS[of]} v WHERE v.created_in > UNIX_TIMESTAMP()"
        f" AND NOT EXISTS (SELECT 1 FROM {{p}}{ENTITY_TABLES[of]} e WHERE e.entity_id = v.entity_id"
        # Byte for byte: a version may have another SKU, or another spelling of it.
        f" AND HEX(e.{key}) = HEX(v.{key}))"
    )


_ATTRIBUTES: Final = (
    "{p}eav_attribute a JOIN {p}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
    " WHERE t.entity_type_code = 'catalog_product'"
)
# Websites have even numbers, customer groups odd ones. The admin's website is no scope.
_SCOPES: Final = (
    "(SELECT 2 * website_id AS number, CONCAT('website:', website_id) AS name FROM {p}store_website"
    " WHERE website_id <> 0 UNION ALL SELECT 2 * customer_group_id + 1, CONCAT('group:', customer_group_id)"
    " FROM {p}customer_group) AS scopes"
)

ENUMERATIONS: Final[Mapping[str, Enumeration]] = {
    "product": Enumeration(
        "SELECT COUNT(*) FROM {p}catalog_product_entity",
        "SELECT entity_id, sku FROM {p}catalog_product_entity"
        " WHERE entity_id > %s AND entity_id <= %s ORDER BY entity_id LIMIT %s",
        "SELECT sku FROM {p}catalog_product_entity WHERE sku IN %s",
        _to_come("product", "sku"),
    ),
    "category": Enumeration(
        "SELECT COUNT(*) FROM {p}catalog_category_entity",
        "SELECT entity_id, entity_id FROM {p}catalog_category_entity"
        " WHERE entity_id > %s AND entity_id <= %s ORDER BY entity_id LIMIT %s",
        "SELECT entity_id FROM {p}catalog_category_entity WHERE entity_id IN %s",
        _to_come("category", "entity_id"),
    ),
    "attribute": Enumeration(
        f"SELECT COUNT(*) FROM {_ATTRIBUTES}",
        f"SELECT a.attribute_id, a.attribute_id FROM {_ATTRIBUTES}"
        " AND a.attribute_id > %s AND a.attribute_id <= %s ORDER BY a.attribute_id LIMIT %s",
        f"SELECT a.attribute_id FROM {_ATTRIBUTES} AND a.attribute_id IN %s",
    ),
    "scope": Enumeration(
        f"SELECT COUNT(*) FROM {_SCOPES}",
        f"SELECT number, name FROM {_SCOPES} WHERE number > %s AND number <= %s ORDER BY number LIMIT %s",
        f"SELECT name FROM {_SCOPES} WHERE name IN %s",
    ),
}
