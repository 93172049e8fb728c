"""The `prices` feed: one item a product and website, and one more for each group with a price of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha1
from typing import Any, Final

from consumers.builder import times
from consumers.builder.rows import DEFAULT_STORE, Catalog, ProductRows, StoreValues, TierRow, Website
from consumers.builder.values import NoNumber, number
from schemas import shop_config

FEED: Final = "prices"
ATTRIBUTES: Final = frozenset(
    {"price", "special_price", "special_from_date", "special_to_date", "price_type"}
)

# The price of every group that has none of its own.
EVERY_GROUP: Final = "0"
# What these cost, their variants or the shopper say.
_UNPRICED_TYPES: Final = frozenset({"configurable", "giftcard"})
_NAMED_TYPES: Final = frozenset({"simple", "downloadable", "grouped", "configurable"})
_ALL_WEBSITES: Final = 0
_ZERO_DATE: Final = "0000-00-00"
# Scales of the feed's schema; the columns have no more digits.
_MONEY: Final = Decimal("0.000001")
_QUANTITY: Final = Decimal("0.0001")
_ONE: Final = Decimal(1)
_NOTHING: Final = _MONEY * 0


class Unbuildable(ValueError):
    """What a product costs on one website cannot be told."""


@dataclass(frozen=True, slots=True)
class Prices:
    """All items of one product: by website code, every group's price first, then by group id.

    Args:
        refused: why a website's items cannot be built, by its code; the other websites' are there.
        due_s: when an item changes next without any row being written (unix seconds); None: never.
    """

    items: tuple[dict[str, Any], ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    due_s: int | None = None


def identity(sku: str, website_code: str, customer_group_code: str) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"sku": sku, "websiteCode": website_code, "customerGroupCode": customer_group_code}


def build(rows: ProductRows, catalog: Catalog, now_s: int) -> Prices:
    """Price one product on each of its websites; what means nothing there is that website's.

    That is a date, a time zone, or a price that is no number.

    Args:
        now_s: unix seconds; says which special prices and catalog rules count.
    """
    items: list[dict[str, Any]] = []
    refused: dict[str, str] = {}
    moments: list[int] = []
    for website in _priced_on(rows, catalog):
        try:
            of_website = list(_items(rows, catalog, website, now_s))
            moments += _moments(rows, website, now_s)
        except (Unbuildable, NoNumber) as error:
            refused[website.code] = str(error)
        else:
            items += of_website
    due_s = min((moment for moment in moments if moment > now_s), default=None)
    return Prices(tuple(items), refused, due_s)


def refs(rows: ProductRows) -> tuple[str, ...]:
    """Names of the rows whose change or end can alter these items without naming the product.

    A group's tier prices go with the group by cascade.
    """
    names = {f"product:{rows.product.entity_id}"}
    names.update(f"product:{parent}" for parent in rows.parts.parents)
    names.update(f"group:{tier.group_id}" for tier in rows.tiers if tier.group_id is not None)
    names.update(f"group:{rule.group_id}" for rule in rows.rule_prices)
    return tuple(sorted(names))


def group_code(group_id: int) -> str:
    """How a customer group is called; group 0 (not logged in) is a group like any other."""
    return sha1(str(group_id).encode(), usedforsecurity=False).hexdigest()


def _priced_on(rows: ProductRows, catalog: Catalog) -> list[Website]:
    if rows.product.type_id in _UNPRICED_TYPES:
        return []
    assigned = [website for website in catalog.websites if website.website_id in rows.website_ids]
    return sorted(assigned, key=lambda website: website.code)


def _items(rows: ProductRows, catalog: Catalog, website: Website, now_s: int) -> Iterator[dict[str, Any]]:
    discounts: dict[str, dict[str, Any]] = {}
    special = _special_price(rows, website, now_s)
    if special is not None:
        discounts["special_price"] = special
    tiers = _tiers(rows, website, None)
    yield _item(rows, catalog, website, EVERY_GROUP, discounts, tiers)
    rules = _rule_prices(rows, website, _today(rows, website, now_s))
    for group_id in sorted(_groups_with_tiers(rows, website) | rules.keys()):
        own = dict(discounts)
        if group_id in rules:
            own["catalog_rule"] = _discount("catalog_rule", price=rules[group_id])
        # Where a group and all groups have a price from one quantity on, the group's own counts.
        group_tiers = tiers | _tiers(rows, website, group_id)
        yield _item(rows, catalog, website, group_code(group_id), own, group_tiers)


def _item(
    rows: ProductRows,
    catalog: Catalog,
    website: Website,
    customer_group_code: str,
    discounts: Mapping[str, dict[str, Any]],
    tiers: Mapping[Decimal, TierRow],
) -> dict[str, Any]:
    """The item of one group; the tier from one piece on is not a tier but the group's price."""
    all_discounts = dict(discounts)
    if _ONE in tiers:
        all_discounts["group"] = {"code": "group", **_worth(tiers[_ONE])}
    codes = ("special_price", "group", "catalog_rule")
    return {
        **identity(rows.product.sku, website.code, customer_group_code),
        "productId": rows.product.entity_id,
        "type": _type_of(rows.product.type_id, rows.values.get("price_type", {})),
        "regular": _regular(rows, website),
        "parents": _parents(rows, catalog, website),
        "discounts": [all_discounts[code] for code in codes if code in all_discounts],
        "tierPrices": [
            {"qty": qty.quantize(_QUANTITY), **_worth(tiers[qty])} for qty in sorted(tiers) if qty != _ONE
        ],
    }


