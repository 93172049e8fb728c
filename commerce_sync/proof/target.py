"""What a target holds, read back from where it lets items be read."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import requests

from runtime.errors import Unreachable, UsageError
from runtime.settings import TargetSettings
from schemas.services.optimizer import FEED_RESOURCES

READ_TIMEOUT_S: Final = 60.0
_CHUNK_BYTES: Final = 65_536


def read_items(name: str, target: TargetSettings, feed: str) -> Iterator[dict[str, Any]]:
    """Items of a feed as the target holds them, one after the other.

    Raises:
        UsageError: no read_url is set.
        Unreachable: it does not answer with items.
    """
    if not target.read_url:
        message = f"targets.{name}.read_url is not set: the target's items cannot be read back"
        raise UsageError(message)
    resource = FEED_RESOURCES[feed] if target.dialect == "optimizer" else feed
    url = f"{target.read_url.rstrip('/')}/{resource}"
    try:
        with requests.get(url, timeout=READ_TIMEOUT_S, stream=True) as response:
            response.raise_for_status()
            for line in response.iter_lines(_CHUNK_BYTES):
                if line:
                    yield msgspec.json.decode(line)
    except (requests.RequestException, msgspec.DecodeError) as error:
        message = f"targets.{name}.read_url = {url} does not give its items ({type(error).__name__})"
        raise Unreachable(message) from error


def read_products(name: str, target: TargetSettings) -> dict[tuple[str, str], dict[str, Any]]:
    """Products by (sku, catalog source); raises what `read_items` raises."""
    return {(item["sku"], item["source"]["locale"]): item for item in read_items(name, target, "products")}
