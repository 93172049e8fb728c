"""What a patch makes of a stored item: members merge, keyed lists merge by key, other lists are replaced."""

from collections.abc import Mapping
from typing import Any

import msgspec

MergeKeys = Mapping[str, tuple[str, ...]]


def merged(stored: Any, patch: Any, keys: MergeKeys) -> Any:
    """Lay a patch over a stored value; neither is changed.

    Args:
        keys: names of top-level lists to merge, each with the members that tell its elements apart.
            An empty list in the patch clears such a list.
    """
    if not (isinstance(stored, dict) and isinstance(patch, dict)):
        return patch
    result = dict(stored)
    for name, value in patch.items():
        if name in keys and value and isinstance(stored.get(name), list):
            result[name] = _merged_list(stored[name], value, keys[name])
        elif name in result:
            result[name] = merged(result[name], value, {})
        else:
            result[name] = value
    return result


def _merged_list(stored: list[Any], patch: list[Any], key: tuple[str, ...]) -> list[Any]:
    result = {_key(element, key): element for element in stored}
    for element in patch:
        name = _key(element, key)
        result[name] = merged(result[name], element, {}) if name in result else element
    return list(result.values())


def _key(element: dict[str, Any], key: tuple[str, ...]) -> bytes:
    return msgspec.json.encode([element.get(member) for member in key])
