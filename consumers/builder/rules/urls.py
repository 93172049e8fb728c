"""`url` and `urlRewrites[]`: where a product's page is, and every address that leads there."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from consumers.builder.values import StoreView

# `catalog/product/view` stands before the parameters of a target path.
_ACTION_SEGMENTS = 3


@dataclass(frozen=True, slots=True)
class RewriteRow:
    """A row of url_rewrite of the entity type `product`."""

    rewrite_id: int
    store_id: int
    request_path: str
    target_path: str
    redirect_type: int
    metadata: str | None


def url(rows: Iterable[RewriteRow], product_id: int, url_key: str | None, view: StoreView) -> str:
    """The page's address: the store view's own rewrite, else the plain route.

    Of several rewrites the oldest counts.
    """
    own = [
        row
        for row in rows
        if row.store_id == view.store_id and row.redirect_type == 0 and row.metadata is None
    ]
    if own:
        path = min(own, key=lambda row: row.rewrite_id).request_path
    else:
        path = f"catalog/product/view/id/{product_id}/s/{url_key or ''}/"
    return view.link_url + path


def url_rewrites(rows: Iterable[RewriteRow], view: StoreView) -> list[dict[str, Any]]:
    """All rewrites of the store view, redirects too, ordered by request path."""
    own = sorted((row.request_path, row.target_path) for row in rows if row.store_id == view.store_id)
    return [{"url": view.base_url + path, "parameters": _parameters(target)} for path, target in own]


def _parameters(target_path: str) -> list[dict[str, str]]:
    segments = target_path.split("/")[_ACTION_SEGMENTS:]
    return [{"name": name, "value": text} for name, text in zip(segments[::2], segments[1::2], strict=False)]