def _type_of(type_id: str, price_types: StoreValues) -> str:
    if type_id == "bundle":
        return "BUNDLE_FIXED" if price_types.get(DEFAULT_STORE) == "1" else "BUNDLE_DYNAMIC"
    return type_id.upper() if type_id in _NAMED_TYPES else "SIMPLE"


def _parents(rows: ProductRows, catalog: Catalog, website: Website) -> list[dict[str, str]]:
    found = {
        (_type_of(parent.type_id, parent.values.get("price_type", {})), parent.sku)
        for parent_id in rows.parts.parents
        if (parent := catalog.parts.relatives.get(parent_id)) is not None
        and website.website_id in parent.website_ids
    }
    return [{"sku": sku, "type": kind} for kind, sku in sorted(found)]


def _regular(rows: ProductRows, website: Website) -> Decimal:
    """A row without a price says nothing: the global price stands, and what was never given is 0."""
    prices = rows.values.get("price", {})
    own = [prices[store] for store in website.store_ids if prices.get(store) is not None]
    text = own[-1] if own else prices.get(DEFAULT_STORE)
    return _amount(rows, website, "price", text).quantize(_MONEY) if text else _NOTHING


def _website_value(rows: ProductRows, code: str, website: Website) -> str | None:
    """A row of the website wins even when it holds NULL; of several store views' rows the last one does."""
    values = rows.values.get(code, {})
    own = [store for store in website.store_ids if store in values]
    return values.get(own[-1] if own else DEFAULT_STORE)


def _amount(rows: ProductRows, website: Website, code: str, text: str) -> Decimal:
    return number(text, code, f"product {rows.product.entity_id} on website {website.code}")


# Special prices


def _special_price(rows: ProductRows, website: Website, now_s: int) -> dict[str, Any] | None:
    amount = _website_value(rows, "special_price", website)
    if amount is None:
        return None
    begins, ends = _special_dates(rows, website)
    if (begins is not None and now_s < begins) or (ends is not None and now_s >= ends):
        return None
    # A bundle's special price is a percentage, whatever the attribute's name says.
    worth = "percentage" if rows.product.type_id == "bundle" else "price"
    return _discount("special_price", **{worth: _amount(rows, website, "special_price", amount)})


def _special_dates(rows: ProductRows, website: Website) -> tuple[int | None, int | None]:
    """When the special price begins and has ended; its last day counts to the end."""
    return (
        _moment(rows, website, _website_value(rows, "special_from_date", website), 0),
        _moment(rows, website, _website_value(rows, "special_to_date", website), 1),
    )


def _moment(rows: ProductRows, website: Website, text: str | None, days: int) -> int | None:
    if not text or text.startswith(_ZERO_DATE):
        return None
    try:
        return times.instant(text, _zone(website), days=days)
    except OverflowError:
        # The last day that calendars have, which many write for "no end".
        return None
    except ValueError as error:
        product = f"product {rows.product.entity_id} on website {website.code}"
        message = f"special price date {text!r} of {product}: {error}"
        raise Unbuildable(message) from error


# Tier and catalog rule prices


def _tiers(rows: ProductRows, website: Website, group_id: int | None) -> dict[Decimal, TierRow]:
    """By quantity; a row of the website replaces that of all websites."""
    of_group = [tier for tier in rows.tiers if tier.group_id == group_id and _is_valid_on(tier, website)]
    return {tier.qty: tier for tier in sorted(of_group, key=lambda tier: (tier.website_id, tier.value_id))}


def _groups_with_tiers(rows: ProductRows, website: Website) -> set[int]:
    return {t.group_id for t in rows.tiers if t.group_id is not None and _is_valid_on(t, website)}


def _is_valid_on(tier: TierRow, website: Website) -> bool:
    return tier.website_id in {_ALL_WEBSITES, website.website_id}


def _rule_prices(rows: ProductRows, website: Website, day: str) -> dict[int, Decimal]:
    """By group id."""
    return {
        row.group_id: row.price
        for row in rows.rule_prices
        if row.website_id == website.website_id and row.date == day
    }


def _today(rows: ProductRows, website: Website, now_s: int) -> str:
    """The website's date, which Commerce looks rule prices up by; not asked for without such prices."""
    if not rows.rule_prices:
        return ""
    try:
        return times.local_date(now_s, _zone(website))
    except ValueError as error:
        message = (
            f"catalog rule prices of product {rows.product.entity_id} on website {website.code}: {error}"
        )
        raise Unbuildable(message) from error


def _zone(website: Website) -> str:
    return shop_config.value(website.config, shop_config.TIMEZONE)


def _moments(rows: ProductRows, website: Website, now_s: int) -> Iterator[int]:
    """Instants at which the website's prices may become others, past ones too."""
    if _website_value(rows, "special_price", website) is not None:
        yield from (moment for moment in _special_dates(rows, website) if moment is not None)
    today = _today(rows, website, now_s)
    dates = {row.date for row in rows.rule_prices if row.website_id == website.website_id}
    # Those that are over say nothing of what comes, and the database's zero is no date at all.
    known = {day for day in dates if day >= today}
    days = known | {times.day_after(day) for day in known}
    prices = _rule_prices(rows, website, today)
    changing = (d for d in sorted(days) if d > today and _rule_prices(rows, website, d) != prices)
    day = next(changing, None)
    if day is not None:
        yield times.instant(day, _zone(website))


# Amounts


def _worth(tier: TierRow) -> dict[str, Decimal]:
    if tier.percentage is not None:
        return {"percentage": tier.percentage.quantize(_MONEY)}
    return {"price": tier.value.quantize(_MONEY)}


def _discount(code: str, **worth: Decimal) -> dict[str, Any]:
    return {"code": code, **{name: amount.quantize(_MONEY) for name, amount in worth.items()}}
