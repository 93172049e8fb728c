"""What the catalog's items must be, asked of the database in plain SQL for the whole catalog at once.

A second opinion on the pipeline: it shares no code with it, and its queries follow the written rules word by
word. It reads everything, so it is for proofs and not for production.
"""

from typing import Any, Final

from asyncmy.connection import Connection
from asyncmy.cursors import Cursor

Expected = dict[tuple[str, str], dict[str, Any]]

# One row per product and store view of its websites. Of several rows with the same SKU, byte for byte, the
# oldest speaks. A store view's row replaces the default row, also when its value is NULL. A composite product
# has parts where a child is assigned to the website and enabled in the store view.
_ITEMS: Final = """
SELECT p.sku, s.code,
       IF(name_s.value_id IS NULL, name_0.value, name_s.value) AS name,
       IF(status_s.value_id IS NULL, status_0.value, status_s.value) AS status,
       IF(slug_s.value_id IS NULL, slug_0.value, slug_s.value) AS slug,
       IF(seen_s.value_id IS NULL, seen_0.value, seen_s.value) AS visibility,
       p.entity_id, s.store_id,
       p.type_id NOT IN ('configurable', 'grouped', 'bundle') OR EXISTS (
         SELECT 1 FROM {p}catalog_product_relation r
         JOIN {p}catalog_product_website child_w
           ON child_w.product_id = r.child_id AND child_w.website_id = w.website_id
         LEFT JOIN {p}catalog_product_entity_int child_0
           ON child_0.entity_id = r.child_id AND child_0.attribute_id = {status} AND child_0.store_id = 0
         LEFT JOIN {p}catalog_product_entity_int child_s
           ON child_s.entity_id = r.child_id AND child_s.attribute_id = {status}
           AND child_s.store_id = s.store_id
         WHERE r.parent_id = p.entity_id
           AND IF(child_s.value_id IS NULL, child_0.value, child_s.value) = 1) AS has_parts
FROM {p}catalog_product_entity p
JOIN {p}catalog_product_website w ON w.product_id = p.entity_id
JOIN {p}store s ON s.website_id = w.website_id AND s.store_id <> 0
LEFT JOIN {p}catalog_product_entity_varchar name_0
  ON name_0.entity_id = p.entity_id AND name_0.attribute_id = {name} AND name_0.store_id = 0
LEFT JOIN {p}catalog_product_entity_varchar name_s
  ON name_s.entity_id = p.entity_id AND name_s.attribute_id = {name} AND name_s.store_id = s.store_id
LEFT JOIN {p}catalog_product_entity_varchar slug_0
  ON slug_0.entity_id = p.entity_id AND slug_0.attribute_id = {url_key} AND slug_0.store_id = 0
LEFT JOIN {p}catalog_product_entity_varchar slug_s
  ON slug_s.entity_id = p.entity_id AND slug_s.attribute_id = {url_key} AND slug_s.store_id = s.store_id
LEFT JOIN {p}catalog_product_entity_int status_0
  ON status_0.entity_id = p.entity_id AND status_0.attribute_id = {status} AND status_0.store_id = 0
LEFT JOIN {p}catalog_product_entity_int status_s
  ON status_s.entity_id = p.entity_id AND status_s.attribute_id = {status} AND status_s.store_id = s.store_id
LEFT JOIN {p}catalog_product_entity_int seen_0
  ON seen_0.entity_id = p.entity_id AND seen_0.attribute_id = {visibility} AND seen_0.store_id = 0
LEFT JOIN {p}catalog_product_entity_int seen_s
  ON seen_s.entity_id = p.entity_id AND seen_s.attribute_id = {visibility} AND seen_s.store_id = s.store_id
WHERE NOT EXISTS (
  SELECT 1 FROM {p}catalog_product_entity older
  WHERE older.sku = p.sku AND BINARY older.sku = BINARY p.sku AND older.entity_id < p.entity_id)
"""

