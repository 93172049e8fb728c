"""Permissions set at categories (paid edition)."""

from collections import defaultdict

from consumers.builder.read.reader import Ids, Plan, Together, ask, select
from consumers.builder.rules.permissions import PermissionRow, Permissions

_TABLE = "magento_catalogpermissions"


def read_permissions(prefix: str, category_ids: Ids) -> Plan[Permissions]:
    """Rows of these categories, and all customer groups. Only where they are installed."""
    together = Together()
    found = together.add(
        select(
            "SELECT category_id, permission_id, website_id, customer_group_id, grant_catalog_category_view,"
            f" grant_catalog_product_price, grant_checkout_items FROM {prefix}{_TABLE}"
            " WHERE category_id IN %s",
            category_ids,
        )
    )
    groups = together.add(ask(f"SELECT customer_group_id FROM {prefix}customer_group"))
    yield from together.done()
    rows: dict[int, list[PermissionRow]] = defaultdict(list)
    for category_id, permission_id, website_id, group_id, view, price, cart in found.result:
        row = PermissionRow(permission_id, category_id, website_id, group_id, (view, price, cart))
        rows[category_id].append(row)
    return Permissions(
        {category_id: tuple(of_category) for category_id, of_category in rows.items()},
        tuple(sorted(group_id for (group_id,) in groups.result)),
    )
