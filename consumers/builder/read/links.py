"""Links between products, with the attributes that grouped products use."""

from collections import defaultdict

from consumers.builder.read.reader import Ids, Plan, select
from consumers.builder.rules.links import LinkRow


def read_links(prefix: str, ids: Ids) -> Plan[dict[int, tuple[LinkRow, ...]]]:
    """Links that these products own, by product id."""
    table = f"{prefix}catalog_product_link"
    rows = yield from select(
        "SELECT l.product_id, l.link_id, l.linked_product_id, l.link_type_id, i.value, d.value"
        f" FROM {table} l"
        f" LEFT JOIN {table}_attribute p ON p.link_type_id = l.link_type_id"
        " AND p.product_link_attribute_code = 'position'"
        f" LEFT JOIN {table}_attribute_int i ON i.link_id = l.link_id"
        " AND i.product_link_attribute_id = p.product_link_attribute_id"
        f" LEFT JOIN {table}_attribute q ON q.link_type_id = l.link_type_id"
        " AND q.product_link_attribute_code = 'qty'"
        f" LEFT JOIN {table}_attribute_decimal d ON d.link_id = l.link_id"
        " AND d.product_link_attribute_id = q.product_link_attribute_id"
        " WHERE l.product_id IN %s",
        ids,
    )
    links: dict[int, list[LinkRow]] = defaultdict(list)
    for product_id, *columns in rows:
        links[product_id].append(LinkRow(*columns))
    return {product_id: tuple(of_product) for product_id, of_product in links.items()}
