"""Downloadable products: links as an option, `samples[]`, and both as one attribute."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from consumers.builder.rules.option_shape import option, option_value, own_or_default, uid
from consumers.builder.values import StoreValues, StoreView
from schemas import shop_config as config

KIND: Final = "downloadable"
ATTRIBUTE: Final = "ac_downloadable"
_ALL_WEBSITES: Final = 0


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """A row of downloadable_link; titles by store, prices by website."""

    link_id: int
    sort_order: int
    number_of_downloads: int | None
    has_sample: bool
    titles: StoreValues = field(default_factory=dict)
    prices: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row of downloadable_sample; titles by store."""

    sample_id: int
    sort_order: int
    titles: StoreValues = field(default_factory=dict)


def links(
    rows: Iterable[DownloadRow], product_id: int, title: str | None, view: StoreView
) -> list[dict[str, Any]]:
    """One option with the product's links as values, ordered by sort order and id; none without links."""
    ordered = sorted(rows, key=lambda row: (row.sort_order, row.link_id))
    values = [
        option_value(
            uid("downloadable", row.link_id),
            label=own_or_default(row.titles, view.store_id),
            sortOrder=row.sort_order,
            price=_price(row, view),
            qty=float(row.number_of_downloads or 0),
            infoUrl=_sample_url(row, view),
        )
        for row in ordered
    ]
    return [option(KIND, f"link:{product_id}", values, label=title)] if values else []


def samples(rows: Iterable[SampleRow], view: StoreView) -> list[dict[str, Any]]:
    """Samples of the whole product, ordered by sort order and id."""
    base = config.base_url(view.config)
    return [
        {
            "resource": {
                "url": f"{base}downloadable/download/sample/sample_id/{row.sample_id}",
                # As with pictures, nothing to say is an empty text.
                "label": own_or_default(row.titles, view.store_id) or "",
                "roles": [],
            },
            "sortOrder": str(row.sort_order),
        }
        for row in sorted(rows, key=lambda row: (row.sort_order, row.sample_id))
    ]


def attribute(
    links_option: list[dict[str, Any]], samples: list[dict[str, Any]], purchase_separately: bool
) -> dict[str, Any]:
    """Links and samples as JSON text, for targets that know no downloadable options.

    A link without a title goes by its place here, counted from 0, as in the exporter.
    """
    text = json.dumps(
        {
            "purchase_separately": purchase_separately,
            "samples": [{"label": s["resource"]["label"], "url": s["resource"]["url"]} for s in samples],
            "links": [
                {
                    "uid": value["id"],
                    "label": f"Link {place}" if value["label"] is None else value["label"],
                    "price": value["price"],
                    "number_of_downloads": int(value["qty"]),
                    "sample_url": value["infoUrl"],
                }
                for of_option in links_option
                for place, value in enumerate(of_option["values"])
            ],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return {"attributeCode": ATTRIBUTE, "value": [text]}


def _price(row: DownloadRow, view: StoreView) -> float:
    """The website's surcharge, else that of all websites; without either there is none."""
    return float(row.prices.get(view.website_id, row.prices.get(_ALL_WEBSITES, 0)))


def _sample_url(row: DownloadRow, view: StoreView) -> str | None:
    if not row.has_sample:
        return None
    return f"{config.base_url(view.config)}downloadable/download/linkSample/link_id/{row.link_id}"