# The url path of every category below a store's root: the url keys of its line, without the two roots.
_PATHS: Final = """
SELECT s.store_id, c.entity_id,
       GROUP_CONCAT(COALESCE(key_s.value, key_0.value) ORDER BY line.level SEPARATOR '/') AS path
FROM {p}store s
JOIN {p}store_group g ON g.group_id = s.group_id
JOIN {p}catalog_category_entity c ON c.path LIKE CONCAT('1/', g.root_category_id, '/%')
JOIN {p}catalog_category_entity line
  ON line.level > 1 AND (line.entity_id = c.entity_id OR c.path LIKE CONCAT(line.path, '/%'))
LEFT JOIN {p}catalog_category_entity_varchar key_0
  ON key_0.entity_id = line.entity_id AND key_0.attribute_id = {category_url_key} AND key_0.store_id = 0
LEFT JOIN {p}catalog_category_entity_varchar key_s
  ON key_s.entity_id = line.entity_id AND key_s.attribute_id = {category_url_key}
  AND key_s.store_id = s.store_id
WHERE s.store_id <> 0
GROUP BY s.store_id, c.entity_id
"""

# Which categories of the store's tree show a product: those it is assigned to, and every anchor above an
# active one of them. Only for products that are enabled and visible there and, if they have children, have
# an enabled one. This is Commerce's index, where a NULL of the store view does mean the default's value.
_MEMBERSHIPS: Final = """
WITH shown AS (
  SELECT p.entity_id, s.store_id, g.root_category_id
  FROM {p}catalog_product_entity p
  JOIN {p}catalog_product_website w ON w.product_id = p.entity_id
  JOIN {p}store s ON s.website_id = w.website_id AND s.store_id <> 0
  JOIN {p}store_group g ON g.group_id = s.group_id
  JOIN {p}catalog_product_entity_int status_0
    ON status_0.entity_id = p.entity_id AND status_0.attribute_id = {status} AND status_0.store_id = 0
  LEFT JOIN {p}catalog_product_entity_int status_s
    ON status_s.entity_id = p.entity_id AND status_s.attribute_id = {status}
    AND status_s.store_id = s.store_id
  JOIN {p}catalog_product_entity_int seen_0
    ON seen_0.entity_id = p.entity_id AND seen_0.attribute_id = {visibility} AND seen_0.store_id = 0
  LEFT JOIN {p}catalog_product_entity_int seen_s
    ON seen_s.entity_id = p.entity_id AND seen_s.attribute_id = {visibility}
    AND seen_s.store_id = s.store_id
  WHERE COALESCE(status_s.value, status_0.value) = 1
    AND COALESCE(seen_s.value, seen_0.value) IN (2, 3, 4)
    AND (NOT EXISTS (SELECT 1 FROM {p}catalog_product_relation r WHERE r.parent_id = p.entity_id)
      OR EXISTS (
        SELECT 1 FROM {p}catalog_product_relation r
        JOIN {p}catalog_product_entity_int child_0
          ON child_0.entity_id = r.child_id AND child_0.attribute_id = {status} AND child_0.store_id = 0
        LEFT JOIN {p}catalog_product_entity_int child_s
          ON child_s.entity_id = r.child_id AND child_s.attribute_id = {status}
          AND child_s.store_id = s.store_id
        WHERE r.parent_id = p.entity_id AND COALESCE(child_s.value, child_0.value) = 1))
),
state AS (
  SELECT s.store_id, c.entity_id, c.path, g.root_category_id,
         COALESCE(active_s.value, active_0.value) AS active,
         COALESCE(anchor_s.value, anchor_0.value) AS anchor
  FROM {p}store s
  JOIN {p}store_group g ON g.group_id = s.group_id
  JOIN {p}catalog_category_entity c ON c.path LIKE CONCAT('1/', g.root_category_id, '/%')
  LEFT JOIN {p}catalog_category_entity_int active_0
    ON active_0.entity_id = c.entity_id AND active_0.attribute_id = {is_active} AND active_0.store_id = 0
  LEFT JOIN {p}catalog_category_entity_int active_s
    ON active_s.entity_id = c.entity_id AND active_s.attribute_id = {is_active}
    AND active_s.store_id = s.store_id
  LEFT JOIN {p}catalog_category_entity_int anchor_0
    ON anchor_0.entity_id = c.entity_id AND anchor_0.attribute_id = {is_anchor} AND anchor_0.store_id = 0
  LEFT JOIN {p}catalog_category_entity_int anchor_s
    ON anchor_s.entity_id = c.entity_id AND anchor_s.attribute_id = {is_anchor}
    AND anchor_s.store_id = s.store_id
  WHERE s.store_id <> 0
),
reach AS (
  SELECT store_id, entity_id AS assigned_id, entity_id AS shown_id FROM state
  UNION ALL
  SELECT below.store_id, below.entity_id, above.entity_id
  FROM state below
  JOIN state above ON above.store_id = below.store_id AND below.path LIKE CONCAT(above.path, '/%')
  WHERE below.active = 1 AND above.anchor = 1
)
SELECT DISTINCT shown.entity_id, shown.store_id, reach.shown_id
FROM shown
JOIN {p}catalog_category_product assigned ON assigned.product_id = shown.entity_id
JOIN reach ON reach.store_id = shown.store_id AND reach.assigned_id = assigned.category_id
"""


