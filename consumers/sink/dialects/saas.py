"""SaaS feed ingestion service: field mapping, routes and answers. Pure.

Items go in the exporter's own shape, by the members the service lists; what only we add stays behind.
`deleted: true` inside an item is its delete. Source: the service's published description of 2024.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import md5, sha1
from typing import Any, Final

import msgspec

from consumers.sink.dialects import Members, Stamp, Unmappable, amounts, present, required
from consumers.sink.settle import LIMIT_CODE, REASON_MAX, Answer, Verdict, settle
from schemas.services import saas
from schemas.services.saas import FEED_ROUTES, STAMPS
from schemas.services.shapes import WHOLE_MAX, Identity

# Not published; what the other service takes of a product, and far more than any other item has.
_ITEM_BYTES_MAX: Final = 200 * 1024
# Of this the service says that a new signature helps.
_SIGNATURE_CODE: Final = "403053"
_SCOPE: Final = ("websiteCode", "storeCode")
# What a delete needs beyond the key of a feed record.
_DELETE_MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "categories": ("categoryId", *_SCOPE),
    "productAttributes": _SCOPE,
    "products": _SCOPE,
    "scopesWebsite": ("website",),
}
_PARENT_TYPES: Final = frozenset({"BUNDLE_DYNAMIC", "BUNDLE_FIXED", "CONFIGURABLE", "GROUPED"})
_DATE_TIME: Final = "%Y-%m-%d %H:%M:%S"
_RFC_3339: Final = "%Y-%m-%dT%H:%M:%S+00:00"
_NO_DATE: Final = "1970-01-01 00:00:00"


class SaasDialect:
    """Implements Dialect for one environment, which is a part of every path."""

    def __init__(self, environment_id: str) -> None:
        self._environment_id = environment_id

    def wants(self, feed: str, key: Members) -> bool:
        return True

    def payload(self, feed: str, item: Members) -> dict[str, Any]:
        return {**_PAYLOADS[feed](item), "deleted": False}

    def delete_members(self, feed: str, payload: Members) -> dict[str, Any]:
        if feed == "scopesWebsite":
            return {"website": {"websiteCode": payload["website"]["websiteCode"]}}
        return {name: payload[name] for name in _DELETE_MEMBERS.get(feed, ())}

    def delete_needs_members(self, feed: str) -> bool:
        return feed in _DELETE_MEMBERS

    def delete_payload(self, feed: str, key: Members, members: Members | None = None) -> dict[str, Any]:
        members = members or {}
        missing = [name for name in _DELETE_MEMBERS.get(feed, ()) if name not in members]
        if missing:
            message = (
                f"the service needs {', '.join(missing)} to delete this item, and no status tells: "
                "send the item again before it is deleted, or remove it at the service"
            )
            raise Unmappable(message)
        return {**_KEYS[feed](key), **members, "deleted": True}

    def identity(self, feed: str, payload: Members) -> Identity:
        return saas.identity(feed, payload)

    def feed_key(self, feed: str, payload: Members) -> dict[str, Any] | None:
        names = _FEED_KEYS.get(feed, ())
        return _same(payload, *names) if names and all(name in payload for name in names) else None

    def identity_moves(self, feed: str) -> bool:
        # A website's code is its name there, and its id here.
        return feed in {"categories", "scopesWebsite"}

    def stands_below(self, feed: str) -> bool:
        # Nothing is published of deletes that take others along.
        return False

    def above(self, feed: str, key: Members) -> Sequence[tuple[str, bytes]]:
        return ()

    def below(self, feed: str) -> Sequence[str]:
        return ()

    def stands_on(self, feed: str) -> bool:
        return False

    def stamp(self, feed: str) -> Stamp | None:
        return Stamp(STAMPS[feed], _RFC_3339 if STAMPS[feed] == "updatedAt" else _DATE_TIME)

    def path(self, feed: str, operation: str) -> str:
        return f"{FEED_ROUTES[feed].path}/{self._environment_id}"

    def item_bytes_max(self, feed: str) -> int:
        return _ITEM_BYTES_MAX

    def judge(self, answer: Answer, items: int) -> Verdict:
        match answer.status:
            case 200:
                return _taken(answer, items)
            case 400:
                return _refused(answer, items)
            case 403 if _error_code(answer) == _SIGNATURE_CODE:
                return Verdict("token", "the service does not take our signature")
            case _:
                return settle(answer, items)


# Items.


def _product(item: Members) -> dict[str, Any]:
    return {
        **_scope(item),
        **present(
            {
                "sku": item["sku"],
                "productId": item["productId"],
                # The service knows no fixed bundles; its prices do.
                "type": item["type"].removesuffix("_fixed"),
                "name": required(item, "name"),
                "url": required(item, "url"),
                "urlKey": item["urlKey"],
                "status": item["status"],
                "visibility": item["visibility"],
                "buyable": bool(item["buyable"]),
                "displayable": item["displayable"],
                "createdAt": item["createdAt"] or item["updatedAt"] or _NO_DATE,
                **_same(
                    item,
                    *("description", "shortDescription", "metaTitle", "metaKeyword", "metaDescription"),
                    *("taxClassId", "weight", "weightType", "weightUnit", "currency", "priceView"),
                    *("linksPurchasedSeparately", "inStock", "lowStock"),
                ),
            }
        ),
        "attributes": [
            present({"attributeCode": attribute["attributeCode"], "value": attribute["value"]})
            for attribute in item["attributes"]
        ],
        "images": [{**image, "sortOrder": _lean(int(image["sortOrder"]))} for image in item["images"]],
        **{name: _lean(item[name]) for name in _LISTS},
    }


# Lists that go as they are. `deleted` and times of change aside, these and the members above are the item.
_LISTS: Final = (
    "categoryData",
    "links",
    "optionsV2",
    "parents",
    "samples",
    "shopperInputOptions",
    "urlRewrites",
    "videos",
)


def _category(item: Members) -> dict[str, Any]:
    return {
        **_scope(item),
        **present(
            {
                "categoryId": item["categoryId"],
                "name": required(item, "name"),
                # The store's root has neither.
                "urlKey": item["urlKey"] or "",
                "urlPath": item["urlPath"],
                "isActive": bool(item["isActive"]),
                "includeInMenu": _flag(item["includeInMenu"]),
                "isAnchor": _flag(item["isAnchor"]),
                **_same(
                    item,
                    *("path", "parentId", "level", "position", "displayMode", "description", "metaTitle"),
                    *("metaKeywords", "metaDescription", "image", "children", "availableSortBy"),
                    *("defaultSortBy", "createdAt"),
                ),
            }
        ),
    }


def _attribute(item: Members) -> dict[str, Any]:
    return {
        **_scope(item),
        **present(
            {
                # System attributes without a label are sent all the same.
                "label": item["label"] or item["attributeCode"],
                **_same(
                    item,
                    *("id", "attributeCode", "attributeType", "dataType", "frontendInput", "multi"),
                    *("boolean", "numeric", "searchWeight", "required", "unique", "global", "visible"),
                    *("searchable", "filterable", "filterableInSearch", "visibleInCompareList"),
                    *("visibleInListing", "visibleInSearch", "sortable", "usedForRules"),
                    "systemAttribute",
                ),
            }
        ),
    }


def _price(item: Members) -> dict[str, Any]:
    return {
        **_same(item, "sku", "websiteCode", "customerGroupCode", "productId", "type", "regular"),
        "discounts": amounts(item["discounts"], "code"),
        "tierPrices": amounts(item["tierPrices"], "qty"),
        "parents": [dict(parent) for parent in item["parents"] if parent["type"] in _PARENT_TYPES],
    }


def _override(item: Members) -> dict[str, Any]:
    flags = {name: item.get(name) for name in ("addToCartAllowed", "priceDisplayable")}
    return {
        **_same(item, "sku", "websiteCode", "customerGroupCode", "displayable"),
        **present(flags),
    }


def _variant(item: Members) -> dict[str, Any]:
    return {
        **_same(item, "id", "parentSku", "productSku"),
        "optionValues": _lean(item["optionValues"]),
    }


def _website(item: Members) -> dict[str, Any]:
    stores = [
        {
            "storeCode": store["storeCode"],
            "storeViews": [{"storeViewCode": view["storeViewCode"]} for view in store["storeViews"]],
        }
        for store in item["stores"]
    ]
    return {"website": {"websiteCode": item["websiteCode"], "stores": _lean(stores)}}


def _customer_group(item: Members) -> dict[str, Any]:
    websites = [{"websiteCode": code} for code in item["websites"]]
    return {"customerGroup": {"customerGroupCode": item["customerGroupCode"], "websites": websites}}


_PAYLOADS: Final[Mapping[str, Callable[[Members], dict[str, Any]]]] = {
    "products": _product,
    "categories": _category,
    "productAttributes": _attribute,
    "prices": _price,
    "productOverrides": _override,
    "variants": _variant,
    "scopesWebsite": _website,
    "scopesCustomerGroup": _customer_group,
}


def _scope(item: Members) -> dict[str, Any]:
    return _same(item, "websiteCode", "storeCode", "storeViewCode")


def _same(item: Members, *names: str) -> dict[str, Any]:
    """Members that go by the name they have."""
    return {name: item[name] for name in names}


def _flag(value: Any) -> bool | None:
    return None if value is None else bool(value)


def _lean(value: Any) -> Any:
    """Records at any depth without the members that have no value.

    Raises:
        Unmappable: a whole number is larger than the service's.
    """
    if isinstance(value, Mapping):
        return {name: _lean(member) for name, member in value.items() if member is not None}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_lean(element) for element in value]
    if isinstance(value, int) and not -WHOLE_MAX - 1 <= value <= WHOLE_MAX:
        message = f"{value} is no number of 32 bits, as the service takes them: correct the sort order"
        raise Unmappable(message)
    return value


# Deletes.


def _named(*names: str) -> Callable[[Members], dict[str, Any]]:
    return lambda key: _same(key, *names)


def _variant_key(key: Members) -> dict[str, Any]:
    """As the exporter names a variant: by the hash of its parent's and its own SKU."""
    name = f"configurable/{key['parentSku']}/{key['productSku']}"
    identifier = md5(name.encode(), usedforsecurity=False).hexdigest()
    return {"id": identifier, **_same(key, "parentSku", "productSku"), "optionValues": []}


