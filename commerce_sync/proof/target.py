"""What a target holds, read back from where it lets items be read."""

from typing import Any

import msgspec
import requests

from runtime.errors import Unreachable, UsageError
from runtime.settings import TargetSettings

READ_TIMEOUT_S = 60.0
# Our feeds' names and those of the service's resources.
RESOURCES = {"products": "products"}


def read_products(name: str, target: TargetSettings) -> dict[tuple[str, str], dict[str, Any]]:
    """Items by (sku, catalog source).

    Raises:
        UsageError: no read_url is set.
        Unreachable: it does not answer with items.
    """
    if not target.read_url:
        message = f"targets.{name}.read_url is not set: the target's items cannot be read back"
        raise UsageError(message)
    url = f"{target.read_url.rstrip('/')}/{RESOURCES['products']}"
    try:
        with requests.get(url, timeout=READ_TIMEOUT_S, stream=True) as response:
            response.raise_for_status()
            items = [msgspec.json.decode(line) for line in response.iter_lines() if line]
    except (requests.RequestException, msgspec.DecodeError) as error:
        message = f"targets.{name}.read_url = {url} does not give its items ({type(error).__name__})"
        raise Unreachable(message) from error
    return {(item["sku"], item["source"]["locale"]): item for item in items}
