"""What the prices of a batch's products are made of, beside their values."""

from collections import defaultdict
from decimal import Decimal

from consumers.builder.read.reader import Ids, Plan, select
from consumers.builder.values import RulePriceRow, TierRow


def read_tiers(prefix: str, ids: Ids) -> Plan[dict[int, list[TierRow]]]:
    """Tier prices, by product id."""
    rows = yield from select(
        "SELECT entity_id, value_id, website_id, CASE WHEN all_groups = 0 THEN customer_group_id END,"
        f" qty, value, percentage_value FROM {prefix}catalog_product_entity_tier_price WHERE entity_id IN %s",
        ids,
    )
    tiers: dict[int, list[TierRow]] = defaultdict(list)
    for product_id, value_id, website_id, group_id, qty, value, percentage in rows:
        share = None if percentage is None else Decimal(percentage)
        tiers[product_id].append(TierRow(value_id, website_id, group_id, Decimal(qty), Decimal(value), share))
    return tiers


def read_rule_prices(prefix: str, ids: Ids) -> Plan[dict[int, list[RulePriceRow]]]:
    """Catalog rule prices, by product id.

    Rows of deleted groups stay until Commerce indexes again; they are nobody's prices.
    """
    rows = yield from select(
        "SELECT r.product_id, r.website_id, r.customer_group_id, CAST(r.rule_date AS CHAR), r.rule_price"
        f" FROM {prefix}catalogrule_product_price r"
        f" JOIN {prefix}customer_group g ON g.customer_group_id = r.customer_group_id"
        " WHERE r.product_id IN %s",
        ids,
    )
    prices: dict[int, list[RulePriceRow]] = defaultdict(list)
    for product_id, website_id, group_id, date, price in rows:
        prices[product_id].append(RulePriceRow(website_id, group_id, date, Decimal(price)))
    return prices