def _customer_group_key(key: Members) -> dict[str, Any]:
    code = sha1(str(key["customerGroupId"]).encode(), usedforsecurity=False).hexdigest()
    return {"customerGroup": {"customerGroupCode": code}}


_KEYS: Final[Mapping[str, Callable[[Members], dict[str, Any]]]] = {
    "products": _named("sku", "storeViewCode"),
    # The path is not what names it: the id is, which only the payload had.
    "categories": _named("storeViewCode"),
    "productAttributes": lambda key: {
        **_same(key, "attributeCode", "storeViewCode"),
        "attributeType": "catalog_product",
    },
    "prices": _named("sku", "websiteCode", "customerGroupCode"),
    "productOverrides": _named("sku", "websiteCode", "customerGroupCode"),
    "variants": _variant_key,
    "scopesWebsite": lambda _: {},
    "scopesCustomerGroup": _customer_group_key,
}

# Members of a payload that are a feed record's key; a scope's payload does not tell its id.
_FEED_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "products": ("sku", "storeViewCode"),
    "categories": ("urlPath", "storeViewCode"),
    "productAttributes": ("attributeCode", "storeViewCode"),
    "prices": ("sku", "websiteCode", "customerGroupCode"),
    "productOverrides": ("sku", "websiteCode", "customerGroupCode"),
    "variants": ("parentSku", "productSku"),
}


