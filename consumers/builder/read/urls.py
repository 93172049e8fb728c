"""Rewrites that lead to products."""

from collections import defaultdict

from consumers.builder.read.reader import Ids, Plan, select
from consumers.builder.rules.urls import RewriteRow


def read_rewrites(prefix: str, ids: Ids) -> Plan[dict[int, tuple[RewriteRow, ...]]]:
    """By product id."""
    rows = yield from select(
        "SELECT entity_id, url_rewrite_id, store_id, COALESCE(request_path, ''), COALESCE(target_path, ''),"
        f" redirect_type, metadata FROM {prefix}url_rewrite"
        " WHERE entity_type = 'product' AND entity_id IN %s",
        ids,
    )
    rewrites: dict[int, list[RewriteRow]] = defaultdict(list)
    for product_id, *columns in rows:
        rewrites[product_id].append(RewriteRow(*columns))
    return {product_id: tuple(of_product) for product_id, of_product in rewrites.items()}
