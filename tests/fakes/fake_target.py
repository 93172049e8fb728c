"""A target that answers what it was told to, and feed records to send to it."""

from collections.abc import Callable
from typing import Any

import msgspec

from consumers.sink.settle import Answer
from runtime.record import Record
from schemas.codec import encode
from schemas.keys import canonical_json


class FakeSender:
    """Keeps every body; answers in turn, and accepts everything when no answer is left (or it is None)."""

    def __init__(self, *answers: Answer | None) -> None:
        self.answers = list(answers)
        self.posts: list[tuple[str, Any]] = []
        self.tokens_forgotten = 0
        # Says what becomes of a request when no answer is left; None accepts.
        self.judge: Callable[[list[dict[str, Any]]], Answer | None] = lambda _: None

    def post(self, path: str, body: bytes) -> Answer:
        items = msgspec.json.decode(body)
        self.posts.append((path, items))
        answer = self.answers.pop(0) if self.answers else self.judge(items)
        return answer or accepted(len(items))

    def forget_token(self) -> None:
        self.tokens_forgotten += 1

    @property
    def sent(self) -> list[tuple[str, list[str]]]:
        """The operation and the SKUs of each request, in order."""
        return [
            ("delete" if path.endswith("/delete") else "upsert", [item["sku"] for item in items])
            for path, items in self.posts
        ]


def accepted(items: int, request_id: str = "request-1") -> Answer:
    body = msgspec.json.encode({"status": "ACCEPTED", "acceptedCount": items})
    return Answer(200, body, "application/json", request_id=request_id)


def refused(*errors: tuple[int, str, str]) -> Answer:
    """A 400 that lists (index, code, message)."""
    listed = [{"itemIndex": index, "code": code, "message": text} for index, code, text in errors]
    body = msgspec.json.encode({"status": "FAILED", "message": "Items validation failed", "errors": listed})
    return Answer(400, body, "application/json", request_id="request-400")


def product_item(sku: str, **changes: Any) -> dict[str, Any]:
    """A whole item of the products feed."""
    return {
        "sku": sku,
        "storeViewCode": "default",
        "storeCode": "main",
        "websiteCode": "base",
        "productId": 1,
        "type": "simple",
        "name": f"Name of {sku}",
        "urlKey": f"key-{sku.lower()}",
        "status": "Enabled",
        "visibility": "Catalog, Search",
        "description": None,
        "shortDescription": None,
        "metaTitle": None,
        "metaKeyword": None,
        "metaDescription": None,
        "displayable": True,
        "createdAt": None,
        "updatedAt": None,
        "attributes": [],
        "categoryData": [],
        "images": [],
        **changes,
    }


def item_key(sku: str) -> bytes:
    return canonical_json({"sku": sku, "storeViewCode": "default"})


def feed_record(
    sku: str,
    offset: int,
    *,
    deleted: bool = False,
    lane: str = "live",
    commit_ms: int = 1_000,
    **changes: Any,
) -> Record:
    """A record of the products feed on partition 0; `changes` are members of the item."""
    return Record(
        topic="cs.feed.products",
        partition=0,
        offset=offset,
        key=item_key(sku),
        value=None if deleted else encode("products", product_item(sku, **changes)),
        headers={"lane": lane.encode(), "commit_ms": str(commit_ms).encode()},
        timestamp_ms=commit_ms,
    )