# Answers.


class _Body(msgspec.Struct):
    feedItemReceivedCount: int
    invalidFeedItems: list[Any] | None = None


def _taken(answer: Answer, items: int) -> Verdict:
    """200: the items that are not listed were taken."""
    body = _body(answer)
    if body is None:
        # A proxy's login page answers 200 too.
        return Verdict(
            "ours", "200 without an acceptance: is this the ingestion service?", outcome_unknown=True
        )
    if _is_over_limit(body):
        return settle(replace(answer, status=413), items)
    refused = _listed(body, items)
    # Published texts differ in whether refused items are counted as received.
    if body.feedItemReceivedCount not in {items, items - len(refused)}:
        reason = f"{body.feedItemReceivedCount} of {items} items taken, without saying which"
        return Verdict("wait", reason, outcome_unknown=True)
    return Verdict("delivered", refused=refused or None)


def _refused(answer: Answer, items: int) -> Verdict:
    """400: no item was taken."""
    body = _body(answer)
    if body is not None and _is_over_limit(body):
        return settle(replace(answer, status=413), items)
    refused = {} if body is None else _listed(body, items)
    # Without a usable list nobody knows which item is bad: halves tell.
    if not refused and items > 1:
        return Verdict("split", "refused without saying which item")
    reason = answer.body[:300].decode(errors="replace") or "refused with 400 and no reason"
    return Verdict("refused", "refused by the service", refused or {0: reason})


def _listed(body: _Body, items: int) -> dict[int, str]:
    refused: dict[int, str] = {}
    for error in body.invalidFeedItems or ():
        index = error.get("itemIndex") if isinstance(error, dict) else None
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < items:
            reason = str(error.get("message") or error.get("code") or "refused without a reason")
            reason = f"{refused[index]}; {reason}" if index in refused else reason
            refused[index] = reason[:REASON_MAX]
    return refused


def _is_over_limit(body: _Body) -> bool:
    errors = body.invalidFeedItems or ()
    return any(isinstance(error, dict) and error.get("code") == LIMIT_CODE for error in errors)


def _body(answer: Answer) -> _Body | None:
    try:
        return msgspec.json.decode(answer.body, type=_Body)
    except (ValueError, RecursionError):
        return None


def _error_code(answer: Answer) -> str:
    try:
        body = msgspec.json.decode(answer.body)
    except (ValueError, RecursionError):
        return ""
    return str(body.get("error_code", "")) if isinstance(body, dict) else ""