async def expected_core(connection: Connection, prefix: str = "") -> Expected:
    """Every item's core fields, read in one snapshot.

    Args:
        connection: may read the Commerce tables; an open transaction of it is committed.
        prefix: of the table names.

    Returns:
        By (SKU, store view code): `name` (text or None), `status` (ENABLED or DISABLED; a
        composite product without parts is DISABLED), `slug` (the url key, or None), `visibility` (1 to 4;
        None counts as 1) and `categories` (a frozenset of url paths).
    """
    async with connection.cursor() as cursor:
        await cursor.execute("SET SESSION group_concat_max_len = 65536")
        await cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        try:
            names = {"p": prefix, **await _attribute_ids(cursor, prefix)}
            paths = {(store, category): path for store, category, path in await _rows(cursor, _PATHS, names)}
            categories: dict[tuple[int, int], set[str]] = {}
            for product, store, category in await _rows(cursor, _MEMBERSHIPS, names):
                if path := paths.get((store, category)):
                    categories.setdefault((product, store), set()).add(path)
            return {
                (sku, code): {
                    "name": name,
                    "status": "ENABLED" if status == 1 and has_parts else "DISABLED",
                    "slug": slug,
                    "visibility": visibility or 1,
                    "categories": frozenset(categories.get((product, store), ())),
                }
                for sku, code, name, status, slug, visibility, product, store, has_parts in await _rows(
                    cursor, _ITEMS, names
                )
            }
        finally:
            await connection.rollback()


async def _rows(cursor: Cursor, query: str, names: dict[str, Any]) -> list[tuple[Any, ...]]:
    await cursor.execute(query.format(**names))
    return list(await cursor.fetchall())


async def _attribute_ids(cursor: Cursor, prefix: str) -> dict[str, int]:
    await cursor.execute(
        f"SELECT t.entity_type_code, a.attribute_code, a.attribute_id FROM {prefix}eav_attribute a "
        f"JOIN {prefix}eav_entity_type t ON t.entity_type_id = a.entity_type_id"
    )
    ids = {(entity, code): attribute_id for entity, code, attribute_id in await cursor.fetchall()}
    product = {code: ids["catalog_product", code] for code in ("name", "status", "url_key", "visibility")}
    category = {code: ids["catalog_category", code] for code in ("is_active", "is_anchor")}
    return product | category | {"category_url_key": ids["catalog_category", "url_key"]}
