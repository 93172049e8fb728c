"""The one shape of every product option and option value, whatever kind of product offers it."""

import base64
from typing import Any, Final

from consumers.builder.values import DEFAULT_STORE, StoreValues

Option = dict[str, Any]

_OPTION: Final = ("label", "sortOrder", "required", "renderType", "swatchType")
_VALUE: Final = (
    *("label", "sortOrder", "isDefault", "colorHex", "imageUrl", "customSwatchValue"),
    *("qtyMutability", "qty", "infoUrl", "sku", "price", "priceType"),
)


def option(kind: str, option_id: str, values: list[Option], **members: Any) -> Option:
    """An option with every member, absent ones as None."""
    return {
        "id": option_id,
        "type": kind,
        **{name: members.get(name) for name in _OPTION},
        "values": values,
    }


def option_value(value_id: str, **members: Any) -> Option:
    """An option value with every member, absent ones as None."""
    return {"id": value_id, **{name: members.get(name) for name in _VALUE}}


def uid(*parts: object) -> str:
    """An opaque id as Commerce's own interfaces use it: base64 of the parts joined with `/`."""
    return base64.b64encode("/".join(map(str, parts)).encode()).decode()


def own_or_default(texts: StoreValues, store_id: int) -> str | None:
    """The store view's text, the default's where it has none."""
    own = texts.get(store_id)
    return own if own is not None else texts.get(DEFAULT_STORE)
