"""The `scopesWebsite` feed: one item a website, with its stores and their views."""

from typing import Any, Final

from consumers.builder.scopes import WebsiteRows

FEED: Final = "scopesWebsite"


def identity(website_id: int) -> dict[str, str]:
    """What the feed record's key is made of."""
    return {"websiteId": str(website_id)}


def build(website: WebsiteRows) -> list[dict[str, Any]]:
    """The website's item; stores and views by ascending id, also those that are empty or inactive."""
    return [
        {
            **identity(website.website_id),
            "websiteCode": website.code,
            "stores": [
                {
                    "storeId": str(store.group_id),
                    "storeCode": store.code,
                    "storeViews": [
                        {"storeViewId": str(store_id), "storeViewCode": code}
                        for store_id, code in sorted(store.views.items())
                    ],
                }
                for store in sorted(website.stores, key=lambda store: store.group_id)
            ],
        }
    ]
