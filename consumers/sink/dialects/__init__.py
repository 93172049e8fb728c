"""What a target speaks, pure: item in, request parts out; answer in, verdicts out."""

from collections.abc import Mapping
from typing import Any, Protocol

from consumers.sink.settle import Answer, Verdict


class Dialect(Protocol):
    """One ingestion service's language."""

    def payload(self, feed: str, item: Mapping[str, Any]) -> dict[str, Any]:
        """The item as the service takes it.

        Raises:
            Unmappable: the service would refuse it; the reason names the member.
        """

    def delete_payload(self, feed: str, key: Mapping[str, Any]) -> dict[str, Any]:
        """What names the item of a feed record's key in a delete."""

    def path(self, feed: str, operation: str) -> str:
        """Path below the target's URL; `operation` is upsert or delete."""

    def item_bytes_max(self, feed: str) -> int:
        """Largest JSON text of one item."""

    def judge(self, answer: Answer, items: int) -> Verdict:
        """What an answer to a request of `items` items means for each of them."""


class Unmappable(ValueError):
    """The item cannot be said in this dialect; it waits for attention until its content changes."""
